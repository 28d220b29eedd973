package runtime_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/internal/peerdid"
	"github.com/staffpassport/staffpassport/didcomm/runtime"
)

// rotatedFixture has a connection "lake" of V2, whose peer's new DID has an endpoint.
func rotatedFixture(t *testing.T) *fixture {
	f := newFixture(t, nil)
	f.save(connection2(t, "lake"))
	f.pack.endpoints = map[did.DID]string{party(t, "new"): "https://new.example"}
	return f
}

func ping2(t *testing.T, id string) *didcomm.Message { return message2(t, "toy/1.0/ping", id, "t1") }

func TestRotation(t *testing.T) {
	t.Parallel()
	f := rotatedFixture(t)
	mine, old, fresh, none := party(t, "mine-lake"), party(t, "theirs-lake"), party(t, "new"), did.DID{}
	receive := func(from, prior did.DID, m *didcomm.Message) error {
		return f.Receive(t.Context(), seal2(t, from, mine, prior, m, 0))
	}
	require.NoError(t, receive(old, none, ping2(t, "m1")))
	require.ErrorIs(t, receive(fresh, none, ping2(t, "m2")), runtime.ErrSender, "a new DID that proves nothing")
	require.ErrorIs(t, receive(fresh, party(t, "other"), ping2(t, "m2")), runtime.ErrSender, "that was somebody else")
	require.NoError(t, receive(fresh, old, ping2(t, "m2")))
	require.NoError(t, receive(fresh, old, ping2(t, "m2")), "again")
	require.NoError(t, receive(fresh, old, ping2(t, "m3")), "the header is ignored from now on")
	require.NoError(t, receive(fresh, none, ping2(t, "m4")))
	require.Equal(t, []string{"lake m1", "lake m2", "lake m3", "lake m4"}, f.toy.seen())
	require.Equal(t, fresh, f.connection("lake").Theirs)
	require.Contains(t, f.audit(), "rotated ok lake t1")

	// What the old DID sends is ignored, but for copies of what it sent before.
	require.ErrorIs(t, receive(old, none, ping2(t, "m5")), runtime.ErrSender)
	require.NoError(t, receive(old, none, ping2(t, "m1")))
	require.ErrorIs(t, receive(party(t, "third"), old, ping2(t, "m5")), runtime.ErrSender, "it cannot rotate again")
	require.Len(t, f.toy.seen(), 4)
	require.Equal(t, fresh, f.connection("lake").Theirs)

	// Answers go where the new DID's document says.
	require.NoError(t, f.Update(t.Context(), func(tx didcomm.Tx) error {
		return tx.Send(f.connection("lake"), ping2(t, "answer"))
	}))
	sent := f.delivered()
	require.Len(t, sent, 1)
	require.Equal(t, "https://new.example", sent[0].endpoint)
	require.Equal(t, []did.DID{fresh}, sent[0].message.To)
}

// A proof counts for the connection it was made for: not for one that is younger, and not
// after a rotation that came later. Anybody may have kept it.
func TestRotation_OldProof(t *testing.T) {
	t.Parallel()
	noon := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	a, b, mine := party(t, "theirs-lake"), party(t, "new"), party(t, "mine-lake")
	fresh := func() *fixture {
		f := rotatedFixture(t)
		c := connection2(t, "lake")
		c.Created = noon
		f.save(c)
		return f
	}
	for name, tc := range map[string]struct {
		at   time.Time
		good bool
	}{
		"a year before":        {noon.AddDate(-1, 0, 0), false},
		"just before":          {noon.Add(-5*time.Minute - time.Second), false},
		"a clock that is slow": {noon.Add(-5 * time.Minute), true},
		"after":                {noon.AddDate(0, 1, 0), true},
	} {
		f := fresh()
		err := f.Receive(t.Context(), wrap2(t, wrapped{Mine: b, Theirs: mine, Prior: a, Rotated: tc.at}, ping2(t, "m1")))
		left := fresh()
		leaveErr := left.Receive(t.Context(), wrap2(t, wrapped{Theirs: mine, Prior: a, Rotated: tc.at}, ping2(t, "m1")))
		if tc.good {
			require.NoError(t, err, name)
			require.Equal(t, b, f.connection("lake").Theirs, name)
			require.NoError(t, leaveErr, name)
			continue
		}
		require.ErrorIs(t, err, runtime.ErrSender, name)
		require.ErrorIs(t, err, didcomm.ErrPermanent, name)
		require.Equal(t, a, f.connection("lake").Theirs, name)
		require.ErrorIs(t, leaveErr, runtime.ErrSender, name)
		require.Equal(t, a, left.connection("lake").Theirs, name)
	}

	f := fresh()
	rotate := func(from, prior did.DID, at time.Time, id string) error {
		return f.Receive(t.Context(), wrap2(t, wrapped{Mine: from, Theirs: mine, Prior: prior, Rotated: at}, ping2(t, id)))
	}
	require.NoError(t, rotate(b, a, noon.Add(time.Minute), "m1"))
	require.NoError(t, rotate(a, b, noon.Add(2*time.Minute), "m2"))
	require.NoError(t, rotate(b, a, noon.Add(time.Minute), "m1"), "a copy")
	require.ErrorIs(t, rotate(b, a, noon.Add(time.Minute), "m3"), runtime.ErrSender)
	require.ErrorIs(t, rotate(b, a, noon.Add(2*time.Minute), "m3"), runtime.ErrSender)
	require.Equal(t, a, f.connection("lake").Theirs)
	require.NoError(t, rotate(b, a, noon.Add(3*time.Minute), "m3"))
	require.Equal(t, b, f.connection("lake").Theirs)
	require.Equal(t, []string{"lake m1", "lake m2", "lake m3"}, f.toy.seen())
}

