package main

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/btcsuite/btcd/btcutil/base58"
	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/did/didkey"
	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/connect"
	"github.com/staffpassport/staffpassport/didcomm/envelope"
	"github.com/staffpassport/staffpassport/didcomm/issue"
	"github.com/staffpassport/staffpassport/didcomm/outofband"
	"github.com/staffpassport/staffpassport/didcomm/present"
	"github.com/staffpassport/staffpassport/schema"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/verify"
	"github.com/staffpassport/staffpassport/wallet"
)

// TestAbuse_DC05_RepeatedEnvelope: an envelope that comes three times, again after a
// restart, encrypted anew, and from the sender's own outbox as well, is acknowledged
// each time and handled once.
func TestAbuse_DC05_RepeatedEnvelope(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		to     reached
		act    func(t *testing.T, w *walk) // leaves one message in the member of staff's outbox
		target func(d *demo) *party
		conn   func(w *walk) string
		event  string
	}{
		"request-credential": {passportOffered, func(t *testing.T, w *walk) {
			offered, err := w.employer.issuer.Exchange(t.Context(), w.contact.Exchange)
			require.NoError(t, err)
			x, err := w.staff.holder.Find(t.Context(), w.journey.Employer, offered.Thread)
			require.NoError(t, err)
			require.NoError(t, w.staff.accept(t.Context(), x.ID))
		}, func(d *demo) *party { return d.employer.party }, func(w *walk) string { return w.journey.Employer }, "received/issue-credential/request-credential"},
		"presentation": {passportAsked, func(t *testing.T, w *walk) {
			require.NoError(t, w.show(t.Context()))
		}, func(d *demo) *party { return d.host.party }, func(w *walk) string { return w.journey.Host }, "received/present-proof/presentation"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := running(t, cheaply(t))
			w := walking(t, d, c.to)
			quiet(t, d)
			d.staff.stop() // its wallet stays open; what it sends waits
			c.act(t, w)
			left := d.staff.waiting(t)
			require.Len(t, left, 1)
			left[0] = harshPacker{chaos: d.chaos}.changed(left[0]) // as she sends it herself
			connection := d.staff.connection(t, c.conn(w))
			post := func(env []byte) int { return httpPost(t, connection.Endpoint, envelopeType, env).status }

			env := d.staff.sealedText(t, connection, left[0])
			for range 3 {
				require.Equal(t, http.StatusAccepted, post(env))
			}
			d = restarted(t, d) // the member of staff sends it once more by herself
			require.Equal(t, http.StatusAccepted, post(env))
			anew := d.staff.sealedText(t, connection, left[0])
			require.False(t, bytes.Equal(env, anew))
			require.Equal(t, http.StatusAccepted, post(anew))
			quiet(t, d)

			other := bytes.Replace(left[0], []byte(`"formats"`), []byte(`"Formats"`), 1)
			require.False(t, bytes.Equal(left[0], other))
			require.Equal(t, http.StatusBadRequest, post(d.staff.sealedText(t, connection, other)), "the same id for other content")

			role := c.target(d).role
			k := seen(t, d)
			require.Equal(t, 1, k[role].events[c.event+" ok"])
			require.Equal(t, 1, k[role].events[c.event+" conflict"])
			require.Len(t, k["employer"].issues, 1)
			require.Equal(t, issue.Done, k["employer"].issues[0].State)
			require.Len(t, k["staff"].credentials, 1)
			require.True(t, k["employer"].signed(k["staff"].credentials[0]))
			require.Empty(t, stuck(k))
			require.Len(t, k["employer"].places, 1)
			require.Empty(t, misplaced(k))
		})
	}
}

