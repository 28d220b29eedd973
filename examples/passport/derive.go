package main

import (
	"context"
	"flag"
	"fmt"
	"slices"
	"strings"

	"github.com/staffpassport/staffpassport/schema"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/dataintegrity/bbs"
	"github.com/staffpassport/staffpassport/vc/dataintegrity/ecdsasd"
	"github.com/staffpassport/staffpassport/vc/disclose"
	"github.com/staffpassport/staffpassport/vc/sdjwt"
)

// A selection is what the flags say to show.
type selection struct {
	reveal  pointers
	sets    texts
	preview bool
	words   vocabulary
}

func (c *selection) flags(fs *flag.FlagSet) {
	fs.Var(&c.reveal, "reveal", "a `POINTER` to a claim to show, such as /credentialSubject/registration/number, or '' for all; may be repeated")
	fs.Var(&c.sets, "set", "what a host asks for: `NAME` is "+strings.Join(setNames(), ", "))
	fs.BoolVar(&c.preview, "preview", false, "say what would be shown, and make nothing")
	fs.Var(&c.words.given, "context", contextUsage)
}

// setNames are the names of the schema's disclosure sets, as a flag has them.
func setNames() []string {
	var out []string
	for _, set := range schema.DisclosureSets() {
		out = append(out, setName(set.Name))
	}
	return out
}

func setName(name string) string { return strings.ReplaceAll(strings.ToLower(name), " ", "-") }

// pointers returns all that is to be shown.
func (c *selection) pointers() ([]vc.Pointer, error) {
	all := slices.Clone([]vc.Pointer(c.reveal))
	for _, name := range c.sets {
		found := false
		for _, set := range schema.DisclosureSets() {
			if setName(set.Name) == name {
				all, found = append(all, set.Ask...), true
			}
		}
		if !found {
			return nil, wrongUsage("--set is one of %s", strings.Join(setNames(), ", "))
		}
	}
	if len(all) == 0 {
		return nil, wrongUsage("say what to show: --reveal POINTER, --set NAME, or --reveal '' for all of it")
	}
	return all, nil
}

// deriveCommand shows a part of a credential, bound to nobody.
func deriveCommand(ctx context.Context, s *shell, args []string) (int, error) {
	fs := s.flags("(--reveal POINTER | --set NAME)... [flags] [FILE]",
		"Makes of an issued credential one that shows a part: ecdsa-sd-2023, bbs-2023 or SD-JWT. It\ndoes not say who shows it: a verifier wants a presentation, which passport present makes.\nOnly bbs-2023 is shown like this, with --audience and --nonce.")
	var c selection
	c.flags(fs)
	audience := fs.String("audience", "", "bbs-2023: who asked, the verifier's `DID` or other identifier")
	nonce := fs.String("nonce", "", "bbs-2023: the `TEXT` that came with the request")
	out := fs.String("out", "", "a `FILE` that does not exist yet; default: standard output")
	rest, err := s.parse(fs, args)
	if err != nil {
		return 0, err
	}
	reveal, err := c.pointers()
	if err != nil {
		return 0, err
	}
	if (*audience == "") != (*nonce == "") {
		return 0, wrongUsage("--audience and --nonce belong together")
	}
	b, err := s.read(rest)
	if err != nil {
		return 0, err
	}
	contexts, err := c.words.set(s)
	if err != nil {
		return 0, err
	}
	in := secured(payload(b), "")
	if c.preview {
		return exitValid, s.preview(disclose.Request{Reveal: reveal, Contexts: contexts}, in)
	}
	var header []byte
	if *nonce != "" {
		header = bbs.SessionHeader(*audience, *nonce)
	}
	derived, err := derive(ctx, in, reveal, contexts, header)
	if err != nil {
		return 0, err
	}
	return exitValid, s.writeSecured(derived, *out, false)
}

// derive shows a part of a credential by its format.
func derive(ctx context.Context, in vc.Secured, reveal []vc.Pointer, contexts *vc.ContextSet, header []byte) (vc.Secured, error) {
	switch in.MediaType {
	case sdjwt.MediaTypeSDJWTVC, sdjwt.MediaTypeCredential:
		return sdjwt.Present(ctx, in, sdjwt.Presenting{Reveal: reveal})
	case vc.MediaTypeCredential:
		if slices.ContainsFunc(readDocument(in).marks, func(m mark) bool { return m.kind == "bbs-2023" }) {
			return bbs.Derive(ctx, in, reveal, contexts, header)
		}
		return ecdsasd.Derive(ctx, in, reveal, contexts)
	}
	return vc.Secured{}, fmt.Errorf("%w: this format shows everything or nothing", disclose.ErrWhole)
}

// preview says what would be shown.
func (s *shell) preview(r disclose.Request, in ...vc.Secured) error {
	all, err := disclose.Preview(r, in...)
	if err != nil {
		return err
	}
	var parts []map[string]any
	for n, d := range all {
		part := map[string]any{"named": d.Named, "always": d.Always}
		parts = append(parts, part)
		if s.json {
			continue
		}
		r := &report{title: fmt.Sprintf("credential %d would show", n)}
		r.add("named", "named", pointerTexts(d.Named))
		r.add("always", "always", pointerTexts(d.Always))
		r.print(s.out, "")
	}
	if s.json {
		return s.printJSON(map[string]any{"credentials": parts})
	}
	return nil
}
