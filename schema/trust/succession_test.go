package trust_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/schema/trust"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/verify"
)

// TestSuccession_Followed: who is there for the announcement, and who comes later.
func TestSuccession_Followed(t *testing.T) {
	t.Parallel()
	link := handover(t, authority(t), successor(t), 5)
	link2 := handover(t, successor(t), third(t), 8)
	all := succeeded(link, link2)
	for name, lists := range map[string][]vc.Secured{
		"announced, then taken over":   {edition(t, 5, succeeded(link)), editionBy(t, successor(t), 6, succeeded(link))},
		"announced long before":        {edition(t, 2, succeeded(link)), edition(t, 5, succeeded(link)), editionBy(t, successor(t), 6, succeeded(link))},
		"announced after the last one": {edition(t, 5), editionBy(t, successor(t), 6, succeeded(link))},
		"away meanwhile":               {edition(t, 1), editionBy(t, successor(t), 20, succeeded(link))},
		"never there before":           {editionBy(t, successor(t), 6, succeeded(link))},
		"two in a row":                 {edition(t, 1), editionBy(t, third(t), 9, all)},
		"two, in the other order":      {edition(t, 1), editionBy(t, third(t), 9, succeeded(link2, link))},
		"two, never there before":      {editionBy(t, third(t), 9, all)},
		"two, one by one":              {edition(t, 1), editionBy(t, successor(t), 6, succeeded(link)), editionBy(t, third(t), 9, all)},
		"between the two":              {editionBy(t, successor(t), 8, all), editionBy(t, third(t), 9, all)},
		"one that never issued":        {editionBy(t, third(t), 6, succeeded(link, handover(t, successor(t), third(t), 5)))},
		"named twice":                  {editionBy(t, successor(t), 6, succeeded(link, link))},
		"without it once it is known":  {edition(t, 5, succeeded(link)), editionBy(t, successor(t), 6)},
		"old numbers of the old one":   {edition(t, 3), edition(t, 4, succeeded(link)), edition(t, 5, succeeded(link))},
		"of an authority before ours":  {edition(t, 1, succeeded(handover(t, stranger(t), authority(t), 0)))},
		"elsewhere, of no concern":     {edition(t, 1, succeeded(handover(t, stranger(t), employer(t), 0)))},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := with(t, lists...)
			require.NoError(t, r.Usable(noon))
		})
	}
}

func TestSuccession_Refused(t *testing.T) {
	t.Parallel()
	link := handover(t, authority(t), successor(t), 5)
	announced := edition(t, 4, succeeded(link))
	taken := editionBy(t, successor(t), 6, succeeded(link))
	forged := func() vc.Secured { // names the authority, signed by a stranger
		s := handover(t, stranger(t), successor(t), 5)
		s.Bytes = []byte(strings.ReplaceAll(string(s.Bytes), `"issuer":"`+stranger(t).id.String(), `"issuer":"`+authority(t).id.String()))
		return s
	}()
	changed := link // another successor than was signed
	changed.Bytes = []byte(strings.ReplaceAll(string(link.Bytes), successor(t).id.String(), stranger(t).id.String()))
	for name, c := range map[string]struct {
		before []vc.Secured
		list   vc.Secured
		want   error
	}{
		"successor without a succession":        {nil, editionBy(t, successor(t), 6), trust.ErrAuthority},
		"successor too early":                   {nil, editionBy(t, successor(t), 5, succeeded(link)), trust.ErrAuthority},
		"old one after its time":                {nil, edition(t, 6, succeeded(link)), trust.ErrAuthority},
		"old one after its time, known":         {[]vc.Secured{announced}, edition(t, 6, succeeded(link)), trust.ErrAuthority},
		"old one after its time, hiding it":     {[]vc.Secured{announced}, edition(t, 6), trust.ErrAuthority},
		"old one after the new one":             {[]vc.Secured{taken}, edition(t, 7), trust.ErrAuthority},
		"old one with a number far away":        {[]vc.Secured{taken}, edition(t, 1<<53-1), trust.ErrAuthority},
		"old one, back to an old number":        {[]vc.Secured{taken}, edition(t, 5), trust.ErrRollback},
		"self-appointed":                        {nil, editionBy(t, stranger(t), 6, succeeded(handover(t, stranger(t), successor(t), 5))), trust.ErrAuthority},
		"signed by a stranger":                  {nil, editionBy(t, successor(t), 6, succeeded(forged)), verify.ErrControllerMismatch},
		"changed on the way":                    {nil, editionBy(t, stranger(t), 6, succeeded(changed)), verify.ErrProof},
		"signed by the successor":               {nil, editionBy(t, successor(t), 6, succeeded(handover(t, successor(t), third(t), 5))), trust.ErrAuthority},
		"two successors":                        {nil, editionBy(t, successor(t), 6, succeeded(link, handover(t, authority(t), third(t), 5))), trust.ErrAuthority},
		"two numbers":                           {nil, editionBy(t, successor(t), 9, succeeded(link, handover(t, authority(t), successor(t), 7))), trust.ErrAuthority},
		"another successor than the known":      {[]vc.Secured{announced}, editionBy(t, third(t), 6, succeeded(handover(t, authority(t), third(t), 5))), trust.ErrAuthority},
		"another number than the known":         {[]vc.Secured{announced}, edition(t, 6, succeeded(handover(t, authority(t), successor(t), 9))), trust.ErrAuthority},
		"by the right one, naming another":      {[]vc.Secured{announced}, editionBy(t, successor(t), 6, succeeded(handover(t, authority(t), third(t), 5))), trust.ErrAuthority},
		"back to the first, from the second":    {[]vc.Secured{taken}, edition(t, 9, succeeded(handover(t, successor(t), authority(t), 8))), trust.ErrAuthority},
		"a thief's successor, later":            {[]vc.Secured{taken}, editionBy(t, third(t), 7, succeeded(handover(t, authority(t), third(t), 6))), trust.ErrAuthority},
		"back to the first":                     {nil, edition(t, 9, succeeded(link, handover(t, successor(t), authority(t), 8))), trust.ErrAuthority},
		"the second before the first":           {nil, editionBy(t, third(t), 9, succeeded(link, handover(t, successor(t), third(t), 4))), trust.ErrAuthority},
		"of another register":                   {nil, editionBy(t, successor(t), 6, succeeded(handover(t, authority(t), successor(t), 5, func(s *trust.Succession) { s.Register = "https://register.example/volunteers" }))), trust.ErrAuthority},
		"from the future":                       {nil, editionBy(t, successor(t), 6, succeeded(handover(t, authority(t), successor(t), 5, func(s *trust.Succession) { s.Issued = noon.Add(day) }))), verify.ErrNotYetValid},
		"a chain with a hole":                   {nil, editionBy(t, third(t), 9, succeeded(handover(t, successor(t), third(t), 8))), trust.ErrAuthority},
		"a list where a succession must be":     {nil, editionBy(t, successor(t), 6, succeeded(edition(t, 5))), trust.ErrList},
		"not readable where a succession is":    {nil, editionBy(t, successor(t), 6, succeeded(vc.Secured{MediaType: vc.MediaTypeCredential, Bytes: []byte("{")})), trust.ErrList},
		"not readable beside a good one, known": {[]vc.Secured{announced}, editionBy(t, successor(t), 6, succeeded(link, vc.Secured{MediaType: "application/vc+jwt", Bytes: []byte("a.b.c")})), trust.ErrList},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := with(t, c.before...)
			before := r.List()
			err := r.Accept(t.Context(), c.list)
			require.ErrorIs(t, err, c.want)
			require.Equal(t, before, r.List())
		})
	}
}

