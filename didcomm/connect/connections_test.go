package connect

import (
	"crypto"
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/internal/memtx"
	"github.com/staffpassport/staffpassport/didcomm/internal/peerdid"
)

// olderInvite lets p receive an invitation to connections 1.0.
func (w *world) olderInvite(o Invite, p *party) (didcomm.Invitation, string) {
	w.t.Helper()
	i, err := w.alder.Invite(w.t.Context(), o)
	require.NoError(w.t, err)
	i.Request = didcomm.Type{Protocol: connectionProtocol, Major: 1, Name: "invitation"}
	id, err := p.Receive(w.t.Context(), i)
	require.NoError(w.t, err)
	return i, id
}

// TestConnections: RFC 0160, with an agent that speaks nothing newer on either side.
func TestConnections(t *testing.T) {
	t.Parallel()
	for name, parent := range map[string]bool{"invitation named": true, "found by its key": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			i, id := w.olderInvite(Invite{}, w.hazel)
			require.NoError(t, w.hazel.Connect(t.Context(), id))
			sent := w.hazel.store.TakeOutbox()
			require.Len(t, sent, 1)
			require.Equal(t, "https://didcomm.org/connections/1.0/request", sent[0].Message.Type.String())
			require.Equal(t, i.ID, sent[0].Message.Parent)
			if !parent {
				m := *sent[0].Message
				m.Parent, sent[0].Message = "", &m
			}
			var b struct {
				Label      string `json:"label"`
				Connection struct {
					DID    string         `json:"DID"`
					DIDDoc map[string]any `json:"DIDDoc"`
				} `json:"connection"`
			}
			require.NoError(t, sent[0].Message.Decode(&b))
			require.Equal(t, "hazel", b.Label)
			require.Equal(t, "did:sov:"+b.Connection.DID, b.Connection.DIDDoc["id"])

			require.NoError(t, w.deliver(sent[0]))
			require.NoError(t, w.alder.Work(t.Context(), w.alder.store.TakeTasks()[0].ID))
			require.Equal(t, Completed, w.alder.only(t).State, "the response completes it")
			answer := w.alder.store.TakeOutbox()
			require.Len(t, answer, 1)
			require.Equal(t, "https://didcomm.org/connections/1.0/response", answer[0].Message.Type.String())
			require.NoError(t, w.deliver(answer[0]))
			require.Equal(t, Completed, w.hazel.only(t).State)
			ack := w.hazel.store.TakeOutbox()
			require.Len(t, ack, 1)
			require.Equal(t, "https://didcomm.org/notification/1.0/ack", ack[0].Message.Type.String())
			require.Equal(t, sent[0].Message.ID, ack[0].Message.Thread)

			hc, ac := w.hazel.connection(t, id), w.alder.connection(t, w.alder.only(t).ID)
			require.True(t, hc.Established)
			require.True(t, ac.Established)
			require.Equal(t, hc.MyKey, ac.TheirKey)
			require.Equal(t, ac.MyKey, hc.TheirKey)
			require.Empty(t, ac.Theirs, "a DID without proof is not kept")
			require.Equal(t, "https://hazel.example/didcomm", ac.Endpoint)
			require.Len(t, w.alder.made, 1)
			require.Len(t, w.hazel.made, 1)
			older := *ack[0].Message
			older.Type, older.ID = sent[0].Message.Type.With("ack"), "ack2"
			ack[0].Message = &older
			require.NoError(t, w.deliver(ack[0]), "some name the ack so")
			require.NoError(t, w.hazel.Delete(t.Context(), id))
			require.NoError(t, w.alder.DeleteInvitation(t.Context(), i.ID))
			require.Empty(t, w.alder.store.Records(kindInvited))
		})
	}
}

// signed160 makes a response whose signature covers data.
func signed160(t testing.TB, p *party, key edKey, party any, at time.Time) map[string]any {
	t.Helper()
	text, err := json.Marshal(party)
	require.NoError(t, err)
	data := append([]byte{0, 0, 0, 0, 0, 0, 0, byte(at.Unix())}, text...)
	p.keys.mu.Lock()
	private := p.keys.keys[string(key)]
	p.keys.mu.Unlock()
	value, err := private.Sign(nil, data, crypto.Hash(0))
	require.NoError(t, err)
	return map[string]any{"connection~sig": map[string]any{
		"@type": "did:sov:BzCbsNYhMrjHiqZDTUASHg;spec/signature/1.0/ed25519Sha512_single", "signature": base64.RawURLEncoding.EncodeToString(value),
		"sig_data": base64.RawURLEncoding.EncodeToString(data), "signer": peerdid.LegacyKey(key),
	}}
}

