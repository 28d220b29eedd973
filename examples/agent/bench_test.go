package main

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha512"
	"database/sql/driver"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/chacha20poly1305"
	"golang.org/x/crypto/nacl/box"
	"modernc.org/sqlite"

	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/connect"
	"github.com/staffpassport/staffpassport/didcomm/issue"
	"github.com/staffpassport/staffpassport/didcomm/present"
	"github.com/staffpassport/staffpassport/wallet"
)

// A flow is one member of staff's whole line: connect to an employer, get a passport
// with a photo, connect to a host, show it, be verified. It is 13 messages over HTTP, and
// the host's questions for the two status lists.
func (d *demo) flow(ctx context.Context) error {
	c, err := d.employer.addContact(ctx, d.record.card, d.record.photo)
	if err != nil {
		return err
	}
	atEmployer, err := d.meet(ctx, d.employer.party, c.Invitation, c.Link)
	if err != nil {
		return err
	}
	passport := *d.record.passport
	personal := *passport.Personal // the offer names its own photo there
	passport.Personal = &personal
	if _, err = d.employer.offer(ctx, c, &passport); err != nil {
		return err
	}
	offered, err := d.employer.issuer.Exchange(ctx, c.Exchange)
	if err != nil {
		return err
	}
	var held string
	if err := waitFor(ctx, d.staff.party, found(func() error {
		x, err := d.staff.holder.Find(ctx, atEmployer, offered.Thread)
		held = idOf(x, err)
		return err
	})); err != nil {
		return err
	}
	if err := d.staff.accept(ctx, held); err != nil {
		return err
	}
	if err := waitFor(ctx, d.employer.party, func() (bool, error) {
		x, err := d.employer.issuer.Exchange(ctx, c.Exchange)
		return err == nil && x.State == issue.Done, err
	}); err != nil {
		return err
	}

	v, err := d.host.addVisit(ctx)
	if err != nil {
		return err
	}
	atHost, err := d.meet(ctx, d.host.party, v.Invitation, v.Link)
	if err != nil {
		return err
	}
	request, err := d.host.request(ctx, v, onboarding(present.FormDataIntegrity))
	if err != nil {
		return err
	}
	asked, err := d.host.verifier.Exchange(ctx, request)
	if err != nil {
		return err
	}
	var x *present.Exchange
	if err := waitFor(ctx, d.staff.party, found(func() (err error) {
		x, err = d.staff.prover.Find(ctx, atHost, asked.Thread)
		return err
	})); err != nil {
		return err
	}
	h, err := d.staff.passport(ctx, held)
	if err != nil {
		return err
	}
	if err := d.staff.show(ctx, x.ID, held, ticks(h, x)); err != nil {
		return err
	}
	return waitFor(ctx, d.host.party, func() (bool, error) {
		r, err := d.host.result(ctx, request)
		if err == nil && r != nil && !r.Accepted {
			err = errors.New(r.Code)
		}
		return r != nil, err
	})
}

// meet connects the member of staff to an inviter.
func (d *demo) meet(ctx context.Context, inviter *party, invitation, link string) (string, error) {
	id, err := d.staff.receive(ctx, link)
	if err != nil {
		return "", err
	}
	if err := d.staff.connect.Connect(ctx, id); err != nil {
		return "", err
	}
	if err := waitFor(ctx, d.staff.party, func() (bool, error) {
		x, err := d.staff.connect.Exchange(ctx, id)
		return err == nil && x.State == connect.Completed, err
	}); err != nil {
		return "", err
	}
	return id, waitFor(ctx, inviter, func() (bool, error) {
		c, err := inviter.connected(ctx, invitation)
		return c != "", err
	})
}

// found makes "not found" something to wait for.
func found(look func() error) func() (bool, error) {
	return func() (bool, error) {
		err := look()
		if errors.Is(err, didcomm.ErrNotFound) {
			return false, nil
		}
		return err == nil, err
	}
}

func idOf(x *issue.Exchange, err error) string {
	if err != nil {
		return ""
	}
	return x.ID
}

// A countingStore counts the transactions that wrote something.
type countingStore struct {
	wallet.Store
	commits *atomic.Int64
}

func (s countingStore) Update(ctx context.Context, f func(wallet.StoreTx) error) error {
	wrote := false
	err := s.Store.Update(ctx, func(tx wallet.StoreTx) error { return f(countingTx{tx, &wrote}) })
	if err == nil && wrote {
		s.commits.Add(1)
	}
	return err
}

type countingTx struct {
	wallet.StoreTx
	wrote *bool
}

func (t countingTx) Put(kind, id, sealed []byte, tags [][]byte) error {
	*t.wrote = true
	return t.StoreTx.Put(kind, id, sealed, tags)
}

func (t countingTx) Delete(kind, id []byte) error {
	*t.wrote = true
	return t.StoreTx.Delete(kind, id)
}

// BenchmarkFlow is the whole line of one member of staff after another, and of several
// at once, between parties that were opened before. Besides the usual figures it
// reports flows/s, the synchronous commits of one flow, and flows for each second of
// processor time.
func BenchmarkFlow(b *testing.B) {
	b.Run("v1", func(b *testing.B) { benchmarkFlows(b, didcomm.V1) })
	b.Run("v2", func(b *testing.B) { benchmarkFlows(b, didcomm.V2) })
}

