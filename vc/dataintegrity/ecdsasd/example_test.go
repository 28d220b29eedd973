package ecdsasd_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"fmt"
	"log"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/dataintegrity"
	"github.com/staffpassport/staffpassport/vc/dataintegrity/ecdsasd"
)

func ExampleDerive() {
	ctx := context.Background()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		log.Fatal(err)
	}
	multikey, err := did.Multikey(&key.PublicKey)
	if err != nil {
		log.Fatal(err)
	}
	method, err := did.ParseURL("did:key:" + multikey + "#" + multikey)
	if err != nil {
		log.Fatal(err)
	}
	signer, err := did.NewSigner(method, key)
	if err != nil {
		log.Fatal(err)
	}

	// The issuer signs each statement; the holder keeps the result to itself.
	issuer := &dataintegrity.Issuer{Suite: ecdsasd.Suite(), Signer: signer}
	held, err := issuer.Secure(ctx, &vc.Credential{
		Context: vc.Contexts(),
		Type:    []string{vc.TypeCredential},
		Issuer:  vc.Party{ID: method.DID.String()},
		Subject: []byte(`{"id": "did:example:rowan", "name": "Rowan Tamar", "description": "Grows lichens."}`),
	})
	if err != nil {
		log.Fatal(err)
	}

	// The holder shows the name, and what is mandatory.
	shown, err := ecdsasd.Derive(ctx, held, []vc.Pointer{"/credentialSubject/name"}, nil)
	if err != nil {
		log.Fatal(err)
	}
	c, err := vc.Parse(shown.Bytes)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(string(c.Subject))
	// Output: {"id":"did:example:rowan","name":"Rowan Tamar"}
}
