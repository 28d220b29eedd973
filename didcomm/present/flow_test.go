package present

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/did/didpeer"
	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/internal/memtx"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/verify"
)

func TestPresent(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	verifierID, proverID := w.ask(wanted())

	x, err := w.prover.Exchange(t.Context(), proverID)
	require.NoError(t, err)
	require.Equal(t, RequestReceived, x.State)
	require.Equal(t, "To let you start work on Monday", x.Purpose)
	require.Equal(t, []Input{{ID: "input-1", Name: "Staff passport", Type: passportType, Fields: wanted().Inputs[0].Fields}}, x.Inputs)
	require.True(t, x.Confirms)

	w.clock.Advance(time.Hour)
	require.NoError(t, w.prover.Present(t.Context(), proverID, w.answer()))
	require.Equal(t, []string{presentation, ack}, names(w.settle()))

	p, err := w.prover.Exchange(t.Context(), proverID)
	require.NoError(t, err)
	require.Equal(t, Done, p.State)
	require.Equal(t, map[string][]vc.Pointer{"input-1": {"/credentialSubject"}}, p.Revealed)
	v, err := w.verifier.Exchange(t.Context(), verifierID)
	require.NoError(t, err)
	require.Equal(t, Done, v.State)
	require.Equal(t, w.staff.VerificationMethod().DID, v.Holder)
	require.NotEmpty(t, v.Checks)
	require.Len(t, w.decided, 1)
	d := w.decided[0]
	require.NoError(t, d.Err)
	require.Equal(t, w.staff.VerificationMethod().DID, d.Presentation.Holder())
	require.Contains(t, string(d.ByInput["input-1"].Document().Subject), "Enhanced")
	require.Equal(t, []didcomm.Attachment{photo()}, d.Attachments)
	for _, r := range w.verifierNode.Store.Records(kindExchange) {
		require.NotContains(t, string(r.Data), "Enhanced", "no copy stays")
	}
	require.Empty(t, w.verifierNode.Store.Records(kindAttachments))
}

func TestRequest_WireForm(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, err := w.verifier.Request(t.Context(), "to-hazel", wanted())
	require.NoError(t, err)
	sent := w.verifierNode.Store.TakeOutbox()
	require.Len(t, sent, 1)
	m := sent[0].Message
	require.Equal(t, "https://didcomm.org/present-proof/2.0/request-presentation", m.Type.String())
	require.Equal(t, m.ID, m.Thread)
	require.Equal(t, start.Add(24*time.Hour), m.Expires)
	var b requestBody
	require.NoError(t, m.Decode(&b))
	require.True(t, b.Confirms)
	list, err := m.Attached("request_presentations")
	require.NoError(t, err)
	require.Len(t, list, 1)
	require.Equal(t, "dif/presentation-exchange/definitions@v1.0", list[0].FormatID)
	raw, err := list[0].Content()
	require.NoError(t, err)
	var c map[string]any
	require.NoError(t, json.Unmarshal(raw, &c))
	options := c["options"].(map[string]any)
	require.Equal(t, domain(t), options["domain"])
	require.Len(t, options["challenge"], 26)
	definition := c["presentation_definition"].(map[string]any)
	require.Equal(t, map[string]any{"ldp_vp": map[string]any{"proof_type": []any{"DataIntegrityProof"}}}, definition["format"])
	require.Equal(t, []any{map[string]any{"id": "input-1", "name": "Staff passport", "constraints": map[string]any{"fields": []any{
		map[string]any{"path": []any{"$.type"}, "filter": map[string]any{"type": "array", "contains": map[string]any{"const": passportType}}},
		map[string]any{"path": []any{"$.credentialSubject.dbs.level"}},
		map[string]any{"path": []any{"$.credentialSubject.personal.middleName"}, "optional": true},
	}}}}, definition["input_descriptors"])
}

func TestRequest_FreshChallenge(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.verifier.NewID = counter()
	seen := map[string]bool{}
	for range 3 {
		_, err := w.verifier.Request(t.Context(), "to-hazel", wanted())
		require.NoError(t, err)
	}
	for _, r := range w.verifierNode.Store.Records(kindExchange) {
		var x record
		require.NoError(t, json.Unmarshal(r.Data, &x))
		seen[x.Challenge] = true
	}
	require.Len(t, seen, 3)
}

