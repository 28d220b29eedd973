package revocation_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/internal/memtx"
	"github.com/staffpassport/staffpassport/didcomm/internal/printtest"
	"github.com/staffpassport/staffpassport/didcomm/revocation"
)

const org = "https://didcomm.org/"

// holder holds a credential that was issued on connection "c" in thread "issued", and
// has another connection.
func holder(v didcomm.Version) (*memtx.Node, *revocation.Protocol, *[]revocation.Notice) {
	n := memtx.NewNodeOf(v, "c")
	n.ConnectOf(v, "other", true)
	var got []revocation.Notice
	p := &revocation.Protocol{
		Holds: func(_ didcomm.Tx, c didcomm.Connection, n revocation.Notice) (bool, error) {
			return c.ID == "c" && (n.Thread == "issued" || n.CredentialFormat == revocation.FormatCredential && n.Credential == "urn:uuid:1"), nil
		},
		Notified: func(_ context.Context, _ didcomm.Tx, _ didcomm.Connection, n revocation.Notice) error {
			got = append(got, n)
			return nil
		},
	}
	n.Handler = p
	return n, p, &got
}

func parse(t testing.TB, text string) *didcomm.Message {
	t.Helper()
	m, err := didcomm.ParseMessage([]byte(text))
	require.NoError(t, err)
	return m
}

// acknowledging takes what the holder answers.
type acknowledging struct{ got []*didcomm.Message }

func (a *acknowledging) Handle(_ context.Context, _ didcomm.Tx, _ didcomm.Connection, m *didcomm.Message) error {
	a.got = append(a.got, m)
	return nil
}

func notify(t *testing.T, n *memtx.Node, p *revocation.Protocol, notice revocation.Notice) (id string, err error) {
	t.Helper()
	err = n.Store.Update(t.Context(), func(tx didcomm.Tx) error {
		c, err := tx.Connection("c")
		require.NoError(t, err)
		id, err = p.Notify(tx, c, notice)
		return err
	})
	return id, err
}

func TestNotifyAndAcknowledge(t *testing.T) {
	t.Parallel()
	for v, ack := range map[didcomm.Version]string{didcomm.V1: "notification/1.0/ack", didcomm.V2: "empty/1.0/empty"} {
		for name, notice := range map[string]revocation.Notice{
			"1.0/revoke":   {Thread: "issued", Comment: "The reed by the river"},
			"2.0/revoke":   {CredentialFormat: revocation.FormatCredential, Credential: "urn:uuid:1"},
			"2.1/unrevoke": {CredentialFormat: revocation.FormatCredential, Credential: "urn:uuid:1", Restored: true},
		} {
			issuer, acks := memtx.NewNodeOf(v, "c"), new(acknowledging)
			issuer.Handler = acks
			n, _, got := holder(v)
			id, err := notify(t, issuer, new(revocation.Protocol), notice)
			require.NoError(t, err)
			trace, err := memtx.Settle(t.Context(), issuer, n)
			require.NoError(t, err)
			require.Len(t, trace, 2, "and the acknowledgement is not acknowledged")
			require.Equal(t, org+"revocation_notification/"+name, trace[0].Type.String())
			require.Equal(t, org+ack, trace[1].Type.String())
			require.Equal(t, id, trace[1].Thread)
			if v == didcomm.V2 {
				require.JSONEq(t, `{"ack":["`+id+`"]}`, string(trace[1].Headers))
				require.JSONEq(t, `{"please_ack":[""]}`, string(trace[0].Headers))
			} else {
				require.JSONEq(t, `{"status":"OK"}`, string(trace[1].Body))
				require.Contains(t, string(trace[0].Body), `"~please_ack"`)
			}
			require.Equal(t, []revocation.Notice{notice}, *got)
			require.Equal(t, []didcomm.Event{{Action: "revocation/notice", Outcome: "ok", Connection: "c", Thread: id}}, n.Store.Events())
		}
	}
}

// Only whoever issued a credential that is held is heard, and nobody else learns from the
// answer what is held.
func TestNoticesOfOthers(t *testing.T) {
	t.Parallel()
	for _, v := range []didcomm.Version{didcomm.V1, didcomm.V2} {
		n, p, got := holder(v)
		wrap := func(id, typ, body string) *didcomm.Message {
			if v == didcomm.V2 {
				return parse(t, `{"id":"`+id+`","type":"`+org+`revocation_notification/`+typ+`","please_ack":[""],"body":{`+body+`}}`)
			}
			return parse(t, `{"@id":"`+id+`","@type":"`+org+`revocation_notification/`+typ+`","~please_ack":["RECEIPT","OUTCOME"],`+body+`}`)
		}
		for id, tt := range map[string]struct{ connection, typ, body string }{
			"another-peer":       {"other", "1.0/revoke", `"thread_id":"issued"`},
			"another-thread":     {"c", "1.0/revoke", `"thread_id":"not-issued"`},
			"anoncreds-in-1.0":   {"c", "1.0/revoke", `"thread_id":"indy::AsB27X6KRrJFsqZ3unNAH6:4:CL_ACCUM::1"`},
			"anoncreds":          {"c", "2.0/revoke", `"revocation_format":"indy-anoncreds","credential_id":"AsB27X6KRrJFsqZ3unNAH6:4::1"`},
			"another-credential": {"c", "2.1/unrevoke", `"revocation_format":"w3c-vc","credential_id":"urn:uuid:2"`},
			"peer-of-another":    {"other", "2.0/revoke", `"revocation_format":"w3c-vc","credential_id":"urn:uuid:1"`},
		} {
			before := n.Store.Snapshot()
			require.NoError(t, n.Store.Deliver(t.Context(), p, tt.connection, wrap(id, tt.typ, tt.body)), id)
			require.Equal(t, before, n.Store.Snapshot())
			require.Empty(t, n.Store.TakeOutbox(), id)
		}
		require.Empty(t, *got)
		for _, e := range n.Store.Events() {
			require.Equal(t, "not-held", e.Outcome)
		}
	}
}

