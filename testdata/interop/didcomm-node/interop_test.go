package didcommnode

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/envelope"
)

// A layering is one way to pack, with what each side makes of it.
type layering struct {
	name string
	auth bool   // the sender's key agreement key is used
	hide bool   // and nobody sees it
	sign string // algorithm, or none
	enc  string // of an anonymous layer
	bare bool   // signed and not encrypted
}

func layerings() []layering {
	list := []layering{
		{name: "authcrypt", auth: true},
		{name: "signed, EdDSA", sign: "EdDSA", bare: true},
		{name: "signed, ES256", sign: "ES256", bare: true},
	}
	for _, enc := range []string{envelope.A256CBCHS512, envelope.A256GCM, envelope.XC20P} {
		list = append(list,
			layering{name: "anoncrypt, " + enc, enc: enc},
			layering{name: "anoncrypt(sign), EdDSA, " + enc, sign: "EdDSA", enc: enc},
			layering{name: "anoncrypt(sign), ES256, " + enc, sign: "ES256", enc: enc},
			layering{name: "hidden sender, " + enc, auth: true, hide: true, enc: enc})
	}
	return list
}

// readOnly are those that the peer can make and we only read.
func readOnly() []layering {
	return []layering{
		{name: "authcrypt(sign)", auth: true, sign: "EdDSA"},
		{name: "anoncrypt(authcrypt(sign))", auth: true, hide: true, sign: "ES256", enc: envelope.XC20P},
	}
}

// peerEnc is the peer's name of an algorithm for an anonymous layer.
func peerEnc(enc string) string {
	return map[string]string{envelope.A256CBCHS512: "A256cbcHs512EcdhEsA256kw", envelope.A256GCM: "A256gcmEcdhEsA256kw", envelope.XC20P: "Xc20pEcdhEsA256kw"}[enc]
}

// message is one that says who it is from unless nothing proves it.
func (l layering) message(from, to *party) map[string]any {
	m := map[string]any{"id": "river-1", "typ": "application/didcomm-plain+json", "type": "https://example.org/river/1.0/level",
		"to": []any{to.id.String()}, "thid": "river-0", "created_time": float64(1772452800),
		"body": map[string]any{"cm": 42.0, "at": "Willow Bridge é \"\\ 😀"}}
	if l.auth || l.sign != "" {
		m["from"] = from.id.String()
	}
	return m
}

func (l layering) options(from, to *party) envelope.Options {
	o := envelope.Options{To: to.id, HideSender: l.hide, Enc: l.enc}
	if l.auth {
		o.From = from.id
	}
	if l.sign != "" {
		o.Sign = from.signers[l.sign]
	}
	return o
}

func (l layering) want(from, to *party) envelope.Received {
	r := envelope.Received{Version: didcomm.V2, Encrypted: !l.bare, Authenticated: l.auth || l.sign != ""}
	if r.Encrypted {
		r.To = to.id
	}
	if r.Authenticated {
		r.From = from.id
	}
	if l.sign != "" {
		r.Signer = from.signers[l.sign].VerificationMethod()
	}
	return r
}

// metadata is what the peer says of an envelope.
type metadata struct {
	Encrypted, Authenticated bool
	NonRepudiation           bool     `json:"non_repudiation"`
	AnonymousSender          bool     `json:"anonymous_sender"`
	From                     string   `json:"encrypted_from_kid"`
	To                       []string `json:"encrypted_to_kids"`
	Signer                   string   `json:"sign_from"`
	SignAlg                  string   `json:"sign_alg"`
	EncAuth                  string   `json:"enc_alg_auth"`
	EncAnon                  string   `json:"enc_alg_anon"`
	Prior                    string   `json:"from_prior_issuer_kid"`
}

func (l layering) metadata(from, to *party) metadata {
	m := metadata{Encrypted: !l.bare, Authenticated: l.auth || l.sign != "", NonRepudiation: l.sign != "", AnonymousSender: !l.bare && (!l.auth || l.hide)}
	if !l.bare {
		m.To = []string{to.agree}
	}
	if l.auth {
		m.From, m.EncAuth = from.agree, "A256cbcHs512Ecdh1puA256kw"
	}
	if l.sign != "" {
		m.Signer, m.SignAlg = from.signers[l.sign].VerificationMethod().String(), l.sign
	}
	m.EncAnon = peerEnc(l.enc)
	return m
}

