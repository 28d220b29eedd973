package schema_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/did/didkey"
	"github.com/staffpassport/staffpassport/schema"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/cose"
	"github.com/staffpassport/staffpassport/vc/dataintegrity"
	"github.com/staffpassport/staffpassport/vc/dataintegrity/bbs"
	"github.com/staffpassport/staffpassport/vc/dataintegrity/ecdsasd"
	"github.com/staffpassport/staffpassport/vc/dataintegrity/rdfc"
	"github.com/staffpassport/staffpassport/vc/disclose"
	"github.com/staffpassport/staffpassport/vc/jose"
	"github.com/staffpassport/staffpassport/vc/sdjwt"
	"github.com/staffpassport/staffpassport/vc/verify"
)

const (
	formatAudience = "did:example:host"
	formatNonce    = "nonce-0001"
)

func issuedAt() time.Time { return time.Date(2026, 4, 7, 0, 0, 0, 0, time.UTC) }

func seeded(name string) []byte {
	seed := sha256.Sum256([]byte("staffpassport test key: " + name))
	seed[0] &= 0x3f // below the order of every group
	return seed[:]
}

func keySigner(t testing.TB, key crypto.Signer) did.Signer {
	t.Helper()
	id, err := didkey.New(key.Public())
	require.NoError(t, err)
	s, err := did.NewSigner(didkey.SigningMethod(id), key)
	require.NoError(t, err)
	return s
}

func edSigner(t testing.TB, name string) did.Signer {
	return keySigner(t, ed25519.NewKeyFromSeed(seeded(name)))
}

func ecSigner(t testing.TB, name string) did.Signer {
	t.Helper()
	key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), seeded(name))
	require.NoError(t, err)
	return keySigner(t, key)
}

func bbsSigner(t testing.TB, name string) did.Signer {
	t.Helper()
	vm, err := did.ParseURL("did:example:alder#key")
	require.NoError(t, err)
	s, err := bbs.NewSigner(vm, seeded(name))
	require.NoError(t, err)
	id, err := didkey.New(s.Public())
	require.NoError(t, err)
	s, err = bbs.NewSigner(didkey.SigningMethod(id), seeded(name))
	require.NoError(t, err)
	return s
}

// A form is a format in which passports are issued.
type form struct {
	name      string
	selective bool // the holder can show a part
	bearer    bool // about nobody who is named, and padded unless plain
	signer    func(t testing.TB, name string) did.Signer
	securer   func(t testing.TB, s did.Signer, c *vc.Credential, holder did.Signer) vc.Securer
	plain     bool
}

