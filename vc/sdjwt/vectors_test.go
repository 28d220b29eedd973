package sdjwt

import (
	"encoding/base64"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/internal/jws"
	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/internal/vectors"
	"github.com/staffpassport/staffpassport/vc"
)

func jsonText(t testing.TB, v any) string {
	t.Helper()
	b, err := strictjson.Append(nil, v)
	require.NoError(t, err)
	return string(b)
}

// signed returns the compact JWT of a payload with the spacing of the examples.
func signed(t testing.TB, header *strictjson.Object, payload *strictjson.Object, signer did.Signer) string {
	t.Helper()
	text, err := spaced(nil, payload)
	require.NoError(t, err)
	jwt, err := jws.Compact(header, text, func(input []byte) ([]byte, error) { return signer.Sign(t.Context(), input) })
	require.NoError(t, err)
	return string(jwt)
}

// list returns the disclosures that were made.
func (c *concealer) list() []string {
	out := make([]string, len(c.ends))
	from := 0
	for i, end := range c.ends {
		out[i], from = string(c.text[from:end]), end+1
	}
	return out
}

func object(members ...any) *strictjson.Object {
	o := strictjson.NewObject()
	for i := 0; i < len(members); i += 2 {
		o.Set(members[i].(string), members[i+1])
	}
	return o
}

// tokenOf is Parse for tokens that are no credentials.
func tokenOf(b []byte) (*Token, *processed, error) {
	w, err := split(b)
	if err != nil {
		return nil, nil, err
	}
	p, err := processWire(w, processing{})
	if err != nil {
		return nil, nil, err
	}
	tok := &Token{message: w.signatures[0], hash: p.hash, presented: p.hash.digest(w.presented(b)), disclosures: w.disclosures}
	tok.cnf, _ = p.payload.Get("cnf")
	tok.key, tok.keyErr = confirmationKey(tok.cnf)
	if w.keyBinding != "" {
		tok.keyBinding, err = parseKeyBinding(w.keyBinding)
	}
	return tok, p, err
}

// checkToken verifies a token with the keys and session of the settings and returns
// its processed payload.
func checkToken(b []byte, issuer, holder did.Signer, s *settings) (string, error) {
	tok, p, err := tokenOf(b)
	if err != nil {
		return "", err
	}
	if err := tok.Verify(issuer.Public()); err != nil {
		return "", err
	}
	if holder != nil {
		if err := tok.VerifyKeyBinding(); err != nil {
			return "", err
		}
		if err := tok.keyBinding.Check(s.Identifiers.Verifier, s.Nonce, time.Unix(s.Iat, 0), time.Minute, 0); err != nil {
			return "", err
		}
	}
	out, err := strictjson.Append(nil, p.payload)
	return string(out), err
}

// flips returns the token with one bit of one character changed, at steps through
// all of it.
func flips(b []byte, step int) [][]byte {
	var out [][]byte
	for i := 0; i < len(b); i += step {
		c := slices.Clone(b)
		c[i] ^= 1
		out = append(out, c)
	}
	return out
}

type scenarioFile struct {
	folder, name string
	*settings
	*scenario
}

// scenarios reads every specification.yml there is.
func scenarios(t testing.TB) []scenarioFile {
	t.Helper()
	var out []scenarioFile
	for _, folder := range []string{"sd-jwt-rfc9901/examples", "sd-jwt-python/examples", "sd-jwt-python/tests/testcases", "sd-jwt-vc/examples"} {
		s := new(settings)
		require.NoError(t, yaml.Unmarshal(vectors.Read(t, folder, "settings.yml"), s))
		files, err := filepath.Glob(filepath.Join(vectors.Dir(t), folder, "*", "specification.yml"))
		require.NoError(t, err)
		require.NotEmpty(t, files)
		for _, file := range files {
			data, err := os.ReadFile(file)
			require.NoError(t, err)
			sc := new(scenario)
			require.NoError(t, yaml.Unmarshal(data, sc), file)
			out = append(out, scenarioFile{folder, filepath.Base(filepath.Dir(file)), s, sc})
		}
	}
	return out
}

// issued is a scenario made again, with the payload, every disclosure, what they
// must become when all are shown, and which the scenario shows.
type issued struct {
	payload, whole, part *strictjson.Object
	disclosures          []string
	chosen               map[vc.Pointer]bool
}

