package didcomm_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/did/didpeer"
	"github.com/staffpassport/staffpassport/didcomm"
)

// TestServiceOf_KeyThatEnds: a connection keeps the key of a service, so that one
// that ends some day, or has ended, is none to start with.
func TestServiceOf_KeyThatEnds(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]string{
		"":        ``,
		"expired": `,"expires":"2001-01-01T00:00:00Z"`,
		"revoked": `,"revoked":"2001-01-01T00:00:00Z"`,
		"one day": `,"expires":"9999-12-31T23:59:59Z"`,
	} {
		id, err := didpeer.New([]byte(`{"@context":["https://www.w3.org/ns/did/v1"],"verificationMethod":[` +
			`{"id":"#key-1","type":"Multikey","publicKeyMultibase":"z6MkojqtZt8C65i8t1AddcannXyKTkFxfykRNdhhewAvUgXc"` + end + `}],` +
			`"authentication":["#key-1"],"service":[{"id":"#a","type":"did-communication","serviceEndpoint":"https://a.example","recipientKeys":["#key-1"]}]}`))
		require.NoError(t, err, name)
		res, err := didpeer.Resolver{}.Resolve(t.Context(), id, did.Version{})
		require.NoError(t, err, name)
		_, err = didcomm.ServiceOf(res.Document)
		if name == "" {
			require.NoError(t, err)
			continue
		}
		require.ErrorIs(t, err, didcomm.ErrMalformed, name)
	}
}
