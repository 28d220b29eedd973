package discover_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/discover"
	"github.com/staffpassport/staffpassport/didcomm/internal/memtx"
	"github.com/staffpassport/staffpassport/didcomm/internal/printtest"
)

const org = "https://didcomm.org/"

// features are those of the answering party.
func features(didcomm.Connection) []discover.Feature {
	return append(discover.Protocols(
		didcomm.Type{Protocol: "issue-credential", Major: 2},
		didcomm.Type{Protocol: "didexchange", Major: 1, Minor: 1},
	), discover.Feature{Type: discover.TypeGoalCode, ID: "issue-vc"},
		discover.Feature{Type: discover.TypeHeader, ID: "return_route"},
		discover.Feature{Type: discover.TypeVersion, ID: "https://github.com/hyperledger/aries-rfcs"},
		discover.Feature{Type: discover.TypeConstraint, ID: "max_receive_bytes", Value: "65536"})
}

func party(v didcomm.Version) (*memtx.Node, *discover.Protocol, *[]discover.Disclosure) {
	n := memtx.NewNodeOf(v, "c")
	n.ConnectOf(v, "other", true)
	var got []discover.Disclosure
	p := &discover.Protocol{Store: &n.Store, Features: features, Disclosed: func(_ context.Context, _ didcomm.Tx, _ didcomm.Connection, d discover.Disclosure) error {
		slices.SortFunc(d.Features, func(a, b discover.Feature) int { return strings.Compare(a.ID, b.ID) })
		got = append(got, d)
		return nil
	}}
	n.Handler = p
	return n, p, &got
}

func parse(t testing.TB, text string) *didcomm.Message {
	t.Helper()
	m, err := didcomm.ParseMessage([]byte(text))
	require.NoError(t, err)
	return m
}

func TestAskAndDisclose(t *testing.T) {
	t.Parallel()
	for v, answer := range map[didcomm.Version]string{didcomm.V1: "disclosures", didcomm.V2: "disclose"} {
		a, p, got := party(v)
		b, _, _ := party(v)
		thread, err := p.Ask(t.Context(), "c", discover.Query{Type: discover.TypeProtocol, Match: org + "didexchange/1.*"},
			discover.Query{Type: discover.TypeConstraint, Match: "max_receive_bytes"}, discover.Query{Type: "decorator", Match: "return_route"})
		require.NoError(t, err)
		trace, err := memtx.Settle(t.Context(), a, b)
		require.NoError(t, err)
		require.Len(t, trace, 2)
		require.Equal(t, org+"discover-features/2.0/queries", trace[0].Type.String())
		require.Equal(t, org+"discover-features/2.0/"+answer, trace[1].Type.String())
		require.Equal(t, []discover.Disclosure{{Thread: thread, Asked: true, Features: []discover.Feature{
			{Type: "protocol", ID: org + "didexchange/1.0"}, {Type: "protocol", ID: org + "didexchange/1.1"},
			{Type: "constraint", ID: "max_receive_bytes", Value: "65536"}, {Type: "header", ID: "return_route"},
		}}}, *got)
		require.Empty(t, a.Store.Records("discover"))
	}
}

func TestAskInVersion1(t *testing.T) {
	t.Parallel()
	a, p, got := party(didcomm.V1)
	b, _, _ := party(didcomm.V1)
	thread, err := p.AskProtocols(t.Context(), "c", org+"issue-credential/*")
	require.NoError(t, err)
	trace, err := memtx.Settle(t.Context(), a, b)
	require.NoError(t, err)
	require.Equal(t, org+"discover-features/1.0/query", trace[0].Type.String())
	require.Equal(t, org+"discover-features/1.0/disclose", trace[1].Type.String())
	require.Equal(t, []discover.Disclosure{{Thread: thread, Asked: true, Features: []discover.Feature{{Type: "protocol", ID: org + "issue-credential/2.0"}}}}, *got)
	_, p, _ = party(didcomm.V2)
	_, err = p.AskProtocols(t.Context(), "c", org+"issue-credential/*")
	require.ErrorIs(t, err, discover.ErrQuery)
}

