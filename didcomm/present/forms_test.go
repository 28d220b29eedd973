package present

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/did/didkey"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/dataintegrity"
	"github.com/staffpassport/staffpassport/vc/dataintegrity/ecdsasd"
	"github.com/staffpassport/staffpassport/vc/sdjwt"
)

// selective makes a passport that can be shown in part, in both forms, by an employer
// with a key for it.
func (w *world) selective() map[string]vc.Secured {
	w.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(w.t, err)
	id, err := didkey.New(key.Public())
	require.NoError(w.t, err)
	w.employer, err = did.NewSigner(didkey.SigningMethod(id), key)
	require.NoError(w.t, err)
	w.verifier.Check, w.prover.Contexts = w.check(), contexts()
	c := &vc.Credential{
		Context: vc.Contexts(passportContext), Type: []string{vc.TypeCredential, passportType},
		Issuer: vc.Party{ID: id.String()}, ValidFrom: start.AddDate(0, -1, 0),
		Subject: json.RawMessage(fmt.Sprintf(
			`{"id":%q,"personal":{"givenName":"Hazel","nationalInsuranceNumber":"QQ123456A"},"dbs":{"level":"Enhanced","workforce":"adult"}}`,
			w.staff.VerificationMethod().DID)),
	}
	mandatory := []vc.Pointer{"/issuer", "/validFrom", "/credentialSubject/id"}
	base, err := (&dataintegrity.Issuer{Suite: ecdsasd.Suite(mandatory...), Signer: w.employer, Contexts: contexts(), Now: w.clock.Now}).Secure(w.t.Context(), c)
	require.NoError(w.t, err)
	token, err := (&sdjwt.Issuer{Signer: w.employer, Holder: w.staff.Public(), Contexts: contexts(), Now: w.clock.Now, Disclosable: []vc.Pointer{
		"/credentialSubject/personal", "/credentialSubject/personal/givenName", "/credentialSubject/personal/nationalInsuranceNumber",
		"/credentialSubject/dbs", "/credentialSubject/dbs/level", "/credentialSubject/dbs/workforce"}}).Secure(w.t.Context(), c)
	require.NoError(w.t, err)
	return map[string]vc.Secured{FormDataIntegrity: base, FormSDJWTVC: token}
}

// some asks for the level alone, in one form.
func some(forms ...string) Request {
	return Request{Purpose: "To let you start work on Monday", Inputs: []Input{{
		Name: "Staff passport", Type: passportType, Formats: forms, Only: true, Fields: []Field{{At: "/credentialSubject/dbs/level"}},
	}}}
}

// TestPresent_InPart: what was ticked arrives, verified, in both forms, and nothing else.
func TestPresent_InPart(t *testing.T) {
	t.Parallel()
	for _, form := range []string{FormDataIntegrity, FormSDJWTVC} {
		t.Run(form, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			held := w.selective()
			_, proverID := w.ask(some(form))
			require.NoError(t, w.prover.Present(t.Context(), proverID, Answer{
				Key: w.staff, Shown: map[string]Shown{"input-1": {held[form], []vc.Pointer{"/credentialSubject/dbs/level"}}}}))
			w.settle()
			require.Len(t, w.decided, 1)
			d := w.decided[0]
			require.NoError(t, d.Err)
			require.JSONEq(t, fmt.Sprintf(`{"id":%q,"dbs":{"level":"Enhanced"}}`, w.staff.VerificationMethod().DID),
				string(d.ByInput["input-1"].Document().Subject))
			require.Equal(t, w.staff.VerificationMethod().DID, d.ByInput["input-1"].Holder())
			require.NotContains(t, string(d.Secured.Bytes), "QQ123456A")
		})
	}
}

// TestAbuse_DC14_FormsInPart: of a passport that can be shown in part, no form gives
// away what was not ticked, or was not asked for, and none that was not asked for goes out.
func TestAbuse_DC14_FormsInPart(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		request Request
		form    string
		reveal  []vc.Pointer
		want    error
	}{
		"more than was asked for":            {some(FormDataIntegrity), FormDataIntegrity, []vc.Pointer{"/credentialSubject/dbs"}, ErrConsent},
		"more, in a token":                   {some(FormSDJWTVC), FormSDJWTVC, []vc.Pointer{"/credentialSubject/dbs"}, ErrConsent},
		"nothing":                            {some(FormDataIntegrity), FormDataIntegrity, nil, ErrConsent},
		"nothing, in a token":                {some(FormSDJWTVC), FormSDJWTVC, nil, ErrConsent},
		"what is not there":                  {some(FormSDJWTVC), FormSDJWTVC, []vc.Pointer{"/credentialSubject/dbs/number"}, ErrConsent},
		"token where none is taken":          {some(FormDataIntegrity), FormSDJWTVC, []vc.Pointer{"/credentialSubject/dbs/level"}, ErrUnsupported},
		"embedded proof where none is taken": {some(FormSDJWTVC), FormDataIntegrity, []vc.Pointer{"/credentialSubject/dbs/level"}, ErrUnsupported},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			held := w.selective()
			_, proverID := w.ask(c.request)
			err := w.prover.Present(t.Context(), proverID, Answer{Key: w.staff, Shown: map[string]Shown{"input-1": {held[c.form], c.reveal}}})
			require.ErrorIs(t, err, c.want)
			require.Empty(t, w.proverNode.Store.TakeOutbox())
			require.Equal(t, RequestReceived, w.only(w.prover.Exchanges).State)
		})
	}
	w := newWorld(t)
	_, proverID := w.ask(some())
	require.ErrorIs(t, w.prover.Present(t.Context(), proverID, Answer{}), ErrUnsupported, "no key")
}

