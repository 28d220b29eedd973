package connect

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/did/didpeer"
	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/internal/exchange"
	"github.com/staffpassport/staffpassport/didcomm/internal/memtx"
	"github.com/staffpassport/staffpassport/didcomm/internal/peerdid"
	"github.com/staffpassport/staffpassport/didcomm/internal/prior"
)

// owns reports whether a party has the keys of a DID.
func (p *party) owns(t testing.TB, id did.DID) bool {
	t.Helper()
	res, err := didpeer.Resolver{}.Resolve(t.Context(), id, did.Version{})
	require.NoError(t, err)
	m, err := res.Document.Method(id.URL("key-1"), did.Authentication, start)
	require.NoError(t, err)
	require.NotEmpty(t, res.Document.Methods(did.KeyAgreement, start), "messages can be encrypted to it")
	return p.keys.has(m.PublicKey().(edKey))
}

// errStranger is what the runtime makes of a message from nobody it knows.
var errStranger = errors.New("stranger")

// deliver2 hands a message of V2 to its recipient, as the runtime does: it finds the
// connection by the DIDs, follows a rotation, asks the greeter, and lets a ping be
// answered.
func (w *world) deliver2(s memtx.Sent) error {
	w.t.Helper()
	plaintext, err := s.Message.Plaintext()
	require.NoError(w.t, err)
	m, err := didcomm.ParseMessage(plaintext)
	require.NoError(w.t, err)
	for _, to := range w.parties() {
		if to.owns(w.t, m.To[0]) {
			err := to.store.Update(w.t.Context(), func(tx didcomm.Tx) error { return to.take(w.t, tx, m) })
			var p *didcomm.Problem
			if errors.As(err, &p) {
				return p
			}
			return err
		}
	}
	w.t.Fatal("nobody has the key")
	return nil
}

func (p *party) take(t testing.TB, tx didcomm.Tx, m *didcomm.Message) error {
	k := didcomm.Keys{From: m.From, To: m.To[0]}
	c, err := p.between2(t, tx, k, m)
	if err != nil {
		return err
	}
	if c != nil && didcomm.IsProblemReport(m.Type) {
		r, err := didcomm.ParseReport(m)
		require.NoError(t, err)
		_, err = p.Abandon(t.Context(), tx, *c, m.Parent, r)
		return err
	}
	if c == nil || !c.Established {
		greeted, err := p.Greet(t.Context(), tx, k, m)
		if errors.Is(err, didcomm.ErrNotFound) {
			return errStranger
		}
		if err != nil || greeted.ID == "" {
			return err
		}
		c = &greeted
	}
	if m.Type == trustPing {
		answer, err := didcomm.NewV2(didcomm.NewID(), m.Type.With("ping-response"), m.Thread, "", nil)
		require.NoError(t, err)
		return tx.Send(*c, answer)
	}
	return nil
}

// between2 finds the connection of two DIDs.
func (p *party) between2(t testing.TB, tx didcomm.Tx, k didcomm.Keys, m *didcomm.Message) (*didcomm.Connection, error) {
	all, err := p.Exchanges2(tx)
	require.NoError(t, err)
	for _, c := range all {
		if c.Theirs != k.From && m.FromPrior != "" {
			token, err := prior.Parse(m.FromPrior)
			require.NoError(t, err)
			res, err := p.Resolver.Resolve(t.Context(), token.Prior, did.Version{})
			require.NoError(t, err)
			require.NoError(t, token.Verify(res.Document, k.To, p.now()))
			if token.Prior == c.Theirs && token.Next == k.From {
				c.Theirs = k.From
				require.NoError(t, tx.SaveConnection(c))
			}
		}
		if c.Theirs != k.From || c.Mine != k.To && c.Prior != k.To {
			continue
		}
		if c.Mine == k.To && c.FromPrior != "" {
			c.FromPrior = ""
			require.NoError(t, tx.SaveConnection(c))
		}
		return &c, nil
	}
	return nil, nil
}

// Exchanges2 returns the connections of all exchanges.
func (p *party) Exchanges2(tx didcomm.Tx) (out []didcomm.Connection, err error) {
	err = exchange.Each(tx, kindExchange, func(x *record) {
		if c, err := tx.Connection(x.ID); err == nil {
			out = append(out, c)
		}
	})
	return out, err
}

