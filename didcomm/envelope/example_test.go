package envelope_test

import (
	"context"
	"crypto/ecdh"
	"crypto/ed25519"
	"crypto/rand"
	"fmt"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/did/didpeer"
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

// In version 2 parties are DIDs, whose documents have the keys.
func Example_version2() {
	ctx := context.Background()
	resolver := did.Mux{"peer": didpeer.Resolver{}}
	var keys [2]envelopetest.Keys // programs use their wallets
	var ids [2]did.DID
	for i := range ids {
		key, _ := ecdh.X25519().GenerateKey(rand.Reader)
		keys[i].AddAgreement(key)
		ids[i], _ = didpeer.New2([]didpeer.Key{{For: did.KeyAgreement, Public: key.PublicKey()}})
	}
	alice := &envelope.Packer{Agreement: &keys[0], Resolver: resolver, Cache: envelope.NewCache()}
	bob := &envelope.Packer{Agreement: &keys[1], Resolver: resolver, Cache: envelope.NewCache(),
		Owns: func(_ context.Context, id did.DID) (bool, error) { return id == ids[1], nil }}

	message := fmt.Sprintf(`{"id":"1","type":"https://didcomm.org/basicmessage/2.0/message","from":%q,"to":[%q],"body":{"content":"hello"}}`, ids[0], ids[1])
	packed, err := alice.PackV2(ctx, []byte(message), envelope.Options{From: ids[0], To: ids[1]})
	if err != nil {
		fmt.Println(err)
		return
	}
	received, err := bob.Unpack(ctx, packed)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(received.Authenticated, received.From == ids[0], received.To == ids[1])
	// Output: true true true
}
