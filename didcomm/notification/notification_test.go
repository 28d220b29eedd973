package notification_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/internal/memtx"
	"github.com/staffpassport/staffpassport/didcomm/internal/printtest"
	"github.com/staffpassport/staffpassport/didcomm/notification"
)

func deliver(t *testing.T, v didcomm.Version, text string) (got []notification.Ack, err error) {
	t.Helper()
	m, err := didcomm.ParseMessage([]byte(text))
	require.NoError(t, err)
	n := memtx.NewNodeOf(v, "c")
	p := &notification.Protocol{Acked: func(_ context.Context, _ didcomm.Tx, _ didcomm.Connection, a notification.Ack) error {
		got = append(got, a)
		return nil
	}}
	err = n.Store.Deliver(t.Context(), p, "c", m)
	require.Empty(t, n.Store.TakeOutbox(), "an acknowledgement is never answered")
	require.NoError(t, (&notification.Protocol{}).Handle(t.Context(), nil, didcomm.Connection{}, &didcomm.Message{Type: didcomm.Type{Name: "empty"}, Version: didcomm.V2}))
	return got, err
}

const org = "https://didcomm.org/"

func TestAcks(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		v    didcomm.Version
		text string
		want []notification.Ack
	}{
		"RFC 0015": {didcomm.V1, `{"@type":"` + org + `notification/1.0/ack","@id":"1","status":"OK","~thread":{"thid":"t","sender_order":4,"received_orders":{"did:sov:abcxyz":3}}}`,
			[]notification.Ack{{Messages: []string{"t"}, Thread: "t"}}},
		"pending": {didcomm.V1, `{"@type":"` + org + `notification/1.1/ack","@id":"1","status":"PENDING","~thread":{"thid":"t"},"~please_ack":["RECEIPT"]}`,
			[]notification.Ack{{Messages: []string{"t"}, Thread: "t", Pending: true}}},
		"header": {didcomm.V2, `{"type":"` + org + `empty/1.0/empty","id":"1","thid":"t","ack":["abc","def"],"body":{}}`,
			[]notification.Ack{{Messages: []string{"abc", "def"}, Thread: "t"}}},
		"asks back":   {didcomm.V2, `{"type":"` + org + `empty/1.0/empty","id":"1","thid":"t","ack":["abc"],"please_ack":[""],"body":{}}`, []notification.Ack{{Messages: []string{"abc"}, Thread: "t"}}},
		"only asks":   {didcomm.V2, `{"type":"` + org + `empty/1.0/empty","id":"1","please_ack":[""],"body":{}}`, nil},
		"empty":       {didcomm.V2, `{"type":"` + org + `empty/1.0/empty","id":"1","body":{}}`, nil},
		"other name":  {didcomm.V1, `{"@type":"` + org + `notification/1.0/problem-report","@id":"1"}`, nil},
		"empty list":  {didcomm.V2, `{"type":"` + org + `empty/1.0/empty","id":"1","ack":[],"body":{}}`, nil},
		"full list":   {didcomm.V2, `{"type":"` + org + `empty/1.0/empty","id":"1","ack":[` + strings.Repeat(`"x",`, 63) + `"x"],"body":{}}`, []notification.Ack{{Messages: strings.Split(strings.Repeat("x,", 63)+"x", ","), Thread: "1"}}},
		"odd headers": {didcomm.V2, `{"type":"` + org + `empty/1.0/empty","id":"1","thid":"t","ack":["abc"],"x":{"y":[1]},"body":{"z":1}}`, []notification.Ack{{Messages: []string{"abc"}, Thread: "t"}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := deliver(t, tt.v, tt.text)
			require.NoError(t, err)
			require.Equal(t, tt.want, got)
		})
	}
}

func TestAcksThatAreNone(t *testing.T) {
	t.Parallel()
	for i, status := range []string{``, `,"status":""`, `,"status":"FAIL"`, `,"status":"ok"`, `,"status":1`} {
		got, err := deliver(t, didcomm.V1, fmt.Sprintf(`{"@type":"%snotification/1.0/ack","@id":"%d"%s}`, org, i, status))
		require.Error(t, err)
		require.Empty(t, got)
	}
	for i, ack := range []string{`"abc"`, `[1]`, `{}`, `[` + strings.Repeat(`"x",`, 64) + `"x"]`} {
		got, err := deliver(t, didcomm.V2, fmt.Sprintf(`{"type":"%sempty/1.0/empty","id":"%d","ack":%s,"body":{}}`, org, i, ack))
		require.ErrorIs(t, err, didcomm.ErrMalformed, ack)
		require.Empty(t, got)
	}
}

func TestPrint(t *testing.T) {
	t.Parallel()
	printtest.Check(t, nil, map[string]string{"Protocol": "configuration", "Ack": "identifiers"})
}
