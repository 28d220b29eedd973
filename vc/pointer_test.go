package vc_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/vc"
)

// The document and the answers are those of RFC 6901 section 5.
func TestPointerLookup(t *testing.T) {
	t.Parallel()
	const doc = `{"foo": ["bar", "baz"], "": 0, "a/b": 1, "c%d": 2, "e^f": 3, "g|h": 4, "i\\j": 5, "k\"l": 6, " ": 7, "m~n": 8}`
	var plain any
	require.NoError(t, json.Unmarshal([]byte(doc), &plain))
	strict, err := strictjson.ParseObject([]byte(doc))
	require.NoError(t, err)
	for _, c := range []struct {
		p    vc.Pointer
		want any
	}{
		{"/foo/0", "bar"}, {"/", 0.}, {"/a~1b", 1.}, {"/c%d", 2.}, {"/e^f", 3.}, {"/g|h", 4.},
		{`/i\j`, 5.}, {`/k"l`, 6.}, {"/ ", 7.}, {"/m~0n", 8.},
	} {
		got, ok := c.p.Lookup(plain)
		require.True(t, ok, c.p)
		require.Equal(t, c.want, got, c.p)
		require.True(t, c.p.Valid(), c.p)
		_, ok = c.p.Lookup(strict)
		require.True(t, ok, c.p)
	}
	whole, ok := vc.Pointer("").Lookup(plain)
	require.True(t, ok)
	require.Equal(t, plain, whole)
}

func TestPointerLookupFindsNothing(t *testing.T) {
	t.Parallel()
	doc := map[string]any{"foo": []any{"bar"}, "~": 1, "x": nil, "m~n": 1}
	for _, p := range []vc.Pointer{
		"foo", "/Foo", "/foo/1", "/foo/-", "/foo/00", "/foo/-1", "/foo/0/0", "/foo/0x0", "/foo/", "/foo/99999999999999999999",
		"/~", "/~2", "/m~n", "/x/y", "//",
	} {
		_, ok := p.Lookup(doc)
		require.False(t, ok, p)
	}
	for _, p := range []vc.Pointer{"foo", "/~", "/~2", "/a~"} {
		require.False(t, p.Valid(), p)
	}
	v, ok := vc.Pointer("/x").Lookup(doc)
	require.True(t, ok, "null is there")
	require.Nil(t, v)
}

func TestPointerChild(t *testing.T) {
	t.Parallel()
	require.Equal(t, vc.Pointer("/a~1b/m~0n/3/~01"), vc.Pointer("").Child("a/b").Child("m~n").Index(3).Child("~1"))
}

func FuzzPointer(f *testing.F) {
	for _, s := range []string{"", "/", "/a~1b/0", "/~01", "x"} {
		f.Add(s, "name")
	}
	f.Fuzz(func(t *testing.T, s, name string) {
		p := vc.Pointer(s)
		doc := map[string]any{name: []any{"found"}}
		p.Lookup(doc)
		v, ok := vc.Pointer("").Child(name).Index(0).Lookup(doc)
		require.True(t, ok)
		require.Equal(t, "found", v)
	})
}
