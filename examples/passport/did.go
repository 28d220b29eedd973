package main

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/did/didjwk"
	"github.com/staffpassport/staffpassport/did/didkey"
	"github.com/staffpassport/staffpassport/did/didpeer"
	"github.com/staffpassport/staffpassport/did/didweb"
	"github.com/staffpassport/staffpassport/did/didwebvh"
	"github.com/staffpassport/staffpassport/did/resolution"
	"github.com/staffpassport/staffpassport/did/universal"
)

// didNewCommand makes the DID of a key, with what has to be published for it.
func didNewCommand(ctx context.Context, s *shell, args []string) (int, error) {
	fs := s.flags("--key FILE [--method key|jwk|peer|web|webvh] [flags]",
		"Writes the DID of a key. With --document it writes the DID document instead; for web that\nis the file to publish, for webvh the log. The address to publish it at is on standard error.\nwebvh takes a key of Ed25519, and either --document or --json, which has the DID and the log.")
	keyFile := fs.String("key", "", "the key, a `FILE` by passport key new; the public half is enough but for webvh")
	method := fs.String("method", "key", "`NAME` of the method: key, jwk, peer, web, webvh")
	host := fs.String("domain", "", "web and webvh: the `HOST` that will publish it")
	path := fs.String("path", "", "web and webvh: where on it, such as `wards/7`; default: the domain itself")
	document := fs.Bool("document", false, "write the DID document, or the log")
	var at moment
	fs.Var(&at, "now", "make the log as of this `TIME`")
	rest, err := s.parse(fs, args)
	if err != nil {
		return 0, err
	}
	switch {
	case len(rest) > 0:
		return 0, wrongUsage("unexpected argument %q", rest[0])
	case *keyFile == "":
		return 0, wrongUsage("--key FILE is required; passport key new makes one")
	case *method == "webvh" && !*document && !s.json:
		return 0, wrongUsage("--method webvh needs --document or --json: its log is made now, and the DID is that of this log alone")
	case (*method == "web" || *method == "webvh") && *host == "":
		return 0, wrongUsage("--method %s needs --domain", *method)
	}
	b, err := s.readFile(*keyFile)
	if err != nil {
		return 0, err
	}
	k, err := parseKey(b)
	if err != nil {
		return 0, err
	}
	made, err := makeDID(ctx, s, k, *method, *host, segments(*path), at)
	if err != nil {
		return 0, err
	}
	return exitValid, s.writeDID(made, *document)
}

func segments(path string) []string {
	if path = strings.Trim(path, "/"); path != "" {
		return strings.Split(path, "/")
	}
	return nil
}

// A madeDID is a DID with what it takes to use it.
type madeDID struct {
	DID      did.DID         `json:"did"`
	Key      did.URL         `json:"key"`                // the name of the key, for passport key
	Document json.RawMessage `json:"document,omitempty"` // the DID document
	Log      string          `json:"log,omitempty"`      // of did:webvh
	Publish  string          `json:"publish,omitempty"`  // where the document or the log belongs
}

func makeDID(ctx context.Context, s *shell, k *key, method, host string, path []string, at moment) (*madeDID, error) {
	switch method {
	case "key", "jwk", "peer":
		m := &madeDID{}
		var err error
		switch method {
		case "key":
			m.DID, err = didkey.New(k.public)
			m.Key = didkey.SigningMethod(m.DID)
		case "jwk":
			m.DID, err = didjwk.New(k.public)
			m.Key = didjwk.SigningMethod(m.DID)
		default:
			m.DID, err = peerOf(k)
			m.Key = m.DID.URL("key-1")
		}
		if err != nil {
			return nil, err
		}
		r, err := universal.New(universal.Config{}).Resolve(ctx, m.DID, did.Version{})
		if err != nil {
			return nil, err
		}
		m.Document, err = r.Document.MarshalJSON()
		return m, err
	case "web":
		id, err := didweb.New(host, path...)
		if err != nil {
			return nil, err
		}
		address, err := didweb.URL(id)
		if err != nil {
			return nil, err
		}
		m := &madeDID{DID: id, Key: id.URL("key-1"), Publish: address}
		d, err := documentOf(id, k)
		if err != nil {
			return nil, err
		}
		m.Document, err = d.MarshalJSON()
		return m, err
	case "webvh":
		return makeLog(ctx, s, k, host, path, at)
	}
	return nil, wrongUsage("--method is key, jwk, peer, web or webvh")
}

// peerOf returns the did:peer, of numalgo 4, of a document with the key.
func peerOf(k *key) (did.DID, error) {
	multikey, err := did.Multikey(k.public)
	if err != nil {
		return did.DID{}, err
	}
	input, err := marshal(map[string]any{
		"@context":           []string{"https://www.w3.org/ns/did/v1", "https://w3id.org/security/multikey/v1"},
		"verificationMethod": []any{map[string]string{"id": "#key-1", "type": "Multikey", "publicKeyMultibase": multikey}},
		"authentication":     []string{"#key-1"}, "assertionMethod": []string{"#key-1"},
	})
	if err != nil {
		return did.DID{}, err
	}
	return didpeer.New(input)
}

// documentOf returns a document with one key for everything that it can do.
func documentOf(id did.DID, k *key) (*did.Document, error) {
	rels := []did.Relationship{did.Authentication, did.AssertionMethod}
	if _, err := did.Algorithm(k.public); err != nil {
		rels = rels[1:] // a BBS key shows nobody's presence
	}
	m, err := did.NewVerificationMethod(id.URL("key-1"), k.public, rels...)
	if err != nil {
		return nil, err
	}
	return did.NewDocument(id, []*did.VerificationMethod{m}, nil)
}