// TestAbuse_DC02_ClaimedSender: what a message says of its sender counts for nothing;
// only an envelope between the two keys of a connection is that peer's.
func TestAbuse_DC02_ClaimedSender(t *testing.T) {
	t.Parallel()
	log := &safeBuffer{}
	d := cheaply(t)
	d.log, d.debug = log, true
	running(t, d)
	w := walking(t, d, visiting)
	other := second(t, d)
	_, err := w.employer.offer(t.Context(), w.contact, w.record.passport)
	require.NoError(t, err)
	quiet(t, d)

	before, err := d.employer.issuer.Exchange(t.Context(), w.contact.Exchange)
	require.NoError(t, err)
	x, err := d.staff.holder.Find(t.Context(), w.journey.Employer, before.Thread)
	require.NoError(t, err)
	c := d.staff.connection(t, w.journey.Employer)
	toHost := d.staff.connection(t, w.journey.Host)
	connections := d.employer.count(t, "connection")

	// Each says that it is from the member of staff, and would end her exchange.
	claim := func() []byte {
		m, err := (&didcomm.Problem{Code: "issuance-abandoned", Comment: "no"}).Report(didcomm.NewID(),
			&didcomm.Message{Type: didcomm.Type{Protocol: "issue-credential", Major: 2, Name: "problem-report"}, Thread: before.Thread})
		require.NoError(t, err)
		text, err := m.Plaintext()
		require.NoError(t, err)
		var doc map[string]any
		require.NoError(t, json.Unmarshal(text, &doc))
		doc["from"], doc["did"] = c.Mine.String(), c.Mine.String()
		text, err = json.Marshal(doc)
		require.NoError(t, err)
		return text
	}
	ctx := t.Context()
	own, stranger := &envelope.Packer{Keys: d.staff.wallet}, &envelope.Packer{Keys: other.wallet}
	strangersKey := newKeyIn(t, other.wallet)
	must := func(b []byte, err error) []byte {
		require.NoError(t, err)
		return b
	}
	for name, body := range map[string][]byte{
		"plaintext":                            claim(),
		"anonymous envelope":                   must(own.PackAnonymousV1(ctx, claim(), c.TheirKey)),
		"stranger's key":                       must(stranger.PackV1(ctx, claim(), strangersKey, c.TheirKey)),
		"own key of another connection":        must(own.PackV1(ctx, claim(), toHost.MyKey, c.TheirKey)),
		"right key, to the invitation's":       must(own.PackV1(ctx, claim(), c.MyKey, invitationKey(t, d.staff.party, longOf(t, d, w.contact.Link)))),
		"stranger's key, to the invitation's":  must(stranger.PackV1(ctx, claim(), strangersKey, invitationKey(t, d.staff.party, longOf(t, d, w.contact.Link)))),
		"sender's name in the envelope header": renamed(t, must(stranger.PackV1(ctx, claim(), strangersKey, c.TheirKey))),
	} {
		a := httpPost(t, c.Endpoint, envelopeType, body)
		require.Equal(t, http.StatusBadRequest, a.status, name)
		require.Empty(t, a.body, name)
	}
	after, err := d.employer.issuer.Exchange(t.Context(), w.contact.Exchange)
	require.NoError(t, err)
	require.Equal(t, before, after)
	require.Equal(t, connections, d.employer.count(t, "connection"))

	require.NoError(t, d.staff.accept(t.Context(), x.ID)) // the thread goes on
	w.take(t, w.accept)
	require.NotContains(t, log.String(), "panic")
}

// invitationKey returns the key that an invitation is to be answered to.
func invitationKey(t *testing.T, p *party, link string) ed25519.PublicKey {
	t.Helper()
	inv, err := p.read(t.Context(), link)
	require.NoError(t, err)
	return inv.Service.Keys[0]
}

// renamed adds a sender to the part of an envelope that anybody can write.
func renamed(t *testing.T, env []byte) []byte {
	t.Helper()
	var doc map[string]any
	require.NoError(t, json.Unmarshal(env, &doc))
	doc["from"], doc["sender"], doc["skid"] = "did:example:victim", "did:example:victim", "did:example:victim#key-1"
	// What is authenticated stays as it is, or the envelope would not open at all.
	b, err := json.Marshal(doc)
	require.NoError(t, err)
	return b
}

