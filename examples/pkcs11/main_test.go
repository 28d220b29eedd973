package main

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/ThalesGroup/crypto11"
	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/did/didkey"
	"github.com/staffpassport/staffpassport/schema"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/dataintegrity"
	"github.com/staffpassport/staffpassport/vc/dataintegrity/ecdsasd"
	"github.com/staffpassport/staffpassport/vc/dataintegrity/rdfc"
	"github.com/staffpassport/staffpassport/vc/disclose"
	"github.com/staffpassport/staffpassport/vc/verify"
)

const (
	label = "passports"
	pin   = "475839"
)

// softHSM returns the path of the library of SoftHSM, with one token in a folder of this
// test. Without SoftHSM the test is skipped, or fails if STAFFPASSPORT_INTEROP is
// "required". A process has one such folder: the tests of this package are not
// parallel.
func softHSM(t *testing.T) string {
	t.Helper()
	missing := t.Skipf
	if os.Getenv("STAFFPASSPORT_INTEROP") == "required" {
		missing = t.Fatalf
	}
	library := os.Getenv("STAFFPASSPORT_PKCS11")
	if library == "" {
		found, err := filepath.Glob("/usr/lib*/softhsm/libsofthsm2.so")
		more, err2 := filepath.Glob("/usr/lib/*/softhsm/libsofthsm2.so")
		if err != nil || err2 != nil || len(found)+len(more) == 0 {
			missing("no SoftHSM: install Debian's softhsm2, or set STAFFPASSPORT_PKCS11 to the path of libsofthsm2.so, to run this test")
		}
		library = append(found, more...)[0]
	}
	if _, err := exec.LookPath("softhsm2-util"); err != nil {
		missing("no softhsm2-util: install Debian's softhsm2 to run this test")
	}
	dir := t.TempDir()
	config := filepath.Join(dir, "softhsm2.conf")
	require.NoError(t, os.Mkdir(filepath.Join(dir, "tokens"), 0o700))
	require.NoError(t, os.WriteFile(config, []byte("directories.tokendir = "+filepath.Join(dir, "tokens")+"\nobjectstore.backend = file\nlog.level = ERROR\n"), 0o600))
	t.Setenv("SOFTHSM2_CONF", config)
	out, err := exec.Command("softhsm2-util", "--init-token", "--free", "--label", label, "--so-pin", "92837465", "--pin", pin).CombinedOutput()
	require.NoError(t, err, "%s", out)
	return library
}

func open(t *testing.T, library string) *token {
	t.Helper()
	tok, err := openToken(library, label, pin)
	require.NoError(t, err)
	t.Cleanup(func() { _ = tok.Close() })
	return tok
}

// The command line, twice: the second time with the key of the first.
func TestRun(t *testing.T) {
	library := softHSM(t)
	var issuers [2]string
	for i := range issuers {
		var out bytes.Buffer
		require.NoError(t, run(t.Context(), library, label, "issuer", pin, &out))
		var credential struct {
			Proof struct{ Cryptosuite, VerificationMethod string }
		}
		require.NoError(t, json.Unmarshal(out.Bytes(), &credential))
		require.Equal(t, "ecdsa-jcs-2019", credential.Proof.Cryptosuite)
		issuers[i] = credential.Proof.VerificationMethod
	}
	require.Equal(t, issuers[0], issuers[1], "the key is kept in the token")
	for name, c := range map[string]struct{ library, token, pin string }{
		"no library":  {"/nowhere/pkcs11.so", label, pin},
		"other token": {library, "meadow", pin},
		"wrong PIN":   {library, label, "000000"},
		"no PIN":      {library, label, ""},
		"no token":    {library, "", pin},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			err := run(t.Context(), c.library, c.token, "issuer", c.pin, &out)
			require.Error(t, err)
			require.NotContains(t, err.Error(), pin)
			require.Empty(t, out.Bytes())
		})
	}
}

// The private half is made in the token and stays there.
func TestKeyStaysInTheToken(t *testing.T) {
	tok := open(t, softHSM(t))
	key, err := tok.key("issuer")
	require.NoError(t, err)
	for attribute, want := range map[crypto11.AttributeType]byte{
		crypto11.CkaExtractable: 0, crypto11.CkaSensitive: 1, crypto11.CkaNeverExtractable: 1, crypto11.CkaAlwaysSensitive: 1, crypto11.CkaLocal: 1,
	} {
		got, err := tok.ctx.GetAttribute(key, attribute)
		require.NoError(t, err)
		require.Equal(t, []byte{want}, got.Value, "%x", attribute)
	}
	_, err = tok.ctx.GetAttribute(key, crypto11.CkaValue)
	require.Error(t, err, "the secret number")
	again, err := tok.key("issuer")
	require.NoError(t, err)
	require.Equal(t, key.Public(), again.Public())
	other, err := tok.key("another")
	require.NoError(t, err)
	require.NotEqual(t, key.Public(), other.Public())
}