// TestProver_Domain: a verifier asks for its DID on the connection, and a prover
// gives a presentation for anything else to nobody: the peer could pass it on.
func TestProver_Domain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	verifierID, proverID := w.ask(wanted())
	require.Equal(t, domain(t), w.load(t, verifierID).Domain)
	x, err := w.prover.Exchange(t.Context(), proverID)
	require.NoError(t, err)
	require.Equal(t, domain(t), x.Domain)
	require.NoError(t, w.prover.Present(t.Context(), proverID, w.answer()))
	w.settle()
	require.Equal(t, Done, w.only(w.verifier.Exchanges).State)

	mine, other := peerDID(t, 5), peerDID(t, 6)
	for domain, ok := range map[string]bool{
		mine.String():                                   true,
		didpeer.Short(mine).String():                    true,
		other.String():                                  false,
		didpeer.Short(other).String():                   false,
		"https://birchwood.example":                     false,
		"127.0.0.1":                                     false,
		w.employer.VerificationMethod().DID.String():    false,
		didpeer.Short(mine).String() + "#key-1":         false,
		" " + didpeer.Short(mine).String():              false,
		"did:web:birchwood.example":                     false,
		strings.ToUpper(didpeer.Short(mine).String()):   false,
		didpeer.Short(mine).String()[:len(domain(t))-1]: false,
	} {
		for _, unsafe := range []bool{false, true} {
			w := newWorld(t)
			w.verifier.Domain, w.prover.UnsafeAnyDomain = domain, unsafe
			_, err := w.verifier.Request(t.Context(), "to-hazel", wanted())
			require.NoError(t, err)
			m := w.verifierNode.Store.TakeOutbox()[0].Message
			err = w.proverNode.Store.Deliver(t.Context(), w.prover, "to-birchwood", m)
			if ok || unsafe {
				require.NoError(t, err, domain)
				require.Equal(t, domain, w.only(w.prover.Exchanges).Domain)
				continue
			}
			requireRefused(t, err, codeAbandoned)
			all, err := w.prover.Exchanges(t.Context())
			require.NoError(t, err)
			require.Empty(t, all, domain)
		}
	}
}

// TestProver_DomainOfNobody: a peer without a DID of its own is nobody's audience.
func TestProver_DomainOfNobody(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.theirs(w.proverNode, func(c *didcomm.Connection) { c.Theirs = did.DID{} })
	_, err := w.verifier.Request(t.Context(), "to-hazel", wanted())
	require.NoError(t, err)
	m := w.verifierNode.Store.TakeOutbox()[0].Message
	requireRefused(t, w.proverNode.Store.Deliver(t.Context(), w.prover, "to-birchwood", m), codeAbandoned)
}

// TestProver_Ack: an ack that is not final, or says nothing known, ends nothing.
func TestProver_Ack(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]State{
		`{"status":"OK"}`: Done, `{"status":"PENDING"}`: PresentationSent,
		`{"status":"FAIL"}`: PresentationSent, `{}`: PresentationSent, `{"status":1}`: PresentationSent,
	} {
		w := newWorld(t)
		put(t, w.proverNode, RoleProver, PresentationSent, "thread-1")
		m, err := didcomm.New("m1", messageType(didcomm.V1, ack), "thread-1", "", json.RawMessage(body))
		require.NoError(t, err)
		err = w.proverNode.Store.Deliver(t.Context(), w.prover, "to-birchwood", m)
		if want == Done || strings.Contains(body, "PENDING") {
			require.NoError(t, err, body)
		} else {
			requireRefused(t, err, "w.m.msg.malformed")
		}
		require.Equal(t, want, w.only(w.prover.Exchanges).State, body)
		require.Empty(t, w.proverNode.Store.TakeOutbox())
	}
}

