package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/outofband"
	"github.com/staffpassport/staffpassport/schema"
	"github.com/staffpassport/staffpassport/vc"
)

// inspectCommand says what something is. It never verifies.
func inspectCommand(_ context.Context, s *shell, args []string) (int, error) {
	fs := s.flags("[flags] [FILE | DID]",
		"Says what something is, who signed it, what it shows and what is wrong with it. It reads\ncredentials and presentations in every format, tokens, keys, DIDs and their documents and\nlogs, messages, invitations, status lists, trust lists and bundles.\n\nNobody is asked, and no signature is verified but those within a did:webvh log: what it\nsays may be forged.\nExit code: 0 nothing wrong was seen, 1 something was, 3 this is nothing that it knows.")
	var at moment
	var words vocabulary
	fs.Var(&at, "now", "look at it as of this `TIME`")
	fs.Var(&words.given, "context", contextUsage)
	mediaType := fs.String("media-type", "", "the `TYPE` that it was sent as, such as application/vc+jwt; default: by its shape")
	rest, err := s.parse(fs, args)
	if err != nil {
		return 0, err
	}
	b, err := s.readOrDID(rest)
	if err != nil {
		return 0, err
	}
	contexts, err := words.set(s)
	if err != nil {
		return 0, err
	}
	i := &inspection{now: s.now(at)(), contexts: contexts}
	r := i.inspect(payload(b), *mediaType)
	if s.json {
		err = s.printJSON(r.object())
	} else {
		r.print(s.out, "")
		if r.kind == "credential" || r.kind == "presentation" {
			fmt.Fprintln(s.out, "not verified: passport verify decides whether to rely on it")
		}
	}
	switch {
	case err != nil:
		return 0, err
	case r.kind == unknown:
		return exitUndecided, nil
	case r.flawed():
		return exitInvalid, nil
	}
	return exitValid, nil
}

// readOrDID returns what read does, or the DID that stands in the place of a file.
func (s *shell) readOrDID(args []string) ([]byte, error) {
	if len(args) == 1 && strings.HasPrefix(args[0], "did:") {
		if _, err := os.Stat(args[0]); os.IsNotExist(err) {
			return []byte(args[0]), nil
		}
	}
	return s.read(args)
}

// unknown is the kind of what is not recognised.
const unknown = "unknown"

// An inspection is one look at one thing.
type inspection struct {
	now      time.Time
	contexts *vc.ContextSet
}

// inspect tells what b is, by its shape.
func (i *inspection) inspect(b []byte, mediaType string) *report {
	if mediaType != "" {
		return i.inspectDocument(secured(b, mediaType), 0)
	}
	switch line := firstLine(b); {
	case isMessage(b):
		return i.inspectDocument(secured(b, ""), 0)
	case len(b) > 0 && b[0] == '{':
		return i.inspectJSON(b)
	case strings.HasPrefix(line, "did:"):
		return i.inspectDID(line)
	case strings.Contains(line, "://"):
		return i.inspectURL(line)
	case strings.HasPrefix(line, "z"):
		return i.inspectMultikey(line)
	case strings.HasPrefix(line, "-----BEGIN "):
		return &report{kind: unknown, title: "PEM: this program reads keys as JSON Web Keys and Multikeys"}
	case strings.Contains(line, "~"), strings.Count(line, ".") == 2:
		return i.inspectToken(b)
	case strings.Count(line, ".") == 4:
		return i.inspectJWE(compactJWE(line))
	}
	return &report{kind: unknown, title: fmt.Sprintf("%d bytes of nothing that this program knows", len(b))}
}

func firstLine(b []byte) string {
	line, _, _ := bytes.Cut(b, []byte("\n"))
	return string(line)
}

// maxPeek bounds the JSON that is looked into: everything but a bundle fits, an envelope
// with a photo in it first.
const maxPeek = didcomm.MaxEnvelope

