package connect

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/did/didkey"
	"github.com/staffpassport/staffpassport/did/didpeer"
	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/internal/memtx"
)

// TestAbuse_DC11_Reuse: a single-use invitation makes one connection, whoever
// answers it again, and however often.
func TestAbuse_DC11_Reuse(t *testing.T) {
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
			w.settleOnly(w.wye)
		}, "The invitation was used before."},
		"expired on the way":  {Invite{Expires: start.Add(time.Hour)}, func(w *world, _ didcomm.Invitation) { w.now = start.Add(time.Hour) }, "The invitation has expired."},
		"multi-use, expired":  {Invite{Expires: start.Add(time.Hour), MultiUse: true}, func(w *world, _ didcomm.Invitation) { w.now = start.Add(time.Hour) }, "The invitation has expired."},
		"withdrawn":           {Invite{}, func(w *world, i didcomm.Invitation) { require.NoError(w.t, w.alder.Revoke(w.t.Context(), i.ID)) }, "The invitation was withdrawn."},
		"multi-use withdrawn": {Invite{MultiUse: true}, func(w *world, i didcomm.Invitation) { require.NoError(w.t, w.alder.Revoke(w.t.Context(), i.ID)) }, "The invitation was withdrawn."},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			i, id := w.invite(c.invite, w.hazel)
			require.NoError(t, w.hazel.Connect(t.Context(), id)) // on its way
			sent := w.hazel.store.TakeOutbox()[0]
			c.before(w, i)
			before := w.alder.kept(t)
			require.NoError(t, w.deliver(sent))
			require.Equal(t, before, w.alder.kept(t), "no connection record, no exchange")
			require.Empty(t, w.alder.store.TakeTasks())
			out := w.alder.store.TakeOutbox()
			require.Len(t, out, 1)
			require.Equal(t, "problem_report", out[0].Message.Type.Name)
			require.Equal(t, w.now.Add(5*time.Minute), out[0].Message.Expires, "not retried for days")
			p, err := didcomm.ParseReport(out[0].Message)
			require.NoError(t, err)
			require.Equal(t, "request_not_accepted", p.Code)
			require.Equal(t, c.why, p.Comment)
			require.NoError(t, w.deliver(out[0]))
			x := w.hazel.only(t)
			require.Equal(t, Abandoned, x.State)
			require.Equal(t, c.why, x.Reason)
			require.False(t, w.hazel.connection(t, id).Established)
		})
	}
}

// kept is what a party keeps but for its own invitations.
func (p *party) kept(t testing.TB) map[string]any {
	t.Helper()
	var all map[string]any
	require.NoError(t, json.Unmarshal([]byte(p.store.Snapshot()), &all))
	delete(all["records"].(map[string]any), kindInvitation)
	return all
}

// TestAbuse_DC11_Strangers: whoever has seen an invitation that is over, and comes
// again and again with new keys, is written to a few times and not more.
func TestAbuse_DC11_Strangers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	i, id := w.invite(Invite{}, w.hazel)
	require.NoError(t, w.hazel.Connect(t.Context(), id))
	w.settle()
	told, refused := 0, 0
	for range 3 * maxReports {
		stranger := newParty("stranger", w.wye.Now)
		again, err := stranger.Receive(t.Context(), i)
		require.NoError(t, err)
		require.NoError(t, stranger.Connect(t.Context(), again))
		s := stranger.store.TakeOutbox()[0]
		switch err := w.deliver(s); err {
		case nil:
			told++
		default:
			requireRefused(t, err, codeRequest)
			require.ErrorIs(t, err, ErrInvitation)
			refused++
		}
	}
	require.Equal(t, maxReports, told)
	require.Equal(t, 2*maxReports, refused)
	require.Len(t, w.alder.store.TakeOutbox(), maxReports)
	made, err := w.alder.Invitations(t.Context())
	require.NoError(t, err)
	require.Equal(t, maxReports, made[0].TurnedAway)
	require.Len(t, w.alder.made, 1)
}

