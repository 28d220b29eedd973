package walletstore_test

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/did/didpeer"
	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/envelope"
	"github.com/staffpassport/staffpassport/didcomm/runtime"
	"github.com/staffpassport/staffpassport/didcomm/walletstore"
	"github.com/staffpassport/staffpassport/internal/multiformat"
	"github.com/staffpassport/staffpassport/wallet"
)

// newDID makes keys in w and a DID of them with these endpoints, each with its routing
// keys.
func newDID(t testing.TB, w *wallet.Wallet, endpoint string, routing ...string) did.DID {
	t.Helper()
	var keys []didpeer.Key
	for rel, typ := range map[did.Relationship]wallet.KeyType{did.KeyAgreement: wallet.X25519, did.Authentication: wallet.Ed25519} {
		pub, err := w.NewKey(context.Background(), typ)
		require.NoError(t, err)
		keys = append(keys, didpeer.Key{For: rel, Public: pub})
	}
	var services [][]byte
	if endpoint != "" {
		s, err := json.Marshal(map[string]any{"type": "DIDCommMessaging", "serviceEndpoint": map[string]any{
			"uri": endpoint, "accept": []string{"didcomm/v2"}, "routingKeys": append([]string{}, routing...)}})
		require.NoError(t, err)
		services = append(services, s)
	}
	id, err := didpeer.New2(keys, services...)
	require.NoError(t, err)
	own(t, w, id)
	return id
}

// own makes a DID one of w's own.
func own(t testing.TB, w *wallet.Wallet, id did.DID) {
	t.Helper()
	a, err := runtime.New(runtime.Config{Store: walletstore.New(w), Packer: walletstore.Packer(w, resolver()), Sender: idle{}})
	require.NoError(t, err)
	require.NoError(t, a.Update(context.Background(), func(tx didcomm.Tx) error { return runtime.Own(tx, id) }))
}

// agreementKey names a key of id that messages can be encrypted to.
func agreementKey(t testing.TB, id did.DID) string {
	t.Helper()
	res, err := resolver().Resolve(t.Context(), id, did.Version{})
	require.NoError(t, err)
	methods := res.Document.Methods(did.KeyAgreement, time.Now())
	require.NotEmpty(t, methods)
	return methods[0].ID.String()
}

func verkey(t testing.TB, w *wallet.Wallet) ed25519.PublicKey {
	t.Helper()
	key, err := walletstore.Keys(w).NewVerkey(t.Context())
	require.NoError(t, err)
	return key
}

func hello(t testing.TB, from, to did.DID) []byte {
	t.Helper()
	m, err := didcomm.NewV2("m1", typ("ping"), "", "", said{Answer: "hello"})
	require.NoError(t, err)
	m.From, m.To = from, []did.DID{to}
	text, err := m.Plaintext()
	require.NoError(t, err)
	return text
}

func TestPacker_V2(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	a, b := contractWallet(t), contractWallet(t)
	da, db := newDID(t, a, "https://ash.example"), newDID(t, b, "https://birch.example")
	pa, pb := walletstore.Packer(a, resolver()), walletstore.Packer(b, resolver())

	text := hello(t, da, db)
	packed, err := pa.Pack(ctx, text, runtime.Route{Version: didcomm.V2, Mine: da, Theirs: db})
	require.NoError(t, err)
	got, err := pb.Unpack(ctx, packed)
	require.NoError(t, err)
	require.Equal(t, runtime.Received{Plaintext: text, Version: didcomm.V2, From: da, To: db}, got)

	text = hello(t, did.DID{}, db)
	packed, err = pa.Pack(ctx, text, runtime.Route{Version: didcomm.V2, Theirs: db})
	require.NoError(t, err)
	got, err = pb.Unpack(ctx, packed)
	require.NoError(t, err)
	require.Equal(t, runtime.Received{Plaintext: text, Version: didcomm.V2, To: db}, got, "anonymous")

	_, err = pa.Unpack(ctx, packed)
	require.ErrorIs(t, err, didcomm.ErrPermanent, "not for us")
	_, err = pb.Pack(ctx, text, runtime.Route{Version: didcomm.V2, Mine: da, Theirs: db})
	require.Error(t, err, "not our DID")

	endpoint, err := pa.Endpoint(ctx, db)
	require.NoError(t, err)
	require.Equal(t, "https://birch.example", endpoint)
	endpoint, err = pa.Endpoint(ctx, newDID(t, b, ""))
	require.NoError(t, err)
	require.Empty(t, endpoint)
	_, err = pa.Endpoint(ctx, newDID(t, b, "ftp://birch.example"))
	require.ErrorIs(t, err, didcomm.ErrPermanent)
	unknown, err := did.Parse("did:example:unknown")
	require.NoError(t, err)
	_, err = pa.Endpoint(ctx, unknown)
	require.ErrorIs(t, err, didcomm.ErrPermanent)
}

