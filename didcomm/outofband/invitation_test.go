package outofband

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/did/didkey"
	"github.com/staffpassport/staffpassport/did/didpeer"
	"github.com/staffpassport/staffpassport/didcomm"
)

// frameworkInvitation is what aries-framework-go v0.3.2 writes.
const frameworkInvitation = `{"@id":"09ede429-f7ce-4da5-9634-cf7b2fa30d6f","@type":"https://didcomm.org/out-of-band/1.0/invitation",` +
	`"label":"issuer","goal":"Issue a staff passport","goal_code":"issue-vc","services":[{"id":"244520e4-48a8-4704-b523-96a5fb85893e",` +
	`"type":"did-communication","recipientKeys":["did:key:z6MkojqtZt8C65i8t1AddcannXyKTkFxfykRNdhhewAvUgXc"],` +
	`"serviceEndpoint":"http://127.0.0.1:9241"}],"accept":["didcomm/aip2;env=rfc19"],"handshake_protocols":["https://didcomm.org/didexchange/1.0"]}`

// rfcURL is the example of RFC 0434, "Example Out-of-Band Message Encoding".
const rfcURL = "http://example.com/ssi?oob=eyJAdHlwZSI6Imh0dHBzOi8vZGlkY29tbS5vcmcvb3V0LW9mLWJhbmQvMS4wL2ludml0YXRpb24iLCJAaWQiOiI2OTIxMmEzYS1kMDY4LTRmOWQtYTJkZC00NzQxYmNhODlhZjMiLCJsYWJlbCI6IkZhYmVyIENvbGxlZ2UiLCJnb2FsX2NvZGUiOiJpc3N1ZS12YyIsImdvYWwiOiJUbyBpc3N1ZSBhIEZhYmVyIENvbGxlZ2UgR3JhZHVhdGUgY3JlZGVudGlhbCIsImhhbmRzaGFrZV9wcm90b2NvbHMiOlsiaHR0cHM6Ly9kaWRjb21tLm9yZy9kaWRleGNoYW5nZS8xLjAiLCJodHRwczovL2RpZGNvbW0ub3JnL2Nvbm5lY3Rpb25zLzEuMCJdLCJzZXJ2aWNlcyI6WyJkaWQ6c292OkxqZ3BTVDJyanNveFllZ1FEUm03RUwiXX0"

var start = time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)

func resolver() did.Resolver {
	return did.Mux{"key": didkey.Resolver{}, "peer": didpeer.Resolver{}}
}

func key(t testing.TB, seed byte) ed25519.PublicKey {
	t.Helper()
	return ed25519.NewKeyFromSeed([]byte(strings.Repeat(string(rune(seed)), 32))).Public().(ed25519.PublicKey)
}

// made is what package connect hands over.
func made(t testing.TB) didcomm.Invitation {
	t.Helper()
	return didcomm.Invitation{
		Version: didcomm.V1, ID: "7a1e29b8-3f0e-4f6a-9c53-0d5a5f3c2b10", Label: "Alderbrook Hospital", GoalCode: "issue-vc", Goal: "To give you your staff passport",
		Request: didcomm.Type{Protocol: "didexchange", Major: 1, Minor: 1, Name: "request"},
		Service: didcomm.Service{Keys: []ed25519.PublicKey{key(t, 'a')}, Endpoint: "http://127.0.0.1:8401/didcomm"},
		Expires: start.Add(time.Hour),
	}
}

