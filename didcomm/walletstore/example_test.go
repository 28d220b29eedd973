package walletstore_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/did/didkey"
	"github.com/staffpassport/staffpassport/did/didpeer"
	"github.com/staffpassport/staffpassport/didcomm/runtime"
	"github.com/staffpassport/staffpassport/didcomm/transport"
	"github.com/staffpassport/staffpassport/didcomm/walletstore"
	"github.com/staffpassport/staffpassport/wallet"
	"github.com/staffpassport/staffpassport/wallet/sqlitestore"
)

// An agent over a wallet. Its Receive is what transport's server calls.
func Example() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	store, err := sqlitestore.Open(filepath.Join(dir, "wallet.db"))
	if err != nil {
		log.Fatal(err)
	}
	w, err := wallet.Create(ctx, store, wallet.Passphrase("correct horse battery staple"), wallet.Config{})
	if err != nil {
		log.Fatal(err)
	}
	defer w.Close()

	agent, err := runtime.New(runtime.Config{
		Store:  walletstore.New(w),
		Packer: walletstore.Packer(w, did.Mux{"key": didkey.Resolver{}, "peer": didpeer.Resolver{}}),
		Sender: transport.NewClient(transport.Options{}),
	})
	if err != nil {
		log.Fatal(err)
	}
	// agent.Handle("issue-credential", 2, ...), then agent.Run(ctx) and agent.Receive.

	err = agent.Receive(ctx, []byte(`{"protected":"no envelope"}`))
	fmt.Println(err)
	// Output: runtime: unpack: envelope: invalid
}
