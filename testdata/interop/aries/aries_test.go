package aries

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/testdata/interop/party"
	"github.com/staffpassport/staffpassport/vc/verify"
)

// TestPair shows that two agents of the framework understand each other as they are set
// up here, so that what fails between one of them and ours is between them and ours.
func TestPair(t *testing.T) {
	t.Parallel()
	issuer, holder := newPeer(t, "aries issuer"), newPeer(t, "aries holder")
	link, connected := issuer.invite()
	holder.answer(link)
	c := connected()
	thread := issuer.offer(c)
	issuer.done("issue", thread)
	holder.done("issue", thread)
	thread = issuer.ask(c)
	issuer.done("present", thread)
	holder.done("present", thread)
}

// forms are the two that the framework issues and reads.
var forms = map[string]string{"JSON-LD": party.FormEmbedded, "JWT": party.FormToken}

// TestOurIssuer: ours invites, issues and verifies; theirs holds.
func TestOurIssuer(t *testing.T) {
	t.Parallel()
	for name, form := range forms {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ours, theirs := party.New(t, "our issuer"), newPeer(t, "aries holder")
			ours.Trust(t, ours.DID().String())
			link, connected := ours.Invite(t)
			theirs.answer(link)
			c := connected()

			issued := ours.Offer(t, c, did.DID{}, form)
			ours.Issued(t, issued)
			theirs.done("issue", ours.IssueThread(t, issued))
			require.Equal(t, party.Claims(), theirs.claims())

			asked := ours.Ask(t, c, form)
			require.Equal(t, theirs.did, ours.Verified(t, asked).String())
			theirs.done("present", ours.PresentThread(t, asked))
		})
	}
}

// TestOurHolder: theirs invites, issues and verifies; ours holds.
func TestOurHolder(t *testing.T) {
	t.Parallel()
	for name, form := range forms {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ours, theirs := party.New(t, "our holder"), newPeer(t, "aries issuer")
			ours.Trust(t, theirs.did)
			theirs.jwt = form == party.FormToken
			link, connected := theirs.invite()
			c := ours.Answer(t, link)
			theirConnection := connected()

			thread := theirs.offer(theirConnection)
			credential := ours.Taken(t, ours.Accept(t, c))
			require.Equal(t, form, credential.MediaType)
			theirs.done("issue", thread)

			thread = theirs.ask(theirConnection)
			ours.Show(t, c, credential)
			theirs.done("present", thread)
		})
	}
}

// TestProposed: the holder begins, with the credential and with the presentation, in both
// directions.
func TestProposed(t *testing.T) {
	t.Parallel()
	t.Run("by theirs", func(t *testing.T) {
		t.Parallel()
		ours, theirs := party.New(t, "our issuer"), newPeer(t, "aries holder")
		link, connected := ours.Invite(t)
		theirConnection := theirs.answer(link)
		c := connected()
		holder, err := did.Parse(theirs.did)
		require.NoError(t, err)
		thread := theirs.propose(theirConnection, ours.Credential(t, holder))
		ours.Issued(t, ours.OfferProposed(t, c, holder))
		theirs.done("issue", thread)
		require.Equal(t, party.Claims(), theirs.claims())

		ours.Trust(t, ours.DID().String())
		thread = theirs.proposePresentation(theirConnection)
		require.Equal(t, holder, ours.Verified(t, ours.AskProposed(t, c)))
		theirs.done("present", thread)
	})
	t.Run("by ours", func(t *testing.T) {
		t.Parallel()
		ours, theirs := party.New(t, "our holder"), newPeer(t, "aries issuer")
		ours.Trust(t, theirs.did)
		link, connected := theirs.invite()
		c := ours.Answer(t, link)
		connected()
		thread := ours.Propose(t, c, theirs.did)
		credential := ours.Taken(t, ours.Accept(t, c))
		theirs.done("issue", thread)

		thread = ours.ProposeShow(t, c)
		ours.Show(t, c, credential)
		theirs.done("present", thread)
	})
}

// TestRefused: neither takes a credential that is not what it must be, so that done means
// verified.
func TestRefused(t *testing.T) {
	t.Parallel()
	t.Run("forged, by theirs", func(t *testing.T) {
		t.Parallel()
		for name, form := range forms {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				ours, theirs := party.New(t, "our issuer"), newPeer(t, "aries holder")
				ours.Forge = party.ForgeSignature
				link, connected := ours.Invite(t)
				theirs.answer(link)
				x := ours.Offer(t, connected(), did.DID{}, form)
				ours.NotIssued(t, x)
				theirs.abandoned("issue", ours.IssueThread(t, x))
			})
		}
	})
	t.Run("of an issuer that nobody trusts, by ours", func(t *testing.T) {
		t.Parallel()
		for name, form := range forms {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				ours, theirs := party.New(t, "our holder"), newPeer(t, "aries issuer")
				theirs.jwt = form == party.FormToken
				link, connected := theirs.invite()
				c := ours.Answer(t, link)
				thread := theirs.offer(connected())
				checks := ours.NotTaken(t, ours.Accept(t, c))
				require.True(t, slices.ContainsFunc(checks, func(r verify.Result) bool { return r.Code == verify.ErrUntrusted }), "%v", checks)
				theirs.abandoned("issue", thread)
			})
		}
	})
	t.Run("presentation of a credential of an issuer that nobody trusts, by ours", func(t *testing.T) {
		t.Parallel()
		ours, theirs := party.New(t, "our issuer"), newPeer(t, "aries holder")
		link, connected := ours.Invite(t)
		theirs.answer(link)
		c := connected()
		ours.Issued(t, ours.Offer(t, c, did.DID{}, party.FormEmbedded))
		x := ours.Ask(t, c, party.FormEmbedded)
		checks := ours.NotVerified(t, x)
		require.True(t, slices.ContainsFunc(checks, func(r verify.Result) bool { return r.Code == verify.ErrUntrusted }), "%v", checks)
		theirs.abandoned("present", ours.PresentThread(t, x))
	})
}
