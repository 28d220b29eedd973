package verify_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/cose"
	"github.com/staffpassport/staffpassport/vc/dataintegrity"
	"github.com/staffpassport/staffpassport/vc/jose"
	"github.com/staffpassport/staffpassport/vc/sdjwt"
	"github.com/staffpassport/staffpassport/vc/verify"
)

// An entry is a way for a credential into the verifier.
type entry struct {
	name  string
	index int // where an error about the credential must point
	run   func(t testing.TB, v *verify.Verifier, s vc.Secured) (*verify.Credential, error)
}

// session reports whether the entry is one for presentations.
func (e entry) session() bool { return e.index != verify.Whole }

// entries are all of them. The presentations are good ones, made at the time of
// the verifier by a holder who knows what is in them.
func entries() []entry {
	all := []entry{
		{"credential", verify.Whole, func(t testing.TB, v *verify.Verifier, s vc.Secured) (*verify.Credential, error) {
			return v.Credential(context.Background(), s)
		}},
		{"credential told by its shape", verify.Whole, func(t testing.TB, v *verify.Verifier, s vc.Secured) (*verify.Credential, error) {
			if told := verify.MediaType(s.Bytes); told != "" {
				require.Equal(t, s.MediaType, told)
				return v.Credential(context.Background(), vc.Secured{MediaType: told, Bytes: s.Bytes})
			}
			c, err := v.Credential(context.Background(), s)
			require.Error(t, err, "it is good, and has no shape")
			return c, err
		}},
		{"enveloped credential", verify.Whole, func(t testing.TB, v *verify.Verifier, s vc.Secured) (*verify.Credential, error) {
			return v.Credential(context.Background(), vc.Secured{MediaType: vc.MediaTypeCredential, Bytes: []byte(envelope(s))})
		}},
		{"presentation", 0, func(t testing.TB, v *verify.Verifier, s vc.Secured) (*verify.Credential, error) {
			return onlyCredential(t, v, presentedAt(t, v.Now(), s))
		}},
		{"enveloped in presentation", 0, func(t testing.TB, v *verify.Verifier, s vc.Secured) (*verify.Credential, error) {
			return onlyCredential(t, v, vpForms()[0].sign(t, holder(t), unsignedVP(t, envelope(s)), answerNow(t, v)))
		}},
		{"in an enveloped presentation", 0, func(t testing.TB, v *verify.Verifier, s vc.Secured) (*verify.Credential, error) {
			return onlyCredential(t, v, envelopedVP(presentedAt(t, v.Now(), s)))
		}},
	}
	for _, f := range vpForms()[1:] {
		all = append(all, entry{"in " + f.name, 0, func(t testing.TB, v *verify.Verifier, s vc.Secured) (*verify.Credential, error) {
			return onlyCredential(t, v, f.sign(t, holder(t), unsignedVP(t, envelope(s)), answerNow(t, v)))
		}})
	}
	return all
}

// fewEntries are one of each kind.
func fewEntries() []entry {
	all := entries()
	return []entry{all[1], all[4]}
}

// onlyCredential is the credential of a presentation that is given to the verifier.
func onlyCredential(t testing.TB, v *verify.Verifier, s vc.Secured) (*verify.Credential, error) {
	p, err := v.Presentation(context.Background(), s, session(t))
	if err != nil {
		require.Nil(t, p)
		return nil, err
	}
	require.Len(t, p.Credentials(), 1)
	return p.Credentials()[0], nil
}

// unsignedVP is a presentation of JSON values.
func unsignedVP(t testing.TB, credentials ...string) *strictjson.Object {
	t.Helper()
	return object(t, `{"@context":["`+vc.ContextV2+`"],"type":["VerifiablePresentation"],"holder":"`+holder(t).id.String()+
		`","verifiableCredential":[`+strings.Join(credentials, ",")+`]}`)
}

func envelopedVP(s vc.Secured) vc.Secured {
	return vc.Secured{MediaType: vc.MediaTypePresentation,
		Bytes: []byte(strings.Replace(envelope(s), "EnvelopedVerifiableCredential", "EnvelopedVerifiablePresentation", 1))}
}

// A sessionProof is what a presentation says about the request.
type sessionProof struct {
	method           did.URL // zero is the signer's own
	audience         []string
	nonce            string
	created, expires time.Time
}

