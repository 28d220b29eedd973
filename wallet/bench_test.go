package wallet_test

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"database/sql/driver"
	"encoding/hex"
	"net/url"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/nacl/box"
	"modernc.org/sqlite"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/wallet"
)

// benchRecord is about the size of a protocol's state.
const benchRecord = 1 << 10

func BenchmarkWalletPut(b *testing.B) {
	run := func(b *testing.B, tags ...string) {
		w := newWallet(b)
		data, id := make([]byte, benchRecord), make([]byte, 16)
		for b.Loop() {
			fill(b, id)
			err := w.Update(context.Background(), func(tx *wallet.Tx) error {
				return tx.Put("benchmark", hex.EncodeToString(id), data, tags...)
			})
			if err != nil {
				b.Fatal(err)
			}
		}
	}
	b.Run("sqlite", func(b *testing.B) { run(b) })
	b.Run("sqlite-tagged", func(b *testing.B) { run(b, "tag") })
}

// BenchmarkFloor does only what cannot be avoided.
func BenchmarkFloor(b *testing.B) {
	b.Run("WalletPut/sqlite", func(b *testing.B) {
		insert := rawInsert(b)
		data, id := make([]byte, benchRecord), make([]byte, 16)
		fill(b, data)
		for b.Loop() {
			fill(b, id)
			if err := insert(id, data); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// rawInsert returns one synchronous insertion of one row by the driver itself, under
// the settings that the store has.
func rawInsert(b *testing.B) func(id, data []byte) error {
	u := url.URL{Scheme: "file", Path: filepath.ToSlash(filepath.Join(b.TempDir(), "raw.db"))}
	u.RawQuery = url.Values{"_pragma": {
		"busy_timeout=5000", "journal_mode=WAL", "synchronous=FULL", "fullfsync=ON", "checkpoint_fullfsync=ON",
		"secure_delete=ON", "temp_store=MEMORY", "trusted_schema=OFF", "cell_size_check=ON",
	}}.Encode()
	c, err := new(sqlite.Driver).Open(u.String())
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, c.Close()) })
	_, err = c.(driver.ExecerContext).ExecContext(context.Background(), `CREATE TABLE record (id BLOB PRIMARY KEY, data BLOB)`, nil)
	require.NoError(b, err)
	s, err := c.Prepare(`INSERT INTO record (id, data) VALUES (?, ?)`)
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, s.Close()) })
	return func(id, data []byte) error {
		_, err := s.(driver.StmtExecContext).ExecContext(context.Background(), []driver.NamedValue{{Ordinal: 1, Value: id}, {Ordinal: 2, Value: data}})
		return err
	}
}

func BenchmarkWalletGet(b *testing.B) {
	w := newWallet(b)
	require.NoError(b, w.Update(b.Context(), func(tx *wallet.Tx) error {
		return tx.Put("benchmark", "id", make([]byte, benchRecord))
	}))
	for b.Loop() {
		err := w.View(context.Background(), func(tx *wallet.Tx) error {
			_, err := tx.Get("benchmark", "id")
			return err
		})
		if err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkWalletBox(b *testing.B) {
	w := newWallet(b)
	ours, theirs := newEd25519(b, w), newEd25519(b, w)
	message, nonce := make([]byte, 2<<10), new([24]byte)
	b.Run("seal/2KB", func(b *testing.B) {
		for b.Loop() {
			if _, err := w.SealBox(context.Background(), ours, theirs, nonce, message); err != nil {
				b.Fatal(err)
			}
		}
	})
	sealed, err := w.SealBox(context.Background(), ours, theirs, nonce, message)
	require.NoError(b, err)
	b.Run("open/2KB", func(b *testing.B) {
		for b.Loop() {
			if _, err := w.OpenBox(context.Background(), theirs, ours, nonce, sealed); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func newEd25519(t testing.TB, w *wallet.Wallet) ed25519.PublicKey {
	t.Helper()
	pub, err := w.NewKey(t.Context(), wallet.Ed25519)
	require.NoError(t, err)
	return pub.(ed25519.PublicKey)
}

func fill(t testing.TB, b []byte) {
	t.Helper()
	_, err := rand.Read(b)
	require.NoError(t, err)
}

func BenchmarkWalletOpenSealed(b *testing.B) {
	w := newWallet(b)
	ours := newEd25519(b, w)
	counterpart, err := did.X25519(ours)
	require.NoError(b, err)
	sealed, err := box.SealAnonymous(nil, make([]byte, 44), (*[32]byte)(counterpart.Bytes()), rand.Reader)
	require.NoError(b, err)
	for b.Loop() {
		if _, err := w.OpenSealed(context.Background(), ours, sealed); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkWalletFirstBox seals with a pair of keys that the wallet has not used
// together before.
func BenchmarkWalletFirstBox(b *testing.B) {
	w := newWallet(b)
	ours := newEd25519(b, w)
	const peers = 2 * wallet.MaxOpenKeys
	var theirs [peers]ed25519.PublicKey
	for i := range theirs {
		pub, _, err := ed25519.GenerateKey(rand.Reader)
		require.NoError(b, err)
		theirs[i] = pub
	}
	i := 0
	for b.Loop() {
		if _, err := w.SealBox(context.Background(), ours, theirs[i%peers], new([24]byte), nil); err != nil {
			b.Fatal(err)
		}
		i++
	}
}