// A message that is signed and not encrypted, or neither, has no way in.
func TestAbuse_DC02_OnlyEncrypted(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	a, b := contractWallet(t), contractWallet(t)
	da, db := newDID(t, a, ""), newDID(t, b, "")
	text := hello(t, da, db)
	res, err := resolver().Resolve(ctx, da, did.Version{})
	require.NoError(t, err)
	method := res.Document.Methods(did.Authentication, time.Now())[0]
	signer, err := walletstore.Keys(a).Signer(ctx, method.ID, method.PublicKey())
	require.NoError(t, err)
	signed, err := (&envelope.Packer{Resolver: resolver()}).SignV2(ctx, text, signer)
	require.NoError(t, err)
	p := walletstore.Packer(b, resolver())
	for name, data := range map[string][]byte{"signed": signed, "plaintext": text, "nothing": nil} {
		_, err := p.Unpack(ctx, data)
		require.ErrorIs(t, err, didcomm.ErrPermanent, name)
	}
}

// unwrapV1 opens a forward of V1 and returns whom it is for and what is in it.
func unwrapV1(t *testing.T, w *wallet.Wallet, data []byte) (to string, inner []byte) {
	t.Helper()
	got, err := walletstore.Packer(w, resolver()).Unpack(t.Context(), data)
	require.NoError(t, err)
	require.Empty(t, got.Sender, "a mediator does not learn who writes")
	m, err := didcomm.ParseMessage(got.Plaintext)
	require.NoError(t, err)
	require.Equal(t, "https://didcomm.org/routing/1.0/forward", m.Type.String())
	var body struct {
		To  string          `json:"to"`
		Msg json.RawMessage `json:"msg"`
	}
	require.NoError(t, m.Decode(&body))
	return body.To, body.Msg
}

func TestPacker_ForwardV1(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	a, b, near, far := contractWallet(t), contractWallet(t), contractWallet(t), contractWallet(t)
	from, to, nearKey, farKey := verkey(t, a), verkey(t, b), verkey(t, near), verkey(t, far)
	route := runtime.Route{Version: didcomm.V1, From: from, To: to, Routing: []ed25519.PublicKey{nearKey, farKey}}
	packed, err := walletstore.Packer(a, resolver()).Pack(ctx, []byte("hello"), route)
	require.NoError(t, err)

	next, inner := unwrapV1(t, far, packed) // the first hop is last
	require.Equal(t, multiformat.Base58(nearKey), next)
	next, inner = unwrapV1(t, near, inner)
	require.Equal(t, multiformat.Base58(to), next)
	got, err := walletstore.Packer(b, resolver()).Unpack(ctx, inner)
	require.NoError(t, err)
	require.Equal(t, runtime.Received{Plaintext: []byte("hello"), Version: didcomm.V1, Sender: from, Recipient: to}, got)

	route.Direct = true
	packed, err = walletstore.Packer(a, resolver()).Pack(ctx, []byte("hello"), route)
	require.NoError(t, err)
	_, err = walletstore.Packer(b, resolver()).Unpack(ctx, packed)
	require.NoError(t, err)

	route.Direct = false
	_, err = walletstore.Packer(a, resolver()).Pack(ctx, make([]byte, didcomm.MaxMessage), route)
	require.ErrorIs(t, err, didcomm.ErrPermanent, "no room for a wrapping")
}

