package pickup

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/didcomm"
)

// What stands on the wire, by RFC 0685 and Message Pickup 3.0.
func TestWire(t *testing.T) {
	t.Parallel()
	data := base64.RawURLEncoding.EncodeToString(envelope("one"))
	want := map[didcomm.Version][]string{
		didcomm.V1: {
			`{"@type":"https://didcomm.org/messagepickup/2.0/live-delivery-change","@id":"id-2","~timing":{"expires_time":"2026-11-02T09:01:00Z"},"~transport":{"return_route":"all"},"live_delivery":true}`,
			`{"@type":"https://didcomm.org/messagepickup/2.0/delivery-request","@id":"id-3","~timing":{"expires_time":"2026-11-02T09:01:00Z"},"~transport":{"return_route":"all"},"limit":10}`,
			`{"@type":"https://didcomm.org/messagepickup/2.0/status","@id":"id-4","~thread":{"thid":"id-2"},"~timing":{"expires_time":"2026-11-02T09:01:00Z"},"message_count":1,"newest_received_time":"2026-11-02 09:00:00Z","oldest_received_time":"2026-11-02 09:00:00Z","total_bytes":78,"live_delivery":true}`,
			`{"@type":"https://didcomm.org/messagepickup/2.0/delivery","@id":"id-5","~thread":{"thid":"id-3"},"~timing":{"expires_time":"2026-11-02T09:01:00Z"},"~attach":[{"@id":"id-1","data":{"base64":"` + data + `"}}]}`,
			`{"@type":"https://didcomm.org/messagepickup/2.0/messages-received","@id":"id-6","~timing":{"expires_time":"2026-11-02T09:01:00Z"},"~transport":{"return_route":"all"},"message_id_list":["id-1"]}`,
			`{"@type":"https://didcomm.org/messagepickup/2.0/status","@id":"id-7","~thread":{"thid":"id-6"},"~timing":{"expires_time":"2026-11-02T09:01:00Z"},"message_count":0,"total_bytes":0,"live_delivery":true}`,
		},
		didcomm.V2: {
			`{"type":"https://didcomm.org/messagepickup/3.0/live-delivery-change","body":{"live_delivery":true},"return_route":"all"}`,
			`{"type":"https://didcomm.org/messagepickup/3.0/delivery-request","body":{"limit":10},"return_route":"all"}`,
			`{"type":"https://didcomm.org/messagepickup/3.0/status","thid":"id-2","body":{"message_count":1,"newest_received_time":1793610000,"oldest_received_time":1793610000,"total_bytes":78,"live_delivery":true}}`,
			`{"type":"https://didcomm.org/messagepickup/3.0/delivery","thid":"id-3","body":{},"attachments":[{"id":"id-1","data":{"base64":"` + data + `"}}]}`,
			`{"type":"https://didcomm.org/messagepickup/3.0/messages-received","body":{"message_id_list":["id-1"]},"return_route":"all"}`,
			`{"type":"https://didcomm.org/messagepickup/3.0/status","thid":"id-6","body":{"message_count":0,"total_bytes":0,"live_delivery":true}}`,
		},
	}
	each2(t, func(t *testing.T, v didcomm.Version) {
		p := newPair(t, v)
		p.session = "socket-1"
		p.take(t, "one")
		p.fetch(t, true)
		trace := p.settle(t)
		require.Len(t, trace, len(want[v]))
		for i, m := range trace {
			got, err := m.Plaintext()
			require.NoError(t, err)
			if v == didcomm.V2 { // who and when are the runtime's
				var members map[string]json.RawMessage
				require.NoError(t, json.Unmarshal(got, &members))
				require.Equal(t, `1793610060`, string(members["expires_time"]))
				for _, name := range []string{"id", "typ", "from", "to", "created_time", "expires_time"} {
					delete(members, name)
				}
				if string(members["thid"]) == `"`+m.ID+`"` {
					delete(members, "thid")
				}
				got, err = json.Marshal(members)
				require.NoError(t, err)
			}
			require.JSONEq(t, want[v][i], string(got))
		}
		require.Equal(t, []string{"one"}, p.got)
		require.Zero(t, p.waiting(t))
	})
}

