package universal_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/did/universal"
)

// A host that never answers delays its own DIDs, under all ports and paths, and not
// those of others.
func TestAbuse_DW05_Tarpit(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		trap, other string
		limit       universal.Limit
		most        int32
	}{
		"web":           {"did:web:TARPIT.example%%3A%d:a", "did:web:n%d.example", universal.Limit{}, 4},
		"webvh":         {"did:webvh:reed:tarpit.example%%3A%d:a", "did:webvh:reed:n%d.example", universal.Limit{}, 4},
		"few turns":     {"did:web:tarpit.example:p%d", "did:web:n%d.example", universal.Limit{Concurrent: 2}, 1},
		"several turns": {"did:web:tarpit.example:p%d", "did:web:n%d.example", universal.Limit{Concurrent: 8}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var now, most atomic.Int32
				m := &method{answer: func(ctx context.Context, id did.DID, _ did.Version) (*did.Resolution, error) {
					if !strings.Contains(strings.ToLower(id.String()), "tarpit") {
						return &did.Resolution{Document: document(t, id)}, nil
					}
					most.Store(max(most.Load(), now.Add(1)))
					defer now.Add(-1)
					<-ctx.Done()
					return nil, fmt.Errorf("%w: slow", did.ErrUnavailable)
				}}
				r := universal.New(universal.Config{Methods: did.Mux{"web": m, "webvh": m}, Limits: map[string]universal.Limit{"web": c.limit}})
				var all sync.WaitGroup
				for i := range 96 {
					all.Go(func() {
						_, err := r.Resolve(t.Context(), id(t, fmt.Sprintf(c.trap, i+1)), did.Version{})
						require.ErrorIs(t, err, did.ErrUnavailable)
					})
				}
				synctest.Wait()
				require.Equal(t, c.most, now.Load())
				start := time.Now()
				for i := range 20 {
					_, err := r.Resolve(t.Context(), id(t, fmt.Sprintf(c.other, i)), did.Version{})
					require.NoError(t, err)
				}
				require.Zero(t, time.Since(start), "nobody else waits")
				all.Wait()
				require.Equal(t, c.most, most.Load())
			})
		})
	}
}

// Who asks anew gets what is there now, and not what somebody is just fetching.
func TestFreshStartsItsOwn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var asked atomic.Int32
		hold := map[int32]chan struct{}{1: make(chan struct{}), 2: make(chan struct{}), 3: make(chan struct{})}
		m := &method{answer: func(ctx context.Context, id did.DID, _ did.Version) (*did.Resolution, error) {
			n := asked.Add(1)
			<-hold[n]
			return &did.Resolution{Document: document(t, id), VersionID: fmt.Sprint(n)}, nil
		}}
		r := universal.New(universal.Config{Methods: did.Mux{"web": m}})
		got := make(chan string, 10)
		ask := func(r did.Resolver) {
			go func() {
				res, err := r.Resolve(t.Context(), id(t, "did:web:alder.example"), did.Version{})
				require.NoError(t, err)
				got <- res.VersionID
			}()
			synctest.Wait()
		}
		ask(r)
		ask(r.Fresh())
		require.EqualValues(t, 2, asked.Load(), "a question of its own")
		ask(r) // takes part in the newer one
		require.EqualValues(t, 2, asked.Load())
		close(hold[2])
		require.Equal(t, []string{"2", "2"}, []string{<-got, <-got})
		close(hold[1])
		require.Equal(t, "1", <-got)
		ask(r)
		require.Equal(t, "2", <-got, "what was fetched earlier does not take the place of the newer one")
		require.EqualValues(t, 2, asked.Load())
		close(hold[3])
		ask(r.Fresh())
		require.Equal(t, "3", <-got)
	})
}

// Many who ask anew share what begins after they asked, and a host's turns bound the rest.
func TestFreshIsBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := &method{answer: func(ctx context.Context, id did.DID, _ did.Version) (*did.Resolution, error) {
			time.Sleep(time.Second)
			return &did.Resolution{Document: document(t, id)}, nil
		}}
		r := universal.New(universal.Config{Methods: did.Mux{"web": m}})
		var all sync.WaitGroup
		for range 100 {
			all.Go(func() {
				_, err := r.Fresh().Resolve(t.Context(), id(t, "did:web:alder.example"), did.Version{})
				require.NoError(t, err)
			})
			synctest.Wait()
		}
		all.Wait()
		require.EqualValues(t, 5, m.asked.Load(), "four that have begun, and one for all who came after")
	})
}
