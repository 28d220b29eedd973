package issue

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/did/didkey"
	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/internal/memtx"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/dataintegrity"
	"github.com/staffpassport/staffpassport/vc/dataintegrity/legacy"
	"github.com/staffpassport/staffpassport/vc/jose"
	"github.com/staffpassport/staffpassport/vc/sdjwt"
	"github.com/staffpassport/staffpassport/vc/verify"
)

const (
	passportContext = "https://w3id.org/staffpassport/v1"
	passportType    = "StaffPassportCredential"
)

// as returns a message as one of the version, with its attachments where that has them.
func as(t testing.TB, v didcomm.Version, m *didcomm.Message) *didcomm.Message {
	t.Helper()
	if v.Or1() == didcomm.V1 {
		return m
	}
	out := *m
	out.Version, out.Type.Major = v, major(v)
	if m.Type.Name == ack || m.Type.Name == problem || m.Type.Name == "dance" {
		return &out
	}
	c := said(t, m)
	moved, err := compose(v, m.ID, m.Type.Name, m.Thread, c)
	require.NoError(t, err)
	moved.Parent, moved.Expires = m.Parent, m.Expires
	return moved
}

func contexts() *vc.ContextSet {
	s, err := vc.NewContextSet(map[string][]byte{passportContext: []byte(`{"@context":{}}`)}, vc.Contexts(passportContext),
		contextsV1(), []vc.Context{{URL: vc.ContextV1}, {Inline: json.RawMessage(`{"@vocab":"https://example.org/staff-passport"}`)}})
	if err != nil {
		panic(err)
	}
	return s
}

// contextsV1 are those of credentials of data model 1.1, as the agents recorded in
// testdata have them.
func contextsV1() []vc.Context {
	return []vc.Context{{URL: vc.ContextV1}, {Inline: json.RawMessage(`{"@vocab":"https://rivers.example/terms#"}`)}}
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

func p256Signer(t testing.TB) did.Signer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	id, err := didkey.New(key.Public())
	require.NoError(t, err)
	s, err := did.NewSigner(didkey.SigningMethod(id), key)
	require.NoError(t, err)
	return s
}

// A world is an employer and a member of staff, each with a store.
type world struct {
	t       testing.TB
	version didcomm.Version
	clock   *clock

	employer did.Signer
	staff    did.Signer

	issuer     *Issuer
	holder     *Holder
	issuerNode *memtx.Node
	holderNode *memtx.Node

	mu     sync.Mutex
	signed int        // how often Issue was called
	sealed []byte     // and what came of it last
	kept   []Received // what Keep was given
}

func newWorld(t testing.TB) *world { return newWorldOf(t, didcomm.V1) }

// versions are those of DIDComm, and of the protocol.
var versions = map[string]didcomm.Version{"2.0": didcomm.V1, "3.0": didcomm.V2}

func newWorldOf(t testing.TB, v didcomm.Version) *world {
	t.Helper()
	w := &world{t: t, version: v, clock: &clock{t: start}, employer: signer(t, 1), staff: signer(t, 2),
		issuerNode: memtx.NewNodeOf(v, "to-hazel"), holderNode: memtx.NewNodeOf(v, "to-alderbrook")}
	w.issuer = &Issuer{Store: &w.issuerNode.Store, Resolver: didkey.Resolver{}, Issue: w.issue, Now: w.clock.Now}
	w.holder = &Holder{Store: &w.holderNode.Store, Check: w.verifier(), Keep: w.keep, Now: w.clock.Now}
	w.issuerNode.Handler, w.issuerNode.Workers = w.issuer, map[string]didcomm.Worker{TaskIssue: w.issuer}
	w.holderNode.Handler, w.holderNode.Workers = w.holder, map[string]didcomm.Worker{TaskVerify: w.holder}
	return w
}

func (w *world) node(r Role) *memtx.Node {
	if r == RoleHolder {
		return w.holderNode
	}
	return w.issuerNode
}

