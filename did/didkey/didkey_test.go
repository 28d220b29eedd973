package didkey_test

import (
	"context"
	"crypto"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/did/didkey"
	"github.com/staffpassport/staffpassport/did/didtest"
	"github.com/staffpassport/staffpassport/internal/multiformat"
	"github.com/staffpassport/staffpassport/internal/vectors"
)

// atUse is when the tests use keys.
var atUse = time.Date(2024, 6, 1, 12, 0, 0, 0, time.UTC)

var everything = []did.Relationship{did.Authentication, did.AssertionMethod, did.CapabilityInvocation, did.CapabilityDelegation, did.KeyAgreement}

func resolve(t testing.TB, text string) *did.Document {
	t.Helper()
	res, err := didkey.Resolver{}.Resolve(context.Background(), parse(t, text), did.Version{})
	require.NoError(t, err)
	require.Empty(t, res.VersionID)
	require.False(t, res.Deactivated)
	return res.Document
}

func parse(t testing.TB, text string) did.DID {
	t.Helper()
	id, err := did.Parse(text)
	require.NoError(t, err)
	return id
}

// headlines are DIDs of the did:key method's own text and of its test vectors,
// each with the fragments that must be authorised: the key itself, and for
// Ed25519 the derived one.
var headlines = []struct{ id, agreement string }{
	{"z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK", "z6LSj72tK8brWgZja8NLRwPigth2T9QRiG1uH9oKZuKjdh9p"},
	{"z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooWp", "z6LShs9GGnqk85isEBzzshkuVWrVKsRp24GnDuHk8QWkARMW"},
	{"z6MkjchhfUsD6mmvni8mCdXHw216Xrm9bQe2mBH1P5RDjVJG", "z6LSrHyXiPBhUbvPUtyUCdf32sniiMGPTAesgHrtEa4FePtr"},
	{"z6MknGc3ocHs3zdPiJbnaaqDi58NGb4pk1Sp9WxWufuXSdxf", "z6LSkkqoZRC34AEpbkhZCqLDcHQVAxuLpQ7kC8XCXMVUfvjE"},
	{"z6MkvqoYXQfDDJRv8L4wKzxYeuKyVZBfi9Qo6Ro8MiLH3kDQ", "z6LSiUo6AEDat8Ze4nQzDo67SGuHLLwsUGkxndHGUjsywHow"},
	{"z6MkwYMhwTvsq376YBAcJHy3vyRWzBgn5vKfVqqDCgm7XVKU", "z6LSmArkPSdTKjEESsExHRrSwUzYUHgDuWDewXc4nocasvFU"},
	{"zDnaerx9CtbPJ1q36T5Ln5wYt3MQYeGRG5ehnPAmxcf5mDZpv", "zDnaerx9CtbPJ1q36T5Ln5wYt3MQYeGRG5ehnPAmxcf5mDZpv"},
	{"zDnaerDaTF5BXEavCrfRZEk316dpbLsfPDZ3WJ5hRTPFU2169", "zDnaerDaTF5BXEavCrfRZEk316dpbLsfPDZ3WJ5hRTPFU2169"},
	{"zDnaeTiq1PdzvZXUaMdezchcMJQpBdH2VN4pgrrEhMCCbmwSb", "zDnaeTiq1PdzvZXUaMdezchcMJQpBdH2VN4pgrrEhMCCbmwSb"},
	{"z82Lm1MpAkeJcix9K8TMiLd5NMAhnwkjjCBeWHXyu3U4oT2MVJJKXkcVBgjGhnLBn2Kaau9", "z82Lm1MpAkeJcix9K8TMiLd5NMAhnwkjjCBeWHXyu3U4oT2MVJJKXkcVBgjGhnLBn2Kaau9"},
	{"z82LkvCwHNreneWpsgPEbV3gu1C6NFJEBg4srfJ5gdxEsMGRJUz2sG9FE42shbn2xkZJh54", "z82LkvCwHNreneWpsgPEbV3gu1C6NFJEBg4srfJ5gdxEsMGRJUz2sG9FE42shbn2xkZJh54"},
	{"z6LSeu9HkTHSfLLeUs2nnzUSNedgDUevfNQgQjQC23ZCit6F", "z6LSeu9HkTHSfLLeUs2nnzUSNedgDUevfNQgQjQC23ZCit6F"},
	{"z6LSrzxMVydCourtpA6JLEYupT7ZUQ34hLfQZfRN5H47zLdz", "z6LSrzxMVydCourtpA6JLEYupT7ZUQ34hLfQZfRN5H47zLdz"},
}

