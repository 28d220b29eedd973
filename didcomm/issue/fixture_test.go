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
	"github.com/staffpassport/staffpassport/vc/sdjwt"
	"github.com/staffpassport/staffpassport/vc/verify"
)

const (
	passportContext = "https://w3id.org/staffpassport/v1"
	passportType    = "StaffPassportCredential"
)

func contexts() *vc.ContextSet {
	s, err := vc.NewContextSet(map[string][]byte{passportContext: []byte(`{"@context":{}}`)}, vc.Contexts(passportContext))
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
	t     testing.TB
	clock *clock

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

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{t: t, clock: &clock{t: start}, employer: signer(t, 1), staff: signer(t, 2),
		issuerNode: memtx.NewNode("to-hazel"), holderNode: memtx.NewNode("to-alderbrook")}
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
		Trust: verify.TrustedIssuers{w.employer.VerificationMethod().DID: {passportType}}}
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
	s, err := w.sign(ctx, x, c)
	if err != nil || len(x.Forms) == 1 {
		return []vc.Secured{s}, err
	}
	i := &sdjwt.Issuer{Signer: w.employer, Disclosable: []vc.Pointer{"/credentialSubject/dbs"}, Holder: w.staff.Public(), Contexts: contexts(), Now: w.clock.Now}
	token, err := i.Secure(ctx, c)
	return []vc.Secured{s, token}, err
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