// TestConnections_ResponseRefused: only what the inviter signed counts.
func TestConnections_ResponseRefused(t *testing.T) {
	t.Parallel()
	sig := func(b map[string]any) map[string]any { return b["connection~sig"].(map[string]any) }
	for name, change := range map[string]func(w *world, i didcomm.Invitation, s memtx.Sent) memtx.Sent{
		"not signed": func(_ *world, _ didcomm.Invitation, s memtx.Sent) memtx.Sent {
			return edit(t, s, func(b map[string]any) { delete(b, "connection~sig") })
		},
		"connection beside": func(w *world, _ didcomm.Invitation, s memtx.Sent) memtx.Sent {
			return edit(t, s, func(b map[string]any) {
				delete(b, "connection~sig")
				b["connection"] = map[string]any{"DID": "x", "DIDDoc": map[string]any{}}
			})
		},
		"another type of signature": func(_ *world, _ didcomm.Invitation, s memtx.Sent) memtx.Sent {
			return edit(t, s, func(b map[string]any) { sig(b)["@type"] = "https://didcomm.org/signature/1.0/other" })
		},
		"signature changed": func(_ *world, _ didcomm.Invitation, s memtx.Sent) memtx.Sent {
			return edit(t, s, func(b map[string]any) { sig(b)["signature"] = flipped(sig(b)["signature"].(string)) })
		},
		"content changed": func(_ *world, _ didcomm.Invitation, s memtx.Sent) memtx.Sent {
			return edit(t, s, func(b map[string]any) { sig(b)["sig_data"] = flipped(sig(b)["sig_data"].(string)) })
		},
		"content too short": func(_ *world, _ didcomm.Invitation, s memtx.Sent) memtx.Sent {
			return edit(t, s, func(b map[string]any) { sig(b)["sig_data"] = "AAAA" })
		},
		"no base64": func(_ *world, _ didcomm.Invitation, s memtx.Sent) memtx.Sent {
			return edit(t, s, func(b map[string]any) { sig(b)["signature"] = "!" })
		},
		"signed by another": func(w *world, i didcomm.Invitation, s memtx.Sent) memtx.Sent {
			key, err := w.wye.keys.NewVerkey(t.Context())
			require.NoError(t, err)
			party, err := peerdid.NewLegacy(key, peerdid.Address{Endpoint: "https://wye.example"})
			require.NoError(t, err)
			body := signed160(t, w.wye, key, party, start)
			body["connection~sig"].(map[string]any)["signer"] = peerdid.LegacyKey(i.Service.Keys[0])
			s.Connection.MyKey = key
			return edit(t, s, func(b map[string]any) { b["connection~sig"] = body["connection~sig"] })
		},
		"sent by somebody else": func(w *world, _ didcomm.Invitation, s memtx.Sent) memtx.Sent {
			key, err := w.wye.keys.NewVerkey(t.Context())
			require.NoError(t, err)
			s.Connection.MyKey = key
			return edit(t, s, func(map[string]any) {})
		},
		"signed, no document": func(w *world, i didcomm.Invitation, s memtx.Sent) memtx.Sent {
			body := signed160(t, w.alder, i.Service.Keys[0], map[string]any{"DID": "did:sov:x"}, start)
			return edit(t, s, func(b map[string]any) { b["connection~sig"] = body["connection~sig"] })
		},
		"signed, no service": func(w *world, i didcomm.Invitation, s memtx.Sent) memtx.Sent {
			body := signed160(t, w.alder, i.Service.Keys[0], map[string]any{"DID": "x", "DIDDoc": map[string]any{"id": "x"}}, start)
			return edit(t, s, func(b map[string]any) { b["connection~sig"] = body["connection~sig"] })
		},
		"did-exchange instead": func(_ *world, _ didcomm.Invitation, s memtx.Sent) memtx.Sent {
			s = edit(t, s, func(map[string]any) {})
			s.Message.Type.Protocol = exchangeProtocol
			return s
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			i, id := w.olderInvite(Invite{}, w.hazel)
			require.NoError(t, w.hazel.Connect(t.Context(), id))
			require.NoError(t, w.deliver(w.hazel.store.TakeOutbox()[0]))
			require.NoError(t, w.alder.Work(t.Context(), w.alder.store.TakeTasks()[0].ID))
			real := w.alder.store.TakeOutbox()[0]
			s := change(w, i, real)
			before := w.hazel.store.Snapshot()
			requireRefused(t, w.deliver(s), codeResponse)
			require.Equal(t, before, w.hazel.store.Snapshot())
			require.NoError(t, w.deliver(real), "it still waits for the real one")
			require.Equal(t, Completed, w.hazel.only(t).State)
		})
	}
}