func unwrapV2(t *testing.T, w *wallet.Wallet, data []byte) (next string, inner []byte) {
	t.Helper()
	got, err := walletstore.Packer(w, resolver()).Unpack(t.Context(), data)
	require.NoError(t, err)
	require.True(t, got.From.IsZero(), "a mediator does not learn who writes")
	m, err := didcomm.ParseMessage(got.Plaintext)
	require.NoError(t, err)
	require.Equal(t, "https://didcomm.org/routing/2.0/forward", m.Type.String())
	var body struct {
		Next string `json:"next"`
	}
	require.NoError(t, m.Decode(&body))
	require.Len(t, m.Attachments, 1)
	inner, err = m.Attachments[0].Content()
	require.NoError(t, err)
	return body.Next, inner
}

func TestPacker_ForwardV2(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	a, b, near, far := contractWallet(t), contractWallet(t), contractWallet(t), contractWallet(t)
	da, nearDID, farDID := newDID(t, a, ""), newDID(t, near, "https://near.example"), newDID(t, far, "https://far.example")
	nearKey, farKey := agreementKey(t, nearDID), agreementKey(t, farDID)
	for name, tc := range map[string]struct {
		endpoint string
		routing  []string
		want     string
		hops     []string // as each mediator reads it
	}{
		"two keys":            {"https://far.example", []string{farKey, nearKey}, "https://far.example", []string{nearKey, ""}},
		"a DID as endpoint":   {farDID.String(), nil, "https://far.example", []string{""}},
		"a DID and a key":     {farDID.String(), []string{nearKey}, "https://far.example", []string{nearKey, ""}},
		"no mediator":         {"wss://birch.example", nil, "wss://birch.example", nil},
		"one that calls only": {didcomm.Queue, nil, didcomm.Queue, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := newDID(t, b, tc.endpoint, tc.routing...)
			p := walletstore.Packer(a, resolver())
			endpoint, err := p.Endpoint(ctx, db)
			require.NoError(t, err)
			require.Equal(t, tc.want, endpoint)
			text := hello(t, da, db)
			packed, err := p.Pack(ctx, text, runtime.Route{Version: didcomm.V2, Mine: da, Theirs: db})
			require.NoError(t, err)
			for i, want := range tc.hops {
				if want == "" {
					want = db.String()
				}
				var next string
				next, packed = unwrapV2(t, []*wallet.Wallet{far, near}[i], packed)
				require.Equal(t, want, next)
			}
			got, err := walletstore.Packer(b, resolver()).Unpack(ctx, packed)
			require.NoError(t, err)
			require.Equal(t, da, got.From)
			require.Equal(t, text, got.Plaintext)

			direct, err := p.Pack(ctx, text, runtime.Route{Version: didcomm.V2, Mine: da, Theirs: db, Direct: true})
			require.NoError(t, err)
			_, err = walletstore.Packer(b, resolver()).Unpack(ctx, direct)
			require.NoError(t, err)
		})
	}
}

// A mediator that is behind a mediator, or has no address, is none.
func TestPacker_MediatorWithoutAddress(t *testing.T) {
	t.Parallel()
	a, b, m := contractWallet(t), contractWallet(t), contractWallet(t)
	good := newDID(t, m, "https://good.example")
	for name, endpoint := range map[string]string{
		"behind another":  newDID(t, m, good.String()).String(),
		"with routing":    newDID(t, m, "https://m.example", agreementKey(t, good)).String(),
		"without service": newDID(t, m, "").String(),
		"in a queue":      newDID(t, m, didcomm.Queue).String(),
		"unknown":         "did:example:unknown",
	} {
		_, err := walletstore.Packer(a, resolver()).Endpoint(t.Context(), newDID(t, b, endpoint))
		require.ErrorIs(t, err, didcomm.ErrPermanent, name)
	}
}

// A wallet that is closed packs and opens nothing, whatever was remembered of its keys.
func TestPacker_WalletClosed(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	a, b := contractWallet(t), contractWallet(t)
	da, db := newDID(t, a, ""), newDID(t, b, "")
	pa, pb := walletstore.Packer(a, resolver()), walletstore.Packer(b, resolver())
	to, from := runtime.Route{Version: didcomm.V2, Mine: da, Theirs: db}, runtime.Route{Version: didcomm.V2, Mine: db, Theirs: da}
	var back []byte
	for range 2 {
		packed, err := pa.Pack(ctx, hello(t, da, db), to)
		require.NoError(t, err)
		_, err = pb.Unpack(ctx, packed)
		require.NoError(t, err)
		back, err = pb.Pack(ctx, hello(t, db, da), from)
		require.NoError(t, err)
		_, err = pa.Unpack(ctx, back)
		require.NoError(t, err)
	}
	require.NoError(t, a.Close())
	_, err := pa.Pack(ctx, hello(t, da, db), to)
	require.ErrorIs(t, err, wallet.ErrClosed)
	_, err = pa.Unpack(ctx, back)
	require.ErrorIs(t, err, wallet.ErrClosed)
	require.NotErrorIs(t, err, didcomm.ErrPermanent)
}