// Whatever waits is fetched, in order, in as many deliveries as it needs, and received
// once.
func TestFetch(t *testing.T) {
	t.Parallel()
	each2(t, func(t *testing.T, v didcomm.Version) {
		p := newPair(t, v)
		var want []string
		for i := range 3*batch + 5 {
			want = append(want, fmt.Sprint(i))
		}
		p.take(t, want...)
		p.fetch(t, false)
		p.settle(t)
		require.Equal(t, want, p.got)
		require.Zero(t, p.waiting(t))
		b := p.mailbox(t)
		require.Zero(t, b.Waiting)
		require.False(t, b.Live)
		require.Empty(t, b.Asked)
		require.Empty(t, p.wallet.Store.Records(kindArrived+"mediator"))
		require.Empty(t, p.wallet.Store.Records(kindBody+"mediator"))
		require.Empty(t, p.at.Store.Records(kindEntry+"wallet"))
		require.Empty(t, p.at.Store.Records(kindEnvelope+"wallet"))

		// Nothing waits: one request, one status.
		p.fetch(t, false)
		require.Len(t, p.settle(t), 2)
	})
}

// What was delivered stays until it is acknowledged, and is delivered again.
func TestDelivery_OnlyDeletedAfterAcknowledgement(t *testing.T) {
	t.Parallel()
	each2(t, func(t *testing.T, v didcomm.Version) {
		p := newPair(t, v)
		p.take(t, "one", "two", "three")
		for range 3 { // the wallet is gone before it has them
			_, got := marks(t, p.ask(t, deliveryRequest, deliveryRequestBody{Limit: 2}))
			require.Equal(t, []string{"one", "two"}, got)
			require.Equal(t, 3, p.waiting(t))
		}
		ids, _ := marks(t, p.ask(t, deliveryRequest, deliveryRequestBody{Limit: 2}))
		answer := p.ask(t, received, receivedBody{ids[1:]})
		require.Equal(t, status, answer.Type.Name)
		_, got := marks(t, p.ask(t, deliveryRequest, deliveryRequestBody{Limit: 9}))
		require.Equal(t, []string{"one", "three"}, got)
		p.ask(t, received, receivedBody{[]string{ids[0], ids[0], ids[1], "unknown", "", strings.Repeat("a", maxID+1)}})
		require.Equal(t, 1, p.waiting(t))
	})
}

// The wallet crashed after it had acknowledged, or before: nothing is lost and nothing is
// received twice.
func TestReceive_OnceWhateverIsDeliveredTwice(t *testing.T) {
	t.Parallel()
	each2(t, func(t *testing.T, v didcomm.Version) {
		p := newPair(t, v)
		p.take(t, "one", "two")
		for range 3 {
			m := p.ask(t, deliveryRequest, deliveryRequestBody{Limit: 9})
			require.Empty(t, give(t, p.wallet, m))
		}
		require.Len(t, p.wallet.Store.Records(kindArrived+"mediator"), 2)
		require.Equal(t, 2, p.waiting(t), "the acknowledgements have not left")
		require.NoError(t, p.wallet.Work(t.Context()))
		require.Equal(t, []string{"one", "two"}, p.got)
		p.settle(t)
		require.Zero(t, p.waiting(t))
		require.Equal(t, []string{"one", "two"}, p.got)
	})
}

// If the wallet cannot make an envelope durable it does not acknowledge it.
func TestDelivered_NotAcknowledgedUnlessDurable(t *testing.T) {
	t.Parallel()
	each2(t, func(t *testing.T, v didcomm.Version) {
		p := newPair(t, v)
		p.take(t, "one")
		m := p.ask(t, deliveryRequest, deliveryRequestBody{Limit: 9})
		full := errors.New("disk full")
		p.wallet.Store.Fail = func() error { return full }
		require.ErrorIs(t, p.wallet.Store.Deliver(t.Context(), p.wallet.Handler, "mediator", m), full)
		require.Empty(t, p.wallet.Store.TakeOutbox())
		require.Empty(t, p.wallet.Store.Tasks())
		p.wallet.Store.Fail = nil
		require.Empty(t, give(t, p.wallet, m))
		p.settle(t)
		require.Equal(t, []string{"one"}, p.got)
		require.Zero(t, p.waiting(t))
	})
}