// TestRequest_Retain: what a verifier means to keep reaches the person.
func TestRequest_Retain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := wanted()
	r.Inputs[0].Fields[0].Retain = true
	w.ask(r)
	x := w.only(w.prover.Exchanges)
	require.True(t, x.Inputs[0].Fields[0].Retain)
	require.False(t, x.Inputs[0].Fields[1].Retain)
}

func counter() func() string {
	n := 0
	return func() string { n++; return fmt.Sprint("id-", n) }
}

func TestPresent_SeveralInputs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := wanted()
	r.Inputs = append(r.Inputs,
		Input{ID: "fire", Type: skillType, Fields: []Field{{At: "/credentialSubject/skill"}}, Only: true},
		Input{ID: "again", Type: passportType, Fields: []Field{{At: "/credentialSubject/personal/givenName"}}})
	_, id := w.ask(r)
	a := w.answer()
	a.Shown["fire"] = Shown{w.credential(skillType, `"skill":"Fire safety"`), []vc.Pointer{"/credentialSubject/skill"}}
	a.Shown["again"] = a.Shown["input-1"]
	require.NoError(t, w.prover.Present(t.Context(), id, a))
	w.settle()
	require.Len(t, w.decided, 1)
	require.NoError(t, w.decided[0].Err)
	require.Len(t, w.decided[0].Presentation.Credentials(), 2, "one passport answers two inputs")
	require.Len(t, w.decided[0].ByInput, 3)
	require.Contains(t, w.decided[0].ByInput["fire"].Document().Type, skillType)
}

func TestPresent_NotAnnounced(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, err := w.verifier.Request(t.Context(), "to-hazel", wanted())
	require.NoError(t, err)
	m := w.verifierNode.Store.TakeOutbox()[0].Message
	m = edit(t, m, func(b map[string]any) { delete(b, "will_confirm") })
	require.NoError(t, w.proverNode.Store.Deliver(t.Context(), w.prover, "to-birchwood", m))
	id := w.only(w.prover.Exchanges).ID
	require.False(t, w.only(w.prover.Exchanges).Confirms)
	require.NoError(t, w.prover.Present(t.Context(), id, w.answer()))
	require.Equal(t, Done, w.only(w.prover.Exchanges).State)
}

// edit changes the body of a message.
func edit(t *testing.T, m *didcomm.Message, change func(map[string]any)) *didcomm.Message {
	t.Helper()
	var b map[string]any
	require.NoError(t, json.Unmarshal(m.Body, &b))
	change(b)
	raw, err := json.Marshal(b)
	require.NoError(t, err)
	out := *m
	out.Body = raw
	return &out
}

func TestVerifier_RequestRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.verifierNode.Connect("half-made", false)
	for name, c := range map[string]struct {
		connection string
		change     func(*Request)
		want       error
	}{
		"no connection":    {"nobody", func(*Request) {}, didcomm.ErrNotFound},
		"not established":  {"half-made", func(*Request) {}, ErrState},
		"nothing asked":    {"to-hazel", func(r *Request) { r.Inputs = nil }, ErrMalformed},
		"no type":          {"to-hazel", func(r *Request) { r.Inputs[0].Type = "" }, ErrMalformed},
		"two ids the same": {"to-hazel", func(r *Request) { r.Inputs = append(r.Inputs, r.Inputs[0]); r.Inputs[0].ID = "input-2" }, ErrMalformed},
		"field no pointer": {"to-hazel", func(r *Request) { r.Inputs[0].Fields[0].At = "dbs" }, ErrMalformed},
		"field empty":      {"to-hazel", func(r *Request) { r.Inputs[0].Fields[0].At = "" }, ErrMalformed},
		"field too long":   {"to-hazel", func(r *Request) { r.Inputs[0].Fields[0].At = vc.Pointer("/" + string(make([]byte, maxPath))) }, ErrMalformed},
		"too many inputs": {"to-hazel", func(r *Request) {
			for range maxInputs {
				r.Inputs = append(r.Inputs, Input{Type: "X"})
			}
		}, ErrMalformed},
		"too many fields": {"to-hazel", func(r *Request) {
			for range maxFields {
				r.Inputs[0].Fields = append(r.Inputs[0].Fields, Field{At: "/a"})
			}
		}, ErrMalformed},
	} {
		r := wanted()
		c.change(&r)
		_, err := w.verifier.Request(t.Context(), c.connection, r)
		require.ErrorIs(t, err, c.want, name)
	}
	require.Empty(t, w.verifierNode.Store.TakeOutbox())
}

