package didwebvh

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"fmt"
	"testing"
	"time"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/internal/strictjson"
)

func BenchmarkVerifyLog(b *testing.B) {
	for _, n := range []int{1, 10, 100, maxEntries} {
		log := long(b, n)
		id := mustOpen(b, log).DID()
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(log)))
			for b.Loop() {
				if _, err := VerifyLog(id, log, nil, now); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("10 witnessed", func(b *testing.B) {
		steps := []step{dated(1, step{parameters: withParameters(twoOf(2, 5, 6, 7))})}
		for i := range 9 {
			steps = append(steps, dated(2+i, step{parameters: `{}`}))
		}
		log := writeLog(b, steps...)
		id, proofs := mustOpen(b, log).DID(), proofsFile(b, log, []vote{{10, 5}, {10, 7}}, nil)
		b.ReportAllocs()
		for b.Loop() {
			if _, err := VerifyLog(id, log, proofs, now); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkResolve is a client that answers at once, and a verified log.
func BenchmarkResolve(b *testing.B) {
	log := long(b, 10)
	l := mustOpen(b, log)
	b.Run("fetched/10", func(b *testing.B) {
		b.ReportAllocs()
		r := &Resolver{Client: site{log: log}, Now: func() time.Time { return now }}
		for b.Loop() {
			if _, err := r.Resolve(context.Background(), l.DID(), did.Version{}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("verified/10", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := l.Resolve(l.DID(), did.Version{}); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkCreate(b *testing.B) {
	key := keySigner(b, 1)
	o := Options{Domain: "rivers.example", Key: key, Now: func() time.Time { return now }, Document: func(id did.DID) (*did.Document, error) {
		return did.NewDocument(id, nil, nil)
	}}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Create(context.Background(), o); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkFloor is what verifying cannot do without: a signature for each entry, and
// the hashes of the entry, once with the versionId before it and once with its own.
func BenchmarkFloor(b *testing.B) {
	b.Run("Create", func(b *testing.B) {
		line, private := long(b, 1), key(1)
		for b.Loop() {
			for range 3 { // SCID, entry hash, proof
				_ = sha256.Sum256(line)
			}
			_ = ed25519.Sign(private, line[:2*sha256.Size])
		}
	})
	b.Run("Resolve/verified", func(b *testing.B) { // reading the one entry
		line := bytes.TrimSpace(long(b, 1))
		for b.Loop() {
			if _, err := strictjson.ParseObject(line); err != nil {
				b.Fatal(err)
			}
		}
	})
	for _, n := range []int{1, 10, 100, maxEntries} {
		b.Run(fmt.Sprintf("VerifyLog/%d", n), func(b *testing.B) {
			lines := bytes.Split(bytes.TrimSpace(long(b, n)), []byte("\n"))
			pub := key(1).Public().(ed25519.PublicKey)
			message := make([]byte, 2*sha256.Size)
			signature := ed25519.Sign(key(1), message)
			for b.Loop() {
				for _, line := range lines {
					for range 2 {
						_ = sha256.Sum256(line)
					}
					if !ed25519.Verify(pub, message, signature) {
						b.Fatal("the floor gave way")
					}
				}
			}
		})
	}
}
