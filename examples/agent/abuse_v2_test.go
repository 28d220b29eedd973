package main

import (
	"context"
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/envelope"
)

// TestAbuse_DC01_DC03_OverHTTP: to running agents, in version 2. Mallory has a connection of
// her own with the employer, and writes, or passes on, what would end the exchange of
// somebody else.
func TestAbuse_DC01_DC03_OverHTTP(t *testing.T) {
	t.Parallel()
	log := &safeBuffer{}
	d := cheaply(t)
	d.version, d.log, d.debug = didcomm.V2, log, true
	running(t, d)
	w := walking(t, d, passportOffered)
	mallory := second(t, d)
	contact, err := d.employer.addContact(t.Context(), d.record.card, d.record.photo)
	require.NoError(t, err)
	hers := mallory.connection(t, joined(t, mallory, d.employer.party, contact.Invitation, contact.Link))
	quiet(t, d, mallory.party)

	before, err := d.employer.issuer.Exchange(t.Context(), w.contact.Exchange)
	require.NoError(t, err)
	c := d.staff.connection(t, w.journey.Employer)
	service, err := didcomm.ServiceV2Of(t.Context(), d.staff.resolver, c.Theirs)
	require.NoError(t, err)
	connections := d.employer.count(t, "connection")

	staff := keyIn(t, d.staff.party, c.Mine, did.KeyAgreement)
	own := keyIn(t, mallory.party, hers.Mine, did.KeyAgreement)
	toUs := keyIn(t, d.employer.party, c.Theirs, did.KeyAgreement)      // as the staff know the employer
	toHers := keyIn(t, d.employer.party, hers.Theirs, did.KeyAgreement) // and as Mallory does
	text := func(from did.DID, to ...did.DID) []byte {
		m, err := (&didcomm.Problem{Code: "e.p.req", Comment: "no"}).Report(didcomm.NewID(),
			&didcomm.Message{Version: didcomm.V2, Type: didcomm.Type{Protocol: "issue-credential", Major: 3, Name: "offer-credential"}, Thread: before.Thread})
		require.NoError(t, err)
		m.From, m.To = from, to
		b, err := m.Plaintext()
		require.NoError(t, err)
		return b
	}
	signed := func(p *party, signer, from did.DID, to ...did.DID) []byte {
		key := keyIn(t, p, signer, did.Authentication)
		s, err := p.wallet.Signer(t.Context(), key.kid, key.public)
		require.NoError(t, err)
		return signedBy(t, s, text(from, to...))
	}
	forged := map[string][]byte{
		"DC-01: from the victim":                    sealedV2(t, own, own.kid, toUs, text(c.Mine, c.Theirs)),
		"DC-01: from the victim, on her own":        sealedV2(t, own, own.kid, toHers, text(c.Mine, hers.Theirs)),
		"DC-01: under the victim's skid":            sealedV2(t, own, staff.kid, toUs, text(c.Mine, c.Theirs)),
		"DC-01: hidden":                             sealedV2(t, nil, did.URL{}, toUs, sealedV2(t, own, own.kid, toUs, text(c.Mine, c.Theirs))),
		"DC-01: signed by another":                  sealedV2(t, nil, did.URL{}, toUs, signed(mallory.party, hers.Mine, c.Mine, c.Theirs)),
		"DC-02: anonymous":                          sealedV2(t, nil, did.URL{}, toUs, text(c.Mine, c.Theirs)),
		"DC-03: hers, to another":                   sealedV2(t, own, own.kid, toHers, text(hers.Mine, c.Theirs)),
		"DC-03: hers, to nobody":                    sealedV2(t, own, own.kid, toHers, text(hers.Mine)),
		"DC-03: the victim's to Mallory, passed on": sealedV2(t, nil, did.URL{}, toUs, signed(d.staff.party, c.Mine, c.Mine, hers.Mine)),
		"DC-03: the victim's to nobody, passed on":  sealedV2(t, nil, did.URL{}, toUs, signed(d.staff.party, c.Mine, c.Mine)),
	}
	const media = "application/didcomm-encrypted+json"
	for name, body := range forged {
		a := httpPost(t, service.Endpoint, media, body)
		require.Equal(t, http.StatusBadRequest, a.status, name)
		require.Empty(t, a.body, name)
	}
	quiet(t, d, mallory.party)
	after, err := d.employer.issuer.Exchange(t.Context(), w.contact.Exchange)
	require.NoError(t, err)
	require.Equal(t, before, after)
	require.Equal(t, connections, d.employer.count(t, "connection"))

	// It is what the envelopes prove that stops them: the victim's own ends the exchange.
	a := httpPost(t, service.Endpoint, media, sealedV2(t, staff, staff.kid, toUs, text(c.Mine, c.Theirs)))
	require.Less(t, a.status, 300)
	quiet(t, d, mallory.party)
	after, err = d.employer.issuer.Exchange(t.Context(), w.contact.Exchange)
	require.NoError(t, err)
	require.NotEqual(t, before.State, after.State)
	require.NotContains(t, log.String(), "panic")
}

