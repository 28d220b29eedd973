package trust_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/schema/trust"
	"github.com/staffpassport/staffpassport/vc"
)

// FuzzRead: what is read can be written, and is then read as the same.
func FuzzRead(f *testing.F) {
	for _, l := range []*trust.List{draft(f, 1), {ID: register, Authority: authority(f).id, Sequence: 1, Issued: noon, ValidUntil: noon.Add(day)}} {
		b, err := credential(f, l).MarshalJSON()
		require.NoError(f, err)
		f.Add(b)
	}
	f.Add(edition(f, 5, succeeded(handover(f, authority(f), successor(f), 5))).Bytes)
	f.Add(handover(f, authority(f), successor(f), 5).Bytes)
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := vc.Parse(b)
		if err != nil {
			return
		}
		if s, err := trust.ReadSuccession(c); err == nil {
			again, err := s.Credential()
			require.NoError(t, err)
			read, err := trust.ReadSuccession(again)
			require.NoError(t, err)
			require.Equal(t, s, read)
		}
		l, err := trust.Read(c)
		if err != nil {
			require.ErrorIs(t, err, trust.ErrList)
			return
		}
		read, err := trust.Read(credential(t, l))
		require.NoError(t, err)
		require.Equal(t, l, read)
	})
}

// FuzzAccept: no bytes are accepted but a list that the authority signed.
func FuzzAccept(f *testing.F) {
	kinds := []string{"application/vc", "application/vc+jwt", "application/vc+cose"}
	signed := map[did.DID][]*trust.List{}
	add := func(s vc.Secured) {
		for i, k := range kinds {
			if k == s.MediaType {
				f.Add(uint8(i), s.Bytes)
			}
		}
	}
	for _, s := range securers(f) {
		l := draft(f, 1)
		l.Authority = s.by.id
		signed[l.Authority] = append(signed[l.Authority], l)
		add(secure(f, s, credential(f, l)))
	}
	add(editionBy(f, stranger(f), 2))
	add(editionBy(f, successor(f), 2, succeeded(handover(f, stranger(f), successor(f), 1))))
	f.Fuzz(func(t *testing.T, kind uint8, b []byte) {
		for by, lists := range signed {
			r := open(t, func(c *trust.Config) { c.Authority = by })
			if r.Accept(t.Context(), vc.Secured{MediaType: kinds[int(kind)%len(kinds)], Bytes: b}) == nil {
				require.Contains(t, lists, r.List())
			}
		}
	})
}

// FuzzOpen: whatever is in the cache, a list is taken from it only if the authority
// signed it.
func FuzzOpen(f *testing.F) {
	store := &shelf{}
	want := edition(f, 3)
	require.NoError(f, open(f, kept(store)).Accept(f.Context(), want))
	f.Add(store.record)
	f.Add([]byte(`{"version":1,"authorities":[{"did":"did:key:z"}]}`))
	f.Fuzz(func(t *testing.T, record []byte) {
		r, err := trust.Open(t.Context(), trust.Config{Authority: authority(t).id, Resolver: broken{did.ErrUnavailable}, Store: &shelf{record: record}})
		if err == nil && r.List() != nil && r.List().Authority == authority(t).id {
			require.Equal(t, draft(t, 3), r.List())
		}
	})
}
