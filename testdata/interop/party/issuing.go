package party

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/issue"
	"github.com/staffpassport/staffpassport/didcomm/walletstore"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/dataintegrity"
	"github.com/staffpassport/staffpassport/vc/dataintegrity/legacy"
	"github.com/staffpassport/staffpassport/vc/jose"
	"github.com/staffpassport/staffpassport/vc/verify"
	"github.com/staffpassport/staffpassport/wallet"
)

// Offer offers a credential in one form, about holder or, if that is zero, about whoever
// asks for it. It returns the exchange.
func (p *Party) Offer(t testing.TB, connection string, holder did.DID, form string) (exchange string) {
	t.Helper()
	x, err := p.Issuer.Offer(t.Context(), connection, p.offered(t, holder, form))
	require.NoError(t, err)
	return x
}

func (p *Party) offered(t testing.TB, holder did.DID, form string) issue.Offer {
	t.Helper()
	return issue.Offer{Credential: p.Credential(t, holder), Formats: []string{issue.FormatLinkedData}, Forms: []string{form}, Comment: "River warden"}
}

// OfferProposed waits until a peer proposes a credential on a connection, and offers it
// one about holder. It returns the exchange.
func (p *Party) OfferProposed(t testing.TB, connection string, holder did.DID) (exchange string) {
	t.Helper()
	p.until(t, "somebody proposes a credential", func(ctx context.Context) (bool, error) {
		all, err := p.Issuer.Exchanges(ctx)
		for _, x := range all {
			if x.Connection == connection && x.State == issue.ProposalReceived {
				exchange = x.ID
			}
		}
		return exchange != "", err
	})
	require.NoError(t, p.Issuer.Answer(t.Context(), exchange, p.offered(t, holder, FormEmbedded)))
	return exchange
}

// Propose proposes that an issuer issue the credential of these conversations to this
// party, and returns the thread.
func (p *Party) Propose(t testing.TB, connection, issuer string) (thread string) {
	t.Helper()
	c := p.Credential(t, p.DID())
	c.Issuer = vc.Party{ID: issuer}
	exchange, err := p.Holder.Propose(t.Context(), connection, issue.Proposal{Credential: c})
	require.NoError(t, err)
	x, err := p.Holder.Exchange(t.Context(), exchange)
	require.NoError(t, err)
	return x.Thread
}

// IssueThread returns the thread of an exchange that this party issues in.
func (p *Party) IssueThread(t testing.TB, exchange string) string {
	t.Helper()
	x, err := p.Issuer.Exchange(t.Context(), exchange)
	require.NoError(t, err)
	return x.Thread
}

// Issued waits until the holder has acknowledged the credential of an exchange.
func (p *Party) Issued(t testing.TB, exchange string) {
	t.Helper()
	p.until(t, "the holder acknowledges the credential", func(ctx context.Context) (bool, error) {
		x, err := p.Issuer.Exchange(ctx, exchange)
		if err != nil {
			return false, err
		}
		return ended(x.State, issue.Done, issue.Abandoned, x.Code, x.Reason)
	})
}

// Accept waits until a peer offers a credential on a connection, and accepts it. It
// returns the exchange.
func (p *Party) Accept(t testing.TB, connection string) (exchange string) {
	t.Helper()
	p.until(t, "somebody offers a credential", func(ctx context.Context) (bool, error) {
		all, err := p.Holder.Exchanges(ctx)
		for _, x := range all {
			switch {
			case x.Connection != connection:
			case x.State == issue.OfferReceived:
				exchange = x.ID
			case x.State == issue.Abandoned:
				return ended(x.State, issue.Done, issue.Abandoned, x.Code, x.Reason)
			}
		}
		return exchange != "", err
	})
	require.NoError(t, p.Holder.Accept(t.Context(), exchange, p.Signer))
	return exchange
}

// Taken waits until what was accepted is in the wallet, which means that it was verified,
// and returns it.
func (p *Party) Taken(t testing.TB, exchange string) (credential vc.Secured) {
	t.Helper()
	p.until(t, "the issuer issues what was accepted", func(ctx context.Context) (bool, error) {
		x, err := p.Holder.Exchange(ctx, exchange)
		if err != nil {
			return false, err
		}
		return ended(x.State, issue.Done, issue.Abandoned, x.Code, fmt.Sprint(x.Reason, x.Checks))
	})
	kept, err := p.Wallet.Credential(t.Context(), exchange)
	require.NoError(t, err)
	return kept.Secured
}

// NotIssued waits until the holder has refused the credential of an exchange.
func (p *Party) NotIssued(t testing.TB, exchange string) {
	t.Helper()
	p.until(t, "the holder refuses the credential", func(ctx context.Context) (bool, error) {
		x, err := p.Issuer.Exchange(ctx, exchange)
		if err != nil {
			return false, err
		}
		return ended(x.State, issue.Abandoned, issue.Done, "", "the holder took it")
	})
}

// Unacknowledged checks that the holder has said nothing about the credential of an
// exchange.
func (p *Party) Unacknowledged(t testing.TB, exchange string) {
	t.Helper()
	x, err := p.Issuer.Exchange(t.Context(), exchange)
	require.NoError(t, err)
	require.Equal(t, issue.CredentialIssued, x.State)
}

// NotTaken waits until the party has refused what was issued in an exchange, and returns
// the checks that it made.
func (p *Party) NotTaken(t testing.TB, exchange string) (checks []verify.Result) {
	t.Helper()
	p.until(t, "what was issued is refused", func(ctx context.Context) (bool, error) {
		x, err := p.Holder.Exchange(ctx, exchange)
		if err != nil {
			return false, err
		}
		checks = x.Checks
		return ended(x.State, issue.Abandoned, issue.Done, "", "it was taken")
	})
	return checks
}

// issue signs a credential in each form that the exchange asks for.
func (p *Party) issue(ctx context.Context, x *issue.Exchange, c *vc.Credential) (issued []vc.Secured, err error) {
	for _, form := range x.Forms {
		s, err := p.securer(form).Secure(ctx, c)
		if err != nil {
			return nil, err
		}
		if p.Forge != nil {
			s.Bytes = p.Forge(s.Bytes)
		}
		issued = append(issued, s)
	}
	return issued, nil
}

// The forms of credentials that aries reads. Credo reads the first.
const (
	FormEmbedded = vc.MediaTypeCredential // with an Ed25519Signature2018
	FormToken    = jose.MediaTypeLegacy   // a JSON Web Token of data model 1.1
)

// securer signs credentials in one form.
func (p *Party) securer(form string) vc.Securer {
	if form == FormToken {
		return &jose.LegacyIssuer{Signer: p.Signer, Contexts: Contexts()}
	}
	return &dataintegrity.Issuer{Suite: legacy.Ed25519Signature2018(), Signer: p.Signer, Contexts: Contexts()}
}

// keep puts an issued credential into the wallet.
func keep(_ context.Context, tx didcomm.Tx, x *issue.Exchange, r issue.Received) error {
	w, ok := walletstore.Tx(tx)
	if !ok {
		return errors.New("party: no wallet behind the transaction")
	}
	_, err := w.AddCredential(wallet.Credential{ID: x.ID, Secured: r.Forms[0].Secured, Types: []string{CredentialType}})
	return err
}

// ForgeSignature is for [Party].Forge: it changes one letter of the signature.
func ForgeSignature(credential []byte) []byte {
	forged := slices.Clone(credential)
	at := len(forged) - 12 // before the quotation mark and brackets of a document, or in the token
	if forged[at] == 'A' {
		forged[at] = 'B'
	} else {
		forged[at] = 'A'
	}
	return forged
}
