package present

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/vc"
)

// TestAbuse_DC14_TextBesideTheClaims: what an employer writes where a person is not
// asked, a name beside its DID or a note in its proof, goes to no host unseen.
func TestAbuse_DC14_TextBesideTheClaims(t *testing.T) {
	t.Parallel()
	good := `{"@context":["` + vc.ContextV2 + `"],"type":["VerifiableCredential"],"issuer":{"id":"did:example:i"},` +
		`"credentialSubject":{"id":"did:example:h","a":"1"},"proof":{"type":"DataIntegrityProof","proofValue":"z"}}`
	for name, c := range map[string]struct {
		old, new string
		ticked   []vc.Pointer
		want     error
	}{
		"good":                     {"", "", nil, nil},
		"issuer's name":            {`"did:example:i"}`, `"did:example:i","name":"difficult person"}`, nil, ErrConsent},
		"issuer's name, ticked":    {`"did:example:i"}`, `"did:example:i","name":"Alderbrook"}`, []vc.Pointer{"/issuer/name"}, nil},
		"inside the issuer":        {`"did:example:i"}`, `"did:example:i","note":[{"x":"y"}]}`, nil, ErrConsent},
		"a nonce in the proof":     {`"proofValue"`, `"nonce":"QQ123456A","proofValue"`, nil, ErrConsent},
		"a domain in the proof":    {`"proofValue"`, `"domain":"QQ123456A","proofValue"`, nil, ErrConsent},
		"an own member of a proof": {`"proofValue"`, `"note":"QQ123456A","proofValue"`, nil, ErrConsent},
		"in one of two proofs":     {`"proof":{"type":"DataIntegrityProof","proofValue":"z"}`, `"proof":[{"type":"DataIntegrityProof"},{"challenge":"QQ123456A"}]`, nil, ErrConsent},
	} {
		o, err := strictjson.ParseObject([]byte(strings.Replace(good, c.old, c.new, 1)))
		require.NoError(t, err, name)
		err = checkClaims(o, [][]vc.Pointer{append(c.ticked, "/credentialSubject/a")}, map[string]bool{})
		require.ErrorIs(t, err, c.want, name)
	}
}

func TestEmptyAnswersNothing(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{`null`: true, `[]`: true, `{}`: true, `""`: false, `0`: false, `false`: false, `[null]`: false, `{"a":null}`: false} {
		v, err := strictjson.Parse([]byte(text))
		require.NoError(t, err)
		require.Equal(t, want, empty(v), text)
	}
}