// What the runtime refuses for good is over; what it cannot take yet waits, is tried
// again, and holds up nothing else.
func TestWork_Failures(t *testing.T) {
	t.Parallel()
	p := newPair(t, didcomm.V1)
	p.take(t, "forged", "early", "good")
	p.fail["forged"] = didcomm.ErrPermanent
	p.fail["early"] = errors.New("not yet")
	p.fetch(t, false)
	p.settle(t)
	require.Equal(t, []string{"good"}, p.got)
	require.Len(t, p.wallet.Store.Tasks(), 1)
	require.ErrorIs(t, p.recipient.Work(t.Context(), laterTask+"mediator"), errLater)
	delete(p.fail, "early")
	require.NoError(t, p.wallet.Work(t.Context()))
	require.Equal(t, []string{"good", "early"}, p.got)
	require.Empty(t, p.wallet.Store.Records(kindLater+"mediator"))

	// Not for ever.
	p.take(t, "never")
	p.fail["never"] = errors.New("not yet")
	p.fetch(t, false)
	p.settle(t)
	require.ErrorIs(t, p.recipient.Work(t.Context(), laterTask+"mediator"), errLater)
	p.now = p.now.Add(maxAge)
	require.NoError(t, p.recipient.Work(t.Context(), laterTask+"mediator"))
	require.Empty(t, p.wallet.Store.Records(kindLater+"mediator"))
	require.Empty(t, p.wallet.Store.Records(kindBody+"mediator"))
}

func TestWork_More(t *testing.T) {
	t.Parallel()
	p := newPair(t, didcomm.V2)
	for i := range 3 * settled {
		mark := fmt.Sprint(i)
		p.take(t, mark)
		if i%2 == 0 {
			p.fail[mark] = errors.New("not yet")
		}
	}
	for p.waiting(t) > 0 {
		p.fetch(t, false)
		_ = p.settle(t)
	}
	require.Len(t, p.got, 3*settled/2)
	p.fail = map[string]error{}
	p.settleWork(t)
	require.Len(t, p.got, 3*settled)
}

func TestLive(t *testing.T) {
	t.Parallel()
	each2(t, func(t *testing.T, v didcomm.Version) {
		p := newPair(t, v)
		p.session = "socket-1"
		p.take(t, "before")
		p.fetch(t, true)
		p.settle(t)
		require.True(t, p.mailbox(t).Live)
		require.Equal(t, []string{"before"}, p.got)

		p.take(t, "one")
		require.Equal(t, 1, p.waiting(t), "until it is acknowledged")
		p.settle(t)
		require.Equal(t, []string{"before", "one"}, p.got)
		require.Zero(t, p.waiting(t))

		// A new channel starts without live mode.
		p.session = "socket-2"
		p.take(t, "two")
		require.Empty(t, p.at.Store.TakeOutbox())
		p.session = ""
		p.take(t, "three")
		require.Empty(t, p.at.Store.TakeOutbox())
		require.False(t, p.status(t, recipient{}).Live)
		p.session = "socket-2"
		p.fetch(t, true)
		p.settle(t)
		require.Equal(t, []string{"before", "one", "two", "three"}, p.got)

		// And it can be switched off.
		off := false
		p.ask(t, liveChange, liveBody{&off})
		p.take(t, "four")
		require.Empty(t, p.at.Store.TakeOutbox())
	})
}

// The letter that live mode sent was lost with its channel: the queue has it.
func TestLive_LetterLost(t *testing.T) {
	t.Parallel()
	p := newPair(t, didcomm.V1)
	p.session = "socket-1"
	p.fetch(t, true)
	p.settle(t)
	p.take(t, "one")
	require.Len(t, p.at.Store.TakeOutbox(), 1)
	p.session = "socket-2"
	p.fetch(t, true)
	p.settle(t)
	require.Equal(t, []string{"one"}, p.got)
	require.Zero(t, p.waiting(t))
}

// A channel on which too much waits to be read makes nobody's envelope fail.
func TestLive_Crowded(t *testing.T) {
	t.Parallel()
	p := newPair(t, didcomm.V1)
	p.session = "socket-1"
	p.fetch(t, true)
	p.settle(t)
	require.NoError(t, p.at.Store.Update(t.Context(), func(tx didcomm.Tx) error {
		return p.mediator.Take(t.Context(), crowded{tx}, "wallet", "did:example:alder", envelope("one"))
	}))
	require.Equal(t, 1, p.waiting(t))
	p.fetch(t, true)
	p.settle(t)
	require.Equal(t, []string{"one"}, p.got)
}

type crowded struct{ didcomm.Tx }