// asked returns what is disclosed to one question.
func asked(t *testing.T, p *discover.Protocol, n *memtx.Node, id, typ, match string) []string {
	t.Helper()
	query, err := json.Marshal(map[string]string{"feature-type": typ, "match": match})
	require.NoError(t, err)
	m := parse(t, `{"@type":"`+org+`discover-features/2.0/queries","@id":"`+id+`","queries":[`+string(query)+`,`+string(query)+`]}`)
	require.NoError(t, n.Store.Deliver(t.Context(), p, "c", m))
	out := n.Store.TakeOutbox()
	require.Len(t, out, 1)
	require.Equal(t, id, out[0].Message.Thread)
	var body struct {
		Disclosures []struct {
			ID string `json:"id"`
		} `json:"disclosures"`
	}
	require.NoError(t, json.Unmarshal(out[0].Message.Body, &body))
	require.NotNil(t, body.Disclosures, "an empty list and not none")
	ids := []string{}
	for _, d := range body.Disclosures {
		ids = append(ids, strings.TrimPrefix(d.ID, org))
	}
	slices.Sort(ids)
	return ids
}

func TestMatching(t *testing.T) {
	t.Parallel()
	n, p, _ := party(didcomm.V1)
	p.Trust = func(didcomm.Connection) bool { return true }
	for i, tt := range []struct {
		typ, match string
		want       []string
	}{
		{"protocol", "*", []string{"didexchange/1.0", "didexchange/1.1", "issue-credential/2.0"}},
		{"protocol", org + "*", []string{"didexchange/1.0", "didexchange/1.1", "issue-credential/2.0"}},
		{"protocol", "*.0", []string{"didexchange/1.0", "issue-credential/2.0"}},
		{"protocol", "*credential*", []string{"issue-credential/2.0"}},
		{"protocol", org + "didexchange/1.1", []string{"didexchange/1.1"}},
		{"protocol", org + "didexchange/1.1*", []string{"didexchange/1.1"}},
		{"protocol", org + "didexchange/1.0", []string{"didexchange/1.0"}},
		{"protocol", org + "didexchange/1.", []string{}},
		{"protocol", org + "didexchange/2.*", []string{}},
		{"protocol", "didexchange/*", []string{}},
		{"protocol", "*a*b*c*d*e", []string{}},
		{"protocol", "", []string{}},
		{"protocol", strings.Repeat("*", 4), []string{"didexchange/1.0", "didexchange/1.1", "issue-credential/2.0"}},
		{"protocol", strings.Repeat("*", 5), []string{}},
		{"protocol", org + "*" + strings.Repeat("x", 300), []string{}},
		{"goal-code", "issue*", []string{"issue-vc"}},
		{"header", "*", []string{"return_route"}},
		{"decorator", "return*", []string{"return_route"}},
		{"didcomm-version", "*", []string{"https://github.com/hyperledger/aries-rfcs"}},
		{"gov-fw", "*", []string{}},
		{"", "*", []string{}},
		{"something-new", "*", []string{}},
	} {
		require.Equal(t, tt.want, asked(t, p, n, fmt.Sprint("q", i), tt.typ, tt.match), tt)
	}
}

