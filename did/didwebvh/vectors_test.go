package didwebvh_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/did/didwebvh"
	"github.com/staffpassport/staffpassport/internal/vectors"
)

// now is when the tests look at logs: after every published entry.
var now = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

func clock() time.Time { return now }

// web is a Getter of files at addresses.
type web map[string][]byte

func (w web) Get(ctx context.Context, url string, accept ...string) ([]byte, string, error) {
	if err := ctx.Err(); err != nil {
		return nil, "", err
	}
	if body, ok := w[url]; ok {
		return body, accept[0], nil
	}
	return nil, "", did.ErrNotFound
}

// A result is what a published writer's resolver answered.
type result struct {
	Document   json.RawMessage `json:"didDocument"`
	Metadata   json.RawMessage `json:"didDocumentMetadata"`
	Resolution struct{ Error string }
}

// What the published answers say otherwise than the specification does, or than the
// writers of the other answers do.
func differences() map[string]string {
	return map[string]string{
		"multi-update/python/resolutionResult.1.json": "answers with the last version",
		"multi-update/python/resolutionResult.2.json": "answers with the last version",
		"multi-update/ts/resolutionResult.1.json":     "updated is not that of the last entry (section Read)",
		"multi-update/ts/resolutionResult.2.json":     "updated is not that of the last entry (section Read)",
		"deactivate/python/resolutionResult.json":     "shows the document of a deactivated DID (section Deactivate)",
		"deactivate/rust/resolutionResult.json":       "shows the document of a deactivated DID (section Deactivate)",
		"deactivate/ts/resolutionResult.json":         "shows the document of a deactivated DID (section Deactivate)",
		"witness-update/ts/resolutionResult.json":     "lets the new witnesses approve the entry that brings them (section Witness Lists); python refuses the like",
	}
}

// TestVectors resolves every published log, over a client, and compares with the
// published answers.
func TestVectors(t *testing.T) {
	t.Parallel()
	same, differ := 0, differences()
	for _, dir := range []string{
		"basic-create", "basic-update", "deactivate", "key-rotation", "multi-update", "multiple-update-keys", "portable", "portable-move",
		"pre-rotation", "pre-rotation-consume", "services", "witness-threshold", "witness-update",
	} {
		versions := map[string]did.Version{"resolutionResult.json": {}}
		if dir == "multi-update" {
			versions["resolutionResult.1.json"] = did.Version{Number: 1}
			versions["resolutionResult.2.json"] = did.Version{Number: 2}
		}
		for _, writer := range []string{"python", "rust", "ts"} {
			log := vectors.Read(t, "did-webvh", "vectors", dir, writer, "did.jsonl")
			files := web{"https://example.com/.well-known/did.jsonl": log}
			if strings.HasPrefix(dir, "witness-") {
				files["https://example.com/.well-known/did-witness.json"] = vectors.Read(t, "did-webvh", "vectors", dir, writer, "did-witness.json")
			}
			id := didOf(t, log)
			for file, at := range versions {
				which := dir + "/" + writer + "/" + file
				var want result
				require.NoError(t, json.Unmarshal(vectors.Read(t, "did-webvh", "vectors", dir, writer, file), &want))
				got, err := (&didwebvh.Resolver{Client: files, Now: clock}).Resolve(context.Background(), id, at)
				difference := compare(want, got, err)
				require.Equal(t, differ[which] != "", difference != "", "%s: %s", which, difference)
				if difference == "" {
					same++
					continue
				}
				t.Logf("%s %s: %s", which, differ[which], difference)
			}
		}
	}
	t.Logf("%d answers are the same, %d are not and should not be", same, len(differ))
	require.Equal(t, 45, same+len(differ))
}

func didOf(t testing.TB, log []byte) did.DID {
	t.Helper()
	line, _, _ := strings.Cut(string(log), "\n")
	var e struct{ State struct{ ID did.DID } }
	require.NoError(t, json.Unmarshal([]byte(line), &e))
	return e.State.ID
}

// compare returns how an answer differs from a published one, but for what the
// published ones do not agree on: see same.
func compare(want result, got *did.Resolution, err error) string {
	if string(want.Document) == "null" {
		if !errors.Is(err, did.ErrInvalid) {
			return fmt.Sprintf("not refused: %v", err)
		}
		return ""
	}
	if err != nil {
		return err.Error()
	}
	var w struct {
		VersionID                     string
		Created, Updated, VersionTime time.Time
		Deactivated, Portable         bool
		SCID                          string
		Witness                       struct {
			Threshold int
			Witnesses []struct{ ID string }
		}
	}
	if err := json.Unmarshal(want.Metadata, &w); err != nil {
		return err.Error()
	}
	other := func(member string, v any) {
		if err == nil {
			err = json.Unmarshal(got.Other[member], v)
		}
	}
	var scid string
	var at time.Time
	var portable bool
	var witness struct {
		Threshold string
		Witnesses []struct{ ID string }
	}
	other("scid", &scid)
	other("versionTime", &at)
	other("portable", &portable)
	other("witness", &witness)
	switch {
	case err != nil:
		return err.Error()
	case got.VersionID != w.VersionID:
		return "versionId " + got.VersionID
	case !got.Created.Equal(w.Created) || !got.Updated.Equal(w.Updated) || !at.Equal(w.VersionTime):
		return "times"
	case got.Deactivated != w.Deactivated:
		return "deactivated"
	case w.SCID != "" && (scid != w.SCID || portable != w.Portable): // ts leaves them out
		return "scid or portable"
	case w.SCID != "" && w.Witness.Threshold > 0 && (witness.Threshold != fmt.Sprint(w.Witness.Threshold) || !slices.Equal(witness.Witnesses, w.Witness.Witnesses)):
		return "witness"
	case got.Document == nil:
		return "no document"
	}
	document, err := got.Document.MarshalJSON()
	if err != nil {
		return err.Error()
	}
	if a, b := same(want.Document), same(document); a != b {
		return a + " is not " + b
	}
	return ""
}

// same returns a document without what the writers do not agree on: whether a key
// names its controller, whether the services that the method adds have an id with the
// DID, and whether their address ends in a slash.
func same(document []byte) string {
	var d map[string]any
	if err := json.Unmarshal(document, &d); err != nil {
		return err.Error()
	}
	for _, m := range d["verificationMethod"].([]any) {
		if m := m.(map[string]any); m["controller"] == d["id"] {
			delete(m, "controller")
		}
	}
	for _, s := range d["service"].([]any) {
		s := s.(map[string]any)
		s["id"] = strings.TrimPrefix(s["id"].(string), d["id"].(string))
		s["serviceEndpoint"] = strings.TrimSuffix(s["serviceEndpoint"].(string), "/")
	}
	text, err := json.Marshal(d)
	if err != nil {
		return err.Error()
	}
	return string(text)
}