// TestAbuse_DC06_ForeignThread: another peer of the same agent names the thread of
// somebody else's exchange. It learns nothing and changes nothing.
func TestAbuse_DC06_ForeignThread(t *testing.T) {
	t.Parallel()
	d := running(t, cheaply(t))
	w := walking(t, d, passportOffered)
	mallory := second(t, d)
	c, err := d.employer.addContact(t.Context(), d.record.card, d.record.photo)
	require.NoError(t, err)
	conn := joined(t, mallory, d.employer.party, c.Invitation, c.Link)
	quiet(t, d, mallory.party)

	before, err := d.employer.issuer.Exchange(t.Context(), w.contact.Exchange)
	require.NoError(t, err)
	for _, name := range []string{"request-credential", "propose-credential", "ack", "problem-report", "offer-credential", "issue-credential"} {
		body := any(map[string]any{"status": "OK", "description": map[string]string{"code": "issuance-abandoned", "en": "no"}})
		require.Equal(t, http.StatusAccepted, mallory.deliver(t, conn, message(t, "issue-credential", name, before.Thread, body)), name)
	}
	report := message(t, "report-problem", "problem-report", before.Thread, map[string]any{"description": map[string]string{"code": "gone"}})
	report.Type.Major = 1
	require.Equal(t, http.StatusAccepted, mallory.deliver(t, conn, report))
	quiet(t, d, mallory.party)

	after, err := d.employer.issuer.Exchange(t.Context(), w.contact.Exchange)
	require.NoError(t, err)
	require.Equal(t, before, after)
	all, err := d.employer.issuer.Exchanges(t.Context())
	require.NoError(t, err)
	require.Len(t, all, 1, "nothing began either")
	w.take(t, w.accept)
	k := seen(t, d)
	for _, name := range []string{"request-credential", "propose-credential", "ack", "offer-credential", "issue-credential"} {
		require.Positive(t, sum(k["employer"].events, "received/issue-credential/"+name+" ", ""), name)
	}
	require.Equal(t, 3, sum(k["employer"].events, "received/issue-credential/", " w.m.req.unknown-thread"))
	require.Equal(t, 1, k["employer"].events["received/report-problem/problem-report no-such-thread"])
}

// sum adds up the audited events with this beginning and this part.
func sum(events map[string]int, prefix, part string) (n int) {
	for e, times := range events {
		if strings.HasPrefix(e, prefix) && strings.Contains(e, part) {
			n += times
		}
	}
	return n
}

// joined connects a member of staff to an inviter, and returns her connection.
func joined(t testing.TB, s *staff, inviter *party, invitation, link string) string {
	t.Helper()
	id, err := s.receive(t.Context(), link)
	require.NoError(t, err)
	require.NoError(t, s.connect.Connect(t.Context(), id))
	require.NoError(t, waitFor(t.Context(), s.party, func() (bool, error) {
		x, err := s.connect.Exchange(t.Context(), id)
		return err == nil && x.State == connect.Completed, err
	}))
	require.NoError(t, waitFor(t.Context(), inviter, func() (bool, error) {
		c, err := inviter.connected(t.Context(), invitation)
		return c != "", err
	}))
	return id
}

