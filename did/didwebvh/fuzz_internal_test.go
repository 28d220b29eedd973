package didwebvh

import (
	"bytes"
	"net/netip"
	"net/url"
	"path"
	"strings"
	"testing"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/internal/jcs"
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
	d, err := parseEntry(line)
	if err != nil {
		t.Fatal(err)
	}
	text, err := jcs.Append(nil, d.signed)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// FuzzLog: no bytes make it panic, no entry verifies that is not a seed's, and a log
// that verifies comes back as it was.
func FuzzLog(f *testing.F) {
	known := map[string]bool{}
	for _, s := range seeds(f) {
		f.Add(s[0], s[1])
		for line := range bytes.SplitSeq(bytes.TrimSpace(s[0]), []byte("\n")) {
			known[canonicalSigned(f, line)] = true
			f.Add(line, s[1])
		}
	}
	f.Fuzz(func(t *testing.T, log, witness []byte) {
		l, err := OpenLog(log, witness, now)
		if err != nil {
			return
		}
		for _, e := range l.entries {
			if !known[canonicalSigned(t, e.line)] {
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
		if (err == nil) != (l.Witnessed() == nil) {
			t.Fatal("resolved without approval, or not with it")
		}
		if err == nil && !res.Deactivated && res.Document.ID() != l.DID() {
			t.Fatal("another DID's document")
		}
	})
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
