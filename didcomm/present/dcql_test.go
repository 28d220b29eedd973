package present

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/jose"
)

// query asks for the level and the given name in a form, in DCQL.
func query(form string) Request {
	return Request{Purpose: "To let you start", Queries: []Query{DCQL}, Inputs: []Input{{
		ID: "passport", Type: passportType, Formats: []string{form},
		Fields: []Field{{At: "/credentialSubject/dbs/level", OneOf: []json.RawMessage{[]byte(`"Enhanced"`), []byte(`"Standard"`)}, Retain: true}},
	}}}
}

func TestDCQL(t *testing.T) {
	t.Parallel()
	for number, v := range versions {
		for _, form := range []string{FormSDJWTVC, FormDataIntegrity} {
			t.Run(form+"/"+number, func(t *testing.T) {
				t.Parallel()
				w := newWorldOf(t, v)
				held := w.selective()
				_, id := w.ask(query(form))
				x := w.only(w.prover.Exchanges)
				require.Equal(t, DCQL, x.Query)
				require.Equal(t, "To let you start", x.Purpose)
				require.Equal(t, query(form).Inputs[0].Fields, x.Inputs[0].Fields)
				require.NoError(t, w.prover.Present(t.Context(), id, Answer{Key: w.staff,
					Shown: map[string]Shown{"passport": {held[form], []vc.Pointer{"/credentialSubject/dbs/level"}}}}))
				trace := w.settle()
				require.Equal(t, []string{presentation, ack}, names(trace))
				require.NoError(t, w.decided[0].Err)
				require.JSONEq(t, fmt.Sprintf(`{"id":%q,"dbs":{"level":"Enhanced"}}`, w.staff.VerificationMethod().DID),
					string(w.decided[0].ByInput["passport"].Document().Subject))
				require.Equal(t, w.staff.VerificationMethod().DID, w.only(w.verifier.Exchanges).Holder)

				list, err := trace[0].Attached("presentations")
				require.NoError(t, err)
				require.Equal(t, "staffpassport/vp-token@v1.0", list[0].FormatID)
				var answer struct {
					Token map[string][]any `json:"vp_token"`
				}
				require.NoError(t, json.Unmarshal(list[0].Data.JSON, &answer))
				require.Len(t, answer.Token["passport"], 1)
				_, bare := answer.Token["passport"][0].(string)
				require.Equal(t, form == FormSDJWTVC, bare)
			})
		}
	}
}

// TestDCQL_Several: one presentation for each query, all by one holder.
func TestDCQL_Several(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	held := w.selective()
	r := query(FormSDJWTVC)
	r.Inputs = append(r.Inputs, Input{ID: "again", Type: passportType, Formats: []string{FormDataIntegrity}, Fields: []Field{{At: "/credentialSubject/personal/givenName"}}})
	_, id := w.ask(r)
	require.NoError(t, w.prover.Present(t.Context(), id, Answer{Key: w.staff, Shown: map[string]Shown{
		"passport": {held[FormSDJWTVC], []vc.Pointer{"/credentialSubject/dbs/level"}},
		"again":    {held[FormDataIntegrity], []vc.Pointer{"/credentialSubject/personal/givenName"}},
	}}))
	w.settle()
	d := w.decided[0]
	require.NoError(t, d.Err)
	require.Len(t, d.Further, 1)
	require.Len(t, d.ByInput, 2)
	require.NotContains(t, string(d.ByInput["passport"].Document().Subject), "Hazel")
	require.Contains(t, string(d.ByInput["again"].Document().Subject), "Hazel")
	require.Greater(t, len(w.only(w.verifier.Exchanges).Checks), len(d.Presentation.Checks()))
}

