package didcomm_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/didcomm"
)

func TestProblemReportV2(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]string{
		"issuance-abandoned":        "e.p.issuance-abandoned",
		"request_not_accepted":      "e.p.request-not-accepted",
		"Code":                      "e.p.code",
		"e.p.xfer.cant-use":         "e.p.xfer.cant-use",
		"w.m.req.time":              "w.m.req.time",
		"e":                         "e.p.e",
		"e.p":                       "e.p.e.p",
		"e.get-pay-details.payment": "e.get-pay-details.payment",
	} {
		problem := &didcomm.Problem{Code: code, Comment: "The offer has ended."}
		about, err := didcomm.NewV2("m1", didcomm.Type{Protocol: "issue-credential", Major: 3, Name: "offer-credential"}, "t1", "p", nil)
		require.NoError(t, err)
		report, err := problem.Report("r1", about)
		require.NoError(t, err)
		plaintext, err := report.Plaintext()
		require.NoError(t, err)
		require.JSONEq(t, `{"id":"r1","type":"https://didcomm.org/report-problem/2.0/problem-report","typ":"application/didcomm-plain+json",
			"pthid":"t1","ack":["m1"],"body":{"code":"`+want+`","comment":"The offer has ended."}}`, string(plaintext))
		got, err := didcomm.ParseMessage(plaintext)
		require.NoError(t, err)
		back, err := didcomm.ParseReport(got)
		require.NoError(t, err)
		require.Equal(t, &didcomm.Problem{Code: want, Comment: problem.Comment}, back)
	}
}

func TestParseReportV2(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ body, code, comment string }{
		"the specification's own": {`{"code":"e.p.xfer.cant-use-endpoint","comment":"Unable to use the {1} endpoint for {2}.","args":["https://agents.r.us/inbox","did:sov:C805"],"escalate_to":"mailto:admin@foo.org"}`,
			"e.p.xfer.cant-use-endpoint", "Unable to use the https://agents.r.us/inbox endpoint for did:sov:C805."},
		"no code":             {`{}`, "unspecified", ""},
		"code that is a text": {`{"code":"it went wrong"}`, "unspecified", ""},
		"missing arguments":   {`{"code":"e.p.x","comment":"{1} of {2}{3}","args":["a",null]}`, "e.p.x", "a of ??"},
		"arguments left over": {`{"code":"e.p.x","comment":"{1}","args":["a","b",3]}`, "e.p.x", "a, b, 3"},
		"no arguments":        {`{"code":"e.p.x","comment":"{} {x} { {0} {100} {"}`, "e.p.x", "{} {x} { {0} {100} {"},
		"an object":           {`{"code":"e.p.x","comment":"{1}","args":[{"a":1}]}`, "e.p.x", "?"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, err := didcomm.ParseReport(reportV2(tt.body))
			require.NoError(t, err)
			require.Equal(t, &didcomm.Problem{Code: tt.code, Comment: tt.comment}, p)
		})
	}
	for name, body := range map[string]string{
		"code not text": `{"code":1}`, "comment not text": `{"code":"e.p.x","comment":[]}`, "args no list": `{"code":"e.p.x","args":"a"}`,
	} {
		_, err := didcomm.ParseReport(reportV2(body))
		require.ErrorIs(t, err, didcomm.ErrMalformed, name)
	}
}

// A comment that repeats a long argument without end stays short.
func TestParseReportV2_Bounded(t *testing.T) {
	t.Parallel()
	args, err := json.Marshal([]string{strings.Repeat("a", 100_000), strings.Repeat("é", 100_000)})
	require.NoError(t, err)
	for _, comment := range []string{strings.Repeat("{2}", 100_000), strings.Repeat("{", 100_000), strings.Repeat("{x}", 100_000)} {
		p, err := didcomm.ParseReport(reportV2(`{"code":"e.p.x","comment":"` + comment + `","args":` + string(args) + `}`))
		require.NoError(t, err)
		require.LessOrEqual(t, len(p.Comment), 1000)
	}
}

func reportV2(body string) *didcomm.Message {
	m := reportOf(body)
	m.Version, m.Type = didcomm.V2, didcomm.Type{Protocol: "report-problem", Major: 2, Name: "problem-report"}
	return m
}
