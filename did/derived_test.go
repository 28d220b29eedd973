package did_test

import (
	"bytes"
	"crypto/ed25519"
	"reflect"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
)

// A did:key of the method's own text, and the fragment of its derived key.
const (
	keyDID       = "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK"
	keyAgreement = "z6LSj72tK8brWgZja8NLRwPigth2T9QRiG1uH9oKZuKjdh9p"
)

var relationships = []did.Relationship{
	did.Authentication, did.AssertionMethod, did.CapabilityInvocation, did.CapabilityDelegation, did.KeyAgreement, "", "service",
}

// signingMethod is the method that a did:key has for its own key.
func signingMethod(t testing.TB) *did.VerificationMethod {
	t.Helper()
	id := mustDID(t, keyDID)
	pub, err := did.ParseMultikey(id.SpecificID())
	require.NoError(t, err)
	m, err := did.NewVerificationMethod(id.URL(id.SpecificID()), pub,
		did.Authentication, did.AssertionMethod, did.CapabilityInvocation, did.CapabilityDelegation)
	require.NoError(t, err)
	return m
}

// eager is the document that [did.NewEd25519Document] promises, made at once.
func eager(t testing.TB) *did.Document {
	t.Helper()
	signing := signingMethod(t)
	key, err := did.X25519(signing.PublicKey().(ed25519.PublicKey))
	require.NoError(t, err)
	derived, err := did.NewVerificationMethod(signing.ID.DID.URL(keyAgreement), key, did.KeyAgreement)
	require.NoError(t, err)
	d, err := did.NewDocument(signing.ID.DID, []*did.VerificationMethod{signing, derived}, nil)
	require.NoError(t, err)
	return d
}

func lazy(t testing.TB) *did.Document {
	t.Helper()
	d, err := did.NewEd25519Document(signingMethod(t))
	require.NoError(t, err)
	return d
}

// namesToAsk are the two methods of the document and some that it lacks.
func namesToAsk(t testing.TB) []did.URL {
	t.Helper()
	id := mustDID(t, keyDID)
	return []did.URL{
		id.URL(id.SpecificID()), id.URL(keyAgreement), id.URL("key-1"), {}, {DID: id}, {DID: id, Path: "/a", Fragment: keyAgreement},
		mustURL(t, "did:key:"+keyAgreement+"#"+keyAgreement),
	}
}

// sameAnswer tests, on any goroutine, that two documents answer alike about one
// method.
func sameAnswer(t *testing.T, want, got *did.Document, vm did.URL, rel did.Relationship) {
	t.Helper()
	wantMethod, wantErr := want.Method(vm, rel, atUse)
	gotMethod, gotErr := got.Method(vm, rel, atUse)
	if !reflect.DeepEqual(wantErr, gotErr) || !reflect.DeepEqual(wantMethod, gotMethod) {
		t.Errorf("%s %s: %v, %v, want %v, %v", vm, rel, gotMethod, gotErr, wantMethod, wantErr)
	}
}

// Each question is the first one that some lazy document is asked.
func TestEd25519DocumentEqualsEager(t *testing.T) {
	t.Parallel()
	want := eager(t)
	wantJSON, err := want.MarshalJSON()
	require.NoError(t, err)
	all := lazy(t)
	for _, rel := range relationships {
		for _, vm := range namesToAsk(t) {
			sameAnswer(t, want, lazy(t), vm, rel)
			sameAnswer(t, want, all, vm, rel)
		}
		require.Equal(t, want.Methods(rel, atUse), lazy(t).Methods(rel, atUse), rel)
		require.Equal(t, want.Methods(rel, atUse), all.Methods(rel, atUse), rel)
	}
	for _, d := range []*did.Document{lazy(t), all} {
		got, err := d.MarshalJSON()
		require.NoError(t, err)
		require.Equal(t, string(wantJSON), string(got))
		require.Equal(t, want.ID(), d.ID())
		require.Equal(t, want.Services(""), d.Services(""))
		require.Equal(t, want.AlsoKnownAs(), d.AlsoKnownAs())
	}
}

