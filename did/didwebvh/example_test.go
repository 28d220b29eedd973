package didwebvh_test

import (
	"context"
	"crypto"
	"crypto/ed25519"
	"fmt"
	"time"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/did/didwebvh"
)

// A DID is made, gets a new key of which the hash was announced before, and is read by
// somebody else.
func ExampleCreate() {
	ctx, today := context.Background(), time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)
	first, next := ed25519.NewKeyFromSeed(make([]byte, 32)), ed25519.NewKeyFromSeed([]byte("a key that nobody should use....")) // made anew, in earnest
	key, err := didwebvh.UpdateKey(first)
	if err != nil {
		panic(err)
	}
	log, err := didwebvh.Create(ctx, didwebvh.Options{
		Domain:   "rivers.example",
		Path:     []string{"staff"},
		Key:      key,
		NextKeys: []crypto.PublicKey{next.Public()},
		Document: func(id did.DID) (*did.Document, error) {
			m, err := did.NewVerificationMethod(id.URL("key-1"), first.Public(), did.AssertionMethod)
			if err != nil {
				return nil, err
			}
			return did.NewDocument(id, []*did.VerificationMethod{m}, nil)
		},
		Now: func() time.Time { return today },
	})
	if err != nil {
		panic(err)
	}
	key, err = didwebvh.UpdateKey(next)
	if err != nil {
		panic(err)
	}
	log, err = log.Rotate(ctx, []crypto.PublicKey{next.Public()}, nil, didwebvh.Change{Key: key, Now: func() time.Time { return today.AddDate(0, 1, 0) }})
	if err != nil {
		panic(err)
	}
	address, _ := log.URL()
	fmt.Println(address) // where log.JSONL() is published

	read, err := didwebvh.VerifyLog(log.DID(), log.JSONL(), nil, today.AddDate(1, 0, 0))
	if err != nil {
		panic(err)
	}
	res, err := read.Resolve(log.DID(), did.Version{Time: today.AddDate(0, 0, 1)})
	if err != nil {
		panic(err)
	}
	fmt.Println(res.VersionID[:2], res.Updated.Format(time.DateOnly))
	// Output:
	// https://rivers.example/staff/did.jsonl
	// 1- 2026-12-21
}