// wireRequest is a request of version 2.0 as it is written.
type wireRequest struct {
	Confirms bool                 `json:"will_confirm"`
	Formats  didcomm.Formats      `json:"formats"`
	Requests []didcomm.Attachment `json:"request_presentations~attach"`
}

func TestProver_RequestRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, err := w.verifier.Request(t.Context(), "to-hazel", wanted())
	require.NoError(t, err)
	m := w.verifierNode.Store.TakeOutbox()[0].Message
	var b wireRequest
	require.NoError(t, m.Decode(&b))
	raw, err := b.Requests[0].Content()
	require.NoError(t, err)

	inside := func(change func(c, d map[string]any)) func(*wireRequest) {
		return func(b *wireRequest) {
			var c map[string]any
			require.NoError(t, json.Unmarshal(raw, &c))
			change(c, c["presentation_definition"].(map[string]any))
			out, err := json.Marshal(c)
			require.NoError(t, err)
			b.Requests = []didcomm.Attachment{didcomm.NewAttachment(b.Formats[0].AttachID, "", out)}
		}
	}
	fields := func(list ...any) func(*wireRequest) {
		return inside(func(_, d map[string]any) {
			d["input_descriptors"] = []any{map[string]any{"id": "a", "constraints": map[string]any{"fields": list}}}
		})
	}
	constraint := func(name string, v any) func(*wireRequest) {
		return inside(func(_, d map[string]any) {
			d["input_descriptors"] = []any{map[string]any{"id": "a", "constraints": map[string]any{name: v}}}
		})
	}
	for name, change := range map[string]func(*wireRequest){
		"another format":  func(b *wireRequest) { b.Formats[0].Format = "hlindy/proof-req@v2.0" },
		"no attachment":   func(b *wireRequest) { b.Requests = nil },
		"not JSON":        func(b *wireRequest) { b.Requests[0] = didcomm.NewAttachment(b.Formats[0].AttachID, "", []byte("{")) },
		"no challenge":    inside(func(c, _ map[string]any) { delete(c["options"].(map[string]any), "challenge") }),
		"long challenge":  inside(func(c, _ map[string]any) { c["options"].(map[string]any)["challenge"] = strings.Repeat("x", maxText+1) }),
		"long domain":     inside(func(c, _ map[string]any) { c["options"].(map[string]any)["domain"] = strings.Repeat("x", maxDomain+1) }),
		"two definitions": func(b *wireRequest) { b.Requests = append(b.Requests, b.Requests[0]) },
		"two of a format": func(b *wireRequest) {
			again := b.Requests[0]
			again.ID = "again"
			b.Requests = append(b.Requests, again)
			b.Formats = append(b.Formats, didcomm.Format{AttachID: "again", Format: string(Definitions)})
		},
		"no options":       inside(func(c, _ map[string]any) { delete(c, "options") }),
		"no definition":    inside(func(c, _ map[string]any) { delete(c, "presentation_definition") }),
		"nothing asked":    inside(func(_, d map[string]any) { d["input_descriptors"] = []any{} }),
		"input without id": inside(func(_, d map[string]any) { d["input_descriptors"] = []any{map[string]any{}} }),
		"two inputs, one id": inside(func(_, d map[string]any) {
			d["input_descriptors"] = []any{map[string]any{"id": "a"}, map[string]any{"id": "a"}}
		}),
		"no proof type": inside(func(_, d map[string]any) {
			d["format"] = map[string]any{"ldp_vp": map[string]any{"proof_type": []any{}}}
		}),
		"no known algorithm": inside(func(_, d map[string]any) {
			d["format"] = map[string]any{"jwt_vp": map[string]any{"alg": []any{"HS256"}}}
		}),
		"other format inside": inside(func(_, d map[string]any) {
			d["format"] = map[string]any{"mso_mdoc": map[string]any{"alg": []any{"EdDSA"}}}
		}),
		"requirements":          inside(func(_, d map[string]any) { d["submission_requirements"] = []any{map[string]any{"rule": "pick"}} }),
		"path with a wildcard":  fields(map[string]any{"path": []any{"$.credentialSubject[*].a"}}),
		"path recursive":        fields(map[string]any{"path": []any{"$..a"}}),
		"path with a filter":    fields(map[string]any{"path": []any{"$.a[?(@.b)]"}}),
		"path the root":         fields(map[string]any{"path": []any{"$"}}),
		"no path":               fields(map[string]any{"purpose": "x"}),
		"type by pattern":       fields(map[string]any{"path": []any{"$.type"}, "filter": map[string]any{"pattern": "Pass.*"}}),
		"type without filter":   fields(map[string]any{"path": []any{"$.type"}}),
		"pattern on a claim":    fields(map[string]any{"path": []any{"$.a"}, "filter": map[string]any{"type": "string", "pattern": "b"}}),
		"range of a claim":      fields(map[string]any{"path": []any{"$.a"}, "filter": map[string]any{"type": "number", "minimum": 18}}),
		"unknown kind":          fields(map[string]any{"path": []any{"$.a"}, "filter": map[string]any{"type": "date"}}),
		"no value will do":      fields(map[string]any{"path": []any{"$.a"}, "filter": map[string]any{"enum": []any{}}}),
		"an object as a value":  fields(map[string]any{"path": []any{"$.a"}, "filter": map[string]any{"const": map[string]any{"b": 1}}}),
		"const and enum":        fields(map[string]any{"path": []any{"$.a"}, "filter": map[string]any{"const": 1, "enum": []any{1}}}),
		"list with a value":     fields(map[string]any{"path": []any{"$.a"}, "filter": map[string]any{"contains": map[string]any{"const": "A"}}}),
		"predicate":             fields(map[string]any{"path": []any{"$.a"}, "predicate": "required"}),
		"unknown field member":  fields(map[string]any{"path": []any{"$.a"}, "x": 1}),
		"more in a type filter": fields(map[string]any{"path": []any{"$.type"}, "filter": map[string]any{"contains": map[string]any{"const": "A"}, "minItems": 3}}),
		"pattern of a type":     fields(map[string]any{"path": []any{"$.type"}, "filter": map[string]any{"contains": map[string]any{"const": "A", "pattern": "B"}}}),
		"same_subject":          constraint("same_subject", []any{map[string]any{"field_id": []any{"a"}, "directive": "preferred"}}),
		"subject_is_issuer":     constraint("subject_is_issuer", "required"),
		"statuses":              constraint("statuses", map[string]any{"active": map[string]any{"directive": "required"}}),
		"unknown constraint":    constraint("x", true),
		"limit of its own":      constraint("limit_disclosure", "forbidden"),
		"other format of a credential": inside(func(_, d map[string]any) {
			d["input_descriptors"] = []any{map[string]any{"id": "a", "format": map[string]any{"mso_mdoc": map[string]any{"alg": []any{"EdDSA"}}}}}
		}),
		"schema without a URL": inside(func(_, d map[string]any) {
			d["input_descriptors"] = []any{map[string]any{"id": "a", "schema": []any{map[string]any{}}}}
		}),
		"all of several schemas": inside(func(_, d map[string]any) {
			d["input_descriptors"] = []any{map[string]any{"id": "a", "schema": []any{map[string]any{"uri": "a:b", "required": true}, map[string]any{"uri": "a:c", "required": true}}}}
		}),
		"two types": fields(map[string]any{"path": []any{"$.type"}, "filter": map[string]any{"const": "A"}},
			map[string]any{"path": []any{"$.type"}, "filter": map[string]any{"const": "B"}}),
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			var b wireRequest
			require.NoError(t, m.Decode(&b))
			change(&b)
			m, err := didcomm.New("m1", m.Type, "thread-1", "", b)
			require.NoError(t, err)
			err = w.proverNode.Store.Deliver(t.Context(), w.prover, "to-birchwood", m)
			requireRefused(t, err, codeAbandoned)
			require.Equal(t, []string{problem}, sentNames(w.proverNode))
			all, err := w.prover.Exchanges(t.Context())
			require.NoError(t, err)
			require.Empty(t, all)
		})
	}
}