func benchmarkFlows(b *testing.B, v didcomm.Version) {
	b.Run("alone", func(b *testing.B) {
		benchmarkFlow(b, v, func(flow func()) {
			for b.Loop() {
				flow()
			}
		})
	})
	b.Run("8-at-once", func(b *testing.B) {
		benchmarkFlow(b, v, func(flow func()) {
			b.SetParallelism(4) // times GOMAXPROCS
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					flow()
				}
			})
		})
	})
}

func benchmarkFlow(b *testing.B, v didcomm.Version, run func(flow func())) {
	var commits atomic.Int64
	d := cheaply(b)
	d.version = v
	d.hooks.store = func(_ string, s wallet.Store) wallet.Store { return countingStore{s, &commits} }
	d.log = b.Output()
	running(b, d)
	require.NoError(b, d.flow(b.Context()))
	quiet(b, d)
	b.ReportAllocs()
	b.ResetTimer()
	before, spent := commits.Load(), processorTime()
	run(func() {
		if err := d.flow(context.Background()); err != nil {
			b.Error(err)
		}
	})
	b.StopTimer()
	n := float64(b.N)
	b.ReportMetric(n/b.Elapsed().Seconds(), "flows/s")
	b.ReportMetric(float64(commits.Load()-before)/n, "commits/flow")
	if used := processorTime() - spent; used > 0 {
		b.ReportMetric(n/used.Seconds(), "flows/cpu-s")
	}
}

// A flowFloor is what a flow cannot do without, counted in its protocols.
type flowFloor struct {
	commits, signed, verified int
	messages                  []int // sizes of the plaintexts
	envelope                  func(b *testing.B, plaintext []byte)
}

func flowFloors(photo int) map[string]flowFloor {
	v1 := floorMessages(photo)
	// In version 2 a ping and its answer make a connection, where version 1 has a
	// request, a response that is signed and verified after a task, and a complete.
	v2 := slices.Concat([]int{600, 600}, v1[3:7], []int{600, 600}, v1[10:])
	return map[string]flowFloor{
		"v1": {floorCommits, floorSigned, floorVerified, v1, floorEnvelope},
		"v2": {floorCommits - 2 - 2, floorSigned - 2, floorVerified - 2, v2, floorEnvelopeV2},
	}
}

// Those of version 1.
const (
	// A commit for each message received (13), for each thing that a person or the
	// program begins (8: two invitations, two answers to them, offer, acceptance,
	// request, presentation), and for each result of work that must not be done
	// inside a transaction (5: two responses, the signing, two verifications).
	floorCommits  = 13 + 8 + 5
	floorSigned   = 5 // two responses, the holder's key binding, the passport, the presentation
	floorVerified = 6 // two responses, the key binding, the passport twice, the presentation
	floorKeys     = 7 // two invitations, two sides of two connections, the holder
)

// floorMessages are the sizes of the 13 plaintexts: those with a photo are three.
func floorMessages(photo int) []int {
	withPhoto := 4*photo/3 + 5000
	return []int{1300, 1800, 400, withPhoto, 2500, withPhoto, 300, 1300, 1800, 400, 2500, withPhoto, 300}
}

// BenchmarkFloor does only the primitives of a flow: signatures, envelopes and
// synchronous commits.
func BenchmarkFloor(b *testing.B) {
	in, err := readStaffFiles("", "")
	require.NoError(b, err)
	for version, f := range flowFloors(len(in.photo.JPEG())) {
		b.Run("Flow/"+version, f.run)
	}
}

func (f flowFloor) run(b *testing.B) {
	sizes := f.messages
	largest := make([]byte, slices.Max(sizes))
	insert := synchronousInsert(b)
	_, signing, err := ed25519.GenerateKey(nil)
	require.NoError(b, err)
	doc := make([]byte, 64) // both hashes of a document
	signature := ed25519.Sign(signing, doc)
	spent := processorTime()
	b.ReportAllocs()
	for b.Loop() {
		for range floorKeys {
			if _, _, err := ed25519.GenerateKey(nil); err != nil {
				b.Fatal(err)
			}
		}
		for range f.signed {
			ed25519.Sign(signing, doc)
		}
		for range f.verified {
			ed25519.Verify(signing.Public().(ed25519.PublicKey), doc, signature)
		}
		for _, size := range sizes {
			f.envelope(b, largest[:size])
		}
		for i := range f.commits {
			if err := insert(largest[:sizes[i%len(sizes)]]); err != nil {
				b.Fatal(err)
			}
		}
	}
	n := float64(b.N)
	b.ReportMetric(n/b.Elapsed().Seconds(), "flows/s")
	b.ReportMetric(float64(f.commits), "commits/flow")
	if used := processorTime() - spent; used > 0 {
		b.ReportMetric(n/used.Seconds(), "flows/cpu-s")
	}
}

