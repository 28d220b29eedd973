package connect

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"testing"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/did/didpeer"
	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/internal/peerdid"
)

// BenchmarkConnect makes a connection, invitation and all, without envelopes and with a
// store in memory.
func BenchmarkConnect(b *testing.B) {
	for name, c := range map[string]struct {
		invite Invite
		minor  int
	}{
		"v1/did-exchange-1.1": {Invite{}, 1},
		"v1/did-exchange-1.0": {Invite{}, 0},
		"v2":                  {Invite{Version: didcomm.V2}, 0},
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				w := newWorld(b)
				i, err := w.alder.Invite(b.Context(), c.invite)
				if err != nil {
					b.Fatal(err)
				}
				i.Request.Minor = c.minor
				id, err := w.hazel.Receive(b.Context(), i)
				if err == nil {
					err = w.hazel.Connect(b.Context(), id)
				}
				if err != nil {
					b.Fatal(err)
				}
				if c.invite.Version == didcomm.V2 {
					w.settle2()
				} else {
					w.settle()
				}
				if w.alder.only(b).State != Completed {
					b.Fatal("not connected")
				}
			}
		})
	}
}

// BenchmarkFloor is what no agent can leave out: the keys, the DIDs and how they are
// read, and in V1 the signature over the inviter's new one.
func BenchmarkFloor(b *testing.B) {
	newKey := func() (ed25519.PublicKey, ed25519.PrivateKey) {
		pub, key, err := ed25519.GenerateKey(rand.Reader)
		if err != nil {
			b.Fatal(err)
		}
		return pub, key
	}
	at := peerdid.Address{Endpoint: "https://alderbrook.example/didcomm"}
	for name, make := range map[string]func(ed25519.PublicKey, peerdid.Address) (did.DID, error){"v1": peerdid.V1, "v2": peerdid.V2} {
		b.Run("Connect/"+name, func(b *testing.B) {
			for b.Loop() {
				invitation, inviter := newKey()
				var last did.DID
				for range 2 {
					pub, _ := newKey()
					id, err := make(pub, at)
					if err == nil {
						_, err = didpeer.Resolver{}.Resolve(context.Background(), id, did.Version{})
					}
					if err != nil {
						b.Fatal(err)
					}
					last = id
				}
				if text := []byte(last.String()); name == "v1" && !ed25519.Verify(invitation, text, ed25519.Sign(inviter, text)) {
					b.Fatal("signature")
				}
			}
		})
	}
}
