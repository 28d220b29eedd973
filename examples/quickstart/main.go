// Quickstart issues a staff passport, shows a part of it to a host organisation and lets
// the host verify that, all in one process and with keys in memory. The lines that
// matter are those of the README.
package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"fmt"
	"os"
	"time"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/did/didkey"
	"github.com/staffpassport/staffpassport/schema"
	"github.com/staffpassport/staffpassport/vc/dataintegrity"
	"github.com/staffpassport/staffpassport/vc/dataintegrity/ecdsasd"
	"github.com/staffpassport/staffpassport/vc/disclose"
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
	mandatory, err := schema.Mandatory(credential) // what nobody can leave out: who issued it, until when, about whom
	if err != nil {
		return err
	}
	passport, err := (&dataintegrity.Issuer{Suite: ecdsasd.Suite(mandatory...), Signer: employer, Contexts: schema.Contexts()}).Secure(ctx, credential)
	if err != nil {
		return err
	}
	nonces := verify.NewNonces(10*time.Minute, nil) // the host's: each is good once
	nonce := nonces.New()
	shown, err := disclose.Derive(ctx, disclose.Request{
		Reveal: schema.ClinicalStart().Ask, // of about forty claims: no date of birth, no pay band
		Holder: staff, Audience: verifier.String(), Nonce: nonce, Contexts: schema.Contexts(),
	}, passport)
	if err != nil {
		return err
	}
	v := &verify.Verifier{Resolver: didkey.Resolver{}, Trust: verify.TrustedIssuers{issuer: {schema.Type}}, Contexts: schema.Contexts(), Replay: nonces}
	presentation, err := v.Presentation(ctx, shown, verify.Session{Audience: verifier.String(), Nonce: nonce})
	if err != nil {
		return err // *verify.Error names the check that failed
	}
	document := presentation.Credentials()[0].Document()
	if missing, err := schema.ClinicalStart().Missing(document); err != nil {
		return err
	} else if len(missing) > 0 {
		return fmt.Errorf("the wallet did not show %v", missing)
	}
	verified, err := schema.Read(document)
	// README end
	if err != nil {
		return err
	}
	body, _ := verified.Registration.Body.Get()
	fmt.Println("verified: registered with the", body)
	return nil
}

// newSigner makes a P-256 key and names it by its did:key.
func newSigner() did.Signer {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err) // crypto/rand does not fail
	}
	id, err := didkey.New(key.Public())
	if err != nil {
		panic(err)
	}
	s, err := did.NewSigner(didkey.SigningMethod(id), key)
	if err != nil {
		panic(err)
	}
	return s
}
