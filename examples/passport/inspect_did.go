package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/did/didweb"
	"github.com/staffpassport/staffpassport/did/didwebvh"
	"github.com/staffpassport/staffpassport/did/universal"
)

// inspectDID looks at a DID or DID URL: what it holds itself, or where its document is.
func (i *inspection) inspectDID(line string) *report {
	r := &report{kind: "did", title: "DID"}
	u, err := did.ParseURL(line)
	if err != nil {
		r.wrong = problemsOf(err)
		return r
	}
	if u.String() != u.DID.String() {
		r.title = "DID URL"
		r.add("DID", "did", u.DID.String())
		r.add("fragment", "fragment", u.Fragment)
		r.add("query", "query", u.Query)
		r.add("path", "path", u.Path)
	}
	r.add("method", "method", u.DID.Method())
	switch u.DID.Method() {
	case "web":
		address, err := didweb.URL(u.DID)
		if err != nil {
			r.wrong = problemsOf(err)
		}
		r.add("document at", "url", address)
		return r
	case "webvh":
		log, witness, err := didwebvh.URL(u.DID)
		if err != nil {
			r.wrong = problemsOf(err)
		}
		r.add("log at", "url", log)
		r.add("witnesses at", "witnessURL", witness)
		return r
	}
	// The others hold their document: this asks nobody.
	res, err := universal.New(universal.Config{}).Resolve(context.Background(), u.DID, did.Version{})
	switch {
	case errors.Is(err, did.ErrUnsupported), errors.Is(err, did.ErrUnavailable), errors.Is(err, did.ErrNotFound):
		r.add("document", "document", "cannot be told without asking: "+err.Error())
	case err != nil:
		r.wrong = problemsOf(err)
	case res.Document != nil:
		i.addDocument(r, res.Document)
	}
	return r
}

// inspectDIDDocument looks at a DID document.
func (i *inspection) inspectDIDDocument(b []byte) *report {
	r := &report{kind: "did-document", title: "DID document"}
	r.add("of", "did", text(objectOf(b)["id"]))
	d, err := did.ParseDocument(b)
	if err != nil {
		r.wrong = problemsOf(err)
		return r
	}
	i.addDocument(r, d)
	return r
}

// relationships are what a key may be for.
func relationships() []did.Relationship {
	return []did.Relationship{did.AssertionMethod, did.Authentication, did.KeyAgreement, did.CapabilityInvocation, did.CapabilityDelegation}
}

// addDocument says which keys may do what, now, and how to reach the subject.
func (i *inspection) addDocument(r *report, d *did.Document) {
	r.add("also", "alsoKnownAs", d.AlsoKnownAs())
	var order []string
	uses := map[string][]string{}
	lines := map[string]string{}
	for _, rel := range relationships() {
		for _, m := range d.Methods(rel, i.now) {
			id := m.ID.String()
			if lines[id] == "" {
				order = append(order, id)
				lines[id] = "#" + m.ID.Fragment + " " + keyType(m.PublicKey())
				if !m.Expires.IsZero() {
					lines[id] += ", until " + m.Expires.UTC().Format("2006-01-02")
				}
			}
			uses[id] = append(uses[id], string(rel))
		}
	}
	var keys []string
	for _, id := range order {
		keys = append(keys, lines[id]+": "+strings.Join(uses[id], ", "))
	}
	r.add("keys", "keys", keys)
	var services []string
	for _, s := range d.Services("") {
		services = append(services, strings.TrimSpace(s.Type+" "+s.Endpoint))
	}
	r.add("services", "services", services)
	// Keys that are listed and that nobody can use are a usual reason for a failure.
	if tree := documentTree(d); len(list(tree["verificationMethod"])) > 0 && len(keys) == 0 {
		r.flaw("keys", "none of its keys can be used: their types are unknown, or they have ended, or are for no purpose", "")
	} else if !slices.ContainsFunc(keys, func(k string) bool { return strings.Contains(k, string(did.AssertionMethod)) }) && r.kind == "did-document" {
		r.add("note", "note", "no key may sign credentials (assertionMethod)")
	}
}

func documentTree(d *did.Document) map[string]any {
	b, err := d.MarshalJSON()
	if err != nil {
		return nil
	}
	return objectOf(b)
}

// inspectResolution looks at the answer of a resolver (DID Resolution, section 9).
func (i *inspection) inspectResolution(o map[string]any) *report {
	b, err := json.Marshal(o["didDocument"])
	if o["didDocument"] == nil || err != nil {
		r := &report{kind: "resolution", title: "DID resolution result without a document"}
		metadata, _ := o["didResolutionMetadata"].(map[string]any)
		problem, _ := metadata["error"].(map[string]any)
		r.flaw("resolution", text(metadata["error"])+text(problem["type"]), "")
		return r
	}
	r := i.inspectDIDDocument(b)
	r.kind, r.title = "resolution", "DID resolution result"
	metadata, _ := o["didDocumentMetadata"].(map[string]any)
	for _, name := range []string{"versionId", "created", "updated"} {
		r.add(name, name, text(metadata[name]))
	}
	if metadata["deactivated"] == true {
		r.flaw("deactivated", "the DID is no longer in use: its keys authorise nothing", "")
	}
	return r
}

// inspectLog looks at a did:webvh log. This verifies the chain of its entries, which
// needs nobody else; the proofs of witnesses are in another file.
func (i *inspection) inspectLog(b []byte) *report {
	r := &report{kind: "did-log", title: fmt.Sprintf("did:webvh log of %d entries", 1+bytes.Count(bytes.TrimSpace(b), []byte("\n")))}
	log, err := didwebvh.OpenLog(b, nil, i.now)
	var entry *didwebvh.EntryError
	switch {
	case errors.As(err, &entry):
		r.flaw("entry", entry.Error(), "")
		return r
	case err != nil:
		r.wrong = problemsOf(err)
		return r
	}
	r.add("of", "did", log.DID().String())
	r.add("version", "versionId", log.VersionID())
	if err := log.Witnessed(); err != nil {
		r.add("witnesses", "witnesses", "have to approve it as well, in did-witness.json: passport did resolve looks at both")
		return r
	}
	res, err := log.Resolve(log.DID(), did.Version{})
	if err != nil {
		r.wrong = problemsOf(err)
		return r
	}
	r.add("updated", "updated", res.Updated)
	if res.Deactivated {
		r.flaw("deactivated", "the DID is no longer in use: its keys authorise nothing", "")
	}
	if res.Document != nil {
		i.addDocument(r, res.Document)
	}
	return r
}