func (s scenarioFile) issue(t testing.TB) *issued {
	t.Helper()
	root := new(frame)
	claims := object()
	if s.Default == nil || *s.Default {
		claims = object("iss", s.Identifiers.Issuer, "iat", strictjson.Number(strconv.FormatInt(s.Iat, 10)), "exp", strictjson.Number(strconv.FormatInt(s.Exp, 10)))
	}
	for name, v := range fromYAML(t, &s.UserClaims, root, "").(*strictjson.Object).All() {
		claims.Set(name, v)
	}
	before := jsonText(t, claims)
	c := referenceConcealer(s.Decoys)
	payload, err := c.payload(claims, root)
	require.NoError(t, err)
	require.Equal(t, before, jsonText(t, claims), "the claims are left alone")
	out := &issued{whole: claims, disclosures: c.list(), chosen: map[vc.Pointer]bool{}}
	out.part = shown(claims, root, s.Disclosed, out.chosen).(*strictjson.Object)
	out.payload = payload.Clone()
	out.payload.Set(hashName, "sha-256")
	if s.Binding {
		cnf, err := confirmationValue(s.Keys.Holder.signer(t).Public())
		require.NoError(t, err)
		for _, o := range []*strictjson.Object{out.payload, out.whole, out.part} {
			o.Set("cnf", cnf)
		}
	}
	return out
}

// TestVectors_Scenarios takes each example through all that can be done with it:
// issue with the given keys and randomness, read whole, choose, present with key
// binding, verify, write and read the JSON forms, and change one bit.
func TestVectors_Scenarios(t *testing.T) {
	t.Parallel()
	n := 0
	for _, s := range scenarios(t) {
		n++
		t.Run(s.folder+"/"+s.name, func(t *testing.T) {
			t.Parallel()
			issuer := s.settings.issuer().signer(t)
			made := s.issue(t)
			header := object("alg", "ES256", "typ", "example+sd-jwt")
			if !s.Header.IsZero() {
				for name, v := range fromYAML(t, &s.Header, new(frame), "").(*strictjson.Object).All() {
					header.Set(name, v)
				}
			}
			if kid, ok := header.Get("kid"); ok && kid == any(strictjson.Number("42")) {
				_, err := jws.Compact(header, []byte("{}"), func([]byte) ([]byte, error) { return []byte{1}, nil })
				require.ErrorIs(t, err, jws.ErrHeader, "a kid is a string (RFC 7515 section 4.1.4)")
				header.Set("kid", "42")
			}
			jwt := signed(t, header, made.payload, issuer)
			whole := string(combine(jwt, made.disclosures, 0))
			got, err := checkToken([]byte(whole), issuer, nil, s.settings)
			require.NoError(t, err)
			require.JSONEq(t, jsonText(t, made.whole), got)

			w, err := split([]byte(whole))
			require.NoError(t, err)
			p, err := processWire(w, processing{places: true})
			require.NoError(t, err)
			var disclosures []string
			for _, d := range p.disclosures {
				if made.chosen[d.at] {
					disclosures = append(disclosures, d.text)
				}
			}
			require.Len(t, disclosures, len(made.chosen))
			presented := string(combine(jwt, disclosures, 0))
			var holder did.Signer
			if s.Binding {
				holder = s.Keys.Holder.signer(t)
				b, err := bindKey(t.Context(), []byte(presented), sha256Hash, holder, s.Identifiers.Verifier, s.Nonce, time.Unix(s.Iat, 0))
				require.NoError(t, err)
				presented = string(b)
			}
			got, err = checkToken([]byte(presented), issuer, holder, s.settings)
			require.NoError(t, err)
			require.JSONEq(t, jsonText(t, made.part), got)
			if !s.Expected.IsZero() {
				expected := fromYAML(t, &s.Expected, new(frame), "").(*strictjson.Object)
				for _, name := range []string{"iss", "iat", "exp", "cnf"} {
					if v, ok := made.part.Get(name); ok {
						expected.Set(name, v)
					}
				}
				require.JSONEq(t, jsonText(t, expected), got)
			}
			for _, form := range jsonForms(t, presented, s.settings) {
				again, err := checkToken([]byte(form), issuer, holder, s.settings)
				require.NoError(t, err)
				require.Equal(t, got, again)
			}
			for i, b := range flips([]byte(presented), 1+len(presented)/150) {
				_, err := checkToken(b, issuer, holder, s.settings)
				require.Error(t, err, "bit flip %d", i)
			}
		})
	}
	require.Equal(t, 47, n, "scenarios")
}

