package pickup

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/internal/memtx"
)

// DC-10: a queue that is filled for one recipient takes no more, of messages and of
// bytes, until some were fetched; others get theirs. One name gets half of it, and there
// is room for the next.
func TestAbuse_DC10_QueueFilledForOneRecipient(t *testing.T) {
	t.Parallel()
	each2(t, func(t *testing.T, v didcomm.Version) {
		p := newPair(t, v)
		p.at.ConnectOf(v, "other", true)
		p.mediator.MaxMessages = 100
		half := p.mediator.MaxMessages / 2
		for i := range half {
			p.take(t, fmt.Sprint(i))
		}
		before := p.at.Store.Snapshot()
		for range 10 {
			err := p.takeFor("wallet", "did:example:alder", envelope("more"))
			require.ErrorIs(t, err, ErrFull)
			require.NotErrorIs(t, err, didcomm.ErrPermanent, "there may be room in a moment")
		}
		require.Equal(t, before, p.at.Store.Snapshot())
		require.NoError(t, p.takeFor("other", "did:example:birch", envelope("other")))
		require.NoError(t, p.takeFor("wallet", "did:example:birch", envelope("another name")))
		full := 0
		for i := range 100 { // many names fill what is left, and no more
			if err := p.takeFor("wallet", fmt.Sprintf("did:example:elder%d", i), envelope("name")); err != nil {
				require.ErrorIs(t, err, ErrFull)
				full++
			}
		}
		require.Equal(t, 100-(half-1), full)
		require.Equal(t, p.mediator.MaxMessages+1, p.waiting(t))
		p.fetch(t, false)
		p.settle(t)
		require.Len(t, p.got, p.mediator.MaxMessages)
		p.take(t, "again")
		require.Len(t, p.at.Store.Records(kindShare+"wallet"), 1)
	})
}

// DC-10: somebody who asks for what waits and listens to no answer gets so much and no
// more within the lifetime of a delivery, however often it asks.
func TestAbuse_DC10_DeliveriesUnheard(t *testing.T) {
	t.Parallel()
	v := didcomm.V1
	p := newPair(t, v)
	const size, limit = 10 << 10, 50 << 10
	p.mediator.MaxBytes = limit
	require.NoError(t, p.takeFor("wallet", "did:example:alder", envelope(strings.Repeat("a", size))))
	ask := func(name string, body any) (bytes int) {
		require.Empty(t, give(t, p.at, wire(t, v, name, "", body)))
		for _, o := range p.at.Store.TakeOutbox() {
			plain, err := o.Message.Plaintext()
			require.NoError(t, err)
			require.False(t, o.Message.Expires.IsZero())
			bytes += len(plain)
		}
		return bytes
	}
	stored := 0
	for range 200 {
		stored += ask(deliveryRequest, deliveryRequestBody{Limit: 10})
	}
	require.Greater(t, stored, limit)
	require.Less(t, stored, limit*3/2+200*1000)
	require.Less(t, ask(deliveryRequest, deliveryRequestBody{Limit: 10}), 1000, "a status")

	// The next period, and whoever says that it has them, begins anew.
	p.now = p.now.Add(lifetime)
	require.Greater(t, ask(deliveryRequest, deliveryRequestBody{Limit: 10}), size)
	for i := range limit/size + 1 {
		require.NoError(t, p.takeFor("wallet", "did:example:alder", envelope(strings.Repeat("a", size))), i)
		all := p.at.Store.Records(kindEntry + "wallet")
		require.Greater(t, ask(deliveryRequest, deliveryRequestBody{Limit: 1}), size)
		ask(received, receivedBody{[]string{all[0].ID}})
	}
}

// DC-10: peers that can be neither taken nor refused crowd out one another, and nobody
// else.
func TestAbuse_DC10_NothingCanBeReceived(t *testing.T) {
	t.Parallel()
	p := newPair(t, didcomm.V1)
	early := errors.New("not yet")
	for i := range maxLater/maxBatch + 2 {
		var list []didcomm.Attachment
		for k := range maxBatch {
			mark := fmt.Sprintf("%d-%d", i, k)
			p.fail[mark] = early
			list = append(list, didcomm.NewAttachment(mark, "", envelope(mark)))
		}
		require.Empty(t, give(t, p.wallet, deliver(t, 1, list...)))
		require.NoError(t, p.recipient.Work(t.Context(), "mediator"))
	}
	p.settleWork(t)
	require.Len(t, p.wallet.Store.Records(kindLater+"mediator"), maxLater)
	require.Len(t, p.wallet.Store.Records(kindBody+"mediator"), maxLater)
	require.Len(t, p.wallet.Store.Tasks(), 1, "one task for all")
	p.take(t, "good")
	p.fetch(t, false)
	for range 3 { // memtx stops at the first failure
		p.settle(t)
	}
	require.Equal(t, []string{"good"}, p.got)
	require.Zero(t, p.waiting(t))
	p.fail = nil
	p.settleWork(t)
	require.Len(t, p.got, 1+maxLater)
	require.Equal(t, "2-0", p.got[1], "the oldest are gone")
	require.Empty(t, p.wallet.Store.Records(kindLater+"mediator"))
	require.Empty(t, p.wallet.Store.Records(kindRetry))
	require.Empty(t, p.wallet.Store.Tasks())
}

