package wallet_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/staffpassport/staffpassport/wallet"
	"github.com/staffpassport/staffpassport/wallet/sqlitestore"
)

func Example() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "wallet")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)

	store, err := sqlitestore.Open(filepath.Join(dir, "wallet.db"))
	if err != nil {
		log.Fatal(err)
	}
	w, err := wallet.Create(ctx, store, wallet.Passphrase("heather and gorse"), wallet.Config{})
	if err != nil {
		log.Fatal(err)
	}
	defer w.Close()

	err = w.Update(ctx, func(tx *wallet.Tx) error {
		if err := tx.Put("connection", "1", []byte("Hazel"), "active"); err != nil {
			return err
		}
		return tx.Put("connection", "2", []byte("Rowan"), "active")
	})
	if err != nil {
		log.Fatal(err)
	}
	err = w.View(ctx, func(tx *wallet.Tx) error {
		for r, err := range tx.Find("connection", "active") {
			if err != nil {
				return err
			}
			fmt.Println(r.ID, string(r.Data))
		}
		return nil
	})
	if err != nil {
		log.Fatal(err)
	}
	// Output:
	// 1 Hazel
	// 2 Rowan
}
