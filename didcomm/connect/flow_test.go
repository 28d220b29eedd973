package connect

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/internal/oob"
)

func TestConnect(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	i, id := w.invite(Invite{GoalCode: "issue-vc", Goal: "To give you your staff passport", Expires: start.Add(24 * time.Hour)}, w.hazel)
	require.Equal(t, "https://didcomm.org/didexchange/1.1/request", i.Request.String())
	x := w.hazel.only(t)
	require.Equal(t, InvitationReceived, x.State)
	require.Equal(t, "alderbrook", x.Label)
	require.Equal(t, "To give you your staff passport", x.Goal)
	require.Empty(t, w.hazel.store.TakeOutbox(), "nothing before the person says so")

	w.now = start.Add(time.Hour)
	require.NoError(t, w.hazel.Connect(t.Context(), id))
	sent := w.hazel.store.TakeOutbox()
	require.Len(t, sent, 1)
	m := sent[0].Message
	require.Equal(t, i.ID, m.Parent)
	require.Equal(t, m.ID, m.Thread)
	require.False(t, w.hazel.connection(t, id).Established)
	require.NoError(t, w.deliver(sent[0]))
	require.Equal(t, []string{response, complete}, names(w.settle()))

	require.Equal(t, Completed, w.hazel.only(t).State)
	a := w.alder.only(t)
	require.Equal(t, Completed, a.State)
	require.Equal(t, i.ID, a.Invitation)
	require.Equal(t, "hazel", a.Label)
	require.Equal(t, start.Add(time.Hour), a.Since)

	hc, ac := w.hazel.connection(t, id), w.alder.connection(t, a.ID)
	require.True(t, hc.Established)
	require.True(t, ac.Established)
	require.Equal(t, hc.MyKey, ac.TheirKey)
	require.Equal(t, ac.MyKey, hc.TheirKey)
	require.Equal(t, hc.Mine, ac.Theirs)
	require.Equal(t, ac.Mine, hc.Theirs)
	require.Equal(t, "https://alderbrook.example/didcomm", hc.Endpoint)
	require.Equal(t, "https://hazel.example/didcomm", ac.Endpoint)
	require.NotEqual(t, i.Service.Keys[0], hc.TheirKey, "the invitation's key is not used again")
	require.Equal(t, []didcomm.Connection{hc}, w.hazel.made)
	require.Equal(t, []didcomm.Connection{ac}, w.alder.made)

	made, err := w.alder.Invitations(t.Context())
	require.NoError(t, err)
	require.Len(t, made, 1)
	require.Equal(t, 1, made[0].Used)
	require.Equal(t, RequestReceived, made[0].State(w.now))
	require.Equal(t, oob.Done, made[0].Life)
	require.Equal(t, RequestReceived, made[0].State(start.Add(1000*time.Hour)), "used stays used")
	for _, p := range w.parties() {
		for _, e := range p.store.Events() {
			require.Equal(t, "ok", e.Outcome)
		}
	}
}

func TestConnect_MultiUse(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	i, id := w.invite(Invite{MultiUse: true}, w.hazel)
	other, err := w.wye.Receive(t.Context(), i)
	require.NoError(t, err)
	require.NoError(t, w.hazel.Connect(t.Context(), id))
	require.NoError(t, w.wye.Connect(t.Context(), other))
	w.settle()
	require.Equal(t, Completed, w.hazel.only(t).State)
	require.Equal(t, Completed, w.wye.only(t).State)
	all, err := w.alder.Exchanges(t.Context())
	require.NoError(t, err)
	require.Len(t, all, 2)
	require.NotEqual(t, all[0].ID, all[1].ID)
	made, err := w.alder.Invitations(t.Context())
	require.NoError(t, err)
	require.Equal(t, 2, made[0].Used)
	require.Equal(t, InvitationSent, made[0].State(w.now))
	require.Equal(t, oob.AwaitResponse, made[0].Life)
}

