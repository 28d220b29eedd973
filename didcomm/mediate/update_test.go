package mediate

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/didcomm"
)

// results gives the mediator an update and returns what it says of each change.
func (p *pair) results(t testing.TB, changes ...change) []string {
	t.Helper()
	require.Empty(t, give(t, p.at, wire(t, p.v, update, "", updateBody{changes})))
	out := p.at.Store.TakeOutbox()
	require.Len(t, out, 1)
	var b updatedBody
	require.NoError(t, out[0].Message.Decode(&b))
	require.Len(t, b.Updated, len(changes))
	var results []string
	for i, u := range b.Updated {
		require.Equal(t, changes[i].Action, u.Action)
		results = append(results, u.Result)
	}
	return results
}

func (p *pair) add(t testing.TB, i int) change {
	return newName(p.v, nameOf(t, recipient(t, p.v, i)), actionAdd)
}

func newName(v didcomm.Version, text, action string) change {
	if v == didcomm.V2 {
		return change{DID: text, Action: action}
	}
	return change{Key: text, Action: action}
}

func TestUpdate(t *testing.T) {
	t.Parallel()
	each2(t, func(t *testing.T, v didcomm.Version) {
		p := granted(t, v)
		one, two := p.add(t, 1), p.add(t, 2)
		gone := one
		gone.Action = actionRemove
		own := newName(v, nameOf(t, didcomm.Recipient{Key: p.mediatorsKey}), actionAdd)
		if v == didcomm.V2 {
			own.DID = p.mediator.DID.String()
		}
		require.Equal(t, []string{"success", "success", "no_change"}, p.results(t, one, two, one))
		require.Equal(t, 2, p.client(t).Names)
		require.Equal(t, []string{"success", "no_change", "success"}, p.results(t, gone, gone, one))
		require.Equal(t, []string{"client_error", "client_error", "client_error", "client_error", "client_error"}, p.results(t,
			own, change{Action: actionAdd}, newName(v, "nobody", actionAdd), newName(v, one.Key+one.DID, "replace"),
			newName(v, "did:example:"+strings.Repeat("a", maxName), actionAdd)))
		require.Equal(t, 2, p.client(t).Names)
	})
}

// The older spelling of a key is the same key, and is answered as it was written.
func TestUpdate_KeyInBase58(t *testing.T) {
	t.Parallel()
	p := granted(t, didcomm.V1)
	raw := newName(didcomm.V1, base58(recipient(t, 1, 1).Key), actionAdd)
	require.Empty(t, give(t, p.at, wire(t, 1, update, "", updateBody{[]change{raw}})))
	var b updatedBody
	require.NoError(t, p.at.Store.TakeOutbox()[0].Message.Decode(&b))
	require.Equal(t, raw.Key, b.Updated[0].Key)
	require.Equal(t, []string{"no_change"}, p.results(t, p.add(t, 1)))
}

func TestUpdate_Malformed(t *testing.T) {
	t.Parallel()
	each2(t, func(t *testing.T, v didcomm.Version) {
		p := granted(t, v)
		many := make([]change, maxUpdates+1)
		for i := range many {
			many[i] = p.add(t, i)
		}
		for name, body := range map[string]any{
			"nothing":   map[string]any{},
			"no list":   map[string]any{"updates": "all"},
			"empty":     updateBody{[]change{}},
			"too many":  updateBody{many},
			"a number":  map[string]any{"updates": []int{7}},
			"key a map": map[string]any{"updates": []any{map[string]any{"recipient_key": map[string]any{}, "recipient_did": 7}}},
		} {
			require.Equal(t, codeMalformed, give(t, p.at, wire(t, v, update, "", body)), name)
		}
		require.Zero(t, p.client(t).Names)
		p.at.Store.TakeOutbox()
		results := p.results(t, many[:maxUpdates]...)
		require.NotContains(t, results, resultClient)
		require.Equal(t, maxUpdates, p.client(t).Names)
	})
}

func TestUpdate_AsManyNamesAsAllowed(t *testing.T) {
	t.Parallel()
	p := granted(t, didcomm.V2)
	for i := 0; i < MaxNames; i += 250 {
		var some []change
		for k := i; k < i+250; k++ {
			some = append(some, p.add(t, k))
		}
		require.NotContains(t, p.results(t, some...), resultClient)
	}
	require.Equal(t, MaxNames, p.client(t).Names)
	require.Equal(t, []string{resultClient, resultNoChange}, p.results(t, p.add(t, MaxNames), p.add(t, 0)))
	gone := p.add(t, 0)
	gone.Action = actionRemove
	require.Equal(t, []string{resultSuccess, resultSuccess}, p.results(t, gone, p.add(t, MaxNames)))
}

