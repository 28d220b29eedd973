package sdjwt_test

import (
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/sdjwt"
)

const vct = contextURL + "#StaffPassportCredential"

// typed issues a small credential, with an array, and presents it.
func typed(t *testing.T, disclosable []vc.Pointer, reveal ...vc.Pointer) (whole, shown *sdjwt.Token) {
	t.Helper()
	f := newFixture(t, sdjwt.MediaTypeSDJWTVC, disclosable...)
	f.credential.Subject = []byte(`{"name":"Rowan","role":{"title":"Nurse","band":"5"},"sites":["Alder","Willow",{"ward":"Fern"}]}`)
	s := f.secure(t)
	whole, err := sdjwt.Parse(s)
	require.NoError(t, err)
	shown, err = sdjwt.Parse(f.present(t, s, reveal...))
	require.NoError(t, err)
	return whole, shown
}

func sri(document string) (sha256SRI, sha384SRI string) {
	a, b := sha256.Sum256([]byte(document)), sha512.Sum384([]byte(document))
	return "sha256-" + base64.StdEncoding.EncodeToString(a[:]), "sha384-" + base64.StdEncoding.EncodeToString(b[:])
}

func TestReadTypeMetadata(t *testing.T) {
	t.Parallel()
	base := `{"vct":"urn:base","claims":[{"path":["name"],"display":[{"label":"Full Name","locale":"en"}]},{"path":["address","city"],"mandatory":true,"sd":"always","svg_id":"city_1"}]}`
	child := `{"vct":"urn:child","name":"Child","description":"A child","extends":"urn:base","display":[{"locale":"en"}],"unknown":1,"claims":[{"path":["address","city"],"display":[{"label":"Town","locale":"en","description":"d"}]},{"path":["nationalities",null]},{"path":["list",0],"sd":"never","mandatory":false}]}`
	a, b := sri(child)
	for _, integrity := range []string{"", a, b, "sha256-AAAA " + a, b + " " + a, "md5-x " + a + "?option"} {
		m, err := sdjwt.ReadTypeMetadata(map[string][]byte{"urn:base": []byte(base), "urn:child": []byte(child)}, "urn:child", integrity)
		require.NoError(t, err, integrity)
		require.Equal(t, "urn:child", m.Type)
		require.Equal(t, "Child", m.Name)
		require.Equal(t, "A child", m.Description)
		require.Equal(t, []string{"urn:base"}, m.Extends)
	}
	wrong, _ := sri(base)
	for _, integrity := range []string{wrong, "sha256-AAAA", "md5-" + a[7:], " ", "sha384-" + a[7:], wrong + " x", "sha512-" + b[7:] + " " + wrong} {
		_, err := sdjwt.ReadTypeMetadata(map[string][]byte{"urn:base": []byte(base), "urn:child": []byte(child)}, "urn:child", integrity)
		require.ErrorIs(t, err, sdjwt.ErrTypeMetadata, integrity)
	}
}