func TestDeclineAndWithdraw(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	verifierID, proverID := w.ask(wanted())
	require.NoError(t, w.prover.Decline(t.Context(), proverID, "I have not met you."))
	require.Equal(t, []string{problem}, names(w.settle()))
	require.Equal(t, "declined", w.only(w.prover.Exchanges).Code)
	v := w.only(w.verifier.Exchanges)
	require.Equal(t, Abandoned, v.State)
	require.Equal(t, "I have not met you.", v.Reason)
	require.True(t, v.ByPeer)
	require.Empty(t, w.decided)
	require.ErrorIs(t, w.prover.Present(t.Context(), proverID, w.answer()), ErrState)
	require.ErrorIs(t, w.verifier.Withdraw(t.Context(), verifierID, ""), ErrState)
	require.ErrorIs(t, w.verifier.Withdraw(t.Context(), proverID, ""), didcomm.ErrNotFound)

	w = newWorld(t)
	verifierID, proverID = w.ask(wanted())
	require.NoError(t, w.verifier.Withdraw(t.Context(), verifierID, "The shift was cancelled."))
	w.settle()
	require.Equal(t, Abandoned, w.only(w.prover.Exchanges).State)
	require.ErrorIs(t, w.prover.Present(t.Context(), proverID, w.answer()), ErrState)
	require.Empty(t, w.proverNode.Store.TakeOutbox())
}

