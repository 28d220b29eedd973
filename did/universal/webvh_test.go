package universal_test

import (
	"crypto/ed25519"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/did/didwebvh"
	"github.com/staffpassport/staffpassport/did/resolution"
	"github.com/staffpassport/staffpassport/did/universal"
)

// alderLog is the log of a new DID of alder.example, and its update key.
func alderLog(t testing.TB, at func() time.Time) (*didwebvh.Log, did.Signer) {
	t.Helper()
	key := ed25519.NewKeyFromSeed(make([]byte, 32))
	update, err := didwebvh.UpdateKey(key)
	require.NoError(t, err)
	log, err := didwebvh.Create(t.Context(), didwebvh.Options{
		Domain: "alder.example", Key: update, TTL: 30 * time.Minute, Now: at,
		Document: func(id did.DID) (*did.Document, error) {
			m, err := did.NewVerificationMethod(id.URL("key-1"), key.Public(), did.AssertionMethod)
			if err != nil {
				return nil, err
			}
			return did.NewDocument(id, []*did.VerificationMethod{m}, nil)
		},
	})
	require.NoError(t, err)
	return log, update
}

func (s *served) publish(log *didwebvh.Log) {
	url, _ := log.URL()
	if s.files == nil {
		s.files = map[string]string{}
	}
	s.files[url] = string(log.JSONL())
}

func TestWebVH(t *testing.T) {
	t.Parallel()
	var at clock
	first, update := alderLog(t, at.now)
	client := &served{}
	client.publish(first)
	r := universal.New(universal.Config{Client: client, Now: at.now})
	version := func() string {
		t.Helper()
		res, err := r.Resolve(t.Context(), first.DID(), did.Version{})
		require.NoError(t, err)
		return res.VersionID
	}
	require.Equal(t, first.VersionID(), version())
	at.add(time.Minute)
	second, err := first.Update(t.Context(), didwebvh.Change{Key: update, Now: at.now})
	require.NoError(t, err)
	client.publish(second)
	require.Equal(t, first.VersionID(), version(), "kept")
	require.EqualValues(t, 1, client.asked.Load())
	at.add(29 * time.Minute)
	require.Equal(t, second.VersionID(), version(), "when the half hour that the log says is over")

	// A server that goes back to the older log is found out, whoever made it.
	client.publish(first)
	at.add(time.Hour)
	for range 2 {
		_, err = r.Resolve(t.Context(), first.DID(), did.Version{})
		require.ErrorIs(t, err, did.ErrInvalid)
		_, err = r.Fresh().Resolve(t.Context(), first.DID(), did.Version{})
		require.ErrorIs(t, err, didwebvh.ErrHash)
	}
	known := universal.New(universal.Config{Client: client, Now: at.now, Known: func(did.DID) string { return second.VersionID() }})
	_, err = known.Resolve(t.Context(), first.DID(), did.Version{})
	require.ErrorIs(t, err, didwebvh.ErrHash, "also by a process that is told what the one before it saw")
	unaware := universal.New(universal.Config{Client: client, Now: at.now, Known: func(did.DID) string { return "" }})
	_, err = unaware.Resolve(t.Context(), first.DID(), did.Version{})
	require.NoError(t, err)
	client.publish(second)
	require.Equal(t, second.VersionID(), version())
}

// Paths, versions and the end of a did:webvh, as DID Resolution tells them.
func TestWebVHByDIDResolution(t *testing.T) {
	t.Parallel()
	var at clock
	first, update := alderLog(t, at.now)
	client := &served{files: map[string]string{"https://alder.example/whois.vp": `{"type":"VerifiablePresentation"}`, "https://alder.example/a/b.json": `{}`}}
	client.publish(first)
	r := universal.New(universal.Config{Client: client, Now: at.now})
	o := resolution.Options{Client: client}
	id := first.DID().String()

	d := resolution.Dereference(t.Context(), r, id+"/whois", o)
	require.Nil(t, d.Problem)
	require.JSONEq(t, `{"type":"VerifiablePresentation"}`, string(d.Content))
	d = resolution.Dereference(t.Context(), r, id+"/a/b.json", o)
	require.Nil(t, d.Problem)
	d = resolution.Dereference(t.Context(), r, id+"/a/c.json", o)
	require.Equal(t, resolution.TypeNotFound, d.Problem.Type)
	d = resolution.Dereference(t.Context(), r, id+"?service=whois", resolution.Options{Accept: resolution.MediaTypeURLs})
	require.Equal(t, "https://alder.example/whois.vp", d.Location())
	d = resolution.Dereference(t.Context(), r, id+"#key-1", resolution.Options{VerificationRelationship: did.AssertionMethod})
	require.Nil(t, d.Problem)

	at.add(time.Hour)
	last, err := first.Deactivate(t.Context(), didwebvh.Change{Key: update, Now: at.now})
	require.NoError(t, err)
	client.publish(last)
	result := resolution.Resolve(t.Context(), r, id, resolution.Options{NoCache: true})
	require.Equal(t, http.StatusGone, result.HTTPStatus())
	require.Nil(t, result.Document)
	for name, o := range map[string]resolution.Options{
		"versionId": {VersionID: first.VersionID()}, "versionNumber": {VersionNumber: "1"}, "versionTime": {VersionTime: at.now().Add(-time.Minute).UTC().Format("2006-01-02T15:04:05Z")},
	} {
		result := resolution.Resolve(t.Context(), r, id, o)
		require.NotNil(t, result.Document, name)
		require.JSONEq(t, `"`+first.VersionID()+`"`, string(result.Metadata["versionId"]))
		require.JSONEq(t, `"1800"`, string(result.Metadata["ttl"]))
	}
	for name, o := range map[string]resolution.Options{
		"versionId": {VersionID: "9-Qm"}, "versionNumber": {VersionNumber: "9"}, "versionTime": {VersionTime: "2001-01-01T00:00:00Z"},
	} {
		result := resolution.Resolve(t.Context(), r, id, o)
		require.NotNil(t, result.Problem, name)
		require.Equal(t, resolution.TypeNotFound, result.Problem.Type, name)
	}
}

// A log that lies is an invalid DID, and the result tells the number of the entry.
func TestAbuse_DW09_LogThatLies(t *testing.T) {
	t.Parallel()
	var at clock
	first, update := alderLog(t, at.now)
	at.add(time.Minute)
	second, err := first.Update(t.Context(), didwebvh.Change{Key: update, Now: at.now})
	require.NoError(t, err)
	client := &served{}
	client.publish(second)
	url, _ := second.URL()
	data := []byte(client.files[url])
	data[len(data)-10] ^= 1 // in the last entry's proof
	client.files[url] = string(data)
	result := resolution.Resolve(t.Context(), universal.New(universal.Config{Client: client, Now: at.now}), first.DID().String(), resolution.Options{})
	require.Equal(t, resolution.TypeInvalidDID, result.Problem.Type)
	require.Equal(t, http.StatusBadRequest, result.HTTPStatus())
	require.Contains(t, result.Problem.Detail, "entry 2")
}
