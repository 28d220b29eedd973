package disclose_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/dataintegrity"
	"github.com/staffpassport/staffpassport/vc/dataintegrity/bbs"
	"github.com/staffpassport/staffpassport/vc/dataintegrity/ecdsasd"
	"github.com/staffpassport/staffpassport/vc/disclose"
	"github.com/staffpassport/staffpassport/vc/sdjwt"
)

// sizes are a credential with the photo beside it, and one of 300 KB with it inside.
func sizes() map[string]func(*vc.Credential) {
	return map[string]func(*vc.Credential){
		"plain": unchanged,
		"photo": func(c *vc.Credential) {
			photo := "data:image/jpeg;base64," + base64.StdEncoding.EncodeToString(make([]byte, 225_000))
			c.Subject = json.RawMessage(strings.Replace(string(c.Subject), "ni:///sha-256;uzp7TwPZNDURtyjKTck5w7h19PQECuIkulVW8OGkjoo", photo, 1))
		},
	}
}

// tenClaims are what a request of ten claims asks for.
func tenClaims() []vc.Pointer {
	var out []vc.Pointer
	for _, at := range []string{"personal/firstName", "personal/lastName", "dbs/level", "dbs/issueDate", "registration/body",
		"registration/number", "registration/expiryDate", "employment/jobRole", "employment/organisation", "employment/startDate"} {
		out = append(out, vc.Pointer("/credentialSubject/"+at))
	}
	return out
}

func BenchmarkDerive(b *testing.B) {
	contexts, h := contexts(b), holder(b)
	for _, f := range formats() {
		for size, change := range sizes() {
			s := f.secure(b, contexts, h, change)
			r := f.request(b, contexts, h, tenClaims()...)
			b.Run(f.name+"/"+size, func(b *testing.B) {
				for b.Loop() {
					_, err := disclose.Derive(context.Background(), r, s)
					require.NoError(b, err)
				}
			})
		}
	}
}

func BenchmarkPreview(b *testing.B) {
	contexts, h := contexts(b), holder(b)
	for _, f := range formats() {
		for size, change := range sizes() {
			s := f.secure(b, contexts, h, change)
			r := f.request(b, contexts, h, tenClaims()...)
			b.Run(f.name+"/"+size, func(b *testing.B) {
				for b.Loop() {
					_, err := disclose.Preview(r, s)
					require.NoError(b, err)
				}
			})
		}
	}
}

// BenchmarkFloor is what the formats themselves need: a derivation, and the proof
// of the presentation around it.
func BenchmarkFloor(b *testing.B) {
	contexts, h := contexts(b), holder(b)
	reveal := tenClaims()
	present := func(b *testing.B, s vc.Secured) {
		p := dataintegrity.Presenter{Suite: dataintegrity.ECDSAJCS2019(), Signer: h, Contexts: contexts, Now: clock}
		_, err := p.Present(context.Background(), vc.NewPresentation(did.DID{}, s), audience, nonce)
		require.NoError(b, err)
	}
	floors := []func(*testing.B, vc.Secured){
		func(b *testing.B, s vc.Secured) {
			out, err := ecdsasd.Derive(context.Background(), s, reveal, contexts)
			require.NoError(b, err)
			present(b, out)
		},
		func(b *testing.B, s vc.Secured) {
			_, err := bbs.Derive(context.Background(), s, reveal, contexts, bbs.SessionHeader(audience, nonce))
			require.NoError(b, err)
		},
		func(b *testing.B, s vc.Secured) {
			_, err := sdjwt.Present(context.Background(), s, sdjwt.Presenting{Reveal: reveal, Holder: h, Audience: audience, Nonce: nonce, Now: clock})
			require.NoError(b, err)
		},
	}
	floors = append(floors, floors[2])
	for i, f := range formats() {
		for size, change := range sizes() {
			s := f.secure(b, contexts, h, change)
			b.Run("Derive/"+f.name+"/"+size, func(b *testing.B) {
				for b.Loop() {
					floors[i](b, s)
				}
			})
		}
	}
}
