package didjwk_test

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"time"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/did/didjwk"
)

func ExampleResolver() {
	key := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	id, err := didjwk.New(key.Public())
	if err != nil {
		fmt.Println(err)
		return
	}
	res, err := didjwk.Resolver{}.Resolve(context.Background(), id, did.Version{})
	if err != nil {
		fmt.Println(err)
		return
	}
	method, err := res.Document.Method(didjwk.SigningMethod(id), did.AssertionMethod, time.Now())
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(method.ID.Fragment, key.Public().(ed25519.PublicKey).Equal(method.PublicKey()))
	// Output: 0 true
}