func TestReadTypeMetadata_Refuses(t *testing.T) {
	t.Parallel()
	claim := func(s string) string { return `{"vct":"urn:a","claims":[` + s + `]}` }
	chain := map[string][]byte{}
	for i := range 12 {
		chain[fmt.Sprint("urn:", i)] = fmt.Appendf(nil, `{"vct":"urn:%d","extends":"urn:%d"}`, i, i+1)
	}
	chain["urn:12"] = []byte(`{"vct":"urn:12"}`)
	_, err := sdjwt.ReadTypeMetadata(chain, "urn:4", "")
	require.NoError(t, err, "8 types extended")
	_, err = sdjwt.ReadTypeMetadata(chain, "urn:3", "")
	require.ErrorIs(t, err, sdjwt.ErrTypeMetadata, "9 types extended")
	for name, documents := range map[string]map[string]string{
		"unknown":                {},
		"not JSON":               {"urn:a": `{`},
		"array":                  {"urn:a": `[]`},
		"twice":                  {"urn:a": `{"vct":"urn:a","vct":"urn:a"}`},
		"other type":             {"urn:a": `{"vct":"urn:b"}`},
		"no vct":                 {"urn:a": `{}`},
		"extends unknown":        {"urn:a": `{"vct":"urn:a","extends":"urn:b"}`},
		"extends itself":         {"urn:a": `{"vct":"urn:a","extends":"urn:a"}`},
		"extends number":         {"urn:a": `{"vct":"urn:a","extends":5}`},
		"extends empty":          {"urn:a": `{"vct":"urn:a","extends":""}`},
		"circle":                 {"urn:a": `{"vct":"urn:a","extends":"urn:b"}`, "urn:b": `{"vct":"urn:b","extends":"urn:a"}`},
		"circle above":           {"urn:a": `{"vct":"urn:a","extends":"urn:b"}`, "urn:b": `{"vct":"urn:b","extends":"urn:b"}`},
		"wrong digest of base":   {"urn:a": `{"vct":"urn:a","extends":"urn:b","extends#integrity":"sha256-AAAA"}`, "urn:b": `{"vct":"urn:b"}`},
		"digest of base empty":   {"urn:a": `{"vct":"urn:a","extends":"urn:b","extends#integrity":""}`, "urn:b": `{"vct":"urn:b"}`},
		"claims object":          {"urn:a": `{"vct":"urn:a","claims":{}}`},
		"claims null":            {"urn:a": `{"vct":"urn:a","claims":null}`},
		"claim text":             {"urn:a": claim(`"x"`)},
		"no path":                {"urn:a": claim(`{}`)},
		"empty path":             {"urn:a": claim(`{"path":[]}`)},
		"path text":              {"urn:a": claim(`{"path":"x"}`)},
		"path negative":          {"urn:a": claim(`{"path":[-1]}`)},
		"path fraction":          {"urn:a": claim(`{"path":[1.5]}`)},
		"path bool":              {"urn:a": claim(`{"path":[true]}`)},
		"path object":            {"urn:a": claim(`{"path":[{}]}`)},
		"path twice":             {"urn:a": claim(`{"path":["a",null]},{"path":["a",null]}`)},
		"mandatory text":         {"urn:a": claim(`{"path":["a"],"mandatory":"true"}`)},
		"sd unknown":             {"urn:a": claim(`{"path":["a"],"sd":"Always"}`)},
		"sd bool":                {"urn:a": claim(`{"path":["a"],"sd":true}`)},
		"display object":         {"urn:a": claim(`{"path":["a"],"display":{}}`)},
		"display without label":  {"urn:a": claim(`{"path":["a"],"display":[{"locale":"en"}]}`)},
		"display without locale": {"urn:a": claim(`{"path":["a"],"display":[{"label":"x"}]}`)},
		"display text":           {"urn:a": claim(`{"path":["a"],"display":["x"]}`)},
		"svg_id digit":           {"urn:a": claim(`{"path":["a"],"svg_id":"1a"}`)},
		"svg_id dash":            {"urn:a": claim(`{"path":["a"],"svg_id":"a-b"}`)},
		"svg_id empty":           {"urn:a": claim(`{"path":["a"],"svg_id":""}`)},
		"svg_id twice":           {"urn:a": claim(`{"path":["a"],"svg_id":"x"},{"path":["b"],"svg_id":"x"}`)},
		"looser mandatory":       {"urn:a": `{"vct":"urn:a","extends":"urn:b","claims":[{"path":["a"],"mandatory":false}]}`, "urn:b": `{"vct":"urn:b","claims":[{"path":["a"],"mandatory":true}]}`},
		"other sd":               {"urn:a": `{"vct":"urn:a","extends":"urn:b","claims":[{"path":["a"],"sd":"never"}]}`, "urn:b": `{"vct":"urn:b","claims":[{"path":["a"],"sd":"always"}]}`},
		"looser sd":              {"urn:a": `{"vct":"urn:a","extends":"urn:b","claims":[{"path":["a"],"sd":"allowed"}]}`, "urn:b": `{"vct":"urn:b","claims":[{"path":["a"],"sd":"never"}]}`},
	} {
		in := map[string][]byte{}
		for k, v := range documents {
			in[k] = []byte(v)
		}
		m, err := sdjwt.ReadTypeMetadata(in, "urn:a", "")
		require.ErrorIs(t, err, sdjwt.ErrTypeMetadata, name)
		require.Nil(t, m, name)
	}
}