// TestQueries: a request in two languages is answered in the first that is understood.
func TestQueries(t *testing.T) {
	t.Parallel()
	for number, v := range versions {
		for _, order := range [][]Query{{Definitions, DCQL}, {DCQL, Definitions}} {
			for _, spoil := range []int{-1, 0, 1} {
				w := newWorldOf(t, v)
				r := query(FormDataIntegrity)
				r.Queries = order
				_, err := w.verifier.Request(t.Context(), "to-hazel", r)
				require.NoError(t, err)
				m := w.verifierNode.Store.TakeOutbox()[0].Message
				list, err := m.Attached(memberRequests)
				require.NoError(t, err)
				require.Len(t, list, 2)
				want := order[0]
				if spoil >= 0 { // so that it asks for something unknown
					list[spoil].Data.JSON = []byte(strings.Replace(string(list[spoil].Data.JSON), "ldp_vc", "mso_mdoc", 1))
					list[spoil].Data.JSON = []byte(strings.Replace(string(list[spoil].Data.JSON), "ldp_vp", "mso_mdoc", 1))
					want = order[1-max(spoil, 0)]
				}
				m = w.message(m.ID, request, "", requestBody{Confirms: true}, memberRequests, list...)
				require.NoError(t, w.proverNode.Store.Deliver(t.Context(), w.prover, "to-birchwood", m), number)
				x := w.only(w.prover.Exchanges)
				require.Equal(t, want, x.Query)
				a := w.answer()
				a.Shown = map[string]Shown{"passport": a.Shown["input-1"]}
				require.NoError(t, w.prover.Present(t.Context(), x.ID, a))
				require.NoError(t, w.verifierNode.Store.Deliver(t.Context(), w.verifier, "to-hazel", w.proverNode.Store.TakeOutbox()[0].Message))
				require.NoError(t, w.verifierNode.Work(t.Context()))
				require.Equal(t, Done, w.only(w.verifier.Exchanges).State)
			}
		}
	}
}