// unreadable is a transaction whose connections cannot be read just now.
type unreadable struct {
	didcomm.Tx
	err error
}

func (u unreadable) Connection(string) (didcomm.Connection, error) {
	return didcomm.Connection{}, u.err
}

// TestReported_StoreFails: a report that could not be looked into is not lost.
func TestReported_StoreFails(t *testing.T) {
	t.Parallel()
	for _, role := range allRoles {
		p := prepare(t)
		real := p.respond()
		at, k := p.hazel, didcomm.Keys{Sender: p.i.Service.Keys[0], Recipient: real.Connection.TheirKey}
		if role == RoleResponder {
			at, k = p.alder, didcomm.Keys{Sender: real.Connection.TheirKey, Recipient: real.Connection.MyKey}
		}
		m := *real.Message
		m.ID, m.Type.Name, m.Body = "m1", problem, json.RawMessage(`{"problem-code":"x"}`)
		broken := errors.New("disk")
		report := func(err error) error {
			return at.store.Update(t.Context(), func(tx didcomm.Tx) error {
				if err != nil {
					tx = unreadable{tx, err}
				}
				return at.Open(t.Context(), tx, k, &m)
			})
		}
		require.ErrorIs(t, report(broken), broken, role)
		require.NotEqual(t, Abandoned, at.only(t).State)
		require.NoError(t, report(nil))
		require.Equal(t, Abandoned, at.only(t).State, role)
	}
}

// settleOnly carries what p and the inviter send each other.
func (w *world) settleOnly(p *party) {
	w.t.Helper()
	for range 5 {
		for _, from := range []*party{p, w.alder} {
			for _, s := range from.store.TakeOutbox() {
				require.NoError(w.t, w.deliver(s))
			}
			for _, task := range from.store.TakeTasks() {
				require.NoError(w.t, from.Work(w.t.Context(), task.ID))
			}
		}
	}
	require.Equal(w.t, Completed, p.only(w.t).State)
}

func TestRevoke(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	i, id := w.invite(Invite{}, w.hazel)
	require.ErrorIs(t, w.alder.Revoke(t.Context(), "nobody"), didcomm.ErrNotFound)
	require.NoError(t, w.hazel.Connect(t.Context(), id))
	w.settle()
	require.ErrorIs(t, w.alder.Revoke(t.Context(), i.ID), ErrState, "it was answered")
	i, _ = w.invite(Invite{}, w.wye)
	require.NoError(t, w.alder.Revoke(t.Context(), i.ID))
	require.ErrorIs(t, w.alder.Revoke(t.Context(), i.ID), ErrState)
	all, err := w.alder.Invitations(t.Context())
	require.NoError(t, err)
	require.Equal(t, Abandoned, all[1].State(w.now))
}

// prepared is a world in which Hazel is about to say something.
type prepared struct {
	*world
	i    didcomm.Invitation
	id   string
	sent memtx.Sent // her request
}

func prepare(t testing.TB) *prepared {
	w := newWorld(t)
	i, id := w.invite(Invite{}, w.hazel)
	require.NoError(t, w.hazel.Connect(t.Context(), id))
	return &prepared{w, i, id, w.hazel.store.TakeOutbox()[0]}
}

// respond lets the inviter answer and returns the response.
func (p *prepared) respond() memtx.Sent {
	p.t.Helper()
	require.NoError(p.t, p.deliver(p.sent))
	require.NoError(p.t, p.alder.Work(p.t.Context(), p.alder.store.TakeTasks()[0].ID))
	return p.alder.store.TakeOutbox()[0]
}

// edit changes the body of a message and its envelope's keys.
func edit(t testing.TB, s memtx.Sent, change func(b map[string]any)) memtx.Sent {
	t.Helper()
	var b map[string]any
	require.NoError(t, json.Unmarshal(s.Message.Body, &b))
	change(b)
	raw, err := json.Marshal(b)
	require.NoError(t, err)
	m := *s.Message
	m.Body, m.ID = raw, "edited"
	s.Message = &m
	return s
}

