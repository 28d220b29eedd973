package trust_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/internal/rdf"
	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/schema"
	"github.com/staffpassport/staffpassport/schema/trust"
	"github.com/staffpassport/staffpassport/vc"
)

func TestList_RoundTrip(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*trust.List){
		"as drafted":       func(*trust.List) {},
		"no organisations": func(l *trust.List) { l.Organisations = nil },
		"successions": func(l *trust.List) {
			l.Succession = []vc.Secured{handover(t, authority(t), successor(t), 5), handover(t, successor(t), third(t), 9)}
		},
		"several DIDs": func(l *trust.List) {
			l.Organisations[0].DIDs = append(l.Organisations[0].DIDs, stranger(t).id)
		},
		"largest number": func(l *trust.List) { l.Sequence = 1<<53 - 1 },
		"an entry that has ended": func(l *trust.List) {
			l.Organisations[0].Until = l.Organisations[0].From
		},
		"types by URL": func(l *trust.List) { l.Organisations[0].Issues = []string{"https://types.example/a#b"} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := draft(t, 3)
			change(l)
			c := credential(t, l)
			b, err := json.Marshal(c)
			require.NoError(t, err)
			again, err := vc.Parse(b)
			require.NoError(t, err)
			read, err := trust.Read(again)
			require.NoError(t, err)
			if l.Organisations == nil {
				l.Organisations = []trust.Organisation{}
				read.Organisations = []trust.Organisation{}
			}
			require.Equal(t, l, read)
		})
	}
}

// TestList_CutToTheSecond is what a token can say.
func TestList_CutToTheSecond(t *testing.T) {
	t.Parallel()
	l := draft(t, 1)
	l.Issued = l.Issued.Add(700 * time.Millisecond).In(time.FixedZone("", 3600))
	l.Organisations[0].From = l.Organisations[0].From.Add(time.Nanosecond)
	before := l.Clone()
	read, err := trust.Read(credential(t, l))
	require.NoError(t, err)
	require.Equal(t, draft(t, 1), read)
	require.Equal(t, before, l, "the draft stays as it was")
}

func TestList_Refused(t *testing.T) {
	t.Parallel()
	many := func(n int) []trust.Organisation {
		out := make([]trust.Organisation, n)
		for i := range out {
			out[i] = organisation(t, i)
		}
		return out
	}
	link := handover(t, authority(t), successor(t), 5)
	for name, change := range map[string]func(*trust.List){
		"no register":        func(l *trust.List) { l.ID = "" },
		"register no URL":    func(l *trust.List) { l.ID = "organisations" },
		"register too long":  func(l *trust.List) { l.ID = register + strings.Repeat("a", 1000) },
		"no authority":       func(l *trust.List) { l.Authority = did.DID{} },
		"number 0":           func(l *trust.List) { l.Sequence = 0 },
		"number 2^53":        func(l *trust.List) { l.Sequence = 1 << 53 },
		"no beginning":       func(l *trust.List) { l.Issued = time.Time{} },
		"no end":             func(l *trust.List) { l.ValidUntil = time.Time{} },
		"end at the start":   func(l *trust.List) { l.ValidUntil = l.Issued },
		"end within second":  func(l *trust.List) { l.ValidUntil = l.Issued.Add(time.Millisecond) },
		"too many":           func(l *trust.List) { l.Organisations = many(trust.MaxOrganisations + 1) },
		"one ODS code twice": func(l *trust.List) { l.Organisations[1].ODS = l.Organisations[0].ODS },
		"one DID twice":      func(l *trust.List) { l.Organisations[1].DIDs = l.Organisations[0].DIDs },
		"17 successions": func(l *trust.List) {
			for range 17 {
				l.Succession = append(l.Succession, link)
			}
		},
		"succession without bytes": func(l *trust.List) { l.Succession = []vc.Secured{{MediaType: vc.MediaTypeCredential}} },
		"succession too long": func(l *trust.List) {
			l.Succession = []vc.Secured{{MediaType: vc.MediaTypeCredential, Bytes: make([]byte, 16<<10+1)}}
		},
		"succession of another media type": func(l *trust.List) {
			l.Succession = []vc.Secured{{MediaType: "application/vc+sd-jwt", Bytes: []byte("x")}}
		},
		"a wrong entry": func(l *trust.List) { l.Organisations[0].Name = "" },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := draft(t, 3)
			change(l)
			_, err := l.Credential()
			require.ErrorIs(t, err, trust.ErrList)
		})
	}
}