// A peer that is known need not prove who it was; a stranger whose proof failed is one.
func TestRotation_Unproven(t *testing.T) {
	t.Parallel()
	f := rotatedFixture(t)
	f.HandleStrangers(&host{greet: welcome})
	receive := func(from string, id string) error {
		m := ping2(t, id)
		m.Parent = "invitation-1"
		return f.Receive(t.Context(), wrap2(t, wrapped{Mine: party(t, from), Theirs: party(t, "mine-lake"), Unproven: true}, m))
	}
	require.NoError(t, receive("theirs-lake", "m1"))
	err := receive("stranger", "m2")
	require.ErrorIs(t, err, didcomm.ErrPermanent)
	require.Equal(t, []string{"lake m1"}, f.toy.seen())
}

// A peer may not become the one of another connection, nor keep its letter for a better day.
func TestRotation_OntoAnother(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	for _, id := range []string{"lake", "pond"} {
		c := connection2(t, id)
		c.Prior = party(t, "invitation")
		f.save(c)
	}
	err := f.Receive(t.Context(), seal2(t, party(t, "theirs-pond"), party(t, "mine-lake"), party(t, "theirs-lake"), ping2(t, "m1"), 0))
	require.ErrorIs(t, err, didcomm.ErrConflict)
	require.ErrorIs(t, err, didcomm.ErrPermanent)
	require.Equal(t, party(t, "theirs-lake"), f.connection("lake").Theirs)
}

// In V1 a peer that rotates to a key of ours would have us talk to ourselves.
func TestRotation_ToOurKey(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	c := f.connection("river")
	c.PriorKey, c.TheirKey = c.TheirKey, f.connection("fern").MyKey
	require.ErrorIs(t, f.Update(t.Context(), func(tx didcomm.Tx) error { return tx.SaveConnection(c) }), didcomm.ErrConflict)
}

// What is ours is what connections have, or will have.
func TestOwns(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	c := connection2(t, "lake")
	c.Prior = party(t, "invitation")
	f.save(c)
	require.NoError(t, f.Update(t.Context(), func(tx didcomm.Tx) error { return runtime.Own(tx, party(t, "mediator")) }))
	owns := func(name string) (ours bool) {
		require.NoError(t, f.store.View(t.Context(), func(tx runtime.StoreTx) (err error) {
			ours, err = runtime.Owns(tx, party(t, name))
			return err
		}))
		return ours
	}
	for name, want := range map[string]bool{"mine-lake": true, "invitation": true, "mediator": true, "theirs-lake": false, "other": false} {
		require.Equal(t, want, owns(name), name)
	}
	require.NoError(t, f.Update(t.Context(), func(tx didcomm.Tx) error {
		return errors.Join(tx.DeleteConnection("lake"), peerdid.Disown(tx, party(t, "mediator")))
	}))
	require.False(t, owns("mine-lake") || owns("mediator"))
}

// A rotation is undone with the message that it came with.
func TestRotation_AllOrNothing(t *testing.T) {
	t.Parallel()
	f := rotatedFixture(t)
	f.toy.handle = func(didcomm.Tx, didcomm.Connection, *didcomm.Message) error { return errAway }
	envelope := seal2(t, party(t, "new"), party(t, "mine-lake"), party(t, "theirs-lake"), ping2(t, "m1"), 0)
	require.ErrorIs(t, f.Receive(t.Context(), envelope), errAway)
	require.Equal(t, party(t, "theirs-lake"), f.connection("lake").Theirs)
	f.toy.handle = func(didcomm.Tx, didcomm.Connection, *didcomm.Message) error { return &didcomm.Problem{Code: "no"} }
	require.NoError(t, f.Receive(t.Context(), envelope))
	require.Equal(t, party(t, "new"), f.connection("lake").Theirs, "a problem is of the protocol alone")
}

