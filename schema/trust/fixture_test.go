package trust_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/sha256"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/did/didkey"
	"github.com/staffpassport/staffpassport/schema"
	"github.com/staffpassport/staffpassport/schema/trust"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/cose"
	"github.com/staffpassport/staffpassport/vc/dataintegrity"
	"github.com/staffpassport/staffpassport/vc/dataintegrity/rdfc"
	"github.com/staffpassport/staffpassport/vc/jose"
)

// noon is when the tests take place.
var noon = time.Date(2026, 10, 5, 12, 0, 0, 0, time.UTC)

const (
	day      = 24 * time.Hour
	register = "https://register.example/organisations"
)

// A clock is set by hand.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func newClock() *clock { return &clock{at: noon} }

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) set(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = t
}

// A party is a DID and its key, made from a name.
type party struct {
	id     did.DID
	signer did.Signer
}

func of(t testing.TB, key crypto.Signer) party {
	t.Helper()
	id, err := didkey.New(key.Public())
	require.NoError(t, err)
	s, err := did.NewSigner(didkey.SigningMethod(id), key)
	require.NoError(t, err)
	return party{id, s}
}

// named is a party with an Ed25519 key.
func named(t testing.TB, name string) party {
	t.Helper()
	seed := sha256.Sum256([]byte("registered organisations test key: " + name))
	return of(t, ed25519.NewKeyFromSeed(seed[:]))
}

// p256 is a party with a P-256 key.
func p256(t testing.TB, name string) party {
	t.Helper()
	seed := sha256.Sum256([]byte("registered organisations test key: " + name))
	key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), seed[:])
	require.NoError(t, err)
	return of(t, key)
}

// The parties of the tests.
func authority(t testing.TB) party { return named(t, "Severn Register Office") }
func successor(t testing.TB) party { return named(t, "Severn Register Office, second key") }
func third(t testing.TB) party     { return named(t, "Severn Register Office, third key") }
func employer(t testing.TB) party  { return named(t, "Alder Valley") }
func host(t testing.TB) party      { return named(t, "Hazelmere") }
func stranger(t testing.TB) party  { return named(t, "Nettle Styx") }

const coreSkill = "CoreSkillCredential"

// draft is an edition with two organisations: one that issues passports and one that
// receives them.
func draft(t testing.TB, sequence uint64) *trust.List {
	t.Helper()
	return &trust.List{
		ID: register, Authority: authority(t).id, Sequence: sequence,
		Issued: noon.Add(-time.Hour), ValidUntil: noon.Add(7 * day),
		Organisations: []trust.Organisation{
			{
				ODS: "RAV", Name: "Alder Valley Hospitals", DIDs: []did.DID{employer(t).id},
				Issues: []string{schema.Type, coreSkill}, Receives: []string{schema.Type},
				From: noon.Add(-30 * day), RegisteredBy: "HR Director",
			},
			{
				ODS: "A1B2C", Name: "Hazelmere Infirmary", DIDs: []did.DID{host(t).id},
				Receives: []string{schema.Type}, From: noon.Add(-30 * day), Until: noon.Add(30 * day), RegisteredBy: "Deputy HR Director",
			},
		},
	}
}

// sign secures a credential with eddsa-jcs-2022.
func sign(t testing.TB, by party, c *vc.Credential) vc.Secured {
	t.Helper()
	return secure(t, &dataintegrity.Issuer{Suite: dataintegrity.EdDSAJCS2022(), Signer: by.signer, Contexts: trust.Contexts(), Now: newClock().now}, c)
}

func secure(t testing.TB, s vc.Securer, c *vc.Credential) vc.Secured {
	t.Helper()
	out, err := s.Secure(context.Background(), c)
	require.NoError(t, err)
	return out
}

func credential(t testing.TB, l *trust.List) *vc.Credential {
	t.Helper()
	c, err := l.Credential()
	require.NoError(t, err)
	return c
}

// edition is a signed list, changed before.
func edition(t testing.TB, sequence uint64, changes ...func(*trust.List)) vc.Secured {
	t.Helper()
	return editionBy(t, authority(t), sequence, changes...)
}

func editionBy(t testing.TB, by party, sequence uint64, changes ...func(*trust.List)) vc.Secured {
	t.Helper()
	l := draft(t, sequence)
	l.Authority = by.id
	for _, c := range changes {
		c(l)
	}
	return sign(t, by, credential(t, l))
}

// securers are all ways to sign a list, each with its party.
func securers(t testing.TB) map[string]struct {
	vc.Securer
	by party
} {
	ed, ec := authority(t), p256(t, "Severn Register Office")
	now, known := newClock().now, trust.Contexts()
	return map[string]struct {
		vc.Securer
		by party
	}{
		"eddsa-jcs-2022":  {&dataintegrity.Issuer{Suite: dataintegrity.EdDSAJCS2022(), Signer: ed.signer, Contexts: known, Now: now}, ed},
		"ecdsa-jcs-2019":  {&dataintegrity.Issuer{Suite: dataintegrity.ECDSAJCS2019(), Signer: ec.signer, Contexts: known, Now: now}, ec},
		"eddsa-rdfc-2022": {&dataintegrity.Issuer{Suite: rdfc.EdDSARDFC2022(), Signer: ed.signer, Contexts: known, Now: now}, ed},
		"ecdsa-rdfc-2019": {&dataintegrity.Issuer{Suite: rdfc.ECDSARDFC2019(), Signer: ec.signer, Contexts: known, Now: now}, ec},
		"jose":            {&jose.Issuer{Signer: ec.signer, Contexts: known, Now: now}, ec},
		"cose":            {&cose.Issuer{Signer: ed.signer, Contexts: known, Now: now}, ed},
	}
}

// open is a registry of the authority.
func open(t testing.TB, changes ...func(*trust.Config)) *trust.Registry {
	t.Helper()
	c := trust.Config{Authority: authority(t).id, Resolver: didkey.Resolver{}, Now: newClock().now}
	for _, change := range changes {
		change(&c)
	}
	r, err := trust.Open(context.Background(), c)
	require.NoError(t, err)
	return r
}

// with is a registry that accepted lists.
func with(t testing.TB, lists ...vc.Secured) *trust.Registry {
	t.Helper()
	r := open(t)
	for _, l := range lists {
		require.NoError(t, r.Accept(context.Background(), l))
	}
	return r
}

// handover is the signed word of one authority that another follows.
func handover(t testing.TB, from, to party, after uint64, changes ...func(*trust.Succession)) vc.Secured {
	t.Helper()
	s := &trust.Succession{Register: register, From: from.id, To: to.id, After: after, Issued: noon.Add(-2 * time.Hour)}
	for _, c := range changes {
		c(s)
	}
	c, err := s.Credential()
	require.NoError(t, err)
	return sign(t, from, c)
}

// succeeded puts successions into a list.
func succeeded(links ...vc.Secured) func(*trust.List) {
	return func(l *trust.List) { l.Succession = links }
}
