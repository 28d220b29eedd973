package verify_test

import (
	"context"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/did/didkey"
	"github.com/staffpassport/staffpassport/schema"
	"github.com/staffpassport/staffpassport/testdata"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/verify"
)

func allVectors(t testing.TB) []testdata.Vector {
	t.Helper()
	all, err := testdata.Vectors()
	require.NoError(t, err)
	return all
}

// setUp makes the verifier and session that a vector describes.
func setUp(t testing.TB, s testdata.Verifier) (*verify.Verifier, verify.Session) {
	t.Helper()
	trusted := verify.TrustedIssuers{}
	for issuer, types := range s.Trusted {
		trusted[parse(t, issuer)] = types
	}
	v := &verify.Verifier{
		Trust:    trusted,
		Contexts: contextsOf(t, s),
		Now:      clockAt(s.Now),
		Resolver: resolverFunc(func(id did.DID) (*did.Resolution, error) {
			if slices.Contains(s.Unavailable, id.String()) {
				return nil, did.ErrUnavailable
			}
			if raw, ok := s.Documents[id.String()]; ok {
				doc, err := did.ParseDocument(raw)
				return &did.Resolution{Document: doc}, err
			}
			if id.Method() != "key" {
				return nil, did.ErrNotFound
			}
			return didkey.Resolver{}.Resolve(context.Background(), id, did.Version{})
		}),
		Replay: replayFunc(func() error {
			if s.NonceUsed {
				return verify.ErrReplay
			}
			return nil
		}),
	}
	if s.Holder == "bearer" {
		v.Holder = verify.Bearer
	}
	return v, verify.Session{Audience: s.Audience, Nonce: s.Nonce}
}

// contextsOf knows the arrays of a vector, with the documents that it brings.
func contextsOf(t testing.TB, s testdata.Verifier) *vc.ContextSet {
	t.Helper()
	if len(s.ContextDocuments) == 0 {
		return contextSet(s.Contexts...)
	}
	documents := map[string][]byte{}
	for url, doc := range s.ContextDocuments {
		documents[url] = doc
	}
	var arrays [][]vc.Context
	for _, a := range s.Contexts {
		arrays = append(arrays, vc.Contexts(a[1:]...))
	}
	set, err := vc.NewContextSet(documents, arrays...)
	require.NoError(t, err)
	return set
}

func inputOf(t testing.TB, x testdata.Vector) vc.Secured {
	t.Helper()
	b, err := x.Bytes()
	require.NoError(t, err)
	return vc.Secured{MediaType: x.MediaType, Bytes: b}
}

// answer gives a vector's input to the verifier.
func answer(t testing.TB, x testdata.Vector, s vc.Secured) ([]*verify.Credential, error) {
	t.Helper()
	v, want := setUp(t, x.Verifier)
	if x.Kind == "credential" {
		c, err := v.Credential(context.Background(), s)
		if err != nil {
			require.Nil(t, c)
			return nil, err
		}
		return []*verify.Credential{c}, nil
	}
	p, err := v.Presentation(context.Background(), s, want)
	if err != nil {
		require.Nil(t, p)
		return nil, err
	}
	return p.Credentials(), nil
}

func TestVectors(t *testing.T) {
	t.Parallel()
	good, bad := 0, 0
	for _, x := range allVectors(t) {
		if x.Expected.Outcome == "accepted" {
			good++
		} else {
			bad++
		}
		t.Run(x.Name, func(t *testing.T) {
			t.Parallel()
			creds, err := answer(t, x, inputOf(t, x))
			checkAnswer(t, x.Expected, creds, err, x.Expected.Index)
			if x.Kind != "credential" {
				return
			}
			// The same credential by every other way in: in a presentation that
			// its subject made.
			v, _ := setUp(t, x.Verifier)
			for _, e := range entries() {
				if !canPresent(t, e, inputOf(t, x)) {
					continue
				}
				c, err := e.run(t, v, inputOf(t, x))
				checkAnswer(t, x.Expected, []*verify.Credential{c}, err, e.index)
			}
		})
	}
	require.GreaterOrEqual(t, good, 2)
	require.GreaterOrEqual(t, bad, 20)
	require.GreaterOrEqual(t, bad, 2*good)
}

// canPresent reports whether an entry can carry an input: only an envelope can
// carry what is no JSON.
func canPresent(t testing.TB, e entry, s vc.Secured) bool {
	t.Helper()
	if strings.HasPrefix(e.name, "enveloped") || e.index == verify.Whole {
		return true
	}
	_, err := json.Marshal(vc.NewPresentation(did.DID{}, s))
	return err == nil
}

