package mediate

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/internal/memtx"
)

// What stands on the wire, by RFC 0211 and Coordinate Mediation 3.0.
func TestWire(t *testing.T) {
	t.Parallel()
	wallet := map[didcomm.Version]string{}
	for _, v := range versions {
		wallet[v] = nameOf(t, recipient(t, v, 1))
	}
	mediators := nameOf(t, didcomm.Recipient{Key: key(200)})
	want := map[didcomm.Version][]string{
		didcomm.V1: {
			`{"@type":"https://didcomm.org/coordinate-mediation/1.0/mediate-request","@id":"id-1","~transport":{"return_route":"all"}}`,
			`{"@type":"https://didcomm.org/coordinate-mediation/1.0/mediate-grant","@id":"id-2","~thread":{"thid":"id-1"},"endpoint":"https://mediator.example/didcomm","routing_keys":["` + mediators + `"]}`,
			`{"@type":"https://didcomm.org/coordinate-mediation/1.0/keylist-update","@id":"id-3","~transport":{"return_route":"all"},"updates":[{"recipient_key":"` + wallet[1] + `","action":"add"}]}`,
			`{"@type":"https://didcomm.org/coordinate-mediation/1.0/keylist-update-response","@id":"id-4","~thread":{"thid":"id-3"},"updated":[{"recipient_key":"` + wallet[1] + `","action":"add","result":"success"}]}`,
			`{"@type":"https://didcomm.org/coordinate-mediation/1.0/keylist-query","@id":"id-6","~transport":{"return_route":"all"},"paginate":{"limit":100,"offset":0}}`,
			`{"@type":"https://didcomm.org/coordinate-mediation/1.0/keylist","@id":"id-7","~thread":{"thid":"id-6"},"~timing":{"expires_time":"2026-11-02T09:01:00Z"},"keys":[{"recipient_key":"` + wallet[1] + `"}],"pagination":{"count":1,"offset":0,"remaining":0}}`,
		},
		didcomm.V2: {
			`{"type":"https://didcomm.org/coordinate-mediation/3.0/mediate-request","body":{},"return_route":"all"}`,
			`{"type":"https://didcomm.org/coordinate-mediation/3.0/mediate-grant","thid":"id-1","body":{"routing_did":["did:example:mediator"]}}`,
			`{"type":"https://didcomm.org/coordinate-mediation/3.0/recipient-update","body":{"updates":[{"recipient_did":"` + wallet[2] + `","action":"add"}]},"return_route":"all"}`,
			`{"type":"https://didcomm.org/coordinate-mediation/3.0/recipient-update-response","thid":"id-3","body":{"updated":[{"recipient_did":"` + wallet[2] + `","action":"add","result":"success"}]}}`,
			`{"type":"https://didcomm.org/coordinate-mediation/3.0/recipient-query","body":{"paginate":{"limit":100,"offset":0}},"return_route":"all"}`,
			`{"type":"https://didcomm.org/coordinate-mediation/3.0/recipient","thid":"id-6","expires_time":1793610060,"body":{"dids":[{"recipient_did":"` + wallet[2] + `"}],"pagination":{"count":1,"offset":0,"remaining":0}}}`,
		},
	}
	each2(t, func(t *testing.T, v didcomm.Version) {
		p := newPair(t, v)
		require.NoError(t, p.recipient.Request(t.Context(), "mediator"))
		trace := p.settle(t)
		p.route(t, recipient(t, v, 1))
		trace = append(trace, p.settle(t)...)
		require.NoError(t, p.recipient.Check(t.Context(), "mediator"))
		trace = append(trace, p.settle(t)...)
		require.Len(t, trace, len(want[v]))
		for i, m := range trace {
			got, err := m.Plaintext()
			require.NoError(t, err)
			if v == didcomm.V2 { // who and when are the runtime's
				var members map[string]json.RawMessage
				require.NoError(t, json.Unmarshal(got, &members))
				for _, name := range []string{"id", "typ", "from", "to", "created_time"} {
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
	})
}

func TestRequest_Granted(t *testing.T) {
	t.Parallel()
	each2(t, func(t *testing.T, v didcomm.Version) {
		p := granted(t, v)
		require.Len(t, p.answered, 1)
		require.Equal(t, Granted, p.answered[0].State)
		require.Equal(t, Granted, p.client(t).State)
		require.ErrorIs(t, p.recipient.Request(t.Context(), "mediator"), ErrState)

		// Asked again, as by a wallet that lost its memory, a mediator grants again.
		require.Empty(t, give(t, p.at, wire(t, v, request, "", nil)))
		require.Equal(t, Granted, p.client(t).State)
		require.Equal(t, wireName(v, grant), p.at.Store.TakeOutbox()[0].Message.Type.Name)
	})
}

func TestRequest_Denied(t *testing.T) {
	t.Parallel()
	each2(t, func(t *testing.T, v didcomm.Version) {
		p := newPair(t, v)
		p.allow = func(didcomm.Connection) (bool, error) { return false, nil }
		require.NoError(t, p.recipient.Request(t.Context(), "mediator"))
		p.settle(t)
		require.Equal(t, Denied, p.mediation(t).State)
		require.Equal(t, Denied, p.client(t).State)
		require.Equal(t, Denied, p.answered[0].State)
		endpoint, routing := p.route(t, recipient(t, v, 1))
		require.Equal(t, didcomm.Queue, endpoint)
		require.Empty(t, routing)
		require.Empty(t, p.wallet.Store.TakeOutbox())

		// Another try is possible.
		p.allow = nil
		require.NoError(t, p.recipient.Request(t.Context(), "mediator"))
		p.settle(t)
		require.Equal(t, Granted, p.mediation(t).State)
	})
}

func TestRequest_TooMany(t *testing.T) {
	t.Parallel()
	each2(t, func(t *testing.T, v didcomm.Version) {
		p := newPair(t, v)
		p.mediator.MaxClients = 2
		states := func() (out []State) {
			all, err := p.mediator.Clients(t.Context())
			require.NoError(t, err)
			for _, c := range all {
				out = append(out, c.State)
			}
			return out
		}
		for _, id := range []string{"one", "two", "three", "one"} {
			if id != "one" || len(states()) == 0 {
				p.at.ConnectOf(v, id, true)
			}
			p.at.Connection = id
			require.Empty(t, give(t, p.at, wire(t, v, request, "", nil)))
		}
		require.Equal(t, []State{Granted, Granted, Denied}, states())
		require.NoError(t, p.at.Store.Update(t.Context(), func(tx didcomm.Tx) error { return p.mediator.Forget(tx, "two") }))
		p.at.Connection = "three"
		require.Empty(t, give(t, p.at, wire(t, v, request, "", nil)))
		require.Equal(t, []State{Granted, Granted}, states())
	})
}

// A mediator without a key serves no wallet that speaks V1, one without a DID none
// that speaks V2.
func TestRequest_OtherVersion(t *testing.T) {
	t.Parallel()
	each2(t, func(t *testing.T, v didcomm.Version) {
		p := newPair(t, v)
		if v == didcomm.V1 {
			p.mediator.Key = nil
		} else {
			p.mediator.DID = mustDID(t, "did:example:x")
			p.mediator.DID = didcomm.Recipient{}.DID
		}
		require.NoError(t, p.recipient.Request(t.Context(), "mediator"))
		p.settle(t)
		require.Equal(t, Denied, p.mediation(t).State)
	})
}

func TestRoute(t *testing.T) {
	t.Parallel()
	each2(t, func(t *testing.T, v didcomm.Version) {
		p := granted(t, v)
		a, b := recipient(t, v, 1), recipient(t, v, 2)
		endpoint, routing := p.route(t, a, b, a)
		if v == didcomm.V1 {
			require.Equal(t, "https://mediator.example/didcomm", endpoint)
			require.Equal(t, []string{nameOf(t, didcomm.Recipient{Key: p.mediatorsKey})}, routing)
		} else {
			require.Equal(t, "did:example:mediator", endpoint)
			require.Empty(t, routing)
		}
		require.Equal(t, map[string]nameState{nameOf(t, a): nameSent, nameOf(t, b): nameSent}, p.states(t))
		p.settle(t)
		require.Equal(t, map[string]nameState{nameOf(t, a): nameActive, nameOf(t, b): nameActive}, p.states(t))
		require.Equal(t, 2, p.client(t).Names)
		p.route(t, a)
		require.Empty(t, p.wallet.Store.TakeOutbox(), "registered already")

		// Of the other version there is no mediator.
		other := didcomm.V1
		if v == didcomm.V1 {
			other = didcomm.V2
		}
		endpoint, routing = p.route(t, recipient(t, other, 3))
		require.Equal(t, didcomm.Queue, endpoint)
		require.Empty(t, routing)

		require.NoError(t, p.wallet.Store.Update(t.Context(), func(tx didcomm.Tx) error { return p.recipient.Remove(tx, a) }))
		require.Equal(t, nameRemoved, p.states(t)[nameOf(t, a)])
		p.settle(t)
		require.Equal(t, map[string]nameState{nameOf(t, b): nameActive}, p.states(t))
		require.Equal(t, 1, p.client(t).Names)
		require.ErrorIs(t, p.send(t, forward(t, v, nameOf(t, a), envelope("late"))), ErrRecipient)
		require.NoError(t, p.send(t, forward(t, v, nameOf(t, b), envelope("on time"))))
	})
}

func TestRoute_BeforeAnyMediator(t *testing.T) {
	t.Parallel()
	each2(t, func(t *testing.T, v didcomm.Version) {
		p := newPair(t, v)
		endpoint, routing := p.route(t, recipient(t, v, 1))
		require.Equal(t, didcomm.Queue, endpoint)
		require.Empty(t, routing)
		require.NoError(t, p.recipient.Request(t.Context(), "mediator")) // asked is not granted
		endpoint, _ = p.route(t, recipient(t, v, 1))
		require.Equal(t, didcomm.Queue, endpoint)
		require.NoError(t, p.wallet.Store.Update(t.Context(), func(tx didcomm.Tx) error { return p.recipient.Remove(tx, recipient(t, v, 1)) }))
	})
}

// With two mediators, the one that granted last is used, and a name is removed at both.
func TestRoute_NewestMediator(t *testing.T) {
	t.Parallel()
	p := granted(t, didcomm.V1)
	p.route(t, recipient(t, 1, 1))
	p.settle(t)
	p.now = p.now.Add(time.Hour)
	p.wallet.Connect("second", true)
	require.NoError(t, p.recipient.Request(t.Context(), "second"))
	p.wallet.Store.TakeOutbox()
	all, err := p.recipient.Mediations(t.Context())
	require.NoError(t, err)
	p.wallet.Connection = "second"
	require.Empty(t, give(t, p.wallet, wire(t, 1, grant, all[1].Thread, grantBody{Endpoint: "wss://second.example/", RoutingKeys: []string{base58(key(7))}})))
	endpoint, routing := p.route(t, recipient(t, 1, 1))
	require.Equal(t, "wss://second.example/", endpoint)
	require.Equal(t, []string{nameOf(t, didcomm.Recipient{Key: key(7)})}, routing)
	p.wallet.Store.TakeOutbox()
	require.NoError(t, p.wallet.Store.Update(t.Context(), func(tx didcomm.Tx) error { return p.recipient.Remove(tx, recipient(t, 1, 1)) }))
	require.Len(t, p.wallet.Store.TakeOutbox(), 2)
}

func TestGrant_Refused(t *testing.T) {
	t.Parallel()
	good := base58(key(7))
	many := make([]string, maxRoutingKeys+1)
	for i := range many {
		many[i] = good
	}
	for name, body := range map[string]any{
		"no endpoint":        grantBody{RoutingKeys: []string{good}},
		"no routing key":     grantBody{Endpoint: "https://mediator.example/"},
		"too many keys":      grantBody{Endpoint: "https://mediator.example/", RoutingKeys: many},
		"key is no key":      grantBody{Endpoint: "https://mediator.example/", RoutingKeys: []string{"did:example:alder"}},
		"endpoint is a file": grantBody{Endpoint: "file:///etc/passwd", RoutingKeys: []string{good}},
		"endpoint is a DID":  grantBody{Endpoint: "did:example:alder", RoutingKeys: []string{good}},
		"endpoint has user":  grantBody{Endpoint: "https://alder@mediator.example/", RoutingKeys: []string{good}},
		"endpoint no URL":    grantBody{Endpoint: "https://%zz/", RoutingKeys: []string{good}},
		"wrong types":        map[string]any{"endpoint": 7, "routing_keys": "none"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			refusedGrant(t, didcomm.V1, body)
		})
	}
	for name, body := range map[string]any{
		"nothing":     map[string]any{},
		"no DID":      map[string]any{"routing_did": "https://mediator.example/"},
		"empty list":  map[string]any{"routing_did": []string{}},
		"number":      map[string]any{"routing_did": 7},
		"list of it":  map[string]any{"routing_did": []any{7}},
		"null":        map[string]any{"routing_did": nil},
		"list of DID": map[string]any{"routing_did": [][]string{{"did:example:alder"}}},
	} {
		t.Run("v2 "+name, func(t *testing.T) {
			t.Parallel()
			refusedGrant(t, didcomm.V2, body)
		})
	}
}

func refusedGrant(t *testing.T, v didcomm.Version, body any) {
	p := newPair(t, v)
	require.NoError(t, p.recipient.Request(t.Context(), "mediator"))
	require.Equal(t, codeMalformed, give(t, p.wallet, wire(t, v, grant, p.mediation(t).Thread, body)))
	require.Equal(t, Requested, p.mediation(t).State)
	require.Empty(t, p.answered)
}

// Agents write the routing DID of version 3.0 as a list, as the specification shows, or
// as a text, as it says.
func TestGrant_RoutingDIDInEitherForm(t *testing.T) {
	t.Parallel()
	for _, form := range []any{"did:example:other", []string{"did:example:other", "did:example:another"}} {
		p := newPair(t, didcomm.V2)
		require.NoError(t, p.recipient.Request(t.Context(), "mediator"))
		require.Empty(t, give(t, p.wallet, wire(t, 2, grant, p.mediation(t).Thread, map[string]any{"routing_did": form})))
		require.Equal(t, "did:example:other", p.mediation(t).DID.String())
	}
}

// Answers that nobody waits for change nothing.
func TestAnswers_NotAskedFor(t *testing.T) {
	t.Parallel()
	each2(t, func(t *testing.T, v didcomm.Version) {
		body := grantBody{Endpoint: "https://forged.example/", RoutingKeys: []string{base58(key(9))}, RoutingDID: json.RawMessage(`"did:example:forged"`)}
		p := newPair(t, v)
		for _, name := range []string{grant, deny, updated, list} {
			require.Equal(t, codeState, give(t, p.wallet, wire(t, v, name, "", body)), name)
		}
		require.NoError(t, p.recipient.Request(t.Context(), "mediator"))
		before := p.wallet.Store.Snapshot()
		for _, name := range []string{grant, deny} { // of another thread
			require.Equal(t, codeState, give(t, p.wallet, wire(t, v, name, "another", body)), name)
		}
		require.Equal(t, before, p.wallet.Store.Snapshot())

		p = granted(t, v)
		before = p.wallet.Store.Snapshot()
		for _, name := range []string{grant, deny, list} {
			require.Equal(t, codeState, give(t, p.wallet, wire(t, v, name, p.mediation(t).Thread, body)), name)
		}
		require.Empty(t, give(t, p.wallet, wire(t, v, updated, "", updatedBody{[]change{newChange(v, "did:example:nobody", actionAdd), {Result: resultSuccess}}})))
		require.Equal(t, before, p.wallet.Store.Snapshot())
	})
}

// A message of one version of the protocol in a message of the other version of
// DIDComm, of another role, or not known, is refused.
func TestHandle_Unsupported(t *testing.T) {
	t.Parallel()
	each2(t, func(t *testing.T, v didcomm.Version) {
		p := granted(t, v)
		wrong := messageType(v, request)
		wrong.Major = 4 - wrong.Major // the other one
		for name, typ := range map[string]didcomm.Type{
			"other major":   wrong,
			"unknown":       messageType(v, "mediate-everything"),
			"other version": messageType(3-v, update),
		} {
			m := wire(t, v, request, "", nil)
			m.Type = typ
			if name == "other version" {
				m.Type.Major = messageType(v, "").Major
			}
			require.Equal(t, codeUnsupported, give(t, p.at, m), name)
			m.ID = didcomm.NewID()
			require.Equal(t, codeUnsupported, give(t, p.wallet, m), name)
		}
		for _, name := range []string{grant, deny, updated, list} {
			require.Equal(t, codeState, give(t, p.at, wire(t, v, name, "", nil)), name)
		}
		for _, name := range []string{request, update, query} {
			require.Equal(t, codeState, give(t, p.wallet, wire(t, v, name, "", nil)), name)
		}
	})
}

func TestUpdate_WithoutMediation(t *testing.T) {
	t.Parallel()
	each2(t, func(t *testing.T, v didcomm.Version) {
		p := newPair(t, v)
		p.allow = func(didcomm.Connection) (bool, error) { return false, nil }
		u := updateBody{[]change{newChange(v, "did:example:alder", actionAdd)}}
		require.Equal(t, codeNotGranted, give(t, p.at, wire(t, v, update, "", u)))
		require.Empty(t, give(t, p.at, wire(t, v, request, "", nil)))
		require.Equal(t, codeNotGranted, give(t, p.at, wire(t, v, update, "", u)))
		require.Equal(t, codeNotGranted, give(t, p.at, wire(t, v, query, "", queryBody{})))
	})
}

// A mediator that reports that it does not mediate is none any more, and can be asked
// again.
func TestAbandon(t *testing.T) {
	t.Parallel()
	each2(t, func(t *testing.T, v didcomm.Version) {
		p := granted(t, v)
		require.NoError(t, p.at.Store.Update(t.Context(), func(tx didcomm.Tx) error { return p.mediator.Forget(tx, "wallet") }))
		p.route(t, recipient(t, v, 1))
		out := p.wallet.Store.TakeOutbox()
		require.Equal(t, codeNotGranted, give(t, p.at, out[0].Message))
		report := p.at.Store.TakeOutbox()[0].Message
		require.Empty(t, give(t, p.wallet, report))
		require.Equal(t, Denied, p.mediation(t).State)
		require.Equal(t, codeNotGranted, p.mediation(t).Code)
		require.NoError(t, p.recipient.Request(t.Context(), "mediator"))
		p.settle(t)
		require.Equal(t, Granted, p.mediation(t).State)
		require.Empty(t, p.mediation(t).Code)

		// Other problems are not the end of it; nor are those of other threads.
		for _, code := range []string{codeMalformed, "undeliverable"} {
			require.NoError(t, p.wallet.Store.Update(t.Context(), func(tx didcomm.Tx) error {
				c, err := tx.Connection("mediator")
				require.NoError(t, err)
				mine, err := p.recipient.Abandon(t.Context(), tx, c, "another", &didcomm.Problem{Code: code})
				require.False(t, mine)
				return err
			}))
		}
		require.Equal(t, Granted, p.mediation(t).State)
	})
}

// An update that could not be delivered, or was refused as a whole, is made again.
func TestAbandon_Update(t *testing.T) {
	t.Parallel()
	each2(t, func(t *testing.T, v didcomm.Version) {
		p := granted(t, v)
		r := recipient(t, v, 1)
		p.route(t, r)
		thread := p.wallet.Store.TakeOutbox()[0].Message.Thread
		require.NoError(t, p.wallet.Store.Update(t.Context(), func(tx didcomm.Tx) error {
			c, err := tx.Connection("mediator")
			require.NoError(t, err)
			mine, err := p.recipient.Abandon(t.Context(), tx, c, thread, &didcomm.Problem{Code: "undeliverable"})
			require.True(t, mine)
			return err
		}))
		require.Equal(t, nameRefused, p.states(t)[nameOf(t, r)])
		require.Equal(t, Granted, p.mediation(t).State)
		p.route(t, r)
		p.settle(t)
		require.Equal(t, nameActive, p.states(t)[nameOf(t, r)])
	})
}

func TestExpire(t *testing.T) {
	t.Parallel()
	each2(t, func(t *testing.T, v didcomm.Version) {
		p := newPair(t, v)
		require.NoError(t, p.recipient.Request(t.Context(), "mediator"))
		p.wallet.Store.TakeOutbox() // lost
		n, err := p.recipient.Expire(t.Context(), p.now)
		require.NoError(t, err)
		require.Zero(t, n)
		n, err = p.recipient.Expire(t.Context(), p.now.Add(time.Second))
		require.NoError(t, err)
		require.Equal(t, 1, n)
		require.Equal(t, Denied, p.mediation(t).State)
		require.Equal(t, "expired", p.mediation(t).Code)
		require.NoError(t, p.recipient.Request(t.Context(), "mediator"))
		p.settle(t)
		n, err = p.recipient.Expire(t.Context(), p.now.Add(time.Hour))
		require.NoError(t, err)
		require.Zero(t, n, "it is granted")
	})
}

func TestRoles(t *testing.T) {
	t.Parallel()
	each2(t, func(t *testing.T, v didcomm.Version) {
		p := newPair(t, v)
		p.at.Handler, p.wallet.Handler = Roles{Mediator: p.mediator}, Roles{Recipient: p.recipient}
		require.NoError(t, p.recipient.Request(t.Context(), "mediator"))
		p.settle(t)
		p.route(t, recipient(t, v, 1))
		p.settle(t)
		require.Equal(t, 1, p.client(t).Names)
		require.Equal(t, codeUnsupported, give(t, p.at, wire(t, v, grant, "", nil)))
		require.Equal(t, codeUnsupported, give(t, p.wallet, wire(t, v, request, "", nil)))
		_, err := Roles{}.Abandon(t.Context(), nil, didcomm.Connection{}, "", nil)
		require.NoError(t, err)
	})
}

// What fails is undone as a whole.
func TestRoute_UndoneWithItsTransaction(t *testing.T) {
	t.Parallel()
	p := granted(t, didcomm.V1)
	before := p.wallet.Store.Snapshot()
	err := p.wallet.Store.Update(t.Context(), func(tx didcomm.Tx) error {
		_, _, err := p.recipient.Route(t.Context(), tx, recipient(t, 1, 1))
		require.NoError(t, err)
		return memtx.ErrReadOnly
	})
	require.ErrorIs(t, err, memtx.ErrReadOnly)
	require.Equal(t, before, p.wallet.Store.Snapshot())
	require.Empty(t, p.wallet.Store.TakeOutbox())
}