func TestReceive_Again(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	i, id := w.invite(Invite{}, w.hazel)
	again, err := w.hazel.Receive(t.Context(), i)
	require.NoError(t, err)
	require.Equal(t, id, again)
	require.NoError(t, w.hazel.Connect(t.Context(), id))
	w.settle()
	again, err = w.hazel.Receive(t.Context(), i)
	require.NoError(t, err)
	require.Equal(t, id, again, "connected already")

	j, id := w.invite(Invite{}, w.wye)
	require.NoError(t, w.wye.Deny(t.Context(), id, "I do not know them."))
	require.Equal(t, "denied", w.wye.only(t).Code)
	require.ErrorIs(t, w.wye.Connect(t.Context(), id), ErrState)
	require.ErrorIs(t, w.wye.Deny(t.Context(), id, ""), ErrState)
	again, err = w.wye.Receive(t.Context(), j)
	require.NoError(t, err)
	require.NotEqual(t, id, again, "a person may think again")

	forged := j
	forged.Service.Keys = i.Service.Keys
	other, err := w.wye.Receive(t.Context(), forged)
	require.NoError(t, err)
	require.NotEqual(t, again, other, "the same id with another key is another invitation")
}

func TestReceive_Refused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	good, err := w.alder.Invite(t.Context(), Invite{Expires: start.Add(time.Hour)})
	require.NoError(t, err)
	for name, change := range map[string]func(*didcomm.Invitation){
		"no key":         func(i *didcomm.Invitation) { i.Service.Keys = nil },
		"no id":          func(i *didcomm.Invitation) { i.ID = "" },
		"other protocol": func(i *didcomm.Invitation) { i.Request.Protocol = "relationship" },
		"other version":  func(i *didcomm.Invitation) { i.Request.Major = 2 },
		"expired":        func(i *didcomm.Invitation) { i.Expires = start },
	} {
		i := good
		change(&i)
		_, err := w.hazel.Receive(t.Context(), i)
		require.ErrorIs(t, err, ErrInvitation, name)
	}
	all, err := w.hazel.Exchanges(t.Context())
	require.NoError(t, err)
	require.Empty(t, all)
}

// TestConnect_OlderPeer: a peer that speaks 1.0 is answered in 1.0, one that
// speaks a later minor version in ours.
func TestConnect_OtherMinorVersions(t *testing.T) {
	t.Parallel()
	for minor, want := range map[int]int{0: 0, 1: 1, 7: 1} {
		w := newWorld(t)
		i, err := w.alder.Invite(t.Context(), Invite{})
		require.NoError(t, err)
		i.Request.Minor = minor
		id, err := w.hazel.Receive(t.Context(), i)
		require.NoError(t, err)
		require.NoError(t, w.hazel.Connect(t.Context(), id))
		for _, m := range w.settle() {
			require.Equal(t, want, m.Type.Minor)
			require.Equal(t, 1, m.Type.Major)
		}
		require.Equal(t, Completed, w.alder.only(t).State)
	}
}

func TestConnect_KeysFail(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	locked := errors.New("locked")
	_, id := w.invite(Invite{}, w.hazel)
	w.hazel.keys.fail = locked
	require.ErrorIs(t, w.hazel.Connect(t.Context(), id), locked)
	require.Equal(t, InvitationReceived, w.hazel.only(t).State)
	w.hazel.keys.fail = nil
	require.NoError(t, w.hazel.Connect(t.Context(), id))
	require.NoError(t, w.deliver(w.hazel.store.TakeOutbox()[0]))
	w.alder.keys.fail = locked
	task := w.alder.store.TakeTasks()[0]
	require.ErrorIs(t, w.alder.Work(t.Context(), task.ID), locked)
	require.Equal(t, RequestReceived, w.alder.only(t).State)
	w.alder.keys.fail = nil
	require.NoError(t, w.alder.Work(t.Context(), task.ID))
	w.settle()
	require.Equal(t, Completed, w.hazel.only(t).State)
	_, err := w.alder.Invite(t.Context(), Invite{})
	require.NoError(t, err)
	w.alder.keys.fail = locked
	_, err = w.alder.Invite(t.Context(), Invite{})
	require.ErrorIs(t, err, locked)
}

// TestWork_Twice: one request gets one response and one DID.
func TestWork_Twice(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, id := w.invite(Invite{}, w.hazel)
	require.NoError(t, w.hazel.Connect(t.Context(), id))
	require.NoError(t, w.deliver(w.hazel.store.TakeOutbox()[0]))
	task := w.alder.store.TakeTasks()[0]
	crash := errors.New("crash")
	w.alder.store.Fail = func() error { return crash }
	require.ErrorIs(t, w.alder.Work(t.Context(), task.ID), crash)
	w.alder.store.Fail = nil
	var wg sync.WaitGroup
	for range 4 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			if err := w.alder.Work(context.Background(), task.ID); err != nil {
				t.Error(err)
			}
		}()
	}
	wg.Wait()
	sent := w.alder.store.TakeOutbox()
	require.Len(t, sent, 1)
	require.Equal(t, w.alder.connection(t, task.ID).MyKey, sent[0].Connection.MyKey)
	require.ErrorIs(t, w.alder.Work(t.Context(), "nobody"), didcomm.ErrPermanent)
	require.NoError(t, w.hazel.Work(t.Context(), id), "not a responder")
}