func TestResolve(t *testing.T) {
	t.Parallel()
	for _, tt := range headlines {
		t.Run(tt.id[:8], func(t *testing.T) {
			t.Parallel()
			d := resolve(t, "did:key:"+tt.id)
			signing := didkey.SigningMethod(d.ID())
			require.Equal(t, "did:key:"+tt.id+"#"+tt.id, signing.String())
			agreement := d.ID().URL(tt.agreement)

			for _, rel := range everything {
				want := signing
				if rel == did.KeyAgreement {
					want = agreement
				} else if strings.HasPrefix(tt.id, "z6LS") {
					require.Empty(t, d.Methods(rel, atUse), "an X25519 key signs nothing")
					_, err := d.Method(signing, rel, atUse)
					require.ErrorIs(t, err, did.ErrNotAuthorised)
					continue
				}
				require.Len(t, d.Methods(rel, atUse), 1, rel)
				m, err := d.Method(want, rel, atUse)
				require.NoError(t, err, rel)
				text, err := did.Multikey(m.PublicKey())
				require.NoError(t, err)
				require.Equal(t, want.Fragment, text)
				id, err := didkey.New(m.PublicKey())
				require.NoError(t, err)
				require.Equal(t, "did:key:"+text, id.String())
			}
			if signing != agreement {
				_, err := d.Method(agreement, did.AssertionMethod, atUse)
				require.ErrorIs(t, err, did.ErrNotAuthorised)
				_, err = d.Method(signing, did.KeyAgreement, atUse)
				require.ErrorIs(t, err, did.ErrNotAuthorised)
			}
			_, err := d.Method(d.ID().URL("key-1"), did.AssertionMethod, atUse)
			require.ErrorIs(t, err, did.ErrNotFound)
		})
	}
}

// The document of the method's section Create, but for the derived key, which the
// section's algorithm lists with the others and its example embeds.
func TestResolveDocument(t *testing.T) {
	t.Parallel()
	const id, x = "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK", "z6LSj72tK8brWgZja8NLRwPigth2T9QRiG1uH9oKZuKjdh9p"
	vm := id + "#z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK"
	out, err := json.Marshal(resolve(t, id))
	require.NoError(t, err)
	require.JSONEq(t, `{"@context":["https://www.w3.org/ns/did/v1.1"],"id":"`+id+`","verificationMethod":[
		{"id":"`+vm+`","type":"Multikey","controller":"`+id+`","publicKeyMultibase":"z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK"},
		{"id":"`+id+"#"+x+`","type":"Multikey","controller":"`+id+`","publicKeyMultibase":"`+x+`"}],
		"authentication":["`+vm+`"],"assertionMethod":["`+vm+`"],"capabilityInvocation":["`+vm+`"],"capabilityDelegation":["`+vm+`"],
		"keyAgreement":["`+id+"#"+x+`"]}`, string(out))
}

func TestNew(t *testing.T) {
	t.Parallel()
	pub, private, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	p256, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	require.NoError(t, err)
	x, err := ecdh.X25519().GenerateKey(rand.Reader)
	require.NoError(t, err)
	for prefix, key := range map[string]crypto.PublicKey{"z6Mk": pub, "zDn": p256.Public(), "z82L": p384.Public(), "z6LS": x.PublicKey()} {
		id, err := didkey.New(key)
		require.NoError(t, err)
		require.True(t, strings.HasPrefix(id.String(), "did:key:"+prefix), id)
		res, err := didkey.Resolver{}.Resolve(context.Background(), id, did.Version{Time: time.Unix(1, 0)})
		require.NoError(t, err, "the document is the same at any time")
		require.NotEmpty(t, res.Document.Methods(did.KeyAgreement, atUse))
	}

	p521, err := ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	require.NoError(t, err)
	for name, tt := range map[string]struct {
		key  crypto.PublicKey
		want error
	}{
		"nothing": {nil, did.ErrUnsupported}, "P-521": {p521.Public(), did.ErrUnsupported}, "private": {private, did.ErrUnsupported},
		"short": {pub[:31], did.ErrInvalid}, "small order": {ed25519.PublicKey(make([]byte, 32)), did.ErrInvalid},
	} {
		id, err := didkey.New(tt.key)
		require.ErrorIs(t, err, tt.want, name)
		require.True(t, id.IsZero(), name)
	}
}

