package didcomm_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/didcomm"
)

func TestProblemReport(t *testing.T) {
	t.Parallel()
	problem := &didcomm.Problem{Code: "issuance-abandoned", Comment: "The offer has ended.", Err: errors.New("local cause")}
	for _, tt := range []struct{ about, parent, want string }{
		{"https://didcomm.org/issue-credential/2.0/offer-credential", "",
			`{"@type":"https://didcomm.org/issue-credential/2.0/problem-report","@id":"p1","~thread":{"thid":"t1"},"description":{"en":"The offer has ended.","code":"issuance-abandoned"}}`},
		{"https://didcomm.org/present-proof/2.0/presentation", "",
			`{"@type":"https://didcomm.org/present-proof/2.0/problem-report","@id":"p1","~thread":{"thid":"t1"},"description":{"en":"The offer has ended.","code":"issuance-abandoned"}}`},
		{"https://didcomm.org/didexchange/1.0/request", "inv-1",
			`{"@type":"https://didcomm.org/didexchange/1.0/problem_report","@id":"p1","~thread":{"thid":"t1","pthid":"inv-1"},"problem-code":"issuance-abandoned","explain":"The offer has ended."}`},
		{"https://didcomm.org/out-of-band/1.1/invitation", "",
			`{"@type":"https://didcomm.org/out-of-band/1.1/problem_report","@id":"p1","~thread":{"thid":"t1"},"description":{"en":"The offer has ended.","code":"issuance-abandoned"}}`},
		{"https://didcomm.org/basicmessage/1.0/message", "",
			`{"@type":"https://didcomm.org/report-problem/1.0/problem-report","@id":"p1","~thread":{"thid":"t1"},"description":{"en":"The offer has ended.","code":"issuance-abandoned"}}`},
	} {
		t.Run(tt.about, func(t *testing.T) {
			t.Parallel()
			typ, err := didcomm.ParseType(tt.about)
			require.NoError(t, err)
			about, err := didcomm.New("m1", typ, "t1", tt.parent, nil)
			require.NoError(t, err)
			report, err := problem.Report("p1", about)
			require.NoError(t, err)
			plaintext, err := report.Plaintext()
			require.NoError(t, err)
			require.JSONEq(t, tt.want, string(plaintext))
			require.NotContains(t, string(plaintext), "local cause")

			got, err := didcomm.ParseMessage(plaintext)
			require.NoError(t, err)
			require.True(t, didcomm.IsProblemReport(got.Type))
			back, err := didcomm.ParseReport(got)
			require.NoError(t, err)
			require.Equal(t, &didcomm.Problem{Code: problem.Code, Comment: problem.Comment}, back)
		})
	}
}

func TestParseReportAsPeersWriteIt(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, body, code, comment string }{
		{"RFC 0035", `{"description":{"code":"cant-find-route","en":"No way."},"who_retries":"you"}`, "cant-find-route", "No way."},
		{"RFC 0023", `{"~l10n":{"locale":"en"},"problem-code":"request_not_accepted","explain":"No."}`, "request_not_accepted", "No."},
		{"plain text", `{"description":"No way.","description~l10n":{"code":"cant-find-route"}}`, "cant-find-route", "No way."},
		{"plain text, problem-code", `{"description":"No way.","problem-code":"cant-find-route"}`, "cant-find-route", "No way."},
		{"plain text, no code", `{"description":"No way."}`, "unspecified", "No way."},
		{"description before the rest", `{"description":{"code":"a","en":"b"},"problem-code":"c","explain":"d","description~l10n":{"code":"e"}}`, "a", "b"},
		{"empty description", `{"description":{},"problem-code":"c","explain":"d"}`, "c", "d"},
		{"null description", `{"description":null,"problem-code":"c"}`, "c", ""},
		{"code of DIDComm v2", `{"description":{"code":"e.p.xfer.cant-use-endpoint"}}`, "e.p.xfer.cant-use-endpoint", ""},
		{"nothing", `{}`, "unspecified", ""},
		{"code that is a text", `{"description":{"code":"something went wrong"}}`, "unspecified", ""},
		{"code that forges a log line", `{"description":{"code":"ok\nissue-credential/issued"}}`, "unspecified", ""},
		{"code too long", `{"description":{"code":"` + strings.Repeat("a", 65) + `"}}`, "unspecified", ""},
		{"code not text", `{"description":{"code":1,"en":2}}`, "unspecified", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p, err := didcomm.ParseReport(reportOf(tt.body))
			require.NoError(t, err)
			require.Equal(t, &didcomm.Problem{Code: tt.code, Comment: tt.comment}, p)
		})
	}
}

func TestParseReportRefuses(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"description a number":     `{"description":1}`,
		"description an array":     `{"description":["x"]}`,
		"description true":         `{"description":true}`,
		"code twice":               `{"description":{"code":"a","code":"b"}}`,
		"problem-code not text":    `{"problem-code":{}}`,
		"localisation not objects": `{"description~l10n":"x"}`,
	} {
		_, err := didcomm.ParseReport(reportOf(body))
		require.ErrorIs(t, err, didcomm.ErrMalformed, name)
	}
	ack := reportOf(`{}`)
	ack.Type.Name = "ack"
	_, err := didcomm.ParseReport(ack)
	require.ErrorIs(t, err, didcomm.ErrMalformed)
}

func TestParseReportClipsComment(t *testing.T) {
	t.Parallel()
	for _, letter := range []string{"a", "é", "€", "𝄞"} {
		p, err := didcomm.ParseReport(reportOf(`{"description":"x` + strings.Repeat(letter, 1000) + `"}`))
		require.NoError(t, err)
		require.LessOrEqual(t, len(p.Comment), 1000)
		require.Greater(t, len(p.Comment), 996)
		require.True(t, utf8.ValidString(p.Comment))
	}
}

func TestProblemIsAnError(t *testing.T) {
	t.Parallel()
	cause := errors.New("cause")
	var err error = &didcomm.Problem{Code: "abandoned", Comment: "Willow declined.", Err: cause}
	require.ErrorIs(t, err, cause)
	require.Equal(t, "didcomm: abandoned: cause", err.Error())
	require.Equal(t, "didcomm: abandoned", (&didcomm.Problem{Code: "abandoned"}).Error())
}

func reportOf(body string) *didcomm.Message {
	return &didcomm.Message{ID: "p1", Thread: "t1", Body: json.RawMessage(body),
		Type: didcomm.Type{Protocol: "issue-credential", Major: 2, Name: "problem-report"}}
}