// jsonForms returns the flattened and the general JSON form of a compact token, the
// latter with a second signature (RFC 9901 section 8).
func jsonForms(t testing.TB, compact string, s *settings) []string {
	t.Helper()
	made, err := JSON(vc.Secured{MediaType: MediaTypeSDJWTVC, Bytes: []byte(compact)})
	require.NoError(t, err)
	flat, err := strictjson.ParseObject(made.Bytes)
	require.NoError(t, err)
	first := flat.Clone()
	first.Delete("payload")
	encoded, _ := flat.Text("payload")
	payload, err := base64.RawURLEncoding.DecodeString(encoded)
	require.NoError(t, err)
	second := s.issuer()
	if len(s.Keys.Issuers) > 1 {
		second = s.Keys.Issuers[1]
	}
	other, err := jws.Compact(object("alg", "ES256", "typ", "example+sd-jwt"), payload, func(input []byte) ([]byte, error) {
		return second.signer(t).Sign(t.Context(), input)
	})
	require.NoError(t, err)
	otherParts := strings.Split(string(other), ".")
	general := object("payload", encoded, "signatures", []any{first,
		object("protected", otherParts[0], "signature", otherParts[2], "header", object("kid", "issuer-key-2"))})
	return []string{jsonText(t, flat), jsonText(t, general)}
}

// rfcExample is one finished token of RFC 9901.
type rfcExample struct {
	ID       string
	Compact  string
	Expected json.RawMessage `json:"expected_processed_payload"`
}

// TestVectors_RFC9901 verifies the finished tokens of RFC 9901 sections 5.1, A.1
// and A.2 with the issuer's key, and makes their payloads and disclosures again to
// the byte.
func TestVectors_RFC9901(t *testing.T) {
	t.Parallel()
	var file struct{ Cases []rfcExample }
	require.NoError(t, json.Unmarshal(vectors.Read(t, "sd-jwt-rfc9901", "generated", "rfc9901-examples.json"), &file))
	sources := map[string]string{"Section51SdJwt": "simple", "AppendixA1SdJwt": "simple_structured", "AppendixA2SdJwt": "complex_ekyc"}
	require.Len(t, file.Cases, len(sources))
	for _, c := range file.Cases {
		t.Run(c.ID, func(t *testing.T) {
			t.Parallel()
			i := slices.IndexFunc(scenarios(t), func(s scenarioFile) bool {
				return s.folder == "sd-jwt-rfc9901/examples" && s.name == sources[c.ID]
			})
			s := scenarios(t)[i]
			issuer := s.settings.issuer().signer(t)
			got, err := checkToken([]byte(c.Compact), issuer, nil, s.settings)
			require.NoError(t, err)
			require.JSONEq(t, string(c.Expected), got)
			for i, b := range flips([]byte(c.Compact), 23) {
				_, err := checkToken(b, issuer, nil, s.settings)
				require.Error(t, err, "bit flip %d", i)
			}

			made := s.issue(t)
			w, err := split([]byte(c.Compact))
			require.NoError(t, err)
			payload, err := spaced(nil, made.payload)
			require.NoError(t, err)
			require.Equal(t, string(w.signatures[0].Payload), string(payload))
			for _, d := range w.disclosures {
				require.Contains(t, made.disclosures, d)
			}
		})
	}
}

// jsCase is a case of sd-jwt-js.
type jsCase struct {
	Claims    json.RawMessage
	Frame     map[string]any  `json:"disclosureFrame"`
	Selected  map[string]any  `json:"presentationFrames"`
	Presented json.RawMessage `json:"presentedClaims"`
	Required  []string        `json:"requiredClaimKeys"`
}

// jsFrame turns a disclosure frame into ours. Array positions are texts.
func jsFrame(in map[string]any, at vc.Pointer, f *frame) {
	child := func(name string) *frame {
		c := f.child(name)
		if c == nil {
			c = &frame{name: name, pointer: at.Child(name)}
			f.add(c)
		}
		return c
	}
	for name, v := range in {
		switch name {
		case "_sd":
			for _, key := range v.([]any) {
				switch key := key.(type) {
				case string:
					child(key).disclosable = true
				case float64:
					child(strconv.Itoa(int(key))).disclosable = true
				}
			}
		case "_sd_decoy":
		default:
			jsFrame(v.(map[string]any), at.Child(name), child(name))
		}
	}
}

