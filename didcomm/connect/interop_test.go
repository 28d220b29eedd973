package connect

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/did/didpeer"
	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/internal/memtx"
	"github.com/staffpassport/staffpassport/didcomm/internal/peerdid"
)

// recorded returns a message that another agent sent (testdata/peers): aries is
// aries-framework-go v0.3.2, credo is Credo-TS 0.6.3, and the number is that of did:peer.
func recorded(t testing.TB, name string, change ...string) *didcomm.Message {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "peers", name+".json"))
	require.NoError(t, err)
	for n := 0; n+1 < len(change); n += 2 {
		require.Contains(t, string(text), change[n])
		text = []byte(strings.ReplaceAll(string(text), change[n], change[n+1]))
	}
	m, err := didcomm.ParseMessage(text)
	require.NoError(t, err)
	return m
}

// senderOf returns the key with which the sender of a recorded message receives.
func senderOf(t testing.TB, m *didcomm.Message) (*peerdid.Peer, edKey) {
	t.Helper()
	var b requestBody
	require.NoError(t, m.Decode(&b))
	var attached []byte
	if b.Document != nil {
		var err error
		attached, err = b.Document.Content()
		require.NoError(t, err)
	}
	peer, err := peerdid.Read(t.Context(), didpeer.Resolver{}, b.DID, attached)
	require.NoError(t, err)
	return peer, peer.Service.Keys[0]
}

// edited returns m with another body.
func edited(t testing.TB, m *didcomm.Message, change func(b map[string]any)) *didcomm.Message {
	t.Helper()
	return edit(t, memtx.Sent{Message: m}, change).Message
}

// TestInterop_DIDs: the requests of real agents are answered, each with a DID that its
// sender reads.
func TestInterop_DIDs(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(b map[string]any)
		minor  int
	}{
		"aries-1-request": {nil, 0},
		"credo-1-request": {nil, 1},
		"credo-2-request": {nil, 1},
		"credo-4-request": {nil, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			i, err := w.alder.Invite(t.Context(), Invite{})
			require.NoError(t, err)
			m := recorded(t, name)
			m.Parent = i.ID
			require.Equal(t, c.minor, m.Type.Minor)
			peer, key := senderOf(t, m)
			k := didcomm.Keys{Sender: key, Recipient: i.Service.Keys[0]}
			require.NoError(t, w.alder.store.DeliverOpen(t.Context(), w.alder, k, m))
			require.NoError(t, w.alder.Work(t.Context(), w.alder.store.TakeTasks()[0].ID))
			sent := w.alder.store.TakeOutbox()
			require.Len(t, sent, 1)
			require.Equal(t, key, sent[0].Connection.TheirKey)
			require.Equal(t, peer.ID, sent[0].Connection.Theirs)
			require.Contains(t, sent[0].Connection.Endpoint, "http://127.0.0.1:")
			answer := sent[0].Message
			require.Equal(t, c.minor, answer.Type.Minor, "in the peer's version")
			require.Equal(t, m.ID, answer.Thread)
			var b responseBody
			require.NoError(t, answer.Decode(&b))
			if c.minor > 0 {
				require.True(t, strings.HasPrefix(b.DID, "did:peer:4"))
				require.Nil(t, b.Document)
				require.NoError(t, b.Rotate.VerifyKey(i.Service.Keys[0]))
			} else {
				requireForOlderAgents(t, b.DID, b.Document)
				require.NoError(t, b.Document.VerifyKey(i.Service.Keys[0]))
				require.Nil(t, b.Rotate)
			}
			done, err := didcomm.New("done", m.Type.With(complete), m.ID, i.ID, nil)
			require.NoError(t, err)
			k.Recipient = sent[0].Connection.MyKey
			require.NoError(t, w.alder.store.DeliverOpen(t.Context(), w.alder, k, done))
			require.Equal(t, Completed, w.alder.only(t).State)
			require.True(t, w.alder.connection(t, w.alder.only(t).ID).Established)

			peers := &Peers{Store: w.alder.store}
			res, err := peers.Resolve(t.Context(), didpeer.Short(peer.ID), did.Version{})
			require.NoError(t, err, "what the peer showed once is known from then on")
			require.NotEmpty(t, res.Document.Services("did-communication"))
			require.NoError(t, w.alder.Delete(t.Context(), w.alder.only(t).ID))
			require.Empty(t, w.alder.store.Records(peerdid.Kind))
		})
	}
}