// floorEnvelopeV2 seals and opens one message as authcrypt does between parties that have
// met: two exchanges with an ephemeral key, and the content with AES-CBC and its code.
func floorEnvelopeV2(b *testing.B, plaintext []byte) {
	theirs, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		b.Fatal(err)
	}
	ephemeral, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		b.Fatal(err)
	}
	block, err := aes.NewCipher(theirs.Bytes())
	if err != nil {
		b.Fatal(err)
	}
	content := append(slices.Clone(plaintext), make([]byte, aes.BlockSize-len(plaintext)%aes.BlockSize)...)
	iv := make([]byte, aes.BlockSize)
	authenticate := func() []byte {
		mac := hmac.New(sha512.New, iv)
		mac.Write(content)
		return mac.Sum(nil)
	}
	_, err1 := ephemeral.ECDH(theirs.PublicKey())
	cipher.NewCBCEncrypter(block, iv).CryptBlocks(content, content)
	tag := authenticate()
	_, err2 := theirs.ECDH(ephemeral.PublicKey())
	if err1 != nil || err2 != nil || !hmac.Equal(tag, authenticate()) {
		b.Fatal("envelope does not open")
	}
	cipher.NewCBCDecrypter(block, iv).CryptBlocks(content, content)
}

// floorEnvelope seals and opens one message as RFC 0019 does: the content key in a box
// between the two, the sender in a box that names nobody, the message with the content
// key.
func floorEnvelope(b *testing.B, plaintext []byte) {
	theirs, theirKey, err := box.GenerateKey(rand.Reader)
	if err != nil {
		b.Fatal(err)
	}
	var nonce [24]byte
	key := make([]byte, chacha20poly1305.KeySize)
	_, _ = rand.Read(nonce[:])
	_, _ = rand.Read(key)
	sealedKey := box.Seal(nil, key, &nonce, theirs, theirKey)
	sender, err := box.SealAnonymous(nil, theirs[:], theirs, rand.Reader)
	if err != nil {
		b.Fatal(err)
	}
	aead, err := chacha20poly1305.NewX(key)
	if err != nil {
		b.Fatal(err)
	}
	sealed := aead.Seal(nil, nonce[:], plaintext, nil)

	_, ok1 := box.OpenAnonymous(nil, sender, theirs, theirKey)
	_, ok2 := box.Open(nil, sealedKey, &nonce, theirs, theirKey)
	_, err = aead.Open(nil, nonce[:], sealed, nil)
	if !ok1 || !ok2 || err != nil {
		b.Fatal("envelope does not open")
	}
}

// synchronousInsert returns one commit of one row by the driver itself, under the
// settings of a wallet.
func synchronousInsert(b *testing.B) func(data []byte) error {
	u := url.URL{Scheme: "file", Path: filepath.ToSlash(filepath.Join(b.TempDir(), "raw.db"))}
	u.RawQuery = url.Values{"_pragma": {"journal_mode=WAL", "synchronous=FULL", "secure_delete=ON", "temp_store=MEMORY"}}.Encode()
	c, err := new(sqlite.Driver).Open(u.String())
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, c.Close()) })
	_, err = c.(driver.ExecerContext).ExecContext(context.Background(), `CREATE TABLE record (id INTEGER PRIMARY KEY, data BLOB)`, nil)
	require.NoError(b, err)
	s, err := c.Prepare(`INSERT INTO record (data) VALUES (?)`)
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, s.Close()) })
	return func(data []byte) error {
		_, err := s.(driver.StmtExecContext).ExecContext(context.Background(), []driver.NamedValue{{Ordinal: 1, Value: data}})
		return err
	}
}

// TestFlow keeps the benchmark honest: a flow is what it says, also several at once.
func TestFlow(t *testing.T) {
	t.Parallel()
	t.Run("v1", func(t *testing.T) { testFlow(t, didcomm.V1, "didexchange", len(floorMessages(0))) })
	// Two connections of V2 take a ping and its answer, and no third message.
	t.Run("v2", func(t *testing.T) { testFlow(t, didcomm.V2, "trust-ping", len(floorMessages(0))-2) })
}

func testFlow(t *testing.T, v didcomm.Version, connecting string, each int) {
	t.Parallel()
	d := cheaply(t)
	d.version = v
	running(t, d)
	errs := make(chan error, 4)
	for range cap(errs) {
		go func() { errs <- d.flow(t.Context()) }()
	}
	for range cap(errs) {
		require.NoError(t, <-errs)
	}
	k := seen(t, d)
	require.Len(t, k["staff"].credentials, 4)
	require.Len(t, k["host"].results, 4)
	require.Empty(t, stuck(k))
	require.Len(t, k["employer"].places, 4)
	require.Empty(t, misplaced(k))
	messages, connected := 0, 0
	for _, kept := range k {
		for e, n := range kept.events {
			if strings.HasPrefix(e, "received/") {
				require.Truef(t, strings.HasSuffix(e, " ok"), "%s", e)
				messages += n
			}
			if strings.HasPrefix(e, "received/"+connecting+"/") {
				connected += n
			}
		}
	}
	require.Equal(t, 4*each, messages)
	require.Equal(t, 4*(each-7), connected)
	fmt.Fprintln(t.Output(), messages, "messages")
}
