package status

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/fxamacker/cbor/v2"
	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/internal/strictcbor"
	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/internal/vectors"
	"github.com/staffpassport/staffpassport/vc"
)

// example returns a file of the examples of draft-ietf-oauth-status-list-20 without its
// first lines, which are for people, and without the breaks of its lines.
func example(t testing.TB, name string) string {
	t.Helper()
	text := string(vectors.Read(t, "token-status-list", "examples", name))
	if _, after, ok := strings.Cut(text, "encoded:"); ok {
		text = after
	}
	var out strings.Builder
	for line := range strings.Lines(text) {
		out.WriteString(strings.TrimSpace(line))
	}
	return out.String()
}

func exampleHex(t testing.TB, name string) []byte {
	t.Helper()
	b, err := hex.DecodeString(example(t, name))
	require.NoError(t, err)
	return b
}

// diagnosed returns the bytes of a file in which each line has some of them in hex and
// says what they are.
func diagnosed(t testing.TB, name string) []byte {
	t.Helper()
	var out strings.Builder
	for line := range strings.Lines(string(vectors.Read(t, "token-status-list", "examples", name))) {
		line, _, _ = strings.Cut(line, "#")
		out.WriteString(strings.Join(strings.Fields(line), ""))
	}
	b, err := hex.DecodeString(out.String())
	require.NoError(t, err)
	return b
}

// ofJSON and ofCBOR read a StatusList (sections 4.2 and 4.3) that is in no token.
func ofJSON(t testing.TB, text string) *token {
	t.Helper()
	l, err := strictjson.ParseObject([]byte(text))
	require.NoError(t, err)
	packed, err := packedOf(l)
	require.NoError(t, err)
	v, _ := l.Get("bits")
	width, err := v.(strictjson.Number).Int64()
	require.NoError(t, err)
	out := &token{URI: "https://river.example/1"}
	require.NoError(t, out.fill(width, packed))
	return out
}

func ofCBOR(t testing.TB, b []byte) *token {
	t.Helper()
	out := &token{URI: "https://river.example/1"}
	require.NoError(t, out.fillCBOR(b))
	return out
}

// requireValues demands that a list has these values, and no other entry of it any.
func requireValues(t testing.TB, l *token, size int, want map[int]int) {
	t.Helper()
	require.Equal(t, size, l.len())
	for i := range size {
		got, err := l.value(i)
		require.NoError(t, err)
		if got != want[i] {
			require.Equal(t, want[i], got, i)
		}
	}
	for _, i := range []int{-1, size} {
		_, err := l.value(i)
		require.ErrorIs(t, err, ErrRange)
	}
}

// TestTokenEncodings are the examples of section 4 and of the appendix "Test vectors for
// Status List encoding".
func TestTokenEncodings(t *testing.T) {
	t.Parallel()
	first := map[int]int{0: 1, 3: 1, 4: 1, 5: 1, 7: 1, 8: 1, 9: 1, 13: 1, 15: 1}
	second := map[int]int{0: 1, 1: 2, 3: 3, 5: 1, 7: 1, 8: 1, 9: 2, 10: 3, 11: 3}
	one := map[int]int{
		0: 1, 1993: 1, 25460: 1, 159495: 1, 495669: 1, 554353: 1, 645645: 1, 723232: 1, 854545: 1, 934534: 1, 1000345: 1,
	}
	two := map[int]int{
		0: 1, 1993: 2, 25460: 1, 159495: 3, 495669: 1, 554353: 1, 645645: 2, 723232: 1, 854545: 1, 934534: 2, 1000345: 3,
	}
	four := map[int]int{
		0: 1, 1993: 2, 35460: 3, 459495: 4, 595669: 5, 754353: 6, 845645: 7, 923232: 8, 924445: 9, 934534: 10,
		1004534: 11, 1000345: 12, 1030203: 13, 1030204: 14, 1030205: 15,
	}
	eight := map[int]int{}
	for value, index := range eightBits() {
		eight[index] = value
	}
	for _, c := range []struct {
		json, cbor, diag string
		size             int
		want             map[int]int
	}{
		{"status_list_encoding_json.md", "status_list_encoding_cbor.md", "status_list_encoding_cbor_diag.md", 16, first},
		{"status_list_encoding2_json.md", "status_list_encoding2_cbor.md", "status_list_encoding2_cbor_diag.md", 12, second},
		{"status_list_encoding1_long_json.md", "status_list_encoding1_long_cbor.md", "", 1 << 20, one},
		{"status_list_encoding2_long_json.md", "status_list_encoding2_long_cbor.md", "", 1 << 20, two},
		{"status_list_encoding4_json.md", "status_list_encoding4_cbor.md", "", 1 << 20, four},
		{"status_list_encoding8_json.md", "status_list_encoding8_cbor.md", "", 1 << 20, eight},
	} {
		t.Run(c.json, func(t *testing.T) {
			t.Parallel()
			requireValues(t, ofJSON(t, example(t, c.json)), c.size, c.want)
			requireValues(t, ofCBOR(t, exampleHex(t, c.cbor)), c.size, c.want)
			if c.diag != "" {
				require.Equal(t, exampleHex(t, c.cbor), diagnosed(t, c.diag))
			}
		})
	}
}

