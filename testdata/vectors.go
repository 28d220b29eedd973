// Package testdata holds test vectors for verifiers of staff passports: secured
// credentials and presentations, good and bad, each with what a verifier must
// know and what it must answer. Everything in them is invented.
//
// [Vectors] returns them all, and [Figures] the headline figures of the suites'
// specifications; README.md says what each member means and has a
// JSON Schema of a vector's file. The package imports nothing of this module, so
// that any implementation can run the vectors. In this module package vc/verify
// makes them and runs them.
package testdata

import (
	"embed"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io/fs"
	"time"
)

//go:embed vectors/*.json figures.json
var files embed.FS

// Files returns the vectors as they are stored, one JSON file each, under the
// names that the vectors have.
func Files() fs.FS {
	sub, err := fs.Sub(files, "vectors")
	if err != nil {
		panic("testdata: embedded files: " + err.Error())
	}
	return sub
}

// A Vector is one input for a verifier and the answer it must give.
type Vector struct {
	Name          string `json:"name"`        // that of the file, without .json
	Description   string `json:"description"` // what is special about the input
	Specification string `json:"specification"`

	Kind      string `json:"kind"`      // "credential" or "presentation"
	MediaType string `json:"mediaType"` // what the input is said to be
	// Exactly one of these two is set.
	Input       string `json:"input,omitempty"`       // the bytes as text
	InputBase64 string `json:"inputBase64,omitempty"` // bytes that are not text

	Verifier Verifier `json:"verifier"`
	Expected Expected `json:"expected"`
}

// Verifier is how the verifier is set up.
type Verifier struct {
	Now      time.Time           `json:"now"`
	Contexts [][]string          `json:"contexts"` // @context arrays known besides that of the data model alone
	Trusted  map[string][]string `json:"trusted"`  // for each issuer the credential types it may issue

	// ContextDocuments are the JSON-LD contexts behind the URLs in Contexts that are
	// no specification's. They are there where a proof covers RDF.
	ContextDocuments map[string]json.RawMessage `json:"contextDocuments,omitempty"`
	// Holder is "bearer" if presentations are taken that nobody signed, and empty
	// if the holder must be the subject.
	Holder string `json:"holder,omitempty"`

	// Documents are the DID documents of DIDs other than did:key, which resolves
	// to itself. No other DID exists.
	Documents map[string]json.RawMessage `json:"documents,omitempty"`
	// Unavailable are DIDs whose document cannot be had at the moment.
	Unavailable []string `json:"unavailable,omitempty"`

	// For presentations: who asks, with which nonce, and whether that nonce was
	// used before.
	Audience  string `json:"audience,omitempty"`
	Nonce     string `json:"nonce,omitempty"`
	NonceUsed bool   `json:"nonceUsed,omitempty"`
}

// Expected is what the verifier must answer.
type Expected struct {
	Outcome string `json:"outcome"` // "accepted", "refused" or "undecided"

	// For an input that is not accepted: the first check that did not pass, its
	// code, and which credential of a presentation it is about (-1: none).
	Check string `json:"check,omitempty"`
	Code  string `json:"code,omitempty"`
	Index int    `json:"index"`

	// For an input that is accepted: the credentials without their proofs.
	Documents []json.RawMessage `json:"documents,omitempty"`
}

// Bytes returns the input.
func (v Vector) Bytes() ([]byte, error) {
	if v.InputBase64 == "" {
		return []byte(v.Input), nil
	}
	b, err := base64.StdEncoding.DecodeString(v.InputBase64)
	if err != nil {
		return nil, fmt.Errorf("testdata: vector %s: %w", v.Name, err)
	}
	return b, nil
}

// Vectors returns all vectors, sorted by name.
func Vectors() ([]Vector, error) {
	names, err := fs.Glob(Files(), "*.json")
	if err != nil {
		return nil, fmt.Errorf("testdata: %w", err)
	}
	out := make([]Vector, len(names))
	for i, name := range names {
		b, err := fs.ReadFile(Files(), name)
		if err != nil {
			return nil, fmt.Errorf("testdata: %w", err)
		}
		if err := json.Unmarshal(b, &out[i]); err != nil {
			return nil, fmt.Errorf("testdata: vector %s: %w", name, err)
		}
	}
	return out, nil
}

// A Figure is what a specification's example of a Data Integrity suite comes to, so
// that the numbers that matter are there where its files are not: the signature is
// one by the key over ProofHash, ProofKey if there is one, and DocumentHash, one
// after the other.
type Figure struct {
	Specification string `json:"specification"`
	Suite         string `json:"suite"`
	Key           string `json:"key"`       // Multikey of the issuer
	ProofHash     string `json:"proofHash"` // hexadecimal: of the canonical proof options
	// ProofKey is the Multikey that signs each statement of ecdsa-sd-2023.
	ProofKey     string `json:"proofKey,omitempty"`
	DocumentHash string `json:"documentHash"` // hexadecimal: of the canonical document, or of what is mandatory in it
	Signature    string `json:"signature"`    // multibase
}

// Figures returns all figures.
func Figures() ([]Figure, error) {
	b, err := files.ReadFile("figures.json")
	if err != nil {
		return nil, fmt.Errorf("testdata: %w", err)
	}
	var out []Figure
	if err := json.Unmarshal(b, &out); err != nil {
		return nil, fmt.Errorf("testdata: figures: %w", err)
	}
	return out, nil
}
