package didwebvh

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/hex"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/internal/jcs"
	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/internal/vectors"
)

// A script says how a published log was made.
type script struct {
	Keys  []struct{ ID, Seed string }
	Steps []struct {
		Op, Domain, Signer, Timestamp string
		Params                        struct {
			UpdateKeys    []string `yaml:"updateKeys"`
			NextKeyHashes []string `yaml:"nextKeyHashes"`
			AlsoKnownAs   []any    `yaml:"alsoKnownAs"`
			Services      []map[string]string
			Portable      bool
			Witness       *struct {
				Threshold int
				Witnesses []struct{ ID string }
			}
		}
	}
}

func readScript(t *testing.T, data []byte) (s script, keys map[string]ed25519.PrivateKey) {
	t.Helper()
	require.NoError(t, yaml.Unmarshal(data, &s))
	keys = map[string]ed25519.PrivateKey{}
	for _, k := range s.Keys {
		seed, err := hex.DecodeString(k.Seed)
		require.NoError(t, err)
		keys[k.ID] = ed25519.NewKeyFromSeed(seed)
	}
	return s, keys
}

// TestRecreateVectors makes every published log again from its script, in the way of
// each of the three writers, and compares each entry with what was published: SCID,
// entry hash and signature among it.
func TestRecreateVectors(t *testing.T) {
	t.Parallel()
	entries, approvals := 0, 0
	for _, dir := range scripts() {
		s, keys := readScript(t, vectors.Read(t, "did-webvh", "vectors", dir, "script.yaml"))
		for _, writer := range writers() {
			published := bytes.Split(bytes.TrimSpace(vectors.Read(t, "did-webvh", "vectors", dir, writer, "did.jsonl")), []byte("\n"))
			w := &writing{writer: writer, keys: keys}
			for i, step := range s.Steps {
				if step.Op == "resolve" {
					continue
				}
				require.Less(t, i, len(published), "%s/%s", dir, writer)
				made := w.entry(t, s, i, published[i])
				require.Equal(t, canonical(t, published[i]), canonical(t, made.line), "%s/%s entry %d", dir, writer, i+1)
				entries++
			}
			require.Len(t, published, len(w.made), "%s/%s", dir, writer)
			if strings.HasPrefix(dir, "witness-") {
				approvals += w.approvals(t, vectors.Read(t, "did-webvh", "vectors", dir, writer, "did-witness.json"))
			}
		}
	}
	t.Logf("%d entries of %d logs and %d proofs of witnesses made again", entries, len(scripts())*len(writers()), approvals)
}

// approvals signs what the witnesses of a published file have signed.
func (w *writing) approvals(t *testing.T, file []byte) int {
	t.Helper()
	published, err := parseApprovals(file)
	require.NoError(t, err)
	for _, p := range published {
		by, ok := signer(p.proof)
		require.True(t, ok)
		created, _ := p.proof.Text("created")
		at, err := time.Parse(time.RFC3339, created)
		require.NoError(t, err)
		for _, key := range w.keys {
			s, err := UpdateKey(key)
			require.NoError(t, err)
			if s.VerificationMethod().Fragment == by {
				made, err := sign(context.Background(), approvedDocument(p.versionID), s, at)
				require.NoError(t, err)
				require.True(t, strictjson.Equal(p.proof, made))
			}
		}
	}
	return len(published)
}

func canonical(t *testing.T, line []byte) string {
	t.Helper()
	o, err := strictjson.ParseObject(line)
	require.NoError(t, err)
	text, err := jcs.Append(nil, o)
	require.NoError(t, err)
	return string(text)
}

// A writing is one log in the way of a writer.
type writing struct {
	writer     string
	keys       map[string]ed25519.PrivateKey
	made       []entry
	state      *strictjson.Object
	parameters *strictjson.Object // of the entry before
}

func (w *writing) multikey(t *testing.T, id string) string {
	t.Helper()
	text, err := did.Multikey(w.keys[id].Public())
	require.NoError(t, err)
	return text
}

func (w *writing) multikeys(t *testing.T, ids []string, as func(string) string) []any {
	list := make([]any, len(ids))
	for i, id := range ids {
		list[i] = as(w.multikey(t, id))
	}
	return list
}

func (w *writing) entry(t *testing.T, s script, i int, published []byte) entry {
	t.Helper()
	step := s.Steps[i]
	signer, err := UpdateKey(w.keys[step.Signer])
	require.NoError(t, err)
	at, err := time.Parse(time.RFC3339, step.Timestamp)
	require.NoError(t, err)
	now := at
	if w.writer == "rust" { // it took the clock for its proofs, and for the time of deactivations
		p, err := parseEntry(published, cost{})
		require.NoError(t, err)
		text, _ := p.proofs[0].Text("created")
		now, err = time.Parse(time.RFC3339, text)
		require.NoError(t, err)
		if step.Op == "deactivate" {
			at = now
		}
	}
	if step.Op != "deactivate" {
		w.state = w.document(t, s, i)
	}
	w.parameters = w.parametersOf(t, s, i)
	e, err := newEntry(context.Background(), w.made, w.parameters, w.state, signer, at, now)
	require.NoError(t, err)
	if i == 0 {
		state, err := replace(w.state, placeholder, e.name.scid)
		require.NoError(t, err)
		w.state = state.(*strictjson.Object)
	}
	w.made = append(w.made, e)
	return e
}