// TestTokenExamples are the tokens of section 5. Whose key signed them is not told.
func TestTokenExamples(t *testing.T) {
	t.Parallel()
	want := token{
		URI: "https://example.com/statuslists/1", Issuer: "https://example.com", KeyID: "12", TTL: 43200 * time.Second,
		IssuedAt: time.Unix(1686920170, 0).UTC(), Expires: time.Unix(2291720170, 0).UTC(),
	}
	for name, c := range map[string]struct {
		s    vc.Secured
		want token
	}{
		"JWT": {vc.Secured{MediaType: mediaTypeJWT, Bytes: []byte(example(t, "status_list_jwt_raw.md"))}, want},
		"CWT": {vc.Secured{MediaType: mediaTypeCWT, Bytes: exampleHex(t, "status_list_cwt.md")}, func() token { c := want; c.Issuer = ""; return c }()},
	} {
		got, err := parseToken(c.s)
		require.NoError(t, err, name)
		require.Equal(t, "ES256", got.algorithm, name)
		require.Len(t, got.signature, 64, name)
		require.Equal(t, c.want, token{URI: got.URI, Issuer: got.Issuer, KeyID: got.KeyID, TTL: got.TTL, IssuedAt: got.IssuedAt, Expires: got.Expires}, name)
		requireValues(t, got, 16, map[int]int{0: 1, 3: 1, 4: 1, 5: 1, 7: 1, 8: 1, 9: 1, 13: 1, 15: 1})
	}
	require.Equal(t, exampleHex(t, "status_list_cwt.md"), diagnosed(t, "status_list_cwt_diag.md"))

	// What is written out of the JWT is what the raw one has but for the iss.
	header, payload, ok := strings.Cut(example(t, "status_list_jwt.md"), "}.{")
	require.True(t, ok)
	raw := strings.Split(example(t, "status_list_jwt_raw.md"), ".")
	for i, want := range []string{header + "}", "{" + payload} {
		b, err := base64.RawURLEncoding.DecodeString(raw[i])
		require.NoError(t, err)
		var got, expected map[string]any
		require.NoError(t, json.Unmarshal(b, &got))
		require.NoError(t, json.Unmarshal([]byte(want), &expected))
		delete(got, "iss")
		require.Equal(t, expected, got)
	}
}

// TestReferencedTokenExample is section 6.3: a token that refers to a list.
func TestReferencedTokenExample(t *testing.T) {
	t.Parallel()
	b := exampleHex(t, "referenced_token_cwt.md")
	require.Equal(t, b, diagnosed(t, "referenced_token_cwt_diag.md"))
	var m sign1
	require.NoError(t, strictcbor.Unmarshal(b[1:], &m))
	var claims map[int64]cbor.RawMessage
	require.NoError(t, strictcbor.Unmarshal(m.Payload, &claims))
	var claim map[string]map[string]any
	require.NoError(t, strictcbor.Unmarshal(claims[65535], &claim))
	list, err := json.Marshal(claim["status_list"])
	require.NoError(t, err)
	r, err := ParseEntry(vc.Status{Type: []string{typeClaim}, Other: map[string]json.RawMessage{"status_list": list}})
	require.NoError(t, err)
	require.Equal(t, Reference{List: "https://example.com/statuslists/1"}, r)
	require.True(t, r.Token())
}

// eightBits are the indexes of the values 0 to 255 in the 8-bit list of the appendix.
func eightBits() []int {
	return []int{
		233478, 52451, 576778, 513575, 468106, 292632, 214947, 182323, 884834, 66653, 62489, 196493,
		458517, 487925, 55649, 416992, 879796, 462297, 942059, 583408, 13628, 334829, 886286, 713557,
		582738, 326064, 451545, 705889, 214350, 194502, 796765, 202828, 752834, 721327, 554740, 91122,
		963483, 261779, 793844, 165255, 614839, 758403, 403258, 145867, 96100, 477937, 606890, 167335,
		488197, 211815, 797182, 582952, 950870, 765108, 341110, 776325, 745056, 439368, 559893, 149741,
		358903, 513405, 342679, 969429, 795775, 566121, 460566, 680070, 117310, 480348, 67319, 661552,
		841303, 561493, 138807, 442463, 659927, 445910, 1046963, 829700, 962282, 299623, 555493, 292826,
		517215, 551009, 898490, 837603, 759161, 459948, 290102, 1034977, 190650, 98810, 229950, 320531,
		335506, 885333, 133227, 806915, 800313, 981571, 527253, 24077, 240232, 559572, 713399, 233941,
		615514, 911768, 331680, 951527, 6805, 552366, 374660, 223159, 625884, 417146, 320527, 784154,
		338792, 1199, 679804, 1024680, 40845, 234603, 761225, 644903, 502167, 121477, 505144, 165165,
		179628, 1019195, 145149, 263738, 269256, 996739, 346296, 555864, 887384, 444173, 421844, 653716,
		836747, 783119, 918762, 946835, 253764, 519895, 471224, 134272, 709016, 44112, 482585, 461829,
		15080, 148883, 123467, 480125, 141348, 65877, 692958, 148598, 499131, 584009, 1017987, 449287,
		277478, 991262, 509602, 991896, 853666, 399318, 197815, 203278, 903979, 743015, 888308, 862143,
		979421, 113605, 206397, 127113, 844358, 711569, 229153, 521470, 401793, 398896, 940810, 293983,
		884749, 384802, 584151, 970201, 523882, 158093, 929312, 205329, 106091, 30949, 195586, 495723,
		348779, 852312, 1018463, 1009481, 448260, 841042, 122967, 345269, 794764, 4520, 818773, 556171,
		954221, 598210, 887110, 1020623, 324632, 398244, 622241, 456551, 122648, 127837, 657676, 119884,
		105156, 999897, 330160, 119285, 168005, 389703, 143699, 142524, 493258, 846778, 251420, 516351,
		83344, 171931, 879178, 663475, 546865, 428362, 658891, 500560, 557034, 830023, 274471, 629139,
		958869, 663071, 152133, 19535,
	}
}