// answerNow answers the session of the tests now.
func answerNow(t testing.TB, v *verify.Verifier) sessionProof {
	return sessionProof{audience: []string{host(t).id.String()}, nonce: nonce, created: v.Now()}
}

// A vpForm is a way to secure a presentation, whatever it says.
type vpForm struct {
	name string
	sign func(t testing.TB, by party, doc *strictjson.Object, a sessionProof) vc.Secured
	flip func(t testing.TB, s vc.Secured) vc.Secured
}

func vpForms() []vpForm {
	return []vpForm{
		{"vp", func(t testing.TB, by party, doc *strictjson.Object, a sessionProof) vc.Secured {
			return signedBy(t, by, doc, dataintegrity.Proof{VerificationMethod: a.method, Purpose: did.Authentication,
				Created: a.created, Expires: a.expires, Domain: a.audience, Challenge: a.nonce}, vc.MediaTypePresentation)
		}, embeddedForm{}.flip},
		{"vp+jwt", func(t testing.TB, by party, doc *strictjson.Object, a sessionProof) vc.Secured {
			return vc.Secured{MediaType: jose.MediaTypePresentation, Bytes: jwt(t, by, "vp+jwt", signing{method: a.method}, a.payload(doc))}
		}, flipJWT},
		{"vp+cose", func(t testing.TB, by party, doc *strictjson.Object, a sessionProof) vc.Secured {
			b, err := strictjson.Append(nil, doc)
			require.NoError(t, err)
			return vc.Secured{MediaType: cose.MediaTypePresentation,
				Bytes: sign1(t, by, cose.MediaTypePresentation, signing{method: a.method}, a.claims(), b)}
		}, coseForm{}.flip},
		{"vp+sd-jwt", func(t testing.TB, by party, doc *strictjson.Object, a sessionProof) vc.Secured {
			return vc.Secured{MediaType: sdjwt.MediaTypePresentation,
				Bytes: append(jwt(t, by, "vp+sd-jwt", signing{method: a.method}, a.payload(doc)), '~')}
		}, flipJWT},
	}
}

// payload is doc with the claims of a token.
func (a sessionProof) payload(doc *strictjson.Object) *strictjson.Object {
	doc = doc.Clone()
	if len(a.audience) > 0 {
		list := make([]any, len(a.audience))
		for i := range list {
			list[i] = a.audience[i]
		}
		doc.Set("aud", list)
	}
	if a.nonce != "" {
		doc.Set("nonce", a.nonce)
	}
	if !a.created.IsZero() {
		doc.Set("iat", a.created.Unix())
	}
	if !a.expires.IsZero() {
		doc.Set("exp", a.expires.Unix())
	}
	return doc
}

// claims are those of a CWT.
func (a sessionProof) claims() map[int64]any {
	out := map[int64]any{}
	if len(a.audience) > 0 {
		out[3] = a.audience
	}
	if a.nonce != "" {
		out[10] = a.nonce
	}
	if !a.created.IsZero() {
		out[6] = a.created.Unix()
	}
	if !a.expires.IsZero() {
		out[4] = a.expires.Unix()
	}
	return out
}

// session2proof are the options of a proof for the session of the tests.
func session2proof(t testing.TB) dataintegrity.Proof {
	return dataintegrity.Proof{Purpose: did.Authentication, Created: noon, Domain: []string{host(t).id.String()}, Challenge: nonce}
}

// refusedEverywhere demands that a credential is refused with one code at every
// entry point, and that nothing is returned.
func refusedEverywhere(t *testing.T, v *verify.Verifier, s vc.Secured, want verify.Code) {
	t.Helper()
	for _, e := range entries() {
		c, err := e.run(t, v, s)
		require.Nil(t, c, e.name)
		requireCode(t, err, want, e.index, e.name)
	}
}

func requireCode(t testing.TB, err error, want verify.Code, index int, msg ...any) *verify.Error {
	t.Helper()
	require.ErrorIs(t, err, want, msg...)
	var e *verify.Error
	require.ErrorAs(t, err, &e, msg...)
	require.Equal(t, want, e.Code, msg...)
	require.Equal(t, index, e.Index, msg...)
	return e
}
