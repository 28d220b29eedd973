// Package didtest has the tests of the [did.Resolver] and [did.Getter] contracts, for
// the packages of this module and for those of others.
package didtest

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/staffpassport/staffpassport/did"
)

// Resolver tests that r keeps the contract of [did.Resolver]. The DID known must
// resolve; the DID unknown must be one of the same method that does not, or the
// zero DID if the method has none.
func Resolver(t *testing.T, r did.Resolver, known, unknown did.DID) {
	t.Helper()
	t.Run("finds", func(t *testing.T) { finds(t, r, known) })
	t.Run("concurrently", func(t *testing.T) {
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() { finds(t, r, known) })
		}
		all.Wait()
	})
	t.Run("stops with its context", func(t *testing.T) {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		if res, err := r.Resolve(ctx, known, did.Version{}); res != nil || !errors.Is(err, context.Canceled) {
			t.Errorf("Resolve with an ended context: %v, want context.Canceled and no resolution", err)
		}
	})
	t.Run("refuses the zero DID", func(t *testing.T) { refuses(t, r, did.DID{}, did.Version{}) })
	t.Run("refuses another method", func(t *testing.T) {
		other, err := did.Parse("did:nosuchmethod:a")
		if err != nil {
			t.Fatal(err)
		}
		refuses(t, r, other, did.Version{})
	})
	t.Run("refuses an unknown version", func(t *testing.T) { refuses(t, r, known, did.Version{ID: "no such version"}) })
	if !unknown.IsZero() {
		t.Run("refuses an unknown DID", func(t *testing.T) { refuses(t, r, unknown, did.Version{}) })
	}
}

// finds requires a document of the DID whose JSON is a document again.
func finds(t *testing.T, r did.Resolver, known did.DID) {
	t.Helper()
	res, err := r.Resolve(context.Background(), known, did.Version{})
	if err != nil {
		t.Errorf("Resolve: %v", err)
		return
	}
	if res == nil || res.Document == nil || res.Document.ID() != known {
		t.Error("Resolve found no document, or that of another DID")
		return
	}
	data, err := res.Document.MarshalJSON()
	if err != nil {
		t.Errorf("MarshalJSON: %v", err)
		return
	}
	if again, err := did.ParseDocument(data); err != nil || again.ID() != known {
		t.Errorf("the document's own JSON does not parse: %v", err)
	}
}

// refuses requires no resolution and an error of exactly one class.
func refuses(t *testing.T, r did.Resolver, id did.DID, at did.Version) {
	t.Helper()
	res, err := r.Resolve(context.Background(), id, at)
	if res != nil {
		t.Error("a resolution beside an error")
	}
	classes := 0
	for _, class := range []error{did.ErrNotFound, did.ErrInvalid, did.ErrUnsupported, did.ErrUnavailable} {
		if errors.Is(err, class) {
			classes++
		}
	}
	if classes != 1 {
		t.Errorf("error of %d classes of did.Resolver's, want one: %v", classes, err)
	}
}
