package credo

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/testdata/interop/party"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/verify"
)

// TestCredo is everything, with one process of the peer, whose agents are many. Where a
// conversation came to its end both sides verified what the other signed: neither takes
// a credential or presentation otherwise, which the refusals show.
func TestCredo(t *testing.T) {
	t.Parallel()
	credo := startPeer(t)
	t.Run("with", func(t *testing.T) { // ends before the peer does
		for _, numalgo := range []int{4, 2, 1} {
			for _, first := range []string{"offered", "proposed"} {
				t.Run(fmt.Sprintf("our issuer, did:peer:%d, %s", numalgo, first), func(t *testing.T) {
					t.Parallel()
					ourIssuer(t, credo, numalgo, first)
				})
			}
			t.Run(fmt.Sprintf("our holder, did:peer:%d", numalgo), func(t *testing.T) {
				t.Parallel()
				ourHolder(t, credo, numalgo)
			})
		}
		for name, test := range map[string]func(*testing.T, *peer){
			"forged, refused by theirs": refusedByTheirs, "untrusted, refused by ours": refusedByOurs,
			"our mediator": ourMediator, "connections 1.0": connections, "ping": pings, "features": features, "texts": texts, "rotation": rotation,
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				test(t, credo)
			})
		}
	})
}

// connect has the peer's agent answer an invitation of ours.
func connect(t *testing.T, credo *peer, ours *party.Party, numalgo int) (theirs *agent, connection string) {
	t.Helper()
	theirs = credo.open(t, "credo, "+t.Name(), numalgo)
	link, connected := ours.Invite(t)
	var made struct{ State, DID, Protocol string }
	theirs.do("answer", map[string]any{"link": link}, &made)
	connection = connected()
	require.Equal(t, "completed", made.State)
	require.True(t, strings.HasPrefix(made.DID, fmt.Sprintf("did:peer:%d", numalgo)), made.DID)
	return theirs, connection
}

// ourIssuer: ours invites, issues and verifies, theirs holds.
func ourIssuer(t *testing.T, credo *peer, numalgo int, first string) {
	ours := party.New(t, "our issuer and verifier")
	ours.Trust(t, ours.DID().String())
	theirs, c := connect(t, credo, ours, numalgo)
	holder, err := did.Parse(theirs.did)
	require.NoError(t, err)
	var exchange string
	if first == "offered" {
		exchange = ours.Offer(t, c, holder, party.FormEmbedded)
	} else {
		theirs.do("propose", map[string]any{"credential": ours.Credential(t, holder), "options": options}, &struct{}{})
		exchange = ours.OfferProposed(t, c, holder)
	}
	theirs.do("accept", nil, &struct{}{})
	ours.Issued(t, exchange)
	var taken struct {
		Credential struct {
			Subject map[string]any `json:"credentialSubject"`
		}
	}
	theirs.do("taken", nil, &taken)
	claims := party.Claims()
	claims["id"] = theirs.did
	require.Equal(t, claims, taken.Credential.Subject)

	var request string
	if first == "offered" {
		request = ours.Ask(t, c, party.FormEmbedded)
	} else {
		theirs.do("propose_proof", map[string]any{"definition": definition()}, &struct{}{})
		request = ours.AskProposed(t, c)
	}
	require.Equal(t, theirs.did, ours.Verified(t, request).String())
	theirs.do("presented", nil, &struct{}{})
}

// options are what RFC 0593 says of the proof.
var options = map[string]string{"proofType": "Ed25519Signature2018", "proofPurpose": "assertionMethod"}

// ourHolder: theirs invites, issues and verifies, ours holds.
func ourHolder(t *testing.T, credo *peer, numalgo int) {
	ours, theirs := party.New(t, "our holder"), credo.open(t, "credo, "+t.Name(), numalgo)
	ours.Trust(t, theirs.did)
	var invitation struct{ Link string }
	theirs.do("invite", map[string]any{"handshake": "https://didcomm.org/didexchange/1.x"}, &invitation)
	c := ours.Answer(t, invitation.Link)
	var made struct{ State, DID, Protocol string }
	theirs.do("connected", nil, &made)
	require.Equal(t, "completed", made.State)

	theirs.do("offer", map[string]any{"credential": theirCredential(t, ours, theirs), "options": options}, &struct{}{})
	credential := ours.Taken(t, ours.Accept(t, c))
	theirs.do("issued", nil, &struct{}{})

	theirs.do("ask", map[string]any{"definition": definition()}, &struct{}{})
	ours.Show(t, c, credential)
	var shown struct{ Verified bool }
	theirs.do("verified", nil, &shown)
	require.True(t, shown.Verified)
}

// definition is what theirs asks for.
func definition() map[string]any {
	return map[string]any{"id": "weir", "name": "Weir", "input_descriptors": []any{map[string]any{
		"id": "warden", "schema": []any{map[string]any{"uri": "https://www.w3.org/2018/credentials/v1"}},
		"constraints": map[string]any{"fields": []any{map[string]any{"path": []any{"$.credentialSubject.wardenNumber"}}}},
	}}}
}

// theirCredential is what theirs offers: about ours, since the wallet that accepts cannot
// add that here.
func theirCredential(t *testing.T, ours *party.Party, theirs *agent) *vc.Credential {
	c := ours.Credential(t, ours.DID())
	c.Issuer = vc.Party{ID: theirs.did}
	return c
}

