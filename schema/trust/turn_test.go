package trust_test

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/did/didkey"
	"github.com/staffpassport/staffpassport/schema/trust"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/cose"
	"github.com/staffpassport/staffpassport/vc/dataintegrity"
	"github.com/staffpassport/staffpassport/vc/jose"
	"github.com/staffpassport/staffpassport/vc/verify"
)

// An office is an authority whose document has two keys, the first with an end.
type office struct {
	id         did.DID
	old, young party
	doc        *did.Document
}

func newOffice(t testing.TB, end time.Time) *office {
	t.Helper()
	id, err := did.Parse("did:web:register.example")
	require.NoError(t, err)
	o := &office{id: id}
	key := func(name string) (party, *did.VerificationMethod) {
		seed := sha256.Sum256([]byte("registered organisations test key: " + name))
		private := ed25519.NewKeyFromSeed(seed[:])
		m, err := did.NewVerificationMethod(id.URL(name), private.Public(), did.AssertionMethod)
		require.NoError(t, err)
		s, err := did.NewSigner(m.ID, private)
		require.NoError(t, err)
		return party{id, s}, m
	}
	var first, second *did.VerificationMethod
	o.old, first = key("old")
	o.young, second = key("young")
	first.Expires = end
	o.doc, err = did.NewDocument(id, []*did.VerificationMethod{first, second}, nil)
	require.NoError(t, err)
	return o
}

// Resolve knows the office and every did:key.
func (o *office) Resolve(ctx context.Context, id did.DID, at did.Version) (*did.Resolution, error) {
	if id != o.id {
		return didkey.Resolver{}.Resolve(ctx, id, at)
	}
	return &did.Resolution{Document: o.doc}, nil
}

func (o *office) open(t testing.TB) *trust.Registry {
	return open(t, func(c *trust.Config) { c.Authority, c.Resolver = o.id, o })
}

// signAt secures a credential with a proof that says when it was made.
func signAt(t testing.TB, by party, at time.Time, c *vc.Credential) vc.Secured {
	t.Helper()
	return secure(t, &dataintegrity.Issuer{
		Suite: dataintegrity.EdDSAJCS2022(), Signer: by.signer, Contexts: trust.Contexts(), Now: func() time.Time { return at },
	}, c)
}

// list is an edition by the office.
func (o *office) list(t testing.TB, sequence uint64, issued time.Time, changes ...func(*trust.List)) *vc.Credential {
	t.Helper()
	l := draft(t, sequence)
	l.Authority, l.Issued, l.ValidUntil = o.id, issued, noon.Add(7*day)
	for _, change := range changes {
		change(l)
	}
	return credential(t, l)
}

// TestRegistry_KeyInTurn: whoever has an authority's old key writes any date into a
// proof, and signs no list that was issued after the key's turn.
func TestRegistry_KeyInTurn(t *testing.T) {
	t.Parallel()
	o := newOffice(t, noon.Add(-day))
	before, at, long := noon.Add(-day-time.Second), noon.Add(-day), noon.AddDate(-3, 0, 0)
	for name, c := range map[string]struct {
		by           party
		issued, made time.Time
		want         error
	}{
		"the key of today":                       {o.young, noon, noon, nil},
		"the key of today, a proof of long ago":  {o.young, noon, long, nil},
		"the old key in its turn":                {o.old, before.Add(-day), before.Add(-day), nil},
		"the old key in its last second":         {o.old, before, before, nil},
		"issued in its turn, made before":        {o.old, before, long, nil},
		"today":                                  {o.old, noon, noon, verify.ErrKeyNotAuthorised},
		"issued today, made long ago as it says": {o.old, noon, long, verify.ErrKeyNotAuthorised},
		"issued today, made just before":         {o.old, noon, before, verify.ErrKeyNotAuthorised},
		"issued at the end, made long ago":       {o.old, at, long, verify.ErrKeyNotAuthorised},
		"issued before the end, made at it":      {o.old, before, at, verify.ErrKeyNotAuthorised},
		"issued before the end, made today":      {o.old, before, noon, verify.ErrKeyNotAuthorised},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := o.open(t)
			err := r.Accept(t.Context(), signAt(t, c.by, c.made, o.list(t, 3, c.issued)))
			if c.want == nil {
				require.NoError(t, err)
				require.NoError(t, r.Usable(noon))
				return
			}
			require.ErrorIs(t, err, c.want)
			require.Nil(t, r.List())
		})
	}
}