// makeLog makes a did:webvh whose key is also the one that may update it.
func makeLog(ctx context.Context, s *shell, k *key, host string, path []string, at moment) (*madeDID, error) {
	if _, ok := k.private.(ed25519.PrivateKey); !ok {
		return nil, wrongUsage("webvh needs a private key of Ed25519: passport key new --type ed25519")
	}
	update, err := didwebvh.UpdateKey(k.private)
	if err != nil {
		return nil, err
	}
	log, err := didwebvh.Create(ctx, didwebvh.Options{
		Domain: host, Path: path, Key: update, Now: s.now(at),
		Document: func(id did.DID) (*did.Document, error) { return documentOf(id, k) },
	})
	if err != nil {
		return nil, err
	}
	address, _ := log.URL()
	return &madeDID{DID: log.DID(), Key: log.DID().URL("key-1"), Log: string(log.JSONL()), Publish: address}, nil
}

// writeDID writes the DID, or what has to be published for it.
func (s *shell) writeDID(m *madeDID, document bool) error {
	if s.json {
		return s.printJSON(m)
	}
	if m.Publish != "" {
		fmt.Fprintf(s.err, "publish at %s\nname of the key: %s\n", printable(m.Publish), printable(m.Key.String()))
	}
	switch {
	case document && m.Log != "":
		return s.write([]byte(m.Log), "", false)
	case document:
		return s.printJSON(m.Document)
	}
	_, err := fmt.Fprintln(s.out, m.DID)
	return err
}

// didResolveCommand fetches the document of a DID, or what a DID URL stands for.
func didResolveCommand(ctx context.Context, s *shell, args []string) (int, error) {
	fs := s.flags("[flags] DID",
		"Writes the document of a DID, or what a DID URL stands for; with --json the whole result\nof DID Resolution 1.0.\nExit code: 0 there is one, 1 there is none or it is wrong, 3 could not be asked.")
	var n network
	n.flags(fs)
	o := resolution.Options{}
	fs.StringVar(&o.VersionID, "version-id", "", "the `VERSION` of that name")
	fs.StringVar(&o.VersionTime, "version-time", "", "as it was at this `TIME`")
	fs.StringVar(&o.VersionNumber, "version-number", "", "webvh: the entry of this `NUMBER`, from 1")
	var at moment
	fs.Var(&at, "now", "look as of this `TIME`")
	rest, err := s.parse(fs, args)
	if err != nil {
		return 0, err
	}
	if len(rest) != 1 {
		return 0, wrongUsage("one DID")
	}
	now := s.now(at)
	if err := n.open(ctx, s, now); err != nil {
		return 0, err
	}
	ctx, cancel := context.WithTimeout(ctx, n.timeout)
	defer cancel()
	client := n.client()
	r := n.resolver(client, now)
	o.Client = client
	if !n.offline && !n.loopback && n.opened == nil && onThisMachine(rest[0]) {
		s.hint = loopbackHint
	}
	if strings.ContainsAny(rest[0], "?#/;") {
		return s.dereference(ctx, r, rest[0], o)
	}
	return s.resolve(ctx, r, rest[0], o)
}

func (s *shell) resolve(ctx context.Context, r did.Resolver, id string, o resolution.Options) (int, error) {
	res := resolution.Resolve(ctx, watched{r, s}, id, o)
	code := resolved(res.Problem, res.HTTPStatus(), s)
	switch {
	case s.json:
		return code, s.printJSON(res)
	case res.Problem != nil:
		s.printResolution(res.Problem, code)
		return code, nil
	case res.Document == nil:
		fmt.Fprintln(s.err, "  failed  deactivated: the DID is no longer in use; its keys authorise nothing")
		return exitInvalid, nil
	}
	return code, s.printJSON(res.Document)
}

func (s *shell) dereference(ctx context.Context, r did.Resolver, id string, o resolution.Options) (int, error) {
	res := resolution.Dereference(ctx, watched{r, s}, id, o)
	code := resolved(res.Problem, res.HTTPStatus(), s)
	switch {
	case s.json:
		return code, s.printJSON(res)
	case res.Problem != nil:
		s.printResolution(res.Problem, code)
		return code, nil
	}
	if json.Valid(res.Content) {
		return code, s.printJSON(json.RawMessage(res.Content))
	}
	return code, s.write(res.Content, "", false)
}

func (s *shell) printResolution(p *resolution.Problem, code int) {
	fmt.Fprintf(s.err, "passport %s: no document\n", s.name)
	word := "failed"
	if code == exitUndecided {
		word = "undecided"
	}
	_, name, _ := strings.Cut(p.Type, "#")
	hint := ""
	if code == exitUndecided {
		hint = s.hint
	}
	printProblem(s.err, "  ", word, problem{Code: name, Text: p.Title, Cause: p.Detail, Hint: hint})
}

// watched remembers why a resolver failed: DID Resolution has one name for what is
// broken and for what could not be asked now, and exit codes have two.
type watched struct {
	did.Resolver
	s *shell
}

func (w watched) Resolve(ctx context.Context, id did.DID, at did.Version) (*did.Resolution, error) {
	r, err := w.Resolver.Resolve(ctx, id, at)
	w.s.unavailable = w.s.unavailable || errors.Is(err, did.ErrUnavailable)
	return r, err
}

func resolved(p *resolution.Problem, status int, s *shell) int {
	switch {
	case p == nil && status < 400:
		return exitValid
	case s.unavailable:
		return exitUndecided
	}
	return exitInvalid
}