// TestAbuse_DC08_WrongStates sends, over HTTP and with the right keys, each message of
// both protocols in states in which it is wrong: the exchange stays as it is, and the
// peer gets one report at most.
func TestAbuse_DC08_WrongStates(t *testing.T) {
	t.Parallel()
	log := &safeBuffer{}
	d := cheaply(t)
	d.log, d.debug = log, true
	running(t, d)

	w := walking(t, d, passportOffered)
	quiet(t, d)
	ok := map[string]any{"status": "OK"}
	sent := 0
	// The exchange of from's peer in this thread stays as it is.
	try := func(from *party, connection, protocol, thread string, state func() any, names ...string) {
		t.Helper()
		before := state()
		for _, name := range names {
			require.Equal(t, http.StatusAccepted, from.deliver(t, connection, message(t, protocol, name, thread, ok)), name)
			sent++
		}
		quiet(t, d)
		require.Equal(t, before, state())
	}
	all := func(protocol string) []string {
		if protocol == "issue-credential" {
			return []string{"propose-credential", "offer-credential", "request-credential", "issue-credential", "ack", "no-such-message"}
		}
		return []string{"propose-presentation", "request-presentation", "presentation", "ack", "no-such-message"}
	}
	but := func(protocol string, right ...string) (wrong []string) {
		for _, n := range all(protocol) {
			if !strings.Contains(strings.Join(right, " "), n) {
				wrong = append(wrong, n)
			}
		}
		return wrong
	}
	ctx := t.Context()
	offered, err := d.employer.issuer.Exchange(ctx, w.contact.Exchange)
	require.NoError(t, err)
	atStaff, err := d.staff.holder.Find(ctx, w.journey.Employer, offered.Thread)
	require.NoError(t, err)
	employersConn := offered.Connection
	issuer := func() any {
		x, err := d.employer.issuer.Exchange(ctx, offered.ID)
		require.NoError(t, err)
		return *x
	}
	holder := func() any {
		x, err := d.staff.holder.Exchange(ctx, atStaff.ID)
		require.NoError(t, err)
		return *x
	}
	require.Equal(t, issue.OfferSent, issuer().(issue.Exchange).State)
	require.Equal(t, issue.OfferReceived, holder().(issue.Exchange).State)
	const issuing, presenting = "issue-credential", "present-proof"
	try(d.staff.party, w.journey.Employer, issuing, offered.Thread, issuer, but(issuing, "request-credential")...)
	try(d.employer.party, employersConn, issuing, offered.Thread, holder, all(issuing)...)
	w.take(t, w.accept)
	require.Equal(t, issue.Done, issuer().(issue.Exchange).State)
	try(d.staff.party, w.journey.Employer, issuing, offered.Thread, issuer, append(all(issuing), "problem-report")...)
	try(d.staff.party, w.journey.Employer, presenting, offered.Thread, issuer, append(all(presenting), "problem-report")...)
	try(d.employer.party, employersConn, issuing, offered.Thread, holder, append(all(issuing), "problem-report")...)

	w.take(t, w.addVisit, w.connectHost)
	request, x := w.asks(t)
	asked, err := d.host.verifier.Exchange(ctx, request)
	require.NoError(t, err)
	verifier := func() any {
		x, err := d.host.verifier.Exchange(ctx, request)
		require.NoError(t, err)
		return *x
	}
	prover := func() any {
		x, err := d.staff.prover.Exchange(ctx, x.ID)
		require.NoError(t, err)
		return *x
	}
	require.Equal(t, present.RequestSent, verifier().(present.Exchange).State)
	require.Equal(t, present.RequestReceived, prover().(present.Exchange).State)
	try(d.staff.party, w.journey.Host, presenting, asked.Thread, verifier, but(presenting, "presentation")...)
	try(d.host.party, asked.Connection, presenting, asked.Thread, prover, all(presenting)...)
	w.visit.Exchange = request
	w.take(t, w.show, w.verify)
	quiet(t, d)
	require.Equal(t, present.Done, verifier().(present.Exchange).State)
	require.Equal(t, present.Done, prover().(present.Exchange).State)
	try(d.staff.party, w.journey.Host, presenting, asked.Thread, verifier, append(all(presenting), "problem-report")...)
	try(d.staff.party, w.journey.Host, issuing, asked.Thread, verifier, append(all(issuing), "problem-report")...)
	try(d.host.party, asked.Connection, presenting, asked.Thread, prover, append(all(presenting), "problem-report")...)

	// A thread that nobody knows stays unknown.
	try(d.staff.party, w.journey.Employer, issuing, didcomm.NewID(), issuer, but(issuing)...)
	try(d.staff.party, w.journey.Host, presenting, didcomm.NewID(), verifier, but(presenting)...)
	require.NotContains(t, log.String(), "panicked")
	k := seen(t, d)
	require.Empty(t, stuck(k))
	require.Len(t, k["employer"].issues, 1)
	require.Len(t, k["host"].presents, 1)
	require.Len(t, k["staff"].credentials, 1)
	reports := 0
	for _, v := range k {
		reports += sum(v.events, "received/", "/problem-report ok") + sum(v.events, "received/", "/problem-report no-such-thread")
	}
	require.LessOrEqual(t, reports, sent)
	t.Logf("%d wrong messages, %d reports", sent, reports)
}