// requireForOlderAgents requires a did:peer:1 with its document in the form that
// aries-framework-go reads: base64 in the plain alphabet with its padding, recipient keys
// as did:key, and the DID as id.
func requireForOlderAgents(t testing.TB, id string, document *didcomm.Attachment) {
	t.Helper()
	require.True(t, strings.HasPrefix(id, "did:peer:1zQm"), id)
	require.NotNil(t, document)
	content, err := base64.StdEncoding.DecodeString(document.Data.Base64)
	require.NoError(t, err)
	var doc struct {
		Context  []string         `json:"@context"`
		ID       string           `json:"id"`
		Methods  []map[string]any `json:"verificationMethod"`
		Services []struct {
			Type       string   `json:"type"`
			Recipients []string `json:"recipientKeys"`
			Endpoint   any      `json:"serviceEndpoint"`
		} `json:"service"`
	}
	require.NoError(t, json.Unmarshal(content, &doc))
	require.Equal(t, "https://www.w3.org/ns/did/v1", doc.Context[0])
	require.Equal(t, id, doc.ID)
	for _, m := range doc.Methods {
		for _, name := range []string{"id", "type", "controller", "publicKeyBase58"} {
			require.NotEmpty(t, m[name])
		}
	}
	require.Len(t, doc.Services, 1)
	require.Equal(t, "did-communication", doc.Services[0].Type)
	require.IsType(t, "", doc.Services[0].Endpoint)
	require.True(t, strings.HasPrefix(doc.Services[0].Recipients[0], "did:key:z6Mk"))
	var body map[string]any
	text, err := json.Marshal(document)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, &body))
	require.Equal(t, "application/json", body["mime-type"])
}

// TestInterop_DIDDocumentAsJSON: aries-framework-go reads either form of an attachment,
// and may write either.
func TestInterop_DIDDocumentAsJSON(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	i, err := w.alder.Invite(t.Context(), Invite{})
	require.NoError(t, err)
	m := recorded(t, "aries-1-request")
	_, key := senderOf(t, m)
	m = edited(t, m, func(b map[string]any) {
		data := b["did_doc~attach"].(map[string]any)["data"].(map[string]any)
		content, err := base64.StdEncoding.DecodeString(data["base64"].(string))
		require.NoError(t, err)
		delete(data, "base64")
		data["json"] = json.RawMessage(content)
	})
	m.Parent = i.ID
	k := didcomm.Keys{Sender: key, Recipient: i.Service.Keys[0]}
	require.NoError(t, w.alder.store.DeliverOpen(t.Context(), w.alder, k, m))
	require.Equal(t, RequestReceived, w.alder.only(t).State)
}

// asked is Hazel in the middle of an exchange with an inviter that speaks 1.<minor>, and
// whose request m answers.
func askedBy(t testing.TB, w *world, minor int, m *didcomm.Message) (didcomm.Invitation, didcomm.Keys) {
	t.Helper()
	i, err := w.alder.Invite(t.Context(), Invite{})
	require.NoError(t, err)
	i.Request.Minor = minor
	id, err := w.hazel.Receive(t.Context(), i)
	require.NoError(t, err)
	require.NoError(t, w.hazel.Connect(t.Context(), id))
	sent := w.hazel.store.TakeOutbox()[0]
	require.Equal(t, minor, sent.Message.Type.Minor)
	m.Thread, m.Parent = sent.Message.ID, ""
	_, key := senderOf(t, m)
	return i, didcomm.Keys{Sender: key, Recipient: sent.Connection.MyKey}
}

// TestInterop_ResponseWithoutSignature: aries-framework-go signs nothing and sends from
// its new key. It is taken from an inviter that speaks 1.0, and from no other.
func TestInterop_ResponseWithoutSignature(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := recorded(t, "aries-1-response")
	_, k := askedBy(t, w, 0, m)
	require.NoError(t, w.hazel.store.DeliverOpen(t.Context(), w.hazel, k, m))
	x := w.hazel.only(t)
	require.Equal(t, Completed, x.State)
	c := w.hazel.connection(t, x.ID)
	require.True(t, c.Established)
	require.Equal(t, k.Sender, c.TheirKey)
	require.Equal(t, "http://127.0.0.1:38271", c.Endpoint)
	done := w.hazel.store.TakeOutbox()
	require.Len(t, done, 1)
	require.Equal(t, "https://didcomm.org/didexchange/1.0/complete", done[0].Message.Type.String())
	require.NotEmpty(t, done[0].Message.Parent)

	newer := newWorld(t)
	m = recorded(t, "aries-1-response", "didexchange/1.0", "didexchange/1.1")
	_, k = askedBy(t, newer, 1, m)
	for _, minor := range []int{0, 1} {
		m.Type.Minor, m.ID = minor, m.ID+"x"
		requireRefused(t, newer.hazel.store.DeliverOpen(t.Context(), newer.hazel, k, m), codeResponse)
		require.Equal(t, RequestSent, newer.hazel.only(t).State, "no response lowers the version")
	}
}

