package present

import (
	"encoding/json"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/internal/memtx"
	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/dataintegrity/legacy"
)

// TestReadDefinition: the part of Presentation Exchange that is understood.
func TestReadDefinition(t *testing.T) {
	t.Parallel()
	raws := func(texts ...string) (out []json.RawMessage) {
		for _, s := range texts {
			out = append(out, json.RawMessage(s))
		}
		return out
	}
	at := func(fields ...Field) Input { return Input{ID: "a", Fields: fields} }
	for name, c := range map[string]struct {
		descriptor string
		want       Input
	}{
		"schema of version 1":     {`"schema":[{"uri":"https://www.w3.org/2018/credentials/v1","required":true}],"constraints":{}`, Input{ID: "a", Schemas: []string{vc.ContextV1}}},
		"one of two schemas":      {`"schema":[{"uri":"a:b"},{"uri":"a:c"}],"constraints":{}`, Input{ID: "a", Schemas: []string{"a:b", "a:c"}}},
		"a group":                 {`"group":["A"],"constraints":{}`, at()},
		"unknown around":          {`"x":{"y":1},"constraints":{}`, at()},
		"is_holder":               {`"constraints":{"is_holder":[{"field_id":["f"],"directive":"required"}],"fields":[{"id":"f","path":["$.credentialSubject.id"]}]}`, at(Field{At: "/credentialSubject/id"})},
		"preferred":               {`"constraints":{"limit_disclosure":"preferred"}`, at()},
		"a place for each form":   {`"constraints":{"fields":[{"path":["$.river","$.vc.credentialSubject.river","$.credentialSubject.river"]}]}`, at(Field{At: "/credentialSubject/river"})},
		"a place in a token":      {`"constraints":{"fields":[{"path":["$.vc.issuer"]}]}`, at(Field{At: "/issuer"})},
		"one that can be read":    {`"constraints":{"fields":[{"path":["$..river","$.river"]}]}`, at(Field{At: "/river"})},
		"a value":                 {`"constraints":{"fields":[{"path":["$.a"],"filter":{"type":"string","const":"x"}}]}`, at(Field{At: "/a", Kind: "string", OneOf: raws(`"x"`)})},
		"one of some":             {`"constraints":{"fields":[{"path":["$.a"],"filter":{"enum":["x",2,true]}}]}`, at(Field{At: "/a", OneOf: raws(`"x"`, `2`, `true`)})},
		"a kind":                  {`"constraints":{"fields":[{"path":["$.a"],"filter":{"$schema":"x","type":"integer","title":"y","description":"z"}}]}`, at(Field{At: "/a", Kind: "integer"})},
		"null filters":            {`"constraints":{"fields":[{"path":["$.a"],"filter":null,"optional":true}]}`, at(Field{At: "/a", Optional: true})},
		"type in a list":          {`"constraints":{"fields":[{"path":["$.type"],"filter":{"type":"array","contains":{"type":"string","const":"A"}}}]}`, Input{ID: "a", Type: "A"}},
		"type by one":             {`"constraints":{"fields":[{"path":["$.type[*]"],"filter":{"const":"A"}}]}`, Input{ID: "a", Type: "A"}},
		"type as Credo's samples": {`"constraints":{"fields":[{"path":["$.vc.type.*","$.vct","$.type"],"filter":{"type":"string","pattern":"OpenBadge"}}]}`, Input{ID: "a", Type: "OpenBadge"}},
		"type by a whole pattern": {`"constraints":{"fields":[{"path":["$.vc.type"],"filter":{"type":"array","contains":{"pattern":"^A$"}}}]}`, Input{ID: "a", Type: "A"}},
		"type of one":             {`"constraints":{"fields":[{"path":["$.vct"],"filter":{"type":"string","enum":["https://x.example/a"]}}]}`, Input{ID: "a", Type: "https://x.example/a"}},
		"type twice, less":        {`"constraints":{"fields":[{"path":["$.vct"],"filter":{"const":"https://x.example#A"}},{"path":["$.type"],"filter":{"const":"A"}}]}`, Input{ID: "a", Type: "https://x.example#A"}},
		"type twice":              {`"constraints":{"fields":[{"path":["$.type"],"filter":{"const":"A"}},{"path":["$.vct"],"filter":{"const":"https://x.example#A"}}]}`, Input{ID: "a", Type: "https://x.example#A"}},
	} {
		got, err := readDefinition([]byte(`{"options":{"challenge":"c"},"presentation_definition":{"id":"d","input_descriptors":[{"id":"a",` + c.descriptor + `}]}}`))
		require.NoError(t, err, name)
		require.Equal(t, []Input{c.want}, got.inputs, name)
	}
	for name, filter := range map[string]string{
		"none":             `null`,
		"empty":            `{}`,
		"a number":         `{"const":1}`,
		"an empty name":    `{"const":""}`,
		"two":              `{"enum":["A","B"]}`,
		"a wider pattern":  `{"pattern":"A.*"}`,
		"either":           `{"pattern":"A|B"}`,
		"nothing":          `{"pattern":"^$"}`,
		"a list in a list": `{"contains":{"contains":{"const":"A"}}}`,
		"of another kind":  `{"type":"object","contains":{"const":"A"}}`,
		"a number in it":   `{"contains":{"type":"number","const":"A"}}`,
		"two ways":         `{"contains":{"const":"A","enum":["A"]}}`,
		"in and beside":    `{"const":"A","contains":{"const":"A"}}`,
		"a long name":      `{"const":"` + strings.Repeat("a", maxText+1) + `"}`,
		"a long pattern":   `{"pattern":"` + strings.Repeat("a", maxText+1) + `"}`,
		"no object":        `[]`,
	} {
		_, ok := readTypeFilter([]byte(filter))
		require.False(t, ok, name)
	}
}

