package party

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/didcomm/present"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/dataintegrity"
	"github.com/staffpassport/staffpassport/vc/dataintegrity/legacy"
	"github.com/staffpassport/staffpassport/vc/jose"
	"github.com/staffpassport/staffpassport/vc/verify"
)

// Ask asks for the warden's number and river, in a credential of one form and a
// presentation that is proven in the same way, and returns the exchange.
func (p *Party) Ask(t testing.TB, connection, form string) (exchange string) {
	t.Helper()
	x, err := p.Verifier.Request(t.Context(), connection, request(form))
	require.NoError(t, err)
	return x
}

func request(form string) present.Request {
	format, proof := present.FormDataIntegrity, legacy.Ed25519Signature2018().Name()
	if form == FormToken {
		format, proof = present.FormJWT, present.ProofJWT
	}
	return present.Request{Purpose: "To let you onto the weir", Proofs: []string{proof}, Inputs: []present.Input{{
		ID: "warden", Type: CredentialType, Formats: []string{format},
		Fields: []present.Field{{At: "/credentialSubject/wardenNumber"}, {At: "/credentialSubject/river"}},
	}}}
}

// AskProposed waits until a peer proposes a presentation on a connection, and asks for
// one. It returns the exchange.
func (p *Party) AskProposed(t testing.TB, connection string) (exchange string) {
	t.Helper()
	p.until(t, "somebody proposes a presentation", func(ctx context.Context) (bool, error) {
		all, err := p.Verifier.Exchanges(ctx)
		for _, x := range all {
			if x.Connection == connection && x.State == present.ProposalReceived {
				exchange = x.ID
			}
		}
		return exchange != "", err
	})
	require.NoError(t, p.Verifier.Answer(t.Context(), exchange, request(FormEmbedded)))
	return exchange
}

// ProposeShow proposes to show the credential of these conversations, and returns the
// thread.
func (p *Party) ProposeShow(t testing.TB, connection string) (thread string) {
	t.Helper()
	r := request(FormEmbedded)
	exchange, err := p.Prover.Propose(t.Context(), connection, present.Proposal{Inputs: r.Inputs})
	require.NoError(t, err)
	x, err := p.Prover.Exchange(t.Context(), exchange)
	require.NoError(t, err)
	return x.Thread
}

// PresentThread returns the thread of an exchange that this party verifies in.
func (p *Party) PresentThread(t testing.TB, exchange string) string {
	t.Helper()
	x, err := p.Verifier.Exchange(t.Context(), exchange)
	require.NoError(t, err)
	return x.Thread
}

// Verified waits until the presentation of an exchange was found good, and returns who
// made it.
func (p *Party) Verified(t testing.TB, exchange string) (holder did.DID) {
	t.Helper()
	p.until(t, "a presentation is verified", func(ctx context.Context) (bool, error) {
		x, err := p.Verifier.Exchange(ctx, exchange)
		if err != nil {
			return false, err
		}
		holder = x.Holder
		return ended(x.State, present.Done, present.Abandoned, x.Code, fmt.Sprint(x.Reason, x.Checks))
	})
	return holder
}

// NotVerified waits until the presentation of an exchange was refused, and returns the
// checks that it went through.
func (p *Party) NotVerified(t testing.TB, exchange string) (checks []verify.Result) {
	t.Helper()
	p.until(t, "a presentation is refused", func(ctx context.Context) (bool, error) {
		x, err := p.Verifier.Exchange(ctx, exchange)
		if err != nil {
			return false, err
		}
		checks = x.Checks
		return ended(x.State, present.Abandoned, present.Done, "", "it was accepted")
	})
	return checks
}

// Show waits until a peer asks for a presentation on a connection, shows it everything
// in a credential, and returns once the peer has found that good.
func (p *Party) Show(t testing.TB, connection string, credential vc.Secured) {
	t.Helper()
	var asked present.Exchange
	p.until(t, "somebody asks for a presentation", func(ctx context.Context) (bool, error) {
		all, err := p.Prover.Exchanges(ctx)
		for _, x := range all {
			if x.Connection == connection && x.State == present.RequestReceived {
				asked = x
			}
		}
		return asked.ID != "", err
	})
	shown := map[string]present.Shown{}
	for _, in := range asked.Inputs {
		shown[in.ID] = present.Shown{Credential: credential, Reveal: []vc.Pointer{"/credentialSubject"}}
	}
	require.NoError(t, p.Prover.Present(t.Context(), asked.ID, present.Answer{Key: p.Signer, Shown: shown, Presenter: p.presenter(credential.MediaType)}))
	p.until(t, "the verifier acknowledges the presentation", func(ctx context.Context) (bool, error) {
		x, err := p.Prover.Exchange(ctx, asked.ID)
		if err != nil {
			return false, err
		}
		return ended(x.State, present.Done, present.Abandoned, x.Code, x.Reason)
	})
}

// presenter proves presentations in the way of a form of credentials.
func (p *Party) presenter(form string) present.Presenter {
	if form == FormToken {
		return &jose.LegacyPresenter{Signer: p.Signer, Contexts: Contexts()}
	}
	return &dataintegrity.Presenter{Suite: legacy.Ed25519Signature2018(), Signer: p.Signer, Contexts: Contexts()}
}