// organisation is one of many.
func organisation(t testing.TB, i int) trust.Organisation {
	id, err := did.Parse(fmt.Sprintf("did:web:rivers-%d.example", i))
	require.NoError(t, err)
	return trust.Organisation{
		ODS: fmt.Sprintf("R%05d", i), Name: fmt.Sprintf("Rivers Hospital %d", i), DIDs: []did.DID{id},
		Issues: []string{schema.Type, coreSkill}, Receives: []string{schema.Type, coreSkill}, From: noon.Add(-30 * day), RegisteredBy: "HR Director",
	}
}

// TestList_Largest is at the limit of organisations, and fits.
func TestList_Largest(t *testing.T) {
	t.Parallel()
	s := sign(t, authority(t), credential(t, draftOf(t, trust.MaxOrganisations)))
	r := with(t, s)
	require.Len(t, r.List().Organisations, trust.MaxOrganisations)
	require.Less(t, len(s.Bytes), 1<<20)
}

// TestList_LargestRDF: the suites that sign RDF take fewer.
func TestList_LargestRDF(t *testing.T) {
	t.Parallel()
	s := securers(t)["eddsa-rdfc-2022"]
	sized := func(n int) *vc.Credential {
		return credential(t, draftOf(t, n))
	}
	signed := secure(t, s, sized(400))
	require.Len(t, with(t, signed).List().Organisations, 400)
	_, err := s.Secure(t.Context(), sized(420))
	require.Error(t, err)
}

// draftOf is an edition with many organisations.
func draftOf(t testing.TB, n int) *trust.List {
	l := draft(t, 1)
	l.Organisations = nil
	for i := range n {
		l.Organisations = append(l.Organisations, organisation(t, i))
	}
	return l
}

