package disclose

import (
	"context"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/vc"
)

// faulty is a format that shows something else than it was asked for.
type faulty struct {
	doc   *strictjson.Object
	shows string
}

func (f faulty) document() *strictjson.Object { return f.doc }
func (f faulty) bearer() bool                 { return false }

func (f faulty) mark(leaves []leaf) ([]vc.Pointer, error) {
	for i := range leaves {
		leaves[i].always = !covers("/credentialSubject", leaves[i].at)
	}
	return nil, nil
}

func (f faulty) derive(context.Context, *Request, []vc.Pointer) (vc.Secured, error) {
	return vc.Secured{MediaType: vc.MediaTypeCredential, Bytes: []byte(f.shows)}, nil
}

func (f faulty) read(s vc.Secured) (*strictjson.Object, error) { return (&proven{}).read(s) }

// TestWhatAFormatMadeIsReadAgain: a fault of a format is caught before anything
// leaves.
func TestWhatAFormatMadeIsReadAgain(t *testing.T) {
	t.Parallel()
	const head = `{"@context":["https://www.w3.org/ns/credentials/v2"],"type":["VerifiableCredential"],"issuer":"did:example:alder",`
	const tail = `,"proof":{"type":"DataIntegrityProof","cryptosuite":"x","proofValue":"u2V0BAAAA"}}`
	doc, err := strictjson.ParseObject([]byte(head + `"credentialSubject":{"a":{"x":"1","y":"2"},"b":["3","4"]}}`))
	require.NoError(t, err)
	for name, c := range map[string]struct {
		shows string
		want  error
	}{
		"as asked":       {head + `"credentialSubject":{"a":{"x":"1"},"b":["4"]}` + tail, nil},
		"empty besides":  {head + `"credentialSubject":{"a":{"x":"1"},"b":["4"],"c":{"d":[]}}` + tail, nil},
		"one more":       {head + `"credentialSubject":{"a":{"x":"1","y":"2"},"b":["4"]}` + tail, ErrRevealsMore},
		"another":        {head + `"credentialSubject":{"a":{"y":"2"},"b":["4"]}` + tail, ErrRevealsMore},
		"another place":  {head + `"credentialSubject":{"a":{"x":"1"},"b":["3"]}` + tail, ErrRevealsMore},
		"invented":       {head + `"credentialSubject":{"a":{"x":"1"},"b":["4"]},"name":"x"` + tail, ErrRevealsMore},
		"less":           {head + `"credentialSubject":{"a":{"x":"1"}}` + tail, ErrRevealsMore},
		"another value":  {head + `"credentialSubject":{"a":{"x":"9"},"b":["4"]}` + tail, ErrRevealsMore},
		"another issuer": {`{"@context":["https://www.w3.org/ns/credentials/v2"],"type":["VerifiableCredential"],"issuer":"did:example:styx","credentialSubject":{"a":{"x":"1"},"b":["4"]}` + tail, ErrRevealsMore},
		"no proof":       {head + `"credentialSubject":{"a":{"x":"1"},"b":["4"]}}`, ErrFormat},
		"base proof":     {head + `"credentialSubject":{"a":{"x":"1"},"b":["4"]},"proof":{"cryptosuite":"ecdsa-sd-2023","proofValue":"u2V0AAAAA"}}`, ErrBaseProof},
		"base of bbs":    {head + `"credentialSubject":{"a":{"x":"1"},"b":["4"]},"proof":{"cryptosuite":"bbs-2023","proofValue":"u2V0CAAAA"}}`, ErrBaseProof},
		"not JSON":       {head, ErrFormat},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := &plan{held: faulty{doc, c.shows}, reveal: []vc.Pointer{"/credentialSubject/a/x", "/credentialSubject/b/1"}}
			require.NoError(t, p.decide())
			s, err := p.held.derive(context.Background(), nil, p.reveal)
			require.NoError(t, err)
			require.ErrorIs(t, p.check(s), c.want)
		})
	}
}

