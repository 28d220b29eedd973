package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/didcomm"
)

// TestBounds gives inspect what is larger, longer and deeper than anything: each is an
// answer, in good time and of a length that a person can read.
func TestBounds(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 9, 0, 0, 0, 0, time.UTC)
	const vp = `{"@context":["https://www.w3.org/ns/credentials/v2"],"type":["VerifiablePresentation"],"verifiableCredential":[%s]}`
	const credential = `{"@context":["https://www.w3.org/ns/credentials/v2"],"type":["VerifiableCredential"],"issuer":"did:example:x","credentialSubject":{"name":"Fern"}}`
	for name, c := range map[string]struct{ in, want string }{
		"more than an input":         {strings.Repeat(" ", maxInput+1), "MiB"},
		"more than a message":        {`{"payload":"` + strings.Repeat("A", didcomm.MaxEnvelope) + `"}`, "too-large"},
		"the longest message":        {`{"payload":"` + strings.Repeat("A", didcomm.MaxEnvelope-14) + `"}`, "nothing that this program knows"},
		"many credentials":           {fmt.Sprintf(vp, strings.TrimSuffix(strings.Repeat(credential+",", maxInside+1), ",")), "too-large"},
		"as many as are looked at":   {fmt.Sprintf(vp, strings.TrimSuffix(strings.Repeat(credential+",", maxInside), ",")), "no-proof"},
		"envelopes in envelopes":     {envelopes(9), "envelope"},
		"deep":                       {strings.Repeat(`{"a":`, 9000) + "1" + strings.Repeat("}", 9000), "nothing that this program knows"},
		"many members":               {`{` + manyMembers(5000) + `}`, "and 4800 more, which --json has"},
		"a line of dots":             {strings.Repeat(".", 1<<20), "nothing that this program knows"},
		"a line of tildes":           {strings.Repeat("~", 1<<20), "no JSON Web Token"},
		"a long text without spaces": {"z" + strings.Repeat("9", 1<<20), "Multikey"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			code, out, errs := invoke(t, c.in, now, "inspect", "-")
			require.Contains(t, out+errs, c.want)
			require.NotEqual(t, exitValid, code)
			require.Less(t, len(out), 64<<10)
		})
	}
}

func manyMembers(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `"m%d":1,`, i)
	}
	return strings.TrimSuffix(b.String(), ",")
}

func envelopes(n int) string {
	if n == 0 {
		return `{}`
	}
	inner := strings.ReplaceAll(envelopes(n-1), `"`, "%22")
	return `{"@context":"https://www.w3.org/ns/credentials/v2","type":"EnvelopedVerifiableCredential","id":"data:application/vc,` + inner + `"}`
}