// settle2 carries everything until nothing is left to do.
func (w *world) settle2() (trace []*didcomm.Message) {
	w.t.Helper()
	for range 20 {
		for _, from := range w.parties() {
			for _, s := range from.store.TakeOutbox() {
				trace = append(trace, s.Message)
				require.NoError(w.t, w.deliver2(s))
			}
			for _, task := range from.store.TakeTasks() {
				require.NoError(w.t, from.Work(w.t.Context(), task.ID))
			}
		}
	}
	return trace
}

func (w *world) invite2(o Invite, p *party) (didcomm.Invitation, string) {
	w.t.Helper()
	o.Version = didcomm.V2
	return w.invite(o, p)
}

func TestV2(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	i, id := w.invite2(Invite{GoalCode: "issue-vc", Goal: "To give you your staff passport", Expires: start.Add(time.Hour)}, w.hazel)
	require.Equal(t, didcomm.V2, i.Version)
	require.Equal(t, "peer", i.DID.Method())
	require.Empty(t, i.Service.Keys)
	res, err := didpeer.Resolver{}.Resolve(t.Context(), i.DID, did.Version{})
	require.NoError(t, err)
	require.Equal(t, "https://alderbrook.example/didcomm", res.Document.Services("DIDCommMessaging")[0].Endpoint)
	require.Equal(t, []string{"didcomm/v2"}, res.Document.Services("DIDCommMessaging")[0].Accept)
	require.Empty(t, w.hazel.store.TakeOutbox(), "nothing before the person says so")
	again, err := w.hazel.Receive(t.Context(), i)
	require.NoError(t, err)
	require.Equal(t, id, again)

	require.NoError(t, w.hazel.Connect(t.Context(), id))
	sent := w.hazel.store.TakeOutbox()
	require.Len(t, sent, 1)
	m := sent[0].Message
	require.Equal(t, "https://didcomm.org/trust-ping/2.0/ping", m.Type.String())
	require.Equal(t, i.ID, m.Parent)
	require.Equal(t, m.ID, m.Thread)
	require.False(t, w.hazel.connection(t, id).Established)
	require.Equal(t, RequestSent, w.hazel.only(t).State)
	require.ErrorIs(t, w.hazel.Connect(t.Context(), id), ErrState)
	require.NoError(t, w.deliver2(sent[0]))
	a := w.alder.only(t)
	require.Equal(t, Completed, a.State)
	require.Equal(t, didcomm.V2, a.Version)
	require.Len(t, w.alder.made, 1)
	require.Empty(t, w.alder.store.TakeTasks(), "nobody else knows the DID of an invitation for one")
	w.settle2()

	require.Equal(t, Completed, w.hazel.only(t).State)
	require.Len(t, w.hazel.made, 1)
	hc, ac := w.hazel.connection(t, id), w.alder.connection(t, a.ID)
	require.True(t, hc.Established)
	require.True(t, ac.Established)
	require.Equal(t, hc.Mine, ac.Theirs)
	require.Equal(t, ac.Mine, hc.Theirs)
	require.Empty(t, hc.MyKey)
	for _, p := range w.parties() {
		for _, e := range p.store.Events() {
			require.Equal(t, "ok", e.Outcome, e.Action)
		}
	}
	require.NoError(t, w.hazel.Delete(t.Context(), id))
	require.NoError(t, w.alder.Delete(t.Context(), a.ID))
	require.NoError(t, w.alder.DeleteInvitation(t.Context(), i.ID))
	for _, p := range []*party{w.hazel, w.alder} {
		for _, kind := range []string{kindExchange, kindThread, kindReceived, kindInvitation, kindInviter, peerdid.Kind, peerdid.KindOf, peerdid.KindOwn} {
			require.Empty(t, p.store.Records(kind), kind)
		}
	}
}