// TestAbuse_DI14_Replay: one request takes one presentation, however it comes again.
func TestAbuse_DI14_Replay(t *testing.T) {
	t.Parallel()
	d := running(t, cheaply(t))
	w := walking(t, d, passportShown)
	for range 4 { // the same presentation in two messages at once
		request, x := w.asks(t)
		shown := w.presented(t, x, "")
		var at sync.WaitGroup
		status := make([]int, 3)
		for i := range status {
			m, err := presentation(didcomm.V1, x.Thread, shown)
			require.NoError(t, err)
			m.Body = withPhoto(t, m.Body, w.genuine(t))
			env := d.staff.sealed(t, w.journey.Host, m)
			endpoint := d.staff.connection(t, w.journey.Host).Endpoint
			at.Go(func() { status[i] = httpPost(t, endpoint, envelopeType, env).status })
		}
		at.Wait()
		require.Equal(t, []int{http.StatusAccepted, http.StatusAccepted, http.StatusAccepted}, status)
		r, err := w.decision(t.Context(), request)
		require.NoError(t, err)
		require.True(t, r.Accepted, r.Code)
		quiet(t, d)

		_, next := w.asks(t) // and in answer to another request
		m, err := presentation(didcomm.V1, next.Thread, shown)
		require.NoError(t, err)
		require.Equal(t, http.StatusAccepted, d.staff.deliver(t, w.journey.Host, m))
	}
	for _, nonce := range []string{"0", rightLength("x"), strings.ToLower("MIXED")} {
		request, x := w.asks(t)
		m, err := presentation(didcomm.V1, x.Thread, w.presented(t, x, nonce))
		require.NoError(t, err)
		require.Equal(t, http.StatusAccepted, d.staff.deliver(t, w.journey.Host, m))
		r, err := w.decision(t.Context(), request)
		require.NoError(t, err)
		require.Equal(t, string(verify.ErrChallenge), r.Code)
	}
	for name, change := range map[string]func(proof map[string]any){
		"missing": func(proof map[string]any) { delete(proof, "challenge") },
		"empty":   func(proof map[string]any) { proof["challenge"] = "" },
		"null":    func(proof map[string]any) { proof["challenge"] = nil },
	} {
		request, x := w.asks(t)
		s, err := rewrite(vc.Secured{Bytes: w.presented(t, x, "")}, func(doc map[string]any) { change(doc["proof"].(map[string]any)) })
		require.NoError(t, err)
		m, err := presentation(didcomm.V1, x.Thread, s.Bytes)
		require.NoError(t, err)
		require.Equal(t, http.StatusAccepted, d.staff.deliver(t, w.journey.Host, m))
		r, err := w.decision(t.Context(), request)
		require.NoError(t, err)
		require.False(t, r.Accepted, name)
	}
	k := seen(t, d)
	accepted, challenge := 0, 0
	for _, r := range k["host"].results {
		switch {
		case r.Accepted:
			accepted++
		case r.Code == string(verify.ErrChallenge):
			challenge++
		}
	}
	require.Equal(t, 1+4, accepted)
	require.GreaterOrEqual(t, challenge, 4+3)
	require.Equal(t, 8, sum(k["host"].events, "received/present-proof/presentation", "w.m.req.out-of-order"), "two of each three came too late")
	require.Equal(t, 5, k["host"].events["present-proof/ack-sent ok"])
}

func rightLength(s string) string { return strings.Repeat(s, 26) }

