package issue

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/internal/exchange"
	"github.com/staffpassport/staffpassport/didcomm/internal/memtx"
	"github.com/staffpassport/staffpassport/vc"
)

// messages returns one well-formed message of each name for a thread.
func messages(t *testing.T, w *world, thread, id string) map[string]*didcomm.Message {
	t.Helper()
	doc, err := w.passport().MarshalJSON()
	require.NoError(t, err)
	o, err := newAttachment("a", offerContent{Versions: []string{dataModel}, BindingRequired: true, Credential: doc,
		Binding: &bindingMethods{&signedMethod{bindingAlgs(), holderMethods(), "nonce-of-" + thread}}})
	require.NoError(t, err)
	proof, err := proveBinding(t.Context(), "p", &signedMethod{bindingAlgs(), holderMethods(), "nonce-of-" + thread}, w.staff)
	require.NoError(t, err)
	r, err := newAttachment("a", requestContent{dataModel, &bindingProofs{&signedProof{"p"}}})
	require.NoError(t, err)
	c, err := bound(doc, w.staff.VerificationMethod().DID)
	require.NoError(t, err)
	secured, err := w.sign(t.Context(), nil, c)
	require.NoError(t, err)
	out := map[string]*didcomm.Message{}
	for name, body := range map[string]any{
		propose: map[string]any{"comment": "please", "formats": []any{}},
		offer:   offerBody{Formats: didcomm.Formats{{AttachID: "a", Format: formatOffer}}, Offers: []didcomm.Attachment{o}},
		request: requestBody{didcomm.Formats{{AttachID: "a", Format: formatRequest}}, []didcomm.Attachment{r}, []didcomm.Attachment{proof}},
		issue:   issueBody{Formats: didcomm.Formats{{AttachID: "a", Format: FormatDataIntegrity}}, Credentials: []didcomm.Attachment{wrapCredential("a", secured)}},
		ack:     exchange.Ack{Status: "OK"},
		problem: map[string]any{"description": map[string]string{"code": codeAbandoned, "en": "no"}},
		"dance": map[string]any{},
	} {
		m, err := didcomm.New(id+"-"+name, messageType(didcomm.V1, name), thread, "", body)
		require.NoError(t, err)
		out[name] = m
	}
	return out
}

// TestAbuse_DC08_EveryMessageInEveryState: what does not fit changes nothing and
// is answered once at most.
func TestAbuse_DC08_EveryMessageInEveryState(t *testing.T) {
	t.Parallel()
	for number, v := range versions {
		for _, at := range everywhere() {
			t.Run(number+"/"+at.String(), func(t *testing.T) {
				t.Parallel()
				at.try(t, newWorldOf(t, v))
			})
		}
	}
}

// A place is a message that comes in a state.
type place struct {
	role  Role
	state State
	name  string
	open  bool // somebody hears of proposals
}

func (p place) String() string { return fmt.Sprintf("%s/%s/%s/%v", p.role, p.state, p.name, p.open) }

func everywhere() (out []place) {
	for _, role := range allRoles {
		for _, state := range allStates {
			for _, name := range append([]string{"dance"}, allMessages...) {
				for _, open := range []bool{false, true} {
					out = append(out, place{role, state, name, open})
				}
			}
		}
	}
	return out
}

func (at place) try(t *testing.T, w *world) {
	role, state, name := at.role, at.state, at.name
	if at.open {
		w.issuer.Proposed = func(context.Context, didcomm.Tx, *Exchange) error { return nil }
	}
	n := w.node(role)
	put(t, n, w, role, state, "thread-1")
	m := as(t, w.version, messages(t, w, "thread-1", "m1")[name])
	if state == Start && name == request {
		m = firstRequest(t, w, "thread-1", "m1")
	}
	before := n.Store.Snapshot()
	next, wrong := Next(role, state, Event{Message: name})
	// The machine knows messages that these roles decline.
	declined := role == RoleIssuer && !at.open && (name == propose || name == request && state == Start)

	err := n.Store.Deliver(t.Context(), n.Handler, n.Connection, m)
	sent := sentNames(n)
	if wrong == nil && !declined {
		require.NoError(t, err)
		x := new(record)
		require.NoError(t, n.Store.View(t.Context(), func(tx didcomm.Tx) error {
			return tx.Load(kindExchange, exchangeID(n.Connection, "thread-1", role), x)
		}))
		require.Equal(t, next, x.State)
		require.Empty(t, sent)
		return
	}
	require.Equal(t, before, n.Store.Snapshot())
	require.Empty(t, n.Store.Tasks())
	if name == problem {
		require.NoError(t, err)
		require.Empty(t, sent, "a report is not answered")
		return
	}
	var p *didcomm.Problem
	require.ErrorAs(t, err, &p)
	require.LessOrEqual(t, len(sent), 1)
	for _, s := range sent {
		require.Equal(t, problem, s)
	}
	// The same again does nothing more.
	require.NoError(t, n.Store.Deliver(t.Context(), n.Handler, n.Connection, m))
	require.Empty(t, sentNames(n))
	require.Equal(t, before, n.Store.Snapshot())
}