func TestInterop_DIDCommV2Envelopes(t *testing.T) {
	t.Parallel()
	rust := startPeer(t)
	for _, curve := range []string{"X25519", "P-256"} {
		ours, theirs := newParty(t, curve), newParty(t, curve)
		ask := func(packed []byte) (message map[string]any, m metadata, err error) {
			var answer struct {
				Message  map[string]any
				Metadata metadata
			}
			err = rust.ask(t, "unpack", theirs.request(ours, map[string]any{"envelope": string(packed)}), &answer)
			return answer.Message, answer.Metadata, err
		}
		for _, l := range layerings() {
			t.Run(curve+" "+l.name+", ours", func(t *testing.T) {
				message := l.message(ours, theirs)
				text, err := json.Marshal(message)
				require.NoError(t, err)
				var packed []byte
				if l.bare {
					packed, err = ours.SignV2(t.Context(), text, ours.signers[l.sign])
				} else {
					packed, err = ours.PackV2(t.Context(), text, l.options(ours, theirs))
				}
				require.NoError(t, err)
				l.requireShape(t, packed, curve, ours, theirs, true)
				got, meta, err := ask(packed)
				require.NoError(t, err)
				require.Equal(t, message, got)
				require.Equal(t, l.metadata(ours, theirs), meta)
				eachFlipped(packed, func(changed []byte) {
					_, _, err := ask(changed)
					require.ErrorIs(t, err, errRefused)
					_, err = theirs.Unpack(t.Context(), changed)
					require.ErrorIs(t, err, didcomm.ErrPermanent)
				})
			})
		}
		for _, l := range append(layerings(), readOnly()...) {
			t.Run(curve+" "+l.name+", theirs", func(t *testing.T) {
				message := l.message(theirs, ours)
				request := map[string]any{"message": message}
				if !l.bare {
					request["to"] = ours.id.String()
				}
				if l.auth {
					request["from"], request["hide"] = theirs.id.String(), l.hide
				}
				if l.sign != "" {
					request["sign"] = theirs.signers[l.sign].VerificationMethod().String()
				}
				if l.enc != "" {
					request["enc"] = peerEnc(l.enc)
				}
				var packed string
				require.NoError(t, rust.ask(t, "pack", theirs.request(ours, request), &packed))
				l.requireShape(t, []byte(packed), curve, theirs, ours, false)
				got, err := ours.Unpack(t.Context(), []byte(packed))
				require.NoError(t, err)
				var plaintext map[string]any
				require.NoError(t, json.Unmarshal(got.Plaintext, &plaintext))
				require.Equal(t, message, plaintext)
				got.Plaintext = nil
				require.Equal(t, l.want(theirs, ours), *got)
				eachFlipped([]byte(packed), func(changed []byte) {
					_, err := ours.Unpack(t.Context(), changed)
					require.ErrorIs(t, err, didcomm.ErrPermanent)
				})
			})
		}
	}
}

// requireShape compares each member and header of all layers of an envelope with what both
// sides write. The peer puts the members of its headers in another order; where a signed
// layer is ours, it is compared byte for byte.
func (l layering) requireShape(t *testing.T, packed []byte, curve string, from, to *party, ours bool) {
	t.Helper()
	if l.enc != "" {
		packed = requireEncrypted(t, packed, curve, l.enc, nil, to)
	}
	if l.auth {
		packed = requireEncrypted(t, packed, curve, envelope.A256CBCHS512, from, to)
	}
	if l.sign != "" {
		packed = l.requireSigned(t, packed, from, ours)
	}
	var text map[string]any
	require.NoError(t, json.Unmarshal(packed, &text))
	require.Equal(t, l.message(from, to), text)
}