// TestRequest_Values: which values will do goes with the request, and the verifier
// holds what comes to it.
func TestRequest_Values(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]string{`"Enhanced"`: "", `"Basic"`: "incomplete", `1`: "incomplete", `true`: "incomplete"} {
		w := newWorld(t)
		r := wanted()
		r.Inputs[0].Fields[0].OneOf = []json.RawMessage{[]byte(value), []byte(`"None"`)}
		verifierID, id := w.ask(r)
		require.Equal(t, r.Inputs[0].Fields, w.only(w.prover.Exchanges).Inputs[0].Fields)
		err := w.prover.Present(t.Context(), id, w.answer())
		if want == "" {
			require.NoError(t, err)
		} else {
			require.ErrorIs(t, err, ErrIncomplete)
		}
		x := w.load(t, verifierID) // another wallet sends it all the same
		w.send(t, x.Thread, "m1", w.prove(t, w.staff, x, x.Domain, x.Challenge, nil))
		require.NoError(t, w.verifierNode.Work(t.Context()))
		require.Equal(t, want, w.only(w.verifier.Exchanges).Code, value)
		require.NotEmpty(t, w.only(w.verifier.Exchanges).Checks, "it was genuine, and the checks say so")
	}
}

func TestInput_Fits(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	embedded := w.passport()
	held := w.selective()
	w.employer = signer(t, 1)
	old, token := w.oldCredential(legacy.Ed25519Signature2018()), w.oldToken("")
	for name, c := range map[string]struct {
		in   Input
		with vc.Secured
		want error
	}{
		"anything":               {Input{}, embedded, nil},
		"type":                   {Input{Type: passportType}, embedded, nil},
		"type by URL":            {Input{Type: "https://passport.example/v1#" + passportType}, embedded, nil},
		"type by path":           {Input{Type: "https://passport.example/v1/" + passportType}, embedded, nil},
		"a URL of its own":       {Input{Type: "CreativeCredential"}, w.typed("https://x.example/v1#CreativeCredential"), ErrIncomplete},
		"another URL":            {Input{Type: "https://y.example/v1#CreativeCredential"}, w.typed("https://x.example/v1#CreativeCredential"), ErrIncomplete},
		"another type":           {Input{Type: skillType}, embedded, ErrIncomplete},
		"a longer type":          {Input{Type: "My" + passportType}, embedded, ErrIncomplete},
		"type of an SD-JWT VC":   {Input{Type: passportContext + "#" + passportType}, held[FormSDJWTVC], nil},
		"a base proof":           {Input{Type: passportType, Fields: []Field{{At: "/credentialSubject/dbs/level"}}}, held[FormDataIntegrity], nil},
		"a token":                {Input{Type: passportType, Formats: []string{FormJWT}, Fields: []Field{{At: "/credentialSubject/employeeId"}}}, token, nil},
		"form not taken":         {Input{Formats: []string{FormSDJWTVC}}, embedded, ErrUnsupported},
		"form not known":         {Input{}, vc.Secured{MediaType: "application/mdoc", Bytes: []byte{0}}, ErrUnsupported},
		"not what it says":       {Input{}, vc.Secured{MediaType: vc.MediaTypeCredential, Bytes: []byte("x")}, ErrUnsupported},
		"a presentation":         {Input{}, w.jwt(w.staff, `{"iss":"did:example:h","vp":{"@context":["`+vc.ContextV1+`"],"type":["VerifiablePresentation"]}}`), ErrUnsupported},
		"proof":                  {Input{Proofs: []string{"Ed25519Signature2018"}}, old, nil},
		"proof not taken":        {Input{Proofs: []string{"DataIntegrityProof"}}, old, ErrUnsupported},
		"proof of a token":       {Input{Proofs: []string{"DataIntegrityProof"}}, token, nil},
		"schema: a context":      {Input{Schemas: []string{"x:y", vc.ContextV1}}, old, nil},
		"schema: a type":         {Input{Schemas: []string{"https://www.w3.org/2018/credentials#VerifiableCredential"}}, old, nil},
		"schema: another":        {Input{Schemas: []string{vc.ContextV2, "https://x.example/v1"}}, old, ErrIncomplete},
		"schema: no URL":         {Input{Schemas: []string{passportType}}, old, ErrIncomplete},
		"a claim":                {Input{Fields: []Field{{At: "/credentialSubject/personal/givenName"}}}, embedded, nil},
		"a claim that is not":    {Input{Fields: []Field{{At: "/credentialSubject/personal/middleName"}}}, embedded, ErrIncomplete},
		"optional":               {Input{Fields: []Field{{At: "/credentialSubject/personal/middleName", Optional: true}}}, embedded, nil},
		"optional, wrong":        {Input{Fields: []Field{{At: "/credentialSubject/dbs/level", Optional: true, Kind: "number"}}}, embedded, ErrIncomplete},
		"a kind":                 {Input{Fields: []Field{{At: "/credentialSubject/dbs/level", Kind: "string"}}}, embedded, nil},
		"the kind of the around": {Input{Fields: []Field{{At: "/credentialSubject/dbs", Kind: "object"}, {At: "/type", Kind: "array"}}}, embedded, nil},
		"another kind":           {Input{Fields: []Field{{At: "/credentialSubject/dbs", Kind: "boolean"}}}, embedded, ErrIncomplete},
	} {
		require.ErrorIs(t, c.in.Fits(c.with), c.want, name)
	}
	for text, kinds := range map[string]string{`1`: "number integer", `1.5`: "number", `"a"`: "string", `false`: "boolean", `[]`: "array", `{}`: "object", `null`: ""} {
		v, err := strictjson.Parse([]byte(text))
		require.NoError(t, err)
		require.Equal(t, kinds, strings.Join(kindsOf(v), " "))
	}
	o, err := strictjson.ParseObject([]byte(`{"credentialSchema":[{"id":"x:1"},{"id":"x:2"}],"proof":[{"type":"A"},{"type":"B"}]}`))
	require.NoError(t, err)
	require.True(t, hasSchema(o, "x:2"))
	require.False(t, hasSchema(o, "x:3"))
	require.True(t, provenBy(o, []string{"A", "B", "C"}))
	require.False(t, provenBy(o, []string{"A"}), "every proof counts")
}

