package acks

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/didcomm"
)

func v1(body string) *didcomm.Message {
	return &didcomm.Message{ID: "1", Thread: "t", Type: didcomm.Type{Protocol: "toy", Major: 1, Name: "ping"}, Body: json.RawMessage(body)}
}

func v2(headers string) *didcomm.Message {
	m := v1("{}")
	m.Version, m.Headers = didcomm.V2, json.RawMessage(headers)
	return m
}

func TestWanted(t *testing.T) {
	t.Parallel()
	for _, m := range []*didcomm.Message{
		v1(`{"~please_ack":{"on":["RECEIPT"]}}`), v1(`{"~please_ack":["OUTCOME"]}`), v1(`{"~please_ack":{}}`), v1(`{"~please_ack":true}`),
		v2(`{"please_ack":[""]}`), v2(`{"please_ack":["abc","def"],"x":1}`),
	} {
		require.True(t, Wanted(m), "%s %s", string(m.Body), string(m.Headers))
		m.Type.Name = "ack"
		require.False(t, Wanted(m))
		m.Type.Name = "problem-report"
		require.False(t, Wanted(m))
	}
	many := `"x"`
	for range MaxIDs {
		many += `,"x"`
	}
	for _, m := range []*didcomm.Message{
		v1(`{}`), v1(`{"~please_ack":null}`), v1(`{"~please_ack":false}`), v1(`{"please_ack":[""]}`), v1(`not JSON`),
		v2(``), v2(`{}`), v2(`{"please_ack":[]}`), v2(`{"please_ack":"x"}`), v2(`{"please_ack":[1]}`), v2(`{"please_ack":[""],"ack":["x"]}`), v2(`{"please_ack":[` + many + `]}`),
	} {
		require.False(t, Wanted(m), "%s %s", string(m.Body), string(m.Headers))
	}
}

func TestAskAndAck(t *testing.T) {
	t.Parallel()
	for _, m := range []*didcomm.Message{v1(`{"a":1}`), v2(``)} {
		require.NoError(t, Ask(m))
		require.True(t, Wanted(m))
		ack, err := New("2", m)
		require.NoError(t, err)
		require.Equal(t, "t", ack.Thread)
		require.False(t, Wanted(ack))
		ids, done, err := Of(ack)
		require.NoError(t, err)
		require.True(t, done)
		require.Equal(t, map[bool][]string{true: {"1"}, false: {"t"}}[m.Version == didcomm.V2], ids)
	}
	require.Error(t, Ask(v1(`[]`)))
}
