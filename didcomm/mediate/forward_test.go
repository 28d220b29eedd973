package mediate

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/didcomm"
)

func TestForward(t *testing.T) {
	t.Parallel()
	each2(t, func(t *testing.T, v didcomm.Version) {
		p := granted(t, v)
		r := recipient(t, v, 1)
		p.route(t, r)
		p.settle(t)
		name := nameOf(t, r)
		texts := []string{name}
		if v == didcomm.V1 {
			texts = append(texts, base58(r.Key), name+"#"+strings.TrimPrefix(name, "did:key:"))
		} else {
			texts = append(texts, name+"#key-1")
		}
		for i, to := range texts {
			require.NoError(t, p.send(t, forward(t, v, to, envelope(fmt.Sprint(i)))), to)
		}
		require.Len(t, p.kept, len(texts))
		for i, k := range p.kept {
			require.Equal(t, kept{"wallet", name, string(envelope(fmt.Sprint(i)))}, k)
		}
	})
}

// Several envelopes for one recipient come in one message of version 2.0, as JSON or in
// base64.
func TestForward_Attachments(t *testing.T) {
	t.Parallel()
	p := granted(t, didcomm.V2)
	r := recipient(t, 2, 1)
	p.route(t, r)
	p.settle(t)
	m := forward(t, 2, nameOf(t, r), envelope("one"), envelope("two"))
	m.Attachments[1] = didcomm.NewAttachment("1", "", envelope("two"))
	require.NoError(t, p.send(t, m))
	require.Equal(t, []kept{{"wallet", nameOf(t, r), string(envelope("one"))}, {"wallet", nameOf(t, r), string(envelope("two"))}}, p.kept)

	many := make([]json.RawMessage, maxPayloads)
	for i := range many {
		many[i] = envelope(fmt.Sprint(i))
	}
	p.kept = nil
	require.NoError(t, p.send(t, forward(t, 2, nameOf(t, r), many...)))
	require.Len(t, p.kept, maxPayloads)
	require.ErrorIs(t, p.send(t, forward(t, 2, nameOf(t, r), append(many, envelope("more"))...)), didcomm.ErrPermanent)
	require.Len(t, p.kept, maxPayloads)
}

func TestForward_Refused(t *testing.T) {
	t.Parallel()
	each2(t, func(t *testing.T, v didcomm.Version) {
		p := granted(t, v)
		r := recipient(t, v, 1)
		p.route(t, r)
		p.settle(t)
		name := nameOf(t, r)
		cases := map[string]*didcomm.Message{
			"to nobody":           forward(t, v, "", envelope("x")),
			"to what is no name":  forward(t, v, "alder", envelope("x")),
			"to a very long name": forward(t, v, "did:example:"+strings.Repeat("a", maxName), envelope("x")),
			"no payload":          forward(t, v, name),
			"payload in clear":    forward(t, v, name, json.RawMessage(`{"@type":"https://didcomm.org/basicmessage/1.0/message","@id":"12345678"}`)),
			"payload is a text":   forward(t, v, name, json.RawMessage(`"eyJ.x.y.z.w"`)),
			"payload is null":     forward(t, v, name, json.RawMessage(`null`)),
			"parts are no texts":  forward(t, v, name, json.RawMessage(`{"protected":{},"iv":1,"ciphertext":[],"tag":null}`)),
			"parts are empty":     forward(t, v, name, json.RawMessage(`{"protected":"","iv":"","ciphertext":"","tag":""}`)),
		}
		if v == didcomm.V2 {
			link := forward(t, v, name, envelope("x"))
			link.Attachments[0].Data = didcomm.AttachmentData{Links: []string{"https://alder.example/"}}
			cases["payload by reference"] = link
			twice := forward(t, v, name, envelope("x"))
			twice.Attachments[0].Data.Base64 = "e30"
			cases["payload twice"] = twice
			spelled := forward(t, v, name, envelope("x"))
			spelled.Attachments[0].Data = didcomm.AttachmentData{Base64: base64.StdEncoding.EncodeToString([]byte(`{"protected":"a","Protected":"b","iv":"c","ciphertext":"d","tag":"e"}`))}
			cases["payload no strict JSON"] = spelled
		}
		other := forward(t, v, name, envelope("x"))
		other.Type.Major = 3 - other.Type.Major
		cases["other major"] = other
		backward := forward(t, v, name, envelope("x"))
		backward.Type.Name = "backward"
		cases["other message"] = backward
		before := p.at.Store.Snapshot()
		for what, m := range cases {
			err := p.send(t, m)
			require.ErrorIs(t, err, didcomm.ErrPermanent, what)
			require.ErrorIs(t, err, didcomm.ErrMalformed, what)
		}
		// To a key or DID of the mediator's that is not the one it granted.
		for _, k := range []didcomm.Keys{{}, {Recipient: key(9)}, {To: mustDID(t, "did:example:other")}} {
			require.ErrorIs(t, p.sendTo(t, k, forward(t, v, name, envelope("x"))), didcomm.ErrPermanent)
		}
		require.Empty(t, p.kept)
		require.Equal(t, before, p.at.Store.Snapshot())
	})
}

