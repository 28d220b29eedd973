package present

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/vc"
)

// TestAbuse_DC14_TextBesideTheClaims: what an employer writes where a person is not
// asked, a name beside its DID, a message of its status or a note in its proof, goes to no host unseen.
func TestAbuse_DC14_TextBesideTheClaims(t *testing.T) {
	t.Parallel()
	good := `{"@context":["` + vc.ContextV2 + `"],"type":["VerifiableCredential"],"issuer":{"id":"did:example:i"},` +
		`"credentialSubject":{"id":"did:example:h","a":"1"},"proof":{"type":"DataIntegrityProof","proofValue":"z"}}`
	subject := func(more string) string { return more + `,"credentialSubject"` }
	const status = `"credentialStatus":{"id":"https://x.example/1#1","type":"BitstringStatusListEntry","statusPurpose":"revocation","statusListIndex":"1","statusListCredential":"https://x.example/1"`
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
		"a status":                 {`"credentialSubject"`, subject(status + `}`), nil, nil},
		"text of a status":         {`"credentialSubject"`, subject(status + `,"statusSize":1,"statusMessage":[{"status":"0x0","message":"dismissed"}]}`), nil, ErrConsent},
		"text of a status, ticked": {`"credentialSubject"`, subject(status + `,"statusMessage":[{"message":"dismissed"}]}`), []vc.Pointer{"/credentialStatus/statusMessage"}, nil},
		"a reason in a status":     {`"credentialSubject"`, subject(status + `,"reason":"dismissed"}`), nil, ErrConsent},
		"a purpose of its own":     {`"credentialSubject"`, subject(`"credentialStatus":{"type":"X","statusPurpose":"dismissal"}`), nil, ErrConsent},
		"in one of two statuses":   {`"credentialSubject"`, subject(`"credentialStatus":[{"type":"X"},{"type":"X","reason":"dismissed"}]`), nil, ErrConsent},
		"a status that is text":    {`"credentialSubject"`, subject(`"credentialStatus":"dismissed"`), nil, ErrConsent},
		"a schema":                 {`"credentialSubject"`, subject(`"credentialSchema":[{"id":"https://x.example","type":"JsonSchema","digestSRI":"sha256-x"}]`), nil, nil},
		"a date in a schema":       {`"credentialSubject"`, subject(`"credentialSchema":{"id":"https://x.example","type":"JsonSchema","born":"1990-01-01"}`), nil, ErrConsent},
		"a proof that is text":     {`"proof":{"type":"DataIntegrityProof","proofValue":"z"}`, `"proof":"dismissed"`, nil, ErrConsent},
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