// makeDID makes a DID that the party has the key of.
func (p *party) makeDID(t testing.TB) (didcomm.Connection, did.DID) {
	t.Helper()
	key, err := p.Keys.NewVerkey(t.Context())
	require.NoError(t, err)
	id, err := didpeer.NewDIDComm(key, p.Endpoint, nil)
	require.NoError(t, err)
	return didcomm.Connection{MyKey: key}, id
}

// TestRequest_Refused: what changes nothing and makes no connection.
func TestRequest_Refused(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*prepared) memtx.Sent{
		"another invitation": func(p *prepared) memtx.Sent { m := *p.sent.Message; m.Parent = "x"; p.sent.Message = &m; return p.sent },
		"no invitation":      func(p *prepared) memtx.Sent { m := *p.sent.Message; m.Parent = ""; p.sent.Message = &m; return p.sent },
		"to a key of another invitation": func(p *prepared) memtx.Sent {
			other, err := p.alder.Invite(p.t.Context(), Invite{})
			require.NoError(p.t, err)
			p.sent.Connection.TheirKey = other.Service.Keys[0]
			return p.sent
		},
		"no DID":       func(p *prepared) memtx.Sent { return edit(p.t, p.sent, func(b map[string]any) { delete(b, "did") }) },
		"DID a number": func(p *prepared) memtx.Sent { return edit(p.t, p.sent, func(b map[string]any) { b["did"] = 1 }) },
		"DID malformed": func(p *prepared) memtx.Sent {
			return edit(p.t, p.sent, func(b map[string]any) { b["did"] = "did:peer" })
		},
		"DID unpublished": func(p *prepared) memtx.Sent {
			return edit(p.t, p.sent, func(b map[string]any) { b["did"] = "did:sov:LjgpST2rjsoxYegQDRm7EL" })
		},
		"DID on the web": func(p *prepared) memtx.Sent {
			return edit(p.t, p.sent, func(b map[string]any) { b["did"] = "did:web:hazel.example" })
		},
		"DID in short form": func(p *prepared) memtx.Sent {
			return edit(p.t, p.sent, func(b map[string]any) { b["did"] = strings.Join(strings.SplitN(b["did"].(string), ":", 4)[:3], ":") })
		},
		"DID of numalgo 1": func(p *prepared) memtx.Sent {
			return edit(p.t, p.sent, func(b map[string]any) { b["did"] = "did:peer:1zQmP9JVJE4YRzVJqPCxjiRLjowW1sikMyKoib7zrPUjf14Y" })
		},
		"DID without a service": func(p *prepared) memtx.Sent {
			return edit(p.t, p.sent, func(b map[string]any) { b["did"] = "did:key:z6MkojqtZt8C65i8t1AddcannXyKTkFxfykRNdhhewAvUgXc" })
		},
		"DID of somebody else": func(p *prepared) memtx.Sent {
			_, id := p.wye.makeDID(p.t)
			return edit(p.t, p.sent, func(b map[string]any) { b["did"] = id.String() })
		},
		"sent with a key of somebody else": func(p *prepared) memtx.Sent {
			c, _ := p.wye.makeDID(p.t)
			p.sent.Connection.MyKey = c.MyKey
			return p.sent
		},
		"another message": func(p *prepared) memtx.Sent {
			m := *p.sent.Message
			m.Type.Name = "invitation"
			p.sent.Message = &m
			return p.sent
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := prepare(t)
			s := change(p)
			before := p.alder.store.Snapshot()
			requireRefused(t, p.deliver(s), codeRequest)
			require.Equal(t, before, p.alder.store.Snapshot())
			require.Empty(t, p.alder.store.TakeTasks())
			require.Empty(t, p.alder.store.TakeOutbox(), "strangers are not written to")
		})
	}
}