// firstRequest is a request that begins an exchange.
func firstRequest(t testing.TB, w *world, thread, id string) *didcomm.Message {
	t.Helper()
	doc, err := about(w.passportV1(), w.staff).MarshalJSON()
	require.NoError(t, err)
	a, err := newDetail("a", doc, Options{ProofType: proofOfV1})
	require.NoError(t, err)
	m, err := compose(w.version, id, request, thread, content{Formatted: []didcomm.Attachment{a}})
	require.NoError(t, err)
	return m
}

// TestAbuse_DC08_CallsInEveryState: local calls obey the machine too.
func TestAbuse_DC08_CallsInEveryState(t *testing.T) {
	t.Parallel()
	for _, state := range allStates[1:] {
		t.Run(string(state), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			i := put(t, w.issuerNode, w, RoleIssuer, state, "thread-1").ID
			h := put(t, w.holderNode, w, RoleHolder, state, "thread-1").ID
			for name, c := range map[string]struct {
				node  *memtx.Node
				role  Role
				event Event
				call  func() error
			}{
				"withdraw": {w.issuerNode, RoleIssuer, Event{problem, true}, func() error { return w.issuer.Withdraw(t.Context(), i, "x") }},
				"accept":   {w.holderNode, RoleHolder, Event{request, true}, func() error { return w.holder.Accept(t.Context(), h, w.staff) }},
				"decline":  {w.holderNode, RoleHolder, Event{problem, true}, func() error { return w.holder.Decline(t.Context(), h, "x") }},
				"counter":  {w.holderNode, RoleHolder, Event{propose, true}, func() error { return w.holder.Counter(t.Context(), h, Proposal{}) }},
				"answer":   {w.issuerNode, RoleIssuer, Event{offer, true}, func() error { return w.issuer.Answer(t.Context(), i, Offer{Credential: w.passport()}) }},
				// Those of the fixture have an offer: there is nothing to grant in any state.
				"grant": {w.issuerNode, RoleIssuer, Event{ack, true}, func() error { return w.issuer.Grant(t.Context(), i, Offer{}) }},
			} {
				put(t, c.node, w, c.role, state, "thread-1") // where another call may have left it
				c.node.Store.TakeOutbox()
				before := c.node.Store.Snapshot()
				_, wrong := Next(c.role, state, c.event)
				err := c.call()
				if wrong == nil {
					require.NoError(t, err, name)
					continue
				}
				require.ErrorIs(t, err, ErrState, name)
				require.Equal(t, before, c.node.Store.Snapshot(), name)
				require.Empty(t, c.node.Store.TakeOutbox(), name)
			}
		})
	}
}

// TestAbuse_DC05_Repeated: the same message three times, and again under a new id.
func TestAbuse_DC05_Repeated(t *testing.T) {
	t.Parallel()
	for number, v := range versions {
		t.Run(number, func(t *testing.T) {
			t.Parallel()
			repeat(t, newWorldOf(t, v))
		})
	}
}

func repeat(t *testing.T, w *world) {
	_, id := w.offer()
	require.NoError(t, w.holder.Accept(t.Context(), id, w.staff))
	var all []*didcomm.Message
	for {
		out := append(w.holderNode.Store.TakeOutbox(), w.issuerNode.Store.TakeOutbox()...)
		if len(out) == 0 && len(w.issuerNode.Store.Tasks())+len(w.holderNode.Store.Tasks()) == 0 {
			break
		}
		for _, s := range out {
			all = append(all, s.Message)
			n := w.holderNode
			if s.Message.Type.Name == request || s.Message.Type.Name == ack {
				n = w.issuerNode
			}
			for range 3 {
				require.NoError(t, n.Store.Deliver(t.Context(), n.Handler, n.Connection, s.Message))
			}
		}
		for _, n := range []*memtx.Node{w.issuerNode, w.holderNode} {
			require.NoError(t, n.Work(t.Context()))
			require.NoError(t, n.Work(t.Context()))
		}
	}
	require.Equal(t, []string{request, issue, ack}, names(all))
	require.Equal(t, 1, w.signed)
	require.Len(t, w.kept, 1)
	issued, held := w.issuerNode.Store.Snapshot(), w.holderNode.Store.Snapshot()
	for _, m := range all {
		again := *m
		again.ID = "again-" + m.Type.Name
		n := w.holderNode
		if m.Type.Name == request || m.Type.Name == ack {
			n = w.issuerNode
		}
		requireRefused(t, n.Store.Deliver(t.Context(), n.Handler, n.Connection, &again), codeOutOfOrder)
		changed := *m
		changed.Body = json.RawMessage(`{"other":1}`)
		require.ErrorIs(t, n.Store.Deliver(t.Context(), n.Handler, n.Connection, &changed), didcomm.ErrConflict)
	}
	require.Equal(t, issued, w.issuerNode.Store.Snapshot())
	require.Equal(t, held, w.holderNode.Store.Snapshot())
	require.Equal(t, 1, w.signed)
}