// withPhoto adds the photo to the body of a presentation.
func withPhoto(t *testing.T, body []byte, h heldPassport) []byte {
	t.Helper()
	var doc map[string]any
	require.NoError(t, json.Unmarshal(body, &doc))
	doc["~attach"] = []didcomm.Attachment{didcomm.NewAttachment(h.Passport.Personal.Photo.ID, "image/jpeg", h.Photo)}
	b, err := json.Marshal(doc)
	require.NoError(t, err)
	return b
}

// TestAbuse_DI02_OneOfTwoChanged: a presentation with the genuine passport and a
// changed one is refused as a whole, and says which of the two.
func TestAbuse_DI02_OneOfTwoChanged(t *testing.T) {
	t.Parallel()
	w := walking(t, running(t, cheaply(t)), passportShown)
	h := w.genuine(t)
	genuine := w.derived(t)
	changed, err := changedClaim(t.Context(), h, genuine)
	require.NoError(t, err)
	r := w.refuses(t, verify.ErrProof, genuine, changed)
	index := -2
	for _, c := range r.Checks {
		if c.Outcome == verify.Failed {
			require.Equal(t, -2, index, "one check failed")
			index = c.Index
		}
	}
	require.Equal(t, 1, index)
	r = w.refuses(t, verify.ErrProof, changed, genuine)
	for _, c := range r.Checks {
		require.Equal(t, c.Outcome == verify.Failed, c.Index == 0 && c.Check == verify.CheckSignature, "%+v", c)
	}
}

// TestAbuse_DI03_WithoutProof: a passport that nobody signed is never verified, and
// never stored by a holder either.
func TestAbuse_DI03_WithoutProof(t *testing.T) {
	t.Parallel()
	w := walking(t, running(t, cheaply(t)), passportShown)
	proofs := map[string]func(doc map[string]any){
		"deleted":    func(doc map[string]any) { delete(doc, "proof") },
		"empty list": func(doc map[string]any) { doc["proof"] = []any{} },
		"null":       func(doc map[string]any) { doc["proof"] = nil },
	}
	for name, change := range proofs {
		t.Run("shown, "+name, func(t *testing.T) {
			s, err := rewrite(w.derived(t), change)
			require.NoError(t, err)
			w.refuses(t, verify.ErrNoProof, s)
		})
		t.Run("issued, "+name, func(t *testing.T) {
			d := open(t, cheaply(t))
			d.employer.issuer.Issue = func(ctx context.Context, x *issue.Exchange, c *vc.Credential) ([]vc.Secured, error) {
				issued, err := d.employer.sign(ctx, x, c)
				if err == nil {
					issued[0], err = rewrite(issued[0], change)
				}
				return issued, err
			}
			for _, p := range d.parties() {
				p.start(context.WithoutCancel(t.Context()))
			}
			w := walking(t, d, passportOffered)
			require.ErrorContains(t, w.accept(t.Context()), string(verify.ErrNoProof)+": ")
			k := seen(t, d)
			require.Empty(t, k["staff"].credentials)
			require.Equal(t, issue.Abandoned, k["employer"].issues[0].State)
			require.Equal(t, string(verify.ErrNoProof), k["staff"].issues[0].Code)
		})
	}
}

// TestAbuse_DI11_ForeignKey: a passport that names the employer, with a flawless proof
// by somebody else's key.
func TestAbuse_DI11_ForeignKey(t *testing.T) {
	t.Parallel()
	w := walking(t, running(t, cheaply(t)), passportShown)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	attacker, err := didkey.New(key.Public())
	require.NoError(t, err)
	employer := w.employer.did()
	for name, c := range map[string]struct {
		issuer did.DID
		vm     did.URL
		code   verify.Code
	}{
		"under its own name":           {attacker, didkey.SigningMethod(attacker), verify.ErrUntrusted}, // the proof itself holds
		"under the employer's name":    {employer, didkey.SigningMethod(attacker), verify.ErrControllerMismatch},
		"called the employer's key":    {employer, w.employer.signer.VerificationMethod(), verify.ErrProof},
		"called another of its keys":   {employer, employer.URL(attacker.SpecificID()), verify.ErrKeyNotFound},
		"the employer's, of another's": {attacker, w.employer.signer.VerificationMethod(), verify.ErrControllerMismatch},
	} {
		s, err := rewrite(w.derived(t), func(doc map[string]any) {
			doc["issuer"] = c.issuer.String()
			signByHand(t, doc, c.vm, key)
		})
		require.NoError(t, err)
		t.Log(name)
		w.refuses(t, c.code, s)
	}
}