// TestDelete: what has ended can be forgotten, and nothing else.
func TestDelete(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	verifierID, proverID := w.ask(wanted())
	require.ErrorIs(t, w.verifier.Delete(t.Context(), verifierID), ErrState)
	require.ErrorIs(t, w.prover.Delete(t.Context(), proverID), ErrState)
	require.ErrorIs(t, w.verifier.Delete(t.Context(), proverID), didcomm.ErrNotFound)
	require.ErrorIs(t, w.prover.Delete(t.Context(), verifierID), didcomm.ErrNotFound)
	require.NoError(t, w.prover.Present(t.Context(), proverID, w.answer()))
	w.settle()
	require.NoError(t, w.verifier.Delete(t.Context(), verifierID))
	require.NoError(t, w.prover.Delete(t.Context(), proverID))
	for _, n := range []*memtx.Node{w.verifierNode, w.proverNode} {
		require.Empty(t, n.Store.Records(kindExchange))
		events := n.Store.Events()
		require.Equal(t, "present-proof/deleted", events[len(events)-1].Action)
	}
	require.ErrorIs(t, w.verifier.Delete(t.Context(), verifierID), didcomm.ErrNotFound)
}

// TestExpire_NoPeer: an exchange whose connection was deleted ends without a word.
func TestExpire_NoPeer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.ask(wanted())
	require.NoError(t, w.verifierNode.Store.Update(t.Context(), func(tx didcomm.Tx) error { return tx.DeleteConnection("to-hazel") }))
	n, err := w.verifier.Expire(t.Context(), start.Add(time.Hour))
	require.NoError(t, err)
	require.Equal(t, 1, n)
	require.Equal(t, Abandoned, w.only(w.verifier.Exchanges).State)
	require.Empty(t, w.verifierNode.Store.TakeOutbox())
}

