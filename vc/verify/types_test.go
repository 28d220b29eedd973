package verify_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/sdjwt"
	"github.com/staffpassport/staffpassport/vc/verify"
)

// TestTypes holds an SD-JWT VC to the metadata of its type, if the verifier has it.
func TestTypes(t *testing.T) {
	t.Parallel()
	const vct, base = passportContext + "#" + passportType, "urn:example:base"
	document := func(claims string) []byte {
		return []byte(`{"vct":"` + vct + `","extends":"` + base + `","claims":[` + claims + `]}`)
	}
	good := document(`{"path":["employment","payBand"],"mandatory":true},{"path":["registration"],"sd":"always"}`)
	digest := sha256.Sum256(good)
	integrity := "sha256-" + base64.StdEncoding.EncodeToString(digest[:])
	doc, err := passport(t).Object()
	require.NoError(t, err)
	issue := func(integrity string) vc.Secured {
		with := doc.Clone()
		if integrity != "" {
			with.Set("vct#integrity", integrity)
		}
		return sdForm{sdjwt.MediaTypeSDJWTVC, ed25519Key, true}.sign(t, employer(t), with, signing{created: noon})
	}
	for name, c := range map[string]struct {
		types     map[string][]byte
		integrity string
		want      verify.Code
	}{
		"none":                  {nil, integrity, ""},
		"other types":           {map[string][]byte{"urn:other": []byte("{}")}, integrity, ""},
		"followed":              {map[string][]byte{vct: good, base: []byte(`{"vct":"` + base + `"}`)}, "", ""},
		"followed, with digest": {map[string][]byte{vct: good, base: []byte(`{"vct":"` + base + `"}`)}, integrity, ""},
		"another digest":        {map[string][]byte{vct: good, base: []byte(`{"vct":"` + base + `"}`)}, "sha256-" + base64.StdEncoding.EncodeToString(make([]byte, 32)), verify.ErrResource},
		"changed document":      {map[string][]byte{vct: append([]byte(" "), good...), base: []byte(`{"vct":"` + base + `"}`)}, integrity, verify.ErrResource},
		"base not known":        {map[string][]byte{vct: good}, "", verify.ErrResource},
		"no JSON":               {map[string][]byte{vct: []byte("{")}, "", verify.ErrResource},
		"of another type":       {map[string][]byte{vct: []byte(`{"vct":"` + base + `"}`)}, "", verify.ErrResource},
		"claim missing":         {map[string][]byte{vct: document(`{"path":["licence"],"mandatory":true}`), base: []byte(`{"vct":"` + base + `"}`)}, "", verify.ErrMalformed},
		"claim missing in base": {map[string][]byte{vct: good, base: []byte(`{"vct":"` + base + `","claims":[{"path":["licence"],"mandatory":true}]}`)}, "", verify.ErrMalformed},
		"never to be withheld":  {map[string][]byte{vct: document(`{"path":["registration"],"sd":"never"}`), base: []byte(`{"vct":"` + base + `"}`)}, "", verify.ErrMalformed},
	} {
		s, v := issue(c.integrity), verifier(t)
		v.Types = c.types
		if c.want != "" {
			refusedEverywhere(t, v, s, c.want)
			_, err := onlyCredential(t, v, shownTo(t, s, holder(t)))
			e := requireCode(t, err, c.want, 0, name)
			require.Equal(t, verify.CheckResources, e.Check)
			continue
		}
		for _, e := range entriesOf(sdForm{sdjwt.MediaTypeSDJWTVC, ed25519Key, true}) {
			shown := s
			if e.session() {
				shown = shownTo(t, s, holder(t))
			}
			_, err := e.run(t, v, shown)
			require.NoError(t, err, "%s: %s", name, e.name)
		}
	}
	// A type is that of an SD-JWT VC: elsewhere a member of that name is no more than
	// a member.
	v := verifier(t)
	v.Types = map[string][]byte{vct: document(`{"path":["licence"],"mandatory":true}`), base: []byte(`{"vct":"` + base + `"}`)}
	_, err = v.Credential(context.Background(), issued(t))
	require.NoError(t, err)
}
