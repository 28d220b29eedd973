package walletstore_test

import (
	"bytes"
	"context"
	"crypto/ecdh"
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/did/didkey"
	"github.com/staffpassport/staffpassport/did/didpeer"
	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/connect"
	"github.com/staffpassport/staffpassport/didcomm/envelope"
	"github.com/staffpassport/staffpassport/didcomm/runtime"
	"github.com/staffpassport/staffpassport/didcomm/walletstore"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/jose"
	"github.com/staffpassport/staffpassport/wallet"
)

// A somebody is a wallet with a did:key.
type somebody struct {
	wallet *wallet.Wallet
	id     did.DID
	signer did.Signer
}

func newSomebody(t *testing.T) somebody {
	t.Helper()
	w := contractWallet(t)
	key := verkey(t, w)
	id, err := didkey.New(key)
	require.NoError(t, err)
	s, err := w.Signer(t.Context(), didkey.SigningMethod(id), key)
	require.NoError(t, err)
	return somebody{w, id, s}
}

// knowing returns an agent over the wallet of us, with a connection "peer" with theirs.
func knowing(t *testing.T, us somebody, theirs did.DID) *runtime.Agent {
	t.Helper()
	peers := &connect.Peers{}
	r := did.Mux{"key": didkey.Resolver{}, "peer": peers, "web": webOf{}}
	a, err := runtime.New(runtime.Config{Store: walletstore.New(us.wallet), Packer: walletstore.Packer(us.wallet, r), Sender: idle{}})
	require.NoError(t, err)
	peers.Store = a
	c := didcomm.Connection{ID: "peer", Version: didcomm.V2, Mine: us.id, Theirs: theirs, Endpoint: "https://peer.example", Established: true, Created: time.Now()}
	require.NoError(t, a.Update(t.Context(), func(tx didcomm.Tx) error { return tx.SaveConnection(c) }))
	return a
}

// empty packs a message without content; r resolves the two DIDs.
func empty(t *testing.T, w *wallet.Wallet, r did.Resolver, from, to did.DID, fromPrior string) []byte {
	t.Helper()
	m, err := didcomm.NewV2(didcomm.NewID(), didcomm.Type{Protocol: "empty", Major: 1, Name: "empty"}, "", "", map[string]any{})
	require.NoError(t, err)
	m.From, m.To, m.FromPrior = from, []did.DID{to}, fromPrior
	text, err := m.Plaintext()
	require.NoError(t, err)
	data, err := walletstore.Packer(w, r).Pack(t.Context(), text, runtime.Route{Version: didcomm.V2, Mine: from, Theirs: to, Direct: true})
	require.NoError(t, err)
	return data
}

func theirs(t *testing.T, a *runtime.Agent) (id did.DID, err error) {
	err = a.View(t.Context(), func(tx didcomm.Tx) error {
		c, err := tx.Connection("peer")
		id = c.Theirs
		return err
	})
	return id, err
}