func forms() []form {
	suite := func(suite func(...vc.Pointer) dataintegrity.Suite) func(testing.TB, did.Signer, *vc.Credential, did.Signer) vc.Securer {
		return func(t testing.TB, s did.Signer, c *vc.Credential, _ did.Signer) vc.Securer {
			mandatory, err := schema.Mandatory(c)
			require.NoError(t, err)
			return &dataintegrity.Issuer{Suite: suite(mandatory...), Signer: s, Contexts: schema.Contexts(), Now: issuedAt}
		}
	}
	whole := func(of dataintegrity.Suite) func(testing.TB, did.Signer, *vc.Credential, did.Signer) vc.Securer {
		return suite(func(...vc.Pointer) dataintegrity.Suite { return of })
	}
	token := func(mediaType string) func(testing.TB, did.Signer, *vc.Credential, did.Signer) vc.Securer {
		return func(t testing.TB, s did.Signer, c *vc.Credential, holder did.Signer) vc.Securer {
			disclosable, err := schema.Disclosable(c)
			require.NoError(t, err)
			return &sdjwt.Issuer{Signer: s, MediaType: mediaType, Disclosable: disclosable, Holder: holder.Public(), Contexts: schema.Contexts(), Now: issuedAt}
		}
	}
	return []form{
		{"eddsa-jcs-2022", false, false, edSigner, whole(dataintegrity.EdDSAJCS2022()), false},
		{"ecdsa-jcs-2019", false, false, ecSigner, whole(dataintegrity.ECDSAJCS2019()), false},
		{"eddsa-rdfc-2022", false, false, edSigner, whole(rdfc.EdDSARDFC2022()), false},
		{"ecdsa-rdfc-2019", false, false, ecSigner, whole(rdfc.ECDSARDFC2019()), false},
		{"vc+jwt", false, false, edSigner, func(_ testing.TB, s did.Signer, _ *vc.Credential, _ did.Signer) vc.Securer {
			return &jose.Issuer{Signer: s, Contexts: schema.Contexts(), Now: issuedAt}
		}, false},
		{"vc+cose", false, false, ecSigner, func(_ testing.TB, s did.Signer, _ *vc.Credential, _ did.Signer) vc.Securer {
			return &cose.Issuer{Signer: s, Contexts: schema.Contexts(), Now: issuedAt}
		}, false},
		{"ecdsa-sd-2023", true, false, ecSigner, suite(ecdsasd.Suite), false},
		{"bbs-2023", true, true, bbsSigner, suite(bbs.Suite), false},
		{"dc+sd-jwt", true, false, ecSigner, token(sdjwt.MediaTypeSDJWTVC), false},
		{"vc+sd-jwt", true, false, edSigner, token(sdjwt.MediaTypeCredential), false},
	}
}

// issue issues p in the format, to the holder.
func (f form) issue(t testing.TB, p *schema.Passport, holder did.Signer) vc.Secured {
	t.Helper()
	issuer := f.signer(t, "Alder Valley")
	term := terms(t)
	term.Issuer, term.Holder = issuer.VerificationMethod().DID, holder.VerificationMethod().DID
	if f.bearer {
		term.ID, term.Holder = "", did.DID{}
		if !f.plain {
			p = p.Padded()
		}
	}
	c, err := p.Credential(term)
	require.NoError(t, err)
	s, err := f.securer(t, issuer, c, holder).Secure(context.Background(), c)
	require.NoError(t, err)
	return s
}

// show derives and verifies, and returns what was shown and the passport that the
// verifier reads.
func (f form) show(t testing.TB, s vc.Secured, holder did.Signer, reveal ...vc.Pointer) (vc.Secured, *schema.Passport) {
	t.Helper()
	r := disclose.Request{Reveal: reveal, Audience: formatAudience, Nonce: formatNonce, Contexts: schema.Contexts(), Now: issuedAt}
	if !f.bearer {
		r.Holder = holder
	}
	shown, err := disclose.Derive(context.Background(), r, s)
	require.NoError(t, err)

	previewed, err := disclose.Preview(r, s)
	require.NoError(t, err)
	promised, err := schema.Read(previewed[0].Document)
	require.NoError(t, err)

	issuer := f.signer(t, "Alder Valley").VerificationMethod().DID
	v := &verify.Verifier{
		Resolver: didkey.Resolver{},
		Trust:    verify.TrustedIssuers{issuer: {schema.Type}},
		Contexts: schema.Contexts(),
		Replay:   verify.NonceUsedOnceByCaller{},
		Now:      issuedAt,
	}
	if f.bearer {
		v.Holder = verify.Bearer
	}
	p, err := v.Presentation(context.Background(), shown, verify.Session{Audience: formatAudience, Nonce: formatNonce})
	require.NoError(t, err)
	require.Len(t, p.Credentials(), 1)
	require.Equal(t, issuer, p.Credentials()[0].Issuer())
	if !f.bearer {
		require.Equal(t, holder.VerificationMethod().DID, p.Holder())
	}
	read, err := schema.Read(p.Credentials()[0].Document())
	require.NoError(t, err)
	require.NoError(t, read.ValidateDisclosed())
	require.Equal(t, promised.Entries(), read.Entries(), "what is shown is what Preview said")

	_, err = v.Presentation(context.Background(), shown, verify.Session{Audience: formatAudience, Nonce: "another"})
	require.Error(t, err)
	return shown, read
}