// TestResponse_Refused: the requester keeps waiting for the real one.
func TestResponse_Refused(t *testing.T) {
	t.Parallel()
	sign := func(p *prepared, by *party, content string, kid string) map[string]any {
		key, err := by.keys.NewVerkey(p.t.Context())
		require.NoError(p.t, err)
		id, err := didkey.New(key)
		require.NoError(p.t, err)
		s, err := by.keys.Signer(p.t.Context(), didkey.SigningMethod(id), key)
		require.NoError(p.t, err)
		if kid == "" {
			kid = id.String()
		}
		a := didcomm.NewAttachment("a", "text/string", []byte(content))
		require.NoError(p.t, a.Sign(p.t.Context(), s, kid, false))
		raw, err := json.Marshal(a)
		require.NoError(p.t, err)
		var out map[string]any
		require.NoError(p.t, json.Unmarshal(raw, &out))
		return out
	}
	inviterKID := func(p *prepared) string {
		id, err := didkey.New(p.i.Service.Keys[0])
		require.NoError(p.t, err)
		return id.String()
	}
	data := func(b map[string]any) map[string]any {
		return b["did_rotate~attach"].(map[string]any)["data"].(map[string]any)
	}
	for name, change := range map[string]func(*prepared, memtx.Sent) memtx.Sent{
		"not signed": func(p *prepared, s memtx.Sent) memtx.Sent {
			return edit(p.t, s, func(b map[string]any) { delete(b, "did_rotate~attach") })
		},
		"signature taken out": func(p *prepared, s memtx.Sent) memtx.Sent {
			return edit(p.t, s, func(b map[string]any) { delete(data(b), "jws") })
		},
		"signed by another key": func(p *prepared, s memtx.Sent) memtx.Sent {
			return edit(p.t, s, func(b map[string]any) { b["did_rotate~attach"] = sign(p, p.wye, b["did"].(string), "") })
		},
		"signed by another key under the inviter's name": func(p *prepared, s memtx.Sent) memtx.Sent {
			return edit(p.t, s, func(b map[string]any) { b["did_rotate~attach"] = sign(p, p.wye, b["did"].(string), inviterKID(p)) })
		},
		"signature over another DID": func(p *prepared, s memtx.Sent) memtx.Sent {
			c, id := p.wye.makeDID(p.t)
			s.Connection.MyKey = c.MyKey
			return edit(p.t, s, func(b map[string]any) { b["did"] = id.String() })
		},
		"signature over other content": func(p *prepared, s memtx.Sent) memtx.Sent {
			c, id := p.wye.makeDID(p.t)
			s.Connection.MyKey = c.MyKey
			return edit(p.t, s, func(b map[string]any) {
				b["did"] = id.String()
				data(b)["base64"] = base64.RawURLEncoding.EncodeToString([]byte(id.String()))
			})
		},
		"document signed by another": func(p *prepared, s memtx.Sent) memtx.Sent {
			return edit(p.t, s, func(b map[string]any) { b["did_doc~attach"] = sign(p, p.wye, `{}`, "") })
		},
		"document unsigned instead": func(p *prepared, s memtx.Sent) memtx.Sent {
			return edit(p.t, s, func(b map[string]any) {
				delete(b, "did_rotate~attach")
				b["did_doc~attach"] = map[string]any{"data": map[string]any{"json": map[string]any{"id": b["did"]}}}
			})
		},
		"sent by somebody else": func(p *prepared, s memtx.Sent) memtx.Sent {
			c, _ := p.wye.makeDID(p.t)
			s.Connection.MyKey = c.MyKey
			return edit(p.t, s, func(map[string]any) {})
		},
		"DID malformed": func(p *prepared, s memtx.Sent) memtx.Sent {
			return edit(p.t, s, func(b map[string]any) { b["did"] = "x" })
		},
		"DID on the web": func(p *prepared, s memtx.Sent) memtx.Sent {
			return edit(p.t, s, func(b map[string]any) { b["did"] = "did:web:alderbrook.example" })
		},
		"not readable": func(p *prepared, s memtx.Sent) memtx.Sent {
			return edit(p.t, s, func(b map[string]any) { b["did_rotate~attach"] = "x" })
		},
		"another invitation": func(p *prepared, s memtx.Sent) memtx.Sent {
			s = edit(p.t, s, func(map[string]any) {})
			s.Message.Parent = "x"
			return s
		},
		"another thread": func(p *prepared, s memtx.Sent) memtx.Sent {
			s = edit(p.t, s, func(map[string]any) {})
			s.Message.Thread = "x"
			return s
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := prepare(t)
			real := p.respond()
			s := change(p, real)
			before := p.hazel.store.Snapshot()
			requireRefused(t, p.deliver(s), codeResponse)
			require.Equal(t, before, p.hazel.store.Snapshot())
			require.Empty(t, p.hazel.made)
			require.NoError(t, p.deliver(real))
			p.settle()
			require.Equal(t, Completed, p.alder.only(t).State)
		})
	}
}

