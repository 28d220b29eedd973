package rdfc_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/dataintegrity"
	"github.com/staffpassport/staffpassport/vc/dataintegrity/rdfc"
)

// edited returns a copy of a document with the text changed.
func edited(t *testing.T, doc *strictjson.Object, replacements ...string) *strictjson.Object {
	t.Helper()
	text, err := strictjson.Append(nil, doc)
	require.NoError(t, err)
	changed := strings.NewReplacer(replacements...).Replace(string(text))
	require.NotEqual(t, string(text), changed, "nothing was changed")
	return object(t, []byte(changed))
}

// A member that no context defines is not in what was signed.
func TestAbuse_DI04_UndefinedTerm(t *testing.T) {
	t.Parallel()
	for name, s := range suites(t) {
		doc, proof := s.issue(t, rowan)
		for where, changed := range map[string]*strictjson.Object{
			"/dbsCleared":                    edited(t, doc, `"issuer":`, `"dbsCleared":true,"issuer":`),
			"/credentialSubject/dbsCleared":  edited(t, doc, `"givenName":`, `"dbsCleared":true,"givenName":`),
			"/credentialSubject/dbs/cleared": edited(t, doc, `"level":`, `"cleared":true,"level":`),
			"/type/2":                        edited(t, doc, `"StaffCredential"`, `"StaffCredential","ClearedCredential"`),
			"/credentialSubject/photo":       edited(t, doc, `"givenName":`, `"photo":"photo.jpg","givenName":`),
		} {
			signed, err := s.suite.Verify(t.Context(), changed, proof, s.method(t), contexts(t))
			require.ErrorIs(t, err, dataintegrity.ErrUndefinedTerm, name)
			require.ErrorIs(t, err, dataintegrity.ErrUnsignable, name)
			require.Nil(t, signed)
			var at *vc.Error
			require.True(t, errors.As(err, &at))
			require.Equal(t, where, string(at.At))
		}
		more := proof.Clone()
		more.Set("assurance", "high")
		_, err := s.suite.Verify(t.Context(), doc, more, s.method(t), contexts(t))
		require.ErrorIs(t, err, dataintegrity.ErrUndefinedTerm, name)
	}
}

// What JSON-LD leaves out of the data cannot be added to what was signed, and is not
// signed either.
func TestAbuse_DI04_LeftOutOfTheData(t *testing.T) {
	t.Parallel()
	for name, s := range suites(t) {
		doc, _ := s.issue(t, rowan)
		doc.Delete("id")
		options := &dataintegrity.Proof{VerificationMethod: s.signer.VerificationMethod(), Purpose: did.AssertionMethod, Created: noon}
		proof, err := s.suite.Prove(t.Context(), doc, options, s.signer, contexts(t))
		require.NoError(t, err)
		_, err = s.suite.Verify(t.Context(), doc, proof, s.method(t), contexts(t))
		require.NoError(t, err)
		for where, changed := range map[string]*strictjson.Object{
			"/evidence":                             edited(t, doc, `"issuer":`, `"evidence":null,"issuer":`),
			"/termsOfUse":                           edited(t, doc, `"issuer":`, `"termsOfUse":[],"issuer":`),
			"/credentialSubject/photo":              edited(t, doc, `"givenName":`, `"photo":[],"givenName":`),
			"/credentialSubject/skills/0":           edited(t, doc, `"skills":[`, `"skills":[null,`),
			"/credentialSubject/dbs/type":           edited(t, doc, `"level":`, `"type":[],"level":`),
			"/credentialSubject/dbs/level/1/@value": edited(t, doc, `"level":"enhanced"`, `"level":["enhanced",{"@value":null}]`),
			"/id":                                   edited(t, doc, `"issuer":`, `"id":"_:b0","issuer":`),
			"/credentialSubject/dbs/id":             edited(t, doc, `"level":`, `"id":"_:b0","level":`),
			"/type/2":                               edited(t, doc, `"StaffCredential"`, `"StaffCredential","_:t"`),
			"/credentialSubject/photo/0":            edited(t, doc, `"givenName":`, `"photo":["_:c"],"givenName":`),
			"/credentialSubject/givenName/@set":     edited(t, doc, `"givenName":"Rowan"`, `"givenName":{"@set":[]}`),
		} {
			signed, err := s.suite.Verify(t.Context(), changed, proof, s.method(t), contexts(t))
			require.ErrorIs(t, err, dataintegrity.ErrUnsignable, "%s: %s", name, where)
			require.Nil(t, signed)
			var at *vc.Error
			require.True(t, errors.As(err, &at))
			require.Equal(t, where, string(at.At))
			_, err = s.suite.Prove(t.Context(), changed, options, s.signer, contexts(t))
			require.ErrorIs(t, err, dataintegrity.ErrUnsignable, "%s: %s", name, where)
		}
		for member, value := range map[string]any{"nonce": nil, "challenge": []any{}, "id": "_:b0"} {
			more := proof.Clone()
			more.Set(member, value)
			_, err := s.suite.Verify(t.Context(), doc, more, s.method(t), contexts(t))
			require.ErrorIs(t, err, dataintegrity.ErrUnsignable, "%s: %s of the proof", name, member)
		}
	}
}

