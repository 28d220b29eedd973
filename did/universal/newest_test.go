package universal_test

import (
	"crypto/ed25519"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/did/didwebvh"
	"github.com/staffpassport/staffpassport/did/universal"
)

// portable returns the log of a DID of old.example, and the same after the DID has
// moved to new.example.
func portable(t *testing.T, at *clock) (before, after *didwebvh.Log) {
	t.Helper()
	update, err := didwebvh.UpdateKey(ed25519.NewKeyFromSeed(make([]byte, 32)))
	require.NoError(t, err)
	before, err = didwebvh.Create(t.Context(), didwebvh.Options{
		Domain: "old.example", Key: update, Portable: true, Now: at.now,
		Document: func(id did.DID) (*did.Document, error) { return did.NewDocument(id, nil, nil) },
	})
	require.NoError(t, err)
	at.add(time.Hour)
	after, err = before.Move(t.Context(), "new.example", nil, didwebvh.Change{Key: update, Now: at.now})
	require.NoError(t, err)
	at.add(time.Hour)
	return before, after
}

// The host that a DID has left cannot bring it back: what was seen under one name of a
// SCID counts for all, whatever was asked.
func TestAbuse_DW09_OldHostAfterAMove(t *testing.T) {
	t.Parallel()
	for name, sees := range map[string]func(t *testing.T, r *universal.Resolver, oldName, newName did.DID){
		"the old name has moved": func(t *testing.T, r *universal.Resolver, oldName, _ did.DID) {
			_, err := r.Resolve(t.Context(), oldName, did.Version{})
			var moved *didwebvh.MovedError
			require.True(t, errors.As(err, &moved))
		},
		"the new name": func(t *testing.T, r *universal.Resolver, _, newName did.DID) {
			_, err := r.Resolve(t.Context(), newName, did.Version{})
			require.NoError(t, err)
		},
		"a version by its number": func(t *testing.T, r *universal.Resolver, oldName, _ did.DID) {
			res, err := r.Resolve(t.Context(), oldName, did.Version{Number: 1})
			require.NoError(t, err)
			require.Equal(t, "1-", res.VersionID[:2])
		},
		"a version that there is not": func(t *testing.T, r *universal.Resolver, oldName, _ did.DID) {
			_, err := r.Resolve(t.Context(), oldName, did.Version{Number: 9})
			require.ErrorIs(t, err, did.ErrNotFound)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var at clock
			before, after := portable(t, &at)
			client := &served{files: map[string]string{}}
			oldURL, _ := before.URL()
			newURL, _ := after.URL()
			client.files[oldURL], client.files[newURL] = string(after.JSONL()), string(after.JSONL())
			r := universal.New(universal.Config{Client: client, Now: at.now})
			sees(t, r, before.DID(), after.DID())

			at.add(2 * time.Hour)
			client.files[oldURL] = string(before.JSONL())
			for _, v := range []did.Version{{}, {ID: before.VersionID()}, {Time: at.now()}} {
				res, err := r.Fresh().Resolve(t.Context(), before.DID(), v)
				require.ErrorIs(t, err, didwebvh.ErrHash)
				require.Nil(t, res)
			}
			_, err := r.Fresh().Resolve(t.Context(), after.DID(), did.Version{})
			require.NoError(t, err)
			client.files[newURL] = string(before.JSONL()) // in which the new name does not occur
			_, err = r.Fresh().Resolve(t.Context(), after.DID(), did.Version{})
			require.ErrorIs(t, err, did.ErrInvalid)
			client.files[oldURL] = string(after.JSONL())
			_, err = r.Fresh().Resolve(t.Context(), before.DID(), did.Version{})
			require.ErrorIs(t, err, did.ErrNotFound, "moved, as before")
		})
	}
}

// A log that is refused, or is another DID's, says nothing about the newest version.
func TestNewestIsOfGoodLogs(t *testing.T) {
	t.Parallel()
	var at clock
	before, after := portable(t, &at)
	oldURL, _ := before.URL()
	client := &served{files: map[string]string{oldURL: string(before.JSONL())}}
	r := universal.New(universal.Config{Client: client, Now: at.now})
	res, err := r.Resolve(t.Context(), before.DID(), did.Version{})
	require.NoError(t, err)

	newURL, _ := after.URL()
	client.files[newURL] = string(before.JSONL())
	_, err = r.Resolve(t.Context(), after.DID(), did.Version{})
	require.ErrorIs(t, err, did.ErrInvalid)
	broken := []byte(string(after.JSONL()))
	broken[len(broken)-10] ^= 1
	client.files[oldURL] = string(broken)
	_, err = r.Fresh().Resolve(t.Context(), before.DID(), did.Version{})
	require.ErrorIs(t, err, did.ErrInvalid)

	client.files[oldURL] = string(before.JSONL())
	again, err := r.Fresh().Resolve(t.Context(), before.DID(), did.Version{})
	require.NoError(t, err)
	require.Equal(t, res.VersionID, again.VersionID)
}

// What a process is told of the one before it counts until it has seen more itself.
func TestKnownByAnyName(t *testing.T) {
	t.Parallel()
	var at clock
	before, after := portable(t, &at)
	oldURL, _ := before.URL()
	client := &served{files: map[string]string{oldURL: string(before.JSONL())}}
	r := universal.New(universal.Config{Client: client, Now: at.now, Known: func(id did.DID) string {
		require.Equal(t, before.DID(), id)
		return after.VersionID()
	}})
	_, err := r.Resolve(t.Context(), before.DID(), did.Version{})
	require.ErrorIs(t, err, didwebvh.ErrHash)
}

// Times since the last change are all answered by what is kept, and no others are.
func TestTimesSinceTheLastChange(t *testing.T) {
	t.Parallel()
	var at clock
	first, update := alderLog(t, at.now)
	created := at.now()
	at.add(time.Hour)
	second, err := first.Update(t.Context(), didwebvh.Change{Key: update, Now: at.now})
	require.NoError(t, err)
	changed := at.now().Truncate(time.Second)
	at.add(time.Hour)
	client := &served{}
	client.publish(second)
	r := universal.New(universal.Config{Client: client, Now: at.now})
	whole, err := r.Resolve(t.Context(), first.DID(), did.Version{})
	require.NoError(t, err)
	for i := range 100 {
		res, err := r.Resolve(t.Context(), first.DID(), did.Version{Time: changed.Add(time.Duration(i) * time.Second)})
		require.NoError(t, err)
		require.Equal(t, whole, res)
	}
	require.EqualValues(t, 1, client.asked.Load())
	for i, c := range []struct {
		at   did.Version
		want string
	}{
		{did.Version{Time: changed.Add(-time.Second)}, first.VersionID()},
		{did.Version{Time: created.Add(time.Second)}, first.VersionID()},
		{did.Version{Time: at.now().Add(time.Second)}, second.VersionID()}, // to come: it may change
		{did.Version{Number: 1}, first.VersionID()},
		{did.Version{ID: second.VersionID()}, second.VersionID()},
	} {
		res, err := r.Resolve(t.Context(), first.DID(), c.at)
		require.NoError(t, err)
		require.Equal(t, c.want, res.VersionID)
		require.EqualValues(t, i+2, client.asked.Load())
	}
	_, err = r.Resolve(t.Context(), first.DID(), did.Version{Number: 1, Time: changed})
	require.ErrorIs(t, err, did.ErrInvalid, "two ways of asking")
	_, err = r.Fresh().Resolve(t.Context(), first.DID(), did.Version{Time: changed})
	require.NoError(t, err)
	require.EqualValues(t, 8, client.asked.Load(), "anew")
}