// TestInterop_RequestToOlderAgent: what an inviter of version 1.0 is sent.
func TestInterop_RequestToOlderAgent(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	i, err := w.alder.Invite(t.Context(), Invite{})
	require.NoError(t, err)
	i.Request.Minor = 0
	id, err := w.hazel.Receive(t.Context(), i)
	require.NoError(t, err)
	require.NoError(t, w.hazel.Connect(t.Context(), id))
	sent := w.hazel.store.TakeOutbox()[0]
	require.Equal(t, "https://didcomm.org/didexchange/1.0/request", sent.Message.Type.String())
	require.Equal(t, i.ID, sent.Message.Parent)
	var b requestBody
	require.NoError(t, sent.Message.Decode(&b))
	requireForOlderAgents(t, b.DID, b.Document)
	require.NoError(t, b.Document.VerifyKey(sent.Connection.MyKey))
	kid, err := b.Document.SignerKID()
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(kid, "did:key:"))
}

// TestDocument_Refused: a document that is shown must be the one that the DID is the hash
// of, whole and unchanged, and what signs it must be right.
func TestDocument_Refused(t *testing.T) {
	t.Parallel()
	document := func(b map[string]any) map[string]any {
		return b["did_doc~attach"].(map[string]any)["data"].(map[string]any)
	}
	rewrite := func(old, new string) func(b map[string]any) {
		return func(b map[string]any) {
			data := document(b)
			content, err := base64.StdEncoding.DecodeString(data["base64"].(string))
			require.NoError(t, err)
			require.Contains(t, string(content), old)
			data["base64"] = base64.StdEncoding.EncodeToString([]byte(strings.Replace(string(content), old, new, 1)))
		}
	}
	for name, c := range map[string]struct {
		of     string
		change func(b map[string]any)
	}{
		"no document":       {"aries-1-request", func(b map[string]any) { delete(b, "did_doc~attach") }},
		"document empty":    {"aries-1-request", func(b map[string]any) { document(b)["base64"] = "" }},
		"document a link":   {"aries-1-request", func(b map[string]any) { document(b)["links"] = []string{"https://e.example"} }},
		"document no JSON":  {"aries-1-request", func(b map[string]any) { document(b)["base64"] = "AAAA" }},
		"document too long": {"aries-1-request", func(b map[string]any) { document(b)["base64"] = strings.Repeat("AAAA", 20<<10) }},
		"other endpoint":    {"aries-1-request", rewrite(":34763", ":9243")},
		"other key":         {"aries-1-request", rewrite("z6MkjHq5sqzVhMfgXURi3hvyNkQZRvieh4BaSz7sKT3CvR1Q", "z6MkojqtZt8C65i8t1AddcannXyKTkFxfykRNdhhewAvUgXc")},
		"other id":          {"aries-1-request", rewrite("did:peer:1zQmW", "did:peer:1zQmQ")},
		"service added":     {"aries-1-request", rewrite(`"service":[`, `"service":[{"id":"#x","type":"did-communication","recipientKeys":["#key-1"],"serviceEndpoint":"http://e.example"},`)},
		"white space":       {"aries-1-request", rewrite(`"service":`, `"service" :`)},
		"other DID":         {"aries-1-request", func(b map[string]any) { b["did"] = "did:peer:1zQmf1zrEQWMgaVRa9HaYzRyo4XbEKz4c2DmbzqHgDQ9G4iC" }},
		"DID of numalgo 3":  {"aries-1-request", func(b map[string]any) { b["did"] = "did:peer:3zQmWFkLh8xDqtSUTQdUYY3weEbZnz5X2pmMhhXhD8noDLt1" }},
		"DID of numalgo 4":  {"credo-4-request", func(b map[string]any) { b["did"] = b["did"].(string) + "x" }},
		"signature of others": {"credo-1-request", func(b map[string]any) {
			jws := document(b)["jws"].(map[string]any)
			jws["signature"] = flipped(jws["signature"].(string))
		}},
		"signature no JWS": {"credo-1-request", func(b map[string]any) { document(b)["jws"] = map[string]any{} }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			i, err := w.alder.Invite(t.Context(), Invite{})
			require.NoError(t, err)
			m := recorded(t, c.of)
			_, key := senderOf(t, m)
			if name == "white space" { // which is not what the hash is of, but leads back to it
				m = edited(t, m, c.change)
				m.Parent = i.ID
				require.NoError(t, w.alder.store.DeliverOpen(t.Context(), w.alder, didcomm.Keys{Sender: key, Recipient: i.Service.Keys[0]}, m))
				return
			}
			m = edited(t, m, c.change)
			m.Parent = i.ID
			before := w.alder.store.Snapshot()
			requireRefused(t, w.alder.store.DeliverOpen(t.Context(), w.alder, didcomm.Keys{Sender: key, Recipient: i.Service.Keys[0]}, m), codeRequest)
			require.Equal(t, before, w.alder.store.Snapshot())
			require.Empty(t, w.alder.store.TakeTasks())
		})
	}
}