// Under the contexts of 2.0 and of security v1 together the end of a proof has two
// names. Only the one that is read is good.
func TestAbuse_DI18_EndRenamed(t *testing.T) {
	t.Parallel()
	for name, s := range suites(t) {
		doc, err := credential(s.signer, `{"id":"did:example:rowan-tamar"}`).Object()
		require.NoError(t, err)
		doc.Set("@context", []any{vc.ContextV2, "https://w3id.org/security/v1"})
		doc.Set("type", vc.TypeCredential)
		proof, err := s.suite.Prove(t.Context(), doc, &dataintegrity.Proof{VerificationMethod: s.signer.VerificationMethod(), Purpose: did.AssertionMethod, Created: noon, Expires: noon}, s.signer, contexts(t))
		require.NoError(t, err)
		_, err = s.suite.Verify(t.Context(), doc, proof, s.method(t), contexts(t))
		require.NoError(t, err)
		end, _ := proof.Get("expires")
		proof.Delete("expires")
		proof.Set("expiration", end)
		_, err = s.suite.Verify(t.Context(), doc, proof, s.method(t), contexts(t))
		require.ErrorIs(t, err, dataintegrity.ErrUnsignable, name)
	}
}

// Nothing is signed that would lose a part of what it says, and the error says
// where that part is.
func TestAbuse_DI05_IssueUndefined(t *testing.T) {
	t.Parallel()
	for name, s := range suites(t) {
		for _, c := range []struct{ subject, at string }{
			{`{"id":"did:example:rowan-tamar","dbsCleared":true}`, "/credentialSubject/dbsCleared"},
			{`{"id":"did:example:rowan-tamar","type":"Nurse"}`, "/credentialSubject/type"},
			{`{"id":"did:example:rowan-tamar","photo":"photo.jpg"}`, "/credentialSubject/photo"},
			{`{"id":"did:example:rowan-tamar","dbs":{"id":"dbs/1","level":"enhanced"}}`, "/credentialSubject/dbs/id"},
			{`{"id":"did:example:rowan-tamar","dbs":{"givenname":"Rowan"}}`, "/credentialSubject/dbs/givenname"},
			{`{"id":"did:example:rowan-tamar","skills":["moving",{"skill":"lifting"}]}`, "/credentialSubject/skills/1/skill"},
		} {
			signed := false
			issuer := &dataintegrity.Issuer{Suite: s.suite, Signer: watched{s.signer, &signed}, Contexts: contexts(t), Now: clock}
			secured, err := issuer.Secure(t.Context(), credential(s.signer, c.subject))
			require.ErrorIs(t, err, dataintegrity.ErrUndefinedTerm, "%s: %s", name, c.subject)
			require.Zero(t, secured)
			var at *vc.Error
			require.True(t, errors.As(err, &at))
			require.Equal(t, c.at, string(at.At))
			require.False(t, signed, "nothing is signed")
			for _, secret := range []string{"rowan", "Nurse", "photo.jpg", "enhanced", "lifting"} {
				require.NotContains(t, err.Error(), secret)
			}
		}
	}
}