// Whoever holds a credential or saw a presentation has a JWT that its issuer or holder
// signed with the key of its DID. It moves and ends no connection.
func TestAbuse_DC01_CredentialMovesNoConnection(t *testing.T) {
	t.Parallel()
	contexts := []vc.Context{{URL: vc.ContextV1}, {Inline: json.RawMessage(`{"@vocab":"https://passport.example/v1#"}`)}}
	set, err := vc.NewContextSet(nil, contexts)
	require.NoError(t, err)
	issuer, mallory, us := newSomebody(t), newSomebody(t), newSomebody(t)
	credential, err := (&jose.LegacyIssuer{Signer: issuer.signer, Contexts: set}).Secure(t.Context(), &vc.Credential{
		Context: contexts, ID: "urn:uuid:1b4e28ba-2fa1-11d2-883f-0016d3cca427", Type: []string{vc.TypeCredential, "PlantCredential"},
		Issuer: vc.Party{ID: issuer.id.String()}, ValidFrom: time.Now().Add(-time.Hour), Subject: json.RawMessage(`{"id":"` + mallory.id.String() + `"}`)})
	require.NoError(t, err)
	presentation, err := (&jose.LegacyPresenter{Signer: issuer.signer, Contexts: set}).Present(t.Context(),
		&vc.Presentation{Context: contexts, Type: []string{vc.TypePresentation}, Holder: vc.Party{ID: issuer.id.String()}}, "did:example:verifier", "nonce")
	require.NoError(t, err)
	for name, data := range map[string][]byte{
		"credential":   empty(t, mallory.wallet, resolver(), mallory.id, us.id, string(credential.Bytes)),
		"presentation": empty(t, mallory.wallet, resolver(), did.DID{}, us.id, string(presentation.Bytes)),
	} {
		a := knowing(t, us, issuer.id)
		require.ErrorIs(t, a.Receive(t.Context(), data), didcomm.ErrPermanent, name)
		id, err := theirs(t, a)
		require.NoError(t, err, name)
		require.Equal(t, issuer.id, id, name)
	}
}

// A leave from before the connection ends nothing, whoever kept it.
func TestAbuse_DC05_LeaveReplayed(t *testing.T) {
	t.Parallel()
	peer, mallory, us := newSomebody(t), newSomebody(t), newSomebody(t)
	a := knowing(t, us, peer.id)
	token, err := envelope.SignPrior(t.Context(), peer.signer, did.DID{}, time.Now().AddDate(-1, 0, 0))
	require.NoError(t, err)
	require.ErrorIs(t, a.Receive(t.Context(), empty(t, mallory.wallet, resolver(), did.DID{}, us.id, token)), runtime.ErrSender)
	_, err = theirs(t, a)
	require.NoError(t, err)
	token, err = envelope.SignPrior(t.Context(), peer.signer, did.DID{}, time.Now())
	require.NoError(t, err)
	require.NoError(t, a.Receive(t.Context(), empty(t, peer.wallet, resolver(), did.DID{}, us.id, token)))
	_, err = theirs(t, a)
	require.ErrorIs(t, err, didcomm.ErrNotFound)
}

// peer4 is a did:peer:4 of a new key in w.
func peer4(t *testing.T, w *wallet.Wallet) did.DID {
	t.Helper()
	pub, err := w.NewKey(t.Context(), wallet.X25519)
	require.NoError(t, err)
	multikey, err := did.Multikey(pub)
	require.NoError(t, err)
	long, err := didpeer.New([]byte(`{"keyAgreement":[{"id":"#k","type":"Multikey","publicKeyMultibase":"` + multikey + `"}]}`))
	require.NoError(t, err)
	return long
}

// A peer that has rotated to a did:peer:4 writes under its short form from then on.
func TestRotation_ToPeer4(t *testing.T) {
	t.Parallel()
	old, us := newSomebody(t), newSomebody(t)
	a := knowing(t, us, old.id)
	long := peer4(t, old.wallet)
	short := didpeer.Short(long)
	r := did.Mux{"key": didkey.Resolver{}, "peer": didpeer.Resolver{Long: func(did.DID) (did.DID, bool) { return long, true }}}
	token, err := envelope.SignPrior(t.Context(), old.signer, long, time.Now())
	require.NoError(t, err)
	require.Error(t, a.Receive(t.Context(), empty(t, old.wallet, r, short, us.id, token)), "a DID that nobody has shown")
	require.NoError(t, a.Receive(t.Context(), empty(t, old.wallet, r, long, us.id, token)))
	id, err := theirs(t, a)
	require.NoError(t, err)
	require.Equal(t, long, id)
	require.NoError(t, a.Receive(t.Context(), empty(t, old.wallet, r, short, us.id, "")))
}

// webOf resolves every did:web to the keys that its name spells.
type webOf struct{}

