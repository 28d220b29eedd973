package multiformat_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/internal/multiformat"
	"github.com/staffpassport/staffpassport/internal/vectors"
)

func fromHex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	require.NoError(t, err)
	return b
}

func TestBase58(t *testing.T) {
	t.Parallel()
	for text, octets := range map[string]string{
		"2NEpo7TZRRrLZSi2U": hex.EncodeToString([]byte("Hello World!")),
		"11233QC4":          "0000287fb4cd",
		"1":                 "00",
		"1111":              "00000000",
		"2":                 "01",
		"5Q":                "ff",
		"LUv":               "ffff",
		"4zvwRjXUKGfvwnParsHAS3HuSVzV5cA4McphgmoCtajS": "3b6a27bcceb6a42d62a3a8d02a6f0d73653215771de243a63ac048a18b59da29",
	} {
		require.Equal(t, text, multiformat.Base58(fromHex(t, octets)))
		got, err := multiformat.DecodeBase58(text, multiformat.MaxKey)
		require.NoError(t, err)
		require.Equal(t, octets, hex.EncodeToString(got))
	}
}

func TestDecode(t *testing.T) {
	t.Parallel()
	hello := []byte("Hello World!")
	require.Equal(t, "z2NEpo7TZRRrLZSi2U", multiformat.Encode(hello))
	require.Equal(t, "uSGVsbG8gV29ybGQh", multiformat.EncodeBase64URL(hello))
	require.Equal(t, "u-_8", multiformat.EncodeBase64URL([]byte{0xfb, 0xff}))
	for _, text := range []string{"z2NEpo7TZRRrLZSi2U", "uSGVsbG8gV29ybGQh"} {
		got, err := multiformat.Decode(text, len(text))
		require.NoError(t, err)
		require.Equal(t, hello, got)
	}
}

func TestDecode_Refused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		in   string
		want error
	}{
		"nothing":                {"", multiformat.ErrBase},
		"no prefix":              {"2NEpo7TZRRrLZSi2U", multiformat.ErrBase},
		"capital Z":              {"Z2NEpo7TZRRrLZSi2U", multiformat.ErrBase},
		"padded base64url":       {"USGVsbG8gV29ybGQh", multiformat.ErrBase},
		"plain base64":           {"mSGVsbG8gV29ybGQh", multiformat.ErrBase},
		"base16":                 {"f00", multiformat.ErrBase},
		"identity":               {"\x00abc", multiformat.ErrBase},
		"prefix only, z":         {"z", multiformat.ErrEncoding},
		"prefix only, u":         {"u", multiformat.ErrEncoding},
		"zero":                   {"z2NEpo0", multiformat.ErrEncoding},
		"capital O":              {"z2NEpoO", multiformat.ErrEncoding},
		"capital I":              {"z2NEpoI", multiformat.ErrEncoding},
		"small l":                {"z2NEpol", multiformat.ErrEncoding},
		"space in base58":        {"z2NEpo 7", multiformat.ErrEncoding},
		"space before base58":    {"z 2NEpo7", multiformat.ErrEncoding},
		"newline after base58":   {"z2NEpo7\n", multiformat.ErrEncoding},
		"beyond ASCII":           {"z2NEpé", multiformat.ErrEncoding},
		"high byte":              {"z2NE\xff", multiformat.ErrEncoding},
		"NUL":                    {"z2NE\x00", multiformat.ErrEncoding},
		"base64 plus":            {"u+_8", multiformat.ErrEncoding},
		"base64 slash":           {"u-/8", multiformat.ErrEncoding},
		"base64 padding":         {"u-_8=", multiformat.ErrEncoding},
		"base64 of one letter":   {"uA", multiformat.ErrEncoding},
		"base64 with spare bits": {"u-_9", multiformat.ErrEncoding},
		"base64 with newline":    {"uSGVs\nbG8", multiformat.ErrEncoding},
		"base64 newline last":    {"uSGVsbG8\n", multiformat.ErrEncoding},
		"base64 with return":     {"uSGVs\rbG8", multiformat.ErrEncoding},
		"base64 with space":      {"uSGVs bG8", multiformat.ErrEncoding},
		"base64 only newlines":   {"u\n\n", multiformat.ErrEncoding},
		"too long, base58":       {"z" + strings.Repeat("1", multiformat.MaxKey), multiformat.ErrTooLong},
		"too long, base64":       {"u" + strings.Repeat("A", multiformat.MaxKey), multiformat.ErrTooLong},
		"too long before base":   {strings.Repeat("#", multiformat.MaxKey+1), multiformat.ErrTooLong},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := multiformat.Decode(c.in, multiformat.MaxKey)
			require.Nil(t, got)
			require.ErrorIs(t, err, c.want)
		})
	}
}

