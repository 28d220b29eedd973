package did

import (
	"context"
	"encoding/json"
	"fmt"
	"time"
)

// A Resolver finds the document of a DID (DID Resolution section 4).
//
// Implementations are safe for concurrent use and stop when ctx ends. They
// return either a Resolution whose document has the id asked for, or an error
// that matches exactly one of [ErrNotFound], [ErrInvalid], [ErrUnsupported] and
// [ErrUnavailable], or the error of ctx. A deactivated DID is a Resolution that
// says so; it has a document only where an earlier version was asked for or the
// method still shows the last one. Package didtest has the test of this contract.
type Resolver interface {
	// Resolve returns the document of id as it was at the version, or the
	// latest for the zero Version.
	Resolve(ctx context.Context, id DID, at Version) (*Resolution, error)
}

// A Version selects an earlier state of a DID (DID Resolution section 3). At
// most one member is set; the zero Version is the latest. A method whose
// documents never change answers ErrNotFound for an ID or a Number, because it
// has none, and takes any Time.
type Version struct {
	ID     string    // versionId
	Time   time.Time // versionTime: the version that was valid then
	Number int       // versionNumber of did:webvh, from 1
}

// IsZero reports whether v asks for the latest version.
func (v Version) IsZero() bool { return v.ID == "" && v.Time.IsZero() && v.Number == 0 }

// A Resolution is a document with its metadata (DID Resolution section 4.3).
type Resolution struct {
	Document    *Document // nil if Deactivated and the method shows none
	VersionID   string    // empty if the method has no versions
	Created     time.Time // zero if the method does not tell
	Updated     time.Time // zero if the method does not tell, or never updated
	Deactivated bool      // the DID is no longer in use; its keys authorise nothing

	// Other holds the members of the document metadata that only this method has,
	// such as scid, witness and watchers of did:webvh, as JSON.
	Other map[string]json.RawMessage
}

// A Getter fetches what a method or a status list keeps on the web: the package
// webclient has one that goes to public addresses alone, within limits of time and
// size. Get returns the body and its media type, which is one of accept if any are
// given. A resource that is not there is [ErrNotFound]; every other failure,
// whether of the network or of a rule, is [ErrUnavailable] and may match an error
// of the Getter's own as well, or it is the error of ctx. The body is the caller's to
// change. Implementations are safe for concurrent use. Package didtest has the test of
// this contract.
type Getter interface {
	Get(ctx context.Context, url string, accept ...string) (body []byte, mediaType string, err error)
}

// A Mux routes each DID to the Resolver for its method name, as in
// Mux{"key": didkey.Resolver{}}.
type Mux map[string]Resolver

var _ Resolver = Mux(nil)

// Resolve implements [Resolver]. A method that is not in the map is
// [ErrUnsupported]. A document whose id is not the DID asked for is
// [ErrDocument].
func (m Mux) Resolve(ctx context.Context, id DID, at Version) (*Resolution, error) {
	if id.IsZero() {
		return nil, fmt.Errorf("%w: the zero DID has no document", ErrInvalid)
	}
	r := m[id.Method()]
	if r == nil {
		return nil, fmt.Errorf("%w: no resolver for the method of this DID", ErrUnsupported)
	}
	res, err := r.Resolve(ctx, id, at)
	if err != nil {
		return nil, err
	}
	if res != nil && res.Deactivated && res.Document == nil {
		return res, nil
	}
	if res == nil || res.Document == nil || res.Document.ID() != id {
		return nil, fmt.Errorf("%w: it is not the one of this DID", ErrDocument)
	}
	return res, nil
}