// document is what the writers put in theirs: the update keys, for authentication.
func (w *writing) document(t *testing.T, s script, i int) *strictjson.Object {
	params := s.Steps[i].Params
	id := prefix + placeholder + ":example.com"
	if len(w.made) > 0 {
		id = w.made[0].name.id.String()
	}
	var methods, authentication []any
	for _, key := range params.UpdateKeys {
		multikey := w.multikey(t, key)
		m := strictjson.NewObject(
			strictjson.Member{Name: "type", Value: "Multikey"},
			strictjson.Member{Name: "publicKeyMultibase", Value: multikey},
			strictjson.Member{Name: "id", Value: id + "#" + multikey[len(multikey)-8:]},
		)
		if w.writer == "rust" {
			m.Set("controller", id)
		} else {
			m.Set("purpose", "authentication")
		}
		methods, authentication = append(methods, m), append(authentication, id+"#"+multikey[len(multikey)-8:])
	}
	o := strictjson.NewObject(
		strictjson.Member{Name: "@context", Value: []any{"https://www.w3.org/ns/did/v1", "https://w3id.org/security/multikey/v1"}},
		strictjson.Member{Name: "id", Value: id},
		strictjson.Member{Name: "controller", Value: id},
		strictjson.Member{Name: "verificationMethod", Value: methods},
		strictjson.Member{Name: "authentication", Value: authentication},
	)
	for _, empty := range []string{"assertionMethod", "keyAgreement", "capabilityDelegation", "capabilityInvocation"} {
		o.Set(empty, []any{})
	}
	if params.AlsoKnownAs != nil {
		o.Set("alsoKnownAs", params.AlsoKnownAs)
	}
	if params.Services != nil && (w.writer != "ts" || len(w.made) > 0) { // ts leaves them out of a first entry
		var list []any
		for _, service := range params.Services {
			o := strictjson.NewObject()
			for member, v := range service {
				o.Set(member, v)
			}
			list = append(list, o)
		}
		o.Set("service", list)
	}
	return o
}

func (w *writing) parametersOf(t *testing.T, s script, i int) *strictjson.Object {
	step, params, first := s.Steps[i], s.Steps[i].Params, len(w.made) == 0
	same := func(s string) string { return s }
	hashed := func(s string) string { return hashText([]byte(s)) }
	witness := strictjson.NewObject()
	if params.Witness != nil {
		var list []any
		for _, x := range params.Witness.Witnesses {
			id := w.multikey(t, x.ID)
			if w.writer != "rust" {
				id = keyPrefix + id
			}
			list = append(list, strictjson.NewObject(strictjson.Member{Name: "id", Value: id}))
		}
		witness = strictjson.NewObject(strictjson.Member{Name: "threshold", Value: params.Witness.Threshold}, strictjson.Member{Name: "witnesses", Value: list})
	}
	o := strictjson.NewObject()
	if first {
		o.Set("method", method)
		o.Set("scid", placeholder)
	}
	keys := w.multikeys(t, params.UpdateKeys, same)
	if step.Op == "deactivate" {
		o.Set("deactivated", true)
		o.Set("updateKeys", []any{})
		if w.writer != "rust" {
			o.Set("updateKeys", w.multikeys(t, s.Steps[i-1].Params.UpdateKeys, same))
		}
		return o
	}
	next := w.multikeys(t, params.NextKeyHashes, hashed)
	switch w.writer {
	case "rust": // states what the entry before did not state alike
		before, _ := w.parameters.Get("updateKeys")
		if first || !strictjson.Equal(before, keys) {
			o.Set("updateKeys", keys)
		}
		if params.Portable {
			o.Set("portable", true)
		}
		if len(next) > 0 {
			o.Set("nextKeyHashes", next)
		}
		if params.Witness != nil {
			o.Set("witness", witness)
		}
		return o
	case "python":
		if len(next) > 0 {
			o.Set("nextKeyHashes", next)
		}
	case "ts":
		o.Set("nextKeyHashes", next)
	}
	o.Set("updateKeys", keys)
	o.Set("witness", witness)
	o.Set("watchers", []any{})
	if first {
		o.Set("portable", params.Portable)
		o.Set("deactivated", false)
	}
	return o
}

// scripts are the published stories.
func scripts() []string {
	return []string{
		"basic-create", "basic-update", "deactivate", "key-rotation", "multi-update", "multiple-update-keys", "portable", "portable-move",
		"pre-rotation", "pre-rotation-consume", "services", "witness-threshold", "witness-update",
	}
}

func writers() []string { return []string{"python", "rust", "ts"} }
