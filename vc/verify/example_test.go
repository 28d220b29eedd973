package verify_test

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"fmt"
	"time"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/did/didkey"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/dataintegrity"
	"github.com/staffpassport/staffpassport/vc/sdjwt"
	"github.com/staffpassport/staffpassport/vc/verify"
)

// An employer issues a credential, its holder shows it to a host, and the host
// verifies it.
func Example() {
	ctx := context.Background()
	newKey := func() did.Signer {
		pub, key, _ := ed25519.GenerateKey(nil)
		id, _ := didkey.New(pub)
		signer, _ := did.NewSigner(didkey.SigningMethod(id), key)
		return signer
	}
	employer, rowan := newKey(), newKey()
	employerDID, rowanDID := employer.VerificationMethod().DID, rowan.VerificationMethod().DID

	issuer := &dataintegrity.Issuer{Suite: dataintegrity.EdDSAJCS2022(), Signer: employer}
	credential, err := issuer.Secure(ctx, &vc.Credential{
		Context:   vc.Contexts(),
		Type:      []string{vc.TypeCredential},
		Issuer:    vc.Party{ID: employerDID.String()},
		ValidFrom: time.Now().Truncate(time.Second),
		Subject:   json.RawMessage(`{"id":"` + rowanDID.String() + `","name":"Rowan Tamar"}`),
	})
	if err != nil {
		fmt.Println(err)
		return
	}

	nonces := verify.NewNonces(10*time.Minute, nil)
	session := verify.Session{Audience: "https://host.example", Nonce: nonces.New()}

	holder := &dataintegrity.Presenter{Suite: dataintegrity.EdDSAJCS2022(), Signer: rowan}
	shown, err := holder.Present(ctx, vc.NewPresentation(rowanDID, credential), session.Audience, session.Nonce)
	if err != nil {
		fmt.Println(err)
		return
	}

	host := &verify.Verifier{
		Resolver: did.Mux{"key": didkey.Resolver{}},
		Trust:    verify.TrustedIssuers{employerDID: {vc.TypeCredential}},
		Replay:   nonces,
	}
	p, err := host.Presentation(ctx, shown, session)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(p.Holder() == rowanDID, p.Credentials()[0].Issuer() == employerDID)

	_, err = host.Presentation(ctx, shown, session)
	fmt.Println(err)
	// Output:
	// true true
	// verify: replay: the presentation was used before
}

// A member of staff shows one claim of an SD-JWT and keeps the other back.
func ExampleVerifier_Presentation() {
	ctx := context.Background()
	newKey := func() did.Signer {
		pub, key, _ := ed25519.GenerateKey(nil)
		id, _ := didkey.New(pub)
		signer, _ := did.NewSigner(didkey.SigningMethod(id), key)
		return signer
	}
	employer, rowan := newKey(), newKey()
	const staffCard = "https://riverside.example/StaffCard"

	issuer := &sdjwt.Issuer{Signer: employer, Holder: rowan.Public(), Disclosable: []vc.Pointer{"/credentialSubject/role", "/credentialSubject/payBand"}}
	card, err := issuer.Secure(ctx, &vc.Credential{
		Context: vc.Contexts(),
		Type:    []string{vc.TypeCredential, staffCard},
		Issuer:  vc.Party{ID: employer.VerificationMethod().DID.String()},
		Subject: json.RawMessage(`{"role":"Staff Nurse","payBand":"Band 6"}`),
	})
	if err != nil {
		fmt.Println(err)
		return
	}

	nonces := verify.NewNonces(10*time.Minute, nil)
	session := verify.Session{Audience: "https://host.example", Nonce: nonces.New()}
	shown, err := sdjwt.Present(ctx, card, sdjwt.Presenting{Reveal: []vc.Pointer{"/credentialSubject/role"},
		Holder: rowan, Audience: session.Audience, Nonce: session.Nonce})
	if err != nil {
		fmt.Println(err)
		return
	}

	host := &verify.Verifier{
		Resolver: did.Mux{"key": didkey.Resolver{}},
		Trust:    verify.TrustedIssuers{employer.VerificationMethod().DID: {staffCard}},
		Replay:   nonces,
	}
	p, err := host.Presentation(ctx, shown, session)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(p.Holder() == rowan.VerificationMethod().DID, string(p.Credentials()[0].Document().Subject))

	_, err = host.Presentation(ctx, card, session)
	fmt.Println(err)
	// Output:
	// true {"role":"Staff Nurse"}
	// verify: credential 0: session: nothing shows that the credential was sent for this request by the one it belongs to
}
