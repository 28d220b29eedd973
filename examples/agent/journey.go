package main

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/staffpassport/staffpassport/didcomm"
)

// A journey says how far a line has come, so that a program that was killed takes
// it up where it was. What was agreed is in the parties' own records; this names
// them, before they are made, and is kept in the host's wallet.
type journey struct {
	Began    time.Time         `json:"began"`
	Record   string            `json:"record"`             // a digest of what is issued
	Contact  string            `json:"contact"`            // at the employer
	Visit    string            `json:"visit"`              // at the host
	Employer string            `json:"employer,omitempty"` // the member of staff's connection to it
	Host     string            `json:"host,omitempty"`     // the same
	Token    string            `json:"token,omitempty"`    // the host's request for an SD-JWT VC
	Forged   map[string]string `json:"forged"`             // the host's requests that forgeries answer, by their names
	Again    map[string]string `json:"again"`              // the host's requests after that, by the names of endings and the like
	Ended    bool              `json:"ended,omitempty"`
}

const (
	kindJourney = "journey"
	theJourney  = "demo"
)

// resume reads the journey, or begins one. One for another record is left as it is,
// and so is one that is older than its request and its invitations can be; what was
// accepted in it stays.
func (w *walk) resume(ctx context.Context) error {
	err := w.host.agent.View(ctx, func(tx didcomm.Tx) error { return tx.Load(kindJourney, theJourney, &w.journey) })
	if err != nil && !errors.Is(err, didcomm.ErrNotFound) {
		return err
	}
	record, jsonErr := json.Marshal(w.record.passport) // which names the photo by its digest
	if jsonErr != nil {
		return jsonErr
	}
	digest := fmt.Sprintf("%x", sha256.Sum256(record))
	if err == nil && !w.journey.Ended && w.journey.Record == digest && w.now().Before(w.journey.Began.Add(requestLife)) && w.journey.Again != nil {
		return nil
	}
	w.whole = true
	w.journey = journey{Began: w.now(), Record: digest, Contact: didcomm.NewID(), Visit: didcomm.NewID(),
		Forged: map[string]string{}, Again: map[string]string{}}
	if err := w.mend(ctx); err != nil {
		return err
	}
	return w.save(ctx)
}

func (w *walk) save(ctx context.Context) error { return w.host.agent.Update(ctx, w.journey.save) }

func (j *journey) save(tx didcomm.Tx) error { return tx.Save(kindJourney, theJourney, j) }
