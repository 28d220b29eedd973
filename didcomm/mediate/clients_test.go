package mediate

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/didcomm"
)

// as gives the mediator a message of the peer of another connection.
func (p *pair) as(t testing.TB, connection string, messages ...*didcomm.Message) {
	t.Helper()
	p.at.ConnectOf(p.v, connection, true)
	before := p.at.Connection
	p.at.Connection = connection
	for _, m := range messages {
		require.Empty(t, give(t, p.at, m))
	}
	p.at.Connection = before
	p.at.Store.TakeOutbox()
}

func (p *pair) clients(t testing.TB) (out []string) {
	t.Helper()
	all, err := p.mediator.Clients(t.Context())
	require.NoError(t, err)
	for _, c := range all {
		out = append(out, c.Connection)
	}
	return out
}

// DC-10: strangers who take all places and do nothing with them keep nobody out for
// long; those who use theirs keep it.
func TestAbuse_DC10_PlacesTakenForNothing(t *testing.T) {
	t.Parallel()
	each2(t, func(t *testing.T, v didcomm.Version) {
		p := newPair(t, v)
		var forgotten []string
		p.mediator.Forgotten = func(_ didcomm.Tx, c string) error { forgotten = append(forgotten, c); return nil }
		p.mediator.MaxClients = 3
		p.as(t, "stranger-1", wire(t, v, request, "", nil))
		p.as(t, "friend", wire(t, v, request, "", nil), wire(t, v, update, "", updateBody{[]change{p.add(t, 1)}}))
		p.as(t, "stranger-2", wire(t, v, request, "", nil))
		ask := func() State {
			require.NoError(t, p.recipient.Request(t.Context(), "mediator"))
			p.settle(t)
			return p.mediation(t).State
		}
		p.now = p.now.Add(unusedTime - time.Second)
		require.Equal(t, Denied, ask(), "they may be about to use theirs")
		require.Empty(t, forgotten)
		p.now = p.now.Add(2 * time.Second)
		require.Equal(t, Granted, ask())
		require.Equal(t, []string{"stranger-1", "stranger-2"}, forgotten)
		require.ElementsMatch(t, []string{"friend", "wallet"}, p.clients(t))

		// Who has a name and is heard of keeps its place, who is not loses it.
		p.route(t, recipient(t, v, 2))
		p.settle(t)
		p.as(t, "third", wire(t, v, request, "", nil), wire(t, v, update, "", updateBody{[]change{p.add(t, 3)}}))
		p.now = p.now.Add(awayTime - time.Second)
		require.NoError(t, p.at.Store.Update(t.Context(), func(tx didcomm.Tx) error { return p.mediator.Heard(tx, "third") }))
		require.NoError(t, p.at.Store.Update(t.Context(), func(tx didcomm.Tx) error { return p.mediator.Heard(tx, "nobody") }))
		p.as(t, "wallet", wire(t, v, query, "", queryBody{}))
		p.now = p.now.Add(time.Second)
		p.as(t, "fourth", wire(t, v, request, "", nil))
		require.ElementsMatch(t, []string{"wallet", "third", "fourth"}, p.clients(t))
		require.ErrorIs(t, p.send(t, forward(t, v, nameOf(t, recipient(t, v, 1)), envelope("friend"))), ErrRecipient)
		require.NoError(t, p.send(t, forward(t, v, nameOf(t, recipient(t, v, 3)), envelope("third"))))
	})
}

