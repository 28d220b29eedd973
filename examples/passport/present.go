package main

import (
	"context"
	"errors"

	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/disclose"
)

// presentCommand answers one request of one verifier.
func presentCommand(ctx context.Context, s *shell, args []string) (int, error) {
	fs := s.flags("--holder FILE --audience DID --nonce TEXT (--reveal POINTER | --set NAME)... [flags] [FILE]...",
		"Answers a verifier's request with one or several credentials: only what is named, and what\ntheir issuers let nobody withhold. The holder signs, for this verifier and this nonce; a\nbbs-2023 credential is shown without a signature and without --holder.")
	var c selection
	c.flags(fs)
	holder := fs.String("holder", "", "the holder's private key, a `FILE` by passport key new")
	r := disclose.Request{}
	fs.StringVar(&r.Audience, "audience", "", "who asked: the verifier's `DID` or other identifier")
	fs.StringVar(&r.Nonce, "nonce", "", "the `TEXT` that came with the request")
	var at moment
	fs.Var(&at, "now", "sign as of this `TIME`")
	out := fs.String("out", "", "a `FILE` that does not exist yet; default: standard output")
	files, err := s.parse(fs, args)
	if err != nil {
		return 0, err
	}
	if r.Reveal, err = c.pointers(); err != nil {
		return 0, err
	}
	if !c.preview && (r.Audience == "" || r.Nonce == "") {
		return 0, wrongUsage("--audience and --nonce are required: what the verifier asked with")
	}
	if r.Holder, err = s.readSigner(*holder); err != nil {
		return 0, err
	}
	if r.Contexts, err = c.words.set(s); err != nil {
		return 0, err
	}
	r.Now = s.now(at)
	if len(files) == 0 {
		files = []string{"-"}
	}
	var credentials []vc.Secured
	for _, name := range files {
		b, err := s.readFile(name)
		if err != nil {
			return 0, err
		}
		credentials = append(credentials, secured(payload(b), ""))
	}
	if c.preview {
		return exitValid, s.preview(r, credentials...)
	}
	p, err := disclose.Derive(ctx, r, credentials...)
	if errors.Is(err, disclose.ErrConfig) && r.Holder == nil {
		return 0, wrongUsage("--holder FILE is required: only bbs-2023 credentials are shown without")
	}
	if err != nil {
		return 0, err
	}
	return exitValid, s.writeSecured(p, *out, false)
}