// TestResponse_ByInvitationKey: the inviter's key alone does not make a
// connection to a DID that may be anybody's; only its own key does.
func TestResponse_ByInvitationKey(t *testing.T) {
	t.Parallel()
	for _, signed := range []bool{true, false} {
		p := prepare(t)
		real := p.respond()
		s := edit(t, real, func(b map[string]any) {
			if !signed {
				delete(b, "did_rotate~attach")
			}
		})
		s.Connection.MyKey = p.i.Service.Keys[0]
		before := p.hazel.store.Snapshot()
		requireRefused(t, p.deliver(s), codeResponse)
		require.Equal(t, before, p.hazel.store.Snapshot())
		require.Empty(t, p.hazel.made)
		require.NoError(t, p.deliver(real))
		require.Equal(t, Completed, p.hazel.only(t).State)
	}
}

// TestAbuse_DC05_Repeated: every message three times, and again under a new id.
func TestAbuse_DC05_Repeated(t *testing.T) {
	t.Parallel()
	p := prepare(t)
	all := []memtx.Sent{p.sent}
	for range 3 {
		require.NoError(t, p.deliver(p.sent))
	}
	tasks := p.alder.store.TakeTasks()
	require.Len(t, tasks, 1)
	for range 3 {
		require.NoError(t, p.alder.Work(t.Context(), tasks[0].ID))
	}
	for _, from := range []*party{p.alder, p.hazel} {
		out := from.store.TakeOutbox()
		require.Len(t, out, 1)
		all = append(all, out[0])
		for range 3 {
			require.NoError(t, p.deliver(out[0]))
		}
	}
	require.Len(t, p.hazel.made, 1)
	require.Len(t, p.alder.made, 1)
	alder, hazel := p.alder.store.Snapshot(), p.hazel.store.Snapshot()
	for _, s := range all {
		again := *s.Message
		again.ID = "again-" + s.Message.Type.Name
		s.Message = &again
		var problem *didcomm.Problem
		require.ErrorAs(t, p.deliver(s), &problem)
	}
	require.Equal(t, alder, p.alder.store.Snapshot())
	require.Equal(t, hazel, p.hazel.store.Snapshot())
	require.Len(t, p.hazel.made, 1)
	require.Len(t, p.alder.made, 1)
}

// TestAbuse_DC06_ForeignThread: the thread of another pair of keys is not found.
func TestAbuse_DC06_ForeignThread(t *testing.T) {
	t.Parallel()
	p := prepare(t)
	real := p.respond()
	stranger, err := p.wye.keys.NewVerkey(t.Context())
	require.NoError(t, err)
	done := func() memtx.Sent { // what completes the exchange, if Hazel sends it
		q := *real.Message
		q.Type.Name, q.Parent, q.Body, q.ID = complete, p.i.ID, json.RawMessage(`{}`), didcomm.NewID()
		return memtx.Sent{Connection: didcomm.Connection{MyKey: real.Connection.TheirKey, TheirKey: real.Connection.MyKey}, Message: &q}
	}
	before := p.alder.store.Snapshot()
	for name, change := range map[string]func(*memtx.Sent){
		"by a stranger":         func(s *memtx.Sent) { s.Connection.MyKey = stranger },
		"to the invitation key": func(s *memtx.Sent) { s.Connection.TheirKey = p.i.Service.Keys[0] },
		"another thread":        func(s *memtx.Sent) { s.Message.Thread = "x" },
		"another invitation":    func(s *memtx.Sent) { s.Message.Parent = "x" },
	} {
		s := done()
		change(&s)
		requireRefused(t, p.deliver(s), codeRequest)
		require.Equal(t, before, p.alder.store.Snapshot(), name)
	}
	require.NoError(t, p.deliver(done()))
	require.Equal(t, Completed, p.alder.only(t).State)
}

