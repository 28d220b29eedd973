package sdprim_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/internal/jsonld"
	"github.com/staffpassport/staffpassport/internal/rdfcanon"
	"github.com/staffpassport/staffpassport/internal/sdprim"
	"github.com/staffpassport/staffpassport/internal/strictjson"
)

const garden = `{
	"@context": {"@version": 1.1, "@vocab": "urn:garden:", "id": "@id", "type": "@type",
		"json": {"@id": "urn:garden:json", "@type": "@json"}, "link": {"@type": "@id"}},
	"id": "urn:example:credential", "type": ["Credential", "Passport"],
	"issuer": {"id": "urn:example:issuer", "name": "Severn"},
	"subject": {"type": "Person", "name": "Rowan", "a/b": "slash", "m~n": "tilde",
		"roles": [{"type": "Role", "post": "gardener", "hours": 20}, {"type": "Role", "post": "botanist", "hours": 18}, "volunteer"],
		"twins": [{"leaf": "oak"}, {"leaf": "oak"}],
		"address": {"city": "Tamar", "lines": ["1 Bank", "Quay"]}},
	"note": {"@value": "ja", "@language": "de"},
	"known": {"id": "urn:example:friend", "name": "Hazel"}, "link": "urn:example:friend",
	"json": {"a": 1, "b": [2]}}`

func parse(t testing.TB, text string) *strictjson.Object {
	t.Helper()
	o, err := strictjson.ParseObject([]byte(text))
	require.NoError(t, err)
	return o
}

func statements(t testing.TB, text string) *sdprim.Statements {
	t.Helper()
	s, err := sdprim.Canonicalize(t.Context(), jsonld.Embedded(), parse(t, text), sdprim.HMACLabels([]byte("key")))
	require.NoError(t, err)
	return s
}