// As other agents write it.
func TestNoticesOfOtherMakes(t *testing.T) {
	t.Parallel()
	n, p, got := holder(didcomm.V1)
	for i, tt := range []struct {
		text  string
		acked bool
	}{
		{`"@type":"` + org + `revocation_notification/1.0/revoke","thread_id":"issued","comment":"x"`, false},
		{`"@type":"` + org + `revocation_notification/1.4/revoke","thread_id":"issued","x":{}`, false},
		{`"@type":"` + org + `revocation_notification/1.0/revoke","thread_id":"issued","~please_ack":["RECEIPT"]`, true},
		{`"@type":"` + org + `revocation_notification/1.0/revoke","thread_id":"issued","~please_ack":{"on":["OUTCOME"]}`, true},
		{`"@type":"` + org + `revocation_notification/1.0/revoke","thread_id":"issued","~please_ack":{}`, true},
		{`"@type":"` + org + `revocation_notification/1.0/revoke","thread_id":"issued","~please_ack":null`, false},
		{`"@type":"` + org + `revocation_notification/2.0/revoke","revocation_format":"w3c-vc","credential_id":"urn:uuid:1"`, false},
	} {
		require.NoError(t, n.Store.Deliver(t.Context(), p, "c", parse(t, `{"@id":"`+string(rune('a'+i))+`",`+tt.text+`}`)), tt.text)
		require.Len(t, *got, i+1)
		require.Equal(t, tt.acked, len(n.Store.TakeOutbox()) == 1, tt.text)
	}
}

func TestRefuses(t *testing.T) {
	t.Parallel()
	n, p, got := holder(didcomm.V1)
	deliver := func(id, text string) error {
		return n.Store.Deliver(t.Context(), p, "c", parse(t, `{"@id":"`+strings.ReplaceAll(id, " ", "-")+`","@type":"`+org+`revocation_notification/`+text+`}`))
	}
	for id, text := range map[string]string{
		"no thread":             `1.0/revoke"`,
		"empty thread":          `1.0/revoke","thread_id":""`,
		"thread of two words":   `1.0/revoke","thread_id":"a b"`,
		"long thread":           `1.0/revoke","thread_id":"` + strings.Repeat("x", 1025) + `"`,
		"no format":             `2.0/revoke","credential_id":"x"`,
		"no credential":         `2.0/revoke","revocation_format":"x"`,
		"a thread in 2.0":       `2.0/revoke","thread_id":"issued"`,
		"control characters":    `2.0/unrevoke","revocation_format":"x","credential_id":"a\u0000"`,
		"another message":       `1.0/revoked","thread_id":"issued"`,
		"unrevoke in version 1": `1.0/unrevoke","thread_id":"issued"`,
	} {
		var problem *didcomm.Problem
		require.True(t, errors.As(deliver(id, text), &problem), id)
	}
	for id, text := range map[string]string{
		"thread no text": `1.0/revoke","thread_id":1`, "format no text": `2.0/revoke","revocation_format":[],"credential_id":"x"`,
		"comment no text": `1.0/revoke","thread_id":"issued","comment":{}`,
	} {
		require.ErrorIs(t, deliver(id, text), didcomm.ErrMalformed, id)
	}
	require.Empty(t, *got)

	failing := errors.New("disk full")
	p.Notified = func(context.Context, didcomm.Tx, didcomm.Connection, revocation.Notice) error { return failing }
	require.ErrorIs(t, deliver("kept", `1.0/revoke","thread_id":"issued"`), failing)
	p.Holds = func(didcomm.Tx, didcomm.Connection, revocation.Notice) (bool, error) { return false, failing }
	require.ErrorIs(t, deliver("held", `1.0/revoke","thread_id":"issued"`), failing)
	p.Holds = nil
	var problem *didcomm.Problem
	require.True(t, errors.As(deliver("issuer", `1.0/revoke","thread_id":"issued"`), &problem), "who holds nothing")

	for _, notice := range []revocation.Notice{{}, {Restored: true}, {Restored: true, Thread: "issued"}, {Credential: "x"}, {CredentialFormat: "x"}, {Thread: "a b"}, {Thread: strings.Repeat("x", 1025)}} {
		_, err := notify(t, n, p, notice)
		require.ErrorIs(t, err, revocation.ErrNotice)
	}
}

func TestPrint(t *testing.T) {
	t.Parallel()
	printtest.Check(t, []any{revocation.Notice{}}, map[string]string{"Protocol": "configuration"})
}

func FuzzHandle(f *testing.F) {
	f.Add([]byte(`{"thread_id":"issued","comment":"x","~please_ack":["RECEIPT"]}`), 1, "revoke")
	f.Add([]byte(`{"revocation_format":"w3c-vc","credential_id":"urn:uuid:1"}`), 2, "unrevoke")
	f.Fuzz(func(t *testing.T, body []byte, major int, name string) {
		n, p, _ := holder(didcomm.V1)
		m := &didcomm.Message{ID: "1", Thread: "1", Type: didcomm.Type{Protocol: "revocation_notification", Major: major, Name: name}, Body: body}
		_ = n.Store.Update(t.Context(), func(tx didcomm.Tx) error {
			c, err := tx.Connection("c")
			require.NoError(t, err)
			return p.Handle(t.Context(), tx, c, m)
		})
	})
}
