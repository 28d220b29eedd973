package envelope_test

import (
	"context"
	"crypto/ed25519"
	"fmt"

	"github.com/staffpassport/staffpassport/didcomm/envelope"
	"github.com/staffpassport/staffpassport/didcomm/envelope/envelopetest"
)

func Example() {
	ctx := context.Background()
	var aliceKeys, bobKeys envelopetest.Keys // a program uses its wallet
	_, a, _ := ed25519.GenerateKey(nil)
	_, b, _ := ed25519.GenerateKey(nil)
	alice, bob := aliceKeys.Add(a), bobKeys.Add(b)

	packed, err := (&envelope.Packer{Keys: &aliceKeys}).PackV1(ctx, []byte("hello"), alice, bob)
	if err != nil {
		fmt.Println(err)
		return
	}
	received, err := (&envelope.Packer{Keys: &bobKeys}).Unpack(ctx, packed)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(string(received.Plaintext), received.Authenticated, received.Sender.Equal(alice))
	// Output: hello true true
}