// requireSigned returns what a signed layer holds.
func (l layering) requireSigned(t *testing.T, packed []byte, from *party, ours bool) []byte {
	t.Helper()
	var e map[string]json.RawMessage
	require.NoError(t, json.Unmarshal(packed, &e))
	var signatures []map[string]json.RawMessage
	require.NoError(t, json.Unmarshal(e["signatures"], &signatures))
	require.Len(t, signatures, 1)
	protected := `{"typ":"application/didcomm-signed+json","alg":"` + l.sign + `"}`
	require.JSONEq(t, protected, string(fromBase64(t, signatures[0]["protected"])))
	require.Len(t, fromBase64(t, signatures[0]["signature"]), 64)
	kid := from.signers[l.sign].VerificationMethod().String()
	require.JSONEq(t, `{"kid":"`+kid+`"}`, string(signatures[0]["header"]))
	requireNames(t, e, "payload", "signatures")
	requireNames(t, signatures[0], "protected", "signature", "header")
	if ours {
		require.Equal(t, `{"payload":`+string(e["payload"])+`,"signatures":[{"protected":"`+base64.RawURLEncoding.EncodeToString([]byte(protected))+
			`","signature":`+string(signatures[0]["signature"])+`,"header":{"kid":"`+kid+`"}}]}`, string(packed))
	}
	return fromBase64(t, e["payload"])
}

// requireEncrypted returns what an encrypted layer holds, from nobody if from is nil.
func requireEncrypted(t *testing.T, packed []byte, curve, enc string, from, to *party) []byte {
	t.Helper()
	var e map[string]json.RawMessage
	require.NoError(t, json.Unmarshal(packed, &e))
	requireNames(t, e, "protected", "recipients", "iv", "ciphertext", "tag")
	size := map[string][3]int{envelope.A256CBCHS512: {16, 32, 72}, envelope.A256GCM: {12, 16, 40}, envelope.XC20P: {24, 16, 40}}[enc]
	iv, tag := fromBase64(t, e["iv"]), fromBase64(t, e["tag"])
	require.Len(t, iv, size[0])
	require.Len(t, tag, size[1])
	var recipients []map[string]json.RawMessage
	require.NoError(t, json.Unmarshal(e["recipients"], &recipients))
	require.Len(t, recipients, 1)
	requireNames(t, recipients[0], "header", "encrypted_key")
	require.JSONEq(t, `{"kid":"`+to.agree+`"}`, string(recipients[0]["header"]))
	key := fromBase64(t, recipients[0]["encrypted_key"])
	require.Len(t, key, size[2])

	var header struct {
		EPK map[string]string `json:"epk"`
	}
	protected := fromBase64(t, e["protected"])
	require.NoError(t, json.Unmarshal(protected, &header))
	var text map[string]any
	require.NoError(t, json.Unmarshal(protected, &text))
	delete(text, "epk")
	apv := sha256.Sum256([]byte(to.agree))
	want := map[string]any{"typ": "application/didcomm-encrypted+json", "alg": "ECDH-ES+A256KW", "enc": enc,
		"apv": base64.RawURLEncoding.EncodeToString(apv[:])}
	if from != nil {
		want["alg"], want["skid"], want["apu"] = "ECDH-1PU+A256KW", from.agree, base64.RawURLEncoding.EncodeToString([]byte(from.agree))
	}
	require.Equal(t, want, text)
	names := []string{"crv", "kty", "x"}
	if curve == "P-256" {
		names = append(names, "y")
	}
	require.Equal(t, names, slices.Sorted(maps.Keys(header.EPK)))
	require.Equal(t, curve, header.EPK["crv"])

	kek := to.agreeWith(t, header.EPK, from, apv[:], tag)
	aad := bytes.Trim(e["protected"], `"`)
	return open(t, enc, unwrap(t, kek, key), iv, fromBase64(t, e["ciphertext"]), tag, aad)
}

func requireNames(t *testing.T, o map[string]json.RawMessage, names ...string) {
	t.Helper()
	require.ElementsMatch(t, names, slices.Collect(maps.Keys(o)))
}

// fromBase64 decodes a JSON text in base64url without padding.
func fromBase64(t *testing.T, text json.RawMessage) []byte {
	t.Helper()
	var s string
	require.NoError(t, json.Unmarshal(text, &s))
	b, err := base64.RawURLEncoding.DecodeString(s)
	require.NoError(t, err)
	return b
}

// eachFlipped calls f with copies of an envelope that have one other character in each
// of its values that is long enough to be base64. The last characters are left alone:
// there are readers to whom their spare bits mean nothing.
func eachFlipped(packed []byte, f func(changed []byte)) {
	for _, value := range bytes.Split(packed, []byte(`"`)) {
		if len(value) < 20 || bytes.HasPrefix(value, []byte("did:")) {
			continue
		}
		at := bytes.Index(packed, value) + len(value)/2
		changed := bytes.Clone(packed)
		if changed[at] == 'A' {
			changed[at] = 'B'
		} else {
			changed[at] = 'A'
		}
		f(changed)
	}
}