// TestV2_MultiUse: whoever answers an invitation for many gets a DID of their own, signed
// over by the one that all know (DIDComm Messaging 2.1, "DID Rotation").
func TestV2_MultiUse(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	i, id := w.invite2(Invite{MultiUse: true}, w.hazel)
	other, err := w.wye.Receive(t.Context(), i)
	require.NoError(t, err)
	require.NoError(t, w.hazel.Connect(t.Context(), id))
	require.NoError(t, w.wye.Connect(t.Context(), other))
	w.settle2()
	require.Equal(t, Completed, w.hazel.only(t).State)
	require.Equal(t, Completed, w.wye.only(t).State)
	all, err := w.alder.Exchanges(t.Context())
	require.NoError(t, err)
	require.Len(t, all, 2)
	mine := map[did.DID]bool{i.DID: true}
	for _, x := range all {
		c := w.alder.connection(t, x.ID)
		require.Equal(t, i.DID, c.Prior)
		require.NotEmpty(t, c.FromPrior)
		require.False(t, mine[c.Mine], "pairwise")
		mine[c.Mine] = true
		require.NoError(t, w.alder.Work(t.Context(), x.ID), "again")
		require.Equal(t, c, w.alder.connection(t, x.ID))
	}
	made, err := w.alder.Invitations(t.Context())
	require.NoError(t, err)
	require.Equal(t, 2, made[0].Used)

	// The next message to Hazel tells her, and her answer goes to the new DID.
	say := func(p *party, c didcomm.Connection) {
		m, err := newPing(didcomm.NewID(), "")
		require.NoError(t, err)
		require.NoError(t, p.store.Update(t.Context(), func(tx didcomm.Tx) error { return tx.Send(c, m) }))
	}
	hc := w.hazel.connection(t, id)
	require.Equal(t, i.DID, hc.Theirs)
	say(w.alder, w.alder.connection(t, all[0].ID))
	w.settle2()
	require.Equal(t, w.alder.connection(t, all[0].ID).Mine, w.hazel.connection(t, id).Theirs)
	require.Empty(t, w.alder.connection(t, all[0].ID).FromPrior)
	require.Equal(t, i.DID, w.wye.connection(t, other).Theirs, "who was not written to does not know yet")
	w.wye.store.TakeOutbox()
	say(w.wye, w.wye.connection(t, other))
	require.Len(t, w.settle2(), 2, "and is heard all the same")
}

// TestV2_WithoutTxKeys, TestWork_Fails: work is done again.
func TestV2_RotationFails(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	i, id := w.invite2(Invite{MultiUse: true}, w.hazel)
	require.NoError(t, w.hazel.Connect(t.Context(), id))
	require.NoError(t, w.deliver2(w.hazel.store.TakeOutbox()[0]))
	task := w.alder.store.TakeTasks()[0]
	locked := errors.New("locked")
	w.alder.keys.fail = locked
	require.ErrorIs(t, w.alder.Work(t.Context(), task.ID), locked)
	require.Equal(t, i.DID, w.alder.connection(t, task.ID).Mine)
	w.alder.keys.fail = nil
	crash := errors.New("crash")
	w.alder.store.Fail = func() error { return crash }
	require.ErrorIs(t, w.alder.Work(t.Context(), task.ID), crash)
	w.alder.store.Fail = nil
	require.NoError(t, w.alder.Work(t.Context(), task.ID))
	require.NotEqual(t, i.DID, w.alder.connection(t, task.ID).Mine)
	require.NoError(t, w.alder.Delete(t.Context(), task.ID))
	require.ErrorIs(t, w.alder.Work(t.Context(), task.ID), didcomm.ErrPermanent)
}

