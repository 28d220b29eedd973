package pickup

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/internal/memtx"
)

// DC-10: a queue that is filled for one recipient takes no more, of messages and of
// bytes, until some were fetched; others get theirs.
func TestAbuse_DC10_QueueFilledForOneRecipient(t *testing.T) {
	t.Parallel()
	each2(t, func(t *testing.T, v didcomm.Version) {
		p := newPair(t, v)
		p.at.ConnectOf(v, "other", true)
		p.mediator.MaxMessages = 100
		for i := range p.mediator.MaxMessages {
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
		p.fetch(t, false)
		p.settle(t)
		require.Len(t, p.got, p.mediator.MaxMessages)
		p.take(t, "again")
	})
}

// DC-10: a gigabyte for one recipient ends where its bytes do.
func TestAbuse_DC10_GigabyteForOneRecipient(t *testing.T) {
	t.Parallel()
	p := newPair(t, didcomm.V1)
	p.at.Connect("other", true)
	p.mediator.MaxBytes = 8 << 20
	large := envelope(strings.Repeat("a", MaxEnvelope-len(envelope(""))))
	taken := int64(0)
	for sent := int64(0); sent < 1<<30; sent += int64(len(large)) {
		err := p.takeFor("wallet", "did:example:alder", large)
		if err == nil {
			taken += int64(len(large))
			continue
		}
		require.ErrorIs(t, err, ErrFull)
		if sent > 64<<20 { // the rest is refused at once, which is slow to wait for
			break
		}
	}
	require.LessOrEqual(t, taken, p.mediator.MaxBytes)
	require.Greater(t, taken+int64(len(large)), p.mediator.MaxBytes)
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
