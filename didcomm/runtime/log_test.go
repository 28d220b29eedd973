package runtime_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/runtime"
)

// logged is a buffer for several goroutines.
type logged struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

// Bodies, and whatever errors and panics of protocols, packers and senders say, stay
// out of the log at every level and out of the audit log.
func TestAbuse_LG01_NothingOfAPerson(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var out logged
		f := newFixture(t, nil)
		f.restart(func(c *runtime.Config) {
			c.Log = slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug - 8, AddSource: true}))
		})
		canary := errors.New("canary: Rowan Ouse, QQ 12 34 56 C")
		trouble := map[string]func() error{
			"fine":      func() error { return nil },
			"fails":     func() error { return canary },
			"panics":    func() error { panic(canary) },
			"problem":   func() error { return &didcomm.Problem{Code: "no", Err: canary} },
			"permanent": func() error { return fmt.Errorf("%w: %w", didcomm.ErrPermanent, canary) },
		}
		f.toy.handle = func(_ didcomm.Tx, _ didcomm.Connection, m *didcomm.Message) error { return trouble[m.ID]() }
		f.HandleTask("sign", worker(func(_ context.Context, id string) error { return trouble[id]() }))
		tries := map[string]int{}
		f.post.answer = func(d delivery) error {
			if tries[d.message.ID]++; tries[d.message.ID] > 2 {
				return nil
			}
			if again := trouble[d.message.ID]; again != nil {
				return again()
			}
			return canary // for reports
		}
		var full atomic.Bool
		f.store.beforeCommit = func() error {
			if full.Load() {
				return canary
			}
			return nil
		}
		for _, id := range []string{"fine", "fails", "panics", "problem", "permanent"} {
			m := message(t, "toy/1.0/ping", id, "t1")
			m.Body = []byte(`{"name":"canary"}`)
			_ = f.Receive(t.Context(), f.from("river", m))
			_ = f.Receive(t.Context(), f.from("river", m))
			m.Body = []byte(`{"name":"canary, again"}`)
			_ = f.Receive(t.Context(), f.from("river", m))
			_ = f.Receive(t.Context(), seal(t, key("stranger"), key("mine river"), m, 0))
			f.put("sign", id)
			if id != "panics" && id != "problem" { // a Sender is not a protocol
				f.send("fern", m)
			}
		}
		_ = f.Receive(t.Context(), []byte("canary"))
		f.pack.fail = canary
		_ = f.Receive(t.Context(), []byte("canary"))
		stop := f.run()
		time.Sleep(time.Hour)
		full.Store(true)
		time.Sleep(time.Hour)
		require.NoError(t, stop())

		text := out.b.String()
		require.Greater(t, strings.Count(text, "\n"), 20)
		require.Contains(t, text, "outcome=delivered")
		require.Contains(t, text, "stack=")
		require.NotContains(t, strings.ToLower(text), "canary")
		require.NotContains(t, text, "Rowan")
		require.NotContains(t, strings.ToLower(strings.Join(f.audit(), "\n")), "canary")
		got := runtime.Received{Plaintext: []byte("canary")}
		require.NotContains(t, fmt.Sprintf("%v %+v %#v", got, got, got), "canary")
	})
}