// TestConnections_RequestRefused: a document must say how its sender is reached.
func TestConnections_RequestRefused(t *testing.T) {
	t.Parallel()
	doc := func(b map[string]any) map[string]any {
		return b["connection"].(map[string]any)["DIDDoc"].(map[string]any)
	}
	service := func(b map[string]any) map[string]any { return doc(b)["service"].([]any)[0].(map[string]any) }
	for name, change := range map[string]func(b map[string]any){
		"no connection":          func(b map[string]any) { delete(b, "connection") },
		"no document":            func(b map[string]any) { delete(b["connection"].(map[string]any), "DIDDoc") },
		"no DID and no document": func(b map[string]any) { b["connection"] = map[string]any{} },
		"no service":             func(b map[string]any) { delete(doc(b), "service") },
		"other service":          func(b map[string]any) { service(b)["type"] = "DIDCommMessaging" },
		"no key":                 func(b map[string]any) { service(b)["recipientKeys"] = []string{} },
		"key unknown":            func(b map[string]any) { service(b)["recipientKeys"] = []string{"#9"} },
		"key of another": func(b map[string]any) {
			service(b)["recipientKeys"] = []string{"DoDMNYwMrSN8ygGKabgz5fLA9aWV4Vi8SLX6CiyN2H4a"}
		},
		"endpoint a file":   func(b map[string]any) { service(b)["serviceEndpoint"] = "file:///etc/passwd" },
		"endpoint a DID":    func(b map[string]any) { service(b)["serviceEndpoint"] = "did:sov:A2wBhNYhMrjHiqZDTUYH7u" },
		"routing key wrong": func(b map[string]any) { service(b)["routingKeys"] = []string{"x"} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			_, id := w.olderInvite(Invite{}, w.hazel)
			require.NoError(t, w.hazel.Connect(t.Context(), id))
			s := edit(t, w.hazel.store.TakeOutbox()[0], change)
			before := w.alder.store.Snapshot()
			requireRefused(t, w.deliver(s), codeRequest)
			require.Equal(t, before, w.alder.store.Snapshot())
		})
	}
}

// TestConnections_Documents: the forms of documents in use.
func TestConnections_Documents(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(key string, doc map[string]any, service map[string]any){
		"as in the RFC":      func(string, map[string]any, map[string]any) {},
		"newer service type": func(_ string, _, s map[string]any) { s["type"] = "did-communication" },
		"key by reference":   func(_ string, d, s map[string]any) { s["recipientKeys"] = []string{d["id"].(string) + "#1"} },
		"key by fragment":    func(_ string, _, s map[string]any) { s["recipientKeys"] = []string{"#1"} },
		"did:key": func(key string, _, s map[string]any) {
			ref, err := peerdid.LegacyKeyRef(key)
			require.NoError(t, err)
			s["recipientKeys"] = []string{ref}
		},
		"no routing keys": func(_ string, _, s map[string]any) { delete(s, "routingKeys") },
		"another service first": func(_ string, d, s map[string]any) {
			d["service"] = []any{map[string]any{"type": "x", "serviceEndpoint": map[string]any{}}, s}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			_, id := w.olderInvite(Invite{}, w.hazel)
			require.NoError(t, w.hazel.Connect(t.Context(), id))
			s := w.hazel.store.TakeOutbox()[0]
			s = edit(t, s, func(b map[string]any) {
				d := b["connection"].(map[string]any)["DIDDoc"].(map[string]any)
				change(peerdid.LegacyKey(s.Connection.MyKey), d, d["service"].([]any)[0].(map[string]any))
			})
			require.NoError(t, w.deliver(s))
			require.Equal(t, RequestReceived, w.alder.only(t).State)
		})
	}
}

// TestAbuse_DC11_Connections: an invitation that is over is over in either protocol.
func TestAbuse_DC11_Connections(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	i, id := w.olderInvite(Invite{}, w.hazel)
	require.NoError(t, w.hazel.Connect(t.Context(), id))
	newer := i
	newer.Request = didcomm.Type{Protocol: exchangeProtocol, Major: 1, Minor: 1, Name: request}
	other, err := w.wye.Receive(t.Context(), newer)
	require.NoError(t, err)
	require.NoError(t, w.wye.Connect(t.Context(), other))
	w.settleOnly(w.wye)
	before := w.alder.kept(t)
	late := w.hazel.store.TakeOutbox()
	if len(late) > 0 {
		require.NoError(t, w.deliver(late[0]))
	}
	require.Equal(t, before, w.alder.kept(t))
	out := w.alder.store.TakeOutbox()
	require.Len(t, out, 1)
	require.Equal(t, "https://didcomm.org/connections/1.0/problem_report", out[0].Message.Type.String())
	require.Contains(t, string(out[0].Message.Body), `"problem-code":"request_not_accepted"`)
	require.NoError(t, w.deliver(out[0]))
	require.Equal(t, Abandoned, w.hazel.only(t).State)
	require.False(t, strings.Contains(w.hazel.only(t).Reason, "passwd"))
}
