package walletstore_test

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/runtime"
	"github.com/staffpassport/staffpassport/didcomm/walletstore"
	"github.com/staffpassport/staffpassport/wallet"
	"github.com/staffpassport/staffpassport/wallet/sqlitestore"
)

// echo answers each ping with a pong, and tells whoever waits of each pong.
type echo struct {
	mu   sync.Mutex
	wait map[string]chan struct{}
}

func (e *echo) Handle(_ context.Context, tx didcomm.Tx, c didcomm.Connection, m *didcomm.Message) error {
	var b said
	if err := m.Decode(&b); err != nil {
		return err
	}
	if err := tx.Save("echo", c.ID+"/"+m.Thread, b); err != nil {
		return err
	}
	if m.Type.Name == "ping" {
		answer, err := didcomm.New(didcomm.NewID(), typ("pong"), m.Thread, "", b)
		if err != nil {
			return err
		}
		answer.Version = c.Version
		return tx.Send(c, answer)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	close(e.wait[m.Thread])
	delete(e.wait, m.Thread)
	return nil
}

// direct is a network without parties that die.
type direct map[string]*runtime.Agent

func (d direct) Send(ctx context.Context, endpoint string, data []byte) error {
	return d[endpoint].Receive(ctx, data)
}

func benchWallet(b *testing.B, name string) *wallet.Wallet {
	b.Helper()
	s, err := sqlitestore.Open(b.TempDir() + "/" + name + ".db")
	require.NoError(b, err)
	w, err := wallet.Create(b.Context(), s, rootKey{}, wallet.Config{})
	require.NoError(b, err)
	b.Cleanup(func() { _ = w.Close() })
	return w
}

// benchAgents returns an agent with n connections to an echo, and its side of them.
func benchAgents(b *testing.B, v didcomm.Version, n int) (*runtime.Agent, *echo, []didcomm.Connection) {
	b.Helper()
	net := direct{}
	e := &echo{wait: map[string]chan struct{}{}}
	wallets := map[string]*wallet.Wallet{"ash": benchWallet(b, "ash"), "birch": benchWallet(b, "birch")}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	for name, w := range wallets {
		a, err := runtime.New(runtime.Config{Store: walletstore.New(w), Packer: walletstore.Packer(w, resolver()), Sender: net})
		require.NoError(b, err)
		a.Handle("toy", 1, e)
		net[name] = a
		wg.Go(func() { _ = a.Run(ctx) })
	}
	b.Cleanup(func() { cancel(); wg.Wait() })
	var all []didcomm.Connection
	for i := range n {
		var keys []ed25519.PublicKey
		for _, w := range []*wallet.Wallet{wallets["ash"], wallets["birch"]} {
			k, err := w.NewKey(b.Context(), wallet.Ed25519)
			require.NoError(b, err)
			keys = append(keys, k.(ed25519.PublicKey))
		}
		c := didcomm.Connection{ID: fmt.Sprint("c", i), MyKey: keys[0], TheirKey: keys[1], Endpoint: "birch", Established: true}
		d := didcomm.Connection{ID: fmt.Sprint("d", i), MyKey: keys[1], TheirKey: keys[0], Endpoint: "ash", Established: true}
		if v == didcomm.V2 {
			da, db := newDID(b, wallets["ash"], ""), newDID(b, wallets["birch"], "")
			c = didcomm.Connection{ID: c.ID, Version: v, Mine: da, Theirs: db, Endpoint: "birch", Established: true}
			d = didcomm.Connection{ID: d.ID, Version: v, Mine: db, Theirs: da, Endpoint: "ash", Established: true}
		}
		require.NoError(b, net["ash"].Update(b.Context(), func(tx didcomm.Tx) error { return tx.SaveConnection(c) }))
		require.NoError(b, net["birch"].Update(b.Context(), func(tx didcomm.Tx) error { return tx.SaveConnection(d) }))
		all = append(all, c)
	}
	return net["ash"], e, all
}

// roundTrip sends a ping of 2 KB and waits for its pong.
func (e *echo) roundTrip(b *testing.B, a *runtime.Agent, c didcomm.Connection) {
	id := didcomm.NewID()
	done := make(chan struct{})
	e.mu.Lock()
	e.wait[id] = done
	e.mu.Unlock()
	m, err := didcomm.New(id, typ("ping"), "", "", said{Answer: strings.Repeat("x", 2000)})
	if err == nil {
		m.Version = c.Version
		err = a.Update(context.Background(), func(tx didcomm.Tx) error { return tx.Send(c, m) })
	}
	if err != nil {
		b.Error(err)
		return
	}
	<-done
}

// BenchmarkRoundTrip is a message of 2 KB and its answer between two agents with
// durable wallets: three transactions that someone waits for.
func BenchmarkRoundTrip(b *testing.B) {
	b.Run("v1", func(b *testing.B) { roundTrips(b, didcomm.V1) })
	b.Run("v2", func(b *testing.B) { roundTrips(b, didcomm.V2) })
}

func roundTrips(b *testing.B, v didcomm.Version) {
	b.Run("alone", func(b *testing.B) {
		a, e, all := benchAgents(b, v, 1)
		b.ReportAllocs()
		for b.Loop() {
			e.roundTrip(b, a, all[0])
		}
	})
	b.Run("parallel", func(b *testing.B) {
		a, e, all := benchAgents(b, v, 16)
		b.ReportAllocs()
		b.SetParallelism(8)
		var mu sync.Mutex
		next := 0
		b.RunParallel(func(pb *testing.PB) {
			mu.Lock()
			c := all[next%len(all)]
			next++
			mu.Unlock()
			for pb.Next() {
				e.roundTrip(b, a, c)
			}
		})
	})
}

// BenchmarkFloor is what a round trip cannot do without: two messages packed and
// unpacked, and three durable transactions of one record.
func BenchmarkFloor(b *testing.B) {
	b.Run("RoundTrip", func(b *testing.B) {
		ctx := context.Background()
		w := benchWallet(b, "ash")
		k, err := w.NewKey(ctx, wallet.Ed25519)
		require.NoError(b, err)
		key := k.(ed25519.PublicKey)
		p := walletstore.Packer(w, resolver())
		data := []byte(strings.Repeat("x", 2100))
		n := 0
		put := func(tx *wallet.Tx) error {
			n++
			return tx.Put("floor", fmt.Sprint(n), data)
		}
		b.ReportAllocs()
		for b.Loop() {
			for range 2 {
				e, err := p.Pack(ctx, data, runtime.Route{From: key, To: key})
				require.NoError(b, err)
				_, err = p.Unpack(ctx, e)
				require.NoError(b, err)
			}
			for range 3 {
				require.NoError(b, w.Update(ctx, put))
			}
		}
	})
}
