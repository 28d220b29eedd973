package walletstore_test

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/envelope"
	"github.com/staffpassport/staffpassport/didcomm/runtime"
	"github.com/staffpassport/staffpassport/didcomm/transport"
	"github.com/staffpassport/staffpassport/didcomm/walletstore"
	"github.com/staffpassport/staffpassport/wallet"
	"github.com/staffpassport/staffpassport/wallet/sqlitestore"
)

// envelopes gives the runtime the envelopes of RFC 0019. It knows no mediators: a
// peer that has some cannot be reached.
type envelopes struct{ *envelope.Packer }

func (e envelopes) Pack(ctx context.Context, plaintext []byte, from, to ed25519.PublicKey, routing ...ed25519.PublicKey) ([]byte, error) {
	if len(routing) > 0 {
		return nil, fmt.Errorf("%w: mediators", didcomm.ErrPermanent)
	}
	return e.PackV1(ctx, plaintext, from, to)
}

func (e envelopes) Unpack(ctx context.Context, data []byte) (runtime.Received, error) {
	got, err := e.Packer.Unpack(ctx, data)
	if err != nil {
		return runtime.Received{}, err
	}
	return runtime.Received{Plaintext: got.Plaintext, Sender: got.Sender, Recipient: got.Recipient}, nil
}

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
		Packer: envelopes{&envelope.Packer{Keys: w}},
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