func (crowded) Send(didcomm.Connection, *didcomm.Message) error {
	return &didcomm.Problem{Code: "crowded"}
}

// On a channel that does not last, live mode is refused with the code of the
// specification, and the wallet fetches instead.
func TestLive_NotSupported(t *testing.T) {
	t.Parallel()
	each2(t, func(t *testing.T, v didcomm.Version) {
		p := newPair(t, v)
		p.take(t, "one")
		on := true
		require.Equal(t, codeLive, give(t, p.at, wire(t, v, liveChange, "", liveBody{&on})))
		p.mediator.Session = nil
		require.Equal(t, codeLive, give(t, p.at, wire(t, v, liveChange, "", liveBody{&on})))
		p.at.Store.TakeOutbox()

		p.fetch(t, true)
		out := p.wallet.Store.TakeOutbox()
		require.Equal(t, codeLive, give(t, p.at, out[0].Message))
		require.Empty(t, give(t, p.wallet, p.at.Store.TakeOutbox()[0].Message))
		require.False(t, p.mailbox(t).Live)
		require.Empty(t, p.mailbox(t).Change)
		require.Empty(t, give(t, p.at, out[1].Message))
		p.settle(t)
		require.Equal(t, []string{"one"}, p.got)
	})
}

func TestStatus(t *testing.T) {
	t.Parallel()
	each2(t, func(t *testing.T, v didcomm.Version) {
		p := newPair(t, v)
		alder, birch := recipient{DID: "did:example:alder"}, recipient{DID: "did:example:birch"}
		if v == didcomm.V1 {
			alder = recipient{Key: "did:key:z6MkpTHR8VNsBxYAAWHut2Geadd9jSwuBV8xRoAnwWsdvktH"}
			birch = recipient{Key: "did:key:z6Mkfriq1MqLBoPWecGoDLjguo1sB9brj6wT3qZ5BxkKpuP6"}
		}
		s := p.status(t, recipient{})
		require.Zero(t, *s.Count)
		require.Nil(t, s.Newest)
		require.NoError(t, p.takeFor("wallet", alder.Key+alder.DID, envelope("one")))
		p.now = p.now.Add(time.Hour)
		require.NoError(t, p.takeFor("wallet", birch.Key+birch.DID, envelope("two")))
		p.now = p.now.Add(time.Hour)
		s = p.status(t, recipient{})
		require.Equal(t, 2, *s.Count)
		require.EqualValues(t, 2*len(envelope("one")), s.Bytes)
		require.EqualValues(t, 7200, s.Longest)
		s = p.status(t, birch)
		require.Equal(t, 1, *s.Count)
		require.EqualValues(t, 3600, s.Longest)
		require.EqualValues(t, len(envelope("two")), s.Bytes)
		require.Equal(t, birch, s.recipient, "the matching value is specified")

		_, got := marks(t, p.ask(t, deliveryRequest, deliveryRequestBody{birch, 9}))
		require.Equal(t, []string{"two"}, got)
		_, got = marks(t, p.ask(t, deliveryRequest, deliveryRequestBody{Limit: 9}))
		require.Equal(t, []string{"one", "two"}, got)
	})
}

// Nothing is told or given of another one's queue.
func TestQueues_Apart(t *testing.T) {
	t.Parallel()
	each2(t, func(t *testing.T, v didcomm.Version) {
		p := newPair(t, v)
		p.at.ConnectOf(v, "stranger", true)
		p.take(t, "one")
		ids, _ := marks(t, p.ask(t, deliveryRequest, deliveryRequestBody{Limit: 9}))
		p.at.Connection = "stranger"
		require.Zero(t, *p.status(t, recipient{}).Count)
		require.Equal(t, status, p.ask(t, deliveryRequest, deliveryRequestBody{Limit: 9}).Type.Name)
		p.ask(t, received, receivedBody{ids})
		require.Equal(t, 1, p.waiting(t))
	})
}