// DC-10: a thousand envelopes each of which takes as long as it may to be refused hold
// up the next one for minutes, not for hours.
func TestAbuse_DC10_SlowToReceive(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPair(t, didcomm.V2)
		p.recipient.Now = time.Now
		good := time.Time{}
		p.recipient.Receive = func(ctx context.Context, e []byte) error {
			if strings.Contains(string(e), "good") {
				good = time.Now()
				return nil
			}
			<-ctx.Done()
			return ctx.Err()
		}
		start := time.Now()
		const slow = maxLater + maxBatch
		for i := range slow/maxBatch + 1 {
			var list []didcomm.Attachment
			for k := range maxBatch {
				list = append(list, didcomm.NewAttachment(fmt.Sprintf("%d-%d", i, k), "", envelope(fmt.Sprintf("%d-%d", i, k))))
			}
			if i == slow/maxBatch {
				list = []didcomm.Attachment{didcomm.NewAttachment("good", "", envelope("good"))}
			}
			require.Empty(t, give(t, p.wallet, deliver(t, 2, list...)))
		}
		require.NoError(t, p.recipient.Work(t.Context(), "mediator"))
		require.Less(t, good.Sub(start), slow*firstTime/10)
		require.Len(t, p.wallet.Store.Records(kindLater+"mediator"), maxLater)
		require.ErrorIs(t, p.recipient.Work(t.Context(), laterTask+"mediator"), errLater)
		require.Less(t, time.Since(start), 10*time.Minute)
	})
}

// DC-10: what is sent for one recipient without end stops at its limit.
func TestAbuse_DC10_LimitOfBytes(t *testing.T) {
	t.Parallel()
	p := newPair(t, didcomm.V1)
	p.at.Connect("other", true)
	p.mediator.MaxBytes = 8 << 20
	large := envelope(strings.Repeat("a", MaxEnvelope-len(envelope(""))))
	taken := int64(0)
	for sent := int64(0); sent < 64<<20; sent += int64(len(large)) {
		err := p.takeFor("wallet", "did:example:alder", large)
		if err == nil {
			taken += int64(len(large))
			continue
		}
		require.ErrorIs(t, err, ErrFull)
	}
	require.LessOrEqual(t, 2*taken, p.mediator.MaxBytes+int64(len(large)))
	require.Greater(t, 2*taken+int64(len(large)), p.mediator.MaxBytes)
	require.NoError(t, p.takeFor("other", "did:example:birch", envelope("other")))
}

// The largest envelope that is taken can be delivered; a larger one is refused for good.
func TestTake_Largest(t *testing.T) {
	t.Parallel()
	each2(t, func(t *testing.T, v didcomm.Version) {
		p := newPair(t, v)
		largest := envelope(strings.Repeat("a", MaxEnvelope-len(envelope(""))))
		require.Len(t, largest, MaxEnvelope)
		require.NoError(t, p.takeFor("wallet", "did:example:alder", largest))
		err := p.takeFor("wallet", "did:example:alder", append(largest, ' '))
		require.ErrorIs(t, err, ErrTooLarge)
		require.ErrorIs(t, err, didcomm.ErrPermanent)
		p.take(t, "small")
		p.fetch(t, false)
		p.settle(t)
		require.Len(t, p.got, 2)
	})
}

