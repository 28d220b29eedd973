package present

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/json"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/did/didkey"
	"github.com/staffpassport/staffpassport/did/didpeer"
	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/internal/memtx"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/dataintegrity"
	"github.com/staffpassport/staffpassport/vc/verify"
)

const (
	passportContext = "https://w3id.org/staffpassport/v1"
	passportType    = "StaffPassportCredential"
	skillType       = "CoreSkillCredential"
)

func contexts() *vc.ContextSet {
	s, err := vc.NewContextSet(map[string][]byte{passportContext: []byte(`{"@context":{"@vocab":"https://passport.example/v1#"}}`)}, vc.Contexts(passportContext))
	if err != nil {
		panic(err)
	}
	return s
}

var start = time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)

// A clock that a test moves.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

func signer(t testing.TB, seed byte) did.Signer {
	t.Helper()
	key := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{seed}, ed25519.SeedSize))
	id, err := didkey.New(key.Public())
	require.NoError(t, err)
	s, err := did.NewSigner(didkey.SigningMethod(id), key)
	require.NoError(t, err)
	return s
}

// A world is a host organisation and a member of staff, each with a store, and
// an employer who issued before.
type world struct {
	t       testing.TB
	version didcomm.Version
	clock   *clock

	employer, staff did.Signer

	verifier     *Verifier
	prover       *Prover
	verifierNode *memtx.Node
	proverNode   *memtx.Node

	mu      sync.Mutex
	decided []Decision
}

func newWorld(t testing.TB) *world {
	t.Helper()
	return newWorldOf(t, didcomm.V1)
}

// versions are those in which everything must be the same.
var versions = map[string]didcomm.Version{"2.0": didcomm.V1, "3.0": didcomm.V2}

func newWorldOf(t testing.TB, v didcomm.Version) *world {
	t.Helper()
	w := &world{t: t, version: v, clock: &clock{t: start}, employer: signer(t, 1), staff: signer(t, 2),
		verifierNode: memtx.NewNodeOf(v, "to-hazel"), proverNode: memtx.NewNodeOf(v, "to-birchwood")}
	w.verifier = &Verifier{Store: &w.verifierNode.Store, Check: w.check(), Decided: w.note, Now: w.clock.Now}
	w.prover = &Prover{Store: &w.proverNode.Store, Now: w.clock.Now}
	w.theirs(w.verifierNode, func(c *didcomm.Connection) { c.Mine = peerDID(t, 5) })
	w.theirs(w.proverNode, func(c *didcomm.Connection) { c.Theirs = peerDID(t, 5) })
	w.verifierNode.Handler, w.verifierNode.Workers = w.verifier, map[string]didcomm.Worker{TaskVerify: w.verifier}
	w.proverNode.Handler = w.prover
	return w
}

// theirs changes the connection of a node.
func (w *world) theirs(n *memtx.Node, change func(*didcomm.Connection)) {
	w.t.Helper()
	require.NoError(w.t, n.Store.Update(w.t.Context(), func(tx didcomm.Tx) error {
		c, err := tx.Connection(n.Connection)
		if err != nil {
			return err
		}
		change(&c)
		return tx.SaveConnection(c)
	}))
}

// domain is the verifier's DID on its connection, which is who a presentation is for.
func domain(t testing.TB) string { return didpeer.Short(peerDID(t, 5)).String() }

func peerDID(t testing.TB, seed byte) did.DID {
	t.Helper()
	if known, ok := peerDIDs.Load(seed); ok {
		return known.(did.DID)
	}
	id, err := didpeer.NewDIDComm(signer(t, seed).Public().(ed25519.PublicKey), "https://birchwood.example/didcomm", nil)
	require.NoError(t, err)
	peerDIDs.Store(seed, id)
	return id
}

// peerDIDs has those that were made: every world has one, and there are thousands.
var peerDIDs sync.Map

func (w *world) node(r Role) *memtx.Node {
	if r == RoleProver {
		return w.proverNode
	}
	return w.verifierNode
}

func (w *world) check() *verify.Verifier {
	return &verify.Verifier{Resolver: didkey.Resolver{}, Contexts: contexts(), Now: w.clock.Now, Replay: verify.NonceUsedOnceByCaller{},
		Trust: verify.TrustedIssuers{w.employer.VerificationMethod().DID: {passportType, skillType}}}
}

func (w *world) note(_ context.Context, tx didcomm.Tx, x *Exchange, d Decision) error {
	w.mu.Lock()
	w.decided = append(w.decided, d)
	w.mu.Unlock()
	return tx.Save("decided", x.ID, d.Err == nil)
}

// credential is one that the employer issued to the member of staff.
func (w *world) credential(typ, subject string) vc.Secured {
	w.t.Helper()
	return w.issue(w.staff, typ, fmt.Sprintf(`{"id":%q,%s}`, w.staff.VerificationMethod().DID, subject))
}