// flipped changes a text in base64url in the middle.
func flipped(s string) string {
	n := len(s) / 2
	c := byte('A')
	if s[n] == c {
		c = 'B'
	}
	return s[:n] + string(c) + s[n+1:]
}

// TestResponse_OlderRefused: what is refused even from an inviter that signs nothing.
func TestResponse_OlderRefused(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(w *world, m *didcomm.Message, k *didcomm.Keys) *didcomm.Message{
		"another thread": func(_ *world, m *didcomm.Message, _ *didcomm.Keys) *didcomm.Message { m.Thread = "x"; return m },
		"to another key": func(w *world, m *didcomm.Message, k *didcomm.Keys) *didcomm.Message {
			k.Recipient, _ = w.hazel.keys.NewVerkey(t.Context())
			return m
		},
		"from a key of another DID": func(w *world, m *didcomm.Message, k *didcomm.Keys) *didcomm.Message {
			k.Sender, _ = w.wye.keys.NewVerkey(t.Context())
			return m
		},
		"no document": func(_ *world, m *didcomm.Message, _ *didcomm.Keys) *didcomm.Message {
			return edited(t, m, func(b map[string]any) { delete(b, "did_doc~attach") })
		},
		"of a DID that carries its document, unsigned": func(w *world, m *didcomm.Message, k *didcomm.Keys) *didcomm.Message {
			c, id := w.wye.makeDID(t)
			k.Sender = c.MyKey
			return edited(t, m, func(b map[string]any) { b["did"] = id.String(); delete(b, "did_doc~attach") })
		},
		"signed by another": func(_ *world, m *didcomm.Message, _ *didcomm.Keys) *didcomm.Message {
			other := recorded(t, "credo-1-response")
			var b map[string]any
			require.NoError(t, json.Unmarshal(other.Body, &b))
			return edited(t, m, func(to map[string]any) { to["did"], to["did_doc~attach"] = b["did"], b["did_doc~attach"] })
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			m := recorded(t, "aries-1-response")
			_, k := askedBy(t, w, 0, m)
			m = change(w, m, &k)
			before := w.hazel.store.Snapshot()
			requireRefused(t, w.hazel.store.DeliverOpen(t.Context(), w.hazel, k, m), codeResponse)
			require.Equal(t, before, w.hazel.store.Snapshot())
			require.Empty(t, w.hazel.made)
		})
	}
}

// TestInterop_Decorators: what Credo adds to its messages does no harm.
func TestInterop_Decorators(t *testing.T) {
	t.Parallel()
	p := prepare(t)
	add := func(b map[string]any) {
		b["~please_ack"] = map[string]any{"on": []string{"RECEIPT"}}
		b["~attach"] = []any{}
		b["~l10n"] = map[string]any{"locale": "en"}
		b["x"] = 1
	}
	require.NoError(t, p.deliver(edit(t, p.sent, add)))
	require.NoError(t, p.alder.Work(t.Context(), p.alder.store.TakeTasks()[0].ID))
	require.NoError(t, p.deliver(edit(t, p.alder.store.TakeOutbox()[0], add)))
	done := edit(t, p.hazel.store.TakeOutbox()[0], add)
	done.Message.ReturnRoute = "none"
	require.NoError(t, p.deliver(done))
	require.Equal(t, Completed, p.alder.only(t).State)
}

