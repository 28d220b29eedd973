package sdjwt_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

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
	keys    struct{ issuer, holder crypto.Signer }
}

// withPhoto adds a data URL of 300 KB.
func withPhoto(c *vc.Credential) {
	photo := "data:image/jpeg;base64," + strings.Repeat("/9j/4AAQSkZJRgABAQAA", 15_000)
	c.Subject = json.RawMessage(strings.Replace(string(c.Subject), `"personal":{`, `"personal":{"photo":"`+photo+`",`, 1))
}

func newSample(b *testing.B, photo, edwards bool) *sample {
	b.Helper()
	f := newFixture(b, sdjwt.MediaTypeSDJWTVC, sections(b)[:33]...)
	s := &sample{fixture: f, reveal: append(sections(b)[20:29:29], "/credentialSubject/personal/legalName")}
	s.keys.issuer, s.keys.holder = p256("issuer"), p256("holder")
	if edwards {
		s.keys.issuer, s.keys.holder = ed25519Key("issuer"), ed25519Key("holder")
		f.issuer, f.holder = signer(b, s.keys.issuer), signer(b, s.keys.holder)
		f.Issuer.Signer, f.Issuer.Holder = f.issuer, f.holder.Public()
		f.credential = credential(f.issuer, f.holder, subject)
	}
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
	}{{"sd-jwt-vc-eddsa/plain", false, true}, {"sd-jwt-vc-eddsa/photo", true, true}, {"sd-jwt-vc-es256/plain", false, false}, {"sd-jwt-vc-es256/photo", true, false}} {
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

// BenchmarkFloor does only what no implementation can leave out: hash and encode or
// decode every disclosure that the operation touches, and the JWT, and sign or verify.
func BenchmarkFloor(b *testing.B) {
	url := base64.RawURLEncoding
	var sink byte
	split := func(s vc.Secured) (jwt []byte, disclosures [][]byte, keyBinding []byte) {
		parts := bytes.Split(s.Bytes, []byte("~"))
		return parts[0], parts[1 : len(parts)-1], parts[len(parts)-1]
	}
	b.Run("Issue", func(b *testing.B) {
		run(b, func(b *testing.B, s *sample) {
			jwt, disclosures, _ := split(s.secured)
			for _, d := range disclosures {
				d = url.AppendEncode(nil, d[:url.DecodedLen(len(d))])
				sum := sha256.Sum256(d)
				sink ^= url.AppendEncode(nil, sum[:])[0]
			}
			payload := bytes.Split(jwt, []byte("."))[1]
			sink ^= url.AppendEncode(nil, payload[:url.DecodedLen(len(payload))])[0]
			sign(b, s.keys.issuer, jwt[:bytes.LastIndexByte(jwt, '.')])
		})
	})
	decode := func(jwt []byte, disclosures [][]byte) {
		payload, _ := url.AppendDecode(nil, bytes.Split(jwt, []byte("."))[1])
		sink ^= payload[0]
		for _, d := range disclosures {
			sum := sha256.Sum256(d)
			text, _ := url.AppendDecode(nil, d)
			sink ^= url.AppendEncode(nil, sum[:])[0] ^ text[0]
		}
	}
	b.Run("Derive", func(b *testing.B) {
		run(b, func(b *testing.B, s *sample) {
			jwt, disclosures, _ := split(s.secured)
			decode(jwt, disclosures)
			_, _, keyBinding := split(s.shown)
			sum := sha256.Sum256(s.shown.Bytes[:len(s.shown.Bytes)-len(keyBinding)])
			sink ^= sum[0]
			sign(b, s.keys.holder, keyBinding[:bytes.LastIndexByte(keyBinding, '.')])
		})
	})
	b.Run("Verify", func(b *testing.B) {
		run(b, func(b *testing.B, s *sample) {
			jwt, disclosures, keyBinding := split(s.shown)
			decode(jwt, disclosures)
			sum := sha256.Sum256(s.shown.Bytes[:len(s.shown.Bytes)-len(keyBinding)])
			sink ^= sum[0]
			for _, c := range []struct {
				jwt []byte
				key crypto.Signer
			}{{jwt, s.keys.issuer}, {keyBinding, s.keys.holder}} {
				i := bytes.LastIndexByte(c.jwt, '.')
				sig, err := url.AppendDecode(nil, c.jwt[i+1:])
				if err != nil {
					b.Fatal(err)
				}
				verify(b, c.key, c.jwt[:i], sig)
			}
		})
	})
	_ = sink
}

// sign is a signature and verify its check, with nothing around them.
func sign(b *testing.B, key crypto.Signer, message []byte) {
	switch key := key.(type) {
	case ed25519.PrivateKey:
		ed25519.Sign(key, message)
	case *ecdsa.PrivateKey:
		sum := sha256.Sum256(message)
		if _, err := ecdsa.SignASN1(rand.Reader, key, sum[:]); err != nil {
			b.Fatal(err)
		}
	}
}

func verify(b *testing.B, key crypto.Signer, message, sig []byte) {
	ok := false
	switch pub := key.Public().(type) {
	case ed25519.PublicKey:
		ok = ed25519.Verify(pub, message, sig)
	case *ecdsa.PublicKey:
		sum := sha256.Sum256(message)
		ok = ecdsa.Verify(pub, sum[:], new(big.Int).SetBytes(sig[:32]), new(big.Int).SetBytes(sig[32:]))
	}
	if !ok {
		b.Fatal("floor")
	}
}