func TestMediator_Refuses(t *testing.T) {
	t.Parallel()
	each2(t, func(t *testing.T, v didcomm.Version) {
		p := newPair(t, v)
		p.take(t, "one")
		bad := recipient{Key: "nobody", DID: "nobody"}
		for _, tt := range []struct {
			name string
			body any
			code string
		}{
			{statusRequest, bad, codeMalformed},
			{statusRequest, map[string]any{"recipient_key": 7, "recipient_did": 7}, codeMalformed},
			{deliveryRequest, map[string]any{}, codeMalformed},
			{deliveryRequest, deliveryRequestBody{Limit: -1}, codeMalformed},
			{deliveryRequest, map[string]any{"limit": "ten"}, codeMalformed},
			{deliveryRequest, deliveryRequestBody{bad, 1}, codeMalformed},
			{received, map[string]any{"message_id_list": "all"}, codeMalformed},
			{received, receivedBody{make([]string, DefaultMessages+1)}, codeMalformed},
			{liveChange, map[string]any{}, codeMalformed},
			{liveChange, map[string]any{"live_delivery": "yes"}, codeMalformed},
			{status, statusBody{}, codeUnsupported},
			{delivery, map[string]any{}, codeUnsupported},
			{"batch", map[string]any{}, codeUnsupported},
		} {
			require.Equal(t, tt.code, give(t, p.at, wire(t, v, tt.name, "", tt.body)), tt.name)
		}
		other := wire(t, v, statusRequest, "", nil)
		other.Type.Major = 5 - other.Type.Major
		require.Equal(t, codeUnsupported, give(t, p.at, other))
		require.Equal(t, 1, p.waiting(t))
	})
}

func TestRecipient_Refuses(t *testing.T) {
	t.Parallel()
	each2(t, func(t *testing.T, v didcomm.Version) {
		p := newPair(t, v)
		n := -1
		good := didcomm.NewAttachment("id", "", envelope("one"))
		anonymous := good
		anonymous.ID = ""
		long := good
		long.ID = strings.Repeat("a", maxID+1)
		for name, m := range map[string]*didcomm.Message{
			"status without count":   wire(t, v, status, "", map[string]any{}),
			"status of minus one":    wire(t, v, status, "", statusBody{Count: &n}),
			"status with a text":     wire(t, v, status, "", map[string]any{"message_count": "one"}),
			"empty delivery":         deliver(t, v),
			"delivery without id":    deliver(t, v, anonymous),
			"delivery of a long id":  deliver(t, v, long),
			"delivery of too many":   deliver(t, v, make([]didcomm.Attachment, maxBatch+1)...),
			"good and bad delivered": deliver(t, v, good, anonymous),
		} {
			require.Equal(t, codeMalformed, give(t, p.wallet, m), name)
		}
		for _, name := range []string{statusRequest, deliveryRequest, received, liveChange, "batch"} {
			require.Equal(t, codeUnsupported, give(t, p.wallet, wire(t, v, name, "", nil)), name)
		}
		require.Empty(t, p.wallet.Store.Records(kindArrived+"mediator"))
		require.Empty(t, p.wallet.Store.Tasks())
		require.ErrorIs(t, p.recipient.Fetch(t.Context(), "nobody", false), didcomm.ErrNotFound)
		_, err := p.recipient.Mailbox(t.Context(), "mediator")
		require.ErrorIs(t, err, didcomm.ErrNotFound)
	})
}

func deliver(t testing.TB, v didcomm.Version, list ...didcomm.Attachment) *didcomm.Message {
	t.Helper()
	m, err := newDelivery(didcomm.NewID(), v, "", recipient{}, list, time.Now())
	require.NoError(t, err)
	return m
}

// What is delivered and is no envelope is acknowledged, so that it does not come again,
// and not received. JSON and base64 are read.
func TestDelivered_Forms(t *testing.T) {
	t.Parallel()
	each2(t, func(t *testing.T, v didcomm.Version) {
		p := newPair(t, v)
		attachment := func(id string, data didcomm.AttachmentData) didcomm.Attachment {
			return didcomm.Attachment{ID: id, Data: data}
		}
		std := base64.StdEncoding.EncodeToString
		m := deliver(t, v,
			attachment("json", didcomm.AttachmentData{JSON: envelope("json")}),
			attachment("base64", didcomm.AttachmentData{Base64: std(envelope("base64"))}),
			attachment("link", didcomm.AttachmentData{Links: []string{"https://alder.example/"}}),
			attachment("none", didcomm.AttachmentData{}),
			attachment("noise", didcomm.AttachmentData{Base64: "AAAA"}),
			attachment("array", didcomm.AttachmentData{Base64: std([]byte("[]"))}),
		)
		require.Empty(t, give(t, p.wallet, m))
		out := p.wallet.Store.TakeOutbox()
		require.Len(t, out, 1)
		var b receivedBody
		require.NoError(t, out[0].Message.Decode(&b))
		require.Len(t, b.IDs, 6)
		require.NoError(t, p.wallet.Work(t.Context()))
		require.Equal(t, []string{"json", "base64"}, p.got)
	})
}