func TestURL_RoundTrip(t *testing.T) {
	t.Parallel()
	for _, base := range []string{"https://alderbrook.example/c", "http://127.0.0.1:8401/invitation?for=Hazel", "didcomm://invite"} {
		want := made(t)
		i, err := New(want)
		require.NoError(t, err)
		link, err := i.URL(base)
		require.NoError(t, err)
		require.NotContains(t, link, "=\n")
		back, err := ParseURL(link)
		require.NoError(t, err)
		require.Equal(t, i, back)
		got, err := back.Choose(t.Context(), resolver(), start)
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
}

func TestParseURL_Examples(t *testing.T) {
	t.Parallel()
	i, err := ParseURL(rfcURL)
	require.NoError(t, err)
	require.Equal(t, "69212a3a-d068-4f9d-a2dd-4741bca89af3", i.ID)
	require.Equal(t, "Faber College", i.Label)
	require.Equal(t, "issue-vc", i.GoalCode)
	require.Equal(t, []Service{{DID: "did:sov:LjgpST2rjsoxYegQDRm7EL"}}, i.Services)

	for name, encode := range map[string]func([]byte) string{
		"padded":   base64.URLEncoding.EncodeToString,
		"unpadded": base64.RawURLEncoding.EncodeToString,
		"escaped":  func(b []byte) string { return strings.ReplaceAll(base64.URLEncoding.EncodeToString(b), "=", "%3D") },
	} {
		for pad := range 3 { // every length of padding
			text := frameworkInvitation + strings.Repeat(" ", pad)
			i, err := ParseURL(" https://example.org/?x=1&oob=" + encode([]byte(text)) + "\n")
			require.NoError(t, err, name)
			got, err := i.Choose(t.Context(), resolver(), start)
			require.NoError(t, err, name)
			require.Equal(t, "http://127.0.0.1:9241", got.Service.Endpoint)
			require.Equal(t, "https://didcomm.org/didexchange/1.0/request", got.Request.String())
			require.Len(t, got.Service.Keys, 1)
		}
	}
}

func TestParseURL_Refused(t *testing.T) {
	t.Parallel()
	oob := func(s string) string {
		return "https://e.example/?oob=" + base64.RawURLEncoding.EncodeToString([]byte(s))
	}
	swap := func(old, new string) string {
		require.Contains(t, frameworkInvitation, old)
		return strings.Replace(frameworkInvitation, old, new, 1)
	}
	for name, link := range map[string]string{
		"empty":                 "",
		"no query":              "https://e.example/",
		"no oob":                "https://e.example/?c_i=e30",
		"empty oob":             "https://e.example/?oob=",
		"two oob":               rfcURL + "&oob=e30",
		"not a URL":             "http://[::1",
		"standard alphabet":     "https://e.example/?oob=" + strings.Repeat("%2B", 8),
		"wrong padding":         oob(frameworkInvitation) + "=",
		"line break":            "https://e.example/?oob=e30%0A",
		"not JSON":              oob("hello"),
		"not an object":         oob("[]"),
		"duplicate member":      oob(swap(`"label":"issuer"`, `"label":"issuer","label":"x"`)),
		"no type":               oob(swap(`"@type"`, `"@typ"`)),
		"no id":                 oob(swap(`"@id"`, `"@i"`)),
		"other protocol":        oob(swap(`out-of-band/1.0`, `connections/1.0`)),
		"other message":         oob(swap(`/invitation"`, `/handshake-reuse"`)),
		"version 2":             oob(swap(`out-of-band/1.0`, `out-of-band/2.0`)),
		"no services":           oob(swap(`"services"`, `"service"`)),
		"services not a list":   oob(swap(`"services":[{`, `"services":{"a":[{`) + "}"),
		"service a number":      oob(swap(`"services":[`, `"services":[1,`)),
		"nothing to answer":     oob(swap(`"handshake_protocols"`, `"handshakes"`)),
		"label a number":        oob(swap(`"label":"issuer"`, `"label":1`)),
		"expiry without a zone": oob(swap(`"label":"issuer"`, `"~timing":{"expires_time":"2026-11-02T09:00:00"}`)),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := ParseURL(link)
			require.ErrorIs(t, err, ErrMalformed)
			require.Equal(t, "malformed-invitation", code(t, err))
		})
	}
}

