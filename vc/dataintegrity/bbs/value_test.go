package bbs

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/internal/detcbor"
	"github.com/staffpassport/staffpassport/internal/multiformat"
	"github.com/staffpassport/staffpassport/vc/dataintegrity"
)

func goodBase() *baseProof {
	return &baseProof{Signature: make([]byte, 80), Header: make([]byte, 64), PublicKey: make([]byte, 96), HMACKey: make([]byte, 32),
		Mandatory: []string{"/issuer"}}
}

func goodDerived() *derivedProof {
	return &derivedProof{Proof: make([]byte, 272), Labels: map[uint64]uint64{0: 2, 1: 0}, Mandatory: []uint64{0, 3}, Selective: []uint64{1, 2},
		PresentationHeader: []byte{1}}
}

func TestParseBase(t *testing.T) {
	t.Parallel()
	text, err := detcbor.Encode(baseHeader(), goodBase())
	require.NoError(t, err)
	got, err := parseBase(text)
	require.NoError(t, err)
	require.Equal(t, goodBase(), got)
	_, err = parseDerived(text)
	require.ErrorIs(t, err, dataintegrity.ErrBaseProof)
	for name, change := range map[string]func(*baseProof){
		"short signature":    func(p *baseProof) { p.Signature = p.Signature[1:] },
		"long signature":     func(p *baseProof) { p.Signature = make([]byte, 112) },
		"short header":       func(p *baseProof) { p.Header = p.Header[1:] },
		"no header":          func(p *baseProof) { p.Header = nil },
		"short public key":   func(p *baseProof) { p.PublicKey = p.PublicKey[:48] },
		"key with a codec":   func(p *baseProof) { p.PublicKey = make([]byte, 98) },
		"short HMAC key":     func(p *baseProof) { p.HMACKey = p.HMACKey[:16] },
		"long HMAC key":      func(p *baseProof) { p.HMACKey = make([]byte, 64) },
		"too many mandatory": func(p *baseProof) { p.Mandatory = slices.Repeat([]string{"/issuer"}, 513) },
	} {
		p := goodBase()
		change(p)
		text, err := detcbor.Encode(baseHeader(), p)
		require.NoError(t, err)
		_, err = parseBase(text)
		require.ErrorIs(t, err, dataintegrity.ErrProofMalformed, name)
	}
	for _, kind := range []byte{0x00, 0x01, 0x03, 0x04, 0x05, 0x06, 0x08, 0xff} {
		text, err := detcbor.Encode(detcbor.Header{0xd9, 0x5d, kind}, goodBase())
		require.NoError(t, err)
		_, err = parseBase(text)
		require.ErrorIs(t, err, dataintegrity.ErrProofMalformed, kind)
	}
}

func TestParseDerived(t *testing.T) {
	t.Parallel()
	text, err := detcbor.Encode(derivedHeader(), goodDerived())
	require.NoError(t, err)
	got, err := parseDerived(text)
	require.NoError(t, err)
	require.Equal(t, goodDerived(), got)
	require.Equal(t, []string{"b2", "b0"}, got.labels())
	compressed, err := compressLabels(got.labels())
	require.NoError(t, err)
	require.Equal(t, got.Labels, compressed)
	_, err = compressLabels([]string{"uABC"})
	require.Error(t, err)
	_, err = parseBase(text)
	require.ErrorIs(t, err, dataintegrity.ErrProofMalformed)

	raw, err := multiformat.Decode(text, len(text))
	require.NoError(t, err)
	for name, value := range map[string]string{
		"nothing":          "",
		"prefix":           "u",
		"header only":      multiformat.EncodeBase64URL(raw[:3]),
		"cut short":        multiformat.EncodeBase64URL(raw[:len(raw)-1]),
		"trailing byte":    multiformat.EncodeBase64URL(append(slices.Clone(raw), 0)),
		"base58":           multiformat.Encode(raw),
		"padded":           text + "=",
		"space":            " " + text,
		"ecdsa-sd-2023":    multiformat.EncodeBase64URL(append([]byte{0xd9, 0x5d, 0x01}, raw[3:]...)),
		"holder binding":   multiformat.EncodeBase64URL(append([]byte{0xd9, 0x5d, 0x05}, raw[3:]...)),
		"pseudonym":        multiformat.EncodeBase64URL(append([]byte{0xd9, 0x5d, 0x07}, raw[3:]...)),
		"both":             multiformat.EncodeBase64URL(append([]byte{0xd9, 0x5d, 0x09}, raw[3:]...)),
		"four elements":    multiformat.EncodeBase64URL(append([]byte{0xd9, 0x5d, 0x03, 0x84}, raw[4:len(raw)-2]...)),
		"indefinite array": multiformat.EncodeBase64URL(append(append([]byte{0xd9, 0x5d, 0x03, 0x9f}, raw[4:]...), 0xff)),
		"huge":             "u2V0D" + strings.Repeat("A", 1<<20),
	} {
		_, err := parseDerived(value)
		require.ErrorIs(t, err, dataintegrity.ErrProofMalformed, name)
	}
}