// A key that a protocol makes in its transaction is there once that has committed.
func TestKeys_InTransaction(t *testing.T) {
	t.Parallel()
	w := contractWallet(t)
	a, err := runtime.New(runtime.Config{Store: walletstore.New(w), Packer: walletstore.Packer(w, resolver()), Sender: idle{}})
	require.NoError(t, err)
	var key ed25519.PublicKey
	require.NoError(t, a.Update(t.Context(), func(tx didcomm.Tx) (err error) {
		key, err = walletstore.Keys(w).NewVerkeyIn(tx)
		return err
	}))
	there, err := w.HasKey(t.Context(), key)
	require.NoError(t, err)
	require.True(t, there)
	_, err = walletstore.Keys(w).NewVerkeyIn(nil)
	require.Error(t, err)
}

// changing is a did:web whose service moves.
type changing struct{ endpoint string }

func (c *changing) Resolve(_ context.Context, id did.DID, _ did.Version) (*did.Resolution, error) {
	doc, err := did.NewDocument(id, nil, []did.Service{{ID: "#a", Type: "DIDCommMessaging", Endpoint: c.endpoint}})
	return &did.Resolution{Document: doc}, err
}

// Where a DID receives is asked each time, unless it can never change.
func TestPacker_EndpointMoves(t *testing.T) {
	t.Parallel()
	a := contractWallet(t)
	moving := &changing{"https://old.example"}
	r := resolver().(did.Mux)
	r["web"] = moving
	p := walletstore.Packer(a, r)
	web, err := did.Parse("did:web:birch.example")
	require.NoError(t, err)
	behind := newDID(t, a, web.String())
	for _, endpoint := range []string{"https://old.example", "https://new.example"} {
		moving.endpoint = endpoint
		for _, id := range []did.DID{web, behind} {
			got, err := p.Endpoint(t.Context(), id)
			require.NoError(t, err)
			require.Equal(t, endpoint, got)
		}
	}
	for i := range 600 { // more than are remembered
		want := fmt.Sprintf("https://birch%d.example", i)
		id := newEmptyDID(t, want)
		for range 2 {
			got, err := p.Endpoint(t.Context(), id)
			require.NoError(t, err)
			require.Equal(t, want, got)
		}
	}
}

// newEmptyDID makes a DID with the endpoint and one key of nobody.
func newEmptyDID(t *testing.T, endpoint string) did.DID {
	t.Helper()
	pub, _, err := ed25519.GenerateKey(nil)
	require.NoError(t, err)
	id, err := didpeer.New2([]didpeer.Key{{For: did.Authentication, Public: pub}},
		[]byte(`{"type":"DIDCommMessaging","serviceEndpoint":{"uri":"`+endpoint+`"}}`))
	require.NoError(t, err)
	return id
}

// lost is a resolver of the web while it is away.
type lost struct{}

func (lost) Resolve(context.Context, did.DID, did.Version) (*did.Resolution, error) {
	return nil, fmt.Errorf("%w: no answer", did.ErrUnavailable)
}

func TestPacker_DIDAway(t *testing.T) {
	t.Parallel()
	a := contractWallet(t)
	da := newDID(t, a, "")
	db, err := did.Parse("did:web:birch.example")
	require.NoError(t, err)
	r := resolver().(did.Mux)
	r["web"] = lost{}
	_, err = walletstore.Packer(a, r).Endpoint(t.Context(), db)
	require.ErrorIs(t, err, did.ErrUnavailable)
	require.NotErrorIs(t, err, didcomm.ErrPermanent)
	_, err = walletstore.Packer(a, r).Pack(t.Context(), hello(t, da, db), runtime.Route{Version: didcomm.V2, Mine: da, Theirs: db})
	require.ErrorIs(t, err, did.ErrUnavailable)
	require.NotErrorIs(t, err, didcomm.ErrPermanent)
}
