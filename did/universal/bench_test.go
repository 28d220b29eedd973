package universal_test

import (
	"container/list"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/btcsuite/btcd/btcutil/base58"
	"github.com/stretchr/testify/require"

	"filippo.io/edwards25519"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/did/didkey"
	"github.com/staffpassport/staffpassport/did/universal"
)

// BenchmarkResolve is what a verifier pays for the document of an issuer.
func BenchmarkResolve(b *testing.B) {
	key, err := didkey.New(ed25519.NewKeyFromSeed(make([]byte, 32)).Public())
	require.NoError(b, err)
	log, _ := alderLog(b, time.Now)
	client := &served{}
	client.publish(log)
	r := universal.New(universal.Config{Client: client})
	for name, text := range map[string]string{
		"key":          key.String(),
		"key-P-256":    "did:key:zDnaerx9CtbPJ1q36T5Ln5wYt3MQYeGRG5ehnPAmxcf5mDZpv",
		"cached-webvh": log.DID().String(),
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				id, err := did.Parse(text)
				require.NoError(b, err)
				_, err = r.Resolve(context.Background(), id, did.Version{})
				require.NoError(b, err)
			}
		})
	}
	b.Run("cached-webvh-1024-others", func(b *testing.B) {
		r := universal.New(universal.Config{Methods: did.Mux{"webvh": finds(b)}})
		all := make([]did.DID, 1024)
		for i := range all {
			all[i] = id(b, fmt.Sprintf("did:webvh:reed:n%d.example", i))
			_, err := r.Resolve(context.Background(), all[i], did.Version{})
			require.NoError(b, err)
		}
		b.ReportAllocs()
		i := 0
		for b.Loop() {
			_, err := r.Resolve(context.Background(), all[i%1024], did.Version{})
			require.NoError(b, err)
			i += 7
		}
	})
}

const webvh = "did:webvh:QmVJ5nUYb9iugnUz4yDfbe8UFbhmnsvS2EAzSpSfPScRAn:alder.example"

// BenchmarkFloor is what no resolver can do without: the base58 and the point of a
// key; a lock, a lookup, the order of use and a copy.
func BenchmarkFloor(b *testing.B) {
	key := ed25519.NewKeyFromSeed(make([]byte, 32)).Public().(ed25519.PublicKey)
	text := base58.Encode(append([]byte{0xed, 1}, key...))
	b.Run("key", func(b *testing.B) {
		for b.Loop() {
			raw := base58.Decode(text)
			_, err := new(edwards25519.Point).SetBytes(raw[2:])
			require.NoError(b, err)
		}
	})
	b.Run("cached-webvh", func(b *testing.B) {
		var mu sync.Mutex
		order := list.New()
		entries := map[string]*list.Element{}
		for i := range 1024 {
			name := fmt.Sprintf("did:webvh:%x:n%d.example", sha256.Sum256([]byte{byte(i)}), i)
			entries[name] = order.PushFront(&did.Resolution{Other: map[string]json.RawMessage{}})
		}
		entries[webvh] = order.PushFront(&did.Resolution{})
		for b.Loop() {
			mu.Lock()
			e := entries[webvh]
			order.MoveToFront(e)
			own := *e.Value.(*did.Resolution)
			mu.Unlock()
			require.Nil(b, own.Document)
		}
	})
}