// Nobody takes, frees or learns of another one's name.
func TestUpdate_NameOfAnother(t *testing.T) {
	t.Parallel()
	each2(t, func(t *testing.T, v didcomm.Version) {
		p := granted(t, v)
		require.Equal(t, []string{"success"}, p.results(t, p.add(t, 1)))
		p.at.ConnectOf(v, "stranger", true)
		p.at.Connection = "stranger"
		require.Empty(t, give(t, p.at, wire(t, v, request, "", nil)))
		p.at.Store.TakeOutbox()
		taken := p.add(t, 1)
		require.Equal(t, []string{"client_error"}, p.results(t, taken))
		taken.Action = actionRemove
		free := p.add(t, 2)
		free.Action = actionRemove
		require.Equal(t, []string{"no_change", "no_change"}, p.results(t, taken, free))
		require.NoError(t, p.send(t, forward(t, v, nameOf(t, recipient(t, v, 1)), envelope("for the wallet"))))
		require.Equal(t, "wallet", p.kept[0].connection)

		// Once the owner is forgotten it is free.
		require.NoError(t, p.at.Store.Update(t.Context(), func(tx didcomm.Tx) error { return p.mediator.Forget(tx, "wallet") }))
		require.ErrorIs(t, p.send(t, forward(t, v, nameOf(t, recipient(t, v, 1)), envelope("late"))), ErrRecipient)
		require.Equal(t, []string{"success"}, p.results(t, p.add(t, 1)))
	})
}

func TestQuery(t *testing.T) {
	t.Parallel()
	each2(t, func(t *testing.T, v didcomm.Version) {
		p := granted(t, v)
		for i := range 5 {
			require.Equal(t, []string{"success"}, p.results(t, p.add(t, i)))
		}
		for _, tt := range []struct {
			page                    *paginate
			first, count, remaining int
		}{
			{nil, 0, 5, 0},
			{&paginate{Limit: 2}, 0, 2, 3},
			{&paginate{Limit: 2, Offset: 2}, 2, 2, 1},
			{&paginate{Limit: 2, Offset: 4}, 4, 1, 0},
			{&paginate{Limit: 2, Offset: 5}, 5, 0, 0},
			{&paginate{Limit: 2, Offset: 1 << 40}, 5, 0, 0},
			{&paginate{Limit: 1 << 40}, 0, 5, 0},
		} {
			require.Empty(t, give(t, p.at, wire(t, v, query, "", queryBody{tt.page})))
			var b listBody
			require.NoError(t, p.at.Store.TakeOutbox()[0].Message.Decode(&b))
			got := b.Keys
			if v == didcomm.V2 {
				got = b.DIDs
			}
			require.Len(t, *got, tt.count)
			require.Equal(t, tt.count, b.Pagination.Count)
			require.Equal(t, tt.remaining, b.Pagination.Remaining)
			for i, c := range *got {
				require.Equal(t, nameOf(t, recipient(t, v, tt.first+i)), c.Key+c.DID)
			}
		}
		for name, body := range map[string]any{
			"no limit":        queryBody{&paginate{}},
			"negative limit":  queryBody{&paginate{Limit: -1}},
			"negative offset": queryBody{&paginate{Limit: 1, Offset: -1}},
			"no page":         map[string]any{"paginate": "all"},
		} {
			require.Equal(t, codeMalformed, give(t, p.at, wire(t, v, query, "", body)), name)
		}
	})
}

func TestUpdated_Refused(t *testing.T) {
	t.Parallel()
	each2(t, func(t *testing.T, v didcomm.Version) {
		p := granted(t, v)
		r := recipient(t, v, 1)
		p.route(t, r)
		p.wallet.Store.TakeOutbox()
		answer := func(action, result string) {
			c := newName(v, nameOf(t, r), action)
			c.Result = result
			require.Empty(t, give(t, p.wallet, wire(t, v, updated, "", updatedBody{[]change{c}})))
		}
		answer(actionRemove, resultSuccess) // of something else
		require.Equal(t, nameSent, p.states(t)[nameOf(t, r)])
		answer(actionAdd, "server_error")
		require.Equal(t, nameRefused, p.states(t)[nameOf(t, r)])
		answer(actionAdd, resultSuccess) // too late
		require.Equal(t, nameRefused, p.states(t)[nameOf(t, r)])
		p.route(t, r) // asks again
		require.Len(t, p.wallet.Store.TakeOutbox(), 1)
		answer(actionAdd, resultNoChange)
		require.Equal(t, nameActive, p.states(t)[nameOf(t, r)])
		answer(actionRemove, resultSuccess) // that was not asked for
		require.Equal(t, nameActive, p.states(t)[nameOf(t, r)])
		require.Equal(t, codeMalformed, give(t, p.wallet, wire(t, v, updated, "", updatedBody{make([]change, maxUpdates+1)})))
		require.Equal(t, codeMalformed, give(t, p.wallet, wire(t, v, updated, "", map[string]any{"updated": 7})))
	})
}