// TestOnePassportInAllFormats: issued, shown whole, verified and read, it is the
// same passport.
func TestOnePassportInAllFormats(t *testing.T) {
	t.Parallel()
	h := ecSigner(t, "Hazel Severn")
	for _, f := range forms() {
		for name, inside := range map[string]bool{"photo beside": false, "photo inside": true} {
			t.Run(f.name+"/"+name, func(t *testing.T) {
				t.Parallel()
				p, photo := schema.Sample()
				if inside {
					ref := photo.InlineRef()
					p.Personal.Photo = &ref
				}
				_, read := f.show(t, f.issue(t, p, h), h, "")
				if f.bearer {
					p = p.Padded()
				}
				require.Equal(t, p, read)
				require.NoError(t, read.Validate())
			})
		}
	}
}

// TestOnePointerInAllFormats: a pointer means the same fields wherever they travel,
// and those who may show a part show no more.
func TestOnePointerInAllFormats(t *testing.T) {
	t.Parallel()
	h := ecSigner(t, "Hazel Severn")
	for _, f := range forms() {
		if !f.selective {
			continue
		}
		sample, _ := schema.Sample()
		if f.plain = f.bearer; !f.plain { // which costs a bearer's proof twice as much, and changes no pointer
			sample = sample.Padded()
		}
		onePointer(t, f, h, sample)
	}
}

func onePointer(t *testing.T, f form, h did.Signer, sample *schema.Passport) {
	var every []vc.Pointer
	for _, f := range schema.Fields() {
		has := func(e schema.Entry) bool { return e.Pointer == f.Pointer }
		if f.Kind != schema.KindPhoto && !strings.Contains(string(f.Pointer), "/photo/") && slices.ContainsFunc(sample.Entries(), has) {
			every = append(every, subject+f.Pointer)
		}
	}
	lists := map[string][]vc.Pointer{
		"1":           {subject + "/registration/number"},
		"3":           {subject + "/dbs/level", subject + "/personal/lastName", subject + "/rightToWork/identityVerified"},
		"10":          every[12:22],
		"all but one": append(slices.DeleteFunc(slices.Clone(every), func(at vc.Pointer) bool { return strings.HasSuffix(string(at), "/nationalInsuranceNumber") }), subject+"/personal/photo"),
		"a section":   {subject + "/registration"},
		"assurance":   {subject + "/personal/assurance"},
		"the photo":   {subject + "/personal/photo"},
	}
	for _, set := range schema.DisclosureSets() {
		lists[set.Name] = set.Ask
	}
	s := f.issue(t, sample, h)
	for name, reveal := range lists {
		t.Run(f.name+"/"+name, func(t *testing.T) {
			t.Parallel()
			shown, read := f.show(t, s, h, reveal...)
			visible := "" // a value may be part of another that is shown
			all := read.Entries()
			for _, e := range sample.Entries() {
				at := subject + e.Pointer
				named := slices.ContainsFunc(reveal, func(p vc.Pointer) bool { return p == at || strings.HasPrefix(string(at), string(p)+"/") })
				i := slices.IndexFunc(all, func(r schema.Entry) bool { return r.Pointer == e.Pointer })
				require.Equal(t, named, i >= 0, at)
				if named {
					require.Equal(t, e, all[i])
					visible += e.Text + "\n"
				}
			}
			for _, e := range sample.Entries() {
				if !strings.Contains(visible, e.Text) && len(e.Text) > 5 {
					hidden(t, shown.Bytes, e)
				}
			}
		})
	}
}