// refusedByTheirs: the wallet says nothing to the issuer about a credential that does not
// verify, and does not take it.
func refusedByTheirs(t *testing.T, credo *peer) {
	ours := party.New(t, "our issuer")
	ours.Forge = party.ForgeSignature
	theirs, c := connect(t, credo, ours, 4)
	holder, err := did.Parse(theirs.did)
	require.NoError(t, err)
	x := ours.Offer(t, c, holder, party.FormEmbedded)
	theirs.do("accept", nil, &struct{}{})
	var refused struct{ Held int }
	theirs.do("refused", nil, &refused)
	require.Zero(t, refused.Held)
	ours.Unacknowledged(t, x)
}

func refusedByOurs(t *testing.T, credo *peer) {
	ours, theirs := party.New(t, "our holder"), credo.open(t, "credo, "+t.Name(), 4)
	var invitation struct{ Link string }
	theirs.do("invite", map[string]any{"handshake": "https://didcomm.org/didexchange/1.x"}, &invitation)
	c := ours.Answer(t, invitation.Link)
	theirs.do("connected", nil, &struct{}{})
	theirs.do("offer", map[string]any{"credential": theirCredential(t, ours, theirs), "options": options}, &struct{}{})
	checks := ours.NotTaken(t, ours.Accept(t, c))
	require.True(t, slices.ContainsFunc(checks, func(r verify.Result) bool { return r.Code == verify.ErrUntrusted }), "%v", checks)
	theirs.do("abandoned", map[string]any{"kind": "credential"}, &struct{}{})
}

// ourMediator: theirs has no address, and gets everything through a mediator of ours.
func ourMediator(t *testing.T, credo *peer) {
	for pickup, scheme := range map[string]string{"live": "ws", "poll": "http"} {
		t.Run(pickup, func(t *testing.T) {
			t.Parallel()
			_, mediator := party.NewMediator(t, "our mediator", scheme)
			ours := party.New(t, "our issuer")
			theirs := credo.openBehind(t, "credo, "+t.Name(), 4, map[string]string{"link": mediator, "pickup": pickup})
			link, connected := ours.Invite(t)
			theirs.do("answer", map[string]any{"link": link}, &struct{}{})
			c := connected()
			holder, err := did.Parse(theirs.did)
			require.NoError(t, err)
			x := ours.Offer(t, c, holder, party.FormEmbedded)
			theirs.do("accept", nil, &struct{}{})
			ours.Issued(t, x)
			theirs.do("taken", nil, &struct{}{})
		})
	}
}

// connections: theirs invites to the protocol that came before did-exchange, in both forms
// of an invitation.
func connections(t *testing.T, credo *peer) {
	for name, invite := range map[string]map[string]any{
		"out-of-band": {"handshake": "https://didcomm.org/connections/1.x"}, "c_i": {"old": true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ours, theirs := party.New(t, "ours"), credo.open(t, "credo, "+t.Name(), 4)
			var invitation struct{ Link string }
			theirs.do("invite", invite, &invitation)
			c := ours.Answer(t, invitation.Link)
			var made struct{ State, Protocol string }
			ours.Pinged(t, c) // which completes it
			theirs.do("connected", nil, &made)
			require.Equal(t, "completed", made.State)
			require.Equal(t, "https://didcomm.org/connections/1.x", made.Protocol)
			theirs.do("ping", nil, &struct{}{})
		})
	}
}

func pings(t *testing.T, credo *peer) {
	ours := party.New(t, "ours")
	theirs, c := connect(t, credo, ours, 4)
	theirs.do("ping", nil, &struct{}{})
	ours.Pinged(t, c)
}

func features(t *testing.T, credo *peer) {
	ours := party.New(t, "ours")
	theirs, c := connect(t, credo, ours, 4)
	for _, version := range []string{"v1", "v2"} {
		var found struct{ IDs []string }
		theirs.do("features", map[string]any{"version": version, "match": "https://didcomm.org/issue-credential/*"}, &found)
		require.Contains(t, found.IDs, "https://didcomm.org/issue-credential/2.0", version)
	}
	require.Contains(t, ours.Discovered(t, c, "https://didcomm.org/present-proof/*"), "https://didcomm.org/present-proof/2.0")
}

func texts(t *testing.T, credo *peer) {
	ours := party.New(t, "ours")
	theirs, c := connect(t, credo, ours, 4)
	theirs.do("say", map[string]any{"text": "The weir is open."}, &struct{}{})
	require.Equal(t, "The weir is open.", ours.Heard(t, c))
	ours.Say(t, c, "Thank you: \u201cseen\u201d.")
	var heard struct{ Text string }
	theirs.do("hear", nil, &heard)
	require.Equal(t, "Thank you: \u201cseen\u201d.", heard.Text)
}

// rotation: each side goes by another DID, and the conversation goes on.
func rotation(t *testing.T, credo *peer) {
	ours := party.New(t, "ours")
	theirs, c := connect(t, credo, ours, 4)
	var rotated struct{ DID string }
	theirs.do("rotate", nil, &rotated)
	theirs.do("ping", nil, &struct{}{})
	ours.Pinged(t, c)
	require.Equal(t, rotated.DID, ours.Their(t, c).String())

	ours.Rotate(t, c)
	theirs.do("rotated", nil, &struct{}{})
	ours.Pinged(t, c)
	theirs.do("ping", nil, &struct{}{})
}