// A mediator that always says that more waits is asked once for each thing that it
// delivers, and not for ever.
func TestTold_NoLoop(t *testing.T) {
	t.Parallel()
	each2(t, func(t *testing.T, v didcomm.Version) {
		p := newPair(t, v)
		one := 1
		p.fetch(t, false)
		asked := p.wallet.Store.TakeOutbox()[0].Message
		require.Empty(t, give(t, p.wallet, wire(t, v, status, "", statusBody{Count: &one})))
		require.Empty(t, p.wallet.Store.TakeOutbox(), "a request is under way")
		require.Empty(t, give(t, p.wallet, wire(t, v, status, asked.Thread, statusBody{Count: &one})))
		require.Empty(t, p.wallet.Store.TakeOutbox(), "this was the answer")
		require.Empty(t, give(t, p.wallet, wire(t, v, status, "", statusBody{Count: &one})))
		require.Len(t, p.wallet.Store.TakeOutbox(), 1)
		require.Empty(t, give(t, p.wallet, wire(t, v, status, "", statusBody{Count: &one})))
		require.Empty(t, p.wallet.Store.TakeOutbox())
		p.now = p.now.Add(lifetime) // that request was lost
		require.Empty(t, give(t, p.wallet, wire(t, v, status, "", statusBody{Count: &one})))
		require.Len(t, p.wallet.Store.TakeOutbox(), 1)
	})
}

func TestAbandon(t *testing.T) {
	t.Parallel()
	p := newPair(t, didcomm.V1)
	p.fetch(t, true)
	b := p.mailbox(t)
	abandon := func(thread string) bool {
		var mine bool
		require.NoError(t, p.wallet.Store.Update(t.Context(), func(tx didcomm.Tx) error {
			c, err := tx.Connection("mediator")
			require.NoError(t, err)
			mine, err = p.recipient.Abandon(t.Context(), tx, c, thread, &didcomm.Problem{Code: "undeliverable"})
			return err
		}))
		return mine
	}
	require.False(t, abandon(""))
	require.False(t, abandon("another"))
	require.True(t, abandon(b.Change))
	require.True(t, abandon(b.Asked))
	require.False(t, abandon(b.Asked))
	require.Empty(t, p.mailbox(t).Asked)
}

func TestExpire(t *testing.T) {
	t.Parallel()
	p := newPair(t, didcomm.V2)
	p.at.ConnectOf(2, "other", true)
	p.take(t, "old")
	p.now = p.now.Add(time.Hour)
	p.take(t, "new")
	require.NoError(t, p.takeFor("other", "did:example:birch", envelope("other")))
	n, err := p.mediator.Expire(t.Context(), p.now)
	require.NoError(t, err)
	require.Equal(t, 1, n)
	require.Equal(t, 2, p.waiting(t))
	n, err = p.mediator.Expire(t.Context(), p.now)
	require.NoError(t, err)
	require.Zero(t, n)
	require.NoError(t, p.at.Store.Update(t.Context(), func(tx didcomm.Tx) error { return p.mediator.Forget(tx, "wallet") }))
	all, err := p.mediator.Queues(t.Context())
	require.NoError(t, err)
	require.Equal(t, []Queue{{"other", 1, int64(len(envelope("other"))), p.now}}, all)
}

func TestRoles(t *testing.T) {
	t.Parallel()
	each2(t, func(t *testing.T, v didcomm.Version) {
		p := newPair(t, v)
		p.at.Handler, p.wallet.Handler = Roles{Mediator: p.mediator}, Roles{Recipient: p.recipient}
		p.take(t, "one")
		p.fetch(t, false)
		p.settle(t)
		require.Equal(t, []string{"one"}, p.got)
		require.Equal(t, codeUnsupported, give(t, p.at, wire(t, v, delivery, "", nil)))
		require.Equal(t, codeUnsupported, give(t, p.wallet, wire(t, v, statusRequest, "", nil)))
		require.Empty(t, give(t, p.at, wire(t, v, problem, "", nil)))
	})
}