// TestSuccession_RefusedListTeachesNothing: a succession counts once a list with it was
// accepted.
func TestSuccession_RefusedListTeachesNothing(t *testing.T) {
	t.Parallel()
	link := handover(t, authority(t), successor(t), 5)
	r := with(t, edition(t, 6))
	require.ErrorIs(t, r.Accept(t.Context(), edition(t, 4, succeeded(link))), trust.ErrRollback)
	require.NoError(t, r.Accept(t.Context(), edition(t, 7)))
}

// TestSuccession_PinnedLater: a registry set up with the second authority.
func TestSuccession_PinnedLater(t *testing.T) {
	t.Parallel()
	first, second := handover(t, authority(t), successor(t), 5), handover(t, successor(t), third(t), 8)
	r := open(t, func(c *trust.Config) { c.Authority = successor(t).id })
	require.NoError(t, r.Accept(t.Context(), editionBy(t, third(t), 9, succeeded(first, second))))
	require.ErrorIs(t, r.Accept(t.Context(), edition(t, 10)), trust.ErrAuthority)
}

// TestSuccession_Longest is at the limit of sixteen.
func TestSuccession_Longest(t *testing.T) {
	t.Parallel()
	at := authority(t)
	var links []vc.Secured
	for i := range 16 {
		next := named(t, fmt.Sprint("authority ", i))
		links = append(links, handover(t, at, next, uint64(i+1)))
		at = next
	}
	r := with(t, editionBy(t, at, 17, succeeded(links...)))
	require.Equal(t, at.id, r.List().Authority)
	// One more cannot be in a list with all of them, and is refused without.
	one := named(t, "one more")
	err := r.Accept(t.Context(), editionBy(t, one, 18, succeeded(handover(t, at, one, 17))))
	require.ErrorIs(t, err, trust.ErrAuthority)
}

// TestSuccession_EveryFormat: an office may change its kind of key.
func TestSuccession_EveryFormat(t *testing.T) {
	t.Parallel()
	for name, s := range securers(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if s.by.id == successor(t).id {
				return
			}
			c, err := (&trust.Succession{Register: register, From: s.by.id, To: successor(t).id, After: 5, Issued: noon}).Credential()
			require.NoError(t, err)
			r := open(t, func(o *trust.Config) { o.Authority = s.by.id })
			require.NoError(t, r.Accept(t.Context(), editionBy(t, successor(t), 6, succeeded(secure(t, s, c)))))
		})
	}
}

// TestSuccession_Resolves nobody but the authorities, one after the other.
func TestSuccession_Resolves(t *testing.T) {
	t.Parallel()
	asked := &listening{Resolver: broken{did.ErrUnavailable}}
	r := open(t, func(c *trust.Config) { c.Resolver = asked })
	err := r.Accept(t.Context(), editionBy(t, third(t), 9,
		succeeded(handover(t, authority(t), successor(t), 5), handover(t, successor(t), third(t), 8))))
	require.ErrorIs(t, err, verify.ErrUnavailable)
	require.Equal(t, []did.DID{authority(t).id}, asked.ids)
}
