package sdjwt_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/sdjwt"
)

func ExampleIssuer() {
	issuer, holder := exampleSigner("issuer"), exampleSigner("holder")
	i := &sdjwt.Issuer{
		Signer:      issuer,
		Holder:      holder.Public(),
		Disclosable: []vc.Pointer{"/credentialSubject/registration", "/credentialSubject/band"},
		Now:         at(time.Date(2026, 5, 4, 9, 30, 0, 0, time.UTC)),
	}
	passport := &vc.Credential{
		Context: vc.Contexts(),
		Type:    []string{vc.TypeCredential, "urn:example:passport"},
		Issuer:  vc.Party{ID: issuer.VerificationMethod().DID.String()},
		Subject: json.RawMessage(`{"name":"Rowan Thames","registration":"12A3456B","band":"5"}`),
	}
	held, err := i.Secure(context.Background(), passport)
	if err != nil {
		panic(err)
	}
	shown, err := sdjwt.Present(context.Background(), held, sdjwt.Presenting{
		Reveal:   []vc.Pointer{"/credentialSubject/registration"},
		Holder:   holder,
		Audience: "did:web:riverside.example",
		Nonce:    "n-4f1b0c",
	})
	if err != nil {
		panic(err)
	}
	token, err := sdjwt.Parse(shown) // vc/verify does this and all that belongs to it
	if err != nil {
		panic(err)
	}
	subject, _ := token.Document().Get("credentialSubject")
	b, err := json.Marshal(subject)
	if err != nil {
		panic(err)
	}
	fmt.Println(shown.MediaType, strings.Count(string(shown.Bytes), "~"))
	fmt.Println(string(b))
	fmt.Println(token.Verify(issuer.Public()), token.VerifyKeyBinding())
	// Output:
	// application/dc+sd-jwt 2
	// {"name":"Rowan Thames","registration":"12A3456B"}
	// <nil> <nil>
}

func exampleSigner(name string) did.Signer {
	key := p256(name)
	text, err := did.Multikey(key.Public())
	if err != nil {
		panic(err)
	}
	id, err := did.Parse("did:key:" + text)
	if err != nil {
		panic(err)
	}
	s, err := did.NewSigner(id.URL(text), key)
	if err != nil {
		panic(err)
	}
	return s
}
