package status

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/fxamacker/cbor/v2"

	"github.com/staffpassport/staffpassport/internal/strictcbor"
	"github.com/staffpassport/staffpassport/internal/strictjson"
)

// Labels of a Status List Token in CWT format (draft-ietf-oauth-status-list-20, section
// 5.2): header parameters of RFC 9052 and RFC 9596, claims of RFC 8392 and of the draft.
const (
	headerAlgorithm = int64(1)
	headerCritical  = int64(2)
	headerKeyID     = int64(4)
	headerType      = int64(16)

	claimIssuer     = int64(1)
	claimSubject    = int64(2)
	claimExpires    = int64(4)
	claimIssuedAt   = int64(6)
	claimStatusList = int64(65533)
	claimTimeToLive = int64(65534)
)

// tagSign1 is the tag of a COSE_Sign1, which must be there. A COSE_Mac0 is nothing that
// a stranger could verify.
const tagSign1 = 0xd2

// A sign1 is the array of a COSE_Sign1 (RFC 9052 section 4.2).
type sign1 struct {
	_           struct{} `cbor:",toarray"`
	Protected   []byte
	Unprotected labels
	Payload     []byte
	Signature   []byte
}

// labels is a map with integers for keys, and maybe texts, which nothing here reads.
type labels map[any]cbor.RawMessage

// parseCWT reads a CWT in a COSE_Sign1.
func parseCWT(b []byte) (*token, error) {
	if len(b) > strictjson.DefaultMaxBytes {
		return nil, ErrTooLarge
	}
	var m sign1
	if len(b) < 2 || b[0] != tagSign1 || strictcbor.Unmarshal(b[1:], &m) != nil {
		return nil, noList("not a COSE_Sign1")
	}
	t := &token{input: toBeSigned(m.Protected, m.Payload), signature: m.Signature}
	if err := t.readHeader(m); err != nil {
		return nil, err
	}
	var claims labels
	if strictcbor.Unmarshal(m.Payload, &claims) != nil {
		return nil, noList("claims")
	}
	if !readOptional(claims, claimSubject, &t.URI) || !readOptional(claims, claimIssuer, &t.Issuer) {
		return nil, noList("subject or issuer")
	}
	number := func(name string) (n int64, present bool, err error) {
		label := map[string]int64{"iat": claimIssuedAt, "exp": claimExpires, "ttl": claimTimeToLive}[name]
		_, present = claims[label]
		if !readOptional(claims, label, &n) {
			err = noList(name)
		}
		return n, present, err
	}
	if err := t.readTimes(number, "iat", "exp", "ttl"); err != nil {
		return nil, err
	}
	return t, t.fillCBOR(claims[claimStatusList])
}

// fillCBOR reads a StatusList in CBOR (section 4.3).
func (t *token) fillCBOR(item []byte) error {
	var l struct {
		Bits   int64  `cbor:"bits"`
		Packed []byte `cbor:"lst"`
	}
	if len(item) == 0 || strictcbor.Unmarshal(item, &l) != nil {
		return noList("status list")
	}
	return t.fill(l.Bits, l.Packed)
}

// readHeader reads the protected header, and the kid also beside it: the signature does
// not verify with another key than the one it names.
func (t *token) readHeader(m sign1) error {
	var protected labels
	if strictcbor.Unmarshal(m.Protected, &protected) != nil {
		return noList("protected header")
	}
	for label := range m.Unprotected { // RFC 9052 section 3: in one header or the other
		if _, twice := protected[label]; twice || label == headerCritical {
			return noList("unprotected header")
		}
	}
	if _, critical := protected[headerCritical]; critical {
		return noList("critical header parameter")
	}
	var alg int64
	var typ string
	if !readOptional(protected, headerAlgorithm, &alg) || !readOptional(protected, headerType, &typ) {
		return noList("protected header")
	}
	if strings.ToLower(typ) != mediaTypeCWT {
		return noList("typ")
	}
	switch alg { // RFC 9053 sections 2.1 and 2.2, RFC 9864
	case -8, -19:
		t.algorithm = "EdDSA"
	case -7, -9:
		t.algorithm = "ES256"
	case -35, -51:
		t.algorithm = "ES384"
	default:
		return noList("algorithm")
	}
	var kid []byte
	if !readOptional(protected, headerKeyID, &kid) || !readOptional(m.Unprotected, headerKeyID, &kid) || !utf8.Valid(kid) {
		return noList("kid")
	}
	t.KeyID = string(kid)
	return nil
}

// readOptional reads a member into to, if it is there, and reports whether it is of the
// right type.
func readOptional[T int64 | string | []byte](m labels, label int64, to *T) bool {
	item, present := m[label]
	return !present || major(item, to) && strictcbor.Unmarshal(item, to) == nil
}

// major reports whether an item is of the type of to: the decoder takes null for
// anything, and a byte string for an array.
func major(item []byte, to any) bool {
	if len(item) == 0 {
		return false
	}
	switch m := item[0] >> 5; to.(type) {
	case *int64:
		return m <= 1
	case *[]byte:
		return m == 2
	case *string:
		return m == 3
	}
	return false
}

// toBeSigned is the Sig_structure of RFC 9052 section 4.4.
func toBeSigned(protected, payload []byte) []byte {
	var out bytes.Buffer
	out.WriteString("\x84\x6aSignature1")
	for _, b := range [][]byte{protected, nil, payload} {
		head, err := cbor.Marshal(uint64(len(b)))
		if err != nil {
			panic(fmt.Sprintf("status: encoding a length: %v", err)) // an integer
		}
		head[0] |= 2 << 5 // of a byte string
		out.Write(head)
		out.Write(b)
	}
	return out.Bytes()
}