// After a check the two lists are equal, however many pages they have.
func TestCheck(t *testing.T) {
	t.Parallel()
	each2(t, func(t *testing.T, v didcomm.Version) {
		p := granted(t, v)
		const n = 2*ourPage + 50
		var all []didcomm.Recipient
		for i := range n {
			all = append(all, recipient(t, v, i))
		}
		p.route(t, all...)
		p.settle(t)
		require.Equal(t, n, p.client(t).Names)

		// The mediator lost some and has some that the wallet does not know.
		var lost []change
		for i := 0; i < n; i += 3 {
			c := p.add(t, i)
			c.Action = actionRemove
			lost = append(lost, c)
		}
		require.NotContains(t, p.results(t, lost...), resultClient)
		require.NotContains(t, p.results(t, p.add(t, n), p.add(t, n+1)), resultClient)
		require.NoError(t, p.recipient.Check(t.Context(), "mediator"))
		p.settle(t)
		require.Nil(t, p.mediation(t).Check)
		require.Equal(t, n, p.client(t).Names)
		states := p.states(t)
		require.Len(t, states, n)
		for _, r := range all {
			require.Equal(t, nameActive, states[nameOf(t, r)])
			require.NoError(t, p.send(t, forward(t, v, nameOf(t, r), envelope("x"))))
		}
		for i := range 2 {
			require.ErrorIs(t, p.send(t, forward(t, v, nameOf(t, recipient(t, v, n+i)), envelope("x"))), ErrRecipient)
		}

		// Equal lists need no update.
		require.NoError(t, p.recipient.Check(t.Context(), "mediator"))
		for _, m := range p.settle(t) {
			require.NotEqual(t, wireName(v, update), m.Type.Name)
		}
	})
}

// A mediator that says that there is always more is not asked for ever.
func TestCheck_EndlessList(t *testing.T) {
	t.Parallel()
	p := granted(t, didcomm.V2)
	require.NoError(t, p.recipient.Check(t.Context(), "mediator"))
	asked := 0
	for i := range 1000 {
		out := p.wallet.Store.TakeOutbox()
		if len(out) == 0 || out[0].Message.Type.Name != wireName(2, query) {
			break
		}
		asked++
		body := listBody{DIDs: &[]change{{DID: fmt.Sprintf("did:example:endless-%d", i)}}, Pagination: &pagination{Remaining: 1}}
		require.Empty(t, give(t, p.wallet, wire(t, 2, list, out[0].Message.Thread, body)))
	}
	require.Equal(t, maxPages, asked)
	require.Nil(t, p.mediation(t).Check)
}

func TestCheck_Refused(t *testing.T) {
	t.Parallel()
	each2(t, func(t *testing.T, v didcomm.Version) {
		p := newPair(t, v)
		require.ErrorIs(t, p.recipient.Check(t.Context(), "mediator"), didcomm.ErrNotFound)
		require.ErrorIs(t, p.recipient.Request(t.Context(), "nobody"), didcomm.ErrNotFound)
		require.NoError(t, p.recipient.Request(t.Context(), "mediator"))
		require.ErrorIs(t, p.recipient.Check(t.Context(), "mediator"), ErrState)
		p.settle(t)
		require.NoError(t, p.recipient.Check(t.Context(), "mediator"))
		thread := p.wallet.Store.TakeOutbox()[0].Message.Thread
		for name, body := range map[string]any{
			"no list":  map[string]any{},
			"too many": map[string]any{"keys": make([]change, MaxNames+1), "dids": make([]change, MaxNames+1)},
			"a number": map[string]any{"keys": 7, "dids": 7},
		} {
			require.Equal(t, codeMalformed, give(t, p.wallet, wire(t, v, list, thread, body)), name)
		}
		// What cannot be a name is nothing that could be removed.
		bad := []change{{Key: "nobody", DID: "nobody"}}
		require.Empty(t, give(t, p.wallet, wire(t, v, list, thread, map[string]any{"keys": bad, "dids": bad})))
		for _, s := range p.wallet.Store.TakeOutbox() {
			require.True(t, didcomm.IsProblemReport(s.Message.Type))
		}
	})
}