func TestResolveRefuses(t *testing.T) {
	t.Parallel()
	const good = "z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK"
	raw, err := multiformat.Decode(good, multiformat.MaxKey)
	require.NoError(t, err)
	for name, tt := range map[string]struct {
		in   string
		want error
	}{
		"another method":       {"did:peer:0" + good, did.ErrUnsupported},
		"with a version":       {"did:key:1:" + good, did.ErrInvalid},
		"in base64url":         {"did:key:" + multiformat.EncodeBase64URL(raw), did.ErrInvalid},
		"in hexadecimal":       {"did:key:f" + hex.EncodeToString(raw), did.ErrInvalid},
		"bad character":        {"did:key:z0" + good[2:], did.ErrInvalid},
		"percent-encoded":      {"did:key:%7A" + good[1:], did.ErrInvalid},
		"prefix only":          {"did:key:z", did.ErrInvalid},
		"one byte more":        {"did:key:" + multiformat.Encode(append(raw, 0)), did.ErrInvalid},
		"one byte less":        {"did:key:" + multiformat.Encode(raw[:33]), did.ErrInvalid},
		"private key":          {"did:key:" + multiformat.Encode(append([]byte{0x80, 0x26}, raw[2:]...)), did.ErrInvalid},
		"too long":             {"did:key:z" + strings.Repeat("6", 2000), did.ErrInvalid},
		"another kind of data": {"did:key:" + multiformat.Encode(multiformat.SHA256Multihash([32]byte{1})), did.ErrUnsupported},
	} {
		res, err := didkey.Resolver{}.Resolve(context.Background(), parse(t, tt.in), did.Version{})
		require.ErrorIs(t, err, tt.want, name)
		require.Nil(t, res, name)
	}
	for _, at := range []did.Version{{ID: "1"}, {Number: 1}, {Number: -1}} {
		_, err := didkey.Resolver{}.Resolve(context.Background(), parse(t, "did:key:"+good), at)
		require.ErrorIs(t, err, did.ErrNotFound)
	}
}

func TestAbuse_DI19_SmallOrderKey(t *testing.T) {
	t.Parallel()
	for _, key := range []string{
		"0100000000000000000000000000000000000000000000000000000000000000",
		"0000000000000000000000000000000000000000000000000000000000000000",
		"0000000000000000000000000000000000000000000000000000000000000080",
		"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
		"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
		"0100000000000000000000000000000000000000000000000000000000000080", // non-canonical
		"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	} {
		raw, err := hex.DecodeString(key)
		require.NoError(t, err)
		id := parse(t, "did:key:"+multiformat.Encode(append(multiformat.AppendCodec(nil, multiformat.Ed25519Public), raw...)))
		_, err = didkey.Resolver{}.Resolve(context.Background(), id, did.Version{})
		require.ErrorIs(t, err, did.ErrInvalid, key)
	}
}

func TestContract(t *testing.T) {
	t.Parallel()
	didtest.Resolver(t, didkey.Resolver{}, parse(t, "did:key:"+headlines[0].id), parse(t, "did:key:zQmZMygzYqNwU6Uhmewx5Xepf2VLp5S4HLSwwgf2aiKZuwa"))
}

// The vectors of the method: their documents are of older types and forms, so
// that keys and relationships are compared and not bytes.
func TestVectors(t *testing.T) {
	t.Parallel()
	usable, unusable := 0, 0
	for _, file := range []string{"ed25519-x25519.json", "x25519.json", "nist-curves.json", "secp256k1.json", "rsa.json", "bls12381.json"} {
		for text, document := range vectorDocuments(t, file) {
			ours := resolve(t, text)
			theirs, err := did.ParseDocument(document)
			require.NoError(t, err, text)
			require.Equal(t, ours.ID(), theirs.ID())
			if !isUsable(text) {
				sameDocument(t, ours, document)
				unusable++
				continue
			}
			for _, rel := range everything {
				require.Equal(t, keys(t, theirs, rel), keys(t, ours, rel), "%s %s", text, rel)
			}
			usable++
		}
	}
	require.Equal(t, 5+4+5, usable)
	require.Equal(t, 2+6+2+5+1, unusable)
}

