package didtest

import (
	"bytes"
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/staffpassport/staffpassport/did"
)

// noType is a media type that nothing has.
const noType = "application/x-nothing-has-this-type"

// Getter tests that g keeps the contract of [did.Getter]. The URL known must have a
// body, the same each time; the URL unknown must be one where g knows that there is
// nothing.
func Getter(t *testing.T, g did.Getter, known, unknown string) {
	t.Helper()
	body, mediaType, err := g.Get(context.Background(), known)
	if err != nil || len(body) == 0 || mediaType == "" {
		t.Fatalf("Get: %d bytes of type %q: %v", len(body), mediaType, err)
	}
	want := bytes.Clone(body)
	gets := func(t *testing.T, accept ...string) {
		t.Helper()
		body, typ, err := g.Get(context.Background(), known, accept...)
		if err != nil || typ != mediaType || !bytes.Equal(body, want) {
			t.Errorf("Get with the types %q: %d bytes of type %q, want %d of %q: %v", accept, len(body), typ, len(want), mediaType, err)
		}
		clear(body)
	}
	t.Run("gets", func(t *testing.T) {
		clear(body)
		gets(t)
		gets(t)
	})
	t.Run("gets one of the types accepted", func(t *testing.T) {
		gets(t, mediaType)
		gets(t, noType, mediaType)
	})
	t.Run("concurrently", func(t *testing.T) {
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() { gets(t, mediaType) })
			all.Go(func() { getsNot(t, g, did.ErrNotFound, unknown) })
		}
		all.Wait()
	})
	t.Run("refuses another type", func(t *testing.T) { getsNot(t, g, did.ErrUnavailable, known, noType) })
	t.Run("says that nothing is there", func(t *testing.T) {
		getsNot(t, g, did.ErrNotFound, unknown)
		getsNot(t, g, did.ErrNotFound, unknown, noType, mediaType)
	})
	t.Run("refuses what is no URL", func(t *testing.T) {
		getsNot(t, g, did.ErrUnavailable, "")
		getsNot(t, g, did.ErrUnavailable, "https://%zz/")
	})
	t.Run("stops with its context", func(t *testing.T) {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		for _, url := range []string{known, unknown} {
			body, typ, err := g.Get(ctx, url)
			if body != nil || typ != "" || !errors.Is(err, context.Canceled) || errors.Is(err, did.ErrNotFound) {
				t.Errorf("Get with an ended context: %v, want context.Canceled and nothing else", err)
			}
		}
	})
}

// getsNot requires nothing but an error of exactly the class.
func getsNot(t *testing.T, g did.Getter, class error, url string, accept ...string) {
	t.Helper()
	body, typ, err := g.Get(context.Background(), url, accept...)
	if body != nil || typ != "" {
		t.Error("a body or a media type beside an error")
	}
	for _, one := range []error{did.ErrNotFound, did.ErrUnavailable, did.ErrInvalid, did.ErrUnsupported} {
		if errors.Is(err, one) != (one == class) {
			t.Errorf("Get: %v, want %v and no other class", err, class)
		}
	}
}