// A delivery never becomes larger than a message can be.
func TestDelivery_AsManyAsFit(t *testing.T) {
	t.Parallel()
	each2(t, func(t *testing.T, v didcomm.Version) {
		p := newPair(t, v)
		for range 8 {
			p.take(t, strings.Repeat("a", MaxEnvelope/3))
		}
		m := p.ask(t, deliveryRequest, deliveryRequestBody{Limit: maxBatch})
		_, got := marks(t, m)
		require.Len(t, got, 2)
		_, err := m.Plaintext()
		require.NoError(t, err)

		p = newPair(t, v)
		for i := range maxBatch + 1 {
			p.take(t, fmt.Sprint(i))
		}
		_, got = marks(t, p.ask(t, deliveryRequest, deliveryRequestBody{Limit: 1 << 40}))
		require.Len(t, got, maxBatch)
	})
}

// A mediator cannot fill the wallet: what is not received yet has its limit, and what
// comes beyond it is not acknowledged.
func TestDelivered_Backlog(t *testing.T) {
	t.Parallel()
	p := newPair(t, didcomm.V2)
	for i := range maxBacklog / maxBatch {
		var list []didcomm.Attachment
		for k := range maxBatch {
			mark := fmt.Sprintf("%d-%d", i, k)
			list = append(list, didcomm.NewAttachment(mark, "", envelope(mark)))
		}
		require.Empty(t, give(t, p.wallet, deliver(t, 2, list...)))
	}
	p.wallet.Store.TakeOutbox()
	m := deliver(t, 2, didcomm.NewAttachment("more", "", envelope("more")))
	require.ErrorIs(t, p.wallet.Store.Deliver(t.Context(), p.wallet.Handler, "mediator", m), errBacklog)
	require.Empty(t, p.wallet.Store.TakeOutbox())
	require.NoError(t, p.recipient.Work(t.Context(), "mediator"))
	require.Len(t, p.got, maxBacklog)
	require.Empty(t, give(t, p.wallet, m))
}

// FuzzDelivery: whatever a mediator delivers is kept or refused, and what is kept is
// handed on.
func FuzzDelivery(f *testing.F) {
	f.Add([]byte(`{"~attach":[{"@id":"a","data":{"base64":"e30"}}]}`), false)
	f.Add([]byte(`{"recipient_did":"did:example:alder"}`), true)
	f.Add([]byte(`{"message_count":1,"live_delivery":true}`), true)
	f.Fuzz(func(t *testing.T, body []byte, second bool) {
		v := didcomm.V1
		if second {
			v = didcomm.V2
		}
		for _, name := range []string{delivery, status, statusRequest, deliveryRequest, received, liveChange} {
			p := newPair(t, v)
			m := wire(t, v, name, "", nil)
			m.Body = body
			if second && name == delivery {
				m.Attachments = []didcomm.Attachment{didcomm.NewAttachment("a", "", body)}
			}
			if _, err := m.Plaintext(); err != nil {
				return
			}
			for _, n := range []*memtx.Node{p.wallet, p.at} {
				if code := give(t, n, m); code == "" {
					_ = n.Work(t.Context())
				}
			}
		}
	})
}

// Whichever commit of either side fails, and with it whichever message is lost, nothing
// that was taken is lost, and the queue is empty in the end.
func TestAnyCommitFails(t *testing.T) {
	t.Parallel()
	each2(t, func(t *testing.T, v didcomm.Version) {
		lost := errors.New("disk full")
		for _, side := range []string{"wallet", "mediator"} {
			for _, live := range []bool{false, true} {
				for failing := range 20 {
					p := newPair(t, v)
					p.take(t, "one", "two")
					node, commits := p.wallet, 0
					if side == "mediator" {
						node = p.at
					}
					node.Store.Fail = func() error {
						if commits++; commits == failing+1 {
							return lost
						}
						return nil
					}
					if live {
						p.session = "socket"
					}
					for round := range 6 {
						p.now = p.now.Add(lifetime)
						_ = p.recipient.Fetch(t.Context(), "mediator", live)
						_, _ = memtx.Settle(t.Context(), p.wallet, p.at)
						_ = p.recipient.Work(t.Context(), "mediator")
						if round == 1 {
							for p.takeFor("wallet", "did:example:alder", envelope("three")) != nil {
								continue // its sender tries again
							}
						}
					}
					got := map[string]bool{}
					for _, mark := range p.got {
						got[mark] = true
					}
					require.Equal(t, map[string]bool{"one": true, "two": true, "three": true}, got, "%s, commit %d", side, failing)
					require.LessOrEqual(t, len(p.got), 5, "again only what the failed commit would have noted")
					require.Zero(t, p.waiting(t), "%s, commit %d", side, failing)
					require.Empty(t, p.wallet.Store.Records(kindArrived+"mediator"))
				}
			}
		}
	})
}
