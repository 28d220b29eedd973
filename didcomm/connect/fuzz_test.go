package connect

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/didcomm"
)

// FuzzOpen: no message makes a connection but to whoever holds the keys that its envelope
// proved, and none does harm.
func FuzzOpen(f *testing.F) {
	files, err := filepath.Glob(filepath.Join("testdata", "peers", "*.json"))
	require.NoError(f, err)
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(f, err)
		f.Add(text)
	}
	for _, seed := range []string{
		`{"@type":"https://didcomm.org/connections/1.0/request","@id":"m1","label":"x","connection":{"DID":"x","DIDDoc":{"service":[{"type":"IndyAgent","recipientKeys":["x"],"serviceEndpoint":"https://a.example"}]}}}`,
		`{"@type":"https://didcomm.org/connections/1.0/response","@id":"m1","~thread":{"thid":"t"},"connection~sig":{"@type":"https://didcomm.org/signature/1.0/ed25519Sha512_single","signature":"AA","sig_data":"AAAAAAAAAAB7fQ","signer":"x"}}`,
		`{"@type":"https://didcomm.org/didexchange/1.1/problem_report","@id":"m1","~thread":{"thid":"t"},"problem-code":"request_not_accepted","explain":"x"}`,
		`{"@type":"https://didcomm.org/out-of-band/1.1/handshake-reuse","@id":"m1","~thread":{"thid":"m1","pthid":"i"}}`,
		`{"type":"https://didcomm.org/trust-ping/2.0/ping","id":"m1","typ":"application/didcomm-plain+json","pthid":"i","body":{}}`,
	} {
		f.Add([]byte(seed))
	}
	web, err := did.Parse("did:web:stranger.example")
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, plaintext []byte) {
		m, err := didcomm.ParseMessage(plaintext)
		if err != nil {
			return
		}
		w := newWorld(t)
		i, id := w.invite(Invite{}, w.hazel)
		require.NoError(t, w.hazel.Connect(t.Context(), id))
		stranger, err := w.wye.keys.NewVerkey(t.Context())
		require.NoError(t, err)
		m.Parent = i.ID
		for _, p := range []*party{w.alder, w.hazel} {
			keys := didcomm.Keys{Sender: stranger, Recipient: i.Service.Keys[0]}
			if p == w.hazel {
				c := p.connection(t, id)
				keys.Recipient, m.Thread = c.MyKey, p.only(t).Thread
			}
			_ = p.store.Update(t.Context(), func(tx didcomm.Tx) error {
				if m.Version.Or1() == didcomm.V2 {
					_, err := p.Greet(t.Context(), tx, didcomm.Keys{From: web, To: web}, m)
					require.Error(t, err)
					return err
				}
				return errors.Join(p.Open(t.Context(), tx, keys, m), p.Handle(t.Context(), tx, didcomm.Connection{ID: id, MyKey: keys.Recipient}, m))
			})
			require.Empty(t, p.made, "nobody proved a key of a DID")
		}
	})
}