func TestConnectedFails(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, id := w.invite(Invite{}, w.hazel)
	full := errors.New("disk full")
	hook := w.alder.Connected
	w.alder.Connected = func(context.Context, didcomm.Tx, *Exchange, didcomm.Connection) error { return full }
	require.NoError(t, w.hazel.Connect(t.Context(), id))
	require.NoError(t, w.deliver(w.hazel.store.TakeOutbox()[0]))
	require.NoError(t, w.alder.Work(t.Context(), w.alder.store.TakeTasks()[0].ID))
	require.NoError(t, w.deliver(w.alder.store.TakeOutbox()[0]))
	done := w.hazel.store.TakeOutbox()[0]
	require.ErrorIs(t, w.deliver(done), full)
	require.Equal(t, ResponseSent, w.alder.only(t).State)
	require.False(t, w.alder.connection(t, w.alder.only(t).ID).Established)
	w.alder.Connected = hook
	require.NoError(t, w.deliver(done), "received again")
	require.Equal(t, Completed, w.alder.only(t).State)
	w.hazel.Connected, w.alder.Connected = nil, nil
}

func TestExpire(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, id := w.invite(Invite{Expires: start.Add(time.Hour)}, w.hazel)
	n, err := w.hazel.Expire(t.Context(), start.Add(time.Hour))
	require.NoError(t, err)
	require.Zero(t, n, "waits for the person")
	require.NoError(t, w.hazel.Connect(t.Context(), id))
	sent := w.hazel.store.TakeOutbox()[0]
	w.now = start.Add(2 * time.Hour)
	n, err = w.hazel.Expire(t.Context(), start.Add(time.Hour))
	require.NoError(t, err)
	require.Equal(t, 1, n)
	require.Equal(t, "expired", w.hazel.only(t).Code)
	require.Empty(t, w.hazel.store.TakeOutbox(), "no errors about time")

	w.now = start // the request was only slow
	require.NoError(t, w.deliver(sent))
	require.NoError(t, w.alder.Work(t.Context(), w.alder.store.TakeTasks()[0].ID))
	err = w.deliver(w.alder.store.TakeOutbox()[0])
	requireRefused(t, err, codeResponse)
	require.Equal(t, Abandoned, w.hazel.only(t).State)
	w.now = start.Add(48 * time.Hour)
	n, err = w.alder.Expire(t.Context(), w.now)
	require.NoError(t, err)
	require.Equal(t, 1, n)

	_, id = w.invite(Invite{Expires: w.now.Add(time.Hour)}, w.wye)
	w.now = w.now.Add(time.Hour)
	require.ErrorIs(t, w.wye.Connect(t.Context(), id), ErrState)
	require.Equal(t, "expired", w.wye.only(t).Code)
	require.Empty(t, w.wye.store.TakeOutbox())
}

func TestExpire_Unanswered(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.invite(Invite{Expires: start.Add(time.Hour)}, w.hazel)
	w.now = start.Add(time.Hour)
	n, err := w.hazel.Expire(t.Context(), start)
	require.NoError(t, err)
	require.Equal(t, 1, n)
	require.Equal(t, Abandoned, w.hazel.only(t).State)
}

func TestAbandon(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, id := w.invite(Invite{}, w.hazel)
	require.NoError(t, w.hazel.Connect(t.Context(), id))
	thread := w.hazel.only(t).Thread
	abandon := func(connection, thread string) (mine bool) {
		require.NoError(t, w.hazel.store.Update(t.Context(), func(tx didcomm.Tx) (err error) {
			mine, err = w.hazel.Abandon(t.Context(), tx, didcomm.Connection{ID: connection}, thread, &didcomm.Problem{Code: undeliverable, Comment: "x"})
			return err
		}))
		return mine
	}
	require.False(t, abandon(id, "another"))
	require.False(t, abandon("another", thread))
	require.True(t, abandon(id, thread))
	x := w.hazel.only(t)
	require.Equal(t, Abandoned, x.State)
	require.Equal(t, undeliverable, x.Code)
	require.False(t, x.ByPeer)
}