// TestRegistry_KeyInTurnEveryFormat is the same for tokens.
func TestRegistry_KeyInTurnEveryFormat(t *testing.T) {
	t.Parallel()
	o := newOffice(t, noon.AddDate(-2, 0, 0))
	long := func() time.Time { return noon.AddDate(-3, 0, 0) }
	for name, sign := range map[string]func(by party) vc.Securer{
		"jose": func(by party) vc.Securer {
			return &jose.Issuer{Signer: by.signer, Contexts: trust.Contexts(), Now: long}
		},
		"cose": func(by party) vc.Securer {
			return &cose.Issuer{Signer: by.signer, Contexts: trust.Contexts(), Now: long}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := o.list(t, 3, noon)
			require.ErrorIs(t, o.open(t).Accept(t.Context(), secure(t, sign(o.old), c)), verify.ErrKeyNotAuthorised)
			require.NoError(t, o.open(t).Accept(t.Context(), secure(t, sign(o.young), c)))
		})
	}
}

// TestRegistry_KeyInTurnIsOfTheWholeDocument: what the registry keeps, and restores by,
// is the authority's document as it was resolved.
func TestRegistry_KeyInTurnIsOfTheWholeDocument(t *testing.T) {
	t.Parallel()
	o := newOffice(t, noon.Add(-day))
	config := trust.Config{Authority: o.id, Resolver: o, Now: newClock().now, Store: trust.File(t.TempDir() + "/list")}
	for i, s := range []vc.Secured{
		signAt(t, o.old, noon.Add(-3*day), o.list(t, 3, noon.Add(-2*day))),
		signAt(t, o.young, noon, o.list(t, 4, noon)),
	} {
		r, err := trust.Open(t.Context(), config)
		require.NoError(t, err)
		require.NoError(t, r.Accept(t.Context(), s))
		again, err := trust.Open(t.Context(), config)
		require.NoError(t, err)
		require.Equal(t, uint64(3+i), again.List().Sequence)
	}
}

// TestSuccession_KeyInTurn: an old key hands nothing over after its turn, and nothing to
// a registry that has a later list without the succession.
func TestSuccession_KeyInTurn(t *testing.T) {
	t.Parallel()
	end := noon.Add(-10 * day)
	o := newOffice(t, end)
	heir := successor(t)
	word := func(by party, issued, made time.Time) vc.Secured {
		c, err := (&trust.Succession{Register: register, From: o.id, To: heir.id, After: 5, Issued: issued}).Credential()
		require.NoError(t, err)
		return signAt(t, by, made, c)
	}
	long := noon.AddDate(-3, 0, 0)
	listAt := func(issued time.Time) *vc.Secured {
		s := signAt(t, o.young, issued, o.list(t, 3, issued))
		return &s
	}
	for name, c := range map[string]struct {
		known *vc.Secured
		link  vc.Secured
		want  error
	}{
		"in its turn, to a new registry":           {nil, word(o.old, end.Add(-day), end.Add(-day)), nil},
		"in its turn, after the list that is held": {listAt(end.Add(-2 * day)), word(o.old, end.Add(-day), end.Add(-day)), nil},
		"by the key of today":                      {listAt(noon.Add(-day)), word(o.young, long, long), nil},
		"issued today, as if made long ago":        {nil, word(o.old, noon, long), verify.ErrKeyNotAuthorised},
		"issued at the end":                        {nil, word(o.old, end, long), verify.ErrKeyNotAuthorised},
		"issued today, to one that holds a list":   {listAt(noon.Add(-day)), word(o.old, noon, long), verify.ErrKeyNotAuthorised},
		"as if issued before a list without it":    {listAt(noon.Add(-day)), word(o.old, long, long), verify.ErrKeyNotAuthorised},
		"as if issued before one of the end":       {listAt(end), word(o.old, long, long), verify.ErrKeyNotAuthorised},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := o.open(t)
			if c.known != nil {
				require.NoError(t, r.Accept(t.Context(), *c.known))
			}
			err := r.Accept(t.Context(), editionBy(t, heir, 6, succeeded(c.link)))
			if c.want == nil {
				require.NoError(t, err)
				return
			}
			require.ErrorIs(t, err, c.want)
		})
	}
	t.Run("known from a list", func(t *testing.T) {
		t.Parallel()
		r := o.open(t)
		link := word(o.old, end.Add(-day), end.Add(-day))
		require.NoError(t, r.Accept(t.Context(), signAt(t, o.young, noon, o.list(t, 4, noon.Add(-day), succeeded(link)))))
		require.NoError(t, r.Accept(t.Context(), editionBy(t, heir, 6, succeeded(link))))
	})
}