func TestSelect(t *testing.T) {
	t.Parallel()
	s := statements(t, garden)
	const head = `"id": "urn:example:credential", "type": ["Credential", "Passport"]`
	for name, c := range map[string]struct {
		pointers []string
		want     string // without @context
	}{
		"a value":            {[]string{"/subject/name"}, `{` + head + `, "subject": {"type": "Person", "name": "Rowan"}}`},
		"an object":          {[]string{"/subject/address"}, `{` + head + `, "subject": {"type": "Person", "address": {"city": "Tamar", "lines": ["1 Bank", "Quay"]}}}`},
		"an array":           {[]string{"/subject/twins"}, `{` + head + `, "subject": {"type": "Person", "twins": [{"leaf": "oak"}, {"leaf": "oak"}]}}`},
		"an element":         {[]string{"/subject/roles/1/post"}, `{` + head + `, "subject": {"type": "Person", "roles": [{"type": "Role", "post": "botanist"}]}}`},
		"elements are dense": {[]string{"/subject/roles/2", "/subject/roles/0"}, `{` + head + `, "subject": {"type": "Person", "roles": [{"type": "Role", "post": "gardener", "hours": 20}, "volunteer"]}}`},
		"one twin":           {[]string{"/subject/twins/1"}, `{` + head + `, "subject": {"type": "Person", "twins": [{"leaf": "oak"}]}}`},
		"whole after part":   {[]string{"/issuer/name", "/issuer"}, `{` + head + `, "issuer": {"id": "urn:example:issuer", "name": "Severn"}}`},
		"part after whole":   {[]string{"/issuer", "/issuer/name"}, `{` + head + `, "issuer": {"id": "urn:example:issuer", "name": "Severn"}}`},
		"id goes along":      {[]string{"/issuer/id"}, `{` + head + `, "issuer": {"id": "urn:example:issuer"}}`},
		"type":               {[]string{"/type/1"}, `{` + head + `}`},
		"escaped":            {[]string{"/subject/a~1b", "/subject/m~0n"}, `{` + head + `, "subject": {"type": "Person", "a/b": "slash", "m~n": "tilde"}}`},
		"language":           {[]string{"/note"}, `{` + head + `, "note": {"@value": "ja", "@language": "de"}}`},
		"a known node":       {[]string{"/known/name"}, `{` + head + `, "known": {"id": "urn:example:friend", "name": "Hazel"}}`},
		"link to it":         {[]string{"/link"}, `{` + head + `, "link": "urn:example:friend"}`},
		"JSON":               {[]string{"/json"}, `{` + head + `, "json": {"a": 1, "b": [2]}}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := s.Select(c.pointers)
			require.NoError(t, err)
			want := parse(t, c.want)
			doc := got.Document.Clone()
			doc.Delete("@context")
			require.True(t, strictjson.Equal(want, doc))
			seenByVerifier(t, s, got)
			slices.Reverse(c.pointers)
			again, err := s.Select(c.pointers)
			require.NoError(t, err)
			require.Equal(t, got.Matching, again.Matching)
		})
	}

	t.Run("all", func(t *testing.T) {
		t.Parallel()
		got, err := s.Select([]string{""})
		require.NoError(t, err)
		require.Len(t, got.Matching, len(s.Lines))
		seenByVerifier(t, s, got)
	})
	t.Run("nothing", func(t *testing.T) {
		t.Parallel()
		got, err := s.Select(nil)
		require.NoError(t, err)
		require.Nil(t, got.Document)
		require.Empty(t, got.Matching)
	})
}

// seenByVerifier comes from the selected document alone to the selected statements.
func seenByVerifier(t testing.TB, s *sdprim.Statements, x *sdprim.Selection) {
	t.Helper()
	text, err := strictjson.Append(nil, x.Document)
	require.NoError(t, err)
	labels, err := x.VerifierLabels(t.Context())
	require.NoError(t, err)
	seen, err := sdprim.Canonicalize(t.Context(), jsonld.Embedded(), parse(t, string(text)), sdprim.GivenLabels(labels))
	require.NoError(t, err)
	require.Equal(t, pick(s.Lines, x.Matching), seen.Lines)
}

func TestPointersRefused(t *testing.T) {
	t.Parallel()
	s := statements(t, garden)
	for name, c := range map[string]struct {
		pointer string
		want    error
	}{
		"nothing there":         {"/subject/nickname", sdprim.ErrPointer},
		"below a value":         {"/subject/name/first", sdprim.ErrPointer},
		"no slash":              {"subject", sdprim.ErrPointer},
		"empty token":           {"/", sdprim.ErrPointer},
		"trailing slash":        {"/subject/", sdprim.ErrPointer},
		"past the end":          {"/subject/roles/3", sdprim.ErrPointer},
		"the end":               {"/subject/roles/-", sdprim.ErrPointer},
		"leading zero":          {"/subject/roles/01", sdprim.ErrPointer},
		"negative":              {"/subject/roles/-1", sdprim.ErrPointer},
		"plus":                  {"/subject/roles/+1", sdprim.ErrPointer},
		"huge":                  {"/subject/roles/99999999999999999999", sdprim.ErrPointer},
		"name of an array":      {"/subject/roles/post", sdprim.ErrPointer},
		"bad escape":            {"/subject/m~2n", sdprim.ErrPointer},
		"half an escape":        {"/subject/m~", sdprim.ErrPointer},
		"other case":            {"/Subject/name", sdprim.ErrPointer},
		"context":               {"/@context", sdprim.ErrPointer},
		"in the context":        {"/@context/@vocab", sdprim.ErrPointer},
		"value, no language":    {"/note/@value", sdprim.ErrPart},
		"language, no value":    {"/note/@language", sdprim.ErrPart},
		"part of a JSON value":  {"/json/a", sdprim.ErrPart},
		"part of a JSON value2": {"/json/b/0", sdprim.ErrPart},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := s.Select([]string{c.pointer})
			require.ErrorIs(t, err, c.want)
			_, err = s.Select([]string{"/subject/name", c.pointer, "/issuer"})
			require.ErrorIs(t, err, c.want)
		})
	}
	_, err := s.Select(slices.Repeat([]string{"/issuer"}, 1024))
	require.NoError(t, err)
	_, err = s.Select(slices.Repeat([]string{"/issuer"}, 1025))
	require.ErrorIs(t, err, sdprim.ErrPointer)
}

func TestLabels(t *testing.T) {
	t.Parallel()
	// The figures of both specifications' examples: c14n0 and others under the key
	// of 00 11 22 ... FF twice.
	key := slices.Repeat([]byte{0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff}, 2)
	got, err := sdprim.HMACLabels(key)(3)
	require.NoError(t, err)
	require.Equal(t, []string{"u4YIOZn1MHES1Z4Ij2hWZG3R4dEYBqg5fHTyDEvYhC38", "u3Lv2QpFgo-YAegc1cQQKWJFW2sEjQF6FfuZ0VEoMKHg",
		"uVkUuBrlOaELGVQWJD4M_qW5bcKEHWGNbOrPA_qAOKKw"}, got)
	got, err = sdprim.ShuffledLabels(key)(3)
	require.NoError(t, err)
	require.Equal(t, []string{"b1", "b0", "b2"}, got)

	doc := parse(t, garden)
	n := 6
	good := make([]string, n)
	for i := range good {
		good[i] = fmt.Sprintf("b%d", i)
	}
	_, err = sdprim.Canonicalize(t.Context(), jsonld.Embedded(), doc, sdprim.GivenLabels(good))
	require.NoError(t, err)
	for name, labels := range map[string][]string{
		"one short":          good[1:],
		"none":               nil,
		"one more":           append(slices.Clone(good), "b9"),
		"two nodes become 1": append(slices.Clone(good[1:]), "b1"),
		"empty":              append(slices.Clone(good[1:]), ""),
		"breaks out":         append(slices.Clone(good[1:]), "b> <urn:p> <urn:o"),
		"a space":            append(slices.Clone(good[1:]), "b 1"),
		"begins with a dash": append(slices.Clone(good[1:]), "-b"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := sdprim.Canonicalize(t.Context(), jsonld.Embedded(), doc, sdprim.GivenLabels(labels))
			require.ErrorIs(t, err, sdprim.ErrLabels)
			_, err = sdprim.Canonicalize(t.Context(), jsonld.Embedded(), doc, func(int) ([]string, error) { return labels, nil })
			require.ErrorIs(t, err, sdprim.ErrLabels)
		})
	}
}

func TestDocumentsRefused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		doc  string
		want error
	}{
		"says nothing":   {`{"@context": {"@vocab": "urn:v:"}}`, sdprim.ErrEmpty},
		"undefined term": {`{"@context": {"name": "urn:name"}, "nickname": "x"}`, jsonld.ErrUndefinedTerm},
		"null":           {`{"@context": {"@vocab": "urn:v:"}, "name": null, "p": "v"}`, jsonld.ErrDropped},
		"a blank label":  {`{"@context": {"@vocab": "urn:v:", "id": "@id"}, "id": "_:n", "p": "v"}`, jsonld.ErrDropped},
		"too complex":    {alike(8), rdfcanon.ErrLimit},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := sdprim.Canonicalize(t.Context(), jsonld.Embedded(), parse(t, c.doc), sdprim.HMACLabels(nil))
			require.ErrorIs(t, err, c.want)
			doc := parse(t, c.doc)
			_, err = sdprim.HashOptions(t.Context(), jsonld.Embedded(), doc, doc)
			require.ErrorIs(t, err, c.want)
		})
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := sdprim.Canonicalize(ctx, jsonld.Embedded(), parse(t, alike(8)), sdprim.HMACLabels(nil))
	require.ErrorIs(t, err, context.Canceled)
}

// alike has two blank nodes of which the same is said, with n such nodes each.
func alike(n int) string {
	one := `{"p": [` + strings.TrimSuffix(strings.Repeat(`{"q": "v"},`, n), ",") + `]}`
	return `{"@context": {"@vocab": "urn:v:"}, "p": [` + one + "," + one + `]}`
}

func TestGroups(t *testing.T) {
	t.Parallel()
	require.Equal(t, []int{0, 2}, sdprim.Relative([]int{3, 5, 9}, []int{3, 9}))
	require.Equal(t, []int{1}, sdprim.Relative([]int{3, 5, 9}, []int{0, 5, 7}))
	require.Empty(t, sdprim.Relative(nil, []int{1}))
	require.Equal(t, []int{0, 2}, sdprim.Without(3, []int{1}))
	require.Equal(t, []int{0, 1, 2}, sdprim.Without(3, nil))
	require.Empty(t, sdprim.Without(2, []int{0, 1}))
}

func TestMandatoryPointers(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		doc         string
		given, want []string
	}{
		"all":           {`{"issuer": "x", "validFrom": "x", "validUntil": "x", "credentialStatus": {}, "credentialSubject": {"id": "x"}}`, nil, []string{"/issuer", "/validFrom", "/validUntil", "/credentialStatus", "/credentialSubject/id"}},
		"given first":   {`{"issuer": "x", "validUntil": "x"}`, []string{"/name", "/issuer"}, []string{"/name", "/issuer", "/validUntil"}},
		"no id":         {`{"credentialSubject": {"name": "x"}}`, nil, nil},
		"some subjects": {`{"credentialSubject": [{"id": "x"}, {"name": "x"}, {"id": "y"}, 7]}`, nil, []string{"/credentialSubject/0/id", "/credentialSubject/2/id"}},
		"data model 1":  {`{"issuanceDate": "x", "expirationDate": "x"}`, nil, []string{"/issuanceDate", "/expirationDate"}},
		"nothing":       {`{}`, nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, c.want, sdprim.MandatoryPointers(parse(t, c.doc), c.given))
		})
	}
}

// Whatever pointers select, a verifier sees just those statements, and each
// statement is there that a pointer alone would show.
func FuzzSelect(f *testing.F) {
	f.Add("/subject/name\n/issuer")
	f.Add("/subject/roles/1/post\n/subject/roles/0")
	f.Add("/subject/twins/0\n/json")
	f.Add("\n/note")
	f.Fuzz(func(t *testing.T, text string) {
		s := statements(t, garden)
		pointers := strings.Split(text, "\n")
		x, err := s.Select(pointers)
		if err != nil {
			return
		}
		seenByVerifier(t, s, x)
		for _, p := range pointers {
			one, err := s.Select([]string{p})
			if err == nil { // by itself it may be a part of one value
				require.Len(t, sdprim.Relative(x.Matching, one.Matching), len(one.Matching))
			}
		}
	})
}
