package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"github.com/staffpassport/staffpassport/did"
	"iter"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/connect"
	"github.com/staffpassport/staffpassport/didcomm/issue"
	"github.com/staffpassport/staffpassport/didcomm/present"
	"github.com/staffpassport/staffpassport/didcomm/runtime"
	"github.com/staffpassport/staffpassport/didcomm/walletstore"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/wallet"
	"github.com/staffpassport/staffpassport/wallet/sqlitestore"
)

// A kept is what lies in one wallet, read without the agent: its records, by what
// the library documents about their form.
type kept struct {
	role        string
	connects    []connect.Exchange
	issues      []issue.Exchange
	presents    []present.Exchange
	connections []didcomm.Connection
	credentials []wallet.Credential
	contacts    []contact
	visits      []visit
	issued      []issuedPassport
	results     map[string]result // by exchange
	journey     journey
	waiting     map[string]bool // threads with a message to deliver, exchanges with a task to do
	dead        int             // messages given up
	events      map[string]int  // of the audit log: "action outcome"

	organisations []registration // the authority's
	edition       edition
	places        map[string]place // of the employer's passports in its status lists, by exchange
}

// look reads the four wallets in dir, which no process may have open.
func look(t testing.TB, dir string, u wallet.Unlocker) map[string]*kept {
	t.Helper()
	all := make(map[string]*kept)
	for _, role := range []string{"employer", "staff", "host", "authority"} {
		k, err := lookInto(context.Background(), dir, role, u)
		require.NoError(t, err, role)
		all[role] = k
	}
	return all
}

func lookInto(ctx context.Context, dir, role string, u wallet.Unlocker) (_ *kept, err error) {
	file, err := sqlitestore.Open(filepath.Join(dir, role, "wallet.db"))
	if err != nil {
		return nil, err
	}
	k := &kept{role: role, results: map[string]result{}, waiting: map[string]bool{}, events: map[string]int{}, places: map[string]place{}}
	if exists, err := wallet.Exists(ctx, file, wallet.Config{}); err != nil || !exists { // killed before it was made
		return k, file.Close()
	}
	w, err := wallet.Open(ctx, file, u, wallet.Config{})
	if err != nil {
		_ = file.Close()
		return nil, err
	}
	defer func() {
		if closeErr := w.Close(); err == nil {
			err = closeErr
		}
	}()
	return k, k.read(ctx, w)
}

