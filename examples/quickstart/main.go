// Quickstart issues a staff passport, shows it to a host organisation and lets the
// host verify it, all in one process and with keys in memory. The lines that
// matter are those of the README.
package main

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"os"
	"time"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/did/didkey"
	"github.com/staffpassport/staffpassport/schema"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/dataintegrity"
	"github.com/staffpassport/staffpassport/vc/verify"
)

func main() {
	if err := run(context.Background(), newSigner(), newSigner(), newSigner()); err != nil {
		fmt.Fprintln(os.Stderr, "quickstart:", err)
		os.Exit(1)
	}
}

// run is the block of Go in the README, which a test compares.
func run(ctx context.Context, employer, staff, host did.Signer) error {
	// README begin
	issuer, holder, verifier := employer.VerificationMethod().DID, staff.VerificationMethod().DID, host.VerificationMethod().DID
	record, _ := schema.Sample()
	credential, err := record.Credential(schema.Terms{Issuer: issuer, Holder: holder, ValidFrom: time.Now()})
	if err != nil {
		return err // *schema.ValidationError lists everything wrong at once
	}
	suite := dataintegrity.EdDSAJCS2022()
	passport, err := (&dataintegrity.Issuer{Suite: suite, Signer: employer, Contexts: schema.Contexts()}).Secure(ctx, credential)
	if err != nil {
		return err
	}
	nonces := verify.NewNonces(10*time.Minute, nil) // the host's: each is good once
	nonce := nonces.New()
	shown, err := (&dataintegrity.Presenter{Suite: suite, Signer: staff}).Present(ctx, vc.NewPresentation(holder, passport), verifier.String(), nonce)
	if err != nil {
		return err
	}
	v := &verify.Verifier{Resolver: didkey.Resolver{}, Trust: verify.TrustedIssuers{issuer: {schema.Type}}, Contexts: schema.Contexts(), Replay: nonces}
	presentation, err := v.Presentation(ctx, shown, verify.Session{Audience: verifier.String(), Nonce: nonce})
	if err != nil {
		return err // *verify.Error names the check that failed
	}
	verified, err := schema.Read(presentation.Credentials()[0].Document())
	// README end
	if err != nil {
		return err
	}
	body, _ := verified.Registration.Body.Get()
	fmt.Println("verified: registered with the", body)
	return nil
}

// newSigner makes an Ed25519 key and names it by its did:key.
func newSigner() did.Signer {
	pub, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		panic(err) // crypto/rand does not fail
	}
	id, err := didkey.New(pub)
	if err != nil {
		panic(err)
	}
	s, err := did.NewSigner(didkey.SigningMethod(id), key)
	if err != nil {
		panic(err)
	}
	return s
}