// typed is a credential with a type, signed by nobody.
func (w *world) typed(name string) vc.Secured {
	return vc.Secured{MediaType: vc.MediaTypeCredential, Bytes: []byte(`{"type":["VerifiableCredential","` + name + `"]}`)}
}

// TestInterop_NestedSubmission: an entry that names the presentation first, as libraries
// write it that serve OpenID as well, aries among them.
func TestInterop_NestedSubmission(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	definition := "d"
	inputs := []Input{{ID: "a"}}
	p, err := newPresentation("s", definition, inputs, w.staff.VerificationMethod().DID, map[string]Shown{"a": {Credential: w.passport()}}, false)
	require.NoError(t, err)
	for entry, want := range map[string]bool{
		`"format":"ldp_vp","path":"$","path_nested":{"id":"a","format":"ldp_vc","path":"$.verifiableCredential[0]"}`:                   true,
		`"format":"ldp_vc","path":"$","path_nested":{"id":"a","format":"ldp_vc","path":"$.verifiableCredential[0]"}`:                   true,
		`"format":"jwt_vp","path":"$","path_nested":{"format":"ldp_vc","path":"$.vp.verifiableCredential[0]"}`:                         true,
		`"format":"jwt_vc","path":"$","path_nested":{"format":"ldp_vc","path":"$.verifiableCredential"}`:                               true,
		`"format":"ldp_vc","path":"$","path_nested":{"path":"$.verifiableCredential[0]"}`:                                              true,
		`"format":"ldp_vp","path":"$","path_nested":{"format":"jwt_vc","path":"$.verifiableCredential[0]"}`:                            false,
		`"format":"ldp_vp","path":"$","path_nested":{"id":"b","format":"ldp_vc","path":"$.verifiableCredential[0]"}`:                   false,
		`"format":"mso_mdoc","path":"$","path_nested":{"format":"ldp_vc","path":"$.verifiableCredential[0]"}`:                          false,
		`"format":"ldp_vp","path":"$.x","path_nested":{"format":"ldp_vc","path":"$.verifiableCredential[0]"}`:                          false,
		`"format":"ldp_vp","path":"$","path_nested":{"format":"ldp_vc","path":"$.verifiableCredential[1]"}`:                            false,
		`"format":"ldp_vp","path":"$","path_nested":{"format":"ldp_vc","path":"$"}`:                                                    false,
		`"format":"ldp_vp","path":"$","path_nested":{"format":"ldp_vc","path":"$","path_nested":{"path":"$.verifiableCredential[0]"}}`: false,
		`"format":"ldp_vp","path":"$","path_nested":[]`:                                                                                false,
	} {
		p.Other[submissionMember] = json.RawMessage(`{"id":"s","definition_id":"d","descriptor_map":[{"id":"a",` + entry + `}]}`)
		raw, err := p.MarshalJSON()
		require.NoError(t, err)
		at, err := readSubmission(raw, definition, inputs)
		if want {
			require.NoError(t, err, entry)
			require.Equal(t, []int{0}, at)
			continue
		}
		require.ErrorIs(t, err, ErrIncomplete, entry)
	}
}

