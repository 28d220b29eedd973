package envelope_test

import (
	"crypto/ecdh"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/didcomm/envelope"
)

// A forgeryV2 is an encrypted envelope whose content is sealed over the header as it is.
type forgeryV2 struct {
	t         testing.TB
	plaintext []byte
	alg, enc  string
	apu, apv  []byte
	ephemeral *ecdh.PrivateKey
	sender    *ecdh.PrivateKey // nil in anoncrypt
	to        *ecdh.PublicKey
	header    string // the protected one
	recipient string // one entry, with $key for the encrypted key
	outer     string // with $protected, $recipients, $iv, $ciphertext and $tag
}

// newForgeryV2 returns an envelope that is as it should be, from alice's first key, or
// from nobody, to bob's.
func newForgeryV2(t testing.TB, alice, bob *partyV2) *forgeryV2 {
	t.Helper()
	kid := bob.id.URL("agree-1").String()
	apv := sha256.Sum256([]byte(kid))
	f := &forgeryV2{t: t, alg: "ECDH-ES+A256KW", enc: envelope.A256CBCHS512, apv: apv[:], to: bob.agreement[0].PublicKey(),
		plaintext: plain(toHeader(bob.id)),
		recipient: `{"header":{"kid":"` + kid + `"},"encrypted_key":"$key"}`,
		outer:     `{"protected":"$protected","recipients":[$recipients],"iv":"$iv","ciphertext":"$ciphertext","tag":"$tag"}`}
	f.ephemeral = secretKey(t, f.to.Curve(), "ephemeral")
	epk, err := json.Marshal(publicJWK(f.ephemeral.PublicKey()))
	require.NoError(t, err)
	encode := base64.RawURLEncoding.EncodeToString
	sender := ""
	if alice != nil {
		f.plaintext = message(alice, bob)
		f.alg, f.sender = "ECDH-1PU+A256KW", alice.agreement[0]
		skid := alice.id.URL("agree-1").String()
		f.apu = []byte(skid)
		sender = `"skid":"` + skid + `","apu":"` + encode(f.apu) + `",`
	}
	f.header = `{"typ":"application/didcomm-encrypted+json","alg":"` + f.alg + `","enc":"` + f.enc + `",` + sender +
		`"apv":"` + encode(f.apv) + `","epk":` + string(epk) + `}`
	return f
}

// edit replaces a part of the protected header, which must be there.
func (f *forgeryV2) edit(old, new string) {
	f.t.Helper()
	require.Contains(f.t, f.header, old)
	f.header = strings.Replace(f.header, old, new, 1)
}

// around replaces a part of what stands around it.
func (f *forgeryV2) around(old, new string) {
	f.t.Helper()
	require.Contains(f.t, f.outer, old)
	f.outer = strings.Replace(f.outer, old, new, 1)
}

// entry replaces a part of the recipient's entry.
func (f *forgeryV2) entry(old, new string) {
	f.t.Helper()
	require.Contains(f.t, f.recipient, old)
	f.recipient = strings.Replace(f.recipient, old, new, 1)
}

func (f *forgeryV2) envelope() []byte {
	f.t.Helper()
	encode := base64.RawURLEncoding.EncodeToString
	protected := encode([]byte(f.header))
	key, iv, ciphertext, tag, err := envelope.Forge(f.plaintext, f.enc, f.alg, []byte(protected), f.apu, f.apv, f.ephemeral, f.sender, f.to)
	require.NoError(f.t, err)
	entry := strings.ReplaceAll(f.recipient, "$key", encode(key))
	return []byte(strings.NewReplacer("$protected", protected, "$recipients", entry, "$iv", encode(iv),
		"$ciphertext", encode(ciphertext), "$tag", encode(tag)).Replace(f.outer))
}
