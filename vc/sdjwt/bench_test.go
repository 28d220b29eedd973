package sdjwt_test

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/sdjwt"
)

// A sample is a passport issued with 33 of its claims disclosable and presented
// with 10 of them.
type sample struct {
	*fixture
	secured vc.Secured
	reveal  []vc.Pointer
	shown   vc.Secured
}

// withPhoto adds a data URL of 300 KB.
func withPhoto(c *vc.Credential) {
	photo := "data:image/jpeg;base64," + strings.Repeat("/9j/4AAQSkZJRgABAQAA", 15_000)
	c.Subject = json.RawMessage(strings.Replace(string(c.Subject), `"personal":{`, `"personal":{"photo":"`+photo+`",`, 1))
}

func newSample(b *testing.B, photo, edwards bool) *sample {
	b.Helper()
	f := newFixture(b, sdjwt.MediaTypeSDJWTVC, sections(b)[:33]...)
	if edwards {
		f.issuer, f.holder = signer(b, ed25519Key("issuer")), signer(b, ed25519Key("holder"))
		f.Issuer.Signer, f.Issuer.Holder = f.issuer, f.holder.Public()
		f.credential = credential(f.issuer, f.holder, subject)
	}
	s := &sample{fixture: f, reveal: append(sections(b)[20:29:29], "/credentialSubject/personal/legalName")}
	if photo {
		withPhoto(f.credential)
		f.Disclosable = append(f.Disclosable[:32:32], "/credentialSubject/personal/photo")
		s.reveal[9] = "/credentialSubject/personal/photo"
	}
	s.secured = f.secure(b)
	s.shown = f.present(b, s.secured, s.reveal...)
	require.NoError(b, f.verify(s.shown))
	return s
}

func run(b *testing.B, op func(b *testing.B, s *sample)) {
	for _, c := range []struct {
		name           string
		photo, edwards bool
	}{{"sdjwt-es256/plain", false, false}, {"sdjwt-es256/photo", true, false}, {"sdjwt-eddsa/plain", false, true}, {"sdjwt-eddsa/photo", true, true}} {
		b.Run(c.name, func(b *testing.B) {
			s := newSample(b, c.photo, c.edwards)
			b.ReportAllocs()
			b.ResetTimer()
			for range b.N {
				op(b, s)
			}
		})
	}
}

func BenchmarkIssue(b *testing.B) {
	run(b, func(b *testing.B, s *sample) {
		if _, err := s.Secure(b.Context(), s.credential); err != nil {
			b.Fatal(err)
		}
	})
}

// Derive is present: choose 10 of 33 and sign the key binding.
func BenchmarkDerive(b *testing.B) {
	run(b, func(b *testing.B, s *sample) {
		if _, err := sdjwt.Present(b.Context(), s.secured, s.presenting(s.reveal...)); err != nil {
			b.Fatal(err)
		}
	})
}

func BenchmarkVerify(b *testing.B) {
	run(b, func(b *testing.B, s *sample) {
		if err := s.verify(s.shown); err != nil {
			b.Fatal(err)
		}
	})
}

// BenchmarkFloor does only what no implementation can leave out: hash and encode
// every disclosure that the operation touches, encode or decode the JWT, and sign or
// verify.
func BenchmarkFloor(b *testing.B) {
	var sink byte
	encode := func(parts []string) (n int) {
		for _, p := range parts {
			sum := sha256.Sum256([]byte(base64.RawURLEncoding.EncodeToString([]byte(p))))
			sink ^= sum[0]
			n += len(p)
		}
		return n
	}
	decode := func(parts []string) {
		for _, p := range parts {
			sum := sha256.Sum256([]byte(p))
			d, _ := base64.RawURLEncoding.DecodeString(p)
			sink ^= sum[0] ^ d[0]
		}
	}
	split := func(s vc.Secured) (jwt string, disclosures []string) {
		parts := strings.Split(string(s.Bytes), "~")
		return parts[0], parts[1 : len(parts)-1]
	}
	sign := func(b *testing.B, k did.Signer, message []byte) {
		if _, err := k.Sign(b.Context(), message); err != nil {
			b.Fatal(err)
		}
	}
	b.Run("Issue", func(b *testing.B) {
		run(b, func(b *testing.B, s *sample) {
			jwt, disclosures := split(s.secured)
			encode(disclosures)
			sign(b, s.issuer, []byte(jwt))
		})
	})
	b.Run("Derive", func(b *testing.B) {
		run(b, func(b *testing.B, s *sample) {
			_, disclosures := split(s.secured)
			decode(disclosures)
			sum := sha256.Sum256(s.shown.Bytes)
			sign(b, s.holder, append(sum[:], make([]byte, 150)...))
		})
	})
	b.Run("Verify", func(b *testing.B) {
		run(b, func(b *testing.B, s *sample) {
			jwt, disclosures := split(s.shown)
			decode(disclosures)
			kb := string(s.shown.Bytes[strings.LastIndexByte(string(s.shown.Bytes), '~')+1:])
			for _, c := range []struct {
				jwt string
				key did.Signer
			}{{jwt, s.issuer}, {kb, s.holder}} {
				i := strings.LastIndexByte(c.jwt, '.')
				sig, err := base64.RawURLEncoding.DecodeString(c.jwt[i+1:])
				if err != nil {
					b.Fatal(err)
				}
				if pub, ok := c.key.Public().(ed25519.PublicKey); ok {
					if !ed25519.Verify(pub, []byte(c.jwt[:i]), sig) {
						b.Fatal("floor")
					}
				} else if err := did.VerifySignature(c.key.Public(), []byte(c.jwt[:i]), sig); err != nil {
					b.Fatal(err)
				}
			}
		})
	})
	_ = sink
}