func TestWhichKey(t *testing.T) {
	tok := open(t, softHSM(t))
	for range 2 {
		_, err := tok.newKey("twice")
		require.NoError(t, err)
	}
	_, err := tok.key("twice")
	require.ErrorIs(t, err, errAmbiguous)
	_, err = tok.ctx.GenerateECDSAKeyPairWithLabel([]byte{1}, []byte("P-384"), elliptic.P384())
	require.NoError(t, err)
	_, err = tok.key("P-384")
	require.Error(t, err)
	_, err = tok.ctx.GenerateRSAKeyPairWithLabel([]byte{2}, []byte("RSA"), 2048)
	require.NoError(t, err)
	_, err = tok.key("RSA")
	require.Error(t, err)
}

// Every format that a P-256 key signs, by the key in the token, and none of them after a
// byte was changed.
func TestFormats(t *testing.T) {
	tok := open(t, softHSM(t))
	key, err := tok.key("issuer")
	require.NoError(t, err)
	issuer, err := signer(key)
	require.NoError(t, err)
	id := issuer.VerificationMethod().DID
	for _, suite := range []dataintegrity.Suite{dataintegrity.ECDSAJCS2019(), rdfc.ECDSARDFC2019()} {
		credential, err := passport(id)
		require.NoError(t, err)
		secured, err := (&dataintegrity.Issuer{Suite: suite, Signer: issuer, Contexts: schema.Contexts()}).Secure(t.Context(), credential)
		require.NoError(t, err)
		_, err = verifier(id).Credential(t.Context(), secured)
		require.NoError(t, err)
		forged := vc.Secured{MediaType: secured.MediaType, Bytes: bytes.Replace(secured.Bytes, []byte(`"proofValue":"z`), []byte(`"proofValue":"z2`), 1)}
		_, err = verifier(id).Credential(t.Context(), forged)
		require.Error(t, err)
	}

	holderKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	holder, err := signer(holderKey)
	require.NoError(t, err)
	record, _ := schema.Sample()
	credential, err := record.Credential(schema.Terms{Issuer: id, Holder: holder.VerificationMethod().DID, ValidFrom: time.Now()})
	require.NoError(t, err)
	mandatory, err := schema.Mandatory(credential)
	require.NoError(t, err)
	base, err := (&dataintegrity.Issuer{Suite: ecdsasd.Suite(mandatory...), Signer: issuer, Contexts: schema.Contexts()}).Secure(t.Context(), credential)
	require.NoError(t, err)
	nonces := verify.NewNonces(time.Minute, nil)
	nonce := nonces.New()
	shown, err := disclose.Derive(t.Context(), disclose.Request{Reveal: schema.ClinicalStart().Ask, Holder: holder, Audience: "meadow", Nonce: nonce, Contexts: schema.Contexts()}, base)
	require.NoError(t, err)
	v := verifier(id)
	v.Replay = nonces
	_, err = v.Presentation(t.Context(), shown, verify.Session{Audience: "meadow", Nonce: nonce})
	require.NoError(t, err)
}

// Many issue at once with one key and few sessions.
func TestConcurrently(t *testing.T) {
	tok := open(t, softHSM(t))
	key, err := tok.key("issuer")
	require.NoError(t, err)
	s, err := signer(key)
	require.NoError(t, err)
	var all sync.WaitGroup
	errs := make(chan error, 64)
	for range 64 {
		all.Go(func() {
			signature, err := did.Sign(t.Context(), s, []byte("reed"))
			if err == nil {
				err = did.VerifySignature(s.Public(), []byte("reed"), signature)
			}
			errs <- err
		})
	}
	all.Wait()
	close(errs)
	for err := range errs {
		require.NoError(t, err)
	}
}

// A token that signs with another key than it shows, or not at all, makes no
// credential.
func TestAWrongTokenIsFoundOut(t *testing.T) {
	tok := open(t, softHSM(t))
	shown, err := tok.key("shown")
	require.NoError(t, err)
	used, err := tok.key("used")
	require.NoError(t, err)
	id, err := didkey.New(shown.Public())
	require.NoError(t, err)
	swapped, err := did.NewSigner(didkey.SigningMethod(id), swapped{shown.Public(), used})
	require.NoError(t, err)
	_, err = did.Sign(t.Context(), swapped, []byte("reed"))
	require.ErrorIs(t, err, did.ErrSignature)

	good, err := signer(shown)
	require.NoError(t, err)
	over, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = did.Sign(over, good, []byte("reed"))
	require.ErrorIs(t, err, context.Canceled)
	require.NoError(t, tok.Close())
	_, err = did.Sign(t.Context(), good, []byte("reed"))
	require.Error(t, err, "logged out")
	require.False(t, errors.Is(err, did.ErrSignature))
}

type swapped struct {
	public crypto.PublicKey
	crypto.Signer
}

func (s swapped) Public() crypto.PublicKey { return s.public }