func isUsable(text string) bool {
	for _, prefix := range []string{"z6Mk", "z6LS", "zDn", "z82L"} {
		if strings.HasPrefix(text, "did:key:"+prefix) {
			return true
		}
	}
	return false
}

// keys returns the names and the Multikeys of what a document authorises.
func keys(t *testing.T, d *did.Document, rel did.Relationship) map[string]string {
	t.Helper()
	found := map[string]string{}
	for _, m := range d.Methods(rel, atUse) {
		text, err := did.Multikey(m.PublicKey())
		require.NoError(t, err)
		found[m.ID.String()] = text
	}
	return found
}

// vectorDocuments reads both layouts of the vector files.
func vectorDocuments(t *testing.T, file string) map[string]json.RawMessage {
	t.Helper()
	data := vectors.Read(t, "did-key", "test-vectors", file)
	if file == "x25519.json" {
		var all struct{ DIDDocument map[string]json.RawMessage }
		require.NoError(t, json.Unmarshal(data, &all))
		return all.DIDDocument
	}
	var all map[string]struct{ DIDDocument json.RawMessage }
	require.NoError(t, json.Unmarshal(data, &all))
	documents := map[string]json.RawMessage{}
	for id, entry := range all {
		documents[id] = entry.DIDDocument
	}
	return documents
}

// The private keys of the Ed25519 vectors are bare seeds: the whole line from seed
// to signature to the key in the resolved document.
func TestSignAndVerify(t *testing.T) {
	t.Parallel()
	seed := make([]byte, ed25519.SeedSize)
	key := ed25519.NewKeyFromSeed(seed)
	id, err := didkey.New(key.Public())
	require.NoError(t, err)
	require.Equal(t, "did:key:z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooWp", id.String())
	signer, err := did.NewSigner(didkey.SigningMethod(id), key)
	require.NoError(t, err)
	sig, err := signer.Sign(context.Background(), []byte("rota of ward 7"))
	require.NoError(t, err)
	m, err := resolve(t, id.String()).Method(signer.VerificationMethod(), did.AssertionMethod, atUse)
	require.NoError(t, err)
	require.NoError(t, did.VerifySignature(m.PublicKey(), []byte("rota of ward 7"), sig))
	require.ErrorIs(t, did.VerifySignature(m.PublicKey(), []byte("rota of ward 8"), sig), did.ErrSignature)
}

func FuzzResolve(f *testing.F) {
	for _, tt := range headlines {
		f.Add("did:key:" + tt.id)
	}
	f.Add("did:key:zQ3shokFTS3brHcDQrn82RUDfCZESWL1ZdCEJwekUDPQiYBme")
	f.Add("did:key:z2J9gaYxrKVpdoG9A4gRnmpnRCcxU6agDtFVVBVdn1JedouoZN7SzcyREXXzWgt3gGiwpoHq7K68X4m32D8HgzG8wv3sY5j7")
	f.Add("did:key:z3tEEysHYz5kkgpfDAByfDVgAuvtSFLHSqoMWmmSZBU1LZtN2sDsAS6RVQSevfxv39kyty")
	f.Fuzz(func(t *testing.T, in string) {
		id, err := did.Parse(in)
		if err != nil {
			return
		}
		res, err := didkey.Resolver{}.Resolve(context.Background(), id, did.Version{})
		if err != nil {
			require.Nil(t, res)
			return
		}
		require.Equal(t, id, res.Document.ID())
		out, err := res.Document.MarshalJSON()
		require.NoError(t, err)
		again, err := did.ParseDocument(out)
		require.NoError(t, err)
		for _, rel := range everything {
			require.Equal(t, keys(t, res.Document, rel), keys(t, again, rel))
		}
	})
}