func TestMediator_Expire(t *testing.T) {
	t.Parallel()
	each2(t, func(t *testing.T, v didcomm.Version) {
		p := newPair(t, v)
		expire := func() int {
			n, err := p.mediator.Expire(t.Context(), p.now.Add(-14*24*time.Hour))
			require.NoError(t, err)
			return n
		}
		name := wire(t, v, update, "", updateBody{[]change{p.add(t, 1)}})
		p.as(t, "named", wire(t, v, request, "", nil), name)
		p.as(t, "nameless", wire(t, v, request, "", nil))
		p.as(t, "ended", wire(t, v, request, "", nil), wire(t, v, update, "", updateBody{[]change{p.add(t, 2)}}))
		p.allow = func(didcomm.Connection) (bool, error) { return false, nil }
		p.as(t, "denied", wire(t, v, request, "", nil))
		require.Zero(t, expire())
		require.NoError(t, p.at.Store.Update(t.Context(), func(tx didcomm.Tx) error { return tx.DeleteConnection("ended") }))
		require.Equal(t, 1, expire())
		p.now = p.now.Add(14 * 24 * time.Hour)
		require.Zero(t, expire())
		p.now = p.now.Add(time.Second)
		require.Equal(t, 2, expire(), "also who was denied: strangers leave nothing for ever")
		require.Equal(t, []string{"named"}, p.clients(t))
		p.now = p.now.Add(awayTime)
		require.Equal(t, 1, expire())
		require.Empty(t, p.at.Store.Records(kindName))
		require.Empty(t, p.at.Store.Records(kindAnswered))
	})
}

// DC-10: short queries of somebody who listens to no answer leave little, and not for
// long. Whoever listens gets the whole list.
func TestAbuse_DC10_QueriesUnheard(t *testing.T) {
	t.Parallel()
	each2(t, func(t *testing.T, v didcomm.Version) {
		p := granted(t, v)
		const names = 60
		for i := range names {
			c := p.add(t, i+1)
			if v == didcomm.V2 {
				c.DID = fmt.Sprintf("did:example:%s%d", strings.Repeat("a", 3<<10), i)
			}
			require.Equal(t, []string{"success"}, p.results(t, c))
		}
		stored, told := 0, 0
		for range 100 {
			switch code := give(t, p.at, wire(t, v, query, "", queryBody{})); code {
			case "":
			case codeTooOften:
				told++
			default:
				t.Fatal(code)
			}
			for _, o := range p.at.Store.TakeOutbox() {
				require.Equal(t, didcomm.IsProblemReport(o.Message.Type), o.Message.Expires.IsZero())
				plain, err := o.Message.Plaintext()
				require.NoError(t, err)
				stored += len(plain)
			}
		}
		require.Less(t, stored, 2*maxAnswers)
		if v == didcomm.V2 {
			require.Positive(t, told)
		}
		p.now = p.now.Add(lifetime)
		all := map[change]bool{}
		for offset, left := 0, 1; left > 0; {
			require.Empty(t, give(t, p.at, wire(t, v, query, "", queryBody{&paginate{Limit: maxPage, Offset: offset}})))
			var b listBody
			require.NoError(t, p.at.Store.TakeOutbox()[0].Message.Decode(&b))
			some := b.Keys
			if v == didcomm.V2 {
				some = b.DIDs
			}
			for _, c := range *some {
				all[c] = true
			}
			offset, left = offset+len(*some), b.Pagination.Remaining
		}
		require.Len(t, all, names)
	})
}

// An update whose texts would become larger in the answer is answered all the same.
func TestUpdate_AnswerNoLargerThanAMessage(t *testing.T) {
	t.Parallel()
	each2(t, func(t *testing.T, v didcomm.Version) {
		p := granted(t, v)
		for _, c := range []change{
			{Key: strings.Repeat("<", maxName), DID: strings.Repeat("<", maxName), Action: "remove"},
			{Key: strings.Repeat("a", maxName), DID: strings.Repeat("a", maxName), Action: strings.Repeat("b", 3900)},
		} {
			var all []change
			for range maxUpdates {
				all = append(all, c)
			}
			body := &bytes.Buffer{}
			raw := json.NewEncoder(body)
			raw.SetEscapeHTML(false)
			require.NoError(t, raw.Encode(updateBody{all}))
			m := wire(t, v, update, "", nil)
			m.Body = body.Bytes()
			require.Empty(t, give(t, p.at, m))
			out := p.at.Store.TakeOutbox()
			require.Len(t, out, 1)
			_, err := out[0].Message.Plaintext()
			require.NoError(t, err)
		}
	})
}
