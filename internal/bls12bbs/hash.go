package bls12bbs

import (
	"crypto/sha256"
	"encoding/binary"

	curve "github.com/consensys/gnark-crypto/ecc/bls12-381"
	"github.com/consensys/gnark-crypto/ecc/bls12-381/fr"
)

// Domain separation tags: the draft's section 3.5 says what an api_id is made of.
const (
	ciphersuiteID = "BBS_BLS12381G1_XMD:SHA-256_SSWU_RO_"
	apiID         = ciphersuiteID + "H2G_HM2S_"

	dstHash      = apiID + "H2S_"
	dstMessage   = apiID + "MAP_MSG_TO_SCALAR_AS_HASH_"
	dstKey       = ciphersuiteID + "KEYGEN_DST_"
	dstSeed      = apiID + "SIG_GENERATOR_SEED_"
	dstGenerator = apiID + "SIG_GENERATOR_DST_"
)

// expand is expand_message_xmd with SHA-256 (RFC 9380 section 5.3.1) for up to
// 255 blocks of 32 bytes. The tags are the constants above, all below 255 bytes.
func expand(message []byte, dst string, n int) []byte {
	suffix := append([]byte(dst), byte(len(dst)))
	h := sha256.New()
	h.Write(make([]byte, sha256.BlockSize))
	h.Write(message)
	h.Write([]byte{byte(n >> 8), byte(n), 0})
	h.Write(suffix)
	var b0, b [sha256.Size]byte
	h.Sum(b0[:0])
	out := make([]byte, 0, n+sha256.Size)
	for i := byte(1); len(out) < n; i++ {
		for j := range b {
			b[j] ^= b0[j]
		}
		h.Reset()
		h.Write(b[:])
		h.Write([]byte{i})
		h.Write(suffix)
		h.Sum(b[:0])
		out = append(out, b[:]...)
	}
	return out[:n]
}

// hashToScalar is hash_to_scalar.
func hashToScalar(message []byte, dst string) fr.Element {
	return reduce(expand(message, dst, expandLen))
}

// reduce returns the 48 bytes b, big end first, modulo r, in the same time for
// all of them: b = hi * 2^192 + lo, both below r.
func reduce(b []byte) fr.Element {
	var padded [2][scalarSize]byte
	copy(padded[0][8:], b[:24])
	copy(padded[1][8:], b[24:])
	var hi, lo, shift fr.Element
	hi.SetBytes(padded[0][:])
	lo.SetBytes(padded[1][:])
	var two192 [scalarSize]byte
	two192[scalarSize-1-24] = 1
	shift.SetBytes(two192[:])
	hi.Mul(&hi, &shift)
	hi.Add(&hi, &lo)
	return hi
}

// messagesToScalars is messages_to_scalars.
func messagesToScalars(messages [][]byte) []fr.Element {
	out := make([]fr.Element, len(messages))
	for i, m := range messages {
		out[i] = hashToScalar(m, dstMessage)
	}
	return out
}

// domain is calculate_domain for count messages.
func domain(pk *PublicKey, g *generators, header []byte) fr.Element {
	in := make([]byte, 0, PublicKeySize+8+len(g.octets)+len(apiID)+8+len(header))
	in = append(in, pk.octets[:]...)
	in = binary.BigEndian.AppendUint64(in, uint64(g.messages()))
	in = append(in, g.octets...)
	in = append(in, apiID...)
	in = binary.BigEndian.AppendUint64(in, uint64(len(header)))
	in = append(in, header...)
	return hashToScalar(in, dstHash)
}

// signatureScalar is step 2 of CoreSign, the scalar e of a signature.
func signatureScalar(sk *SecretKey, messages []fr.Element, domain *fr.Element) fr.Element {
	in := make([]byte, 0, (2+len(messages))*scalarSize)
	in = appendScalar(in, &sk.s)
	for i := range messages {
		in = appendScalar(in, &messages[i])
	}
	in = appendScalar(in, domain)
	return hashToScalar(in, dstHash)
}

// initial is init_res, the result of ProofInit and of ProofVerifyInit.
type initial struct {
	aBar, bBar, d, t1, t2 curve.G1Affine
	domain                fr.Element
}

// challenge is ProofChallengeCalculate.
func (r *initial) challenge(messages []fr.Element, indexes []int, ph []byte) fr.Element {
	in := make([]byte, 0, 8+len(messages)*(8+scalarSize)+5*pointSize+scalarSize+8+len(ph))
	in = binary.BigEndian.AppendUint64(in, uint64(len(indexes)))
	for i := range messages {
		in = binary.BigEndian.AppendUint64(in, uint64(indexes[i]))
		in = appendScalar(in, &messages[i])
	}
	for _, p := range []*curve.G1Affine{&r.aBar, &r.bBar, &r.d, &r.t1, &r.t2} {
		in = appendPoint(in, p)
	}
	in = appendScalar(in, &r.domain)
	in = binary.BigEndian.AppendUint64(in, uint64(len(ph)))
	in = append(in, ph...)
	return hashToScalar(in, dstHash)
}