func TestTypeMetadata_Check(t *testing.T) {
	t.Parallel()
	all := []vc.Pointer{"/credentialSubject/name", "/credentialSubject/role/band", "/credentialSubject/sites/1", "/credentialSubject/sites/2/ward"}
	const title = "/credentialSubject/role/title"
	for _, c := range []struct {
		name, claims    string
		disclosable     []vc.Pointer
		reveal          []vc.Pointer
		verifier, whole bool // accepted
	}{
		{"nothing", ``, all, nil, true, true},
		{"sd always", `{"path":["name"],"sd":"always"}`, all, []vc.Pointer{"/credentialSubject/name"}, true, true},
		{"sd always, withheld", `{"path":["name"],"sd":"always","mandatory":true}`, all, nil, true, true},
		{"sd always, in plain sight", `{"path":["name"],"sd":"always"}`, nil, nil, false, false},
		{"sd never", `{"path":["role","title"],"sd":"never","mandatory":true}`, all, nil, true, true},
		{"sd never, disclosed", `{"path":["name"],"sd":"never"}`, all, []vc.Pointer{"/credentialSubject/name"}, false, false},
		{"sd never, withheld", `{"path":["name"],"sd":"never"}`, all, nil, true, false},
		{"sd never, mandatory, withheld", `{"path":["name"],"sd":"never","mandatory":true}`, all, nil, false, false},
		{"the parent is no matter", `{"path":["role","title"],"sd":"never"}`, []vc.Pointer{"/credentialSubject/role"}, []vc.Pointer{"/credentialSubject/role"}, true, true},
		{"mandatory below a withheld parent", `{"path":["role","grade"],"mandatory":true}`, []vc.Pointer{"/credentialSubject/role"}, nil, true, false},
		{"mandatory missing", `{"path":["nothing"],"mandatory":true}`, nil, nil, false, false},
		{"mandatory perhaps withheld", `{"path":["nothing"],"mandatory":true}`, all, nil, true, false},
		{"optional missing", `{"path":["nothing","below"]}`, nil, nil, true, true},
		{"position as issued", `{"path":["sites",2,"ward"],"mandatory":true}`, all, []vc.Pointer{"/credentialSubject/sites/2/ward"}, true, true},
		{"element withheld is disclosable", `{"path":["sites",1],"sd":"always","mandatory":true}`, all, nil, true, true},
		{"element not disclosable", `{"path":["sites",0],"sd":"always"}`, all, nil, false, false},
		{"all elements", `{"path":["sites",null],"sd":"always"}`, []vc.Pointer{"/credentialSubject/sites/0", "/credentialSubject/sites/1", "/credentialSubject/sites/2"}, nil, true, true},
		{"all elements, one not", `{"path":["sites",null],"sd":"always"}`, all, nil, false, false},
		{"no such position", `{"path":["sites",7],"mandatory":true}`, nil, nil, false, false},
		{"huge position", `{"path":["sites",9007199254740991]}`, nil, nil, true, true},
		{"member of a text", `{"path":["name","x"]}`, nil, nil, false, false},
		{"element of an object", `{"path":["role",0]}`, nil, nil, false, false},
		{"elements of a text", `{"path":["name",null]}`, nil, nil, false, false},
		{"below a withheld element", `{"path":["sites",1,"x"],"mandatory":true}`, all, []vc.Pointer{title}, true, false},
		{"digests are no claims", `{"path":["_sd"],"mandatory":true}`, all, nil, false, false},
	} {
		m, err := sdjwt.ReadTypeMetadata(map[string][]byte{vct: []byte(`{"vct":"` + vct + `","claims":[` + c.claims + `]}`)}, vct, "")
		require.NoError(t, err, c.name)
		whole, shown := typed(t, c.disclosable, c.reveal...)
		for _, check := range []struct {
			err  error
			want bool
		}{{m.Check(shown), c.verifier}, {m.CheckWhole(whole), c.whole}} {
			if check.want {
				require.NoError(t, check.err, c.name)
			} else {
				require.ErrorIs(t, check.err, sdjwt.ErrTypeMetadata, c.name)
			}
		}
	}
	m, err := sdjwt.ReadTypeMetadata(map[string][]byte{"urn:other": []byte(`{"vct":"urn:other"}`)}, "urn:other", "")
	require.NoError(t, err)
	whole, _ := typed(t, nil)
	require.ErrorIs(t, m.Check(whole), sdjwt.ErrTypeMetadata, "another type")
	other := newFixture(t, sdjwt.MediaTypeCredential)
	tok, err := sdjwt.Parse(other.secure(t))
	require.NoError(t, err)
	require.ErrorIs(t, m.Check(tok), sdjwt.ErrTypeMetadata, "another form")
}