// signByHand replaces the proof of a document: ecdsa-jcs-2019 (Data Integrity ECDSA
// Cryptosuites 1.0, section 3.3), which the library's own issuer does for no name but
// its own. The canonical form of what is signed here is that of encoding/json.
func signByHand(t *testing.T, doc map[string]any, vm did.URL, key *ecdsa.PrivateKey) {
	t.Helper()
	proof := doc["proof"].(map[string]any)
	delete(proof, "proofValue")
	proof["cryptosuite"] = "ecdsa-jcs-2019"
	delete(doc, "proof")
	proof["verificationMethod"] = vm.String()
	var hash []byte
	for _, part := range []any{proof, doc} {
		var b bytes.Buffer
		enc := json.NewEncoder(&b)
		enc.SetEscapeHTML(false)
		require.NoError(t, enc.Encode(part))
		sum := sha256.Sum256(bytes.TrimSuffix(b.Bytes(), []byte("\n")))
		hash = append(hash, sum[:]...)
	}
	digest := sha256.Sum256(hash)
	r, s, err := ecdsa.Sign(rand.Reader, key, digest[:])
	require.NoError(t, err)
	proof["proofValue"] = "z" + base58.Encode(append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...))
	doc["proof"] = proof
}

// TestAbuse_DC11_InvitationUsedTwice: a second wallet answers an invitation for one
// person. It is told so, and no connection comes of it, on either side.
func TestAbuse_DC11_InvitationUsedTwice(t *testing.T) {
	t.Parallel()
	d := running(t, cheaply(t))
	w := walking(t, d, visiting)
	quiet(t, d)
	mallory := second(t, d)
	for _, c := range []struct {
		inviter *party
		link    string
	}{{d.employer.party, w.contact.Link}, {d.host.party, w.visit.Link}} {
		connections, exchanges := c.inviter.count(t, "connection"), c.inviter.count(t, "record/connect")
		_, err := mallory.receive(t.Context(), c.link)
		require.ErrorIs(t, err, outofband.ErrGone, "the short link is over with the invitation")
		id, err := mallory.receive(t.Context(), longOf(t, d, c.link)) // whoever had it before has it still
		require.NoError(t, err)
		require.NoError(t, mallory.connect.Connect(t.Context(), id))
		var x *connect.Exchange
		require.NoError(t, waitFor(t.Context(), mallory.party, func() (bool, error) {
			x, err = mallory.connect.Exchange(t.Context(), id)
			return err == nil && x.State.Final(), err
		}))
		require.Equal(t, connect.Abandoned, x.State)
		require.Equal(t, "request_not_accepted", x.Code)
		require.True(t, x.ByPeer)
		quiet(t, d, mallory.party)
		require.Equal(t, connections, c.inviter.count(t, "connection"))
		require.Equal(t, exchanges, c.inviter.count(t, "record/connect"))
		require.False(t, mallory.connection(t, id).Established)

		// Nor does a message from the key that was turned away reach a protocol.
		m := message(t, "issue-credential", "propose-credential", didcomm.NewID(), nil)
		require.Equal(t, http.StatusBadRequest, mallory.deliver(t, id, m))
	}
	// The first connection is as good as before.
	w.take(t, w.offer, w.accept, w.ask, w.show, w.verify)
}