// inspectJSON tells what a JSON object is, by its members.
func (i *inspection) inspectJSON(b []byte) *report {
	if len(b) > maxPeek {
		if r := i.inspectBundle(b); r != nil {
			return r
		}
		r := &report{kind: "json", title: fmt.Sprintf("JSON of %d bytes", len(b))}
		r.flaw("too-large", "larger than any message or document may be", "")
		return r
	}
	o := objectOf(b)
	if o == nil {
		if objectOf([]byte(firstLine(b))) != nil {
			return i.inspectLog(b)
		}
		r := &report{kind: "json", title: "text that begins like JSON"}
		_, err := vc.Parse(b)
		r.wrong = problemsOf(err)
		return r
	}
	has := func(names ...string) bool {
		return !slices.ContainsFunc(names, func(n string) bool { _, ok := o[n]; return !ok })
	}
	types := typesOf(o)
	message := text(o["@type"])
	if message == "" && len(types) == 1 && strings.Contains(types[0], "://") {
		message = types[0]
	}
	switch {
	case slices.ContainsFunc(types, isDocumentType):
		s := secured(b, "")
		if s.MediaType == "" { // not strict JSON, or both at once
			s.MediaType = vc.MediaTypeCredential
			if slices.Contains(types, vc.TypePresentation) {
				s.MediaType = vc.MediaTypePresentation
			}
		}
		return i.inspectDocument(s, 0)
	case has("ciphertext", "protected"):
		return i.inspectJWE(o)
	case has("payload", "signatures"), has("payload", "signature"):
		if s := secured(b, ""); s.MediaType != "" {
			return i.inspectDocument(s, 0)
		}
		return i.inspectJWS(o)
	case has("kty"), has("publicKeyMultibase"), has("publicKeyJwk"), has("secretKeyJwk"), has("privateKeyJwk"), has("secretKeyMultibase"), has("privateKeyMultibase"):
		return i.inspectKey(b)
	case has("keys"):
		return i.inspectKeySet(o)
	case has("didDocument"):
		return i.inspectResolution(o)
	case has("versionId", "parameters", "state"):
		return i.inspectLog(b)
	case strings.Contains(message, "/out-of-band/"), strings.HasSuffix(message, "/connections/1.0/invitation"):
		return i.invitation(outofband.Parse(b))
	case message != "" && (has("@type") || has("body")):
		return i.inspectMessage(o)
	case strings.HasPrefix(text(o["id"]), "did:"):
		return i.inspectDIDDocument(b)
	case has("proofPurpose"):
		return i.inspectProof(o)
	case has("personal", "registration"):
		return inspectRecord(b)
	case has("input_descriptors"):
		return inspectDefinition(o)
	}
	if r := i.inspectBundle(b); r != nil {
		return r
	}
	r := &report{kind: unknown, title: fmt.Sprintf("a JSON object of nothing that this program knows, %d bytes", len(b))}
	names := make([]string, 0, len(o))
	for name := range o {
		names = append(names, name)
	}
	slices.Sort(names)
	r.add("members", "members", names)
	return r
}

func isDocumentType(t string) bool {
	switch t {
	case vc.TypeCredential, vc.TypePresentation, "EnvelopedVerifiableCredential", "EnvelopedVerifiablePresentation":
		return true
	}
	return false
}

// inspectRecord looks at what passport issue takes.
func inspectRecord(b []byte) *report {
	r := &report{kind: "record", title: "staff record, unsigned"}
	if _, err := schema.ParsePassport(b); err != nil {
		r.wrong = problemsOf(err)
	} else {
		r.add("ready", "ready", "passport issue --key FILE makes a credential of it")
	}
	return r
}

// inspectDefinition looks at what a verifier asks for (Presentation Exchange 2.1.1).
func inspectDefinition(o map[string]any) *report {
	r := &report{kind: "request", title: "presentation definition: what a verifier asks for"}
	r.add("purpose", "purpose", text(o["purpose"]))
	for _, v := range list(o["input_descriptors"]) {
		d, _ := v.(map[string]any)
		r.each("asks for", "descriptors", strings.TrimSpace(text(d["name"])+" "+text(d["purpose"])))
		constraints, _ := d["constraints"].(map[string]any)
		for _, f := range list(constraints["fields"]) {
			field, _ := f.(map[string]any)
			r.each("", "paths", strings.Join(textList(field["path"]), " or "))
		}
	}
	return r
}