// TestAbuse_DC11_V2: the invitations of version 2 are used as often as they say, and no
// connection comes of any that is over.
func TestAbuse_DC11_V2(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		invite Invite
		before func(*world, didcomm.Invitation)
		why    string
	}{
		"used by another": {Invite{}, func(w *world, i didcomm.Invitation) {
			id, err := w.wye.Receive(w.t.Context(), i)
			require.NoError(w.t, err)
			require.NoError(w.t, w.wye.Connect(w.t.Context(), id))
			w.settle2()
		}, "The invitation was used before."},
		"expired on the way":  {Invite{Expires: start.Add(time.Hour)}, func(w *world, _ didcomm.Invitation) { w.now = start.Add(time.Hour) }, "The invitation has expired."},
		"multi-use, expired":  {Invite{Expires: start.Add(time.Hour), MultiUse: true}, func(w *world, _ didcomm.Invitation) { w.now = start.Add(time.Hour) }, "The invitation has expired."},
		"withdrawn":           {Invite{}, func(w *world, i didcomm.Invitation) { require.NoError(w.t, w.alder.Revoke(w.t.Context(), i.ID)) }, "The invitation was withdrawn."},
		"multi-use withdrawn": {Invite{MultiUse: true}, func(w *world, i didcomm.Invitation) { require.NoError(w.t, w.alder.Revoke(w.t.Context(), i.ID)) }, "The invitation was withdrawn."},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			i, id := w.invite2(c.invite, w.hazel)
			require.NoError(t, w.hazel.Connect(t.Context(), id))
			sent := w.hazel.store.TakeOutbox()[0]
			c.before(w, i)
			before := w.alder.kept(t)
			require.NoError(t, w.deliver2(sent))
			require.Equal(t, before, w.alder.kept(t), "no connection record, no exchange")
			require.Empty(t, w.alder.store.TakeTasks())
			out := w.alder.store.TakeOutbox()
			require.Len(t, out, 1)
			p, err := didcomm.ParseReport(out[0].Message)
			require.NoError(t, err)
			require.Equal(t, codeInvitation, p.Code)
			require.Equal(t, c.why, p.Comment)
			require.Equal(t, w.now.Add(reportLife), out[0].Message.Expires)
			require.NoError(t, w.deliver2(out[0]))
			x := w.hazel.only(t)
			require.Equal(t, Abandoned, x.State)
			require.True(t, x.ByPeer)
			w.hazel.none(t, id)
		})
	}
}

// TestAbuse_DC11_StrangersV2: whoever comes again and again with new DIDs is written to a
// few times and not more.
func TestAbuse_DC11_StrangersV2(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	i, id := w.invite2(Invite{}, w.hazel)
	require.NoError(t, w.hazel.Connect(t.Context(), id))
	w.settle2()
	for n := range 3 * maxReports {
		stranger := newParty("stranger", w.wye.Now)
		again, err := stranger.Receive(t.Context(), i)
		require.NoError(t, err)
		require.NoError(t, stranger.Connect(t.Context(), again))
		err = w.deliver2(stranger.store.TakeOutbox()[0])
		if n < maxReports {
			require.NoError(t, err)
		} else {
			require.ErrorIs(t, err, errStranger)
		}
	}
	require.Len(t, w.alder.store.TakeOutbox(), maxReports)
	require.Len(t, w.alder.made, 1)
}

// TestGreet_Refused: what is no answer to an invitation begins nothing.
func TestGreet_Refused(t *testing.T) {
	t.Parallel()
	web, err := did.Parse("did:web:hazel.example")
	require.NoError(t, err)
	for name, c := range map[string]struct {
		change func(w *world, k *didcomm.Keys, m *didcomm.Message)
		want   error
	}{
		"anonymous":          {func(_ *world, k *didcomm.Keys, _ *didcomm.Message) { k.From = did.DID{} }, didcomm.ErrNotFound},
		"no recipient":       {func(_ *world, k *didcomm.Keys, _ *didcomm.Message) { k.To = did.DID{} }, didcomm.ErrNotFound},
		"no invitation":      {func(_ *world, _ *didcomm.Keys, m *didcomm.Message) { m.Parent = "" }, didcomm.ErrNotFound},
		"another invitation": {func(_ *world, _ *didcomm.Keys, m *didcomm.Message) { m.Parent = "x" }, didcomm.ErrNotFound},
		"thread for parent":  {func(_ *world, _ *didcomm.Keys, m *didcomm.Message) { m.Thread, m.Parent = m.Parent, "" }, didcomm.ErrNotFound},
		"problem report":     {func(_ *world, _ *didcomm.Keys, m *didcomm.Message) { m.Type.Name = "problem-report" }, didcomm.ErrNotFound},
		"DID on the web":     {func(_ *world, k *didcomm.Keys, _ *didcomm.Message) { k.From = web }, ErrDID},
		"to another of ours": {func(w *world, k *didcomm.Keys, _ *didcomm.Message) { i, _ := w.invite2(Invite{}, w.wye); k.To = i.DID }, didcomm.ErrNotFound},
		"invitation of V1": {func(w *world, _ *didcomm.Keys, m *didcomm.Message) {
			i, _ := w.invite(Invite{}, w.wye)
			m.Parent = i.ID
		}, didcomm.ErrNotFound},
		"store fails":         {nil, errStranger},
		"as it should be":     {func(*world, *didcomm.Keys, *didcomm.Message) {}, nil},
		"any protocol begins": {func(_ *world, _ *didcomm.Keys, m *didcomm.Message) { m.Type.Protocol = "issue-credential" }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			i, id := w.invite2(Invite{}, w.hazel)
			require.NoError(t, w.hazel.Connect(t.Context(), id))
			sent := w.hazel.store.TakeOutbox()[0]
			k, m := didcomm.Keys{From: sent.Connection.Mine, To: i.DID}, *sent.Message
			if c.change != nil {
				c.change(w, &k, &m)
			} else {
				w.alder.Connected = func(context.Context, didcomm.Tx, *Exchange, didcomm.Connection) error { return errStranger }
			}
			before := w.alder.store.Snapshot()
			var got didcomm.Connection
			err := w.alder.store.Update(t.Context(), func(tx didcomm.Tx) (err error) {
				got, err = w.alder.Greet(t.Context(), tx, k, &m)
				return err
			})
			if c.want == nil {
				require.NoError(t, err)
				require.True(t, got.Established)
				return
			}
			require.ErrorIs(t, err, c.want)
			require.Equal(t, before, w.alder.store.Snapshot())
		})
	}
}