// TestAbuse_DC11_BadInvitations: what cannot be answered leaves nothing behind.
func TestAbuse_DC11_BadInvitations(t *testing.T) {
	t.Parallel()
	d := running(t, cheaply(t))
	w := &walk{demo: d}
	w.take(t, w.resume, w.addContact)
	_, encoded, ok := strings.Cut(longOf(t, d, w.contact.Link), "?oob=")
	require.True(t, ok)
	text, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(encoded, "="))
	require.NoError(t, err)
	link := func(change func(doc map[string]any)) string {
		var doc map[string]any
		require.NoError(t, json.Unmarshal(text, &doc))
		change(doc)
		b, err := json.Marshal(doc)
		require.NoError(t, err)
		return "http://127.0.0.1/?oob=" + base64.RawURLEncoding.EncodeToString(b)
	}
	for name, bad := range map[string]string{
		"empty":            "",
		"no invitation":    "http://127.0.0.1/",
		"no base64":        "http://127.0.0.1/?oob=%%%",
		"no JSON":          "http://127.0.0.1/?oob=" + base64.RawURLEncoding.EncodeToString([]byte("{")),
		"64 KiB":           link(func(doc map[string]any) { doc["goal"] = strings.Repeat("g", 64<<10) }),
		"expired":          link(func(doc map[string]any) { doc["~timing"] = map[string]string{"expires_time": "2020-01-01T00:00:00Z"} }),
		"unknown accept":   link(func(doc map[string]any) { doc["accept"] = []string{"didcomm/v9"} }),
		"unknown protocol": link(func(doc map[string]any) { doc["handshake_protocols"] = []string{"https://didcomm.org/handshake/9.0"} }),
		"no service":       link(func(doc map[string]any) { doc["services"] = []any{} }),
		"no id":            link(func(doc map[string]any) { delete(doc, "@id") }),
	} {
		_, err := d.staff.receive(t.Context(), bad)
		require.Error(t, err, name)
	}
	require.Zero(t, d.staff.count(t, "connection"))
	require.Zero(t, d.staff.count(t, "record/connect"))
	require.Zero(t, d.employer.count(t, "connection"))
}

// TestAbuse_DC14_NothingWithoutTheTicks at the agent: whatever is ticked, less than all
// that is needed sends nothing, and what was not asked for cannot be ticked.
func TestAbuse_DC14_NothingWithoutTheTicks(t *testing.T) {
	t.Parallel()
	d := running(t, cheaply(t))
	w := walking(t, d, passportAsked)
	x, err := w.received(t.Context(), w.visit.Exchange)
	require.NoError(t, err)
	h := w.genuine(t)
	all := ticks(h, x)
	require.ElementsMatch(t, schema.Onboarding().Ask, all)
	quiet(t, d)
	for i := range all {
		ticked := append(slices.Delete(slices.Clone(all), i, i+1), "/credentialSubject/personal/nationalInsuranceNumber", "/credentialSubject")
		require.ErrorIs(t, d.staff.show(t.Context(), x.ID, h.ID, ticked), errNotTicked, string(all[i]))
		require.ErrorIs(t, d.staff.show(t.Context(), x.ID, h.ID, all[:i]), errNotTicked)
	}
	require.Empty(t, d.staff.waiting(t))
	asked, err := d.host.verifier.Exchange(t.Context(), w.visit.Exchange)
	require.NoError(t, err)
	require.Equal(t, present.RequestSent, asked.State)
	w.take(t, w.show, w.verify)
}

// TestAbuse_WA02_WrongPassphrase: after five wrong passphrases the program makes one
// wait, also with the right one.
func TestAbuse_WA02_WrongPassphrase(t *testing.T) {
	t.Parallel()
	d := &demo{options: options{dataDir: t.TempDir()}, passphrase: "correct horse battery staple"}
	open(t, d).close()
	try := func(p wallet.Passphrase) error {
		again := &demo{options: d.options, record: d.record, log: t.Output(), passphrase: p}
		defer again.close()
		return again.open(t.Context())
	}
	for range 5 {
		require.ErrorIs(t, try("incorrect horse"), wallet.ErrLocked)
	}
	for _, p := range []wallet.Passphrase{"incorrect horse", "correct horse battery staple"} {
		err := try(p)
		require.ErrorIs(t, err, wallet.ErrBackoff)
		require.NotContains(t, err.Error(), "horse")
	}
}
