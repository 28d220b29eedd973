package didwebvh

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/internal/strictjson"
)

// A vote is a proof by the key for an entry: of the log from 1, or of none for 0.
type vote struct {
	entry int
	key   byte
}

// proofsFile writes did-witness.json with the votes in their order; change, if not
// nil, spoils each proof.
func proofsFile(t testing.TB, log []byte, votes []vote, change func(*strictjson.Object)) []byte {
	t.Helper()
	var list []any
	for _, v := range votes {
		id := "9-" + hashText([]byte("not published"))
		if v.entry > 0 {
			id, _ = parseObject(t, string(bytes.Split(log, []byte("\n"))[v.entry-1])).Text("versionId")
		}
		proof, err := sign(context.Background(), approvedDocument(id), keySigner(t, v.key), now)
		require.NoError(t, err)
		if change != nil {
			change(proof)
		}
		o := approvedDocument(id)
		o.Set("proof", []any{proof})
		list = append(list, o)
	}
	file, err := strictjson.Append(nil, list)
	require.NoError(t, err)
	return file
}

func twoOf(threshold int, keys ...int) string {
	var list []string
	for _, k := range keys {
		list = append(list, fmt.Sprintf(`{"id":"did:key:{K%d}"}`, k))
	}
	return fmt.Sprintf(`"witness":{"threshold":%d,"witnesses":[%s]}`, threshold, strings.Join(list, ","))
}

// TestWitnesses has sections Witness Threshold Algorithm and Verifying Witness Proofs
// During Resolution: which entries need approval, by whom, and which proofs count.
func TestWitnesses(t *testing.T) {
	t.Parallel()
	from1 := []step{{parameters: withParameters(twoOf(2, 5, 6, 7))}, {parameters: `{}`}, {parameters: `{}`}}
	for name, c := range map[string]struct {
		steps []step
		votes []vote
		bad   int // the first entry without approval; 0 for none
	}{
		"nobody has to":                       {[]step{{parameters: first}, {parameters: `{}`}}, nil, 0},
		"nobody has to, strangers do":         {[]step{{parameters: first}}, []vote{{1, 5}}, 0},
		"no proof":                            {from1, nil, 1},
		"all approve each":                    {from1, []vote{{1, 5}, {1, 6}, {2, 5}, {2, 6}, {3, 6}, {3, 7}}, 0},
		"the last approval is for all before": {from1, []vote{{3, 5}, {3, 7}}, 0},
		"approvals of different entries":      {from1, []vote{{3, 5}, {2, 6}, {3, 7}}, 0},
		"one for the last":                    {from1, []vote{{3, 5}, {2, 6}}, 3},
		"only the first approved":             {from1, []vote{{1, 5}, {1, 6}}, 2},
		"one only":                            {from1, []vote{{3, 5}}, 1},
		"one twice":                           {from1, []vote{{3, 5}, {3, 5}, {2, 5}}, 1},
		"one and a stranger":                  {from1, []vote{{3, 5}, {3, 8}}, 1},
		"one and the controller":              {from1, []vote{{3, 5}, {3, 1}}, 1},
		"one and an unpublished entry":        {from1, []vote{{3, 5}, {0, 6}}, 1},
		"enough and an unpublished entry":     {from1, []vote{{3, 5}, {3, 6}, {0, 6}}, 0},

		"new ones approve from the next entry on": {
			[]step{{parameters: withParameters(twoOf(1, 5))}, {parameters: `{` + twoOf(1, 6) + `}`}, {parameters: `{}`}},
			[]vote{{2, 5}, {3, 6}}, 0,
		},
		"new ones do not approve their own entry": {
			[]step{{parameters: withParameters(twoOf(1, 5))}, {parameters: `{` + twoOf(1, 6) + `}`}, {parameters: `{}`}},
			[]vote{{1, 5}, {2, 6}, {3, 6}}, 2,
		},
		"old ones do not approve later entries": {
			[]step{{parameters: withParameters(twoOf(1, 5))}, {parameters: `{` + twoOf(1, 6) + `}`}, {parameters: `{}`}},
			[]vote{{3, 5}}, 3,
		},
		"first ones ever approve their own entry": {
			[]step{{parameters: first}, {parameters: `{` + twoOf(1, 5) + `}`}}, []vote{{2, 5}}, 0,
		},
		"first ones ever, missing": {
			[]step{{parameters: first}, {parameters: `{` + twoOf(1, 5) + `}`}}, nil, 2,
		},
		"the end of witnessing is witnessed": {
			[]step{{parameters: withParameters(twoOf(1, 5))}, {parameters: `{"witness":{}}`}, {parameters: `{}`}},
			[]vote{{2, 5}}, 0,
		},
		"the end of witnessing is not": {
			[]step{{parameters: withParameters(twoOf(1, 5))}, {parameters: `{"witness":{}}`}, {parameters: `{}`}},
			[]vote{{1, 5}}, 2,
		},
		"the end by null is witnessed": {
			[]step{{parameters: withParameters(twoOf(1, 5))}, {parameters: `{"witness":null}`}, {parameters: `{}`}},
			[]vote{{1, 5}}, 2,
		},
		"a lower threshold from the next entry on": {
			[]step{{parameters: withParameters(twoOf(2, 5, 6))}, {parameters: `{` + twoOf(1, 5, 6) + `}`}, {parameters: `{}`}},
			[]vote{{2, 5}, {2, 6}, {3, 6}}, 0,
		},
		"a lower threshold too early": {
			[]step{{parameters: withParameters(twoOf(2, 5, 6))}, {parameters: `{` + twoOf(1, 5) + `}`}},
			[]vote{{1, 5}, {1, 6}, {2, 5}}, 2,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			log := writeLog(t, c.steps...)
			l, err := OpenLog(log, proofsFile(t, log, c.votes, nil), now)
			require.NoError(t, err)
			id := l.entries[0].name.id
			_, err = VerifyLog(id, log, proofsFile(t, log, c.votes, nil), now)
			require.Equal(t, l.Witnessed(), err)
			if c.bad == 0 {
				require.NoError(t, err)
				return
			}
			var at *EntryError
			require.ErrorAs(t, err, &at)
			require.Equal(t, c.bad, at.Entry)
			require.ErrorIs(t, err, ErrWitness)
			_, err = l.Resolve(id, did.Version{})
			require.ErrorIs(t, err, ErrWitness)
			_, err = l.Resolve(id, did.Version{Number: c.bad})
			require.ErrorIs(t, err, ErrWitness)
			if c.bad > 1 { // what was approved can be asked for
				_, err = l.Resolve(id, did.Version{Number: c.bad - 1})
				require.NoError(t, err)
			}
		})
	}
}