// TestDisclosureSetsHideTheRest: what no host needs is in none of the bytes it gets.
func TestDisclosureSetsHideTheRest(t *testing.T) {
	t.Parallel()
	h := ecSigner(t, "Hazel Severn")
	p, _ := schema.Sample()
	for _, f := range forms() {
		if !f.selective {
			continue
		}
		s := f.issue(t, p, h)
		for _, set := range schema.DisclosureSets() {
			shown, read := f.show(t, s, h, set.Ask...)
			require.Len(t, read.Entries(), len(set.Ask))
			for _, e := range p.Entries() {
				if slices.Contains([]vc.Pointer{"/personal/nationalInsuranceNumber", "/personal/dateOfBirth", "/employment/payBand"}, e.Pointer) {
					hidden(t, shown.Bytes, e)
				}
			}
		}
	}
}

// hidden checks that bytes hold an entry's text in no spelling: raw, in hex,
// escaped, or in base64 wherever it begins.
func hidden(t testing.TB, b []byte, e schema.Entry) {
	t.Helper()
	text := e.Text
	var escaped strings.Builder
	for _, r := range text {
		fmt.Fprintf(&escaped, `\u%04x`, r)
	}
	spellings := []string{text, hex.EncodeToString([]byte(text)), strings.ToUpper(hex.EncodeToString([]byte(text))),
		escaped.String(), strings.ReplaceAll(text, " ", "%20"), strings.ReplaceAll(text, " ", "+")}
	for before := range 3 {
		for _, enc := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
			spellings = append(spellings, enc.EncodeToString(append(make([]byte, before), text...))[(before*8+5)/6:(before+len(text))*8/6])
		}
	}
	for _, s := range spellings {
		require.False(t, strings.Contains(string(b), s), "a spelling of %s", e.Pointer)
	}
}

// TestPaddedPassportsLookAlike: what a proof tells about how much it hides is the
// same for everybody.
func TestPaddedPassportsLookAlike(t *testing.T) {
	t.Parallel()
	h := ecSigner(t, "Hazel Severn")
	rich, _ := schema.Sample()
	plain := noOptional()
	for _, f := range forms() {
		if !f.selective {
			continue
		}
		sizes := map[int]bool{}
		for _, p := range []*schema.Passport{rich, plain} {
			s := f.issue(t, p.Padded(), h)
			if f.name == "dc+sd-jwt" || f.name == "vc+sd-jwt" {
				payload, err := base64.RawURLEncoding.DecodeString(strings.Split(string(s.Bytes), ".")[1])
				require.NoError(t, err)
				sizes[len(payload)] = true
				continue
			}
			shown, _ := f.show(t, s, h, subject+"/registration/number")
			var doc struct {
				Credentials []struct {
					Proof struct {
						ProofValue string `json:"proofValue"`
					} `json:"proof"`
				} `json:"verifiableCredential"`
			}
			require.NoError(t, json.Unmarshal(shown.Bytes, &doc))
			// Positions of what is shown take one byte or two.
			sizes[len(doc.Credentials[0].Proof.ProofValue)/32] = true
		}
		require.Len(t, sizes, 1, f.name)
	}
}

// exampleSigner and exampleTerms spare an example what is not its subject.
func exampleSigner(n byte) did.Signer {
	key := ed25519.NewKeyFromSeed(append(make([]byte, ed25519.SeedSize-1), n))
	id, err := didkey.New(key.Public())
	if err != nil {
		panic(err)
	}
	s, err := did.NewSigner(didkey.SigningMethod(id), key)
	if err != nil {
		panic(err)
	}
	return s
}

func exampleTerms(issuer, holder did.Signer) schema.Terms {
	return schema.Terms{
		Issuer:     issuer.VerificationMethod().DID,
		Holder:     holder.VerificationMethod().DID,
		ValidFrom:  time.Date(2026, 3, 7, 0, 0, 0, 0, time.UTC),
		ValidUntil: time.Date(2027, 3, 7, 0, 0, 0, 0, time.UTC),
	}
}
