package runtime_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/runtime"
)

// fill sends n letters in one transaction.
func (f *fixture) fill(id string, n int) error {
	return f.Update(f.t.Context(), func(tx didcomm.Tx) error {
		c, err := tx.Connection(id)
		for i := 0; err == nil && i < n; i++ {
			err = tx.Send(c, message(f.t, "toy/1.0/pong", fmt.Sprint("p", i), ""))
		}
		return err
	})
}

// A peer that never fetches its letters fills its own lane only.
func TestAbuse_DC10_LettersOfOnePeer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, nil)
		require.NoError(t, f.fill("river", runtime.MaxLane-1))
		f.restart(nil)
		require.ErrorIs(t, f.fill("river", 2), runtime.ErrCrowded)
		require.NoError(t, f.fill("river", 1), "nothing of what was refused was sent")
		require.ErrorIs(t, f.fill("river", 1), runtime.ErrCrowded)
		require.NoError(t, f.fill("fern", 1))

		f.toy.handle = func(tx didcomm.Tx, c didcomm.Connection, m *didcomm.Message) error {
			return tx.Send(c, message(t, "toy/1.0/pong", "answer", m.Thread))
		}
		for _, typ := range []string{"toy/1.0/ping", "nobody/1.0/knows"} {
			require.NoError(t, notProblem(f.Receive(t.Context(), f.from("river", message(t, typ, typ, "t")))), typ)
		}
		require.Equal(t, []string{"received/toy/ping e.p.me.res.storage river t", "received/nobody/knows message-type-unsupported river t"}, f.audit())
		require.Equal(t, runtime.MaxLane+1, f.pending().Outbox)

		f.delivered()
		time.Sleep(time.Minute)
		require.NoError(t, f.fill("river", 1))
	})
}

func TestAbuse_DC10_BytesForOnePeer(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	m, err := didcomm.New("big", didcomm.Type{Protocol: "toy", Major: 1, Name: "pong"}, "", "", map[string]string{"say": strings.Repeat("x", 2<<20)})
	require.NoError(t, err)
	n := 0
	require.ErrorIs(t, f.Update(t.Context(), func(tx didcomm.Tx) error {
		for ; ; n++ {
			if err := tx.Send(connection("river", true), m); err != nil {
				return err
			}
		}
	}), runtime.ErrCrowded)
	require.Equal(t, runtime.MaxLaneBytes/(2<<20)-1, n)
}

// A tarpit takes the addresses that begin with "tar", and never answers.
type tarpit struct{ *post }

func (p tarpit) Send(ctx context.Context, endpoint string, envelope []byte) error {
	if strings.HasPrefix(endpoint, "https://tar") {
		<-ctx.Done()
		return ctx.Err()
	}
	return p.post.Send(ctx, endpoint, envelope)
}

// Many peers that cannot be reached hold up nobody for long who can.
func TestOutbox_Tarpit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, nil)
		f.restart(func(c *runtime.Config) { c.Sender = tarpit{f.post} })
		stop := f.run()
		for i := range 200 {
			c := connection(fmt.Sprintf("tar%d", i), true)
			f.save(c)
			f.send(c.ID, message(t, "toy/1.0/pong", "x", ""))
		}
		for i := range 20 {
			at := time.Now()
			f.send("river", message(t, "toy/1.0/pong", fmt.Sprint("p", i), ""))
			for len(f.post.ids()) <= i && time.Since(at) < time.Hour {
				time.Sleep(time.Second)
			}
			require.Less(t, time.Since(at), 20*time.Second)
			time.Sleep(10 * time.Second)
		}
		require.NoError(t, stop())
	})
}

// Peers that ask for answers on a socket and do not read them hold up nobody.
func TestSession_SilentPeers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, nil)
		stop := f.run()
		receive, closed := f.Open(func(ctx context.Context, envelope []byte) error {
			if envelope == nil {
				return nil
			}
			<-ctx.Done()
			return ctx.Err()
		})
		defer closed()
		for i := range runtime.MaxChannelSessions {
			c := connection(fmt.Sprintf("silent%d", i), true)
			f.save(c)
			require.NoError(t, receive(t.Context(), f.from(c.ID, asking(t, didcomm.V1, "m", "", "all"))))
			f.send(c.ID, message(t, "toy/1.0/pong", "x", ""))
		}
		synctest.Wait()
		f.send("river", message(t, "toy/1.0/pong", "p", ""))
		synctest.Wait()
		require.Equal(t, []string{"p"}, f.post.ids())
		require.NoError(t, stop())
	})
}

// What is held until its connection is made costs nothing while others work.
func TestReceive_HeldCostsNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, func(c *runtime.Config) { c.Patience = time.Minute })
		done := make(chan error)
		go func() { done <- f.Receive(t.Context(), f.from("bud", message(t, "toy/1.0/ping", "m", ""))) }()
		synctest.Wait()
		before := f.store.updates.Load()
		for range 5 {
			require.NoError(t, f.Update(t.Context(), func(tx didcomm.Tx) error { return tx.Save("toy", "x", 1) }))
			synctest.Wait()
		}
		require.EqualValues(t, 5, f.store.updates.Load()-before)
		require.Equal(t, 1, f.Early())
		f.save(connection("bud", true))
		require.NoError(t, <-done)
	})
}
