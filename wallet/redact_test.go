package wallet_test

import (
	"bytes"
	"context"
	"crypto/ecdh"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/wallet"
)

// encodings returns the forms in which bytes could show up in text.
func encodings(secret []byte) [][]byte {
	forms := [][]byte{
		secret,
		[]byte(hex.EncodeToString(secret)),
		[]byte(strings.ToUpper(hex.EncodeToString(secret))),
		[]byte(fmt.Sprint(secret)), // [1 2 3]
		[]byte(strings.Trim(fmt.Sprint(secret), "[]")),
		[]byte(strings.TrimSuffix(strings.TrimPrefix(fmt.Sprintf("%#v", secret), "[]byte{"), "}")),
		[]byte(fmt.Sprintf("% x", secret)),
	}
	for _, e := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
		// Base64 looks different at each of three offsets; the characters at both ends
		// depend on the neighbours.
		for offset := range 3 {
			s := e.EncodeToString(append(make([]byte, offset), secret...))
			first, last := (offset*8+5)/6, (offset+len(secret))*8/6
			forms = append(forms, []byte(s[first:last]))
		}
	}
	return forms
}

// contains returns the secrets that appear in text in some form.
func contains(text []byte, secrets [][]byte) (hits int) {
	for _, s := range secrets {
		for _, form := range encodings(s) {
			if bytes.Contains(text, form) {
				hits++
				break
			}
		}
	}
	return hits
}

func TestEncodingsAreFound(t *testing.T) {
	t.Parallel()
	secret := []byte("canary \x00\xff of Primrose Wharfe")
	for i, text := range []string{
		"x" + string(secret) + "x",
		fmt.Sprintf("%x", secret), fmt.Sprintf("%X", secret), fmt.Sprintf("% x", secret),
		fmt.Sprintf("%v", secret), fmt.Sprintf("%v", append([]byte{9, 9}, append(bytes.Clone(secret), 9)...)), fmt.Sprintf("%#v", secret),
		base64.StdEncoding.EncodeToString([]byte("a" + string(secret) + "b")),
		base64.URLEncoding.EncodeToString([]byte("ab" + string(secret) + "b")),
		base64.StdEncoding.EncodeToString([]byte("abc" + string(secret))),
	} {
		require.Equal(t, 1, contains([]byte(text), [][]byte{secret}), "form %d", i)
	}
	require.Zero(t, contains([]byte("nothing of the kind"), [][]byte{secret}))
}

// keyHolders returns one value of every type that holds a key or what a person's
// credential says, with the secrets that must not be seen.
func keyHolders(t testing.TB) (map[string]any, [][]byte) {
	const passphrase = "heather and gorse and ling"
	w := newWallet(t)
	ours, theirs := newEd25519(t, w), newEd25519(t, w)
	_, err := w.SealBox(t.Context(), ours, theirs, new([24]byte), nil)
	require.NoError(t, err)
	agreement, err := w.NewKey(t.Context(), wallet.X25519)
	require.NoError(t, err)
	p256, err := w.NewKey(t.Context(), wallet.P256)
	require.NoError(t, err)
	signer, err := w.Signer(t.Context(), method(t), ours)
	require.NoError(t, err)
	signerP256, err := w.Signer(t.Context(), method(t), p256)
	require.NoError(t, err)
	exchanger, err := w.KeyExchanger(t.Context(), agreement.(*ecdh.PublicKey))
	require.NoError(t, err)
	claims := []byte("claims of Primrose Wharfe")
	holders := map[string]any{
		"Passphrase":         wallet.Passphrase(passphrase),
		"Wallet":             w,
		"Signer":             signer,
		"Signer P-256":       signerP256,
		"KeyExchanger":       exchanger,
		"struct":             struct{ W, P any }{w, wallet.Passphrase(passphrase)},
		"unexported wallet":  struct{ w *wallet.Wallet }{w},
		"unexported signer":  struct{ s any }{signer},
		"slice":              []any{w, signer, wallet.Passphrase(passphrase)},
		"slice of secrets":   []wallet.Passphrase{passphrase},
		"map":                map[string]any{"w": w, "p": wallet.Passphrase(passphrase)},
		"pointer":            new(wallet.Passphrase),
		"Record":             wallet.Record{ID: string(claims), Data: claims},
		"Credential":         wallet.Credential{ID: string(claims), Secured: vc.Secured{Bytes: claims}, Attachments: map[string][]byte{"photo": claims}},
		"error of a wallet":  fmt.Errorf("in %v: %w", w, wallet.ErrLocked),
		"function's closure": func() wallet.Passphrase { return passphrase },
	}
	*holders["pointer"].(*wallet.Passphrase) = passphrase
	update(t, w, func(tx *wallet.Tx) {
		_, err := tx.NewKey(wallet.Ed25519)
		require.NoError(t, err)
		holders["Tx"] = tx
		holders["Tx as text"] = fmt.Sprintf("%v %+v %#v", tx, tx, tx)
	})
	return holders, append(slices.Concat(wallet.SecretBytes(w), wallet.LibraryKeys(w)), []byte(passphrase), claims)
}