// TestAbuse_DC06_ThreadOfAnotherConnection: a thread is found only on its own
// connection.
func TestAbuse_DC06_ThreadOfAnotherConnection(t *testing.T) {
	t.Parallel()
	for number, v := range versions {
		t.Run(number, func(t *testing.T) {
			t.Parallel()
			for _, role := range allRoles {
				for _, state := range allStates[1:] {
					foreignThread(t, newWorldOf(t, v), role, state)
				}
			}
		})
	}
}

func foreignThread(t *testing.T, w *world, role Role, state State) {
	n := w.node(role)
	put(t, n, w, role, state, "thread-1")
	n.ConnectOf(w.version, "intruder", true)
	before := n.Store.Snapshot()
	for _, name := range []string{request, issue, ack, propose, problem, "dance"} {
		m := as(t, w.version, messages(t, w, "thread-1", "m-"+name)[name])
		err := n.Store.Deliver(t.Context(), n.Handler, "intruder", m)
		if name != problem {
			var p *didcomm.Problem
			require.ErrorAs(t, err, &p, "%s in %s", name, state)
		}
		require.Equal(t, before, n.Store.Snapshot(), "%s in %s", name, state)
	}
	report, err := (&didcomm.Problem{Code: "e.p.gone"}).Report("r1", &didcomm.Message{Version: w.version, ID: "x", Type: messageType(w.version, ack), Thread: "thread-1"})
	require.NoError(t, err)
	require.NoError(t, n.Store.Deliver(t.Context(), n.Handler, "intruder", report))
	require.Equal(t, before, n.Store.Snapshot(), "report in %s", state)
	require.Empty(t, n.Store.Tasks())
	for _, s := range n.Store.TakeOutbox() {
		require.Equal(t, "intruder", s.Connection.ID)
	}
}