// Every failure of the queue is the sender's to hear of, and undoes everything.
func TestForward_NotKept(t *testing.T) {
	t.Parallel()
	each2(t, func(t *testing.T, v didcomm.Version) {
		p := granted(t, v)
		r := recipient(t, v, 1)
		p.route(t, r)
		p.settle(t)
		errFull := errors.New("full")
		p.full["wallet"] = errFull
		before := p.at.Store.Snapshot()
		err := p.send(t, forward(t, v, nameOf(t, r), envelope("x")))
		require.ErrorIs(t, err, errFull)
		require.NotErrorIs(t, err, didcomm.ErrPermanent)
		require.Equal(t, before, p.at.Store.Snapshot())
	})
}

// DC-10: wrapped a hundred times, to the mediator itself or to somebody who is not
// registered, a message costs one layer and is kept for nobody.
func TestAbuse_DC10_ForwardNestedHundredDeep(t *testing.T) {
	t.Parallel()
	each2(t, func(t *testing.T, v didcomm.Version) {
		p := granted(t, v)
		r := recipient(t, v, 1)
		p.route(t, r)
		p.settle(t)
		mediators := nameOf(t, didcomm.Recipient{Key: p.mediatorsKey})
		if v == didcomm.V2 {
			mediators = p.mediator.DID.String()
		}
		// In clear, which is what opening every layer would show: a hundred layers of
		// base64 would be larger than all disks, so as many as an envelope can hold.
		payload := envelope("inmost")
		for range 100 {
			if len(payload) > didcomm.MaxMessage/2 {
				break
			}
			m := forward(t, v, mediators, payload)
			plaintext, err := m.Plaintext()
			require.NoError(t, err)
			payload = envelope(base64.RawURLEncoding.EncodeToString(plaintext))
		}
		before := p.at.Store.Snapshot()
		require.ErrorIs(t, p.send(t, forward(t, v, mediators, payload)), ErrRecipient)
		require.Empty(t, p.kept)
		require.Equal(t, before, p.at.Store.Snapshot())

		// To somebody who is registered it is one envelope, which is not opened.
		require.NoError(t, p.send(t, forward(t, v, nameOf(t, r), payload)))
		require.Len(t, p.kept, 1)
		require.JSONEq(t, string(payload), p.kept[0].envelope)

		// JSON that is nested by itself, and not encrypted at each layer, is too deep.
		deep := append(bytes.Repeat([]byte(`{"msg":`), 100), '1')
		deep = append(deep, bytes.Repeat([]byte("}"), 100)...)
		to := forward(t, v, nameOf(t, r), envelope("x"))
		if v == didcomm.V1 {
			to.Body = json.RawMessage(fmt.Sprintf(`{"to":%q,"msg":%s}`, nameOf(t, r), deep))
		} else {
			to.Attachments[0].Data = didcomm.AttachmentData{Base64: base64.RawURLEncoding.EncodeToString(deep)}
		}
		require.Error(t, p.at.Store.Update(t.Context(), func(tx didcomm.Tx) error {
			return p.mediator.Anonymous(t.Context(), tx, didcomm.Keys{Recipient: p.mediatorsKey, To: p.mediator.DID}, to)
		}))
		require.Len(t, p.kept, 1)
	})
}

// DC-10: a forward to a key that nobody registered is dropped, and others get theirs.
func TestAbuse_DC10_ForwardToUnregisteredKey(t *testing.T) {
	t.Parallel()
	each2(t, func(t *testing.T, v didcomm.Version) {
		p := granted(t, v)
		r := recipient(t, v, 1)
		p.route(t, r)
		p.settle(t)
		before := p.at.Store.Snapshot()
		for i := 2; i < 50; i++ {
			err := p.send(t, forward(t, v, nameOf(t, recipient(t, v, i)), envelope("x")))
			require.ErrorIs(t, err, ErrRecipient)
			require.NotErrorIs(t, err, didcomm.ErrPermanent, "it may be registered in a moment")
		}
		require.Equal(t, before, p.at.Store.Snapshot())
		require.Empty(t, p.at.Store.TakeOutbox(), "nobody is told")
		require.NoError(t, p.send(t, forward(t, v, nameOf(t, r), envelope("x"))))
		require.Len(t, p.kept, 1)

		// A connection that is gone is nobody either.
		require.NoError(t, p.at.Store.Update(t.Context(), func(tx didcomm.Tx) error { return tx.DeleteConnection("wallet") }))
		require.ErrorIs(t, p.send(t, forward(t, v, nameOf(t, r), envelope("x"))), ErrRecipient)
	})
}

// FuzzForward: no body of a forward message does anything but end in the queue of who is
// registered.
func FuzzForward(f *testing.F) {
	f.Add([]byte(`{"to":"did:example:wallet-1","msg":{"protected":"e30","iv":"aXY","ciphertext":"Yw","tag":"dGFn"}}`), false)
	f.Add([]byte(`{"next":"did:example:wallet-1"}`), true)
	f.Add([]byte(`{"to":1,"msg":null}`), false)
	f.Fuzz(func(t *testing.T, body []byte, second bool) {
		v := didcomm.V1
		if second {
			v = didcomm.V2
		}
		p := newPair(t, v)
		m := forward(t, v, "", envelope("x"))
		m.Body = body
		plaintext, err := m.Plaintext()
		if err != nil {
			return
		}
		if m, err = didcomm.ParseMessage(plaintext); err != nil {
			return
		}
		err = p.at.Store.Update(t.Context(), func(tx didcomm.Tx) error {
			return p.mediator.Anonymous(t.Context(), tx, didcomm.Keys{Recipient: p.mediatorsKey, To: p.mediator.DID}, m)
		})
		require.Error(t, err)
		require.Empty(t, p.kept)
	})
}