// TestAbuse_WA06_PrintedSecrets prints every key-bearing type in every way.
func TestAbuse_WA06_PrintedSecrets(t *testing.T) {
	t.Parallel()
	holders, secrets := keyHolders(t)
	for name, v := range holders {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "% x", "%d", "%b", "%c", "%U", "%o", "%e", "%t", "%p", "%!", "%10.3v"} {
			if verb == "%p" && reflect.ValueOf(v).Kind() != reflect.Pointer {
				continue // fmt calls no method then; documented, and go vet reports it
			}
			require.Zero(t, contains([]byte(fmt.Sprintf(verb, v)), secrets), "%s with %s", name, verb)
		}
		require.Zero(t, contains([]byte(fmt.Sprint(v)+fmt.Sprintln(v)), secrets), name)
		var log bytes.Buffer
		for _, h := range []slog.Handler{slog.NewTextHandler(&log, nil), slog.NewJSONHandler(&log, nil)} {
			l := slog.New(h).With("with", v)
			l.Info("message", "value", v, slog.Group("group", "value", v))
			l.Info(fmt.Sprint(v))
		}
		require.Zero(t, contains(log.Bytes(), secrets), "%s in a log: %s", name, log.String())
		switch v.(type) {
		case wallet.Record, wallet.Credential:
			continue // whoever marshals those wants their contents
		}
		b, err := json.Marshal(v)
		if err == nil {
			require.Zero(t, contains(b, secrets), "%s as JSON: %s", name, b)
		}
		if p, ok := v.(wallet.Passphrase); ok {
			require.Equal(t, `"[redacted]"`, string(b))
			text, err := p.MarshalText()
			require.NoError(t, err)
			require.Equal(t, p.String(), string(text))
			require.Equal(t, p.String(), p.GoString())
		}
	}
}

// TestAbuse_WA06_Panic lets processes die of a panic with a secret in hand.
func TestAbuse_WA06_Panic(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"Passphrase", "Wallet", "Signer", "Signer P-256", "KeyExchanger", "slice", "Tx", "sealing", "unlocking"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			out, err := child(t, "panic", name).CombinedOutput()
			require.Error(t, err)
			require.Contains(t, string(out), "panic: ")
			_, after, ok := bytes.Cut(out, []byte("secrets: "))
			require.True(t, ok, "%s", out)
			line, trace, ok := bytes.Cut(after, []byte("\n"))
			require.True(t, ok)
			var secrets [][]byte
			require.NoError(t, json.Unmarshal(line, &secrets))
			require.NotEmpty(t, secrets)
			require.Zero(t, contains(trace, secrets), "%s", trace)
			for _, s := range secrets {
				// A stack trace shows arguments as words of the machine.
				for i := 0; i+8 <= len(s); i += 8 {
					var word uint64
					for j := range 8 {
						word |= uint64(s[i+j]) << (8 * j)
					}
					require.NotContains(t, string(trace), fmt.Sprintf("0x%x", word))
				}
			}
		})
	}
}

// childPanic runs in a process of its own.
func childPanic(t *testing.T, name string) {
	holders, secrets := keyHolders(t)
	b, err := json.Marshal(secrets)
	require.NoError(t, err)
	fmt.Printf("secrets: %s\n", b)
	done := make(chan struct{})
	go func() { // so that the testing package does not recover it first
		defer close(done)
		switch name {
		case "sealing":
			w := holders["Wallet"].(*wallet.Wallet)
			_ = w.Update(context.Background(), func(tx *wallet.Tx) error { panic(tx) })
		case "unlocking":
			_, _ = wallet.Passphrase("heather and gorse and ling").NewSalt(panicking{})
		default:
			panic(holders[name])
		}
	}()
	<-done
}

type panicking struct{}

func (panicking) Read([]byte) (int, error) { panic("no random") }

// childVariable says what a process that a test started is to do.
const childVariable = "STAFFPASSPORT_WALLET_TEST_CHILD"

// child returns this test program as another process that does one thing.
func child(t testing.TB, do ...string) *exec.Cmd {
	t.Helper()
	exe, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), exe, "-test.run=^TestChild$", "-test.v=false")
	cmd.Env = append(os.Environ(), childVariable+"="+strings.Join(do, "\n"), "GOTRACEBACK=all")
	return cmd
}

// TestChild is what such a process runs.
func TestChild(t *testing.T) {
	do := strings.Split(os.Getenv(childVariable), "\n")
	switch do[0] {
	case "panic":
		childPanic(t, do[1])
	case "copy":
		require.NoError(t, os.CopyFS(do[2], os.DirFS(do[1])))
	case "write":
		childWrite(t, do[1])
	case "hold":
		childHold(t, do[1])
	default:
		t.Skip("run by other tests, in a process of its own")
	}
}
