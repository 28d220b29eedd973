package naclbox_test

import (
	"bytes"
	"crypto/ecdh"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha512"
	"errors"
	"testing"

	"filippo.io/edwards25519"
	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/nacl/box"
	"golang.org/x/crypto/nacl/secretbox"

	"github.com/staffpassport/staffpassport/internal/naclbox"
)

// owner is the owner of an Ed25519 key that boxes are made for.
type owner struct {
	ed25519 ed25519.PublicKey
	private *ecdh.PrivateKey
}

func newOwner(t testing.TB) owner {
	t.Helper()
	pub, key, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	hash := sha512.Sum512(key.Seed())
	private, err := ecdh.X25519().NewPrivateKey(hash[:32])
	require.NoError(t, err)
	return owner{pub, private}
}

func (o owner) arrays() (public, private *[32]byte) {
	return (*[32]byte)(o.private.PublicKey().Bytes()), (*[32]byte)(o.private.Bytes())
}

// The other implementation of the same boxes opens ours and makes boxes we open.
func TestPrecomputeSecondOpinion(t *testing.T) {
	t.Parallel()
	for range 50 {
		a, b := newOwner(t), newOwner(t)
		ours, err := naclbox.Precompute(a.private, b.private.PublicKey())
		require.NoError(t, err)
		same, err := naclbox.Precompute(b.private, a.private.PublicKey())
		require.NoError(t, err)
		require.Equal(t, ours, same)

		public, _ := b.arrays()
		_, private := a.arrays()
		var theirs [32]byte
		box.Precompute(&theirs, public, private)
		require.Equal(t, &theirs, ours)

		var nonce [24]byte
		message, ok := box.Open(nil, secretbox.Seal(nil, []byte("x"), &nonce, ours), &nonce, public, private)
		require.True(t, ok)
		require.Equal(t, "x", string(message))
	}
}

func TestAnonymousSecondOpinion(t *testing.T) {
	t.Parallel()
	o := newOwner(t)
	public, private := o.arrays()
	for n := range 70 {
		message := bytes.Repeat([]byte("m"), n)
		sealed, err := naclbox.SealAnonymous(rand.Reader, o.ed25519, message)
		require.NoError(t, err)
		require.Len(t, sealed, n+naclbox.Overhead)
		opened, ok := box.OpenAnonymous(nil, sealed, public, private)
		require.True(t, ok)
		require.True(t, bytes.Equal(message, opened))

		sealed, err = box.SealAnonymous(nil, message, public, rand.Reader)
		require.NoError(t, err)
		opened, err = naclbox.OpenAnonymous(o.private, sealed)
		require.NoError(t, err)
		require.True(t, bytes.Equal(message, opened))
	}
}

// A key with a part of small order is strange but usable, as it is with X25519.
func TestSealToKeyWithTorsion(t *testing.T) {
	t.Parallel()
	o := newOwner(t)
	point, err := new(edwards25519.Point).SetBytes(o.ed25519)
	require.NoError(t, err)
	torsion, err := new(edwards25519.Point).SetBytes(orderEight())
	require.NoError(t, err)
	mixed := new(edwards25519.Point).Add(point, torsion)

	sealed, err := naclbox.SealAnonymous(rand.Reader, mixed.Bytes(), []byte("x"))
	require.NoError(t, err)
	var public [32]byte
	copy(public[:], mixed.BytesMontgomery())
	_, private := o.arrays()
	opened, ok := box.OpenAnonymous(nil, sealed, &public, private)
	require.True(t, ok)
	require.Equal(t, "x", string(opened))
}