func (webOf) Resolve(ctx context.Context, id did.DID, at did.Version) (*did.Resolution, error) {
	of, err := did.Parse("did:key:" + id.SpecificID())
	if err != nil {
		return nil, err
	}
	res, err := didkey.Resolver{}.Resolve(ctx, of, at)
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(res.Document)
	if err != nil {
		return nil, err
	}
	doc, err := did.ParseDocument(bytes.ReplaceAll(text, []byte(of.String()), []byte(id.String())))
	return &did.Resolution{Document: doc}, err
}

// A connection does not rotate to a DID that no invitation could be answered with.
func TestRotation_Method(t *testing.T) {
	t.Parallel()
	old, us := newSomebody(t), newSomebody(t)
	a := knowing(t, us, old.id)
	web, err := did.Parse("did:web:" + old.id.SpecificID())
	require.NoError(t, err)
	r := did.Mux{"key": didkey.Resolver{}, "web": webOf{}}
	token, err := envelope.SignPrior(t.Context(), old.signer, web, time.Now())
	require.NoError(t, err)
	require.ErrorIs(t, a.Receive(t.Context(), empty(t, old.wallet, r, web, us.id, token)), didcomm.ErrPermanent)
	id, err := theirs(t, a)
	require.NoError(t, err)
	require.Equal(t, old.id, id)
}

// A stranger's DID does not become ours because its document lists a key of ours, and
// nobody learns whether we have a key: nothing is looked up.
func TestAbuse_DC03_KeyListedByAnother(t *testing.T) {
	t.Parallel()
	alice, us := newSomebody(t), newSomebody(t)
	pub, err := us.wallet.NewKey(t.Context(), wallet.X25519)
	require.NoError(t, err)
	mallory, err := didpeer.New2([]didpeer.Key{{For: did.KeyAgreement, Public: pub.(*ecdh.PublicKey)}, {For: did.Authentication, Public: verkey(t, alice.wallet)}})
	require.NoError(t, err)
	knowing(t, us, alice.id)
	var asked []did.DID
	watched := resolverFunc(func(ctx context.Context, id did.DID, at did.Version) (*did.Resolution, error) {
		asked = append(asked, id)
		return resolver().Resolve(ctx, id, at)
	})
	p := walletstore.Packer(us.wallet, watched)
	_, err = p.Unpack(t.Context(), empty(t, alice.wallet, resolver(), alice.id, mallory, ""))
	require.ErrorIs(t, err, envelope.ErrNotForUs)
	require.Empty(t, asked)
	got, err := p.Unpack(t.Context(), empty(t, alice.wallet, resolver(), alice.id, us.id, ""))
	require.NoError(t, err)
	require.Equal(t, us.id, got.To)
	own(t, us.wallet, mallory)
	_, err = p.Unpack(t.Context(), empty(t, alice.wallet, resolver(), alice.id, mallory, ""))
	require.NoError(t, err, "it is what is said here, not the key")
}

type resolverFunc func(context.Context, did.DID, did.Version) (*did.Resolution, error)

func (f resolverFunc) Resolve(ctx context.Context, id did.DID, at did.Version) (*did.Resolution, error) {
	return f(ctx, id, at)
}

// What goes to a mediator that cannot be looked up now waits: unwrapped it would be lost.
func TestPacker_MediatorUnavailable(t *testing.T) {
	t.Parallel()
	a, b := contractWallet(t), contractWallet(t)
	da, db := newDID(t, a, ""), newDID(t, b, "did:web:mediator.example")
	down := resolver().(did.Mux)
	down["web"] = resolverFunc(func(context.Context, did.DID, did.Version) (*did.Resolution, error) { return nil, did.ErrUnavailable })
	_, err := walletstore.Packer(a, down).Pack(t.Context(), hello(t, da, db), runtime.Route{Version: didcomm.V2, Mine: da, Theirs: db})
	require.ErrorIs(t, err, did.ErrUnavailable)
	require.NotErrorIs(t, err, didcomm.ErrPermanent)
}