// TestReadQuery: DCQL of other verifiers.
func TestReadQuery(t *testing.T) {
	t.Parallel()
	const options = `"options":{"challenge":"c","domain":"d"}`
	wrap := func(credentials string) string {
		return `{` + options + `,"dcql_query":{"credentials":` + credentials + `}}`
	}
	for name, c := range map[string]struct {
		text string
		want []Input
	}{
		"SD-JWT VC": {wrap(`[{"id":"my_credential","format":"dc+sd-jwt","meta":{"vct_values":["https://credentials.example.com/identity"]},` +
			`"claims":[{"path":["last_name"]},{"path":["address","street"]},{"path":["rivers",1]},{"path":["sub"]},{"path":["iss"]},{"path":["last_name"]}]}]`),
			[]Input{{ID: "my_credential", Type: "https://credentials.example.com/identity", Formats: []string{FormSDJWTVC}, Only: true, Fields: []Field{
				{At: "/credentialSubject/last_name"}, {At: "/credentialSubject/address/street"}, {At: "/credentialSubject/rivers/1"}, {At: "/credentialSubject/id"}, {At: "/issuer"}}}}},
		"embedded": {wrap(`[{"id":"a","format":"ldp_vc","meta":{"type_values":[["https://www.w3.org/2018/credentials#VerifiableCredential","https://plants.example/v1#FernCredential"]]},` +
			`"claims":[{"path":["credentialSubject","a/b"],"values":["x",1,true]}]}]`),
			[]Input{{ID: "a", Type: "https://plants.example/v1#FernCredential", Formats: []string{FormDataIntegrity}, Fields: []Field{
				{At: "/credentialSubject/a~1b", OneOf: []json.RawMessage{[]byte(`"x"`), []byte(`1`), []byte(`true`)}}}}}},
		"tokens, unknown members": {`{` + options + `,"dcql_query":{"x":1,"credentials":[{"id":"a","format":"jwt_vc_json","meta":{"y":2},"multiple":true,"z":3,"require_cryptographic_holder_binding":true}]}}`,
			[]Input{{ID: "a", Formats: []string{FormJWT}}}},
	} {
		got, err := readQuery([]byte(c.text))
		require.NoError(t, err, name)
		require.Equal(t, c.want, got.inputs, name)
		require.Equal(t, "c", got.challenge)
	}
	one := func(member string) string {
		return wrap(`[{"id":"a","format":"dc+sd-jwt","meta":{"vct_values":["v"]},` + member + `}]`)
	}
	for name, c := range map[string]struct {
		text string
		want error
	}{
		"no query":                {`{` + options + `}`, ErrMalformed},
		"no credentials":          {wrap(`[]`), ErrMalformed},
		"no challenge":            {strings.Replace(wrap(`[{"id":"a","format":"ldp_vc","meta":{}}]`), `"c"`, `""`, 1), ErrUnsupported},
		"no id":                   {wrap(`[{"format":"ldp_vc","meta":{}}]`), ErrMalformed},
		"an id of other letters":  {wrap(`[{"id":"a b","format":"ldp_vc","meta":{}}]`), ErrMalformed},
		"two of one id":           {wrap(`[{"id":"a","format":"ldp_vc","meta":{}},{"id":"a","format":"ldp_vc","meta":{}}]`), ErrMalformed},
		"unknown format":          {wrap(`[{"id":"a","format":"mso_mdoc","meta":{}}]`), ErrUnsupported},
		"the other language's":    {wrap(`[{"id":"a","format":"jwt_vc","meta":{}}]`), ErrUnsupported},
		"sets of credentials":     {`{` + options + `,"dcql_query":{"credentials":[{"id":"a","format":"ldp_vc","meta":{}}],"credential_sets":[{"options":[["a"]]}]}}`, ErrUnsupported},
		"sets of claims":          {one(`"claim_sets":[["a"]]`), ErrUnsupported},
		"trusted authorities":     {one(`"trusted_authorities":[{"type":"aki","values":["x"]}]`), ErrUnsupported},
		"nobody's":                {one(`"require_cryptographic_holder_binding":false`), ErrUnsupported},
		"one type or another":     {wrap(`[{"id":"a","format":"dc+sd-jwt","meta":{"vct_values":["a","b"]}}]`), ErrUnsupported},
		"types or others":         {wrap(`[{"id":"a","format":"ldp_vc","meta":{"type_values":[["A"],["B"]]}}]`), ErrUnsupported},
		"several types at once":   {wrap(`[{"id":"a","format":"ldp_vc","meta":{"type_values":[["A","B"]]}}]`), ErrUnsupported},
		"an empty type":           {wrap(`[{"id":"a","format":"dc+sd-jwt","meta":{"vct_values":[""]}}]`), ErrMalformed},
		"no path":                 {one(`"claims":[{"path":[]}]`), ErrMalformed},
		"all elements":            {one(`"claims":[{"path":["rivers",null]}]`), ErrUnsupported},
		"before the first":        {one(`"claims":[{"path":["rivers",-1]}]`), ErrMalformed},
		"half an index":           {one(`"claims":[{"path":["rivers",0.5]}]`), ErrMalformed},
		"far away":                {one(`"claims":[{"path":["rivers",99999999999999999999]}]`), ErrMalformed},
		"an object in the path":   {one(`"claims":[{"path":[{}]}]`), ErrMalformed},
		"a claim about the token": {one(`"claims":[{"path":["cnf"]}]`), ErrUnsupported},
		"a long path":             {one(`"claims":[{"path":["` + strings.Repeat("a", maxPath) + `"]}]`), ErrUnsupported},
		"a value that is a list":  {one(`"claims":[{"path":["a"],"values":[[1]]}]`), ErrMalformed},
		"not JSON":                {`{`, ErrMalformed},
	} {
		_, err := readQuery([]byte(c.text))
		require.ErrorIs(t, err, c.want, name)
	}
}

