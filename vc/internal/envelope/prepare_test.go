package envelope

import (
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/did/didkey"
	"github.com/staffpassport/staffpassport/vc"
)

// TestRefusalsOf: a signer speaks for somebody else only where that is said, and all
// other refusals stay.
func TestRefusalsOf(t *testing.T) {
	t.Parallel()
	mismatch, config, unknown := errors.New("mismatch"), errors.New("config"), errors.New("context")
	strict := Refusals{Config: config, ControllerMismatch: mismatch, ContextNotAllowed: unknown}
	loose := strict.Of(true)
	require.False(t, strict.NotController, "Of changes a copy")
	key := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	id, err := didkey.New(key.Public())
	require.NoError(t, err)
	signer, err := did.NewSigner(didkey.SigningMethod(id), key)
	require.NoError(t, err)

	for _, issuer := range []string{"https://fernhill.example/issuer", "did:web:fernhill.example"} {
		c := &vc.Credential{
			Context: vc.Contexts(), Type: []string{vc.TypeCredential}, Issuer: vc.Party{ID: issuer},
			Subject: json.RawMessage(`{"name":"Fern"}`),
		}
		_, err := strict.Credential(signer, c, nil)
		require.ErrorIs(t, err, mismatch)
		_, err = strict.Of(false).Credential(signer, c, nil)
		require.ErrorIs(t, err, mismatch)
		_, err = loose.Credential(signer, c, nil)
		require.NoError(t, err)
		_, err = loose.Credential(nil, c, nil)
		require.ErrorIs(t, err, config)
		c.Context = vc.Contexts("https://fernhill.example/words/v1")
		_, err = loose.Credential(signer, c, nil)
		require.ErrorIs(t, err, unknown)

		p := &vc.Presentation{Context: vc.Contexts(), Type: []string{vc.TypePresentation}, Holder: vc.Party{ID: issuer}}
		_, err = strict.Presentation(signer, p, nil, "a", "n")
		require.ErrorIs(t, err, mismatch)
		_, err = loose.Presentation(signer, p, nil, "a", "n")
		require.NoError(t, err)
		_, err = loose.Presentation(signer, p, nil, "a", "")
		require.ErrorIs(t, err, config)
		require.Equal(t, issuer, Holder(signer, p), "the envelope says what the document says")
		p.Holder.ID = ""
		require.Equal(t, id.String(), Holder(signer, p))
	}
}
