// Pkcs11 issues a credential with a key that never leaves its PKCS#11 token, such as a
// hardware security module, and verifies it.
//
//	STAFFPASSPORT_PIN=... go run . -library /usr/lib/softhsm/libsofthsm2.so -token passports -key issuer
//
// It is a module of its own because it needs cgo and a vendor's library; the library
// above it needs neither. What joins the two is [did.NewSigner], which takes any
// crypto.Signer.
package main

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"io"
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
	library := flag.String("library", "/usr/lib/softhsm/libsofthsm2.so", "the PKCS#11 library of the token's vendor")
	label := flag.String("token", "passports", "the label of the token")
	key := flag.String("key", "issuer", "the label of the key, which is made if it is not there")
	flag.Parse()
	if err := run(context.Background(), *library, *label, *key, os.Getenv("STAFFPASSPORT_PIN"), os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "pkcs11:", err)
		os.Exit(1)
	}
}

// run issues a sample passport with the key in the token, verifies it, and writes it to
// out.
func run(ctx context.Context, library, label, keyLabel, pin string, out io.Writer) error {
	if pin == "" {
		return errors.New("no PIN of the token: set STAFFPASSPORT_PIN")
	}
	token, err := openToken(library, label, pin)
	if err != nil {
		return fmt.Errorf("token %q of %s: %w", label, library, err)
	}
	defer token.Close()
	key, err := token.key(keyLabel)
	if err != nil {
		return err
	}
	issuer, err := signer(key)
	if err != nil {
		return err
	}
	credential, err := passport(issuer.VerificationMethod().DID)
	if err != nil {
		return err
	}
	secured, err := (&dataintegrity.Issuer{Suite: dataintegrity.ECDSAJCS2019(), Signer: issuer, Contexts: schema.Contexts()}).Secure(ctx, credential)
	if err != nil {
		return err
	}
	if _, err := verifier(issuer.VerificationMethod().DID).Credential(ctx, secured); err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "%s\n", secured.Bytes)
	return err
}

// signer names the key by the did:key of its public half. An organisation publishes it
// in its did:web or did:webvh document instead, and gives that document's name of it.
func signer(key crypto.Signer) (did.Signer, error) {
	id, err := didkey.New(key.Public())
	if err != nil {
		return nil, err
	}
	return did.NewSigner(didkey.SigningMethod(id), key)
}

// passport returns a sample, about somebody whose key is made up here.
func passport(issuer did.DID) (*vc.Credential, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	holder, err := didkey.New(key.Public())
	if err != nil {
		return nil, err
	}
	record, _ := schema.Sample()
	return record.Credential(schema.Terms{Issuer: issuer, Holder: holder, ValidFrom: time.Now()})
}

func verifier(issuer did.DID) *verify.Verifier {
	return &verify.Verifier{Resolver: didkey.Resolver{}, Trust: verify.TrustedIssuers{issuer: {schema.Type}}, Contexts: schema.Contexts()}
}