func TestChoose(t *testing.T) {
	t.Parallel()
	peer, err := didpeer.NewDIDComm(key(t, 'p'), "https://peer.example/didcomm", nil)
	require.NoError(t, err)
	inline := func(change func(*Service)) Service {
		i, err := New(made(t))
		require.NoError(t, err)
		s := i.Services[0]
		if change != nil {
			change(&s)
		}
		return s
	}
	with := func(services ...Service) func(*Invitation) {
		return func(i *Invitation) { i.Services = services }
	}
	for _, c := range []struct {
		name     string
		change   func(*Invitation)
		endpoint string
		want     error
	}{
		{"inline", nil, "http://127.0.0.1:8401/didcomm", nil},
		{"type left out", with(inline(func(s *Service) { s.Type = "" })), "http://127.0.0.1:8401/didcomm", nil},
		{"key with fragment", with(inline(func(s *Service) {
			s.RecipientKeys[0] += "#" + strings.TrimPrefix(s.RecipientKeys[0], "did:key:")
		})), "http://127.0.0.1:8401/didcomm", nil},
		{"did:peer:4", with(Service{DID: peer.String()}), "https://peer.example/didcomm", nil},
		{"first that works", with(Service{DID: "did:sov:LjgpST2rjsoxYegQDRm7EL"}, inline(func(s *Service) { s.Endpoint = "ftp://x.example" }),
			Service{DID: peer.String()}), "https://peer.example/didcomm", nil},
		{"profile among others", func(i *Invitation) { i.Accept = []string{"didcomm/v2", "didcomm/aip2; env=rfc19"} }, "http://127.0.0.1:8401/didcomm", nil},
		{"aip1 alone", func(i *Invitation) { i.Accept = []string{"didcomm/aip1"} }, "http://127.0.0.1:8401/didcomm", nil},
		{"no profiles", func(i *Invitation) { i.Accept = nil }, "http://127.0.0.1:8401/didcomm", nil},
		{"handshake among others", func(i *Invitation) {
			i.Handshakes = []string{"https://didcomm.org/connections/1.0", "did:sov:BzCbsNYhMrjHiqZDTUASHg;spec/didexchange/1.0"}
		}, "http://127.0.0.1:8401/didcomm", nil},
		{"connections", func(i *Invitation) { i.Handshakes = []string{"https://didcomm.org/connections/1.0"} }, "http://127.0.0.1:8401/didcomm", nil},
		{"websocket", with(inline(func(s *Service) { s.Endpoint = "wss://x.example/ws" })), "wss://x.example/ws", nil},
		{"newer minor version", func(i *Invitation) { i.Minor = 7; i.Handshakes = []string{"https://didcomm.org/didexchange/1.7"} }, "http://127.0.0.1:8401/didcomm", nil},

		{"other handshake", func(i *Invitation) {
			i.Handshakes = []string{"https://didcomm.org/connections/2.0", "https://didcomm.org/trust_ping/1.0"}
		}, "", ErrUnsupported},
		{"newer handshake", func(i *Invitation) { i.Handshakes = []string{"https://didcomm.org/didexchange/2.0"} }, "", ErrUnsupported},
		{"handshake no URI", func(i *Invitation) { i.Handshakes = []string{"didexchange"} }, "", ErrUnsupported},
		{"other service type", with(inline(func(s *Service) { s.Type = "DIDCommMessaging" })), "", ErrUnsupported},
		{"service profiles unknown", with(inline(func(s *Service) { s.Accept = []string{"didcomm/v2"} })), "", ErrUnsupported},
		{"no recipient key", with(inline(func(s *Service) { s.RecipientKeys = nil })), "", ErrUnsupported},
		{"bare verkey", with(inline(func(s *Service) { s.RecipientKeys = []string{"8HH5gYEeNc3z7PYXmd54d4x6qAfCNrqQqEB3nS7Zfu7K"} })), "", ErrUnsupported},
		{"P-256 recipient", with(inline(func(s *Service) {
			s.RecipientKeys = []string{"did:key:zDnaerDaTF5BXEavCrfRZEk316dpbLsfPDZ3WJ5hRTPFU2169"}
		})), "", ErrUnsupported},
		{"bad routing key", with(inline(func(s *Service) { s.RoutingKeys = []string{"did:key:z6Mk"} })), "", ErrUnsupported},
		{"17 recipients", with(inline(func(s *Service) {
			for range 16 {
				s.RecipientKeys = append(s.RecipientKeys, s.RecipientKeys[0])
			}
		})), "", ErrUnsupported},
		{"no endpoint", with(inline(func(s *Service) { s.Endpoint = "" })), "", ErrUnsupported},
		{"endpoint a DID", with(inline(func(s *Service) { s.Endpoint = peer.String() })), "", ErrUnsupported},
		{"endpoint a file", with(inline(func(s *Service) { s.Endpoint = "file:///etc/passwd" })), "", ErrUnsupported},
		{"endpoint with a password", with(inline(func(s *Service) { s.Endpoint = "https://a:b@c.example/" })), "", ErrUnsupported},
		{"DID unknown", with(Service{DID: "did:sov:LjgpST2rjsoxYegQDRm7EL"}), "", ErrUnsupported},
		{"DID without service", with(Service{DID: "did:key:z6MkojqtZt8C65i8t1AddcannXyKTkFxfykRNdhhewAvUgXc"}), "", ErrUnsupported},
		{"DID malformed", with(Service{DID: "did"}), "", ErrUnsupported},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			i, err := New(made(t))
			require.NoError(t, err)
			if c.change != nil {
				c.change(i)
			}
			plaintext, err := i.Plaintext()
			require.NoError(t, err)
			i, err = Parse(plaintext)
			require.NoError(t, err)
			got, err := i.Choose(t.Context(), resolver(), start)
			if c.want != nil {
				require.ErrorIs(t, err, c.want)
				require.Equal(t, "unsupported-invitation", code(t, err))
				return
			}
			require.NoError(t, err)
			require.Equal(t, c.endpoint, got.Service.Endpoint)
			require.LessOrEqual(t, got.Request.Minor, 1)
		})
	}
}