func (k *kept) read(ctx context.Context, w *wallet.Wallet) error {
	for c, err := range w.Credentials(ctx, "") {
		if err != nil {
			return err
		}
		k.credentials = append(k.credentials, c)
	}
	store := walletstore.New(w)
	err := store.View(ctx, func(tx runtime.StoreTx) error {
		type some struct {
			kind string
			add  func(didcomm.Record) error
		}
		for _, s := range []some{
			{"record/connect", into(&k.connects)},
			{"record/issue", into(&k.issues)},
			{"record/present", into(&k.presents)},
			{"record/contact", into(&k.contacts)},
			{"record/visit", into(&k.visits)},
			{"record/issued", into(&k.issued)},
			{"connection", into(&k.connections)},
			{"record/registration", into(&k.organisations)},
			{"record/edition", func(r didcomm.Record) error { return json.Unmarshal(r.Data, &k.edition) }},
			{"record/journey", func(r didcomm.Record) error { return json.Unmarshal(r.Data, &k.journey) }},
			{"record/result", func(r didcomm.Record) error {
				var v result
				err := json.Unmarshal(r.Data, &v)
				k.results[r.ID] = v
				return err
			}},
			{"outbox", func(r didcomm.Record) error {
				head, _, _ := bytes.Cut(r.Data, []byte("\n"))
				var l struct{ Thread string }
				err := json.Unmarshal(head, &l)
				k.waiting[l.Thread] = true
				return err
			}},
			{"task", func(r didcomm.Record) error {
				var j struct{ ID string }
				err := json.Unmarshal(r.Data, &j)
				k.waiting[j.ID] = true
				return err
			}},
			{"outbox-dead", func(didcomm.Record) error { k.dead++; return nil }},
		} {
			for r, err := range tx.Find(s.kind, "") {
				if err == nil {
					err = s.add(r)
				}
				if err != nil {
					return fmt.Errorf("%s: %w", s.kind, err)
				}
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	if err := w.View(ctx, k.readPlaces); err != nil {
		return err
	}
	reader, err := runtime.New(runtime.Config{Store: store, Packer: nobody{}, Sender: nobody{}})
	if err != nil {
		return err
	}
	for e, err := range reader.AuditLog(ctx) {
		if err != nil {
			return err
		}
		k.events[e.Action+" "+e.Outcome]++
	}
	return nil
}

// everyRecord returns what a wallet in dir holds, record by record, but for its keys.
func everyRecord(t *testing.T, dir, role string) (all [][]byte) {
	t.Helper()
	ctx := context.Background()
	file, err := sqlitestore.Open(filepath.Join(dir, role, "wallet.db"))
	require.NoError(t, err)
	w, err := wallet.Open(ctx, file, cheapKey{}, wallet.Config{})
	require.NoError(t, err)
	defer func() { require.NoError(t, w.Close()) }()
	for c, err := range w.Credentials(ctx, "") {
		require.NoError(t, err)
		for _, s := range append([]vc.Secured{c.Secured}, c.Forms...) {
			all = append(all, s.Bytes)
		}
		for _, b := range c.Attachments {
			all = append(all, b)
		}
	}
	require.NoError(t, walletstore.New(w).View(ctx, func(tx runtime.StoreTx) error {
		for _, kind := range []string{
			"connection", "seen", "once", "outbox", "outbox-body", "outbox-retry", "outbox-dead", "task", "audit", "audit-head",
			"record/connect", "record/connect/thread", "record/connect/received", "record/connect/invitation",
			"record/issue", "record/issue/attachments", "record/present", "record/present/attachments",
			"record/contact", "record/issued", "record/visit", "record/result", "record/journey",
			"record/status-list", "record/registration", "record/edition", "agent",
		} {
			for r, err := range tx.Find(kind, "") {
				if err != nil {
					return err
				}
				all = append(all, []byte(r.ID), bytes.Clone(r.Data))
			}
		}
		return nil
	}))
	return all
}

func into[T any](all *[]T) func(didcomm.Record) error {
	return func(r didcomm.Record) error {
		var v T
		err := json.Unmarshal(r.Data, &v)
		*all = append(*all, v)
		return err
	}
}

// nobody is whom a runtime that only reads sends to.
type nobody struct{}

func (nobody) Send(context.Context, string, []byte) error { panic("a reader sends") }

func (nobody) Pack(context.Context, []byte, runtime.Route) ([]byte, error) {
	panic("a reader packs")
}

func (nobody) Endpoint(context.Context, did.DID) (string, error) { return "", nil }

func (nobody) Unpack(context.Context, []byte) (runtime.Received, error) { panic("a reader unpacks") }

// A side is one party's part of a thread.
type side struct {
	id, thread, state string
	final, asksPerson bool // ended, or waiting for a person to decide
}

// sides yields a wallet's exchanges of every protocol.
func (k *kept) sides() iter.Seq2[string, side] {
	return func(yield func(string, side) bool) {
		for _, x := range k.connects {
			// An invitation of somebody else has no thread until it is answered.
			if x.Thread != "" && !yield("connect", side{x.ID, x.Thread, string(x.State), x.State.Final(), false}) {
				return
			}
		}
		for _, x := range k.issues {
			asks := x.State == issue.OfferReceived || x.State == issue.OfferSent
			if !yield("issue", side{x.ID, x.Thread, string(x.State), x.State.Final(), asks}) {
				return
			}
		}
		for _, x := range k.presents {
			asks := x.State == present.RequestReceived || x.State == present.RequestSent
			if !yield("present", side{x.ID, x.Thread, string(x.State), x.State.Final(), asks}) {
				return
			}
		}
	}
}

// stuck names the threads that nobody will ever bring to an end: no side has
// anything to do, no message is on its way, and no person is asked.
func stuck(all map[string]*kept) (wrong []string) {
	type both struct {
		name  string
		sides []side
		busy  bool
	}
	threads := map[string]*both{}
	for _, k := range all {
		for protocol, s := range k.sides() {
			b := threads[s.thread]
			if b == nil {
				b = &both{name: protocol}
				threads[s.thread] = b
			}
			b.sides = append(b.sides, s)
			b.busy = b.busy || k.waiting[s.id]
		}
	}
	for thread, b := range threads {
		for _, k := range all {
			b.busy = b.busy || k.waiting[thread]
		}
		ended := func(s side) bool { return s.final }
		asks := func(s side) bool { return s.asksPerson }
		done := len(b.sides) == 2 && (every(b.sides, ended) || every(b.sides, asks))
		if !b.busy && !done {
			states := ""
			for _, s := range b.sides {
				states += " " + s.state
			}
			wrong = append(wrong, "stuck or lost: "+b.name+states)
		}
	}
	slices.Sort(wrong)
	return wrong
}

func every[T any](in []T, ok func(T) bool) bool {
	return !slices.ContainsFunc(in, func(v T) bool { return !ok(v) })
}

// acknowledged says what is wrong in the wallets after a process printed the first
// lines of demo -auto, in whatever way it ended: what a line says was done must be
// there, and nothing may be there twice.
func acknowledged(all map[string]*kept, lines int) (wrong []string) {
	e, s, h := all["employer"], all["staff"], all["host"]
	want := func(from int, what string, ok bool) {
		if lines >= from && !ok {
			wrong = append(wrong, "acknowledged and lost: "+what)
		}
	}
	most := func(n int, what string, got int) {
		if got > n {
			wrong = append(wrong, fmt.Sprintf("%d times: %s", got, what))
		}
	}
	established := func(k *kept) (n int) {
		for _, c := range k.connections {
			if c.Established {
				n++
			}
		}
		return n
	}
	want(1, "journey", h.journey.Contact != "")
	want(2, "contact", len(e.contacts) >= 1)
	want(3, "connection of the employer", established(e) >= 1 && established(s) >= 1)
	want(4, "offer", len(e.issues) >= 1 && len(e.contacts) == 1 && e.contacts[0].Exchange == e.issues[0].ID)
	issued := len(e.issues) == 1 && e.issues[0].State == issue.Done
	held := len(s.credentials) == 1
	want(5, "passport", held && issued)
	if issued && !held {
		wrong = append(wrong, "acknowledged to the employer and not kept: passport")
	}
	if held && !e.signed(s.credentials[0]) {
		wrong = append(wrong, "the passport is not what the employer signed")
	}
	want(6, "visit", len(h.visits) >= 1)
	want(7, "connection of the host", established(h) >= 1 && established(s) >= 2)
	want(8, "request", len(h.presents) >= 1 && len(h.visits) == 1 && h.visits[0].Exchange == h.presents[0].ID)
	want(9, "presentation", len(s.presents) >= 1 && (s.presents[0].State == present.PresentationSent || s.presents[0].State == present.Done))
	accepted, refused := 0, 0
	for _, r := range h.results {
		if r.Accepted {
			accepted++
		} else {
			refused++
		}
	}
	want(10, "verified passport", accepted >= 1)
	forged := len(forgeries())
	want(11, "verified passport in the other form", accepted >= 2)
	want(13, "refusals", refused >= forged)
	want(14, "refusal of the suspended passport, and the resumed one", refused >= forged+1 && accepted >= 3)
	want(15, "refusal of an organisation that was removed", refused >= forged+2)
	want(16, "passport verified offline", accepted == 4)
	want(17, "refusal of the revoked passport", refused == forged+3)
	want(18, "end", h.journey.Ended)
	again := len(endings()) + 2 // and resumed, and offline
	most(1, "contact", len(e.contacts))
	most(1, "connection of the employer", len(e.connects))
	most(2, "connection of the member of staff", len(s.connects))
	most(1, "connection of the host", len(h.connects))
	most(1, "offer", len(e.issues))
	most(1, "offer received", len(s.issues))
	most(1, "passport", len(s.credentials))
	most(1, "visit", len(h.visits))
	most(2+forged+again, "request", len(h.presents))
	most(2+forged+again, "request received", len(s.presents))
	most(4, "verified passport", accepted)
	most(forged+len(endings()), "refusal", refused)
	for _, k := range all {
		for action, n := range k.events {
			switch action {
			case "issue-credential/offer-credential-sent ok", "issue-credential/issue-credential-sent ok", "issue-credential/issue-credential-received ok", "issue-credential/ack-sent ok", "issue-credential/ack-received ok",
				"status/suspended ok", "status/resumed ok", "status/revoked ok", "register/enrolled ok", "register/removed ok", "register/restored ok":
				most(1, k.role+": "+action, n)
			}
		}
	}
	wrong = append(wrong, misplaced(all)...)
	return append(append(wrong, unpublished(all, lines)...), stuck(all)...)
}

// signed reports whether an employer signed these bytes, and no others that it might
// have sent, in each form.
func (k *kept) signed(c wallet.Credential) bool {
	if len(k.issued) != 1 || len(k.issued[0].SHA256) != 1+len(c.Forms) {
		return false
	}
	for i, s := range append([]vc.Secured{c.Secured}, c.Forms...) {
		if sum := sha256.Sum256(s.Bytes); !bytes.Equal(k.issued[0].SHA256[i], sum[:]) {
			return false
		}
	}
	return true
}

// walked says what is wrong in the wallets after a line was walked to its end.
func walked(all map[string]*kept) (wrong []string) {
	wrong = acknowledged(all, steps)
	for _, k := range all {
		for protocol, s := range k.sides() {
			if !s.final {
				wrong = append(wrong, k.role+": "+protocol+" in state "+s.state)
			}
		}
		for what := range k.waiting {
			wrong = append(wrong, k.role+": something waits: "+what)
		}
	}
	if c := all["staff"].credentials; len(c) == 1 {
		for _, r := range all["host"].results {
			if r.Accepted && (!finds(r.Presentation, "StaffPassportCredential", maxNesting) || len(r.Photo) == 0) {
				wrong = append(wrong, "the host's copy is not whole")
			}
		}
	}
	return wrong
}

// regressed says what was there before and is not, or is another: the wallets may
// only have gone on.
func regressed(before, after map[string]*kept) (wrong []string) {
	for role, b := range before {
		a := after[role]
		now := map[string]side{}
		for _, s := range a.sides() {
			now[s.id] = s
		}
		for protocol, s := range b.sides() {
			if n, ok := now[s.id]; !ok || n.thread != s.thread || s.final && n.state != s.state {
				wrong = append(wrong, role+": "+protocol+" "+s.state+" became "+n.state)
			}
		}
		for _, c := range b.credentials {
			if !slices.ContainsFunc(a.credentials, func(n wallet.Credential) bool {
				return n.ID == c.ID && bytes.Equal(n.Secured.Bytes, c.Secured.Bytes) && n.Added.Equal(c.Added)
			}) {
				wrong = append(wrong, role+": a passport is gone or another")
			}
		}
		for id, p := range b.places {
			if n := a.places[id]; n.List != p.List || n.Index != p.Index || p.Revoked && !n.Revoked || p.revoked && !n.revoked {
				wrong = append(wrong, role+": a status is gone or another")
			}
		}
		if a.edition.Number < b.edition.Number || a.edition.Published < b.edition.Published {
			wrong = append(wrong, role+": the list of organisations went back")
		}
		for id, r := range b.results {
			if n, ok := a.results[id]; !ok || n.Accepted != r.Accepted || !bytes.Equal(n.Presentation, r.Presentation) {
				wrong = append(wrong, role+": a result is gone or another")
			}
		}
		for _, c := range b.connections {
			if !slices.ContainsFunc(a.connections, func(n didcomm.Connection) bool {
				return n.ID == c.ID && bytes.Equal(n.MyKey, c.MyKey) && (n.Established || !c.Established)
			}) {
				wrong = append(wrong, role+": a connection is gone or another")
			}
		}
		for _, c := range b.contacts {
			if !slices.ContainsFunc(a.contacts, func(n contact) bool {
				return n.ID == c.ID && n.Invitation == c.Invitation && (n.Exchange == c.Exchange || c.Exchange == "")
			}) {
				wrong = append(wrong, role+": a contact is gone or another")
			}
		}
	}
	return wrong
}