// TestAbuse_DC08_EveryMessageInEveryState: what does not fit changes nothing.
func TestAbuse_DC08_EveryMessageInEveryState(t *testing.T) {
	t.Parallel()
	for _, role := range allRoles {
		for _, state := range allStates {
			for _, name := range append([]string{"dance"}, allMessages...) {
				t.Run(fmt.Sprintf("%s/%s/%s", role, state, name), func(t *testing.T) {
					t.Parallel()
					p := prepare(t)
					real := p.respond()
					at, id, k := p.hazel, p.id, didcomm.Keys{Sender: real.Connection.MyKey, Recipient: real.Connection.TheirKey}
					if role == RoleResponder {
						at, id = p.alder, p.alder.only(t).ID
						k = didcomm.Keys{Sender: real.Connection.TheirKey, Recipient: real.Connection.MyKey}
					}
					require.NoError(t, at.change(t.Context(), id, func(tx didcomm.Tx, x *record) error {
						x.State = state
						return tx.Save(kindExchange, id, x)
					}))
					var m didcomm.Message
					switch name {
					case request:
						m = *p.sent.Message
						if role == RoleResponder {
							k.Recipient = p.i.Service.Keys[0]
						}
					case response:
						m = *real.Message
					default:
						if name == problem && role == RoleRequester { // the only key she knows yet
							k.Sender = p.i.Service.Keys[0]
						}
						m = *real.Message
						m.Type.Name, m.Parent, m.Body = name, p.i.ID, json.RawMessage(`{}`)
					}
					m.ID = "m1"
					before := at.store.Snapshot()
					next, wrong := Next(role, state, Event{Message: name})
					// A request finds its thread taken, whatever its state; an
					// invitation travels outside.
					declined := name == request || name == invitation

					err := at.store.DeliverOpen(t.Context(), at, k, &m)
					if wrong == nil && !declined {
						require.NoError(t, err)
						if next == ResponseReceived {
							next = Completed
						}
						require.Equal(t, next, at.only(t).State)
						return
					}
					require.Equal(t, before, at.store.Snapshot())
					require.Empty(t, at.store.TakeTasks())
					require.Empty(t, at.store.TakeOutbox())
					if name == problem {
						require.NoError(t, err)
						return
					}
					var problem *didcomm.Problem
					require.ErrorAs(t, err, &problem)
				})
			}
		}
	}
}

// TestAbuse_DC08_CallsInEveryState: local calls obey the machine too.
func TestAbuse_DC08_CallsInEveryState(t *testing.T) {
	t.Parallel()
	for _, state := range allStates[1:] {
		w := newWorld(t)
		_, id := w.invite(Invite{}, w.hazel)
		require.NoError(t, w.hazel.change(t.Context(), id, func(tx didcomm.Tx, x *record) error {
			x.State = state
			return tx.Save(kindExchange, id, x)
		}))
		for event, call := range map[Event]func() error{
			{request, true}: func() error { return w.hazel.Connect(t.Context(), id) },
			{problem, true}: func() error { return w.hazel.Deny(t.Context(), id, "x") },
		} {
			before := w.hazel.store.Snapshot()
			if _, wrong := Next(RoleRequester, state, event); wrong == nil {
				continue
			}
			require.ErrorIs(t, call(), ErrState, state)
			require.Equal(t, before, w.hazel.store.Snapshot())
			require.Empty(t, w.hazel.store.TakeOutbox())
		}
	}
}