func TestExpire(t *testing.T) {
	t.Parallel()
	t.Run("no answer", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.ask(wanted())
		n, err := w.prover.Expire(t.Context(), start.Add(time.Hour))
		require.NoError(t, err)
		require.Zero(t, n, "waits for the person, not for the peer")
		w.clock.Advance(2 * time.Hour)
		n, err = w.verifier.Expire(t.Context(), start.Add(time.Hour))
		require.NoError(t, err)
		require.Equal(t, 1, n)
		w.settle()
		require.Equal(t, "expired", w.only(w.verifier.Exchanges).Code)
		require.Equal(t, Abandoned, w.only(w.prover.Exchanges).State)
	})
	t.Run("answered too late", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		_, id := w.ask(wanted())
		w.clock.Advance(24 * time.Hour)
		require.ErrorIs(t, w.prover.Present(t.Context(), id, w.answer()), ErrState)
		require.Equal(t, []string{problem}, names(w.settle()))
	})
	t.Run("arrives too late", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		_, id := w.ask(wanted())
		require.NoError(t, w.prover.Present(t.Context(), id, w.answer()))
		w.clock.Advance(24 * time.Hour)
		w.settle()
		require.Equal(t, "expired", w.only(w.verifier.Exchanges).Code)
		require.Empty(t, w.decided)
	})
	t.Run("request arrives expired", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		r := wanted()
		r.Expires = start
		_, err := w.verifier.Request(t.Context(), "to-hazel", r)
		require.NoError(t, err)
		m := w.verifierNode.Store.TakeOutbox()[0].Message
		requireRefused(t, w.proverNode.Store.Deliver(t.Context(), w.prover, "to-birchwood", m), codeAbandoned)
	})
}

// TestWork_Twice: a task that runs again after a crash, and at the same time,
// gives one decision and one answer.
func TestWork_Twice(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	verifierID, proverID := w.ask(wanted())
	require.NoError(t, w.prover.Present(t.Context(), proverID, w.answer()))
	require.NoError(t, w.verifier.Work(t.Context(), verifierID), "nothing to do yet")
	require.ErrorIs(t, w.verifier.Work(t.Context(), proverID), didcomm.ErrPermanent)
	m := w.proverNode.Store.TakeOutbox()[0].Message
	require.NoError(t, w.verifierNode.Store.Deliver(t.Context(), w.verifier, "to-hazel", m))
	crash := errors.New("crash")
	w.verifierNode.Store.Fail = func() error { return crash }
	require.ErrorIs(t, w.verifier.Work(t.Context(), verifierID), crash)
	require.Empty(t, w.verifierNode.Store.Records("decided"))
	w.verifierNode.Store.Fail = nil
	var wg sync.WaitGroup
	for range 4 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			if err := w.verifier.Work(context.Background(), verifierID); err != nil {
				t.Error(err)
			}
		}()
	}
	wg.Wait()
	require.Len(t, w.verifierNode.Store.Records("decided"), 1)
	require.Equal(t, []string{ack}, sentNames(w.verifierNode))
	require.Equal(t, Done, w.only(w.verifier.Exchanges).State)
}

// unsure is a Check that cannot tell at first.
type unsure struct {
	real  *verify.Verifier
	times int
}

func (u *unsure) Presentation(ctx context.Context, s vc.Secured, want verify.Session) (*verify.Presentation, error) {
	if u.times > 0 {
		u.times--
		return nil, &verify.Error{Index: 0, Check: verify.CheckStatus, Code: verify.ErrUnavailable,
			Checks: []verify.Result{{Index: 0, Check: verify.CheckStatus, Outcome: verify.Undecided, Sentence: "The check could not be made now."}}}
	}
	return u.real.Presentation(ctx, s, want)
}

func TestVerifier_Undecided(t *testing.T) {
	t.Parallel()
	for _, forever := range []bool{false, true} {
		w := newWorld(t)
		u := &unsure{w.check(), 2}
		w.verifier.Check = u
		_, id := w.ask(wanted())
		require.NoError(t, w.prover.Present(t.Context(), id, w.answer()))
		for range 2 {
			_, err := memtx.Settle(t.Context(), w.verifierNode, w.proverNode)
			require.ErrorIs(t, err, verify.ErrUnavailable)
			x := w.only(w.verifier.Exchanges)
			require.Equal(t, PresentationReceived, x.State)
			require.Equal(t, "unavailable", x.Code)
			require.NotEmpty(t, x.Reason)
			require.Empty(t, w.decided)
		}
		if forever {
			u.times = 1000
			w.clock.Advance(patience)
		}
		w.settle()
		x := w.only(w.verifier.Exchanges)
		if forever {
			require.Equal(t, Abandoned, x.State)
			require.Equal(t, "unavailable", x.Code)
			require.ErrorIs(t, w.decided[0].Err, verify.ErrUnavailable)
			require.Nil(t, w.decided[0].Presentation)
			continue
		}
		require.Equal(t, Done, x.State)
		require.Empty(t, x.Code)
	}
}