// TestDCQL_NotExpressible: what DCQL has no word for is not asked in it.
func TestDCQL_NotExpressible(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*Request){
		"optional":           func(r *Request) { r.Inputs[0].Fields[0].Optional = true },
		"a kind":             func(r *Request) { r.Inputs[0].Fields[0].Kind = "string" },
		"two forms":          func(r *Request) { r.Inputs[0].Formats = []string{FormSDJWTVC, FormDataIntegrity} },
		"an id with a dot":   func(r *Request) { r.Inputs[0].ID = "a.b" },
		"schemas":            func(r *Request) { r.Inputs[0].Schemas = []string{"a:b"} },
		"schemas alone":      func(r *Request) { r.Inputs[0].Type, r.Inputs[0].Schemas = "", []string{"a:b"} },
		"outside of a token": func(r *Request) { r.Inputs[0].Fields[0].At = "/evidence" },
		"no such language":   func(r *Request) { r.Queries = []Query{"x"} },
		"the same twice":     func(r *Request) { r.Queries = []Query{DCQL, DCQL} },
	} {
		w := newWorld(t)
		r := query(FormSDJWTVC)
		change(&r)
		_, err := w.verifier.Request(t.Context(), "to-hazel", r)
		require.ErrorIs(t, err, ErrUnsupported, name)
		require.Empty(t, w.verifierNode.Store.TakeOutbox())
		require.Empty(t, w.verifierNode.Store.Records(kindExchange))
	}
}

// TestDCQL_Refused: what answers a query with something else.
func TestDCQL_Refused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(w *world, token map[string]any)
		code   string
	}{
		"as it is":      {func(*world, map[string]any) {}, ""},
		"nothing":       {func(_ *world, token map[string]any) { delete(token, "passport") }, "incomplete"},
		"no list":       {func(_ *world, token map[string]any) { token["passport"] = token["passport"].([]any)[0] }, "incomplete"},
		"an empty list": {func(_ *world, token map[string]any) { token["passport"] = []any{} }, "incomplete"},
		"two": {func(_ *world, token map[string]any) {
			token["passport"] = append(token["passport"].([]any), token["passport"].([]any)...)
		}, "incomplete"},
		"another query's": {func(_ *world, token map[string]any) { token["x"] = token["passport"]; delete(token, "passport") }, "incomplete"},
		"one more":        {func(_ *world, token map[string]any) { token["x"] = token["passport"] }, "incomplete"},
		"a number":        {func(_ *world, token map[string]any) { token["passport"] = []any{1} }, "incomplete"},
		"an embedded one": {func(_ *world, token map[string]any) {
			token["passport"] = []any{map[string]any{"type": "VerifiablePresentation"}}
		}, "incomplete"},
		"without a key binding": {func(_ *world, token map[string]any) {
			s := token["passport"].([]any)[0].(string)
			token["passport"] = []any{s[:strings.LastIndexByte(s, '~')+1]}
		}, "unbound"},
		"with less shown": {func(_ *world, token map[string]any) {
			s := strings.Split(token["passport"].([]any)[0].(string), "~")
			token["passport"] = []any{s[0] + "~" + s[len(s)-1]}
		}, "proof"},
	} {
		w := newWorld(t)
		held := w.selective()
		verifierID, id := w.ask(query(FormSDJWTVC))
		require.NoError(t, w.prover.Present(t.Context(), id, Answer{Key: w.staff,
			Shown: map[string]Shown{"passport": {held[FormSDJWTVC], []vc.Pointer{"/credentialSubject/dbs/level"}}}}))
		list, err := w.proverNode.Store.TakeOutbox()[0].Message.Attached("presentations")
		require.NoError(t, err)
		var answer map[string]map[string]any
		require.NoError(t, json.Unmarshal(list[0].Data.JSON, &answer))
		c.change(w, answer["vp_token"])
		list[0].Data.JSON, err = json.Marshal(answer)
		require.NoError(t, err)
		m := w.message("m1", presentation, w.load(t, verifierID).Thread, struct{}{}, memberPresentations, list...)
		require.NoError(t, w.verifierNode.Store.Deliver(t.Context(), w.verifier, "to-hazel", m))
		require.NoError(t, w.verifierNode.Work(t.Context()))
		require.Equal(t, c.code, w.only(w.verifier.Exchanges).Code, name)
		if c.code != "" {
			require.Error(t, w.decided[0].Err)
			require.Nil(t, w.decided[0].ByInput)
		}
	}
}