// TestReported: a report ends the exchange it is about, if the keys are right.
func TestReported(t *testing.T) {
	t.Parallel()
	report := func(t *testing.T, name, thread string) *didcomm.Message {
		m, err := didcomm.New(didcomm.NewID(), didcomm.Type{Protocol: "didexchange", Major: 1, Minor: 1, Name: name}, thread, "",
			map[string]string{"problem-code": "request_not_accepted", "explain": "Unsupported DID method."})
		require.NoError(t, err)
		return m
	}
	for _, name := range []string{"problem_report", "problem-report"} {
		w := newWorld(t)
		i, id := w.invite(Invite{}, w.hazel)
		require.NoError(t, w.hazel.Connect(t.Context(), id))
		thread, mine := w.hazel.only(t).Thread, w.hazel.connection(t, id).MyKey
		w.hazel.store.TakeOutbox()
		stranger, err := w.wye.keys.NewVerkey(t.Context())
		require.NoError(t, err)
		for _, k := range []didcomm.Keys{{Sender: stranger, Recipient: mine}, {Sender: i.Service.Keys[0], Recipient: stranger}} {
			require.NoError(t, w.hazel.store.DeliverOpen(t.Context(), w.hazel, k, report(t, name, thread)))
			require.Equal(t, RequestSent, w.hazel.only(t).State)
		}
		k := didcomm.Keys{Sender: i.Service.Keys[0], Recipient: mine}
		require.NoError(t, w.hazel.store.DeliverOpen(t.Context(), w.hazel, k, report(t, name, "another")))
		require.Equal(t, RequestSent, w.hazel.only(t).State)
		require.NoError(t, w.hazel.store.DeliverOpen(t.Context(), w.hazel, k, report(t, name, thread)))
		x := w.hazel.only(t)
		require.Equal(t, Abandoned, x.State)
		require.Equal(t, "request_not_accepted", x.Code)
		require.Equal(t, "Unsupported DID method.", x.Reason)
		require.True(t, x.ByPeer)
		require.Empty(t, w.hazel.store.TakeOutbox())
	}

	// And the other way round.
	w := newWorld(t)
	i, id := w.invite(Invite{}, w.hazel)
	require.NoError(t, w.hazel.Connect(t.Context(), id))
	require.NoError(t, w.deliver(w.hazel.store.TakeOutbox()[0]))
	k := didcomm.Keys{Sender: w.hazel.connection(t, id).MyKey, Recipient: i.Service.Keys[0]}
	require.NoError(t, w.alder.store.DeliverOpen(t.Context(), w.alder, k, report(t, "problem_report", w.hazel.only(t).Thread)))
	require.Equal(t, Abandoned, w.alder.only(t).State)
	require.NoError(t, w.alder.Work(t.Context(), w.alder.store.TakeTasks()[0].ID), "ended meanwhile")
	require.Empty(t, w.alder.store.TakeOutbox())
}

// TestResponseOfAnotherAgent reads what Credo-TS 0.6.3 sends.
func TestResponseOfAnotherAgent(t *testing.T) {
	t.Parallel()
	var b responseBody
	require.NoError(t, json.Unmarshal([]byte(credoResponse), &b))
	w := newWorld(t)
	peer, err := w.hazel.resolve(t.Context(), b.DID, nil)
	require.NoError(t, err)
	theirs, service := peer.ID, peer.Service
	require.Equal(t, "peer", theirs.Method())
	require.Len(t, service.Keys, 1)
	require.Contains(t, service.Endpoint, "http://")
	pub, err := did.ParseMultikey("z6MkrfFxjgDSgMnoEPSEjbeRetsfTD71iT7ZFdtt7VYGCYSx")
	require.NoError(t, err)
	require.NoError(t, b.proves([]edKey{pub.(edKey)}, service.Keys[0], 1))
	other, err := w.hazel.keys.NewVerkey(t.Context())
	require.NoError(t, err)
	require.ErrorIs(t, b.proves([]edKey{other}, service.Keys[0], 1), ErrDID, "not by that invitation's key")
	require.ErrorIs(t, b.proves([]edKey{other}, other, 1), ErrDID, "a signature that is there must be good")
}

// life returns where the receiver of an invitation stands with it.
func (p *party) life(t testing.TB, id string) oob.State {
	t.Helper()
	x, err := p.view(t.Context(), id)
	require.NoError(t, err)
	return x.Life
}