// TestList_Life: no list counts for ever, which would be for as long as a thief of an old
// key likes.
func TestList_Life(t *testing.T) {
	t.Parallel()
	l := draft(t, 3)
	l.ValidUntil = l.Issued.Add(400 * day)
	c := credential(t, l)
	c.ValidUntil = c.ValidUntil.Add(time.Second)
	_, err := trust.Read(c)
	require.ErrorIs(t, err, trust.ErrList)
	l.ValidUntil = l.ValidUntil.Add(time.Second)
	_, err = l.Credential()
	require.ErrorIs(t, err, trust.ErrList)
}

// TestList_OneIdentity: no spelling puts one identity into two entries.
func TestList_OneIdentity(t *testing.T) {
	t.Parallel()
	const scid, other = "QmdmPkUdYzbr9txmx8gM2rsHPgr5L6m3gHjJGAf4vUFoGE", "QmdmPkUdYzbr9txmx8gM2rsHPgr5L6m3gHjJGAf4vUFoGF"
	for name, c := range map[string]struct {
		one, two string
		same     bool
	}{
		"capital letters":             {"did:web:alder.example", "did:web:Alder.example", true},
		"capital letters, both":       {"did:web:ALDER.example", "did:web:alder.EXAMPLE", true},
		"capital letters, and a path": {"did:web:alder.example:ward:7", "did:web:Alder.example:ward:7", true},
		"capital letters, and a port": {"did:web:alder.example%3A8443", "did:web:Alder.example%3a8443", true},
		"the usual port":              {"did:web:alder.example", "did:web:alder.example%3A443", true},
		"the usual port, and a path":  {"did:web:alder.example:a", "did:web:Alder.example%3a443:a", true},
		"the usual path":              {"did:web:alder.example", "did:web:Alder.example:.well-known", true},
		"webvh, capital letters":      {"did:webvh:" + scid + ":alder.example", "did:webvh:" + scid + ":Alder.example", true},
		"webvh that moved":            {"did:webvh:" + scid + ":alder.example", "did:webvh:" + scid + ":rowan.example:a", true},
		"another host":                {"did:web:alder.example", "did:web:rowan.example", false},
		"another path":                {"did:web:alder.example:a", "did:web:alder.example:A", false},
		"a path and none":             {"did:web:alder.example", "did:web:alder.example:a", false},
		"another port":                {"did:web:alder.example", "did:web:alder.example%3A8443", false},
		"a port that ends like it":    {"did:web:alder.example", "did:web:alder.example%3A8443443", false},
		"another log":                 {"did:webvh:" + scid + ":alder.example", "did:webvh:" + other + ":alder.example", false},
		"a method that minds letters": {"did:example:alder", "did:example:Alder", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			one, err := did.Parse(c.one)
			require.NoError(t, err)
			two, err := did.Parse(c.two)
			require.NoError(t, err)
			l := draft(t, 3)
			l.Organisations[0].DIDs, l.Organisations[1].DIDs = []did.DID{one}, []did.DID{two}
			signed, err := l.Credential()
			if !c.same {
				require.NoError(t, err)
				_, err = trust.Read(signed)
				require.NoError(t, err)
			} else {
				require.ErrorIs(t, err, trust.ErrList)
				b, err := json.Marshal(credential(t, twoEntries(t)))
				require.NoError(t, err)
				_, err = trust.Read(respelled(t, b, one, two))
				require.ErrorIs(t, err, trust.ErrList)
			}
			// One organisation may have both.
			l.Organisations = l.Organisations[:1]
			l.Organisations[0].DIDs = []did.DID{one, two}
			_, err = l.Credential()
			require.NoError(t, err)
		})
	}
}

// placeholders stand for the DIDs of two entries until they are replaced.
const firstDID, secondDID = "did:example:first", "did:example:second"

func twoEntries(t testing.TB) *trust.List {
	t.Helper()
	l := draft(t, 3)
	for i, s := range []string{firstDID, secondDID} {
		id, err := did.Parse(s)
		require.NoError(t, err)
		l.Organisations[i].DIDs = []did.DID{id}
	}
	return l
}

// respelled is a list that was not checked when it was written.
func respelled(t testing.TB, list []byte, one, two did.DID) *vc.Credential {
	t.Helper()
	text := strings.NewReplacer(firstDID, one.String(), secondDID, two.String()).Replace(string(list))
	c, err := vc.Parse([]byte(text))
	require.NoError(t, err)
	return c
}