// TestDCQL_AnotherHolder: two presentations by two holders are no answer.
func TestDCQL_AnotherHolder(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := query(FormDataIntegrity)
	r.Inputs = append(r.Inputs, Input{ID: "again", Type: passportType, Formats: []string{FormDataIntegrity}})
	verifierID, _ := w.ask(r)
	x := w.load(t, verifierID)
	var list []vc.Secured
	for range 2 {
		p := plainPresentation(w.staff.VerificationMethod().DID, false, w.passport())
		s, err := w.presenter(w.staff).Present(t.Context(), p, x.Domain, x.Challenge)
		require.NoError(t, err)
		list = append(list, s)
		w.staff = signer(t, 8)
	}
	raw, err := newToken(x.Inputs, list)
	require.NoError(t, err)
	a, err := newAttachment("a", formatToken, "", raw)
	require.NoError(t, err)
	m := w.message("m1", presentation, x.Thread, struct{}{}, memberPresentations, a)
	require.NoError(t, w.verifierNode.Store.Deliver(t.Context(), w.verifier, "to-hazel", m))
	require.NoError(t, w.verifierNode.Work(t.Context()))
	require.Equal(t, "incomplete", w.only(w.verifier.Exchanges).Code)
}

// TestAbuse_DC14_DCQL: in DCQL, too, nothing goes out that was not ticked and asked for.
func TestAbuse_DC14_DCQL(t *testing.T) {
	t.Parallel()
	skill := newWorld(t).credential(skillType, `"skill":"Fire safety"`)
	for name, c := range map[string]struct {
		form   string
		answer func(w *world, a *Answer)
		want   error
	}{
		"a presentation that is a token": {FormDataIntegrity, func(w *world, a *Answer) {
			a.Presenter = &jose.Presenter{Signer: w.staff, Now: w.clock.Now}
		}, ErrUnsupported},
		"more than was asked for": {FormSDJWTVC, func(_ *world, a *Answer) { a.tick("/credentialSubject/dbs") }, ErrConsent},
		"nothing ticked":          {FormSDJWTVC, func(_ *world, a *Answer) { a.tick() }, ErrConsent},
		"nothing, embedded":       {FormDataIntegrity, func(_ *world, a *Answer) { a.tick() }, ErrConsent},
		"without what is asked":   {FormDataIntegrity, func(_ *world, a *Answer) { a.tick("/credentialSubject/personal/givenName") }, ErrIncomplete},
		"another form":            {FormJWT, func(*world, *Answer) {}, ErrUnsupported},
		"a photo nobody names":    {FormSDJWTVC, func(_ *world, a *Answer) { a.Attachments = []didcomm.Attachment{photo()} }, ErrConsent},
		"a presenter that adds a claim": {FormDataIntegrity, func(w *world, a *Answer) {
			a.Presenter = changing{w.presenter(w.staff), func(p *vc.Presentation) { p.Other = map[string]json.RawMessage{"note": []byte(`"x"`)} }}
		}, ErrConsent},
		"a presenter that adds a credential": {FormDataIntegrity, func(w *world, a *Answer) {
			a.Presenter = stuffing{w.presenter(w.staff), skill}
		}, ErrConsent},
		"a presenter that adds a submission": {FormDataIntegrity, func(w *world, a *Answer) {
			a.Presenter = changing{w.presenter(w.staff), func(p *vc.Presentation) { p.Context = append(p.Context, vc.Context{URL: submissionContext}) }}
		}, ErrConsent},
	} {
		w := newWorld(t)
		held := w.selective()
		_, id := w.ask(query(c.form))
		form := c.form
		if form == FormJWT {
			form = FormSDJWTVC
		}
		a := Answer{Key: w.staff, Shown: map[string]Shown{"passport": {held[form], []vc.Pointer{"/credentialSubject/dbs/level"}}}}
		c.answer(w, &a)
		err := w.prover.Present(t.Context(), id, a)
		require.ErrorIs(t, err, c.want, name)
		require.Empty(t, w.proverNode.Store.TakeOutbox(), name)
		require.Equal(t, RequestReceived, w.only(w.prover.Exchanges).State)
	}
	w := newWorld(t)
	held := w.selective()
	r := query(FormSDJWTVC)
	r.Inputs[0].Fields[0].OneOf = []json.RawMessage{[]byte(`"Basic"`)}
	_, id := w.ask(r)
	require.ErrorIs(t, w.prover.Present(t.Context(), id, Answer{Key: w.staff,
		Shown: map[string]Shown{"passport": {held[FormSDJWTVC], []vc.Pointer{"/credentialSubject/dbs/level"}}}}), ErrIncomplete, "another value is wanted")
}

