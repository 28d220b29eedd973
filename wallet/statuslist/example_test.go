package statuslist_test

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strconv"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/did/didkey"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/dataintegrity"
	"github.com/staffpassport/staffpassport/wallet"
	"github.com/staffpassport/staffpassport/wallet/sqlitestore"
	"github.com/staffpassport/staffpassport/wallet/statuslist"
)

func Example() {
	ctx := context.Background()
	folder, err := os.MkdirTemp("", "")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(folder)
	store, err := sqlitestore.Open(filepath.Join(folder, "wallet.db"))
	if err != nil {
		log.Fatal(err)
	}
	w, err := wallet.Create(ctx, store, testKey, wallet.Config{})
	if err != nil {
		log.Fatal(err)
	}
	defer w.Close()
	key := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize)) // from wallet.NewKey in earnest
	id, err := didkey.New(key.Public())
	if err != nil {
		log.Fatal(err)
	}
	signer, err := did.NewSigner(didkey.SigningMethod(id), key)
	if err != nil {
		log.Fatal(err)
	}

	lists := &statuslist.Issuer{ID: id, URL: func(n int) string { return "https://river.example/status/" + strconv.Itoa(n) }}
	securer := &dataintegrity.Issuer{Suite: dataintegrity.EdDSAJCS2022(), Signer: signer}

	// The entries go into the credential, in the transaction that promises it.
	var entries []vc.Status
	if err := w.Update(ctx, func(tx *wallet.Tx) error {
		entries, err = lists.Allocate(tx, "urn:passport:of-rowan")
		return err
	}); err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(entries), "entries")

	// Later somebody has a reason, which stays here.
	if err := w.Update(ctx, func(tx *wallet.Tx) error {
		return lists.Revoke(tx, "urn:passport:of-rowan", "LeavingOrganisation", "hr@river.example")
	}); err != nil {
		log.Fatal(err)
	}
	published, err := lists.PublishDue(ctx, w, securer)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(published, "lists published")

	// This is what the web server answers with at /status/0.
	if err := w.View(ctx, func(tx *wallet.Tx) error {
		list, err := lists.Published(tx, 0)
		fmt.Println(list.MediaType)
		return err
	}); err != nil {
		log.Fatal(err)
	}
	// Output:
	// 2 entries
	// 2 lists published
	// application/vc
}