type watched struct {
	did.Signer
	signed *bool
}

func (w watched) Sign(ctx context.Context, message []byte) ([]byte, error) {
	*w.signed = true
	return w.Signer.Sign(ctx, message)
}

// A context that was put after those that were signed gives undefined terms a
// meaning, if it is admitted.
func TestAbuse_DI06_ContextAppended(t *testing.T) {
	t.Parallel()
	for name, s := range suites(t) {
		doc, proof := s.issue(t, rowan)
		end := `"` + staffURL + `"]`
		for what, appended := range map[string]string{
			"inline vocabulary": `{"@vocab":"https://evil.example/"}`,
			"unknown URL":       `"https://evil.example/context"`,
			"inline terms":      `{"dbsCleared":"https://evil.example/dbsCleared"}`,
			"null":              `null`,
			"a list":            `["https://evil.example/context"]`,
		} {
			changed := edited(t, doc, end, `"`+staffURL+`",`+appended+`]`)
			_, err := s.suite.Verify(t.Context(), changed, proof, s.method(t), contexts(t))
			require.ErrorIs(t, err, dataintegrity.ErrContextNotAllowed, "%s: %s", name, what)
		}
		for what, context := range map[string]any{"text": vc.ContextV2, "null": nil, "object": object(t, []byte(`{"@vocab":"https://evil.example/"}`))} {
			changed := doc.Clone()
			changed.Set("@context", context)
			_, err := s.suite.Verify(t.Context(), changed, proof, s.method(t), contexts(t))
			require.ErrorIs(t, err, dataintegrity.ErrContextNotAllowed, "%s: %s", name, what)
		}
		changed := doc.Clone()
		changed.Delete("@context")
		_, err := s.suite.Verify(t.Context(), changed, proof, s.method(t), contexts(t))
		require.ErrorIs(t, err, dataintegrity.ErrContextNotAllowed)

		// Nor does a proof bring a context of its own.
		own := proof.Clone()
		own.Set("@context", []any{vc.ContextV2})
		_, err = s.suite.Verify(t.Context(), doc, own, s.method(t), contexts(t))
		require.ErrorIs(t, err, dataintegrity.ErrContextNotAllowed)
		context, _ := doc.Get("@context")
		own.Set("@context", context)
		_, err = s.suite.Verify(t.Context(), doc, own, s.method(t), contexts(t))
		require.NoError(t, err, "the document's own may be repeated")
	}
}

// Nothing is fetched: there is no client that could. A context that is not known
// is refused, as is one that would import another.
func TestAbuse_DI08_UnknownContext(t *testing.T) {
	t.Parallel()
	s := suites(t)["eddsa-rdfc-2022"]
	doc, proof := s.issue(t, rowan)
	known := contexts(t)
	for what, changed := range map[string]*strictjson.Object{
		"unknown in front":  edited(t, doc, `"@context":[`, `"@context":["https://127.0.0.1:1/context",`),
		"unknown inside":    edited(t, doc, `"credentialSubject":{`, `"credentialSubject":{"@context":"https://127.0.0.1:1/context",`),
		"import inside":     edited(t, doc, `"credentialSubject":{`, `"credentialSubject":{"@context":{"@import":"https://127.0.0.1:1/context"},`),
		"other than before": edited(t, doc, staffURL, "https://127.0.0.1:1/context"),
	} {
		_, err := s.suite.Verify(t.Context(), changed, proof, s.method(t), known)
		if what == "import inside" {
			require.ErrorIs(t, err, dataintegrity.ErrUnsignable, what)
			continue
		}
		require.ErrorIs(t, err, dataintegrity.ErrContextNotAllowed, what)
	}
	// A schema is a name in the data, not a reason to look at it.
	c := credential(s.signer, rowan)
	c.Schema = []vc.SchemaRef{{ID: "https://127.0.0.1:1/schema", Type: []string{"JsonSchema"}}}
	_, err := (&dataintegrity.Issuer{Suite: s.suite, Signer: s.signer, Contexts: known, Now: clock}).Secure(t.Context(), c)
	require.NoError(t, err)
}

