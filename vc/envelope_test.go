package vc

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/require"
)

// What is parsed can be written: an envelope of application/vc is written back as
// the credential it holds, so it has to hold one.
func TestParsePresentation_EnvelopeHoldsJSON(t *testing.T) {
	t.Parallel()
	doc := func(data string) []byte {
		return []byte(`{"@context":["` + ContextV2 + `"],"type":["VerifiablePresentation"],"verifiableCredential":[{"@context":"` +
			ContextV2 + `","id":"data:application/vc,` + data + `","type":"EnvelopedVerifiableCredential"}]}`)
	}
	_, err := ParsePresentation(doc("x"))
	require.Error(t, err)
	p, err := ParsePresentation(doc("%7B%7D"))
	require.NoError(t, err)
	_, err = json.Marshal(p)
	require.NoError(t, err)
}

// fold is as strings.EqualFold: equal names have equal folds, others not.
func TestFold(t *testing.T) {
	t.Parallel()
	for r := rune(0); r < 0x2FFF; r++ {
		for _, other := range []rune{unicode.ToUpper(r), unicode.ToLower(r), unicode.SimpleFold(r), r + 1} {
			a, b := "a"+string(r), "A"+string(other)
			require.Equal(t, strings.EqualFold(a, b), fold(a) == fold(b), "%q %q", a, b)
		}
	}
}
