package sdprim

import (
	"context"
	"crypto/sha256"
	"hash"

	"github.com/staffpassport/staffpassport/internal/jsonld"
	"github.com/staffpassport/staffpassport/internal/rdfcanon"
	"github.com/staffpassport/staffpassport/internal/strictjson"
)

// HashOptions returns the SHA-256 hash of the canonical form of proof options, which
// have no proof value, with the @context of the document that they prove (section
// 3.6.4), whatever @context they have themselves. Errors match ErrEmpty, the errors of [jsonld.Contexts.ToRDF] and of [rdfcanon.Canonicalize].
func HashOptions(ctx context.Context, contexts *jsonld.Contexts, options, doc *strictjson.Object) ([]byte, error) {
	known, _ := doc.Get("@context")
	config := options.Clone()
	config.Set("@context", known)
	quads, err := contexts.ToRDF(config, nil)
	if err != nil {
		return nil, err
	}
	if len(quads) == 0 {
		return nil, ErrEmpty
	}
	canonical, err := rdfcanon.Canonicalize(ctx, quads, rdfcanon.SHA256)
	if err != nil {
		return nil, err
	}
	return Hash(canonical.Statements), nil
}

// Hash is hashMandatoryNQuads (section 3.4.17) with SHA-256.
func Hash(lines []string) []byte {
	h := sha256.New()
	for _, line := range lines {
		write(h, line)
	}
	return h.Sum(nil)
}

// write hashes a line. A photo, which is one long line, goes in pieces, so that no
// second one is in memory.
func write(h hash.Hash, line string) {
	const piece = 4096
	for len(line) > piece {
		h.Write([]byte(line[:piece]))
		line = line[piece:]
	}
	h.Write([]byte(line))
}
