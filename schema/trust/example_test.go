package trust_test

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/did/didkey"
	"github.com/staffpassport/staffpassport/schema"
	"github.com/staffpassport/staffpassport/schema/trust"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/jose"
)

// An authority signs a list, and a host asks it.
func Example() {
	ctx := context.Background()
	pub, key, _ := ed25519.GenerateKey(rand.Reader)
	authority, _ := didkey.New(pub)
	signer, _ := did.NewSigner(didkey.SigningMethod(authority), key)
	employer, _ := did.Parse("did:web:alder-valley.example")

	list := &trust.List{
		ID: "https://register.example/organisations", Authority: authority, Sequence: 1,
		Issued: time.Now(), ValidUntil: time.Now().AddDate(0, 0, 7),
		Organisations: []trust.Organisation{{
			ODS: "RAV", Name: "Alder Valley Hospitals", DIDs: []did.DID{employer},
			Issues: []string{schema.Type}, From: time.Now(), RegisteredBy: "HR Director",
		}},
	}
	draft, err := list.Credential()
	if err != nil {
		fmt.Println(err)
		return
	}
	signed, _ := (&jose.Issuer{Signer: signer, Contexts: trust.Contexts()}).Secure(ctx, draft)

	registry, _ := trust.Open(ctx, trust.Config{Authority: authority, Resolver: didkey.Resolver{}})
	if err := registry.Accept(ctx, signed); err != nil { // or Update, to fetch it
		fmt.Println(err)
		return
	}
	o, _ := registry.Organisation(employer)
	fmt.Println(o.Name, registry.Trusted(ctx, employer, []string{vc.TypeCredential, schema.Type}, time.Now()))
	err = registry.Trusted(ctx, authority, []string{vc.TypeCredential, schema.Type}, time.Now())
	fmt.Println(errors.Is(err, trust.ErrNotRegistered), err)
	// Output:
	// Alder Valley Hospitals <nil>
	// true trust: the organisation is not on the list
}
