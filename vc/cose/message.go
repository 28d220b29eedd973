package cose

import (
	"fmt"

	"github.com/fxamacker/cbor/v2"

	"github.com/staffpassport/staffpassport/internal/errtext"
	"github.com/staffpassport/staffpassport/internal/strictcbor"
	"github.com/staffpassport/staffpassport/internal/strictjson"
)

// Limits of one message in bytes.
const (
	maxHeader    = 16 << 10 // admits a chain of certificates, which nothing here reads
	maxPayload   = strictjson.DefaultMaxBytes
	maxSignature = 1 << 10
)

// tagSign1 is the tag 18 in its one byte form. It may be left out where the media
// type tells what a message is (RFC 9052 section 2).
const tagSign1 = 0xd2

// A message is a COSE_Sign1 (RFC 9052 section 4.2) that is not verified.
type message struct {
	protected []byte // as it was encoded, since that is what is signed
	header    header
	payload   []byte
	signature []byte
}

// wire is the array of a COSE_Sign1.
type wire struct {
	_           struct{} `cbor:",toarray"`
	Protected   cbor.RawMessage
	Unprotected cbor.RawMessage
	Payload     cbor.RawMessage
	Signature   cbor.RawMessage
}

func parseMessage(b []byte) (*message, error) {
	if len(b) > 2*maxHeader+maxPayload+maxSignature {
		return nil, tooLarge()
	}
	if len(b) > 0 && b[0] == tagSign1 {
		b = b[1:]
	}
	var w wire
	if len(b) == 0 || b[0] != major4|4 || strictcbor.Unmarshal(b, &w) != nil {
		return nil, fmt.Errorf("%w: not a COSE_Sign1", ErrMalformed)
	}
	m := new(message)
	for _, part := range []struct {
		to   *[]byte
		from cbor.RawMessage
		most int
	}{{&m.protected, w.Protected, maxHeader}, {&m.payload, w.Payload, maxPayload}, {&m.signature, w.Signature, maxSignature}} {
		var ok bool
		if *part.to, ok = byteString(part.from); !ok || len(*part.to) == 0 {
			return nil, fmt.Errorf("%w: header, payload or signature", ErrMalformed)
		}
		if len(*part.to) > part.most {
			return nil, tooLarge()
		}
	}
	protected, ok := parseMap(m.protected)
	if !ok {
		return nil, fmt.Errorf("%w: protected header", ErrMalformed)
	}
	if len(w.Unprotected) > maxHeader {
		return nil, tooLarge()
	}
	unprotected, ok := parseMap(w.Unprotected)
	if !ok {
		return nil, fmt.Errorf("%w: unprotected header", ErrMalformed)
	}
	for label := range unprotected { // section 3: in one header or the other
		if _, twice := protected[label]; twice || label == labelCritical {
			return nil, fmt.Errorf("%w: unprotected header", ErrMalformed)
		}
	}
	var err error
	if m.header, err = readHeader(protected); err != nil {
		return nil, err
	}
	return m, nil
}

// tooLarge says that a message, or a part of it, is beyond its limit.
func tooLarge() error {
	return fmt.Errorf("%w: %w", ErrMalformed, errtext.Below(strictjson.ErrTooLarge))
}

// A labels is a CBOR map whose keys are integers (int64) or text (string).
type labels map[any]cbor.RawMessage

func parseMap(b []byte) (labels, bool) {
	var m labels
	if len(b) == 0 || b[0]&^31 != major5 || strictcbor.Unmarshal(b, &m) != nil {
		return nil, false
	}
	for label := range m {
		switch label.(type) {
		case int64, string:
		default:
			return nil, false
		}
	}
	return m, true
}

// byteString returns the content of a CBOR byte string and no other item.
func byteString(item []byte) ([]byte, bool) {
	var b []byte
	ok := len(item) > 0 && item[0]&^31 == major2 && strictcbor.Unmarshal(item, &b) == nil
	return b, ok
}

// toBeSigned is the Sig_structure of RFC 9052 section 4.4:
//
//	["Signature1", protected, external_aad: h'', payload]
func toBeSigned(protected, payload []byte) []byte {
	out := make([]byte, 0, 32+len(protected)+len(payload))
	out = appendHead(out, major4, 4)
	out = appendText(out, "Signature1")
	out = appendBytes(out, protected)
	out = appendBytes(out, nil)
	return appendBytes(out, payload)
}

// appendMessage writes a tagged COSE_Sign1 without unprotected header.
func appendMessage(dst, protected, payload, signature []byte) []byte {
	dst = append(dst, tagSign1)
	dst = appendHead(dst, major4, 4)
	dst = appendBytes(dst, protected)
	dst = appendHead(dst, major5, 0)
	dst = appendBytes(dst, payload)
	return appendBytes(dst, signature)
}

// Major types of CBOR (RFC 8949 section 3.1), in the place where they stand.
const (
	major0 = 0 << 5 // unsigned integer
	major1 = 1 << 5 // negative integer
	major2 = 2 << 5 // byte string
	major3 = 3 << 5 // text string
	major4 = 4 << 5 // array
	major5 = 5 << 5 // map
)

// appendHead writes a major type and its argument in the shortest form.
func appendHead(dst []byte, major byte, n uint64) []byte {
	switch {
	case n < 24:
		return append(dst, major|byte(n))
	case n < 1<<8:
		return append(dst, major|24, byte(n))
	case n < 1<<16:
		return append(dst, major|25, byte(n>>8), byte(n))
	case n < 1<<32:
		return append(dst, major|26, byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
	}
	return append(dst, major|27, byte(n>>56), byte(n>>48), byte(n>>40), byte(n>>32), byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
}

func appendInt(dst []byte, n int64) []byte {
	if n < 0 {
		return appendHead(dst, major1, uint64(-1-n))
	}
	return appendHead(dst, major0, uint64(n))
}

func appendBytes(dst, b []byte) []byte { return append(appendHead(dst, major2, uint64(len(b))), b...) }

func appendText(dst []byte, s string) []byte {
	return append(appendHead(dst, major3, uint64(len(s))), s...)
}
