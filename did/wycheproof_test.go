package did_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/internal/multiformat"
	"github.com/staffpassport/staffpassport/internal/vectors"
)

// A madeUp is a crypto.Signer, such as a driver of a remote key, that gives a
// ready answer.
type madeUp struct {
	pub    crypto.PublicKey
	answer []byte
}

func (m madeUp) Public() crypto.PublicKey { return m.pub }

func (m madeUp) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) { return m.answer, nil }

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	require.NoError(t, err)
	return b
}

// Wycheproof: ECDSA over P-256 with SHA-256 in ASN.1, as keys of the standard
// library's kind give it. A good one goes out as r and s, which verify; none of the
// others goes out, whatever is wrong with it. And none is itself taken for r and s.
func TestWycheproofECDSAInASN1(t *testing.T) {
	t.Parallel()
	var file struct {
		NumberOfTests int
		TestGroups    []struct {
			PublicKey struct{ Uncompressed string }
			Tests     []struct {
				TcID                      int
				Msg, Sig, Result, Comment string
			}
		}
	}
	require.NoError(t, json.Unmarshal(vectors.Read(t, "wycheproof", "testvectors_v1", "ecdsa_secp256r1_sha256_test.json"), &file))
	vm, err := did.ParseURL("did:example:remote#key-1")
	require.NoError(t, err)
	good, bad := 0, 0
	for _, group := range file.TestGroups {
		pub, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), unhex(t, group.PublicKey.Uncompressed))
		require.NoError(t, err)
		for _, tt := range group.Tests {
			message, der := unhex(t, tt.Msg), unhex(t, tt.Sig)
			require.ErrorIs(t, did.VerifySignature(pub, message, der), did.ErrSignature, tt.TcID)
			signer, err := did.NewSigner(vm, madeUp{pub, der})
			require.NoError(t, err)
			sig, err := did.Sign(t.Context(), signer, message)
			if tt.Result == "valid" {
				require.NoError(t, err, "%d %s", tt.TcID, tt.Comment)
				require.Len(t, sig, 64)
				require.NoError(t, did.VerifySignature(pub, message, sig), tt.TcID)
				good++
			} else {
				require.ErrorIs(t, err, did.ErrSignature, "%d %s", tt.TcID, tt.Comment)
				require.Nil(t, sig)
				bad++
			}
		}
	}
	require.Equal(t, file.NumberOfTests, good+bad)
	require.Greater(t, bad, 300)
}

// Wycheproof: public keys for ECDH on P-256 and P-384, of which these are the
// curves. Good points are keys in both of our encodings and come out as they went
// in; points beside the curve and other encodings are keys in neither.
func TestAbuse_JW14_PointsBesideTheCurve(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		file, crv string
		size      int
		codec     multiformat.Codec
		curve     elliptic.Curve
	}{
		{"ecdh_secp256r1_ecpoint_test.json", "P-256", 32, multiformat.P256Public, elliptic.P256()},
		{"ecdh_secp384r1_ecpoint_test.json", "P-384", 48, multiformat.P384Public, elliptic.P384()},
	} {
		t.Run(c.crv, func(t *testing.T) {
			t.Parallel()
			var file struct {
				NumberOfTests int
				TestGroups    []struct {
					Tests []struct {
						TcID                    int
						Public, Result, Comment string
					}
				}
			}
			require.NoError(t, json.Unmarshal(vectors.Read(t, "wycheproof", "testvectors_v1", c.file), &file))
			good, bad := 0, 0
			for _, group := range file.TestGroups {
				for _, tt := range group.Tests {
					point, ok := unhex(t, tt.Public), tt.Result != "invalid" // "acceptable" are compressed points
					var multikey string
					switch {
					case len(point) == 1+2*c.size:
						x, y := point[1:1+c.size], point[1+c.size:]
						pub, err := did.ParseJWK(fmt.Appendf(nil, `{"kty":"EC","crv":%q,"x":%q,"y":%q}`, c.crv,
							base64.RawURLEncoding.EncodeToString(x), base64.RawURLEncoding.EncodeToString(y)))
						if !ok {
							require.ErrorIs(t, err, did.ErrInvalid, "%d %s", tt.TcID, tt.Comment)
						} else {
							require.NoError(t, err, "%d %s", tt.TcID, tt.Comment)
							out, err := pub.(*ecdsa.PublicKey).Bytes()
							require.NoError(t, err)
							require.Equal(t, point, out)
						}
						// Uncompressed is no form of a Multikey.
						_, err = did.ParseMultikey(multikeyText(c.codec, point))
						require.ErrorIs(t, err, did.ErrInvalid)
						compressed := append([]byte{2 + y[len(y)-1]&1}, x...)
						multikey = multikeyText(c.codec, compressed)
						if !ok { // of which many have a y on the curve that is another
							if pub, err := did.ParseMultikey(multikey); err == nil {
								out, err := pub.(*ecdsa.PublicKey).Bytes()
								require.NoError(t, err)
								require.NotEqual(t, point, out)
							}
							bad++
							continue
						}
					default:
						multikey = multikeyText(c.codec, point)
					}
					pub, err := did.ParseMultikey(multikey)
					if !ok {
						require.ErrorIs(t, err, did.ErrInvalid, "%d %s", tt.TcID, tt.Comment)
						bad++
						continue
					}
					require.NoError(t, err, "%d %s", tt.TcID, tt.Comment)
					again, err := did.Multikey(pub)
					require.NoError(t, err)
					require.Equal(t, multikey, again)
					require.NoError(t, checkOnCurve(pub, c.curve))
					good++
				}
			}
			require.Equal(t, file.NumberOfTests, good+bad)
			require.Greater(t, bad, 15)
		})
	}
}

func multikeyText(codec multiformat.Codec, key []byte) string {
	return multiformat.Encode(append(multiformat.AppendCodec(nil, codec), key...))
}

func checkOnCurve(pub crypto.PublicKey, curve elliptic.Curve) error {
	key, ok := pub.(*ecdsa.PublicKey)
	if !ok || key.Curve != curve {
		return fmt.Errorf("a key of another kind: %T", pub)
	}
	_, err := key.ECDH()
	return err
}