// Nobody takes an agent's fingerprint: who asks has to name what it wants to know, and
// the order says nothing.
func TestFingerprinting(t *testing.T) {
	t.Parallel()
	n, p, _ := party(didcomm.V1)
	for i, tt := range []struct {
		typ, match string
		want       []string
	}{
		{"protocol", "*", []string{}}, {"protocol", org + "*", []string{}}, {"protocol", org + "i*", []string{}}, {"protocol", org + "issue-credential*", []string{}},
		{"protocol", "*/issue-credential/2.0", []string{}},
		{"protocol", org + "issue-credential/*", []string{"issue-credential/2.0"}},
		{"protocol", org + "issue-credential/2.*", []string{"issue-credential/2.0"}},
		{"protocol", org + "issue-credential/2.0", []string{"issue-credential/2.0"}},
		{"goal-code", "*", []string{}}, {"goal-code", "issue-*", []string{}}, {"goal-code", "issue-vc", []string{"issue-vc"}},
		{"didcomm-version", "*", []string{}},
	} {
		require.Equal(t, tt.want, asked(t, p, n, fmt.Sprint("q", i), tt.typ, tt.match), tt)
	}
	p.Features = nil
	require.Empty(t, asked(t, p, n, "silent", "protocol", org+"issue-credential/2.0"))

	p.Trust = func(didcomm.Connection) bool { return true }
	p.Features = func(didcomm.Connection) (all []discover.Feature) {
		return discover.Protocols(didcomm.Type{Protocol: "toy", Major: 1, Minor: 20})
	}
	orders := map[string]bool{}
	for i := range 5 {
		m := parse(t, fmt.Sprintf(`{"@type":"%sdiscover-features/1.0/query","@id":"o%d","query":"*"}`, org, i))
		require.NoError(t, n.Store.Deliver(t.Context(), p, "c", m))
		orders[string(n.Store.TakeOutbox()[0].Message.Body)] = true
	}
	require.Greater(t, len(orders), 1)
}

func TestRefuses(t *testing.T) {
	t.Parallel()
	n, p, got := party(didcomm.V1)
	many := func(what string, count int) string { return strings.TrimSuffix(strings.Repeat(what+",", count), ",") }
	query := `{"feature-type":"protocol","match":"` + org + `toy/1.0"}`
	require.NoError(t, n.Store.Deliver(t.Context(), p, "c", parse(t, `{"@type":"`+org+`discover-features/2.0/queries","@id":"64","queries":[`+many(query, 64)+`]}`)))
	for id, m := range map[string]string{
		"too many queries":  `discover-features/2.0/queries","queries":[` + many(query, 65) + `]}`,
		"too many features": `discover-features/2.0/disclosures","disclosures":[` + many(`{"feature-type":"protocol","id":"x"}`, 513) + `]}`,
		"no such message":   `discover-features/2.0/query","query":"*"}`,
		"nor in 1.0":        `discover-features/1.0/queries","queries":[]}`,
		"nor there":         `discover-features/1.0/disclosures","disclosures":[]}`,
	} {
		err := n.Store.Deliver(t.Context(), p, "c", parse(t, `{"@id":"`+strings.ReplaceAll(id, " ", "-")+`","@type":"`+org+m))
		var problem *didcomm.Problem
		require.True(t, errors.As(err, &problem), id)
	}
	for id, m := range map[string]string{
		"queries no list":     `discover-features/2.0/queries","queries":{}}`,
		"query no object":     `discover-features/2.0/queries","queries":["x"]}`,
		"match no text":       `discover-features/2.0/queries","queries":[{"feature-type":"protocol","match":1}]}`,
		"query no text":       `discover-features/1.0/query","query":[]}`,
		"disclosures no list": `discover-features/2.0/disclosures","disclosures":"x"}`,
		"feature no object":   `discover-features/2.0/disclosures","disclosures":[1]}`,
		"protocol no object":  `discover-features/1.0/disclose","protocols":["x"]}`,
	} {
		err := n.Store.Deliver(t.Context(), p, "c", parse(t, `{"@id":"`+strings.ReplaceAll(id, " ", "-")+`","@type":"`+org+m))
		require.ErrorIs(t, err, didcomm.ErrMalformed, id)
	}
	require.Empty(t, *got)
	for _, q := range [][]discover.Query{nil, make([]discover.Query, 65), {{Type: "protocol"}}, {{Match: "*"}}, {{Type: "protocol", Match: strings.Repeat("x", 257)}}, {{Type: "protocol", Match: "*****"}}} {
		_, err := p.Ask(t.Context(), "c", q...)
		require.ErrorIs(t, err, discover.ErrQuery)
	}
	_, err := p.AskProtocols(t.Context(), "c", "")
	require.ErrorIs(t, err, discover.ErrQuery)
	_, err = p.Ask(t.Context(), "nobody", discover.Query{Type: "protocol", Match: "*"})
	require.ErrorIs(t, err, didcomm.ErrNotFound)
}