// The sender says under its new DID who it was.
func TestInterop_FromPrior(t *testing.T) {
	t.Parallel()
	rust := startPeer(t)
	l := layering{auth: true}
	for _, algorithm := range []string{"EdDSA", "ES256"} {
		old, ours, theirs := newParty(t, "X25519"), newParty(t, "X25519"), newParty(t, "X25519")
		kid := old.signers[algorithm].VerificationMethod().String()
		t.Run(algorithm+", ours", func(t *testing.T) {
			message := l.message(ours, theirs)
			jwt, err := envelope.SignPrior(t.Context(), old.signers[algorithm], ours.id, time.Unix(1772452800, 0))
			require.NoError(t, err)
			message["from_prior"] = jwt
			text, err := json.Marshal(message)
			require.NoError(t, err)
			packed, err := ours.PackV2(t.Context(), text, l.options(ours, theirs))
			require.NoError(t, err)
			request := theirs.request(ours, map[string]any{"envelope": string(packed)})
			request["documents"] = append(request["documents"].([]any), old.document)
			var answer struct{ Metadata metadata }
			require.NoError(t, rust.ask(t, "unpack", request, &answer))
			require.Equal(t, kid, answer.Metadata.Prior)
		})
		t.Run(algorithm+", theirs", func(t *testing.T) {
			request := old.request(theirs, map[string]any{"kid": kid,
				"claims": map[string]any{"iss": old.id.String(), "sub": theirs.id.String(), "iat": 1772452800}})
			var jwt string
			require.NoError(t, rust.ask(t, "fromPrior", request, &jwt))
			unpack := func(jwt string) (did.DID, error) {
				message := l.message(theirs, ours)
				message["from_prior"] = jwt
				text, err := json.Marshal(message)
				require.NoError(t, err)
				packed, err := theirs.PackV2(t.Context(), text, l.options(theirs, ours))
				require.NoError(t, err)
				got, err := ours.Unpack(t.Context(), packed)
				require.NoError(t, err)
				return got.Prior, got.PriorErr
			}
			prior, err := unpack(jwt)
			require.NoError(t, err)
			require.Equal(t, old.id, prior)
			_, err = unpack(strings.Replace(jwt, ".", ".A", 1))
			require.ErrorIs(t, err, envelope.ErrEnvelope)
		})
	}
}

// The peer's forwards name no recipient.
func TestInterop_Forward(t *testing.T) {
	t.Parallel()
	rust := startPeer(t)
	l := layering{auth: true}
	ours, theirs, mediator := newParty(t, "X25519"), newParty(t, "X25519"), newParty(t, "P-256")
	document := maps.Clone(ours.document)
	document["service"] = []any{map[string]any{"id": ours.id.String() + "#service", "type": "DIDCommMessaging",
		"serviceEndpoint": map[string]any{"uri": "https://willow.example", "routingKeys": []any{mediator.agree}, "accept": []any{"didcomm/v2"}}}}
	request := theirs.request(mediator, map[string]any{"message": l.message(theirs, ours), "from": theirs.id.String(), "to": ours.id.String(), "forward": true})
	request["documents"] = append(request["documents"].([]any), document)
	var packed string
	require.NoError(t, rust.ask(t, "pack", request, &packed))
	got, err := mediator.Unpack(t.Context(), []byte(packed))
	require.NoError(t, err)
	require.False(t, got.Authenticated)
	forward, err := didcomm.ParseMessage(got.Plaintext)
	require.NoError(t, err)
	require.Equal(t, "https://didcomm.org/routing/2.0/forward", forward.Type.String())
	require.Empty(t, forward.To)
	require.JSONEq(t, `{"next":"`+ours.id.String()+`"}`, string(forward.Body))
	require.Len(t, forward.Attachments, 1)
	got, err = ours.Unpack(t.Context(), forward.Attachments[0].Data.JSON)
	require.NoError(t, err)
	require.Equal(t, theirs.id, got.From)
}
