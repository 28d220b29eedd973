package bundle_test

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/did/didkey"
	"github.com/staffpassport/staffpassport/schema/trust/bundle"
)

// A maker with a network makes a file, and a host without one asks it.
func Example() {
	ctx := context.Background()
	_, key, _ := ed25519.GenerateKey(rand.Reader)
	desk, _ := didkey.New(key.Public())
	signer, _ := did.NewSigner(didkey.SigningMethod(desk), key)
	internet := did.Getter(small()) // webclient.New(webclient.Options{}), elsewhere
	file, err := bundle.Build(ctx, bundle.Plan{
		Signer: signer, Client: internet, Lifetime: 7 * 24 * time.Hour, URLs: []string{listURL, statusURL},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	b, err := bundle.Open(ctx, file, bundle.Policy{Maker: desk, Resolver: didkey.Resolver{}, MaxAge: 24 * time.Hour})
	if err != nil {
		fmt.Println(err)
		return
	}
	body, _, err := b.Get(ctx, listURL)
	fmt.Println(string(body), err)
	_, _, err = b.Get(ctx, "https://elsewhere.example/")
	fmt.Println(errors.Is(err, did.ErrUnavailable), err)
	// Output:
	// {"list":"of organisations"} <nil>
	// true bundle: not in the bundle: could not be resolved now
}