// What a peer says that could be no feature is left out, and an answer to a question on
// another connection is one that came unasked.
func TestDisclosuresOfOthers(t *testing.T) {
	t.Parallel()
	n, p, got := party(didcomm.V1)
	thread, err := p.Ask(t.Context(), "c", discover.Query{Type: "protocol", Match: "*"})
	require.NoError(t, err)
	disclose := func(connection, id string) {
		m := parse(t, `{"@type":"`+org+`discover-features/2.1/disclosures","@id":"`+id+`","~thread":{"thid":"`+thread+`"},"x":1,"disclosures":[
			{"feature-type":"protocol","id":"`+org+`toy/1.0","roles":["player","two words",1,"`+strings.Repeat("x", 300)+`"]},
			{"feature-type":"protocol","id":"a b"},{"feature-type":"protocol"},{"id":"x"},null,{"feature-type":"new","id":"y","more":{}},
			{"feature-type":"constraint","id":"max_receive_bytes","max_receive_bytes":"65536"},{"feature-type":"constraint","id":"roles","roles":"x"}]}`)
		require.NoError(t, n.Store.Deliver(t.Context(), p, connection, m))
	}
	disclose("other", "1")
	disclose("c", "2")
	disclose("c", "3")
	require.Len(t, *got, 3)
	require.False(t, (*got)[0].Asked)
	require.True(t, (*got)[1].Asked)
	require.False(t, (*got)[2].Asked, "answered already")
	require.Equal(t, []discover.Feature{
		{Type: "protocol", ID: org + "toy/1.0", Roles: []string{"player"}},
		{Type: "constraint", ID: "max_receive_bytes", Value: "65536"},
		{Type: "constraint", ID: "roles", Value: "x"},
		{Type: "new", ID: "y"},
	}, (*got)[1].Features)
	n.Store.TakeOutbox()
}

func TestExpire(t *testing.T) {
	t.Parallel()
	n, p, _ := party(didcomm.V1)
	now := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	p.Now = func() time.Time { return now }
	for range 2 {
		_, err := p.Ask(t.Context(), "c", discover.Query{Type: "protocol", Match: "*"})
		require.NoError(t, err)
		now = now.Add(time.Hour)
	}
	count, err := p.Expire(t.Context(), now.Add(-time.Hour))
	require.NoError(t, err)
	require.Equal(t, 1, count)
	require.Len(t, n.Store.Records("discover"), 1)
}

func TestPrint(t *testing.T) {
	t.Parallel()
	printtest.Check(t, nil, map[string]string{"Protocol": "configuration", "Event": "names of messages", "Feature": "names of protocols", "Query": "the same", "Disclosure": "the same"})
}

func FuzzHandle(f *testing.F) {
	for _, name := range []string{"queries", "disclosures", "disclose", "query"} {
		f.Add([]byte(`{"queries":[{"feature-type":"protocol","match":"*a*"}],"disclosures":[{"feature-type":"x","id":"y","roles":["z"]}],"protocols":[{"pid":"p"}],"query":"*"}`), name, 1)
		f.Add([]byte(`{"queries":[{"feature-type":"constraint","match":"max*"}]}`), name, 2)
	}
	f.Fuzz(func(t *testing.T, body []byte, name string, major int) {
		n, p, _ := party(didcomm.V1)
		p.Trust = func(didcomm.Connection) bool { return true }
		m := &didcomm.Message{ID: "1", Thread: "1", Type: didcomm.Type{Protocol: "discover-features", Major: major, Name: name}, Body: body}
		_ = n.Store.Update(t.Context(), func(tx didcomm.Tx) error {
			c, err := tx.Connection("c")
			require.NoError(t, err)
			return p.Handle(t.Context(), tx, c, m)
		})
	})
}