func (a *Answer) tick(reveal ...vc.Pointer) {
	s := a.Shown["passport"]
	s.Reveal = reveal
	a.Shown["passport"] = s
}

// TestDCQL_Token: a credential that is a JSON Web Token, in a presentation that is one.
func TestDCQL_Token(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.agents()
	r := Request{Queries: []Query{DCQL}, Inputs: []Input{{ID: "passport", Type: passportType, Formats: []string{FormJWT}, Fields: []Field{{At: "/credentialSubject/employeeId"}}}}}
	_, id := w.ask(r)
	require.NoError(t, w.prover.Present(t.Context(), id, w.tokenAnswer(w.oldToken(""))))
	w.settle()
	require.NoError(t, w.decided[0].Err)
	require.Contains(t, string(w.decided[0].Secured.Bytes), `"vp_token"`)

	w = newWorld(t)
	_, id = w.ask(Request{Queries: []Query{DCQL}, Inputs: []Input{{ID: "passport", Type: passportType, Formats: []string{FormJWT}}}})
	credential, err := (&jose.Issuer{Signer: w.employer, Contexts: contexts(), Now: w.clock.Now}).Secure(t.Context(), &vc.Credential{
		Context: vc.Contexts(passportContext), Type: []string{vc.TypeCredential, passportType}, Issuer: vc.Party{ID: w.employer.VerificationMethod().DID.String()},
		Subject: json.RawMessage(fmt.Sprintf(`{"id":%q,"givenName":"Hazel"}`, w.staff.VerificationMethod().DID)),
	})
	require.NoError(t, err)
	require.NoError(t, w.prover.Present(t.Context(), id, Answer{Key: w.staff, Presenter: &jose.Presenter{Signer: w.staff, Now: w.clock.Now},
		Shown: map[string]Shown{"passport": {credential, []vc.Pointer{"/credentialSubject"}}}}))
	w.settle()
	require.NoError(t, w.decided[0].Err)
}

func FuzzToken(f *testing.F) {
	f.Add([]byte(`{"vp_token":{"a":["e30.e30.AA"],"b":["e30.e30.AA~"]}}`))
	f.Add([]byte(`{"vp_token":{"a":[{"type":"VerifiablePresentation"}],"b":[1]}}`))
	inputs := []Input{{ID: "a", Formats: []string{FormDataIntegrity}}, {ID: "b", Formats: []string{FormSDJWTVC}}}
	f.Fuzz(func(t *testing.T, raw []byte) {
		list, err := readToken(raw, inputs)
		if err != nil {
			return
		}
		back, err := newToken(inputs, list)
		if err != nil {
			t.Fatal(err)
		}
		again, err := readToken(back, inputs)
		if err != nil || len(again) != len(list) {
			t.Fatal(err)
		}
		for i := range list {
			require.Equal(t, list[i].MediaType, again[i].MediaType)
		}
	})
}
