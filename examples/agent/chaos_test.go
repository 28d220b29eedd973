package main

import (
	"context"
	"encoding/json"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/didcomm/runtime"
)

// fewPerCent is what the end-to-end tests of this package put up with.
const fewPerCent = "dup=0.04,reorder=0.03,delay=5ms,drop=0.03,unknown-fields=0.2,minor+1=0.2,seed="

// aFewPerCent is the same in order, for tests that wait until nothing is under way: what
// is held back so as to be overtaken is in nobody's outbox.
func aFewPerCent(t testing.TB) chaos {
	t.Helper()
	c, err := parseChaos(fewPerCent + "1")
	require.NoError(t, err)
	c.reorder = 0
	return c
}

func TestParseChaos(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]chaos{
		"":                          {},
		"dup=0.05":                  {dup: 0.05},
		"unknown-fields,minor+1":    {unknown: 1, minor: 1},
		"unknown-fields=0.5,drop=0": {unknown: 0.5},
		"dup=0.05,reorder=0.05,delay=200ms,drop=0.02,unknown-fields,minor+1": {dup: 0.05, reorder: 0.05, delay: 200 * time.Millisecond, drop: 0.02, unknown: 1, minor: 1},
		"seed=18446744073709551615,delay=10s":                                {seed: 1<<64 - 1, delay: 10 * time.Second},
	} {
		got, err := parseChaos(text)
		require.NoError(t, err, text)
		require.Equal(t, want, got, text)
	}
	for _, text := range []string{"dup", "dup=", "dup=x", "dup=-0.1", "dup=1.1", "dup=NaN", "drop=1", "delay", "delay=5", "delay=-1s", "delay=11s",
		"seed", "seed=-1", "minor", "minor+2", "unknown", "unknown-fields=", "unknown-fields=2", "Dup=0.1", "dup=0.1,", ",", " dup=0.1", "everything"} {
		_, err := parseChaos(text)
		require.Error(t, err, text)
		code, _, stderr := command(t, "demo", "-chaos", text)
		require.Equal(t, exitInvalid, code, text)
		require.Contains(t, stderr, "-chaos", text)
	}
}

func TestDemoAuto_HarshPeers(t *testing.T) {
	t.Parallel()
	code, stdout, stderr := command(t, "demo", "-auto", "-base-port", "0", "-chaos", "dup=0.2,reorder=0.1,delay=20ms,drop=0.1,unknown-fields,minor+1,seed=2")
	requireWalked(t, code, stdout, stderr)
}

func TestHarshPacker(t *testing.T) {
	t.Parallel()
	const v1 = `{"@type":"https://didcomm.org/toy/1.9/ping","@id":"1","~thread":{"thid":"2"},"text":"a<b"}`
	const v2 = `{"type":"https://didcomm.org/toy/2.0/ping","id":"1","body":{"text":"x"}}`
	all := harshPacker{chaos: chaos{unknown: 1, minor: 1}}
	var m map[string]any
	require.NoError(t, json.Unmarshal(all.changed([]byte(v1)), &m))
	require.Equal(t, "https://didcomm.org/toy/1.10/ping", m["@type"])
	require.Contains(t, m, "~chaos")
	require.Contains(t, m["~thread"], "x-chaos")
	require.Equal(t, "2", m["~thread"].(map[string]any)["thid"])
	require.Equal(t, "a<b", m["text"])
	m = nil
	require.NoError(t, json.Unmarshal(all.changed([]byte(v2)), &m))
	require.Equal(t, "https://didcomm.org/toy/2.1/ping", m["type"])
	require.Contains(t, m["body"], "x-chaos")
	require.NotContains(t, m, "@type")

	half := harshPacker{chaos: chaos{unknown: 0.5, minor: 0.5, seed: 3}}
	kinds := map[string]bool{}
	for i := range 100 {
		plaintext := []byte(`{"@type":"https://didcomm.org/toy/1.0/ping","@id":"` + string(rune('a'+i)) + `"}`)
		once := half.changed(plaintext)
		require.Equal(t, once, half.changed(plaintext), "the same each time")
		m = nil
		require.NoError(t, json.Unmarshal(once, &m))
		_, unknown := m["x-chaos"]
		kinds[m["@type"].(string)+" "+map[bool]string{true: "unknown"}[unknown]] = true
	}
	require.Len(t, kinds, 4)

	require.Equal(t, v1, string(harshPacker{}.changed([]byte(v1))))
	for _, odd := range []string{``, `[]`, `{"@type":1}`, `{"@type":"x"}`, `{"@type":"a/b"}`, `{"@type":"a/1.x/b"}`} {
		require.NotPanics(t, func() { all.changed([]byte(odd)) }, odd)
	}
}

// A line counts what comes over it.
type line struct {
	mu  sync.Mutex
	got []string
}

func (l *line) Send(_ context.Context, _ string, envelope []byte) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.got = append(l.got, string(envelope))
	return nil
}

func (l *line) all() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]string(nil), l.got...)
}

func TestHarshSender(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		over := func(c chaos, send ...string) (*line, []error, func()) {
			l := new(line)
			config := runtime.Config{Sender: l}
			end := c.harsh("staff", &config).end
			var errs []error
			for _, e := range send {
				errs = append(errs, config.Sender.Send(t.Context(), "", []byte(e)))
			}
			return l, errs, end
		}
		l, errs, end := over(chaos{dup: 1}, "a")
		require.Equal(t, []string{"a", "a"}, l.all())
		require.NoError(t, errs[0])
		end()

		l, _, end = over(chaos{reorder: 1}, "a")
		require.Empty(t, l.all())
		time.Sleep(time.Second)
		require.Equal(t, []string{"a"}, l.all())
		end()

		many := make([]string, 200)
		l, errs, end = over(chaos{drop: 0.5}, many...)
		var failed int
		for _, err := range errs {
			if err != nil {
				require.ErrorIs(t, err, errDropped)
				failed++
			}
		}
		require.Less(t, 200-failed, len(l.all()), "some arrived and seemed lost")
		require.Greater(t, failed, 50)
		require.Less(t, failed, 150)
		end()

		began := time.Now()
		_, _, end = over(chaos{delay: time.Second}, many...)
		require.Greater(t, time.Since(began), 50*time.Second)
		require.Less(t, time.Since(began), 150*time.Second)
		end()

		// What is held back when the party ends is sent then.
		l, _, end = over(chaos{reorder: 1}, "a")
		began = time.Now()
		end()
		require.Zero(t, time.Since(began))
		require.Equal(t, []string{"a"}, l.all())
	})
}

// The same seed is the same weather.
func TestHarshSenderIsDeterministic(t *testing.T) {
	t.Parallel()
	weather := func(seed uint64, role string) (out []roll) {
		config := runtime.Config{Sender: new(line)}
		defer chaos{drop: 0.1, seed: seed}.harsh(role, &config).end()
		for range 10 {
			out = append(out, config.Sender.(*harshSender).roll())
		}
		return out
	}
	require.Equal(t, weather(1, "staff"), weather(1, "staff"))
	require.NotEqual(t, weather(1, "staff"), weather(2, "staff"))
	require.NotEqual(t, weather(1, "staff"), weather(1, "host"))
}