// TestServiceOfAnotherAgent: a document with several services gives the first
// that can be used.
func TestServiceOf(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		document string
		endpoint string
	}{
		"one":             {`{"id":"#a","type":"did-communication","serviceEndpoint":"https://a.example","recipientKeys":["#key-1"]}`, "https://a.example"},
		"by priority":     {`{"id":"#a","type":"did-communication","priority":2,"serviceEndpoint":"https://a.example","recipientKeys":["#key-1"]},{"id":"#b","type":"did-communication","priority":1,"serviceEndpoint":"https://b.example","recipientKeys":["#key-1"]}`, "https://b.example"},
		"unusable first":  {`{"id":"#a","type":"did-communication","serviceEndpoint":"ftp://a.example","recipientKeys":["#key-1"]},{"id":"#b","type":"did-communication","priority":1,"serviceEndpoint":"https://b.example","recipientKeys":["#key-1"]}`, "https://b.example"},
		"other type":      {`{"id":"#a","type":"LinkedDomains","serviceEndpoint":"https://a.example"}`, ""},
		"key not there":   {`{"id":"#a","type":"did-communication","serviceEndpoint":"https://a.example","recipientKeys":["#key-9"]}`, ""},
		"no keys":         {`{"id":"#a","type":"did-communication","serviceEndpoint":"https://a.example","recipientKeys":[]}`, ""},
		"other profiles":  {`{"id":"#a","type":"did-communication","accept":["didcomm/v2"],"serviceEndpoint":"https://a.example","recipientKeys":["#key-1"]}`, ""},
		"key of another":  {`{"id":"#a","type":"did-communication","serviceEndpoint":"https://a.example","recipientKeys":["did:web:x.example#key-1"]}`, ""},
		"for encryption":  {`{"id":"#a","type":"did-communication","serviceEndpoint":"https://a.example","recipientKeys":["#key-2"]}`, ""},
		"routing unknown": {`{"id":"#a","type":"did-communication","serviceEndpoint":"https://a.example","recipientKeys":["#key-1"],"routingKeys":["#key-9"]}`, ""},
		"did:key routing": {`{"id":"#a","type":"did-communication","serviceEndpoint":"https://a.example","recipientKeys":["#key-1"],"routingKeys":["did:key:z6MkojqtZt8C65i8t1AddcannXyKTkFxfykRNdhhewAvUgXc#z6MkojqtZt8C65i8t1AddcannXyKTkFxfykRNdhhewAvUgXc"]}`, "https://a.example"},
		"mediated":        {`{"id":"#a","type":"did-communication","serviceEndpoint":"https://a.example","recipientKeys":["#key-1"],"routingKeys":["#key-1"]},{"id":"#b","type":"did-communication","priority":1,"serviceEndpoint":"https://b.example","recipientKeys":["#key-1"],"routingKeys":[]}`, "https://a.example"},
	} {
		id, err := didpeer.New([]byte(`{"@context":["https://www.w3.org/ns/did/v1"],"verificationMethod":[` +
			`{"id":"#key-1","type":"Multikey","publicKeyMultibase":"z6MkojqtZt8C65i8t1AddcannXyKTkFxfykRNdhhewAvUgXc"},` +
			`{"id":"#key-2","type":"Multikey","publicKeyMultibase":"z6LSbysY2xFMRpGMhb7tFTLMpeuPRaqaWM1yECx2AtzE3KCc"}],` +
			`"authentication":["#key-1"],"keyAgreement":["#key-2"],"service":[` + c.document + `]}`))
		require.NoError(t, err, name)
		res, err := didpeer.Resolver{}.Resolve(t.Context(), id, did.Version{})
		require.NoError(t, err, name)
		s, err := didcomm.ServiceOf(res.Document)
		if c.endpoint == "" {
			require.ErrorIs(t, err, didcomm.ErrMalformed, name)
			continue
		}
		require.NoError(t, err, name)
		require.Equal(t, c.endpoint, s.Endpoint, name)
		require.Len(t, s.Keys, 1, name)
	}
}
