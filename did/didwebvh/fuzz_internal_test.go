package didwebvh

import (
	"bytes"
	"context"
	"net/netip"
	"net/url"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/internal/jcs"
	"github.com/staffpassport/staffpassport/internal/strictjson"
)

// seeds are logs, with the proofs of their witnesses or nil.
func seeds(t testing.TB) [][2][]byte {
	t.Helper()
	witnessed := writeLog(t, step{parameters: withParameters(twoOf(1, 5))}, step{parameters: `{"witness":{}}`})
	rotated := writeLog(t, step{parameters: firstNext}, step{parameters: `{"updateKeys":["{K2}"],"nextKeyHashes":[]}`, key: 2}, step{parameters: `{"deactivated":true,"updateKeys":[]}`, key: 2})
	return [][2][]byte{
		{writeLog(t, step{parameters: first}, step{parameters: `{}`}), nil},
		{rotated, nil},
		{witnessed, proofsFile(t, witnessed, []vote{{2, 5}, {1, 5}}, nil)},
	}
}

func canonicalSigned(t testing.TB, line []byte) string {
	d, err := parseEntry(line, cost{})
	if err != nil {
		t.Fatal(err)
	}
	text, err := jcs.Append(nil, d.signed)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// resigned returns the log as one whom its keys belong to could write it: with hashes and
// proofs that fit what the entries say. Lines that are no entries stay as they are.
func resigned(t testing.TB, log []byte) []byte {
	var out [][]byte
	var old, scid, predecessor string
	for i, line := range bytes.Split(bytes.TrimSuffix(log, []byte("\n")), []byte("\n")) {
		written := line
		if tree, err := strictjson.ParseObject(line); err == nil {
			signer := keySigner(t, signedBy(line))
			tree.Delete("proof")
			if i == 0 {
				parameters, _ := object(tree, "parameters")
				old, _ = parameters.Text("scid")
				scid = placeholder
			}
			var changed any = tree
			if isHash(old) {
				changed, err = replace(tree, old, scid)
			}
			if err == nil {
				if w, err := writeEntry(context.Background(), changed.(*strictjson.Object), i+1, predecessor, signer, now); err == nil {
					written = w
				}
			}
			if o, err := strictjson.ParseObject(written); err == nil {
				predecessor, _ = o.Text("versionId")
				if parameters, ok := object(o, "parameters"); ok && i == 0 {
					scid, _ = parameters.Text("scid")
				}
			}
		}
		out = append(out, written)
	}
	return append(bytes.Join(out, []byte("\n")), '\n')
}

// signedBy returns the number of the key that a seed's entry has a proof of.
func signedBy(line []byte) byte {
	for n := byte(2); n < 4; n++ {
		if bytes.Contains(line, []byte("#"+multikeyText(n))) {
			return n
		}
	}
	return 1
}

// splice puts text in the place of so many bytes of a file.
func splice(file []byte, at, cut int, text []byte) []byte {
	at = min(at, len(file))
	return slices.Concat(file[:at], text, file[min(at+cut, len(file)):])
}

// FuzzLog changes a log, or its witness proofs, in one place, since an input of whole
// logs is so long that the fuzzer does nothing but make it smaller. Nothing makes the
// package panic, no entry verifies that is not a seed's unless it was signed again, and
// a log that verifies comes back as it was.
func FuzzLog(f *testing.F) {
	list, known := seeds(f), map[string]bool{}
	for which, s := range list {
		for line := range bytes.SplitSeq(bytes.TrimSpace(s[0]), []byte("\n")) {
			known[canonicalSigned(f, line)] = true
		}
		for _, signed := range []bool{false, true} {
			f.Add(uint8(which), false, uint16(0), uint16(0), []byte(nil), signed)
			f.Add(uint8(which), true, uint16(10), uint16(3), []byte("x"), signed)
			for place, text := range map[string]string{
				`"parameters":{`: `"ttl":5,`, `"state":{`: `"x":"{SCID}",`, `"updateKeys":[`: `"z",`, `"versionTime":"20`: `9`,
				`"proof":[`: `{},`, `rivers.example`: `:a`, `"@context":[`: `5e-324,`,
			} {
				at := bytes.Index(s[0], []byte(place)) + len(place)
				f.Add(uint8(which), false, uint16(at), uint16(0), []byte(text), signed)
			}
		}
		f.Add(uint8(which), false, uint16(0), uint16(len(s[0])), []byte(`{"versionId":""}`), false) // no log at all
	}
	f.Fuzz(func(t *testing.T, which uint8, inProofs bool, at, cut uint16, text []byte, signed bool) {
		seed := list[int(which)%len(list)]
		log, witness := seed[0], seed[1]
		if inProofs {
			witness = splice(witness, int(at), int(cut), text)
		} else {
			log = splice(log, int(at), int(cut), text)
		}
		if signed {
			log = resigned(t, log)
		}
		l, err := OpenLog(log, witness, now)
		if err != nil {
			return
		}
		for _, e := range l.entries {
			if !signed && !known[canonicalSigned(t, e.line)] {
				t.Fatal("an entry verifies that nobody signed")
			}
		}
		if !bytes.Equal(bytes.TrimSuffix(log, []byte("\n")), bytes.TrimSuffix(l.JSONL(), []byte("\n"))) {
			t.Fatal("the log comes back otherwise")
		}
		if _, err := OpenLog(l.JSONL(), l.WitnessProofs(), now); err != nil {
			t.Fatal(err)
		}
		res, err := l.Resolve(l.DID(), did.Version{})
		if err == nil && l.Witnessed() != nil || err != nil && l.Witnessed() == nil && !signed {
			t.Fatal("resolved without approval, or not with it")
		}
		if err == nil && !res.Deactivated && res.Document.ID() != l.DID() {
			t.Fatal("another DID's document")
		}
	})
}

// TestFuzzResigned: the changes that the fuzzer makes get as far as the rules.
func TestFuzzResigned(t *testing.T) {
	t.Parallel()
	for i, s := range seeds(t) {
		_, err := OpenLog(resigned(t, s[0]), nil, now)
		require.NoError(t, err, i)
	}
	log := seeds(t)[0][0]
	at := bytes.Index(log, []byte(`"parameters":{`)) + len(`"parameters":{`)
	_, err := OpenLog(resigned(t, splice(log, at, 0, []byte(`"ttl":5,`))), nil, now)
	require.NoError(t, err)
	_, err = OpenLog(resigned(t, splice(log, at, 0, []byte(`"ttl":-5,`))), nil, now)
	require.ErrorIs(t, err, ErrParameters)
	_, err = OpenLog(splice(log, at, 0, []byte(`"ttl":5,`)), nil, now)
	require.ErrorIs(t, err, ErrHash)
}

// FuzzURL: an address is https, of a name and not an IP address, and its path does not
// climb.
func FuzzURL(f *testing.F) {
	scid := hashText(nil)
	for _, rest := range []string{
		"rivers.example", "rivers.example%3A8443:north:a%20b", "127.0.0.1", "%5B%3A%3A1%5D", "rivers.example:%2e%2e:a", "localhost", "0x7f.1",
		"jp%E7%B4%8D%E8%B1%86.%E4%BE%8B.jp:%E7%94%A8%E6%88%B7", "a%40b.example", "%EF%BC%91%EF%BC%92%EF%BC%97.0.0.1",
	} {
		f.Add(prefix + scid + ":" + rest)
	}
	f.Fuzz(func(t *testing.T, text string) {
		id, err := did.Parse(text)
		if err != nil {
			return
		}
		log, witness, err := URL(id)
		if err != nil {
			return
		}
		u, err := url.Parse(log)
		if err != nil || u.Scheme != "https" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || strings.Contains(u.Path, "\\") {
			t.Fatalf("%q is no address of a log", log)
		}
		if path.Clean(u.Path) != u.Path || !strings.HasSuffix(u.Path, "/did.jsonl") {
			t.Fatalf("the path of %q climbs", log)
		}
		if _, err := netip.ParseAddr(u.Hostname()); err == nil || !strings.Contains(u.Hostname(), ".") {
			t.Fatalf("%q has no domain name", log)
		}
		if strings.TrimSuffix(log, "did.jsonl") != strings.TrimSuffix(witness, "did-witness.json") {
			t.Fatal("the two files are not side by side")
		}
	})
}