// TestMark is about base proofs of other issuers, who made other things mandatory
// than this module does.
func TestMark(t *testing.T) {
	t.Parallel()
	doc, err := strictjson.ParseObject([]byte(`{"@context":["c"],"id":"urn:x:1","type":["T"],"issuer":{"id":"did:example:alder","name":"n"},
		"credentialSubject":{"id":"did:example:rowan","type":"Person","a":{"id":"urn:x:2","b":{"type":["B"],"c":1},"d":2},"e":3}}`))
	require.NoError(t, err)
	const s = "/credentialSubject"
	for name, c := range map[string]struct {
		mandatory, reveal, always, more []vc.Pointer
	}{
		"nothing":              {},
		"a claim":              {reveal: []vc.Pointer{s + "/e"}, always: []vc.Pointer{s + "/id", s + "/type"}},
		"a part of the issuer": {mandatory: []vc.Pointer{"/issuer/name"}, always: []vc.Pointer{"/issuer/id", "/issuer/name"}},
		"inside a node":        {reveal: []vc.Pointer{s + "/a/d"}, always: []vc.Pointer{s + "/id", s + "/type"}, more: []vc.Pointer{s + "/a/id"}},
		"inside two nodes":     {reveal: []vc.Pointer{s + "/a/b/c"}, always: []vc.Pointer{s + "/id", s + "/type"}, more: []vc.Pointer{s + "/a/id", s + "/a/b/type/0"}},
		"a name alone":         {reveal: []vc.Pointer{s + "/a/id"}, always: []vc.Pointer{s + "/id", s + "/type"}},
		"with its names":       {reveal: []vc.Pointer{s + "/a/b", s + "/a/id"}, always: []vc.Pointer{s + "/id", s + "/type"}},
		"mandatory inside": {mandatory: []vc.Pointer{s + "/a/b/c"}, reveal: []vc.Pointer{s + "/a/d"},
			always: []vc.Pointer{s + "/id", s + "/type", s + "/a/id", s + "/a/b/type/0", s + "/a/b/c"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			leaves, err := leavesOf(doc)
			require.NoError(t, err)
			for i := range leaves {
				leaves[i].named = slices.ContainsFunc(c.reveal, func(p vc.Pointer) bool { return covers(p, leaves[i].at) })
			}
			more, err := (&proven{doc: doc, mandatory: c.mandatory}).mark(leaves)
			require.NoError(t, err)
			require.Equal(t, c.more, more)
			var always []vc.Pointer
			for _, l := range leaves {
				if l.always {
					always = append(always, l.at)
				}
			}
			require.Equal(t, append([]vc.Pointer{"/@context", "/id", "/type/0"}, c.always...), always)
		})
	}
}

func TestBaseValue(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]bool{
		"u2V0A":         true,  // d9 5d 00: ecdsa-sd-2023
		"u2V0AhVhA":     true,  //
		"u2V0C":         true,  // d9 5d 02: bbs-2023
		"u2V0EAAAA":     true,  // d9 5d 04: bbs-2023 with holder binding
		"u2V0I":         true,  // d9 5d 08
		"u2V0B":         false, // derived
		"u2V0D":         false,
		"u2V0Dhg":       false,
		"":              false,
		"u":             false,
		"u2V0":          false,
		"z2V0A":         false,
		"uAAAA":         false,
		"u****":         false,
		"z3FXQjecWufY4": false,
	} {
		require.Equal(t, want, baseValue(value), value)
	}
	for doc, want := range map[string]bool{
		`{"a":[{"b":{"proof":[{"proofValue":"u2V0AhVhA"}]}}]}`: true,
		`{"a":[{"b":{"proof":[{"proofValue":"u2V0BhVhA"}]}}]}`: false,
		`{"proofValue":1}`: false,
	} {
		o, err := strictjson.ParseObject([]byte(doc))
		require.NoError(t, err)
		require.Equal(t, want, hasBase(o), doc)
	}
}

func TestCovers(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		p, at vc.Pointer
		want  bool
	}{
		{"", "/a", true}, {"", "", true}, {"/a", "/a", true}, {"/a", "/a/b", true},
		{"/a", "/ab", false}, {"/a/b", "/a", false}, {"/a/", "/a/b", false}, {"/b", "/a", false},
	} {
		require.Equal(t, c.want, covers(c.p, c.at), "%s %s", c.p, c.at)
	}
}

func TestIdentifies(t *testing.T) {
	t.Parallel()
	for at, want := range map[vc.Pointer]vc.Pointer{
		"/id": "", "/type/0": "", "/a/id": "/a", "/a/@id": "/a", "/a/type": "/a", "/a/@type/12": "/a",
		"/a/b/type/1": "/a/b", "/type/type": "/type",
	} {
		owner, ok := identifies(at)
		require.True(t, ok, at)
		require.Equal(t, want, owner, at)
	}
	for _, at := range []vc.Pointer{"", "/a", "/ids", "/a/typed", "/a/type/x", "/a/type/", "/a/type/0/b", "/id/a", "/a/idtype"} {
		_, ok := identifies(at)
		require.False(t, ok, at)
	}
}