// TestAbuse_DW09_WitnessProofs: proofs that are wrong do not count, and one of another
// entry's versionId least of all.
func TestAbuse_DW09_WitnessProofs(t *testing.T) {
	t.Parallel()
	log := writeLog(t, step{parameters: withParameters(twoOf(1, 5))}, step{parameters: `{}`})
	good := proofsFile(t, log, []vote{{2, 5}}, nil)
	l, err := OpenLog(log, good, now)
	require.NoError(t, err)
	require.NoError(t, l.Witnessed())
	file := func(change func(*strictjson.Object)) []byte { return proofsFile(t, log, []vote{{2, 5}}, change) }
	set := func(member string, v any) []byte {
		return file(func(o *strictjson.Object) { o.Set(member, v) })
	}
	swap := func(a, b string) []byte { return bytes.ReplaceAll(good, []byte(a), []byte(b)) }
	other := writeLog(t, step{parameters: withParameters(twoOf(1, 5) + `,"ttl":7`)}, step{parameters: `{}`})
	for name, file := range map[string][]byte{
		"versionId of the first entry":   swap(l.VersionID(), l.entries[0].versionID),
		"versionId of another log":       proofsFile(t, other, []vote{{2, 5}}, nil),
		"versionId cut":                  swap(l.VersionID(), l.VersionID()[:20]),
		"another log's proof moved here": bytes.ReplaceAll(proofsFile(t, other, []vote{{2, 5}}, nil), []byte(mustOpen(t, other).VersionID()), []byte(l.VersionID())),
		"another suite":                  set("cryptosuite", "eddsa-rdfc-2022"),
		"no suite":                       set("cryptosuite", nil),
		"another purpose":                set("proofPurpose", "authentication"),
		"another type":                   set("type", "Proof"),
		"made another time":              set("created", "2026-01-01T00:00:00Z"),
		"expired":                        set("expires", "2026-11-21T12:00:00Z"),
		"no value":                       set("proofValue", nil),
		"value of zeros":                 set("proofValue", "z"+strings.Repeat("1", 64)),
		"method of body A, fragment B":   set("verificationMethod", "did:key:"+multikeyText(5)+"#"+multikeyText(6)),
		"method of body B, fragment A":   set("verificationMethod", "did:key:"+multikeyText(6)+"#"+multikeyText(5)),
		"method without fragment":        set("verificationMethod", "did:key:"+multikeyText(5)),
		"method of a did:web":            set("verificationMethod", "did:web:"+multikeyText(5)+"#"+multikeyText(5)),
		"signed by another":              proofsFile(t, log, []vote{{2, 6}}, func(o *strictjson.Object) { o.Set("verificationMethod", keyPrefix+multikeyText(5)+"#"+multikeyText(5)) }),
		"nothing":                        nil,
		"an empty list":                  []byte(`[]`),
		"an entry without proofs":        []byte(`[{"versionId":"` + l.VersionID() + `"}]`),
		"an entry with an empty list":    []byte(`[{"versionId":"` + l.VersionID() + `","proof":[]}]`),
	} {
		l, err := OpenLog(log, file, now)
		require.NoError(t, err, name)
		var at *EntryError
		require.ErrorAs(t, l.Witnessed(), &at, name)
		require.Equal(t, 1, at.Entry)
		require.ErrorIs(t, at, ErrWitness)
	}
	for name, text := range map[string]string{
		"a map": `{}`, "a text": `""`, "of lists": `[[]]`, "without versionId": `[{"proof":[]}]`, "proof a map": `[{"versionId":"1-a","proof":{}}]`,
		"proof of texts": `[{"versionId":"1-a","proof":["z"]}]`, "cut": string(good[:len(good)-3]), "two of one name": `[{"versionId":"1-a","versionId":"2-a"}]`,
		"too large": "[" + strings.Repeat(" ", maxWitnessFile) + "]",
	} {
		l, err := OpenLog(log, []byte(text), now)
		require.Nil(t, l, name)
		require.ErrorIs(t, err, ErrWitness, name)
	}
	// Beside a good proof bad ones do no harm.
	bad := proofsFile(t, log, []vote{{2, 5}}, func(o *strictjson.Object) { o.Set("created", "2026-01-01T00:00:00Z") })
	many := strings.TrimSuffix(string(bad), "]")
	require.NoError(t, openWith(t, log, []byte(many+","+string(good[1:]))).Witnessed())
	// But no more of them are looked at than the limit.
	one := strings.TrimPrefix(many, "[")
	full := many + strings.Repeat(","+one, maxChecks-2)
	require.NoError(t, openWith(t, log, []byte(full+","+string(good[1:]))).Witnessed())
	require.ErrorIs(t, openWith(t, log, []byte(full+","+one+","+string(good[1:]))).Witnessed(), ErrWitness)
}

func openWith(t testing.TB, log, proofs []byte) *Log {
	t.Helper()
	l, err := OpenLog(log, proofs, now)
	require.NoError(t, err)
	return l
}

func mustOpen(t testing.TB, log []byte) *Log { return openWith(t, log, nil) }

// TestAddProofOfStrangers: a good signature of somebody who is not asked counts for
// nothing, and is not kept.
func TestAddProofOfStrangers(t *testing.T) {
	t.Parallel()
	l := mustOpen(t, writeLog(t, step{parameters: withParameters(twoOf(1, 5))}))
	for _, key := range []byte{1, 6} {
		proof, err := sign(context.Background(), approvedDocument(l.VersionID()), keySigner(t, key), now)
		require.NoError(t, err)
		text, err := strictjson.Append(nil, proof)
		require.NoError(t, err)
		_, err = l.AddProof(text)
		require.ErrorIs(t, err, ErrWitness)
	}
}