func TestDecodeBase58_Refused(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]error{
		"": multiformat.ErrEncoding, "0": multiformat.ErrEncoding, "1l": multiformat.ErrEncoding, " 1": multiformat.ErrEncoding,
		strings.Repeat("z", multiformat.MaxKey+1): multiformat.ErrTooLong,
	} {
		got, err := multiformat.DecodeBase58(in, multiformat.MaxKey)
		require.Nil(t, got)
		require.ErrorIs(t, err, want, in)
	}
}

// The length is refused before the work: ten megabytes that would take hours to
// decode come back at once (a test that hangs is the failure).
func TestDecode_LengthIsTestedFirst(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("z", 10<<20)
	_, err := multiformat.Decode(long, multiformat.MaxDocument)
	require.ErrorIs(t, err, multiformat.ErrTooLong)
	_, err = multiformat.DecodeBase58(long, multiformat.MaxDocument)
	require.ErrorIs(t, err, multiformat.ErrTooLong)

	atLimit := "z" + strings.Repeat("z", multiformat.MaxDocument-1)
	_, err = multiformat.Decode(atLimit, multiformat.MaxDocument)
	require.NoError(t, err)
}

func TestCodec(t *testing.T) {
	t.Parallel()
	for codec, prefix := range map[multiformat.Codec]string{
		multiformat.SHA256:           "12",
		multiformat.Secp256k1Public:  "e701",
		multiformat.BLS12381G2Public: "eb01",
		multiformat.X25519Public:     "ec01",
		multiformat.Ed25519Public:    "ed01",
		multiformat.JSON:             "8004",
		multiformat.P256Public:       "8024",
		multiformat.P384Public:       "8124",
		0:                            "00",
		1<<63 - 1:                    "ffffffffffffffff7f",
	} {
		b := multiformat.AppendCodec([]byte{9}, codec)
		require.Equal(t, "09"+prefix, hex.EncodeToString(b))
		got, rest, err := multiformat.SplitCodec(append(b[1:], 1, 2))
		require.NoError(t, err)
		require.Equal(t, codec, got)
		require.Equal(t, []byte{1, 2}, rest)
	}
}

func TestSplitCodec_Refused(t *testing.T) {
	t.Parallel()
	for name, octets := range map[string]string{
		"nothing":              "",
		"cut short":            "ed",
		"cut short, longer":    "ffffff",
		"not minimal":          "ed8100",
		"not minimal zero":     "8000",
		"not minimal, 9 bytes": "ed8180808080808000",
		"ten bytes":            "ffffffffffffffffff01",
		"overflow":             "ffffffffffffffffffff7f",
	} {
		_, rest, err := multiformat.SplitCodec(fromHex(t, octets))
		require.Nil(t, rest, name)
		require.ErrorIs(t, err, multiformat.ErrCodec, name)
	}
}

