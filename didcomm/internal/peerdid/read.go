package peerdid

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/internal/multiformat"
	"github.com/staffpassport/staffpassport/internal/strictjson"
)

// ErrMethod says that a DID is of a method that is not looked up for a peer: only DIDs
// that carry their document, or come with it, are.
var ErrMethod = errors.New("peerdid: DID method not supported")

// ErrService says that a document names no way to reach its subject.
var ErrService = errors.New("peerdid: no usable DIDComm service")

// A Peer is the DID that a peer showed, with what it says.
type Peer struct {
	ID       did.DID
	Document *did.Document
	Service  didcomm.Service
	// Genesis is the document that came with a did:peer:1, without its id: the bytes
	// that its hash was taken of.
	Genesis []byte
}

// Read returns the document and the V1 service of a DID, which may come with its
// document. It makes no network request if r resolves did:peer and did:key only.
func Read(ctx context.Context, r did.Resolver, text string, attached []byte) (*Peer, error) {
	id, err := did.Parse(text)
	if err != nil {
		return nil, err
	}
	p := &Peer{ID: id}
	switch method := id.Method(); {
	case method == "peer" && id.SpecificID()[0] == '1':
		p.Genesis, err = genesisOf(id, attached)
		if err == nil {
			p.Document, err = Document1(id, p.Genesis)
		}
	case method == "peer" || method == "key":
		var res *did.Resolution
		if res, err = r.Resolve(ctx, id, did.Version{}); err == nil {
			p.Document = res.Document
		}
	default:
		err = ErrMethod
	}
	if err != nil {
		return nil, err
	}
	if p.Service, err = didcomm.ServiceOf(p.Document); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrService, err)
	}
	return p, nil
}

// genesisOf returns the document of a did:peer:1 as it was before it had an id (did:peer,
// Method 1), from the document that was shown: without it already, or with it. Only the
// bytes of which the DID is the hash pass.
func genesisOf(id did.DID, shown []byte) ([]byte, error) {
	if len(shown) == 0 {
		return nil, fmt.Errorf("%w: the document of a did:peer:1 is missing", did.ErrNotFound)
	}
	if len(shown) > multiformat.MaxDocument+len(id.String())+len(`"id":"",`) {
		return nil, fmt.Errorf("%w: the document of a did:peer:1 is too long", did.ErrInvalid)
	}
	member := []byte(`"id":"` + id.String() + `"`)
	before, after, _ := bytes.Cut(shown, member)
	cut := bytes.Join([][]byte{before, bytes.TrimPrefix(after, []byte(","))}, nil)
	last := bytes.Join([][]byte{bytes.TrimSuffix(before, []byte(",")), after}, nil)
	for _, genesis := range [][]byte{shown, cut, last, rewritten(id, shown)} {
		if isGenesis(id, genesis) {
			return genesis, nil
		}
	}
	return nil, fmt.Errorf("%w: the document is not that of this did:peer:1", did.ErrInvalid)
}

// rewritten returns a document of id without that and without white space, or nil.
func rewritten(id did.DID, shown []byte) []byte {
	tree, err := strictjson.ParseObject(shown)
	if err != nil {
		return nil
	}
	if named, present := tree.Get("id"); present && named != id.String() {
		return nil
	}
	tree.Delete("id")
	text, err := strictjson.Append(nil, tree)
	if err != nil {
		return nil
	}
	return text
}

// isGenesis reports whether a DID is the hash of a document.
func isGenesis(id did.DID, genesis []byte) bool {
	sum := sha256.Sum256(genesis)
	return id.SpecificID() == "1"+multiformat.Encode(multiformat.SHA256Multihash(sum))
}

// Document1 returns the document of a did:peer:1 of its genesis document. Unlike package
// didpeer it reads the documents of agents in use, in which a service has an identifier
// that is not relative, and a key the controller "": either is the DID's own.
func Document1(id did.DID, genesis []byte) (*did.Document, error) {
	if !isGenesis(id, genesis) {
		return nil, fmt.Errorf("%w: the document is not that of this did:peer:1", did.ErrInvalid)
	}
	tree, err := strictjson.ParseObject(genesis)
	if err != nil {
		return nil, fmt.Errorf("%w: document of a did:peer:1", did.ErrInvalid)
	}
	if _, present := tree.Get("id"); present {
		return nil, fmt.Errorf("%w: genesis document with an id", did.ErrInvalid)
	}
	for _, name := range []string{
		"verificationMethod", string(did.Authentication), string(did.AssertionMethod), string(did.KeyAgreement),
		string(did.CapabilityInvocation), string(did.CapabilityDelegation),
	} {
		for o := range objects(tree, name) {
			if controller, present := o.Get("controller"); !present || controller == "" || controller == "#id" {
				o.Set("controller", id.String())
			}
			if name, ok := o.Text("id"); ok && !strings.HasPrefix(name, "#") {
				return nil, fmt.Errorf("%w: genesis document with a key of another", did.ErrInvalid)
			}
		}
	}
	for o := range objects(tree, "service") {
		if name, ok := o.Text("id"); ok && !strings.Contains(name, ":") && !strings.HasPrefix(name, "#") {
			o.Set("id", "#"+name)
		}
	}
	tree.Set("id", id.String())
	text, err := strictjson.Append(nil, tree)
	if err != nil {
		return nil, fmt.Errorf("%w: document of a did:peer:1", did.ErrInvalid)
	}
	return did.ParseDocument(text)
}

func objects(tree *strictjson.Object, name string) func(func(*strictjson.Object) bool) {
	return func(yield func(*strictjson.Object) bool) {
		v, _ := tree.Get(name)
		list, _ := v.([]any)
		for _, v := range list {
			if o, ok := v.(*strictjson.Object); ok && !yield(o) {
				return
			}
		}
	}
}