// jsSelected returns the pointers that a presentation frame chooses: each place with
// true, and every disclosable one on the way.
func jsSelected(in map[string]any, at vc.Pointer) []vc.Pointer {
	var out []vc.Pointer
	for name, v := range in {
		here := at.Child(name)
		if v == true {
			out = append(out, here)
		} else {
			out = append(append(out, here), jsSelected(v.(map[string]any), here)...)
		}
	}
	return out
}

func TestVectors_JS(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join(vectors.Dir(t), "sd-jwt-js", "packages", "core", "test", "*.json"))
	require.NoError(t, err)
	require.Len(t, files, 17)
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".json")
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			data, err := os.ReadFile(file)
			require.NoError(t, err)
			var c jsCase
			require.NoError(t, json.Unmarshal(data, &c))
			claims, err := strictjson.ParseObject(c.Claims)
			require.NoError(t, err)
			root := new(frame)
			jsFrame(c.Frame, "", root)
			issuer := jwk{D: "Ur2bNKuBPOrAaxsRnbSH6hIhmNTxSGXshDSUD1a1y7g"}.signer(t)
			holder := jwk{D: "5K5SCos8zf9zRemGGUl6yfok-_NiiryNZsvANWMhF-I"}.signer(t)
			conceal := newConcealer(nil, 3)
			payload, err := conceal.payload(claims, root)
			require.NoError(t, err)
			payload = payload.Clone()
			cnf, err := confirmationValue(holder.Public())
			require.NoError(t, err)
			payload.Set("cnf", cnf)
			jwt := signed(t, object("alg", "ES256", "typ", "example+sd-jwt"), payload, issuer)
			whole := string(combine(jwt, conceal.list(), 0))

			s := &settings{Nonce: "1234567890", Iat: 1683000000}
			s.Identifiers.Verifier = "https://verifier.example.org"
			got, err := checkToken([]byte(whole), issuer, nil, s)
			require.NoError(t, err)
			full := claims.Clone()
			full.Set("cnf", cnf)
			require.JSONEq(t, jsonText(t, full), got)

			w, err := split([]byte(whole))
			require.NoError(t, err)
			p, err := processWire(w, processing{places: true})
			require.NoError(t, err)
			selected := jsSelected(c.Selected, "")
			var disclosures []string
			for _, d := range p.disclosures {
				if slices.Contains(selected, d.at) {
					disclosures = append(disclosures, d.text)
				}
			}
			b, err := bindKey(t.Context(), combine(jwt, disclosures, 0), sha256Hash, holder, s.Identifiers.Verifier, s.Nonce, time.Unix(s.Iat, 0))
			require.NoError(t, err)
			got, err = checkToken(b, issuer, holder, s)
			require.NoError(t, err)
			out, err := strictjson.ParseObject([]byte(got))
			require.NoError(t, err)
			out.Delete("cnf")
			if name == "array_none_disclosed" {
				// That library drops an object of which nothing is left. RFC 9901
				// section 7.1, step 3, e has it as {}.
				require.Equal(t, `{"is_over":{}}`, jsonText(t, out))
				out.Delete("is_over")
			}
			require.JSONEq(t, string(c.Presented), jsonText(t, out))
			for _, path := range c.Required {
				_, ok := vc.Pointer("/" + strings.ReplaceAll(path, ".", "/")).Lookup(claims)
				require.True(t, ok, path)
			}
			for i, b := range flips(b, 1+len(b)/150) {
				_, err := checkToken(b, issuer, holder, s)
				require.Error(t, err, "bit flip %d", i)
			}
		})
	}
}

