package didwebvh_test

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/did/didwebvh"
	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/internal/vectors"
)

// lies returns the entry with one thing changed: each text, number and word made
// another, each member taken away, and one added to each map. The names say what.
func lies(t testing.TB, line []byte) map[string][]byte {
	t.Helper()
	out := map[string][]byte{}
	var walk func(path string, v any, put func(any))
	root, err := strictjson.ParseObject(line)
	require.NoError(t, err)
	note := func(what string) {
		text, err := strictjson.Append(nil, root)
		require.NoError(t, err)
		out[what] = text
	}
	walk = func(path string, v any, put func(any)) {
		try := func(what string, other any) {
			put(other)
			note(path + " " + what)
			put(v)
		}
		switch v := v.(type) {
		case string:
			try("longer", v+"x")
			try("changed", "x"+v[min(1, len(v)):])
			try("a number", int64(1))
		case bool:
			try("turned", !v)
		case strictjson.Number:
			try("another", strictjson.Number(string(v)+"1"))
		case []any:
			try("longer", append(slices.Clone(v), "x"))
			if len(v) > 0 {
				try("empty", []any{})
			}
			for i := range v {
				list := slices.Clone(v)
				put(list)
				walk(fmt.Sprintf("%s/%d", path, i), v[i], func(x any) { list[i] = x })
				put(v)
			}
		case *strictjson.Object:
			more := v.Clone()
			more.Set("x", "x")
			if path != "" {
				try("with one more", more)
			}
			for member, value := range v.All() {
				less := v.Clone()
				less.Delete(member)
				if path != "" {
					try("without "+member, less)
				}
				changed := v.Clone()
				if path == "" {
					root = changed
				}
				put(changed)
				walk(path+"/"+member, value, func(x any) { changed.Set(member, x) })
				put(v)
			}
		}
	}
	original := root
	walk("", root, func(v any) { root = v.(*strictjson.Object) })
	root = original
	for member := range root.All() {
		root = original.Clone()
		root.Delete(member)
		note("without " + member)
	}
	root = original.Clone()
	root.Set("x", "x")
	note("with one more")
	return out
}

// TestAbuse_DW09_EveryField changes every published log in every place, one at a time:
// it is refused with the number of the entry that was changed.
func TestAbuse_DW09_EveryField(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("thousands of logs")
	}
	total, step := 0, vectors.Step(t, "changes", 7)
	for _, dir := range []string{"multi-update", "pre-rotation-consume", "witness-update", "deactivate", "portable-move", "services"} {
		for _, writer := range []string{"python", "rust", "ts"} {
			log := vectors.Read(t, "did-webvh", "vectors", dir, writer, "did.jsonl")
			lines := bytes.Split(bytes.TrimSpace(log), []byte("\n"))
			_, err := didwebvh.OpenLog(log, nil, now)
			require.NoError(t, err)
			for i, line := range lines {
				changed := slices.Clone(lines)
				for what, lie := range lies(t, line) {
					if total++; total%step != 0 {
						continue
					}
					changed[i] = lie
					l, err := didwebvh.OpenLog(bytes.Join(changed, []byte("\n")), nil, now)
					require.Nil(t, l, "%s/%s entry %d %s", dir, writer, i+1, what)
					var at *didwebvh.EntryError
					require.ErrorAs(t, err, &at)
					require.Equal(t, i+1, at.Entry, "%s/%s %s", dir, writer, what)
				}
			}
		}
	}
	t.Logf("%d lies", total)
}

// TestAbuse_DW09_Order leaves entries out, repeats them and puts them in another
// order.
func TestAbuse_DW09_Order(t *testing.T) {
	t.Parallel()
	log := vectors.Read(t, "did-webvh", "vectors", "multi-update", "ts", "did.jsonl")
	lines := strings.Split(strings.TrimSpace(string(log)), "\n")
	other := strings.Split(strings.TrimSpace(string(vectors.Read(t, "did-webvh", "vectors", "pre-rotation-consume", "ts", "did.jsonl"))), "\n")
	for name, c := range map[string]struct {
		lines []string
		entry int
		want  error
	}{
		"without the first":  {lines[1:], 1, didwebvh.ErrParameters},
		"without the second": {[]string{lines[0], lines[2]}, 2, didwebvh.ErrVersion},
		"second twice":       {[]string{lines[0], lines[1], lines[1], lines[2]}, 3, didwebvh.ErrTime},
		"first twice":        {[]string{lines[0], lines[0]}, 2, didwebvh.ErrParameters},
		"last two swapped":   {[]string{lines[0], lines[2], lines[1]}, 2, didwebvh.ErrVersion},
		"second of another":  {[]string{lines[0], other[1], lines[2]}, 2, didwebvh.ErrHash},
		"third of another":   {[]string{lines[0], lines[1], other[2]}, 3, didwebvh.ErrHash},
		"a line in between":  {[]string{lines[0], "", lines[1]}, 2, didwebvh.ErrMalformed},
		"a line before":      {[]string{"", lines[0]}, 1, didwebvh.ErrMalformed},
		"two on one line":    {[]string{lines[0] + lines[1]}, 1, didwebvh.ErrMalformed},
		"two empty lines":    {[]string{lines[0], "", ""}, 2, didwebvh.ErrMalformed},
		"a byte order mark":  {[]string{"\ufeff" + lines[0]}, 1, didwebvh.ErrMalformed},
		"a list":             {[]string{"[" + lines[0] + "]"}, 1, didwebvh.ErrMalformed},
		"a page":             {[]string{"<html>"}, 1, didwebvh.ErrMalformed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l, err := didwebvh.OpenLog([]byte(strings.Join(c.lines, "\n")), nil, now)
			require.Nil(t, l)
			var at *didwebvh.EntryError
			require.ErrorAs(t, err, &at)
			require.Equal(t, c.entry, at.Entry)
			require.ErrorIs(t, err, c.want)
		})
	}
	for name, text := range map[string]string{"nothing": "", "an empty line": "\n"} {
		_, err := didwebvh.OpenLog([]byte(text), nil, now)
		require.ErrorIs(t, err, didwebvh.ErrMalformed, name)
	}
	for name, text := range map[string]string{"no line feed at the end": strings.Join(lines, "\n"), "carriage returns": strings.Join(lines, "\r\n") + "\r\n"} {
		l, err := didwebvh.OpenLog([]byte(text), nil, now)
		require.NoError(t, err, name)
		require.Equal(t, 3, l.Len())
	}
}