// TestV2_AnswerFromAnother: only the inviter establishes a connection.
func TestV2_AnswerFromAnother(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, id := w.invite2(Invite{}, w.hazel)
	require.NoError(t, w.hazel.Connect(t.Context(), id))
	mine := w.hazel.connection(t, id).Mine
	other, _ := w.invite2(Invite{}, w.wye)
	m, err := newPing("x", "")
	require.NoError(t, err)
	err = w.hazel.store.Update(t.Context(), func(tx didcomm.Tx) error {
		_, err := w.hazel.Greet(t.Context(), tx, didcomm.Keys{From: other.DID, To: mine}, m)
		return err
	})
	require.ErrorIs(t, err, didcomm.ErrNotFound)
	require.Equal(t, RequestSent, w.hazel.only(t).State)
}

// TestV2_Expired: an invitation that is over is not answered, and one without an answer
// ends.
func TestV2_Expired(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	i, id := w.invite2(Invite{Expires: start.Add(time.Hour)}, w.hazel)
	_, second := w.invite2(Invite{}, w.wye)
	w.now = start.Add(time.Hour)
	require.ErrorIs(t, w.hazel.Connect(t.Context(), id), ErrState)
	_, err := w.wye.Receive(t.Context(), i)
	require.ErrorIs(t, err, ErrInvitation)
	require.NoError(t, w.wye.Connect(t.Context(), second))
	n, err := w.wye.Expire(t.Context(), w.now.Add(time.Second))
	require.NoError(t, err)
	require.Equal(t, 1, n)
	i.DID = did.DID{}
	_, err = w.wye.Receive(t.Context(), i)
	require.ErrorIs(t, err, ErrInvitation, "no inviter")
}

// TestDelete_SharedDID: two connections of one peer share its DID, and one goes on.
func TestDelete_SharedDID(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	key, err := w.hazel.keys.NewVerkey(t.Context())
	require.NoError(t, err)
	four, err := peerdid.V1(key, peerdid.Address{Endpoint: "https://hazel.example"})
	require.NoError(t, err)
	var ids []string
	for _, n := range []string{"a", "b"} {
		i, _ := w.invite2(Invite{}, w.wye)
		m, err := newPing(n, i.ID)
		require.NoError(t, err)
		require.NoError(t, w.alder.store.Update(t.Context(), func(tx didcomm.Tx) error {
			c, err := w.alder.Greet(t.Context(), tx, didcomm.Keys{From: four, To: i.DID}, m)
			ids = append(ids, c.ID)
			return err
		}))
	}
	p := &Peers{Store: w.alder.store}
	require.NoError(t, w.alder.Delete(t.Context(), ids[0]))
	_, err = p.Resolve(t.Context(), didpeer.Short(four), did.Version{})
	require.NoError(t, err)
	require.NoError(t, w.alder.Delete(t.Context(), ids[1]))
	_, err = p.Resolve(t.Context(), didpeer.Short(four), did.Version{})
	require.ErrorIs(t, err, did.ErrNotFound)
}