// TestVectors_SDJWTVC takes the examples of SD-JWT VC through the calls that
// wallets and verifiers make.
func TestVectors_SDJWTVC(t *testing.T) {
	t.Parallel()
	n := 0
	for _, s := range scenarios(t) {
		if s.folder != "sd-jwt-vc/examples" {
			continue
		}
		n++
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			issuer, holder := s.settings.issuer().signer(t), s.Keys.Holder.signer(t)
			made := s.issue(t)
			jwt := signed(t, object("alg", "ES256", "typ", "dc+sd-jwt"), made.payload, issuer)
			held := vc.Secured{MediaType: MediaTypeSDJWTVC, Bytes: combine(jwt, made.disclosures, 0)}
			p := Presenting{Now: func() time.Time { return time.Unix(s.Iat, 0) }}
			if s.Binding {
				p.Holder, p.Audience, p.Nonce = holder, s.Identifiers.Verifier, s.Nonce
			}
			for at := range made.chosen {
				around := false // something else that is shown
				for other := range made.chosen {
					around = around || other != at && within(other, at)
				}
				if !around {
					p.Reveal = append(p.Reveal, "/credentialSubject"+at)
				}
			}
			shown, err := Present(t.Context(), held, p)
			require.NoError(t, err)
			tok, err := Parse(shown)
			require.NoError(t, err)
			require.NoError(t, tok.Verify(issuer.Public()))
			if s.Binding {
				require.NoError(t, tok.VerifyKeyBinding())
				require.NoError(t, tok.KeyBinding().Check(p.Audience, p.Nonce, time.Unix(s.Iat, 0), time.Minute, 0))
			}
			c := tok.Claims()
			vct, _ := made.whole.Text("vct")
			iss, _ := made.whole.Text("iss")
			require.Equal(t, []any{iss, vct, s.Exp}, []any{c.Issuer, c.Type, c.Expires.Unix()})
			want := made.part.Clone()
			for _, name := range registered {
				want.Delete(name)
			}
			subject, _ := tok.Document().Get("credentialSubject")
			require.JSONEq(t, jsonText(t, want), jsonText(t, subject))
			_, err = vc.CheckObject(tok.Document())
			require.NoError(t, err)
			preview, err := Preview(held, p.Reveal)
			require.NoError(t, err)
			require.True(t, strictjson.Equal(preview, tok.Document()))
			all, err := Disclosures(held)
			require.NoError(t, err)
			require.Len(t, all, len(made.disclosures))
			for i, b := range flips(shown.Bytes, 1+len(shown.Bytes)/150) {
				tok, err := Parse(vc.Secured{MediaType: MediaTypeSDJWTVC, Bytes: b})
				if err == nil {
					err = tok.Verify(issuer.Public())
				}
				if err == nil && s.Binding {
					err = tok.VerifyKeyBinding()
				}
				require.Error(t, err, "bit flip %d", i)
			}
		})
	}
	require.Equal(t, 3, n)
}

// TestHashAlgorithms reads what other issuers may write.
func TestHashAlgorithms(t *testing.T) {
	t.Parallel()
	key := jwk{D: "Ur2bNKuBPOrAaxsRnbSH6hIhmNTxSGXshDSUD1a1y7g"}.signer(t)
	digests := map[string]bool{}
	for _, h := range []hashAlgorithm{sha256Hash, sha384Hash, sha512Hash} {
		c := newConcealer(nil, 0)
		c.hash = h
		tree := object("iss", "did:example:a", "vct", "urn:x", "band", "5", "list", []any{"1", "2"})
		payload, err := c.payload(tree, newFrame([]vc.Pointer{"/band", "/list/1"}, []vc.Pointer{"/band", "/list/1"}))
		require.NoError(t, err)
		payload.Set(hashName, string(h))
		cnf, err := confirmationValue(key.Public())
		require.NoError(t, err)
		payload.Set("cnf", cnf)
		held, err := sign(t.Context(), key, MediaTypeSDJWTVC, payload, c.text)
		require.NoError(t, err)
		for _, reveal := range [][]vc.Pointer{nil, {"/credentialSubject/list"}, {""}} {
			shown, err := Present(t.Context(), held, Presenting{Reveal: reveal, Holder: key, Audience: "a", Nonce: "n"})
			require.NoError(t, err)
			tok, err := Parse(shown)
			require.NoError(t, err)
			require.NoError(t, tok.Verify(key.Public()))
			require.NoError(t, tok.VerifyKeyBinding())
			digests[tok.keyBinding.hash] = true
			require.Len(t, tok.keyBinding.hash, map[hashAlgorithm]int{sha256Hash: 43, sha384Hash: 64, sha512Hash: 86}[h])
			other := map[hashAlgorithm]hashAlgorithm{sha256Hash: sha384Hash, sha384Hash: sha512Hash, sha512Hash: sha256Hash}[h]
			bare := shown.Bytes[:strings.LastIndexByte(string(shown.Bytes), '~')+1]
			wrong, err := bindKey(t.Context(), slices.Clone(bare), other, key, "a", "n", time.Now())
			require.NoError(t, err)
			tok, err = Parse(vc.Secured{MediaType: MediaTypeSDJWTVC, Bytes: wrong})
			require.NoError(t, err)
			require.ErrorIs(t, tok.VerifyKeyBinding(), ErrKeyBinding, "the hash of the disclosures is that of the key binding")
		}
	}
	require.Len(t, digests, 9)
}

