// Package ariesenvelope runs the envelopes of RFC 0019 against those of
// aries-framework-go v0.3.2, in both directions. It is a module of its own, because
// that framework must not be a dependency of the library:
//
//	cd testdata/interop/aries-envelope && go test ./...
package ariesenvelope

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/hyperledger/aries-framework-go/component/storageutil/mem"
	"github.com/hyperledger/aries-framework-go/pkg/crypto"
	"github.com/hyperledger/aries-framework-go/pkg/didcomm/packer"
	"github.com/hyperledger/aries-framework-go/pkg/didcomm/packer/legacy/anoncrypt"
	"github.com/hyperledger/aries-framework-go/pkg/didcomm/packer/legacy/authcrypt"
	"github.com/hyperledger/aries-framework-go/pkg/framework/aries/api/vdr"
	"github.com/hyperledger/aries-framework-go/pkg/kms"
	"github.com/hyperledger/aries-framework-go/pkg/kms/localkms"
	"github.com/hyperledger/aries-framework-go/pkg/secretlock"
	"github.com/hyperledger/aries-framework-go/pkg/secretlock/noop"
	"github.com/hyperledger/aries-framework-go/spi/storage"
	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/didcomm/envelope"
	"github.com/staffpassport/staffpassport/didcomm/envelope/envelopetest"
)

// ours is a party of this library.
type ours struct {
	envelope.Packer
	key ed25519.PublicKey
}

func newOurs(t testing.TB) ours {
	t.Helper()
	_, private, err := ed25519.GenerateKey(nil)
	require.NoError(t, err)
	keys := new(envelopetest.Keys)
	key := keys.Add(private)
	return ours{envelope.Packer{Keys: keys}, key}
}

// theirs is a party of aries-framework-go.
type theirs struct {
	auth, anon packer.Packer
	key        ed25519.PublicKey
}

func newTheirs(t testing.TB) theirs {
	t.Helper()
	store, err := kms.NewAriesProviderWrapper(mem.NewProvider())
	require.NoError(t, err)
	km, err := localkms.New("local-lock://test", keyStore{store})
	require.NoError(t, err)
	_, key, err := km.CreateAndExportPubKeyBytes(kms.ED25519Type)
	require.NoError(t, err)
	return theirs{authcrypt.New(provider{km}), anoncryt.New(provider{km}), key}
}

type keyStore struct{ kms.Store }

func (k keyStore) StorageProvider() kms.Store     { return k.Store }
func (k keyStore) SecretLock() secretlock.Service { return &noop.NoLock{} }

type provider struct{ km kms.KeyManager }

func (p provider) KMS() kms.KeyManager               { return p.km }
func (p provider) Crypto() crypto.Crypto             { return nil }
func (p provider) StorageProvider() storage.Provider { return nil }
func (p provider) VDRegistry() vdr.Registry          { return nil }

func messages() map[string][]byte {
	large := []byte(`{"x":"` + strings.Repeat("m", 1<<20) + `"}`)
	all := map[string][]byte{"large": large}
	for n := range 5 { // every amount of padding
		all[fmt.Sprintf("%d", n)] = []byte(`{"x":"` + strings.Repeat("m", n) + `"}`)
	}
	return all
}

func TestOursToTheirs(t *testing.T) {
	t.Parallel()
	us, them, other := newOurs(t), newTheirs(t), newOurs(t)
	for name, message := range messages() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, to := range [][]ed25519.PublicKey{{them.key}, {them.key, other.key}, {other.key, them.key}} {
				packed, err := us.PackV1(context.Background(), message, us.key, to...)
				require.NoError(t, err)
				got, err := them.auth.Unpack(packed)
				require.NoError(t, err)
				require.True(t, bytes.Equal(message, got.Message))
				require.Equal(t, []byte(us.key), got.FromKey)
				require.Equal(t, []byte(them.key), got.ToKey)

				packed, err = us.PackAnonymousV1(context.Background(), message, to...)
				require.NoError(t, err)
				got, err = them.anon.Unpack(packed)
				require.NoError(t, err)
				require.True(t, bytes.Equal(message, got.Message))
				require.Empty(t, got.FromKey)
			}
		})
	}
}

func TestTheirsToOurs(t *testing.T) {
	t.Parallel()
	us, them, other := newOurs(t), newTheirs(t), newTheirs(t)
	for name, message := range messages() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, to := range [][][]byte{{us.key}, {us.key, other.key}, {other.key, us.key}} {
				packed, err := them.auth.Pack("", message, them.key, to)
				require.NoError(t, err)
				got, err := us.Unpack(context.Background(), packed)
				require.NoError(t, err)
				require.True(t, bytes.Equal(message, got.Plaintext))
				require.True(t, got.Authenticated)
				require.Equal(t, them.key, got.Sender)
				require.Equal(t, us.key, got.Recipient)

				packed, err = them.anon.Pack("", message, nil, to)
				require.NoError(t, err)
				got, err = us.Unpack(context.Background(), packed)
				require.NoError(t, err)
				require.True(t, bytes.Equal(message, got.Plaintext))
				require.False(t, got.Authenticated)
				require.Nil(t, got.Sender)
			}
		})
	}
}

func TestNeitherOpensWhatIsAltered(t *testing.T) {
	t.Parallel()
	us, them := newOurs(t), newTheirs(t)
	message := []byte(`{"x":1}`)
	toThem, err := us.PackV1(context.Background(), message, us.key, them.key)
	require.NoError(t, err)
	toUs, err := them.auth.Pack("", message, them.key, [][]byte{us.key})
	require.NoError(t, err)
	for _, name := range []string{"protected", "iv", "ciphertext", "tag"} {
		_, err = them.auth.Unpack(altered(t, toThem, name))
		require.Error(t, err, name)
		_, err = us.Unpack(context.Background(), altered(t, toUs, name))
		require.Error(t, err, name)
	}
}

func altered(t testing.TB, packed []byte, name string) []byte {
	t.Helper()
	var e map[string]string
	require.NoError(t, json.Unmarshal(packed, &e))
	text := []byte(e[name])
	if text[2] == 'A' {
		text[2] = 'B'
	} else {
		text[2] = 'A'
	}
	e[name] = string(text)
	out, err := json.Marshal(e)
	require.NoError(t, err)
	return out
}

// The yardstick for BenchmarkPack and BenchmarkUnpack of package envelope.
func BenchmarkAries(b *testing.B) {
	us, them := newOurs(b), newTheirs(b)
	message := bytes.Repeat([]byte("a"), 2<<10)
	packed, err := us.PackV1(context.Background(), message, us.key, them.key)
	require.NoError(b, err)
	b.Run("Pack/v1/2KB", func(b *testing.B) {
		for b.Loop() {
			if _, err := them.auth.Pack("", message, them.key, [][]byte{us.key}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("Unpack/v1/2KB", func(b *testing.B) {
		for b.Loop() {
			if _, err := them.auth.Unpack(packed); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkOurs(b *testing.B) {
	us, other := newOurs(b), newOurs(b)
	message := bytes.Repeat([]byte("a"), 2<<10)
	packed, err := other.PackV1(context.Background(), message, other.key, us.key)
	require.NoError(b, err)
	b.Run("Pack/v1/2KB", func(b *testing.B) {
		for b.Loop() {
			if _, err := us.PackV1(context.Background(), message, us.key, other.key); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("Unpack/v1/2KB", func(b *testing.B) {
		for b.Loop() {
			if _, err := us.Unpack(context.Background(), packed); err != nil {
				b.Fatal(err)
			}
		}
	})
}