func (w *world) verifier() *verify.Verifier {
	return &verify.Verifier{Resolver: didkey.Resolver{}, Contexts: contexts(), Now: w.clock.Now,
		Suites: []dataintegrity.Suite{dataintegrity.EdDSAJCS2022(), legacy.Ed25519Signature2018()},
		Trust:  verify.TrustedIssuers{w.employer.VerificationMethod().DID: {passportType}}}
}

func (w *world) sign(ctx context.Context, _ *Exchange, c *vc.Credential) (vc.Secured, error) {
	w.mu.Lock()
	w.signed++
	w.mu.Unlock()
	c.ValidFrom = w.clock.Now()
	i := &dataintegrity.Issuer{Suite: dataintegrity.EdDSAJCS2022(), Signer: w.employer, Contexts: contexts(), Now: w.clock.Now}
	s, err := i.Secure(ctx, c)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.sealed = s.Bytes
	return s, err
}

// issue is what an employer does: every form that was asked for.
func (w *world) issue(ctx context.Context, x *Exchange, c *vc.Credential) ([]vc.Secured, error) {
	if x.FormatID == FormatLinkedData {
		return w.issueLinked(ctx, x, c)
	}
	s, err := w.sign(ctx, x, c)
	if err != nil || len(x.Forms) == 1 {
		return []vc.Secured{s}, err
	}
	i := &sdjwt.Issuer{Signer: w.employer, Disclosable: []vc.Pointer{"/credentialSubject/dbs"}, Holder: w.staff.Public(), Contexts: contexts(), Now: w.clock.Now}
	token, err := i.Secure(ctx, c)
	return []vc.Secured{s, token}, err
}

// issueLinked is what an employer does for other agents.
func (w *world) issueLinked(ctx context.Context, x *Exchange, c *vc.Credential) ([]vc.Secured, error) {
	w.mu.Lock()
	w.signed++
	w.mu.Unlock()
	var secure vc.Securer
	switch {
	case x.Forms[0] == jose.MediaTypeLegacy:
		secure = &jose.LegacyIssuer{Signer: w.employer, Contexts: contexts(), Now: w.clock.Now}
	case x.Forms[0] == jose.MediaTypeCredential:
		secure = &jose.Issuer{Signer: w.employer, Contexts: contexts(), Now: w.clock.Now}
	case x.Options.ProofType == "Ed25519Signature2018":
		secure = &dataintegrity.Issuer{Suite: legacy.Ed25519Signature2018(), Signer: w.employer, Contexts: contexts(), Now: w.clock.Now}
	default:
		c.ValidFrom = w.clock.Now()
		secure = &dataintegrity.Issuer{Suite: dataintegrity.EdDSAJCS2022(), Signer: w.employer, Contexts: contexts(), Now: w.clock.Now}
	}
	s, err := secure.Secure(ctx, c)
	return []vc.Secured{s}, err
}

func (w *world) keep(_ context.Context, tx didcomm.Tx, x *Exchange, r Received) error {
	w.mu.Lock()
	w.kept = append(w.kept, r)
	w.mu.Unlock()
	return tx.Save("kept", x.ID, r.Forms[0].Secured.Bytes)
}

// passport is what the employer offers.
func (w *world) passport() *vc.Credential {
	return &vc.Credential{
		Context: vc.Contexts(passportContext), Type: []string{vc.TypeCredential, passportType},
		Issuer: vc.Party{ID: w.employer.VerificationMethod().DID.String()}, ValidUntil: start.AddDate(1, 0, 0),
		Subject: json.RawMessage(`{"personal":{"givenName":"Hazel","familyName":"Wye","photo":{"id":"urn:photo:1"}},"dbs":{"level":"Enhanced <&>"}}`),
	}
}

// passportV1 is the same of data model 1.1.
func (w *world) passportV1() *vc.Credential {
	c := w.passport()
	c.Context, c.ValidFrom = contextsV1(), start
	c.Subject = json.RawMessage(`{"familyName":"Wye","level":"Enhanced"}`)
	return c
}

// about makes a credential one about a DID.
func about(c *vc.Credential, s did.Signer) *vc.Credential {
	o, err := withSubject([]byte(`{"credentialSubject":`+string(c.Subject)+`}`), s.VerificationMethod().DID)
	if err != nil {
		panic(err)
	}
	var doc struct {
		Subject json.RawMessage `json:"credentialSubject"`
	}
	if err := json.Unmarshal(o, &doc); err != nil {
		panic(err)
	}
	c.Subject = doc.Subject
	return c
}

func photo() didcomm.Attachment {
	return didcomm.NewAttachment("urn:photo:1", "image/jpeg", []byte{0xff, 0xd8, 0xff})
}

// offer makes an offer and has it delivered.
func (w *world) offer() (issuerID, holderID string) {
	w.t.Helper()
	id, err := w.issuer.Offer(w.t.Context(), "to-hazel", Offer{Credential: w.passport(), Attachments: []didcomm.Attachment{photo()},
		Comment: "Your staff passport", Expires: start.Add(24 * time.Hour)})
	require.NoError(w.t, err)
	w.settle()
	return id, w.only(w.holder.Exchanges).ID
}

func (w *world) settle() []*didcomm.Message {
	w.t.Helper()
	trace, err := memtx.Settle(w.t.Context(), w.issuerNode, w.holderNode)
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

// put places an exchange of a role in a state, as far as it could have come.
func put(t testing.TB, n *memtx.Node, w *world, role Role, state State, thread string) *record {
	t.Helper()
	doc, err := w.passport().MarshalJSON()
	require.NoError(t, err)
	x := &record{Exchange: Exchange{
		ID: exchangeID(n.Connection, thread, role), Role: role, State: state, Connection: n.Connection, Thread: thread,
		Created: start, Since: start, Offered: doc,
	}, Bound: true, Binding: &signedMethod{Algs: bindingAlgs(), Methods: holderMethods(), Nonce: "nonce-of-" + thread}}
	if state == Start {
		return x
	}
	require.NoError(t, n.Store.Update(t.Context(), func(tx didcomm.Tx) error { return tx.Save(kindExchange, x.ID, x) }))
	return x
}

// The bodies of version 2.0, for tests that write messages as others might.
type offerBody struct {
	Comment string               `json:"comment,omitempty"`
	Formats didcomm.Formats      `json:"formats"`
	Offers  []didcomm.Attachment `json:"offers~attach"`
	Attach  []didcomm.Attachment `json:"~attach,omitempty"`
}

type requestBody struct {
	Formats  didcomm.Formats      `json:"formats"`
	Requests []didcomm.Attachment `json:"requests~attach"`
	Attach   []didcomm.Attachment `json:"~attach,omitempty"`
}

type issueBody struct {
	Formats     didcomm.Formats      `json:"formats"`
	Credentials []didcomm.Attachment `json:"credentials~attach"`
	Attach      []didcomm.Attachment `json:"~attach,omitempty"`
}

func newIssueBody(list []didcomm.Attachment) issueBody {
	b := issueBody{Credentials: list}
	for _, a := range list {
		b.Formats = append(b.Formats, didcomm.Format{AttachID: a.ID, Format: a.FormatID})
	}
	return b
}

// said returns what a message says.
func said(t testing.TB, m *didcomm.Message) content {
	t.Helper()
	c, err := readContent(m)
	require.NoError(t, err)
	return c
}

// meanwhile is a key that lets something happen before it signs.
type meanwhile struct {
	did.Signer
	do func()
}

func (m *meanwhile) Sign(ctx context.Context, data []byte) ([]byte, error) {
	m.do()
	return m.Signer.Sign(ctx, data)
}