// TestChoose_Mediator: what goes to an inviter behind a mediator is wrapped for that.
func TestChoose_Mediator(t *testing.T) {
	t.Parallel()
	want := made(t)
	want.Service.RoutingKeys = []ed25519.PublicKey{key(t, 'm'), key(t, 'n')}
	i, err := New(want)
	require.NoError(t, err)
	got, err := i.Choose(t.Context(), resolver(), start)
	require.NoError(t, err)
	require.Equal(t, want, got)
	for name, ref := range map[string]string{
		"no DID": "8HH5gYEeNc3z7PYXmd54d4x6qAfCNrqQqEB3nS7Zfu7K", "X25519": "did:key:z6LSbysY2xFMRpGMhb7tFTLMpeuPRaqaWM1yECx2AtzE3KCc",
		"of a document": "did:web:mediator.example#key-1",
	} {
		i.Services[0].RoutingKeys = []string{ref}
		_, err = i.Choose(t.Context(), resolver(), start)
		require.ErrorIs(t, err, ErrUnsupported, name)
	}
}

// down is a resolver that cannot tell.
type down struct{}

func (down) Resolve(context.Context, did.DID, did.Version) (*did.Resolution, error) {
	return nil, fmt.Errorf("%w: test", did.ErrUnavailable)
}

func TestChoose_Unavailable(t *testing.T) {
	t.Parallel()
	i, err := New(made(t))
	require.NoError(t, err)
	i.Services = []Service{{DID: "did:web:alderbrook.example"}}
	_, err = i.Choose(t.Context(), down{}, start)
	require.ErrorIs(t, err, did.ErrUnavailable)
	require.NotErrorIs(t, err, ErrUnsupported)
}

func TestParse_Tolerates(t *testing.T) {
	t.Parallel()
	text := strings.Replace(frameworkInvitation, `"label":"issuer"`,
		`"label":"`+strings.Repeat("é", 400)+`","requests~attach":[{"@id":"r","data":{"json":{"a":1}}}],"~l10n":{"locale":"en"},"imageUrl":"x"`, 1)
	i, err := Parse([]byte(text))
	require.NoError(t, err)
	require.Equal(t, strings.Repeat("é", 256), i.Label)

	only := strings.Replace(frameworkInvitation, `"handshake_protocols":["https://didcomm.org/didexchange/1.0"]`, `"requests~attach":[{"@id":"r"}]`, 1)
	i, err = Parse([]byte(only))
	require.NoError(t, err)
	_, err = i.Choose(t.Context(), resolver(), start)
	require.ErrorIs(t, err, ErrUnsupported, "no connectionless exchange")
}