func (w *world) issue(_ did.Signer, typ, subject string) vc.Secured {
	w.t.Helper()
	i := &dataintegrity.Issuer{Suite: dataintegrity.EdDSAJCS2022(), Signer: w.employer, Contexts: contexts(), Now: w.clock.Now}
	s, err := i.Secure(w.t.Context(), &vc.Credential{
		Context: vc.Contexts(passportContext), Type: []string{vc.TypeCredential, typ},
		Issuer: vc.Party{ID: w.employer.VerificationMethod().DID.String()}, ValidFrom: start.AddDate(0, -1, 0),
		Subject: json.RawMessage(subject),
	})
	require.NoError(w.t, err)
	return s
}

func (w *world) passport() vc.Secured {
	return w.credential(passportType, `"personal":{"givenName":"Hazel","photo":{"id":"urn:photo:1"}},"dbs":{"level":"Enhanced"}`)
}

func (w *world) presenter(key did.Signer) Presenter {
	return &dataintegrity.Presenter{Suite: dataintegrity.EdDSAJCS2022(), Signer: key, Now: w.clock.Now}
}

func photo() didcomm.Attachment {
	return didcomm.NewAttachment("urn:photo:1", "image/jpeg", []byte{0xff, 0xd8, 0xff})
}

func wanted() Request {
	return Request{Purpose: "To let you start work on Monday", Inputs: []Input{{
		Name: "Staff passport", Type: passportType,
		Fields: []Field{{At: "/credentialSubject/dbs/level"}, {At: "/credentialSubject/personal/middleName", Optional: true}},
	}}, Expires: start.Add(24 * time.Hour)}
}

// ask makes a request and has it delivered.
func (w *world) ask(r Request) (verifierID, proverID string) {
	w.t.Helper()
	id, err := w.verifier.Request(w.t.Context(), "to-hazel", r)
	require.NoError(w.t, err)
	w.settle()
	all, err := w.prover.Exchanges(w.t.Context())
	require.NoError(w.t, err)
	return id, all[len(all)-1].ID
}

// answer shows the whole passport.
func (w *world) answer() Answer {
	return Answer{Key: w.staff, Presenter: w.presenter(w.staff),
		Shown:       map[string]Shown{"input-1": {w.passport(), []vc.Pointer{"/credentialSubject"}}},
		Attachments: []didcomm.Attachment{photo()}}
}

func (w *world) settle() []*didcomm.Message {
	w.t.Helper()
	trace, err := memtx.Settle(w.t.Context(), w.verifierNode, w.proverNode)
	require.NoError(w.t, err)
	return trace
}

func (w *world) only(list func(context.Context) ([]Exchange, error)) Exchange {
	w.t.Helper()
	all, err := list(w.t.Context())
	require.NoError(w.t, err)
	require.Len(w.t, all, 1)
	return all[0]
}

func names(trace []*didcomm.Message) []string {
	out := []string{}
	for _, m := range trace {
		out = append(out, m.Type.Name)
	}
	return out
}

func sentNames(n *memtx.Node) []string {
	out := []string{}
	for _, s := range n.Store.TakeOutbox() {
		out = append(out, s.Message.Type.Name)
	}
	return out
}

func requireRefused(t *testing.T, err error, code string) {
	t.Helper()
	var p *didcomm.Problem
	require.ErrorAs(t, err, &p)
	require.Equal(t, code, p.Code)
	require.NotEmpty(t, p.Comment)
}

// message makes a message in the version of the world's connection.
func (w *world) message(id, name, thread string, body any, member string, list ...didcomm.Attachment) *didcomm.Message {
	w.t.Helper()
	t := messageType(w.version, name)
	var m *didcomm.Message
	var err error
	if len(list) > 0 || w.version == didcomm.V2 {
		m, err = didcomm.NewWith(w.version, id, t, thread, "", body, member, list)
	} else {
		m, err = didcomm.New(id, t, thread, "", body)
	}
	require.NoError(w.t, err)
	return m
}

// report makes a report about a thread, as a runtime would.
func (w *world) report(id, thread, code string) *didcomm.Message {
	w.t.Helper()
	m, err := (&didcomm.Problem{Code: code, Comment: "no"}).Report(id, &didcomm.Message{Version: w.version, Type: messageType(w.version, presentation), Thread: thread})
	require.NoError(w.t, err)
	return m
}

// put places an exchange of a role in a state, as far as it could have come.
func put(t testing.TB, n *memtx.Node, role Role, state State, thread string) *record {
	t.Helper()
	r := wanted()
	r.Inputs[0].ID = "input-1"
	x := &record{Exchange: Exchange{
		ID: exchangeID(n.Connection, thread, role), Role: role, State: state, Connection: n.Connection, Thread: thread,
		Created: start, Since: start, Inputs: r.Inputs, Confirms: true, Domain: domain(t),
	}, Definition: "definition-1", Challenge: "challenge-1"}
	if state == Start {
		return x
	}
	require.NoError(t, n.Store.Update(t.Context(), func(tx didcomm.Tx) error { return tx.Save(kindExchange, x.ID, x) }))
	return x
}
