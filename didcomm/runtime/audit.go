package runtime

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/staffpassport/staffpassport/didcomm"
)

// An AuditEntry is one event of the audit log with the time of its transaction.
type AuditEntry struct {
	Time time.Time
	didcomm.Event
}

// An auditRecord holds the events of one transaction. Each record names the SHA-256
// digest of the record before it, and the head names the last, so that a record that
// was changed, removed, put back to an older state or cut off the end is found when
// the log is read. Whoever can write every record and the head can still forge all of
// it: to exclude that, a copy of the head must be kept elsewhere.
type auditRecord struct {
	N        int             `json:"n"` // from 1
	Time     time.Time       `json:"time"`
	Previous string          `json:"previous"` // digest in hex; empty in the first
	Events   []didcomm.Event `json:"events"`
}

// auditHead is the one record of kindAuditHead.
type auditHead struct {
	N    int    `json:"n"`
	Last string `json:"last"`
}

const auditHeadID = "head"

func auditID(n int) string { return fmt.Sprintf("%020d", n) }

func digestHex(data []byte) string {
	d := sha256.Sum256(data)
	return hex.EncodeToString(d[:])
}

// writeAudit appends the events of t as one record.
func (t *tx) writeAudit() error {
	if len(t.events) == 0 {
		return nil
	}
	head, err := t.auditHead()
	if err != nil {
		return err
	}
	data, err := encodeRecord(auditRecord{
		N: head.N + 1, Time: t.agent.config.Now().UTC(), Previous: head.Last, Events: t.events,
	})
	if err != nil {
		return err
	}
	if err := t.store.Put(kindAudit, auditID(head.N+1), data); err != nil {
		return err
	}
	return t.save(kindAuditHead, auditHeadID, auditHead{head.N + 1, digestHex(data)})
}

func (t *tx) auditHead() (h auditHead, err error) {
	err = t.load(kindAuditHead, auditHeadID, &h)
	if errors.Is(err, didcomm.ErrNotFound) {
		err = nil
	}
	return h, err
}

// AuditLog yields every audited event, oldest first, and checks the log while it
// reads: at the first sign that it was altered it yields [ErrAudit] and ends. A log
// read to its end without an error is whole. The sequence reads one state of the
// store; the loop may use the agent.
func (a *Agent) AuditLog(ctx context.Context) iter.Seq2[AuditEntry, error] {
	return func(yield func(AuditEntry, error) bool) {
		stopped := false
		err := a.view(ctx, func(t *tx) error {
			var last auditHead
			for r, err := range t.find(kindAudit, "") {
				if err != nil {
					return err
				}
				var rec auditRecord
				err := decodeRecord(r.Data, &rec)
				if errors.Is(err, ErrVersion) {
					return err
				}
				if err != nil || rec.N != last.N+1 || r.ID != auditID(rec.N) || rec.Previous != last.Last {
					return fmt.Errorf("%w after record %d", ErrAudit, last.N)
				}
				for _, e := range rec.Events {
					if !yield(AuditEntry{rec.Time, e}, nil) {
						stopped = true
						return nil
					}
				}
				last = auditHead{rec.N, digestHex(r.Data)}
			}
			head, err := t.auditHead()
			if err == nil && head != last {
				err = fmt.Errorf("%w at its end", ErrAudit)
			}
			return err
		})
		if err != nil && !stopped {
			yield(AuditEntry{}, err)
		}
	}
}