func TestSHA256Multihash(t *testing.T) {
	t.Parallel()
	sum := sha256.Sum256([]byte("test"))
	b := multiformat.SHA256Multihash(sum)
	require.Equal(t, "12209f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", hex.EncodeToString(b))
	got, err := multiformat.ParseSHA256Multihash(b)
	require.NoError(t, err)
	require.Equal(t, sum, got)

	for name, bad := range map[string][]byte{
		"nothing":         nil,
		"only a header":   b[:2],
		"cut short":       b[:33],
		"one byte more":   append(bytes.Clone(b), 0),
		"SHA-384 code":    append([]byte{0x20}, b[1:]...),
		"SHA3-256 code":   append([]byte{0x16}, b[1:]...),
		"length 31":       append([]byte{0x12, 31}, b[2:]...),
		"length 31 exact": append([]byte{0x12, 31}, b[3:]...),
		"code as 2 bytes": append([]byte{0x92, 0x00}, b[1:]...),
	} {
		got, err := multiformat.ParseSHA256Multihash(bad)
		require.Zero(t, got, name)
		require.ErrorIs(t, err, multiformat.ErrHash, name)
	}
}

// Each identifier of the did:key vectors holds the key that its document shows
// in another encoding.
func TestDecode_PublishedDIDKeys(t *testing.T) {
	t.Parallel()
	var entries map[string]struct {
		Pair struct {
			PublicKeyBase58 string `json:"publicKeyBase58"`
		} `json:"verificationKeyPair"`
	}
	require.NoError(t, json.Unmarshal(vectors.Read(t, "did-key", "test-vectors", "ed25519-x25519.json"), &entries))
	shown := 0
	for id, entry := range entries {
		if entry.Pair.PublicKeyBase58 == "" {
			continue // shows its key as a JWK
		}
		shown++
		key, err := multiformat.DecodeBase58(entry.Pair.PublicKeyBase58, multiformat.MaxKey)
		require.NoError(t, err)
		require.Equal(t, id, "did:key:"+multiformat.Encode(append(multiformat.AppendCodec(nil, multiformat.Ed25519Public), key...)))

		b, err := multiformat.Decode(strings.TrimPrefix(id, "did:key:"), multiformat.MaxKey)
		require.NoError(t, err)
		codec, rest, err := multiformat.SplitCodec(b)
		require.NoError(t, err)
		require.Equal(t, multiformat.Ed25519Public, codec)
		require.Equal(t, key, rest)
	}
	require.NotZero(t, shown)
}

// FuzzDecode holds that nothing panics, that the limit is kept and that what is
// accepted has one spelling.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		"z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooWp", "zDnaerx9CtbPJ1q36T5Ln5wYt3MQYeGRG5ehnPAmxcf5mDZpv",
		"uEiBZlVztZpfWHgPyslVv6-UwirFoQoRvW1htfx963sknNA", "z1111", "z", "u", "", "z0", "u-_9", "u\n", "zé",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		b, err := multiformat.Decode(text, multiformat.MaxKey)
		if err != nil {
			require.Nil(t, b)
			return
		}
		require.LessOrEqual(t, len(text), multiformat.MaxKey)
		if text[0] == 'z' {
			require.Equal(t, text, multiformat.Encode(b))
		} else {
			require.Equal(t, text, multiformat.EncodeBase64URL(b))
		}
		if codec, rest, err := multiformat.SplitCodec(b); err == nil {
			require.Equal(t, b, append(multiformat.AppendCodec(nil, codec), rest...))
		}
		if sum, err := multiformat.ParseSHA256Multihash(b); err == nil {
			require.Equal(t, b, multiformat.SHA256Multihash(sum))
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	for _, c := range []struct {
		name string
		text string
	}{
		{"key", "z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooWp"},
		{"signature", "z" + strings.Repeat("7", 88)},
		{"MaxKey", "z" + strings.Repeat("7", multiformat.MaxKey-1)},
		{"MaxDocument", "z" + strings.Repeat("7", multiformat.MaxDocument-1)},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := multiformat.Decode(c.text, multiformat.MaxDocument); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
