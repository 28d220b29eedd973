package bundle_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/schema/trust/bundle"
)

// FuzzOpen: whatever is opened holds what the maker signed.
func FuzzOpen(f *testing.F) {
	good := build(f, plan(f, small()))
	want := open(f, good).Contents()
	f.Add(good)
	f.Add(apart(f, good).together(f))
	f.Add([]byte(`{"staffPassportBundle":1,"manifest":"","parts":[]}`))
	f.Add([]byte(`{"staffPassportBundle":1,"manifest":"eyJhbGciOiJFZERTQSJ9.e30.AAAA","parts":["AAAA"]}`))
	f.Fuzz(func(t *testing.T, file []byte) {
		told, err := bundle.Inspect(file)
		if err != nil {
			require.ErrorIs(t, err, bundle.ErrFormat)
		}
		b, err := bundle.Open(t.Context(), file, policy(t))
		if err != nil {
			return
		}
		require.Equal(t, want, b.Contents())
		require.Equal(t, want, told)
		for _, r := range want.Resources {
			body, mediaType, err := b.Get(t.Context(), r.URL)
			require.NoError(t, err)
			require.Equal(t, small().pages[r.URL], page{mediaType, string(body)})
		}
	})
}