func TestOrganisation_Validate(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*trust.Organisation)
		at     vc.Pointer
	}{
		"no ODS code":       {func(o *trust.Organisation) { o.ODS = "" }, "/odsCode"},
		"ODS code small":    {func(o *trust.Organisation) { o.ODS = "rav" }, "/odsCode"},
		"no name":           {func(o *trust.Organisation) { o.Name = "" }, "/name"},
		"name of two lines": {func(o *trust.Organisation) { o.Name = "Alder\nValley" }, "/name"},
		"long name":         {func(o *trust.Organisation) { o.Name = strings.Repeat("a", 201) }, "/name"},
		"no DID":            {func(o *trust.Organisation) { o.DIDs = nil }, "/did"},
		"zero DID":          {func(o *trust.Organisation) { o.DIDs = []did.DID{{}} }, "/did"},
		"one DID twice":     {func(o *trust.Organisation) { o.DIDs = append(o.DIDs, o.DIDs[0]) }, "/did"},
		"nine DIDs": {func(o *trust.Organisation) {
			for i := range 8 {
				o.DIDs = append(o.DIDs, organisation(t, i).DIDs[0])
			}
		}, "/did"},
		"no types":             {func(o *trust.Organisation) { o.Issues, o.Receives = nil, nil }, "/issues"},
		"one type twice":       {func(o *trust.Organisation) { o.Issues = []string{"A", "B", "A"} }, "/issues"},
		"type with a space":    {func(o *trust.Organisation) { o.Receives = []string{"Staff Passport"} }, "/receives"},
		"empty type":           {func(o *trust.Organisation) { o.Receives = []string{""} }, "/receives"},
		"long type":            {func(o *trust.Organisation) { o.Issues = []string{strings.Repeat("a", 201)} }, "/issues"},
		"65 types":             {func(o *trust.Organisation) { o.Issues = manyTypes(65) }, "/issues"},
		"no beginning":         {func(o *trust.Organisation) { o.From = time.Time{} }, "/from"},
		"end before beginning": {func(o *trust.Organisation) { o.Until = o.From.Add(-time.Second) }, "/until"},
		"nobody registered it": {func(o *trust.Organisation) { o.RegisteredBy = " " }, "/registeredBy"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := draft(t, 1).Organisations[0]
			require.NoError(t, o.Validate())
			c.change(&o)
			var e *schema.ValidationError
			require.ErrorAs(t, o.Validate(), &e)
			require.Len(t, e.Violations, 1)
			require.Equal(t, c.at, e.Violations[0].At)
			require.NotEmpty(t, e.Violations[0].Rule)
			require.True(t, strings.HasPrefix(e.Violations[0].Message, "must ") || strings.HasPrefix(e.Violations[0].Message, "is "), e.Violations[0].Message)

			l := draft(t, 1)
			l.Organisations[0] = o
			_, err := l.Credential()
			require.ErrorIs(t, err, trust.ErrList)
			require.True(t, errors.As(err, &e))
		})
	}
	t.Run("everything at once", func(t *testing.T) {
		t.Parallel()
		var e *schema.ValidationError
		require.ErrorAs(t, new(trust.Organisation).Validate(), &e)
		require.Len(t, e.Violations, 6)
	})
	t.Run("at the limits", func(t *testing.T) {
		t.Parallel()
		o := draft(t, 1).Organisations[0]
		o.Issues, o.Name, o.Receives, o.DIDs = manyTypes(64), strings.Repeat("a", 200), []string{strings.Repeat("a", 200)}, nil
		for i := range 8 {
			o.DIDs = append(o.DIDs, organisation(t, i).DIDs[0])
		}
		require.NoError(t, o.Validate())
	})
}

func manyTypes(n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = fmt.Sprintf("Type%d", i)
	}
	return out
}

// document is a list as a tree, to be changed.
func document(t testing.TB, l *trust.List) (doc, subject *strictjson.Object) {
	t.Helper()
	doc, err := credential(t, l).Object()
	require.NoError(t, err)
	v, _ := doc.Get("credentialSubject")
	return doc, v.(*strictjson.Object)
}