// TestInvitation_Life: the receiver's half of RFC 0434, kept beside did-exchange.
func TestInvitation_Life(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	i, id := w.invite(Invite{Expires: start.Add(time.Hour)}, w.hazel)
	require.Equal(t, oob.PrepareResponse, w.hazel.life(t, id))
	_, err := w.hazel.Receive(t.Context(), i)
	require.NoError(t, err)
	require.Equal(t, oob.PrepareResponse, w.hazel.life(t, id))
	require.NoError(t, w.hazel.Connect(t.Context(), id))
	require.Equal(t, oob.Done, w.hazel.life(t, id))
	require.NoError(t, w.hazel.Deny(t.Context(), id, "After all, no."), "the exchange ends, the invitation was over")

	_, id = w.invite(Invite{}, w.wye)
	require.NoError(t, w.wye.Deny(t.Context(), id, "No."))
	require.Equal(t, oob.Done, w.wye.life(t, id))

	_, id = w.invite(Invite{Expires: start.Add(time.Hour)}, w.wye)
	w.now = start.Add(time.Hour)
	n, err := w.wye.Expire(t.Context(), start)
	require.NoError(t, err)
	require.Equal(t, 1, n)
	require.Equal(t, oob.Done, w.wye.life(t, id))
}

// TestDelete: what has ended can be forgotten, with everything that led to it.
func TestDelete(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	i, id := w.invite(Invite{}, w.hazel)
	require.ErrorIs(t, w.hazel.Delete(t.Context(), id), ErrState)
	require.ErrorIs(t, w.alder.DeleteInvitation(t.Context(), i.ID), ErrState)
	require.NoError(t, w.hazel.Connect(t.Context(), id))
	require.ErrorIs(t, w.hazel.Delete(t.Context(), id), ErrState)
	w.settle()
	require.NoError(t, w.hazel.Delete(t.Context(), id))
	require.NoError(t, w.alder.Delete(t.Context(), w.alder.only(t).ID))
	require.NoError(t, w.alder.DeleteInvitation(t.Context(), i.ID))
	require.ErrorIs(t, w.hazel.Delete(t.Context(), id), didcomm.ErrNotFound)
	require.ErrorIs(t, w.alder.DeleteInvitation(t.Context(), i.ID), didcomm.ErrNotFound)
	for _, p := range []*party{w.hazel, w.alder} {
		for _, kind := range []string{kindExchange, kindThread, kindReceived, kindInvitation} {
			require.Empty(t, p.store.Records(kind), kind)
		}
	}
	require.ErrorIs(t, w.hazel.store.View(t.Context(), func(tx didcomm.Tx) error {
		_, err := tx.Connection(id)
		return err
	}), didcomm.ErrNotFound)
	again, err := w.hazel.Receive(t.Context(), i)
	require.NoError(t, err)
	require.NotEqual(t, id, again, "as if it had never been")
}

// TestDelete_KeepsALaterTry: the invitation still leads to the exchange that a person
// began after thinking again.
func TestDelete_KeepsALaterTry(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	i, id := w.invite(Invite{}, w.hazel)
	require.NoError(t, w.hazel.Deny(t.Context(), id, "No."))
	second, err := w.hazel.Receive(t.Context(), i)
	require.NoError(t, err)
	require.NoError(t, w.hazel.Delete(t.Context(), id))
	again, err := w.hazel.Receive(t.Context(), i)
	require.NoError(t, err)
	require.Equal(t, second, again)
}

// TestRequests: what came with an invitation is there when the connection is (RFC 0434,
// "Responses").
func TestRequests(t *testing.T) {
	t.Parallel()
	for _, v := range []didcomm.Version{didcomm.V1, didcomm.V2} {
		w := newWorld(t)
		i, err := w.alder.Invite(t.Context(), Invite{Version: v})
		require.NoError(t, err)
		i.Requests = []json.RawMessage{json.RawMessage(`{"@id":"r1","@type":"https://didcomm.org/issue-credential/2.0/offer-credential"}`)}
		var got []json.RawMessage
		w.hazel.Connected = func(_ context.Context, _ didcomm.Tx, x *Exchange, _ didcomm.Connection) error {
			got = x.Requests
			return nil
		}
		id, err := w.hazel.Receive(t.Context(), i)
		require.NoError(t, err)
		require.NoError(t, w.hazel.Connect(t.Context(), id))
		if v == didcomm.V2 {
			w.settle2()
		} else {
			w.settle()
		}
		require.Len(t, got, 1)
		m, err := didcomm.ParseMessage(got[0])
		require.NoError(t, err)
		require.Equal(t, "r1", m.ID)
	}
}
