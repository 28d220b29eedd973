package errtext_test

import (
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/internal/errtext"
)

func TestBelow(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"strictjson: too deep":     "too deep",
		"vc: /id: must be a URL":   "/id: must be a URL",
		"did: invalid: xsd: no":    "invalid: xsd: no",
		"EOF":                      "EOF",
		"open /x: no such file":    "open /x: no such file",
		": nothing":                ": nothing",
		"x509: unknown authority":  "x509: unknown authority",
		"Upper: not a package":     "Upper: not a package",
		"strictjson:without space": "strictjson:without space",
	} {
		require.EqualError(t, errtext.Below(errors.New(in)), want)
	}
	require.ErrorIs(t, errtext.Below(fmt.Errorf("vc: %w", io.EOF)), io.EOF)
	require.NoError(t, errtext.Below(nil))
}
