package party

import (
	"context"
	"encoding/json"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/dataintegrity"
	"github.com/staffpassport/staffpassport/vc/dataintegrity/legacy"
	"github.com/staffpassport/staffpassport/vc/verify"
)

// CredentialType is the type of the credentials in these conversations.
const CredentialType = "RiverWardenCredential"

// Vocabulary is the inline context that gives the claims their meaning: neither peer
// then needs a context that it cannot fetch.
const Vocabulary = `{"@vocab":"https://rivers.example/terms#"}`

// credentialContext is the @context of the credentials, in data model 1.1 because
// neither peer reads a newer one.
func credentialContext() []vc.Context {
	return []vc.Context{{URL: vc.ContextV1}, {Inline: json.RawMessage(Vocabulary)}}
}

// Contexts are the @context arrays that the parties know.
func Contexts() *vc.ContextSet {
	set, err := vc.NewContextSet(nil, credentialContext())
	if err != nil {
		panic(err) // nothing here comes from outside
	}
	return set
}

// Claims are what the credentials say, all invented.
func Claims() map[string]any {
	return map[string]any{"warden": "Rowan Alder", "river": "Derwent", "wardenNumber": "RW-20417", "reach": "Upper meadows"}
}

// Credential returns what a party offers to issue. The subject has no id where holder
// is zero.
func (p *Party) Credential(t testing.TB, holder did.DID) *vc.Credential {
	t.Helper()
	claims := Claims()
	if !holder.IsZero() {
		claims["id"] = holder.String()
	}
	subject, err := json.Marshal(claims)
	require.NoError(t, err)
	return &vc.Credential{
		Context: credentialContext(), Type: []string{vc.TypeCredential, CredentialType},
		Issuer: vc.Party{ID: p.DID().String()}, ValidFrom: now().UTC().Truncate(time.Second), Subject: subject,
	}
}

// verifier verifies what peers made.
func (p *Party) verifier() *verify.Verifier {
	return &verify.Verifier{
		Resolver: p.Resolver, Trust: p.trust, Contexts: Contexts(), Replay: verify.NonceUsedOnceByCaller{},
		Suites: []dataintegrity.Suite{legacy.Ed25519Signature2018()},
	}
}

// Trust makes the party trust an issuer for the credentials here.
func (p *Party) Trust(t testing.TB, issuer string) {
	t.Helper()
	id, err := did.Parse(issuer)
	require.NoError(t, err)
	p.trust.mu.Lock()
	defer p.trust.mu.Unlock()
	p.trust.list = append(p.trust.list, id)
}

// trusted are the issuers that a party trusts, which it may learn of while it runs.
type trusted struct {
	mu   sync.Mutex
	list []did.DID
}

// Trusted implements [verify.Trust].
func (l *trusted) Trusted(ctx context.Context, issuer did.DID, types []string, at time.Time) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	known := verify.TrustedIssuers{}
	for _, id := range l.list {
		known[id] = []string{CredentialType}
	}
	return known.Trusted(ctx, issuer, types, at)
}