// Our own rotation is told with every message until the peer has heard.
func TestRotation_Ours(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	c := connection2(t, "lake")
	c.Prior, c.FromPrior = party(t, "invitation"), "header.payload.signature"
	f.save(c)
	send := func() *didcomm.Message {
		t.Helper()
		require.NoError(t, f.Update(t.Context(), func(tx didcomm.Tx) error { return tx.Send(f.connection("lake"), ping2(t, didcomm.NewID())) }))
		all := f.delivered()
		return all[len(all)-1].message
	}
	require.Equal(t, "header.payload.signature", send().FromPrior)
	require.NoError(t, f.Receive(t.Context(), seal2(t, c.Theirs, c.Prior, did.DID{}, ping2(t, "m1"), 0)), "to the old one")
	require.Equal(t, "header.payload.signature", send().FromPrior)
	require.NoError(t, f.Receive(t.Context(), seal2(t, c.Theirs, c.Mine, did.DID{}, ping2(t, "m2"), 0)))
	require.Empty(t, send().FromPrior)
	require.NoError(t, f.Receive(t.Context(), seal2(t, c.Theirs, c.Prior, did.DID{}, ping2(t, "m3"), 0)), "late, to the old one")
	require.Equal(t, []string{"lake m1", "lake m2", "lake m3"}, f.toy.seen())
}

// A peer that rotates to nothing takes its leave.
func TestRotation_Ends(t *testing.T) {
	t.Parallel()
	f := rotatedFixture(t)
	bye := ping2(t, "m1")
	require.ErrorIs(t, f.Receive(t.Context(), seal2(t, did.DID{}, party(t, "mine-lake"), party(t, "other"), bye, 0)), runtime.ErrSender)
	require.NoError(t, f.Receive(t.Context(), seal2(t, did.DID{}, party(t, "mine-lake"), party(t, "theirs-lake"), bye, 0)))
	require.ErrorIs(t, f.Receive(t.Context(), seal2(t, party(t, "theirs-lake"), party(t, "mine-lake"), did.DID{}, ping2(t, "m2"), 0)), runtime.ErrSender)
	require.Empty(t, f.toy.seen())
	require.Equal(t, []string{"rotated ended lake t1"}, f.audit())
}