// TestFigures has digests and disclosures of RFC 9901 typed in, so that a clone without the
// vectors tests them too.
func TestFigures(t *testing.T) {
	t.Parallel()
	random := newTwister()
	for _, want := range []string{"2GLC42sKQveCfGfryNRN9w", "eluV5Og3gSNII8EYnsxA_A", "6Ij7tM-a5iVPGboS5tmvVA", "eI8ZWm9QnKPpNPeNenHdhQ"} {
		got, err := random.salt(nil)
		require.NoError(t, err)
		require.Equal(t, want, string(got))
	}
	for _, c := range []struct {
		section      string
		name         any
		salt         string
		value        any
		text, digest string
	}{
		{"4.2.1", "family_name", "_26bc4LT-ac6q2KI6cBW5es", "Möbius", "WyJfMjZiYzRMVC1hYzZxMktJNmNCVzVlcyIsICJmYW1pbHlfbmFtZSIsICJNXHUwMGY2Yml1cyJd", ""},
		{"4.2.2", nil, "lklxF5jMYlGTPUovMNIvCA", "FR", "WyJsa2x4RjVqTVlsR1RQVW92TU5JdkNBIiwgIkZSIl0", "w0I8EKcdCtUPkGCNUrfwVp2xEgNjtoIDlOxc9-PlOhs"},
		{"5.1", nil, "lklxF5jMYlGTPUovMNIvCA", "US", "WyJsa2x4RjVqTVlsR1RQVW92TU5JdkNBIiwgIlVTIl0", "pFndjkZ_VCzmyTa6UjlZo3dh-ko8aIKQc9DlGzhaVYo"},
		{"5.1", nil, "nPuoQnkRFq3BIeAm7AnXFA", "DE", "WyJuUHVvUW5rUkZxM0JJZUFtN0FuWEZBIiwgIkRFIl0", "7Cf6JkPudry3lcbwHgeZ8khAv1U1OSlerP0VkBJrWZ0"},
		{"5.1", "given_name", "2GLC42sKQveCfGfryNRN9w", "John", "WyIyR0xDNDJzS1F2ZUNmR2ZyeU5STjl3IiwgImdpdmVuX25hbWUiLCAiSm9obiJd", "jsu9yVulwQQlhFlM_3JlzMaSFzglhQG0DpfayQwLUK4"},
	} {
		conceal := newConcealer(nil, 0)
		conceal.comma, conceal.encode, conceal.salt = ", ", spaced, func(dst []byte) ([]byte, error) { return append(dst, c.salt...), nil }
		name, member := c.name.(string)
		digest, err := conceal.disclose(name, !member, c.value)
		require.NoError(t, err)
		require.Equal(t, []string{c.text}, conceal.list(), c.section)
		if c.digest != "" {
			require.Equal(t, c.digest, digest, c.section)
		}
		_, _, read, err := parseParts([]byte("{}"), conceal.list())
		require.NoError(t, err)
		require.Equal(t, digest, read[0].digest)
		require.Equal(t, c.value, read[0].value)
	}
	// Section 4.2.1: four spellings of one claim, all valid.
	for _, text := range []string{
		"WyJfMjZiYzRMVC1hYzZxMktJNmNCVzVlcyIsICJmYW1pbHlfbmFtZSIsICJNw7ZiaXVzIl0",
		"WyJfMjZiYzRMVC1hYzZxMktJNmNCVzVlcyIsICJmYW1pbHlfbmFtZSIsICJNXHUwMGY2Yml1cyJd",
		"WyJfMjZiYzRMVC1hYzZxMktJNmNCVzVlcyIsImZhbWlseV9uYW1lIiwiTcO2Yml1cyJd",
		"WwoiXzI2YmM0TFQtYWM2cTJLSTZjQlc1ZXMiLAoiZmFtaWx5X25hbWUiLAoiTcO2Yml1cyIKXQ",
	} {
		_, _, read, err := parseParts([]byte("{}"), []string{text})
		require.NoError(t, err)
		require.Equal(t, "family_name", read[0].name)
		require.Equal(t, "Möbius", read[0].value)
	}
	require.Equal(t, "X9yH0Ajrdm1Oij4tWso9UzzKJvPoDxwmuEcO3XAdRC0",
		sha256Hash.digest([]byte("WyJfMjZiYzRMVC1hYzZxMktJNmNCVzVlcyIsICJmYW1pbHlfbmFtZSIsICJNw7ZiaXVzIl0")), "section 4.2.3")
}
