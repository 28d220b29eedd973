package wallet

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/vc"
)

// FuzzHeader: a header is read before any key is known, from a file anyone may have
// written.
func FuzzHeader(f *testing.F) {
	good := (&header{salt: []byte("salt"), wrapped: make([]byte, wrappedSize)}).append(nil)
	f.Add(good)
	f.Add(good[:len(good)-1])
	f.Add(append([]byte{1, 0x80, 0x00}, make([]byte, wrappedSize)...)) // a length in two bytes
	f.Add([]byte{2})
	f.Add([]byte{1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1})
	f.Add([]byte(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		h, err := parseHeader(b)
		if err != nil {
			require.Nil(t, h)
			return
		}
		require.Equal(t, b, h.append(nil))
		var key [keySize]byte
		require.ErrorIs(t, h.unwrap("", make([]byte, keySize), &key), ErrLocked)
		require.Zero(t, key)
	})
}

// FuzzAttempts: so is the count of wrong keys.
func FuzzAttempts(f *testing.F) {
	f.Add(attempts{failures: 3, last: time.Unix(1, 2)}.append(nil))
	f.Add(attempts{failures: 1<<32 - 1, last: time.Unix(-1, 0)}.append(nil))
	f.Add([]byte{2})
	f.Add([]byte(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		a, err := parseAttempts(b)
		if err != nil {
			return
		}
		require.Equal(t, b, a.append(nil))
		next := a.failed(a.last)
		require.GreaterOrEqual(t, next.failures, a.failures)
		require.GreaterOrEqual(t, next.wait(), a.wait())
		require.LessOrEqual(t, a.wait(), lastWait)
		require.Equal(t, a.wait(), a.left(a.last))
	})
}

// FuzzSalt: and the parameters of Argon2id.
func FuzzSalt(f *testing.F) {
	good, err := Passphrase("p").NewSalt(bytes.NewReader(make([]byte, argonRandom)))
	require.NoError(f, err)
	f.Add(good)
	f.Add(good[:7])
	f.Add(make([]byte, len(good)))
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := parseArgonSalt(b)
		if err != nil {
			require.ErrorIs(t, err, errSalt)
			return
		}
		require.Equal(t, b, s.append(nil))
		require.GreaterOrEqual(t, s.passes, uint32(3))
		require.GreaterOrEqual(t, s.memory, uint32(64<<10))
		require.LessOrEqual(t, s.memory, uint32(1<<20))
	})
}

// FuzzCredential reads what only this package has sealed; a later version may have been
// this package too.
func FuzzCredential(f *testing.F) {
	full := Credential{
		Secured:     vc.Secured{MediaType: "application/vc", Bytes: []byte("{}")},
		Types:       []string{"a", "", "b"},
		Attachments: map[string][]byte{"photo": []byte("jpeg"), "": nil},
		Forms:       []vc.Secured{{MediaType: "application/dc+sd-jwt", Bytes: []byte("e30.e30.AA~")}},
		Added:       time.Unix(1, 2),
	}
	f.Add(full.append(nil))
	f.Add(Credential{Added: time.Unix(0, 0)}.append(nil))
	f.Add([]byte{3})
	f.Add([]byte{1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0}) // version 1
	f.Add([]byte{1, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0x0f})
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := parseCredential("id", b)
		if err != nil {
			require.True(t, errors.Is(err, ErrTampered) || errors.Is(err, ErrVersion))
			require.Zero(t, c)
			return
		}
		// Lengths may be written longer than they need be; once rewritten they are not.
		b = c.append(nil)
		again, err := parseCredential("id", b)
		require.NoError(t, err)
		require.Equal(t, b, again.append(nil))
	})
}

// TestCredentialOfVersion1: what an earlier version of this package kept is read, and
// written back in the new form; what a later one keeps is left alone.
func TestCredentialOfVersion1(t *testing.T) {
	t.Parallel()
	want := Credential{ID: "id", Added: time.Unix(0, 1), Secured: vc.Secured{MediaType: "application/vc", Bytes: []byte("{}")}, Types: []string{"a"}}
	now := want.append(nil)
	before := append([]byte{1}, now[1:len(now)-1]...) // without the count of forms
	got, err := parseCredential("id", before)
	require.NoError(t, err)
	require.Equal(t, want, got)
	_, err = parseCredential("id", append([]byte{2}, before[1:]...))
	require.ErrorIs(t, err, ErrTampered)
	_, err = parseCredential("id", append([]byte{3}, now[1:]...))
	require.ErrorIs(t, err, ErrVersion)
}

// FuzzRecord is the same for what a record holds.
func FuzzRecord(f *testing.F) {
	f.Add([]byte{2, 'i', 'd', 0, 'd'})
	f.Add(append([]byte{0, 1}, make([]byte, nameSize+3)...))
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01})
	f.Add([]byte{0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f})
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := parseRecord(b)
		if err != nil {
			require.ErrorIs(t, err, ErrTampered)
			return
		}
		require.LessOrEqual(t, len(r.id)+len(r.tags)+len(r.data), len(b)-2)
		require.Zero(t, len(r.tags)%nameSize)
		require.False(t, r.hasTag([]byte("not a name")))
	})
}

// TestSubkeysDiffer: one data key gives keys that have nothing in common.
func TestSubkeysDiffer(t *testing.T) {
	t.Parallel()
	s, err := newSecrets("tenant", &[keySize]byte{1})
	require.NoError(t, err)
	var kek [keySize]byte
	require.NoError(t, wrappingKey(&kek, append([]byte{1}, make([]byte, keySize-1)...)))
	keys := [][keySize]byte{s.record, s.key, s.index, kek, {1}, {}}
	for i, a := range keys {
		for _, b := range keys[:i] {
			require.NotEqual(t, a, b)
		}
	}
	// Names of what is alike differ by space and by what they name.
	names := map[name]bool{}
	for _, sp := range []space{recordSpace, credentialSpace, keySpace} {
		for _, kind := range []string{"", "a", "ab"} {
			for _, text := range []string{"", "b", "bc"} {
				at := s.place(sp, kind, text)
				names[at.kind], names[at.id], names[s.tag(sp, kind, text)] = true, true, true
			}
		}
	}
	require.Len(t, names, 3*3*(1+3+3))
}