// A did:peer:4 is one DID in its long and its short form.
func TestReceiveV2_LongAndShort(t *testing.T) {
	t.Parallel()
	long, err := did.Parse("did:peer:4zQmd8CpeFPci817KDsbSAKWcXAE2mjvCQSasRewvbSF54Bd:z2M1k7h4psgp4CmJcnQn2Ljp7Pz7ktsd7oBhMU3dWY5s4fhFNj17qcRTQ427C7QHNT6cQ7T3XfRh35Q2GhaNFZmWHVFq4vL7F8nm36PA9Y96DvdrUiRUaiCuXnBFrn1o7mxFZAx14JL4t8vUWpuDPwQuddVo1T8myRiVH7wdxuoYbsva5x6idEpCQydJdFjiHGCpNc2UtjzPQ8awSXkctGCnBmgkhrj5gto3D4i3EREXYq4Z8r2cWGBr2UzbSmnxW2BuYddFo9Yfm6mKjtJyLpF74ytqrF5xtf84MnGFg1hMBmh1xVx1JwjZ2BeMJs7mNS8DTZhKC7KH38EgqDtUZzfjhpjmmUfkXg2KFEA3EGbbVm1DPqQXayPYKAsYPS9AyKkcQ3fzWafLPP93UfNhtUPL8JW5pMcSV3P8v6j3vPXqnnGknNyBprD6YGUVtgLiAqDBDUF3LSxFQJCVYYtghMTv8WuSw9h1a1SRFrDQLGHE4UrkgoRvwaGWr64aM87T1eVGkP5Dt4L1AbboeK2ceLArPScrdYGTpi3BpTkLwZCdjdiFSfTy9okL1YNRARqUf2wm8DvkVGUU7u5nQA3ZMaXWJAewk6k1YUxKd7LvofGUK4YEDtoxN5vb6r1Q2godrGqaPkjfL3RoYPpDYymf9XhcgG8Kx3DZaA6cyTs24t45KxYAfeCw4wqUpCH9HbpD78TbEUr9PPAsJgXBvBj2VVsxnr7FKbK4KykGcg1W8M1JPz21Z4Y72LWgGQCmixovrkHktcTX1uNHjAvKBqVD5C7XmVfHgXCHj7djCh3vzLNuVLtEED8J1hhqsB1oCBGiuh3xXr7fZ9wUjJCQ1HYHqxLJKdYKtoCiPmgKM7etVftXkmTFETZmpM19aRyih3bao76LdpQtbw636r7a3qt8v4WfxsXJetSL8c7t24SqQBcAY89FBsbEnFNrQCMK3JEseKHVaU388ctvRD45uQfe5GndFxthj4iSDomk4uRFd1uRbywoP1tRuabHTDX42UxPjz")
	require.NoError(t, err)
	short, err := did.Parse("did:peer:4zQmd8CpeFPci817KDsbSAKWcXAE2mjvCQSasRewvbSF54Bd")
	require.NoError(t, err)
	f := newFixture(t, nil)
	c := connection2(t, "lake")
	c.Mine, c.Theirs = long, party(t, "theirs-lake")
	f.save(c)
	require.NoError(t, f.Receive(t.Context(), seal2(t, c.Theirs, short, did.DID{}, ping2(t, "m1"), 0)))
	require.NoError(t, f.Receive(t.Context(), seal2(t, c.Theirs, long, did.DID{}, ping2(t, "m2"), 0)))
	c = connection2(t, "pond")
	c.Theirs = long
	f.save(c)
	require.NoError(t, f.Receive(t.Context(), seal2(t, short, c.Mine, did.DID{}, ping2(t, "m1"), 0)))
	require.Equal(t, []string{"lake m1", "lake m2", "pond m1"}, f.toy.seen())
	twin := c
	twin.ID, twin.Theirs = "twin", short
	require.ErrorIs(t, f.Update(t.Context(), func(tx didcomm.Tx) error { return tx.SaveConnection(twin) }), didcomm.ErrConflict)
}

// In V1 the key of before counts until the new one is used (RFC 0794).
func TestRotation_PriorKey(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	c := f.connection("river")
	c.PriorKey, c.TheirKey = c.TheirKey, key("new")
	f.save(c)
	m := func(id string) *didcomm.Message { return message(t, "toy/1.0/ping", id, "t1") }
	require.NoError(t, f.Receive(t.Context(), f.from("river", m("m1"))))
	require.NoError(t, f.Receive(t.Context(), seal(t, key("new"), key("mine river"), m("m2"), 0)))
	require.Empty(t, f.connection("river").PriorKey)
	require.ErrorIs(t, f.Receive(t.Context(), f.from("river", m("m3"))), runtime.ErrSender)
	require.NoError(t, f.Receive(t.Context(), f.from("river", m("m1"))), "a copy")
	require.Equal(t, []string{"river m1", "river m2"}, f.toy.seen())
}

// host greets who names its invitation.
type host struct {
	asked int
	greet func(tx didcomm.Tx, k didcomm.Keys, m *didcomm.Message) (didcomm.Connection, error)
}

func (h *host) Greet(_ context.Context, tx didcomm.Tx, k didcomm.Keys, m *didcomm.Message) (didcomm.Connection, error) {
	h.asked++
	return h.greet(tx, k, m)
}

func welcome(tx didcomm.Tx, k didcomm.Keys, m *didcomm.Message) (didcomm.Connection, error) {
	if m.Parent != "invitation-1" {
		return didcomm.Connection{}, didcomm.ErrNotFound
	}
	c := didcomm.Connection{ID: "guest", Version: didcomm.V2, Mine: k.To, Theirs: k.From, Established: true}
	return c, tx.SaveConnection(c)
}

// knock2 is the first message of a stranger.
func knock2(t *testing.T, f *fixture, id, parent string) error {
	m := ping2(t, id)
	m.Parent = parent
	return f.Receive(t.Context(), seal2(t, party(t, "stranger"), party(t, "invitation"), did.DID{}, m, 0))
}

func TestGreeter(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	deaf, h := &host{greet: func(didcomm.Tx, didcomm.Keys, *didcomm.Message) (didcomm.Connection, error) {
		return didcomm.Connection{}, didcomm.ErrNotFound
	}}, &host{greet: welcome}
	f.HandleStrangers(deaf)
	f.HandleStrangers(h)
	before := f.store.now()
	require.ErrorIs(t, knock2(t, f, "m0", "invitation-2"), runtime.ErrSender)
	require.Equal(t, before, f.store.now(), "a stranger writes nothing")
	for range 3 {
		require.NoError(t, knock2(t, f, "m1", "invitation-1"))
	}
	require.NoError(t, knock2(t, f, "m2", ""), "no stranger any more")
	require.Equal(t, []string{"guest m1", "guest m2"}, f.toy.seen())
	require.Equal(t, 2, h.asked)
	require.Equal(t, 2, deaf.asked)
	require.Equal(t, []string{"received/toy/ping ok guest t1", "received/toy/ping ok guest t1"}, f.audit())
}

// What a handler refuses is undone; the connection stands, and the stranger is told.
func TestGreeter_HandlerProblem(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	f.HandleStrangers(&host{greet: welcome})
	f.toy.handle = func(didcomm.Tx, didcomm.Connection, *didcomm.Message) error { return &didcomm.Problem{Code: "no"} }
	f.pack.endpoints = map[did.DID]string{party(t, "stranger"): "https://stranger.example"}
	require.NoError(t, knock2(t, f, "m1", "invitation-1"))
	require.NoError(t, knock2(t, f, "m1", "invitation-1"))
	require.True(t, f.connection("guest").Established)
	sent := f.delivered()
	require.Len(t, sent, 1)
	require.Equal(t, "https://stranger.example", sent[0].endpoint)
}

// A stranger is turned away with a problem, or in silence, once for each message.
func TestGreeter_TurnsAway(t *testing.T) {
	t.Parallel()
	for name, report := range map[string]bool{"with a problem": true, "in silence": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, nil)
			h := &host{greet: func(tx didcomm.Tx, k didcomm.Keys, m *didcomm.Message) (didcomm.Connection, error) {
				if !report {
					return didcomm.Connection{}, tx.Save("turned-away", m.ID, true)
				}
				if _, err := welcome(tx, k, m); err != nil { // undone
					return didcomm.Connection{}, err
				}
				return didcomm.Connection{}, &didcomm.Problem{Code: "expired"}
			}}
			f.HandleStrangers(h)
			f.pack.endpoints = map[did.DID]string{party(t, "stranger"): "https://stranger.example"}
			for range 3 {
				require.NoError(t, knock2(t, f, "m1", "invitation-1"))
			}
			require.Equal(t, 1, h.asked)
			require.Empty(t, f.toy.seen())
			require.ErrorIs(t, f.View(t.Context(), func(tx didcomm.Tx) error {
				_, err := tx.Connection("guest")
				return err
			}), didcomm.ErrNotFound)
			sent := f.delivered()
			if !report {
				require.Empty(t, sent)
				return
			}
			require.Len(t, sent, 1)
			p, err := didcomm.ParseReport(sent[0].message)
			require.NoError(t, err)
			require.Equal(t, "e.p.expired", p.Code)
		})
	}
}

// A connection that is being made is completed by its greeter.
func TestGreeter_Completes(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	c := connection2(t, "lake")
	c.Established, c.Theirs = false, party(t, "invitation")
	f.save(c)
	ready := false
	h := &host{greet: func(tx didcomm.Tx, k didcomm.Keys, _ *didcomm.Message) (didcomm.Connection, error) {
		if !ready {
			return didcomm.Connection{}, didcomm.ErrNotFound
		}
		c := c
		c.Established, c.Theirs = true, k.From
		return c, tx.SaveConnection(c)
	}}
	f.HandleStrangers(h)
	envelope := seal2(t, party(t, "pairwise"), c.Mine, c.Theirs, ping2(t, "m1"), 0)
	require.ErrorIs(t, f.Receive(t.Context(), envelope), runtime.ErrNotEstablished)
	require.Equal(t, party(t, "invitation"), f.connection("lake").Theirs)
	ready = true
	for range 2 {
		require.NoError(t, f.Receive(t.Context(), envelope))
	}
	require.Equal(t, []string{"lake m1"}, f.toy.seen())
	require.True(t, f.connection("lake").Established)
	require.Equal(t, 2, h.asked)
}

func TestGreeter_Fails(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	fail := errors.New("fail")
	f.HandleStrangers(&host{greet: func(didcomm.Tx, didcomm.Keys, *didcomm.Message) (didcomm.Connection, error) {
		return didcomm.Connection{}, fail
	}})
	before := f.store.now()
	err := knock2(t, f, "m1", "")
	require.ErrorIs(t, err, fail)
	require.NotErrorIs(t, err, didcomm.ErrPermanent)
	f.HandleStrangers(&host{})
	require.Equal(t, before, f.store.now())
}