func TestRead_Refused(t *testing.T) {
	t.Parallel()
	first := func(subject *strictjson.Object) *strictjson.Object {
		v, _ := subject.Get("organisation")
		return v.([]any)[0].(*strictjson.Object)
	}
	set := func(name string, value any) func(doc, subject *strictjson.Object) {
		return func(_, subject *strictjson.Object) { subject.Set(name, value) }
	}
	entry := func(name string, value any) func(doc, subject *strictjson.Object) {
		return func(_, subject *strictjson.Object) { first(subject).Set(name, value) }
	}
	for name, change := range map[string]func(doc, subject *strictjson.Object){
		"another type":        func(doc, _ *strictjson.Object) { doc.Set("type", []any{vc.TypeCredential, schema.Type}) },
		"a further type":      func(doc, _ *strictjson.Object) { doc.Set("type", []any{vc.TypeCredential, trust.Type, "Other"}) },
		"another context":     func(doc, _ *strictjson.Object) { doc.Set("@context", []any{vc.ContextV2}) },
		"issuer no DID":       func(doc, _ *strictjson.Object) { doc.Set("issuer", "https://register.example") },
		"no id":               func(doc, _ *strictjson.Object) { doc.Delete("id") },
		"no start":            func(doc, _ *strictjson.Object) { doc.Delete("validFrom") },
		"no end":              func(doc, _ *strictjson.Object) { doc.Delete("validUntil") },
		"two subjects":        func(doc, s *strictjson.Object) { doc.Set("credentialSubject", []any{s, s}) },
		"no number":           func(_, s *strictjson.Object) { s.Delete("sequence") },
		"number as text":      set("sequence", "3"),
		"number negative":     set("sequence", strictjson.Number("-3")),
		"number a fraction":   set("sequence", strictjson.Number("3.5")),
		"number an exponent":  set("sequence", strictjson.Number("3e2")),
		"unknown member":      set("exceptions", "none"),
		"subject with id":     set("id", "https://register.example/"),
		"no array":            set("organisation", "none"),
		"empty array":         set("organisation", []any{}),
		"entry no object":     set("organisation", []any{"RAV"}),
		"entry null":          set("organisation", []any{nil}),
		"succession no text":  set("succession", []any{strictjson.NewObject()}),
		"succession no data":  set("succession", []any{"https://register.example/"}),
		"succession not b64":  set("succession", []any{"data:application/vc;base64,+"}),
		"succession empty":    set("succession", []any{"data:application/vc;base64,"}),
		"succession newline":  set("succession", []any{"data:application/vc;base64,QUJ\nD"}),
		"succession type":     set("succession", []any{"data:text/html;base64,QUJD"}),
		"succession plain":    set("succession", []any{"data:application/vc,{}"}),
		"succession too long": set("succession", []any{"data:application/vc;base64," + strings.Repeat("QUJD", 6000)}),
		"entry: unknown":      entry("vetted", true),
		"entry: no code":      entry("odsCode", nil),
		"entry: code":         entry("odsCode", "r"),
		"entry: name":         entry("name", strictjson.NewObject()),
		"entry: DID text":     entry("did", employer(t).id.String()),
		"entry: DID":          entry("did", []any{"https://alder.example"}),
		"entry: DID URL":      entry("did", []any{employer(t).id.String() + "#key"}),
		"entry: issues text":  entry("issues", schema.Type),
		"entry: issues mixed": entry("issues", []any{schema.Type, nil}),
		"entry: no from":      func(_, s *strictjson.Object) { first(s).Delete("from") },
		"entry: from no zone": entry("from", "2026-03-02T12:00:00"),
		"entry: from zone":    entry("from", "2026-03-02T12:00:00+01:00"),
		"entry: from date":    entry("from", "2026-03-02"),
		"entry: from finer":   entry("from", "2026-03-02T12:00:00.5Z"),
		"entry: until null":   entry("until", nil),
		"entry: until early":  entry("until", "2020-03-02T12:00:00Z"),
		"entry: no office":    func(_, s *strictjson.Object) { first(s).Delete("registeredBy") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			doc, subject := document(t, draft(t, 3))
			change(doc, subject)
			c, err := vc.ParseObject(doc)
			require.NoError(t, err, "a credential, but no list")
			_, err = trust.Read(c)
			require.ErrorIs(t, err, trust.ErrList)
		})
	}
	_, err := trust.Read(nil)
	require.ErrorIs(t, err, trust.ErrList)
}

func TestSuccession_Credential(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*trust.Succession){
		"no register":     func(s *trust.Succession) { s.Register = "" },
		"register no URL": func(s *trust.Succession) { s.Register = "here" },
		"from nobody":     func(s *trust.Succession) { s.From = did.DID{} },
		"to nobody":       func(s *trust.Succession) { s.To = did.DID{} },
		"to itself":       func(s *trust.Succession) { s.To = s.From },
		"number 2^53":     func(s *trust.Succession) { s.After = 1 << 53 },
		"no time":         func(s *trust.Succession) { s.Issued = time.Time{} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := &trust.Succession{Register: register, From: authority(t).id, To: successor(t).id, After: 5, Issued: noon}
			_, err := s.Credential()
			require.NoError(t, err)
			change(s)
			_, err = s.Credential()
			require.ErrorIs(t, err, trust.ErrList)
		})
	}
}

