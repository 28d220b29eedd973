package sdjwt_test

import (
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/sdjwt"
)

// What Parse takes it takes again in the other forms, and nothing but the seeds
// verifies.
func FuzzParse(f *testing.F) {
	fixtures := map[string]*fixture{}
	genuine := map[string]bool{}
	seed := func(s vc.Secured) {
		genuine[s.MediaType+string(s.Bytes)] = true
		f.Add(s.MediaType, s.Bytes)
	}
	for _, form := range forms {
		fx := nestedFixture(f, form) // the same in every process
		fx.issuer, fx.holder = signer(f, ed25519Key("issuer")), signer(f, ed25519Key("holder"))
		fx.Signer, fx.Holder, fx.Rand = fx.issuer, fx.holder.Public(), rand.NewChaCha8([32]byte{})
		fx.credential = credential(fx.issuer, fx.holder, nested)
		fixtures[form] = fx
		s := fx.secure(f)
		seed(fx.present(f, s))
		seed(fx.present(f, s, ""))
		seed(fx.present(f, s, "/credentialSubject/recursive/e"))
		flat, err := sdjwt.JSON(fx.present(f, s, "/credentialSubject/list/2"))
		require.NoError(f, err)
		seed(flat)
		f.Add(form, s.Bytes)
		f.Add(form, general(f, s, 2))
		f.Add(sdjwt.MediaTypePresentation, s.Bytes)
		f.Add(form, forge(f, fx.issuer, headerOf(fx.issuer, form), payloadOf(form, `,"_sd":["`+digestOf(`["a","b",[{"...":"x"}]]`)+`"],"status":{"a":1}`), textOf(`["a","b",[{"...":"x"}]]`)))
	}
	f.Fuzz(func(t *testing.T, mediaType string, b []byte) {
		s := vc.Secured{MediaType: mediaType, Bytes: b}
		tok, err := sdjwt.Parse(s)
		if err != nil {
			require.Nil(t, tok)
			return
		}
		text, err := strictjson.Append(nil, tok.Document())
		require.NoError(t, err)
		_, err = strictjson.ParseObject(text)
		require.NoError(t, err, "what is processed is as strict as what comes in one document")
		_, _ = tok.Confirmation()
		if flat, err := sdjwt.JSON(s); !errors.Is(err, strictjson.ErrTooLarge) {
			require.NoError(t, err)
			again, err := sdjwt.Parse(flat)
			require.NoError(t, err)
			require.True(t, strictjson.Equal(tok.Document(), again.Document()))
		}
		fx := fixtures[mediaType]
		if fx == nil || b[0] == '{' { // in the JSON forms there is much that no signature covers
			return
		}
		if fx.verify(s) == nil {
			require.True(t, genuine[mediaType+string(b)], "verifies and is no seed")
		}
		if pointers, err := sdjwt.Disclosures(s); err == nil {
			for _, p := range pointers {
				_, ok := p.Lookup(tok.Document())
				require.True(t, ok, "a disclosure stands where it is said to")
			}
			doc, err := sdjwt.Preview(s, []vc.Pointer{""})
			require.NoError(t, err)
			require.True(t, strictjson.Equal(doc, tok.Document()))
		}
	})
}

func FuzzTypeMetadata(f *testing.F) {
	f.Add([]byte(`{"vct":"urn:a","extends":"urn:b","extends#integrity":"sha256-AAAA","claims":[{"path":["name",null,2],"sd":"always","mandatory":true,"svg_id":"a","display":[{"locale":"en","label":"x"}]}]}`))
	f.Add([]byte(`{"vct":"urn:a","claims":[{"path":["sites",1]}]}`))
	f.Add([]byte(`{"vct":"urn:a"}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := sdjwt.ReadTypeMetadata(map[string][]byte{"urn:a": b, "urn:b": []byte(`{"vct":"urn:b"}`)}, "urn:a", "")
		if err != nil {
			require.ErrorIs(t, err, sdjwt.ErrTypeMetadata)
			require.Nil(t, m)
			return
		}
		require.Equal(t, "urn:a", m.Type)
	})
}