// TestAbuse_DC11_Invitation: the half of DC-11 that is seen before anything is
// recorded. Reuse is refused by package connect.
func TestAbuse_DC11_Invitation(t *testing.T) {
	t.Parallel()
	t.Run("expired", func(t *testing.T) {
		t.Parallel()
		i, err := New(made(t))
		require.NoError(t, err)
		for _, at := range []time.Duration{time.Hour, time.Hour + time.Nanosecond, 1000 * time.Hour} {
			_, err = i.Choose(t.Context(), resolver(), start.Add(at))
			require.ErrorIs(t, err, ErrExpired)
			require.Equal(t, "expired-invitation", code(t, err))
		}
		_, err = i.Choose(t.Context(), resolver(), start.Add(time.Hour-time.Nanosecond))
		require.NoError(t, err)
	})
	t.Run("64 KiB", func(t *testing.T) {
		t.Parallel()
		text := strings.Replace(frameworkInvitation, "issuer", strings.Repeat("x", 64<<10-len(frameworkInvitation)+len("issuer")), 1)
		require.Len(t, text, 64<<10)
		link := "https://e.example/?oob=" + base64.RawURLEncoding.EncodeToString([]byte(text))
		for _, err := range []error{second(Parse([]byte(text))), second(ParseURL(link)), second(ParseURL(link[:64<<10]))} {
			require.ErrorIs(t, err, ErrTooLarge)
			require.Equal(t, "oversized-invitation", code(t, err))
		}
		i, err := New(made(t))
		require.NoError(t, err)
		i.Goal = strings.Repeat("x", 64<<10)
		_, err = i.URL("https://e.example/")
		require.ErrorIs(t, err, ErrTooLarge)
	})
	t.Run("at the limit", func(t *testing.T) {
		t.Parallel()
		for n, want := range map[int]error{maxPlaintext: nil, maxPlaintext + 1: ErrTooLarge} {
			text := strings.Replace(frameworkInvitation, "issuer", strings.Repeat("x", n-len(frameworkInvitation)+len("issuer")), 1)
			require.Len(t, text, n)
			require.ErrorIs(t, second(Parse([]byte(text))), want)
		}
		for n, want := range map[int]error{maxURL: nil, maxURL + 1: ErrTooLarge} {
			link := "https://e.example/?oob=" + base64.RawURLEncoding.EncodeToString([]byte(frameworkInvitation)) + "&x="
			link += strings.Repeat("x", n-len(link))
			require.ErrorIs(t, second(ParseURL(link)), want)
		}
	})
	t.Run("many services", func(t *testing.T) {
		t.Parallel()
		i, err := New(made(t))
		require.NoError(t, err)
		for range maxList {
			i.Services = append(i.Services, Service{DID: "did:key:z6MkojqtZt8C65i8t1AddcannXyKTkFxfykRNdhhewAvUgXc"})
		}
		plaintext, err := i.Plaintext()
		require.NoError(t, err)
		require.ErrorIs(t, second(Parse(plaintext)), ErrTooLarge)
	})
	for _, profiles := range [][]string{{"didcomm/v2"}, {"didcomm/aip2;env=rfc587"}, {"didcomm/aip3"}, {""}, {"DIDCOMM/AIP1", "x"}} {
		t.Run(fmt.Sprint("profiles ", profiles), func(t *testing.T) {
			t.Parallel()
			i, err := New(made(t))
			require.NoError(t, err)
			i.Accept = profiles
			_, err = i.Choose(t.Context(), resolver(), start)
			require.ErrorIs(t, err, ErrUnsupported)
			require.Equal(t, "unsupported-invitation", code(t, err))
		})
	}
}

// FuzzParseURL: never a panic, and what was read is written and read the same.
func FuzzParseURL(f *testing.F) {
	f.Add(rfcURL)
	f.Add("https://e.example/?oob=" + base64.URLEncoding.EncodeToString([]byte(frameworkInvitation)))
	i, err := New(made(f))
	require.NoError(f, err)
	link, err := i.URL("https://e.example/c?d=e")
	require.NoError(f, err)
	f.Add(link)
	f.Add("https://e.example/?oob=e30")
	f.Add("didcomm://?oob=")
	f.Fuzz(func(t *testing.T, link string) {
		i, err := ParseURL(link)
		if err != nil {
			var p *didcomm.Problem
			require.ErrorAs(t, err, &p)
			return
		}
		again, err := i.URL("https://e.example/")
		if errors.Is(err, ErrTooLarge) { // escapes can be longer than what they stand for
			return
		}
		require.NoError(t, err)
		back, err := ParseURL(again)
		require.NoError(t, err)
		require.Equal(t, i, back)
		_, _ = i.Choose(t.Context(), resolver(), start)
	})
}

func second(_ *Invitation, err error) error { return err }

func code(t testing.TB, err error) string {
	t.Helper()
	var p *didcomm.Problem
	require.ErrorAs(t, err, &p)
	require.NotEmpty(t, p.Comment)
	return p.Code
}