// TestHolder_AnotherCredential: a genuine credential that was not accepted, and
// one that is not genuine, are refused with a reason.
func TestHolder_AnotherCredential(t *testing.T) {
	t.Parallel()
	resign := func(change func(*world, *vc.Credential)) func(*testing.T, *world) vc.Secured {
		return func(t *testing.T, w *world) vc.Secured {
			doc, err := w.passport().MarshalJSON()
			require.NoError(t, err)
			c, err := bound(doc, w.staff.VerificationMethod().DID)
			require.NoError(t, err)
			change(w, c)
			s, err := w.sign(t.Context(), nil, c)
			require.NoError(t, err)
			return s
		}
	}
	edit := func(old, new string) func(*testing.T, *world) vc.Secured {
		return func(t *testing.T, w *world) vc.Secured {
			s := resign(func(*world, *vc.Credential) {})(t, w)
			require.Contains(t, string(s.Bytes), old)
			s.Bytes = []byte(strings.Replace(string(s.Bytes), old, new, 1))
			return s
		}
	}
	for name, c := range map[string]struct {
		make func(*testing.T, *world) vc.Secured
		code string
	}{
		"another claim": {resign(func(w *world, c *vc.Credential) {
			c.Subject = json.RawMessage(fmt.Sprintf(`{"id":%q,"dbs":{"level":"Basic"}}`, w.staff.VerificationMethod().DID))
		}), "different"},
		"another subject": {resign(func(_ *world, c *vc.Credential) {
			c.Subject = json.RawMessage(strings.Replace(string(c.Subject), "did:key:z6Mk", "did:key:z6Mm", 1))
		}), "different"},
		"a status added later is not asked for, and not tried again": {resign(func(_ *world, c *vc.Credential) {
			c.Status = []vc.Status{{Type: []string{"BitstringStatusListEntry"}}}
		}), "status-unsupported"},
		"claim changed after signing": {edit(`"Enhanced`, `"Basic`), "proof"},
		"no proof": {func(t *testing.T, w *world) vc.Secured {
			doc, err := w.passport().MarshalJSON()
			require.NoError(t, err)
			return vc.Secured{MediaType: vc.MediaTypeCredential, Bytes: doc}
		}, "no-proof"},
		"not a credential": {func(*testing.T, *world) vc.Secured {
			return vc.Secured{MediaType: vc.MediaTypeCredential, Bytes: []byte(`{"a":1}`)}
		}, "malformed"},
		"in an envelope": {func(t *testing.T, w *world) vc.Secured {
			s := resign(func(*world, *vc.Credential) {})(t, w)
			return vc.Secured{MediaType: vc.MediaTypeCredential, Bytes: fmt.Appendf(nil,
				`{"@context":%q,"id":"data:application/vc;base64,%s","type":"EnvelopedVerifiableCredential"}`, vc.ContextV2, base64.StdEncoding.EncodeToString(s.Bytes))}
		}, "malformed-credential"},
		"not JSON": {func(*testing.T, *world) vc.Secured {
			return vc.Secured{MediaType: vc.MediaTypeCredential, Bytes: []byte(`[1]`)}
		}, "malformed-credential"},
		"issuer not trusted": {func(t *testing.T, w *world) vc.Secured {
			w.employer = signer(t, 77)
			doc, err := w.passport().MarshalJSON()
			require.NoError(t, err)
			c, err := bound(doc, w.staff.VerificationMethod().DID)
			require.NoError(t, err)
			s, err := w.sign(t.Context(), nil, c)
			require.NoError(t, err)
			return s
		}, "untrusted"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			_, id := w.offer()
			require.NoError(t, w.holder.Accept(t.Context(), id, w.staff))
			thread := w.only(w.issuer.Exchanges).Thread
			w.holderNode.Store.TakeOutbox()
			m, err := didcomm.New("m1", messageType(didcomm.V1, issue), thread, "", issueBody{
				Formats: didcomm.Formats{{AttachID: "a", Format: FormatDataIntegrity}}, Credentials: []didcomm.Attachment{wrapCredential("a", c.make(t, w))}})
			require.NoError(t, err)
			require.NoError(t, w.holderNode.Store.Deliver(t.Context(), w.holder, "to-alderbrook", m))
			require.NoError(t, w.holderNode.Work(t.Context()))
			x := w.only(w.holder.Exchanges)
			require.Equal(t, Abandoned, x.State)
			require.Equal(t, c.code, x.Code)
			require.NotEmpty(t, x.Reason)
			require.Empty(t, w.kept)
			require.Equal(t, []string{problem}, sentNames(w.holderNode))
		})
	}
}

// TestHolder_AnotherPhoto: what came with the offer is what the person saw.
func TestHolder_AnotherPhoto(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, id := w.offer()
	require.NoError(t, w.holder.Accept(t.Context(), id, w.staff))
	m := messages(t, w, w.only(w.issuer.Exchanges).Thread, "m1")[issue]
	var b issueBody
	require.NoError(t, m.Decode(&b))
	b.Attach = []didcomm.Attachment{didcomm.NewAttachment(photo().ID, "image/jpeg", []byte("another"))}
	m, err := didcomm.New(m.ID, m.Type, m.Thread, "", b)
	require.NoError(t, err)
	require.NoError(t, w.holderNode.Store.Deliver(t.Context(), w.holder, "to-alderbrook", m))
	require.Equal(t, "different", w.only(w.holder.Exchanges).Code)
	require.Empty(t, w.holderNode.Store.Tasks())
}

func TestRoles_NotPlayed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for name, m := range messages(t, w, "thread-1", "m1") {
		err := w.issuerNode.Store.Deliver(t.Context(), Roles{}, "to-hazel", m)
		if name == problem {
			require.NoError(t, err)
			continue
		}
		requireRefused(t, err, codeNoThread)
	}
	mine, err := Roles{}.Abandon(context.Background(), nil, didcomm.Connection{}, "x", &didcomm.Problem{})
	require.NoError(t, err)
	require.False(t, mine)
}

func TestStoreFails(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	full := errors.New("disk full")
	w.issuerNode.Store.Fail = func() error { return full }
	_, err := w.issuer.Offer(t.Context(), "to-hazel", Offer{Credential: w.passport()})
	require.ErrorIs(t, err, full)
	require.Empty(t, w.issuerNode.Store.TakeOutbox())
	m := messages(t, w, "thread-1", "m1")[offer]
	w.holderNode.Store.Fail = func() error { return full }
	require.ErrorIs(t, w.holderNode.Store.Deliver(t.Context(), w.holder, "to-alderbrook", m), full)
	w.holderNode.Store.Fail = nil
	require.NoError(t, w.holderNode.Store.Deliver(t.Context(), w.holder, "to-alderbrook", m), "the peer sends it again")
	require.Equal(t, OfferReceived, w.only(w.holder.Exchanges).State)
}
