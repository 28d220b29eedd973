package status_test

import (
	"fmt"
	"log"
	"time"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/vc/status"
)

// An issuer without a wallet keeps the bits itself.
func ExampleList_Credential() {
	bits, err := status.NewBits(status.MinEntries)
	if err != nil {
		log.Fatal(err)
	}
	if err := bits.Set(94_567, true); err != nil { // the index in the entry of some credential
		log.Fatal(err)
	}
	issuer, err := did.Parse("did:web:river.example")
	if err != nil {
		log.Fatal(err)
	}
	made := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	list := status.List{
		ID: "https://river.example/status/3", Issuer: issuer, Purposes: []status.Purpose{status.Revocation},
		ValidFrom: made, ValidUntil: made.AddDate(0, 0, 1), TTL: 5 * time.Minute, Bits: bits,
	}
	c, err := list.Credential() // to be secured by any vc.Securer, and published at its id
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(c.ID, c.Type)

	entry := status.Entry(list.ID, status.Revocation, 94_567) // for the credential's Status
	r, err := status.ParseEntry(entry)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(r.List, r.Purpose, r.Index)
	// Output:
	// https://river.example/status/3 [VerifiableCredential BitstringStatusListCredential]
	// https://river.example/status/3 revocation 94567
}