func TestEd25519DocumentConcurrently(t *testing.T) {
	t.Parallel()
	want, got := eager(t), lazy(t)
	wantJSON, err := want.MarshalJSON()
	require.NoError(t, err)
	names := namesToAsk(t)
	start := make(chan struct{})
	var all sync.WaitGroup
	for i := range 32 {
		all.Go(func() {
			<-start
			switch i % 4 {
			case 0:
				sameAnswer(t, want, got, names[1], did.KeyAgreement)
			case 1:
				sameAnswer(t, want, got, names[0], did.AssertionMethod)
			case 2:
				if list := got.Methods(did.KeyAgreement, atUse); len(list) == 1 {
					list[0].ID = did.URL{} // the caller's copy
				} else {
					t.Errorf("%d methods for key agreement", len(list))
				}
			case 3:
				if out, err := got.MarshalJSON(); err != nil || !bytes.Equal(wantJSON, out) {
					t.Errorf("other JSON, or %v", err)
				}
			}
		})
	}
	close(start)
	all.Wait()
	for _, rel := range relationships {
		require.Equal(t, want.Methods(rel, atUse), got.Methods(rel, atUse), rel)
	}
}

// Nothing that happens to the arguments or results changes what is derived later.
func TestEd25519DocumentIsImmutable(t *testing.T) {
	t.Parallel()
	signing := signingMethod(t)
	d, err := did.NewEd25519Document(signing)
	require.NoError(t, err)
	pub := signing.PublicKey().(ed25519.PublicKey)
	kept := bytes.Clone(pub)
	signing.ID, signing.Controller = mustURL(t, "did:example:b#k"), mustDID(t, "did:example:b")
	d.Methods(did.AssertionMethod, atUse)[0].ID = did.URL{}
	clear(pub)
	got, err := d.Method(d.ID().URL(keyAgreement), did.KeyAgreement, atUse)
	copy(pub, kept)
	require.NoError(t, err)
	want, err := eager(t).Method(d.ID().URL(keyAgreement), did.KeyAgreement, atUse)
	require.NoError(t, err)
	require.Equal(t, want, got)
	got.ID = did.URL{}
	sameAnswer(t, eager(t), d, d.ID().URL(keyAgreement), did.KeyAgreement)
	sameAnswer(t, eager(t), d, d.ID().URL(d.ID().SpecificID()), did.AssertionMethod)
}

func TestEd25519DocumentRefuses(t *testing.T) {
	t.Parallel()
	signing := signingMethod(t)
	changed := *signing
	changed.Controller = mustDID(t, "did:example:b")
	moved := *signing
	moved.ID = did.URL{}
	method := func(multikey string) *did.VerificationMethod {
		pub, err := did.ParseMultikey(multikey)
		require.NoError(t, err)
		m, err := did.NewVerificationMethod(signing.ID, pub, did.KeyAgreement)
		require.NoError(t, err)
		return m
	}
	for name, m := range map[string]*did.VerificationMethod{
		"nothing": nil, "the zero method": {}, "P-256": method(multikeyP256), "X25519": method(multikeyX25519),
		"another controller": &changed, "without id": &moved,
	} {
		d, err := did.NewEd25519Document(m)
		require.ErrorIs(t, err, did.ErrInvalid, name)
		require.Nil(t, d, name)
	}
}

// A derivation that fails is an error every time, and takes nothing from the key
// that there is.
func TestEd25519DocumentThatCannotDerive(t *testing.T) {
	t.Parallel()
	id := mustDID(t, keyDID)
	onNoCurve := ed25519.PublicKey(append([]byte{2}, make([]byte, 31)...))
	_, err := did.X25519(onNoCurve)
	require.ErrorIs(t, err, did.ErrInvalid)
	for name, tt := range map[string]struct {
		fragment string
		key      ed25519.PublicKey
	}{
		"on no curve":           {"k", onNoCurve},
		"id of the derived key": {keyAgreement, signingMethod(t).PublicKey().(ed25519.PublicKey)},
	} {
		m, err := did.NewVerificationMethod(id.URL(tt.fragment), tt.key, did.AssertionMethod)
		require.NoError(t, err, name)
		d, err := did.NewEd25519Document(m)
		require.NoError(t, err, name)
		for range 2 {
			_, err = d.MarshalJSON()
			require.ErrorIs(t, err, did.ErrInvalid, name)
			_, err = d.Method(id.URL("another"), did.KeyAgreement, atUse)
			require.ErrorIs(t, err, did.ErrInvalid, name)
			require.Empty(t, d.Methods(did.KeyAgreement, atUse), name)
			_, err = d.Method(m.ID, did.AssertionMethod, atUse)
			require.NoError(t, err, name)
			_, err = d.Method(m.ID, did.KeyAgreement, atUse)
			require.ErrorIs(t, err, did.ErrNotAuthorised, name)
		}
	}
}