// A keyV2 is a key of a DID's document, and the private key if it is known.
type keyV2 struct {
	kid    did.URL
	public crypto.PublicKey
	wallet interface {
		KeyExchanger(context.Context, *ecdh.PublicKey) (ecdh.KeyExchanger, error)
	}
}

// keyIn returns the first key that the document of a DID of p's has for something.
func keyIn(t *testing.T, p *party, id did.DID, purpose did.Relationship) *keyV2 {
	t.Helper()
	res, err := p.resolver.Resolve(t.Context(), id, did.Version{})
	require.NoError(t, err)
	methods := res.Document.Methods(purpose, time.Now())
	require.NotEmpty(t, methods)
	return &keyV2{methods[0].ID, methods[0].PublicKey(), p.wallet}
}

func (k *keyV2) exchange(t *testing.T, peer *ecdh.PublicKey) []byte {
	t.Helper()
	private, err := k.wallet.KeyExchanger(t.Context(), k.public.(*ecdh.PublicKey))
	require.NoError(t, err)
	z, err := private.ECDH(peer)
	require.NoError(t, err)
	return z
}

func toBase64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// signedBy is a JWS, whatever it says.
func signedBy(t *testing.T, s did.Signer, plaintext []byte) []byte {
	t.Helper()
	protected := toBase64([]byte(`{"typ":"application/didcomm-signed+json","alg":"EdDSA"}`))
	payload := toBase64(plaintext)
	signature, err := s.Sign(t.Context(), []byte(protected+"."+payload))
	require.NoError(t, err)
	return []byte(`{"payload":"` + payload + `","signatures":[{"protected":"` + protected + `","signature":"` + toBase64(signature) +
		`","header":{"kid":"` + s.VerificationMethod().String() + `"}}]}`)
}

// sealedV2 is a JWE, whatever is in it: authcrypt with the key from, under the name skid, or
// anoncrypt. Package envelope would refuse to make it.
func sealedV2(t *testing.T, from *keyV2, skid did.URL, to *keyV2, plaintext []byte) []byte {
	t.Helper()
	public := to.public.(*ecdh.PublicKey)
	ephemeral, err := public.Curve().GenerateKey(rand.Reader)
	require.NoError(t, err)
	z, err := ephemeral.ECDH(public)
	require.NoError(t, err)
	apv := sha256.Sum256([]byte(to.kid.String()))
	header := map[string]any{"typ": "application/didcomm-encrypted+json", "alg": "ECDH-ES+A256KW", "enc": envelope.A256CBCHS512, "apv": toBase64(apv[:]),
		"epk": map[string]any{"kty": "OKP", "crv": "X25519", "x": toBase64(ephemeral.PublicKey().Bytes())}}
	if from != nil {
		z = append(z, from.exchange(t, public)...)
		header["alg"], header["skid"], header["apu"] = "ECDH-1PU+A256KW", skid.String(), toBase64([]byte(skid.String()))
	}
	text, err := json.Marshal(header)
	require.NoError(t, err)
	protected := toBase64(text)

	cek, iv := make([]byte, 64), make([]byte, 16)
	pad := 16 - len(plaintext)%16
	content := slices.Concat(plaintext, slices.Repeat([]byte{byte(pad)}, pad))
	block, err := aes.NewCipher(cek[32:])
	require.NoError(t, err)
	cipher.NewCBCEncrypter(block, iv).CryptBlocks(content, content)
	mac := hmac.New(sha512.New, cek[:32])
	mac.Write(slices.Concat([]byte(protected), iv, content, binary.BigEndian.AppendUint64(nil, 8*uint64(len(protected)))))
	tag := mac.Sum(nil)[:32]

	input := append([]byte{0, 0, 0, 1}, z...)
	part := func(b []byte) { input = append(binary.BigEndian.AppendUint32(input, uint32(len(b))), b...) }
	part([]byte(header["alg"].(string)))
	part([]byte(skid.String()))
	part(apv[:])
	input = binary.BigEndian.AppendUint32(input, 256)
	if from != nil {
		part(tag)
	}
	kek := sha256.Sum256(input)
	b, err := json.Marshal(map[string]any{"protected": protected, "iv": toBase64(iv), "ciphertext": toBase64(content), "tag": toBase64(tag),
		"recipients": []any{map[string]any{"header": map[string]any{"kid": to.kid.String()}, "encrypted_key": toBase64(wrapped(t, kek[:], cek))}}})
	require.NoError(t, err)
	return b
}

// wrapped is a key under another (RFC 3394 section 2.2.1).
func wrapped(t *testing.T, kek, key []byte) []byte {
	t.Helper()
	block, err := aes.NewCipher(kek)
	require.NoError(t, err)
	out := append(slices.Repeat([]byte{0xa6}, 8), key...)
	n := uint64(len(key) / 8)
	var b [16]byte
	for step := uint64(1); step <= 6*n; step++ {
		r := out[8*((step-1)%n+1):][:8]
		copy(b[:8], out)
		copy(b[8:], r)
		block.Encrypt(b[:], b[:])
		binary.BigEndian.PutUint64(out, binary.BigEndian.Uint64(b[:])^step)
		copy(r, b[8:])
	}
	return out
}