func TestReadSuccession(t *testing.T) {
	t.Parallel()
	s := &trust.Succession{Register: register, From: authority(t).id, To: successor(t).id, After: 5, Issued: noon}
	c, err := s.Credential()
	require.NoError(t, err)
	read, err := trust.ReadSuccession(c)
	require.NoError(t, err)
	require.Equal(t, s, read)
	for name, change := range map[string]func(doc, subject *strictjson.Object){
		"a list":        func(doc, _ *strictjson.Object) { doc.Set("type", []any{vc.TypeCredential, trust.Type}) },
		"to a name":     func(_, s *strictjson.Object) { s.Set("id", "https://register.example/") },
		"no register":   func(_, s *strictjson.Object) { s.Delete("register") },
		"no number":     func(_, s *strictjson.Object) { s.Delete("after") },
		"another thing": func(_, s *strictjson.Object) { s.Set("before", strictjson.Number("3")) },
		"by a name":     func(doc, _ *strictjson.Object) { doc.Set("issuer", "https://register.example/") },
		"without time":  func(doc, _ *strictjson.Object) { doc.Delete("validFrom") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			doc, err := c.Object()
			require.NoError(t, err)
			v, _ := doc.Get("credentialSubject")
			change(doc, v.(*strictjson.Object))
			changed, err := vc.ParseObject(doc)
			require.NoError(t, err)
			_, err = trust.ReadSuccession(changed)
			require.ErrorIs(t, err, trust.ErrList)
		})
	}
}

// TestEveryMemberIsAStatement: what is in a list is in what the suites that sign RDF
// sign, each value by itself.
func TestEveryMemberIsAStatement(t *testing.T) {
	t.Parallel()
	l := draft(t, 3)
	l.Organisations[0].Until = noon.Add(day)
	l.Succession = []vc.Secured{handover(t, authority(t), successor(t), 5)}
	doc, err := credential(t, l).Object()
	require.NoError(t, err)
	quads, err := trust.Contexts().Documents().ToRDF(doc, nil)
	require.NoError(t, err)
	count := map[string]int{}
	for _, q := range quads {
		require.Equal(t, rdf.DefaultGraph, q.Graph.Kind)
		count[strings.TrimPrefix(q.Predicate.Value, trust.ContextURL)]++
	}
	require.Equal(t, map[string]int{
		"http://www.w3.org/1999/02/22-rdf-syntax-ns#type":       2,
		"https://www.w3.org/2018/credentials#issuer":            1,
		"https://www.w3.org/2018/credentials#validFrom":         1,
		"https://www.w3.org/2018/credentials#validUntil":        1,
		"https://www.w3.org/2018/credentials#credentialSubject": 1,
		"https://schema.org/name":                               2,
		"#sequence":                                             1,
		"#organisation":                                         2,
		"#succession":                                           1,
		"#odsCode":                                              2,
		"#did":                                                  2,
		"#issues":                                               2,
		"#receives":                                             2,
		"#from":                                                 2,
		"#until":                                                2,
		"#registeredBy":                                         2,
	}, count)

	c, err := (&trust.Succession{Register: register, From: authority(t).id, To: successor(t).id, After: 5, Issued: noon}).Credential()
	require.NoError(t, err)
	doc, err = c.Object()
	require.NoError(t, err)
	quads, err = trust.Contexts().Documents().ToRDF(doc, nil)
	require.NoError(t, err)
	require.Len(t, quads, 2+1+1+1+2, "two types, issuer, validFrom, subject, register and after")
}

func TestContextDocument(t *testing.T) {
	t.Parallel()
	a := trust.ContextDocument()
	a[0] = 'x'
	require.True(t, bytes.HasPrefix(trust.ContextDocument(), []byte("{")), "a copy")
}

func TestList_Organisation(t *testing.T) {
	t.Parallel()
	l := draft(t, 1)
	o, ok := l.Organisation(employer(t).id)
	require.True(t, ok)
	require.Equal(t, "RAV", o.ODS)
	o.DIDs[0] = stranger(t).id
	_, ok = l.Organisation(stranger(t).id)
	require.False(t, ok, "a copy")
}