func checkAnswer(t testing.TB, want testdata.Expected, creds []*verify.Credential, err error, index int) {
	t.Helper()
	if want.Outcome == "accepted" {
		require.NoError(t, err)
		require.Len(t, creds, len(want.Documents))
		for i, c := range creds {
			b, err := json.Marshal(c.Document())
			require.NoError(t, err)
			require.JSONEq(t, string(want.Documents[i]), string(b))
		}
		return
	}
	e := requireCode(t, err, verify.Code(want.Code), index)
	require.Equal(t, verify.Check(want.Check), e.Check)
	require.Equal(t, want.Outcome == "undecided", e.Code == verify.ErrUnavailable || e.Code == verify.ErrStatusUnsupported)
}

// TestVectorsChangedByOneByte: nothing near an accepted vector is accepted, unless
// it says the same.
func TestVectorsChangedByOneByte(t *testing.T) {
	t.Parallel()
	for _, x := range allVectors(t) {
		if x.Expected.Outcome != "accepted" {
			continue
		}
		t.Run(x.Name, func(t *testing.T) {
			t.Parallel()
			good := inputOf(t, x)
			step := 23 // the vectors have most of their bytes in common
			switch {
			case x.Name == "credential-valid":
				step = 1
			case len(x.Verifier.ContextDocuments) > 0: // each try costs a canonical form
				step = 131
			}
			for i := 0; i < len(good.Bytes); i += step {
				changed := slices.Clone(good.Bytes)
				changed[i] ^= 1
				creds, err := answer(t, x, vc.Secured{MediaType: good.MediaType, Bytes: changed})
				if err == nil {
					checkAnswer(t, x.Expected, creds, nil, verify.Whole)
				}
			}
		})
	}
}

// TestVectorsArePassports: what the good vectors hold is what package schema reads
// and finds good.
func TestVectorsArePassports(t *testing.T) {
	t.Parallel()
	for _, x := range allVectors(t) {
		if strings.HasSuffix(x.Name, "-selected") { // part of one
			continue
		}
		for _, doc := range x.Expected.Documents {
			c, err := vc.Parse(doc)
			require.NoError(t, err)
			p, err := schema.Read(c)
			require.NoError(t, err, x.Name)
			require.NoError(t, p.Validate(), x.Name)
		}
	}
}

// TestVectorsFormat validates every file against the schema in the README.
func TestVectorsFormat(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile(filepath.Join("..", "..", "testdata", "README.md"))
	require.NoError(t, err)
	_, rest, ok := strings.Cut(string(readme), "```json\n")
	require.True(t, ok)
	text, _, ok := strings.Cut(rest, "```")
	require.True(t, ok)
	parsed, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	require.NoError(t, err)
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	require.NoError(t, compiler.AddResource("vector.json", parsed))
	compiled, err := compiler.Compile("vector.json")
	require.NoError(t, err)

	names, err := fs.Glob(testdata.Files(), "*")
	require.NoError(t, err)
	for _, name := range names {
		f, err := testdata.Files().Open(name)
		require.NoError(t, err)
		v, err := jsonschema.UnmarshalJSON(f)
		require.NoError(t, err)
		require.NoError(t, compiled.Validate(v), name)
		require.Equal(t, strings.TrimSuffix(name, ".json"), v.(map[string]any)["name"])
	}
}

// FuzzVerify: nothing verifies that is not a seed, in whatever format it is said to
// be.
func FuzzVerify(f *testing.F) {
	all := allVectors(f)
	accepted, mediaTypes := map[string]bool{}, []string{}
	setting := all[slices.IndexFunc(all, func(x testdata.Vector) bool { return x.Name == "bbs-2023-bearer-valid" })].Verifier
	setting.Now, setting.Trusted = vectorTime, map[string][]string{}
	for _, typ := range []keyType{ed25519Key, p256Key, p384Key, bls12381Key} {
		setting.Trusted[partyOf(f, "Riverside Trust", typ).id.String()] = []string{schema.Type}
	}
	for _, x := range all {
		if !slices.Contains(mediaTypes, x.MediaType) {
			mediaTypes = append(mediaTypes, x.MediaType)
		}
		b, err := x.Bytes()
		require.NoError(f, err)
		f.Add(b, uint8(slices.Index(mediaTypes, x.MediaType)))
		for _, doc := range x.Expected.Documents {
			accepted[canonical(f, object(f, string(doc)))] = true
		}
	}
	f.Fuzz(func(t *testing.T, b []byte, n uint8) {
		s := vc.Secured{MediaType: mediaTypes[int(n)%len(mediaTypes)], Bytes: b}
		v, want := setUp(t, setting)
		check := func(c *verify.Credential) {
			doc, err := json.Marshal(c.Document())
			require.NoError(t, err)
			if !accepted[canonical(t, object(t, string(doc)))] {
				t.Fatal("verified what nobody signed")
			}
		}
		if c, err := v.Credential(context.Background(), s); err == nil {
			check(c)
		}
		if p, err := v.Presentation(context.Background(), s, want); err == nil {
			for _, c := range p.Credentials() {
				check(c)
			}
		}
	})
}

// vectorTime is the clock of the vectors.
var vectorTime = time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)