// TestFormats: what a definition says about forms, and what its inputs say within it.
func TestFormats(t *testing.T) {
	t.Parallel()
	proven := formats{ProofType: []string{proofDataIntegrity}}
	old := formats{ProofType: []string{"Ed25519Signature2018"}}
	both := formats{ProofType: []string{proofDataIntegrity, "Ed25519Signature2018"}}
	ours := []string{proofDataIntegrity}
	for name, c := range map[string]struct {
		definition, input map[string]formats
		want              taking
		err               error
	}{
		"nothing":                      {nil, nil, taking{}, nil},
		"presentation only":            {map[string]formats{"ldp_vp": proven}, nil, taking{}, nil},
		"one form":                     {map[string]formats{"ldp_vp": proven, "ldp_vc": proven}, nil, taking{[]string{FormDataIntegrity}, ours}, nil},
		"another form in an input":     {map[string]formats{"ldp_vp": proven}, map[string]formats{"dc+sd-jwt": {}}, taking{[]string{FormSDJWTVC}, nil}, nil},
		"by its older name":            {nil, map[string]formats{"vc+sd-jwt": {}}, taking{[]string{FormSDJWTVC}, nil}, nil},
		"all":                          {nil, map[string]formats{"dc+sd-jwt": {}, "ldp_vc": proven, "jwt_vc": {}}, taking{allForms(), ours}, nil},
		"by two names":                 {nil, map[string]formats{"jwt_vc": {Alg: []string{"HS256"}}, "jwt_vc_json": {Alg: []string{"HS256", "ES256"}}}, taking{[]string{FormJWT}, nil}, nil},
		"unknown beside known":         {nil, map[string]formats{"mso_mdoc": {}, "ldp_vc": proven}, taking{[]string{FormDataIntegrity}, ours}, nil},
		"unknown":                      {nil, map[string]formats{"mso_mdoc": {}}, taking{}, ErrUnsupported},
		"another proof":                {nil, map[string]formats{"ldp_vc": old}, taking{[]string{FormDataIntegrity}, old.ProofType}, nil},
		"any proof":                    {nil, map[string]formats{"ldp_vc": {}}, taking{[]string{FormDataIntegrity}, nil}, nil},
		"unknown algorithm":            {nil, map[string]formats{"jwt_vc": {Alg: []string{"none"}}}, taking{}, ErrUnsupported},
		"input against its definition": {map[string]formats{"ldp_vc": proven}, map[string]formats{"dc+sd-jwt": {}}, taking{}, ErrUnsupported},
		"proof against its definition": {map[string]formats{"ldp_vc": proven}, map[string]formats{"ldp_vc": old}, taking{}, ErrUnsupported},
		"proof within its definition":  {map[string]formats{"ldp_vc": both}, map[string]formats{"ldp_vc": old}, taking{[]string{FormDataIntegrity}, old.ProofType}, nil},
		"any proof within":             {map[string]formats{"ldp_vc": both}, map[string]formats{"ldp_vp": proven}, taking{[]string{FormDataIntegrity}, both.ProofType}, nil},
	} {
		around, err := readCredentialFormats(c.definition, taking{})
		require.NoError(t, err, name)
		got, err := readCredentialFormats(c.input, around)
		require.ErrorIs(t, err, c.err, name)
		require.Equal(t, c.want, got, name)
	}
	for name, c := range map[string]struct {
		said map[string]formats
		want []string
		err  error
	}{
		"nothing":              {nil, nil, nil},
		"credentials only":     {map[string]formats{"ldp_vc": old}, nil, nil},
		"embedded":             {map[string]formats{"ldp_vp": both}, both.ProofType, nil},
		"token":                {map[string]formats{"jwt_vp": {Alg: []string{"ES256"}}}, []string{ProofJWT}, nil},
		"token or embedded":    {map[string]formats{"jwt_vp_json": {}, "ldp_vp": old}, []string{"Ed25519Signature2018", ProofJWT}, nil},
		"none":                 {map[string]formats{"ldp_vp": {}}, nil, ErrUnsupported},
		"unknown":              {map[string]formats{"mso_mdoc": {}}, nil, ErrUnsupported},
		"unknown algorithm":    {map[string]formats{"jwt_vp": {Alg: []string{"none"}}}, nil, ErrUnsupported},
		"unknown beside known": {map[string]formats{"mso_mdoc": {}, "ldp_vp": proven}, ours, nil},
	} {
		got, err := readPresentationFormats(c.said)
		require.ErrorIs(t, err, c.err, name)
		require.Equal(t, c.want, got, name)
		if err == nil && got != nil {
			again, err := readPresentationFormats(presentationFormats(got))
			require.NoError(t, err)
			require.Equal(t, got, again, name)
		}
	}
	w := newWorld(t)
	_, err := w.verifier.Request(t.Context(), "to-hazel", some("jwt_vp"))
	require.ErrorIs(t, err, ErrUnsupported)
}
