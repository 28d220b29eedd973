package exchange

import (
	"errors"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/didcomm"
)

func TestID(t *testing.T) {
	t.Parallel()
	require.Equal(t, ID("a", "b"), ID("a", "b"))
	for _, other := range [][]string{{"ab"}, {"b", "a"}, {"a", "b", ""}, {"a1:b"}, {}} {
		require.NotEqual(t, ID("a", "b"), ID(other...))
	}
	require.Len(t, ID("a"), 24)
}

func TestClip(t *testing.T) {
	t.Parallel()
	require.Equal(t, "short", Clip("short"))
	s := Clip("x" + strings.Repeat("é", MaxText))
	require.True(t, utf8.ValidString(s))
	require.Len(t, s, MaxText-1)
}

func TestExpired(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)
	require.False(t, Expired(time.Time{}, at))
	require.False(t, Expired(at, at.Add(-1)))
	require.True(t, Expired(at, at))
	require.True(t, Expired(at, at.Add(1)))
}

func TestAcknowledged(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]bool{`{"status":"OK"}`: true, `{"status":"OK","x":1}`: true, `{"status":"PENDING"}`: false} {
		done, err := Acknowledged(&didcomm.Message{Body: []byte(body)})
		require.NoError(t, err, body)
		require.Equal(t, want, done, body)
	}
	for _, body := range []string{`{}`, `{"status":""}`, `{"status":"ok"}`, `{"status":"FAIL"}`, `{"status":1}`, `{"Status":"OK"}`, `[]`, ``} {
		done, err := Acknowledged(&didcomm.Message{Body: []byte(body)})
		var p *didcomm.Problem
		require.True(t, errors.As(err, &p), body)
		require.False(t, done, body)
		require.True(t, strings.HasPrefix(p.Code, "w."), "a warning: the exchange goes on")
	}
}