func TestVerifier_DecidedFails(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	full := errors.New("disk full")
	w.verifier.Decided = func(context.Context, didcomm.Tx, *Exchange, Decision) error { return full }
	_, id := w.ask(wanted())
	require.NoError(t, w.prover.Present(t.Context(), id, w.answer()))
	_, err := memtx.Settle(t.Context(), w.verifierNode, w.proverNode)
	require.ErrorIs(t, err, full)
	require.Equal(t, PresentationReceived, w.only(w.verifier.Exchanges).State)
	w.verifier.Decided = func(ctx context.Context, tx didcomm.Tx, x *Exchange, d Decision) error {
		if d.Err == nil {
			return fmt.Errorf("%w: the photo does not match", didcomm.ErrPermanent)
		}
		return w.note(ctx, tx, x, d)
	}
	w.settle()
	require.Equal(t, "not-accepted", w.only(w.verifier.Exchanges).Code)
	require.Equal(t, Abandoned, w.only(w.prover.Exchanges).State)
	require.Len(t, w.decided, 1)
	require.Nil(t, w.decided[0].Presentation)

	w = newWorld(t)
	w.verifier.Decided = func(_ context.Context, tx didcomm.Tx, x *Exchange, d Decision) error {
		if err := tx.Save("decided", x.ID, d.Err == nil); err != nil {
			return err
		}
		return fmt.Errorf("%w: the photo does not match", didcomm.ErrPermanent)
	}
	_, id = w.ask(wanted())
	require.NoError(t, w.prover.Present(t.Context(), id, w.answer()))
	require.Equal(t, []string{presentation, problem}, names(w.settle()), "refused, whatever Decided says of that")
	require.Equal(t, "not-accepted", w.only(w.verifier.Exchanges).Code)
	require.Equal(t, Abandoned, w.only(w.prover.Exchanges).State)
	require.Empty(t, w.verifierNode.Store.Records("decided"), "what failed is undone")
	events := w.verifierNode.Store.Events()
	require.Equal(t, "not-heard", events[len(events)-2].Outcome)

	w = newWorld(t)
	w.verifier.Decided = nil
	_, id = w.ask(wanted())
	require.NoError(t, w.prover.Present(t.Context(), id, w.answer()))
	w.settle()
	require.Equal(t, Done, w.only(w.verifier.Exchanges).State)
}

func TestAbandonAndReported(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.ask(wanted())
	roles := Roles{w.verifier, w.prover}
	thread := w.only(w.verifier.Exchanges).Thread
	abandon := func(connection, thread string) (mine bool) {
		require.NoError(t, w.verifierNode.Store.Update(t.Context(), func(tx didcomm.Tx) (err error) {
			mine, err = roles.Abandon(t.Context(), tx, didcomm.Connection{ID: connection}, thread, &didcomm.Problem{Code: undeliverable, Comment: "x"})
			return err
		}))
		return mine
	}
	require.False(t, abandon("to-hazel", "another"))
	require.False(t, abandon("another", thread))
	require.True(t, abandon("to-hazel", thread))
	require.Equal(t, undeliverable, w.only(w.verifier.Exchanges).Code)
	require.Empty(t, w.verifierNode.Store.TakeOutbox())

	for code, want := range map[string]State{"abandoned": Abandoned, "e.p.req": Abandoned, "w.m.req": RequestReceived} {
		w := newWorld(t)
		w.ask(wanted())
		m, err := didcomm.New("r1", messageType(didcomm.V1, problem), w.only(w.prover.Exchanges).Thread, "", map[string]any{"description": map[string]string{"code": code}})
		require.NoError(t, err)
		require.NoError(t, w.proverNode.Store.Deliver(t.Context(), Roles{w.verifier, w.prover}, "to-birchwood", m))
		require.Equal(t, want, w.only(w.prover.Exchanges).State, code)
		require.Empty(t, w.proverNode.Store.TakeOutbox())
	}
}