// TestVerifier_TokenByItself: an SD-JWT VC that answers a definition without a
// presentation around it, where one credential was asked for, and in that form.
func TestVerifier_TokenByItself(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		request func(*Request)
		want    string
	}{
		"one":                  {func(*Request) {}, ""},
		"in any form":          {func(r *Request) { r.Inputs[0].Formats = nil }, ""},
		"in another form":      {func(r *Request) { r.Inputs[0].Formats = []string{FormDataIntegrity} }, "incomplete"},
		"two":                  {func(r *Request) { r.Inputs = append(r.Inputs, Input{ID: "b", Type: passportType}) }, "incomplete"},
		"of another type":      {func(r *Request) { r.Inputs[0].Type = skillType }, "incomplete"},
		"with a missing claim": {func(r *Request) { r.Inputs[0].Fields[0].At = "/credentialSubject/dbs/workforce" }, "incomplete"},
	} {
		w := newWorld(t)
		held := w.selective()
		r := some(FormSDJWTVC)
		c.request(&r)
		verifierID, _ := w.ask(r)
		x := w.load(t, verifierID)
		shown, err := w.prover.derive(t.Context(), x, Answer{Key: w.staff, Shown: map[string]Shown{"input-1": {held[FormSDJWTVC], []vc.Pointer{"/credentialSubject/dbs/level"}}}})
		require.NoError(t, err)
		w.send(t, x.Thread, "m1", shown["input-1"].Credential)
		require.NoError(t, w.verifierNode.Work(t.Context()))
		require.Equal(t, c.want, w.only(w.verifier.Exchanges).Code, name)
	}
}

// TestPresent_BothVersions: photo and all, and what is sent where.
func TestPresent_BothVersions(t *testing.T) {
	t.Parallel()
	for number, v := range versions {
		w := newWorldOf(t, v)
		_, id := w.ask(wanted())
		require.NoError(t, w.prover.Present(t.Context(), id, w.answer()))
		trace := w.settle()
		require.Equal(t, []string{presentation, ack}, names(trace))
		for _, m := range trace {
			require.Equal(t, v, m.Version.Or1())
			require.Equal(t, strings.TrimSuffix(number, ".0"), fmt.Sprint(m.Type.Major))
		}
		require.Len(t, w.decided[0].Attachments, 1)
		content, err := w.decided[0].Attachments[0].Content()
		require.NoError(t, err)
		require.Equal(t, []byte{0xff, 0xd8, 0xff}, content)
		require.Equal(t, "urn:photo:1", w.decided[0].Attachments[0].ID)
		list, err := trace[0].Attached("presentations")
		require.NoError(t, err)
		require.Len(t, list, map[didcomm.Version]int{didcomm.V1: 1, didcomm.V2: 2}[v], "beside it, or in the same list")
	}
}