// TestPeers: a resolver for what peers showed; it does not guess, and does not mix up "not
// known" and "cannot tell".
func TestPeers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	peer, _ := senderOf(t, recorded(t, "aries-1-request"))
	four, _ := senderOf(t, recorded(t, "credo-4-request"))
	peers := new(Peers)
	for _, id := range []did.DID{peer.ID, didpeer.Short(four.ID)} {
		_, err := peers.Resolve(t.Context(), id, did.Version{})
		require.ErrorIs(t, err, did.ErrNotFound, "without a store")
	}
	peers.Store = w.alder.store
	for _, id := range []did.DID{peer.ID, didpeer.Short(four.ID)} {
		_, err := peers.Resolve(t.Context(), id, did.Version{})
		require.ErrorIs(t, err, did.ErrNotFound)
	}
	require.NoError(t, w.alder.store.Update(t.Context(), func(tx didcomm.Tx) error {
		if err := peerdid.Know(tx, "aries", peer.ID, peer.Genesis); err != nil {
			return err
		}
		return peerdid.Know(tx, "credo", four.ID, nil)
	}))
	for _, id := range []did.DID{peer.ID, didpeer.Short(four.ID), four.ID} {
		res, err := peers.Resolve(t.Context(), id, did.Version{})
		require.NoError(t, err)
		require.Equal(t, id, res.Document.ID())
		_, err = peers.Resolve(t.Context(), id, did.Version{Number: 3})
		require.ErrorIs(t, err, did.ErrNotFound)
	}
	for text, want := range map[string]error{
		"did:web:e.example": did.ErrUnsupported, "did:peer:9x": did.ErrUnsupported, "did:peer:1x": did.ErrInvalid, "did:peer:4x": did.ErrInvalid,
	} {
		id, err := did.Parse(text)
		require.NoError(t, err)
		_, err = peers.Resolve(t.Context(), id, did.Version{})
		require.ErrorIs(t, err, want, text)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := peers.Resolve(ctx, four.ID, did.Version{})
	require.Error(t, err)
	peers.Store = failing{w.alder.store}
	_, err = peers.Resolve(t.Context(), peer.ID, did.Version{})
	require.ErrorIs(t, err, did.ErrUnavailable)
}

// failing is a store that cannot be read.
type failing struct{ didcomm.Store }

func (failing) View(context.Context, func(didcomm.Tx) error) error { return os.ErrClosed }

// TestInterop_SignedResponses: Credo signs the DID that it goes by from now on, or the
// document of a did:peer:1, with the key of its invitation.
func TestInterop_SignedResponses(t *testing.T) {
	t.Parallel()
	for name, genesis := range map[string]bool{"credo-1-response": true, "credo-2-response": false} {
		w := newWorld(t)
		var b responseBody
		require.NoError(t, recorded(t, name).Decode(&b))
		signature := b.Rotate
		if genesis {
			signature = b.Document
			require.Nil(t, b.Rotate)
		}
		kid, err := signature.SignerKID()
		require.NoError(t, err)
		pub, err := did.ParseMultikey(strings.TrimPrefix(kid, "did:key:"))
		require.NoError(t, err)
		inviter := pub.(edKey)
		peer, err := w.hazel.resolve(t.Context(), b.DID, b.Document)
		require.NoError(t, err)
		require.Len(t, peer.Service.Keys, 1)
		other, err := w.wye.keys.NewVerkey(t.Context())
		require.NoError(t, err)
		for minor := range 2 {
			require.NoError(t, b.proves([]edKey{other, inviter}, peer.Service.Keys[0], minor), name)
			require.ErrorIs(t, b.proves([]edKey{other}, peer.Service.Keys[0], minor), ErrDID, "a signature that is there must be good")
			require.ErrorIs(t, b.proves([]edKey{other}, other, minor), ErrDID, "whoever sent it")
		}
		signature.Data.JWS = nil
		require.ErrorIs(t, b.proves([]edKey{inviter}, other, 1), ErrDID, name)
	}
}
