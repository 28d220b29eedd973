package wallet_test

import (
	"fmt"
	"maps"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/wallet"
)

func sample(id string) wallet.Credential {
	return wallet.Credential{
		ID:      id,
		Secured: vc.Secured{MediaType: "application/vc", Bytes: []byte(`{"id":"` + id + `"}`)},
		Types:   []string{"VerifiableCredential", "StaffPassportCredential"},
	}
}

func ids(t testing.TB, w *wallet.Wallet, typ string) []string {
	t.Helper()
	out := []string{}
	for c, err := range w.Credentials(t.Context(), typ) {
		require.NoError(t, err)
		out = append(out, c.ID)
	}
	return out
}

func TestCredentials(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 6, 20, 37, 0, 5, time.UTC)
	w := createIn(t, newStore(t), wallet.Config{Now: func() time.Time { return now }})

	full := sample("b")
	full.Attachments = map[string][]byte{"photo": make([]byte, 500_000), "": nil, "second": []byte("2")}
	full.Added = now.Add(-time.Hour)
	full.Forms = []vc.Secured{{MediaType: "application/dc+sd-jwt", Bytes: []byte("e30.e30.AA~")}, {MediaType: "application/vc", Bytes: []byte("{}")}}
	id, err := w.AddCredential(t.Context(), full)
	require.NoError(t, err)
	require.Equal(t, "b", id)
	plain := sample("a")
	plain.Types = []string{"Other"}
	_, err = w.AddCredential(t.Context(), plain)
	require.NoError(t, err)

	got, err := w.Credential(t.Context(), "b")
	require.NoError(t, err)
	require.True(t, got.Added.Equal(full.Added))
	got.Added, full.Attachments[""] = full.Added, []byte{}
	require.Equal(t, full, got)

	got, err = w.Credential(t.Context(), "a")
	require.NoError(t, err)
	require.True(t, got.Added.Equal(now))
	require.Nil(t, got.Attachments)
	require.Nil(t, got.Forms)

	require.Equal(t, []string{"b", "a"}, ids(t, w, ""))
	require.Equal(t, []string{"b"}, ids(t, w, "StaffPassportCredential"))
	require.Equal(t, []string{"a"}, ids(t, w, "Other"))
	require.Empty(t, ids(t, w, "Passport"))
	for range w.Credentials(t.Context(), "") { // leaving early is allowed
		break
	}

	require.NoError(t, w.DeleteCredential(t.Context(), "b"))
	require.NoError(t, w.DeleteCredential(t.Context(), "b"))
	_, err = w.Credential(t.Context(), "b")
	require.ErrorIs(t, err, wallet.ErrNotFound)
	require.Equal(t, []string{"a"}, ids(t, w, ""))
}

func TestCredentialIsStoredOnce(t *testing.T) {
	t.Parallel()
	w := newWallet(t)
	c := sample("")
	first, err := w.AddCredential(t.Context(), c)
	require.NoError(t, err)
	require.Len(t, first, 64)
	again, err := w.AddCredential(t.Context(), c)
	require.NoError(t, err)
	require.Equal(t, first, again)
	require.Equal(t, []string{first}, ids(t, w, ""))

	c.Secured.Bytes = []byte(`{"id":"other"}`)
	other, err := w.AddCredential(t.Context(), c)
	require.NoError(t, err)
	require.NotEqual(t, first, other)
}

func TestCredentialRefused(t *testing.T) {
	t.Parallel()
	w := newWallet(t)
	taken := sample("taken")
	taken.Attachments = map[string][]byte{"photo": []byte("a face")}
	_, err := w.AddCredential(t.Context(), taken)
	require.NoError(t, err)

	otherBytes, otherType := sample("taken"), sample("taken")
	otherBytes.Secured.Bytes = []byte(`{"id":"forged"}`)
	otherType.Secured.MediaType = "application/vc+jwt"
	otherForms := sample("taken")
	otherForms.Forms = []vc.Secured{{MediaType: "application/dc+sd-jwt", Bytes: []byte("e30.e30.AA~")}}
	otherPhoto := sample("taken")
	otherPhoto.Attachments = map[string][]byte{"photo": []byte("another face"), "more": []byte("x")}
	large := sample("large")
	large.Attachments = map[string][]byte{"photo": make([]byte, wallet.MaxRecord)}
	emptyType := sample("empty type")
	emptyType.Types = []string{""}
	for name, c := range map[string]struct {
		credential wallet.Credential
		want       error
	}{
		"other bytes":      {otherBytes, wallet.ErrExists},
		"other media type": {otherType, wallet.ErrExists},
		"other forms":      {otherForms, wallet.ErrExists},
		"too large":        {large, wallet.ErrTooLarge},
		"no bytes":         {wallet.Credential{ID: "empty"}, wallet.ErrInvalid},
		"zero":             {wallet.Credential{}, wallet.ErrInvalid},
		"empty type":       {emptyType, wallet.ErrInvalid},
		"other photo":      {otherPhoto, wallet.ErrExists},
	} {
		id, err := w.AddCredential(t.Context(), c.credential)
		require.Error(t, err, name)
		require.Empty(t, id, name)
		require.ErrorIs(t, err, c.want, name)
	}
	require.Equal(t, []string{"taken"}, ids(t, w, ""))
	got, err := w.Credential(t.Context(), "taken")
	require.NoError(t, err)
	require.Equal(t, taken.Secured, got.Secured)
	require.Equal(t, taken.Attachments, got.Attachments)
}

// TestCredentialGainsAttachments adds the same credential again, with a photo that
// came later.
func TestCredentialGainsAttachments(t *testing.T) {
	t.Parallel()
	w := newWallet(t)
	c := sample("id")
	photo := map[string][]byte{"photo": []byte("a face")}
	_, err := w.AddCredential(t.Context(), c)
	require.NoError(t, err)
	before, err := w.Credential(t.Context(), "id")
	require.NoError(t, err)
	c.Attachments, c.Types = photo, nil
	for range 2 {
		_, err = w.AddCredential(t.Context(), c)
		require.NoError(t, err)
	}
	c.Attachments = map[string][]byte{"second": []byte("x")}
	_, err = w.AddCredential(t.Context(), c)
	require.NoError(t, err)
	got, err := w.Credential(t.Context(), "id")
	require.NoError(t, err)
	want := maps.Clone(photo)
	want["second"] = []byte("x")
	require.Equal(t, want, got.Attachments)
	require.Equal(t, before.Types, got.Types)
	require.Equal(t, before.Added, got.Added)
	require.Equal(t, []string{"id"}, ids(t, w, "StaffPassportCredential"))
}

func TestCredentialsInTransaction(t *testing.T) {
	t.Parallel()
	w := newWallet(t)
	update(t, w, func(tx *wallet.Tx) {
		for i := range 3 {
			_, err := tx.AddCredential(sample(fmt.Sprint(i)))
			require.NoError(t, err)
		}
		var seen []string
		for c, err := range tx.Credentials("StaffPassportCredential") {
			require.NoError(t, err)
			seen = append(seen, c.ID)
			require.NoError(t, tx.DeleteCredential(c.ID))
		}
		require.Equal(t, []string{"0", "1", "2"}, seen)
		_, err := tx.Credential("0")
		require.ErrorIs(t, err, wallet.ErrNotFound)
	})
	require.Empty(t, ids(t, w, ""))
}