// TestRecords_OfBefore: exchanges that were stored before there were other languages
// and versions go on.
func TestRecords_OfBefore(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	verifierID, proverID := w.ask(wanted())
	for id, n := range map[string]*memtx.Node{verifierID: w.verifierNode, proverID: w.proverNode} {
		require.NoError(t, n.Store.Update(t.Context(), func(tx didcomm.Tx) error {
			var x map[string]any
			if err := tx.Load(kindExchange, id, &x); err != nil {
				return err
			}
			for _, name := range []string{"proofs", "query", "queries"} {
				delete(x, name)
			}
			return tx.Save(kindExchange, id, x)
		}))
	}
	require.NoError(t, w.prover.Present(t.Context(), proverID, w.answer()))
	w.settle()
	require.Equal(t, Done, w.only(w.verifier.Exchanges).State)
}

// TestReadBounded: hostile attachments are refused, and the largest that are read cost
// no more than a moment.
func TestReadBounded(t *testing.T) {
	t.Parallel()
	const head = `{"options":{"challenge":"c","domain":"d"},"presentation_definition":{"input_descriptors":[`
	room := maxQuery - 1000
	for name, text := range map[string]string{
		"deep":  strings.Repeat(`{"contains":`, room/12) + `1` + strings.Repeat(`}`, room/12),
		"wide":  head + strings.Repeat(`{"id":"a","constraints":{}},`, room/28) + `{"id":"b"}]}}`,
		"paths": head + `{"id":"a","constraints":{"fields":[{"path":[` + strings.Repeat(`"$.a",`, room/6) + `"$.b"]}]}}]}}`,
		"long":  `"` + strings.Repeat("$", room) + `"`,
		"large": strings.Repeat(" ", maxQuery) + `{}`,
	} {
		for _, q := range []Query{Definitions, DCQL} {
			begun := time.Now()
			_, err := readAsked(q, didcomm.NewAttachment("a", "", []byte(text)))
			require.Error(t, err, name)
			t.Log(name, q, time.Since(begun))
		}
		_, err := readToken([]byte(text), []Input{{ID: "a"}})
		require.Error(t, err, name)
	}
	m := newWorld(t).message("m", propose, "", proposalBody{}, memberProposals,
		didcomm.Attachment{ID: "a", FormatID: string(Definitions), Data: didcomm.NewAttachment("", "", make([]byte, maxQuery+1)).Data})
	_, _, err := readProposal(m)
	require.ErrorIs(t, err, ErrUnsupported)
}

// TestReadBounded_Cost: no request, and no proposal, has its reader take more than 64 MiB.
// It is read in a transaction, for which all others wait.
func TestReadBounded_Cost(t *testing.T) {
	items := func(n int, item string) string { return "[" + strings.Repeat(item+",", n) + item + "]" }
	filter := func(f string) string { return `{"fields":[{"path":["$.type"],"filter":` + f + `}]}` }
	nested := func(depth int, inner string) string {
		return strings.Repeat(`{"contains":`, depth) + inner + strings.Repeat("}", depth)
	}
	const n = maxQueryValues - 200
	for name, constraints := range map[string]string{
		"lists in lists":     filter(nested(52, `{"enum":`+items(100000, "0")+`}`)),
		"fewer of them":      filter(nested(52, `{"enum":`+items(n, "0")+`}`)),
		"a list in a list":   filter(nested(2, `{"const":"A"}`)),
		"values of a type":   filter(nested(1, `{"enum":`+items(n, "0")+`}`)),
		"values":             filter(`{"enum":` + items(n, "0") + `}`),
		"a long text":        filter(nested(52, `{"title":"`+strings.Repeat("a", 200000)+`"}`)),
		"fields":             `{"fields":` + items(n, "{}") + `}`,
		"paths":              `{"fields":[{"path":` + items(n, `""`) + `}]}`,
		"values, not so few": filter(`{"enum":` + items(100000, "0") + `}`),
	} {
		inputs := `"input_descriptors":[{"id":"a","constraints":` + constraints + `}]`
		read := map[string]func(*didcomm.Message) error{
			`{"options":{"challenge":"c"},"presentation_definition":{` + inputs + `}}`: func(m *didcomm.Message) error {
				_, err := readAsked(Definitions, m.Attachments[0])
				return err
			},
			`{` + inputs + `}`: func(m *didcomm.Message) error {
				_, _, err := readProposal(m)
				return err
			},
		}
		for text, read := range read {
			require.LessOrEqual(t, len(text), maxQuery, name)
			a := didcomm.NewAttachment("a", "", []byte(text))
			a.FormatID = string(Definitions)
			m := &didcomm.Message{Version: didcomm.V2, Body: json.RawMessage(`{}`), Attachments: []didcomm.Attachment{a}}
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			require.Error(t, read(m), name)
			runtime.ReadMemStats(&after)
			require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(64<<20), name)
		}
	}
}