// The same data written in another way would still verify, and a reader of the
// JSON would miss what moved (Data Model 2.0, section 6.1: compacted form).
func TestSameDataWrittenOtherwiseIsRefused(t *testing.T) {
	t.Parallel()
	for name, s := range suites(t) {
		doc, proof := s.issue(t, rowan)
		until := `"validUntil":"2027-03-02T12:00:00Z"`
		for what, changed := range map[string]*strictjson.Object{
			"an IRI for a name": edited(t, doc, until,
				`"https://www.w3.org/2018/credentials#validUntil":{"@type":"http://www.w3.org/2001/XMLSchema#dateTime","@value":"2027-03-02T12:00:00Z"}`),
			"a compact IRI for a name": edited(t, doc, `"givenName":`, `"staff:givenName":`),
			"in a nest":                edited(t, doc, until, `"@nest":{`+until+`}`),
			"a keyword for its alias":  edited(t, doc, `"id":"did:example:rowan-tamar"`, `"@id":"did:example:rowan-tamar"`),
			"types as a keyword":       edited(t, doc, `"type":[`, `"@type":[`),
			"an IRI for a type":        edited(t, doc, `"StaffCredential"`, `"https://staff.example/terms#StaffCredential"`),
			"a compact IRI for a type": edited(t, doc, `"StaffCredential"`, `"staff:StaffCredential"`),
			"a node in two places": edited(t, doc, `"credentialSubject":{"id":"did:example:rowan-tamar","givenName":"Rowan",`,
				`"credentialSubject":[{"id":"did:example:rowan-tamar","givenName":"Rowan"},{"id":"did:example:rowan-tamar",`, `]},"validFrom"`, `]}],"validFrom"`, `]}}`, `]}]}`),
			"included": edited(t, doc, until, `"@included":[{"id":"urn:uuid:1f6b2c3d-0000-4000-8000-000000000001",`+until+`}]`),
			"reversed": edited(t, doc, until, `"@reverse":{},`+until),
		} {
			_, err := s.suite.Verify(t.Context(), changed, proof, s.method(t), contexts(t))
			require.ErrorIs(t, err, dataintegrity.ErrUnsignable, "%s: %s", name, what)
		}
	}
}

// What RDF cannot tell apart: the order of a set, and a set of one from its
// element. Readers of lists without @list have no order to rely on.
func TestWhatIsNotSigned(t *testing.T) {
	t.Parallel()
	s := suites(t)["eddsa-rdfc-2022"]
	doc, proof := s.issue(t, rowan)
	for what, changed := range map[string]*strictjson.Object{
		"order of a set":   edited(t, doc, `["moving","resuscitation"]`, `["resuscitation","moving"]`),
		"a set of one":     edited(t, doc, `"givenName":"Rowan"`, `"givenName":["Rowan"]`),
		"order of members": edited(t, doc, `"level":"enhanced","issueDate":"2025-03-04"`, `"issueDate":"2025-03-04","level":"enhanced"`),
	} {
		_, err := s.suite.Verify(t.Context(), changed, proof, s.method(t), contexts(t))
		require.NoError(t, err, what)
	}
	_, err := s.suite.Verify(t.Context(), edited(t, doc, `["moving","resuscitation"]`, `["moving"]`), proof, s.method(t), contexts(t))
	require.ErrorIs(t, err, dataintegrity.ErrSignature)
}

func TestSaysNothing(t *testing.T) {
	t.Parallel()
	s := suites(t)["eddsa-rdfc-2022"]
	empty := object(t, []byte(`{"@context":["https://www.w3.org/ns/credentials/v2"]}`))
	p := &dataintegrity.Proof{VerificationMethod: s.signer.VerificationMethod(), Purpose: did.AssertionMethod, Created: noon}
	_, err := s.suite.Prove(t.Context(), empty, p, s.signer, nil)
	require.ErrorIs(t, err, dataintegrity.ErrUnsignable)
	_, err = rdfc.EdDSARDFC2022().Prove(t.Context(), object(t, []byte(`{"@context":[]}`)), p, s.signer, nil)
	require.ErrorIs(t, err, dataintegrity.ErrUnsignable)
}