// TestAbuse_DW09_SCID serves each published log for another DID, and at its own name
// with another SCID.
func TestAbuse_DW09_SCID(t *testing.T) {
	t.Parallel()
	read := func(dir string) []byte {
		return vectors.Read(t, "did-webvh", "vectors", dir, "rust", "did.jsonl")
	}
	dirs := []string{"basic-update", "multiple-update-keys", "portable-move", "pre-rotation-consume", "services"}
	for _, dir := range dirs {
		for _, other := range dirs {
			r := &didwebvh.Resolver{Client: web{"https://example.com/.well-known/did.jsonl": read(other)}, Now: clock}
			for _, at := range []did.Version{{}, {Number: 1}, {Time: now}} {
				res, err := r.Resolve(t.Context(), didOf(t, read(dir)), at)
				if dir == other {
					require.NoError(t, err)
					continue
				}
				require.Nil(t, res)
				require.ErrorIs(t, err, didwebvh.ErrSCID)
			}
		}
	}
}

// TestAbuse_DW09_PreRotation continues the published log pre-rotation with the key that
// is in force, which is all that a thief of it has.
func TestAbuse_DW09_PreRotation(t *testing.T) {
	t.Parallel()
	seed := make([]byte, ed25519.SeedSize)
	seed[len(seed)-1] = 1 // key-0 of the script
	key, err := didwebvh.UpdateKey(ed25519.NewKeyFromSeed(seed))
	require.NoError(t, err)
	seed[len(seed)-1] = 2 // key-1, which was announced
	announced, err := didwebvh.UpdateKey(ed25519.NewKeyFromSeed(seed))
	require.NoError(t, err)
	for _, writer := range []string{"python", "rust", "ts"} {
		log := vectors.Read(t, "did-webvh", "vectors", "pre-rotation", writer, "did.jsonl")
		l, err := didwebvh.VerifyLog(didOf(t, log), log, nil, now)
		require.NoError(t, err)
		for name, c := range map[string]didwebvh.Change{
			"as if it were off":        {Key: key},
			"the key again":            {Key: key, UpdateKeys: []crypto.PublicKey{key.Public()}, NextKeys: []crypto.PublicKey{key.Public()}},
			"the announced, not with":  {Key: key, UpdateKeys: []crypto.PublicKey{announced.Public()}, NextKeys: []crypto.PublicKey{}},
			"turned off":               {Key: key, UpdateKeys: []crypto.PublicKey{key.Public()}, NextKeys: []crypto.PublicKey{}},
			"a key of the thief's":     {Key: signer(t, 66), UpdateKeys: public(66), NextKeys: public(67)},
			"the announced and a key":  {Key: announced, UpdateKeys: append(public(66), announced.Public()), NextKeys: public(67)},
			"the announced, unlimited": {Key: announced, UpdateKeys: []crypto.PublicKey{announced.Public()}},
		} {
			c.Now = clock
			_, err = l.Update(t.Context(), c)
			require.ErrorIs(t, err, didwebvh.ErrKey, name)
			_, err = l.Deactivate(t.Context(), didwebvh.Change{Key: key, Now: clock})
			require.ErrorIs(t, err, didwebvh.ErrKey, name)
		}
		_, err = l.Rotate(t.Context(), []crypto.PublicKey{announced.Public()}, public(66), didwebvh.Change{Key: announced, Now: clock})
		require.NoError(t, err)
	}
}

// TestErrorText: errors tell the package once, and nothing of what they are about.
func TestErrorText(t *testing.T) {
	t.Parallel()
	line := bytes.TrimSpace(vectors.Read(t, "did-webvh", "vectors", "witness-threshold", "ts", "did.jsonl"))
	check := func(err error) {
		require.Error(t, err)
		text := err.Error()
		require.Regexp(t, `^(didwebvh|did): [a-z]`, text)
		for _, told := range []string{"Qm", "z6M", "example", "http", "2000", "did:key:", "did:webvh:"} {
			require.NotContains(t, text, told)
		}
		require.LessOrEqual(t, strings.Count(text, "did: ")+strings.Count(text, "didwebvh: ")+strings.Count(text, "strictjson: ")+strings.Count(text, "diproof: "), 1, text)
	}
	for _, lie := range lies(t, line) {
		_, err := didwebvh.OpenLog(lie, nil, now)
		check(err)
	}
	l, err := didwebvh.OpenLog(line, nil, now)
	require.NoError(t, err)
	check(l.Witnessed())
	_, err = l.Resolve(parse(t, "did:webvh:"+scid+":example.com"), did.Version{})
	check(err)
	_, err = l.AddProof([]byte(`{"proofValue":"z"}`))
	check(err)
	check(&didwebvh.MovedError{Name: l.DID()})
}