func TestSealAnonymousRefuses(t *testing.T) {
	t.Parallel()
	o := newOwner(t)
	identity := edwards25519.NewIdentityPoint().Bytes()
	notAPoint := bytes.Clone(o.ed25519)
	for {
		if _, err := new(edwards25519.Point).SetBytes(notAPoint); err != nil {
			break
		}
		notAPoint[0]++
	}
	for name, key := range map[string][]byte{
		"identity": identity, "order eight": orderEight(), "not a point": notAPoint, "short": o.ed25519[:31], "empty": nil,
	} {
		sealed, err := naclbox.SealAnonymous(rand.Reader, key, []byte("x"))
		require.ErrorIs(t, err, naclbox.ErrKey, name)
		require.Nil(t, sealed)
	}
	broken := errors.New("broken")
	_, err := naclbox.SealAnonymous(failing{broken}, o.ed25519, []byte("x"))
	require.ErrorIs(t, err, broken)
	_, err = naclbox.SealAnonymous(bytes.NewReader(make([]byte, 63)), o.ed25519, []byte("x"))
	require.Error(t, err)
}

func TestOpenAnonymousRefuses(t *testing.T) {
	t.Parallel()
	o, other := newOwner(t), newOwner(t)
	sealed, err := naclbox.SealAnonymous(rand.Reader, o.ed25519, []byte("Willow"))
	require.NoError(t, err)
	_, err = naclbox.OpenAnonymous(other.private, sealed)
	require.ErrorIs(t, err, naclbox.ErrOpen)
	for n := range sealed {
		_, err = naclbox.OpenAnonymous(o.private, sealed[:n])
		require.ErrorIs(t, err, naclbox.ErrOpen, "cut to %d", n)
		changed := bytes.Clone(sealed)
		changed[n] ^= 0x80
		_, err = naclbox.OpenAnonymous(o.private, changed)
		require.ErrorIs(t, err, naclbox.ErrOpen, "byte %d", n)
	}
	_, err = naclbox.OpenAnonymous(o.private, append(make([]byte, 32), sealed[32:]...))
	require.ErrorIs(t, err, naclbox.ErrOpen, "ephemeral key of small order")
}

func TestPrecomputeRefusesSmallOrder(t *testing.T) {
	t.Parallel()
	o := newOwner(t)
	point, err := new(edwards25519.Point).SetBytes(orderEight())
	require.NoError(t, err)
	for _, u := range [][]byte{make([]byte, 32), append([]byte{1}, make([]byte, 31)...), point.BytesMontgomery()} {
		peer, err := ecdh.X25519().NewPublicKey(u)
		require.NoError(t, err)
		key, err := naclbox.Precompute(o.private, peer)
		require.ErrorIs(t, err, naclbox.ErrKey)
		require.Nil(t, key)
	}
	p256, err := ecdh.P256().GenerateKey(rand.Reader)
	require.NoError(t, err)
	_, err = naclbox.Precompute(o.private, p256.PublicKey())
	require.ErrorIs(t, err, naclbox.ErrKey)
	_, err = naclbox.Precompute(p256, p256.PublicKey())
	require.ErrorIs(t, err, naclbox.ErrKey)
}

func FuzzOpenAnonymous(f *testing.F) {
	seed := bytes.Repeat([]byte{7}, 32)
	private, err := ecdh.X25519().NewPrivateKey(seed)
	require.NoError(f, err)
	f.Add([]byte{})
	f.Add(make([]byte, naclbox.Overhead))
	f.Fuzz(func(t *testing.T, sealed []byte) {
		if message, err := naclbox.OpenAnonymous(private, sealed); err == nil {
			t.Fatalf("opened a box of %d bytes that nobody made", len(message))
		}
	})
}

func BenchmarkSealAnonymous(b *testing.B) {
	o := newOwner(b)
	for b.Loop() {
		if _, err := naclbox.SealAnonymous(rand.Reader, o.ed25519, []byte("x")); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkOpenAnonymous(b *testing.B) {
	o := newOwner(b)
	sealed, err := naclbox.SealAnonymous(rand.Reader, o.ed25519, []byte("x"))
	require.NoError(b, err)
	for b.Loop() {
		if _, err := naclbox.OpenAnonymous(o.private, sealed); err != nil {
			b.Fatal(err)
		}
	}
}

// orderEight returns a point of order eight.
func orderEight() []byte {
	return []byte{
		0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0,
		0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05,
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }
