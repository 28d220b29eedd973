package runtime

import (
	"strconv"
	"time"

	"github.com/staffpassport/staffpassport/didcomm"
)

// Limits on problem reports to one peer. Whoever answers each of ours with another
// message that is wrong would have one for ever (DIDComm Messaging 2.1, "Cascading
// Problems"): after so many the peer is told that it is enough, and then nothing.
const (
	maxThreadReports = 16  // about one thread
	maxReports       = 128 // on one connection within reportWindow
	reportWindow     = time.Hour
)

// within returns the problem to report in the place of p, or nil if there have been too
// many reports.
func (t *tx) within(c didcomm.Connection, m *didcomm.Message, p *didcomm.Problem) (*didcomm.Problem, error) {
	peer := c.ID
	if peer == "" {
		peer = strangerLane + peerOf(c)
	}
	all, err := t.tally("reports/"+peer, reportWindow)
	if err != nil || all > maxReports+1 {
		return nil, err
	}
	thread, err := t.tally("reports/"+peer+"/"+m.Thread, 0)
	switch {
	case err != nil || thread > maxThreadReports+1:
		return nil, err
	case all > maxReports || thread > maxThreadReports:
		code := codeMaxErrors
		if m.Version == didcomm.V2 {
			code = "e.p.req." + code
		}
		return &didcomm.Problem{Code: code, Comment: "too many errors"}, nil
	}
	return p, nil
}

// tally counts one more of what key stands for, since the first, or within a window of
// time if there is one. The count is kept as a sighting, and forgotten like one.
func (t *tx) tally(key string, window time.Duration) (n int, err error) {
	before, err := t.seen(key)
	if err != nil {
		return 0, err
	}
	s := sighting{at: t.agent.config.Now()}
	if before != nil && (window == 0 || s.at.Sub(before.at) < window) {
		s.at = before.at
		n, _ = strconv.Atoi(before.outcome)
	}
	n++
	s.outcome = strconv.Itoa(n)
	return n, t.markSeen(key, s)
}
