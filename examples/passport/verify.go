package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/staffpassport/staffpassport/schema"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/dataintegrity"
	"github.com/staffpassport/staffpassport/vc/dataintegrity/legacy"
	"github.com/staffpassport/staffpassport/vc/disclose"
	"github.com/staffpassport/staffpassport/vc/status"
	"github.com/staffpassport/staffpassport/vc/verify"
)

// A verification is what the flags of passport verify say.
type verification struct {
	policy    policy
	network   network
	words     vocabulary
	session   verify.Session
	require   pointers
	at        moment
	mediaType string
	bearer    bool
	legacy    bool
	issued    bool
	until     bool
}

// verifyCommand decides whether to rely on a credential or presentation.
func verifyCommand(ctx context.Context, s *shell, args []string) (int, error) {
	fs := s.flags("(--issuer DID | --trust LIST --authority DID | --any-issuer-unsafe) [flags] [FILE]",
		"Decides whether a credential or presentation may be relied on, and says of every check\nwhich failed, with its code. A presentation needs --audience and --nonce: what you asked\nwith, never what it says itself.\nExit code: 0 valid, 1 not valid, 3 could not be decided.")
	v := &verification{}
	v.policy.flags(fs)
	v.network.flags(fs)
	fs.StringVar(&v.session.Audience, "audience", "", "who asked: the verifier's `DID` or other identifier")
	fs.StringVar(&v.session.Nonce, "nonce", "", "the `TEXT` that went out with the request")
	fs.Var(&v.require, "require", "a `POINTER` to a claim that must be shown, such as /credentialSubject/registration/number; may be repeated")
	fs.Var(&v.at, "now", "decide as of this `TIME`, such as 2026-03-09T12:00:00Z")
	fs.Var(&v.words.given, "context", contextUsage)
	fs.StringVar(&v.mediaType, "media-type", "", "the `TYPE` that it was sent as, such as application/vc+jwt; default: by its shape")
	fs.BoolVar(&v.bearer, "bearer", false, "take a bbs-2023 credential that names nobody from whoever shows it")
	fs.BoolVar(&v.legacy, "legacy", false, "also take the proofs of older agents: Ed25519Signature2018 and 2020")
	fs.BoolVar(&v.issued, "issued", false, "check as the holder who was just issued it, base proofs too")
	fs.BoolVar(&v.until, "require-end", false, "refuse a credential that does not say until when it is valid")
	rest, err := s.parse(fs, args)
	if err != nil {
		return 0, err
	}
	b, err := s.read(rest)
	if err != nil {
		return 0, err
	}
	in := secured(payload(b), v.mediaType)
	d := readDocument(in).unwrapped()
	presentation, err := v.presented(in, d)
	if err != nil {
		return 0, err
	}
	verifier, err := v.verifier(ctx, s)
	if err != nil {
		return 0, err
	}
	result := v.decide(ctx, verifier, in, presentation)
	result.hint(d, v)
	if s.json {
		err = s.printJSON(result)
	} else {
		result.print(s)
	}
	return result.code, err
}

// presented tells whether in answers a request, and refuses half a request.
func (v *verification) presented(in vc.Secured, d *document) (bool, error) {
	asked := v.session.Audience != "" && v.session.Nonce != ""
	switch {
	case !asked && (v.session.Audience != "" || v.session.Nonce != ""):
		return false, wrongUsage("--audience and --nonce belong together")
	case v.issued && asked:
		return false, wrongUsage("--issued is about a credential, and --audience and --nonce about a presentation")
	case asked:
		return true, nil
	case d.presentation || d.binding != nil:
		return false, wrongUsage("this is a presentation: say what you asked with, --audience and --nonce")
	}
	return false, nil
}

func (v *verification) verifier(ctx context.Context, s *shell) (*verify.Verifier, error) {
	now := s.now(v.at)
	if err := v.network.open(ctx, s, now); err != nil {
		return nil, err
	}
	contexts, err := v.words.set(s)
	if b := v.network.opened; err == nil && b != nil && len(v.words.given) == 0 {
		contexts, err = b.Contexts()
	}
	if err != nil {
		return nil, err
	}
	client := v.network.client()
	resolver := v.network.resolver(client, now)
	trust, err := v.policy.trust(ctx, s, resolver, client, now)
	if err != nil {
		return nil, err
	}
	verifier := &verify.Verifier{
		Resolver: resolver, Trust: trust, Contexts: contexts, Replay: verify.NonceUsedOnceByCaller{},
		Types:  map[string][]byte{schema.VCT(): schema.TypeMetadata()},
		Status: &status.Lists{Client: client}, RequireValidUntil: v.until, Now: now,
	}
	if v.bearer {
		verifier.Holder = verify.Bearer
	}
	if v.legacy {
		verifier.Suites = []dataintegrity.Suite{legacy.Ed25519Signature2018(), legacy.Ed25519Signature2020()}
	}
	return verifier, nil
}

// A verdict is what passport verify answers.
type verdict struct {
	Result      string          `json:"result"` // "valid", "not-valid" or "undecided"
	MediaType   string          `json:"mediaType"`
	Code        string          `json:"code,omitempty"` // of the first problem
	Problem     string          `json:"problem,omitempty"`
	Problems    []problem       `json:"problems"`
	Holder      string          `json:"holder,omitempty"`
	Credentials []accepted      `json:"credentials,omitempty"`
	Checks      []verify.Result `json:"checks"`

	code int
}

// An accepted credential is one that was verified.
type accepted struct {
	Issuer   string         `json:"issuer"`
	Holder   string         `json:"holder,omitempty"`
	Types    []string       `json:"types"`
	Document *vc.Credential `json:"document"`
}

// decide verifies, and looks for the claims that are required.
func (v *verification) decide(ctx context.Context, verifier *verify.Verifier, in vc.Secured, presentation bool) *verdict {
	r := &verdict{Result: "valid", MediaType: in.MediaType, Problems: []problem{}}
	var err error
	if presentation {
		var p *verify.Presentation
		if p, err = verifier.Presentation(ctx, in, v.session); err == nil {
			r.Checks = p.Checks()
			r.Holder = p.Holder().String()
			for _, c := range p.Credentials() {
				r.accept(c)
			}
		}
	} else {
		var c *verify.Credential
		if v.issued {
			c, err = disclose.Check(ctx, verifier, in)
		} else {
			c, err = verifier.Credential(ctx, in)
		}
		if err == nil {
			r.Checks = c.Checks()
			r.accept(c)
		}
	}
	if err != nil {
		r.refuse(err)
		return r
	}
	r.require(v.require)
	return r
}

func (r *verdict) accept(c *verify.Credential) {
	a := accepted{Issuer: c.Issuer().String(), Document: c.Document()}
	a.Types = a.Document.Type
	if h := c.Holder(); !h.IsZero() {
		a.Holder = h.String()
	}
	r.Credentials = append(r.Credentials, a)
}

// refuse lists the checks that failed, or that could not be made.
func (r *verdict) refuse(err error) {
	r.Result, r.code = "not-valid", exitInvalid
	var e *verify.Error
	if !errors.As(err, &e) {
		if undecided(err) {
			r.Result, r.code = "undecided", exitUndecided
		}
		r.Problems = problemsOf(err)
		r.Code = r.Problems[0].Code
		return
	}
	r.Checks, r.Code, r.Problem = e.Checks, string(e.Code), e.Code.Problem()
	first := true
	failed := slices.ContainsFunc(e.Checks, func(c verify.Result) bool { return c.Outcome == verify.Failed })
	if !failed {
		r.Result, r.code = "undecided", exitUndecided
	}
	for _, c := range e.Checks {
		if c.Outcome != verify.Failed && c.Outcome != verify.Undecided {
			continue
		}
		p := problem{Check: string(c.Check), Code: string(c.Code), Text: c.Sentence}
		if c.Index != verify.Whole {
			p.Number = &c.Index
		}
		if first && c.Code == e.Code && e.Err != nil {
			p.Cause, first = e.Err.Error(), false
		}
		r.Problems = append(r.Problems, p)
	}
}

// require refuses what does not show a claim that was asked for.
func (r *verdict) require(all pointers) {
	for _, p := range all {
		if !slices.ContainsFunc(r.Credentials, func(a accepted) bool { return a.shows(p) }) {
			r.Problems = append(r.Problems, problem{At: p, Check: "require", Code: "not-shown", Text: "A claim that is required was not shown."})
		}
	}
	if len(r.Problems) > 0 {
		r.Result, r.code, r.Code, r.Credentials, r.Holder = "not-valid", exitInvalid, r.Problems[0].Code, nil, ""
	}
}

func (a accepted) shows(p vc.Pointer) bool {
	b, err := json.Marshal(a.Document)
	if err != nil {
		return false
	}
	v, ok := p.Lookup(objectTree(b))
	return ok && v != nil
}

func objectTree(b []byte) any {
	if o := objectOf(b); o != nil {
		return o
	}
	return nil
}

// print writes the verdict for a person: what it is first, and then why.
func (r *verdict) print(s *shell) {
	switch r.code {
	case exitValid:
		fmt.Fprintln(s.out, "VALID")
	case exitUndecided:
		fmt.Fprintln(s.out, "COULD NOT BE DECIDED: so do not rely on it")
	default:
		fmt.Fprintln(s.out, "NOT VALID")
	}
	out := &report{}
	for _, c := range r.Credentials {
		out.each("type", "types", strings.Join(c.Types[min(1, len(c.Types)-1):], ", "))
		out.each("issuer", "issuers", c.Issuer)
		out.each("about", "holders", c.Holder)
		out.add("valid from", "from", c.Document.ValidFrom)
		out.add("valid until", "until", c.Document.ValidUntil)
		out.add("shows", "claims", flatten(objectTreeOf(c.Document.Subject), "/credentialSubject"))
	}
	out.facts = append(out.facts, r.checksDone()...)
	out.printFacts(s.out, "")
	for _, p := range r.Problems {
		word := "failed"
		if p.Code != "" && undecidedCode(p.Code) {
			word = "undecided"
		}
		printProblem(s.out, "  ", word, p)
	}
}

func undecidedCode(code string) bool {
	switch verify.Code(code) {
	case verify.ErrUnavailable, verify.ErrStatusUnsupported, verify.ErrStatusUnavailable:
		return true
	}
	return false
}

func objectTreeOf(raw json.RawMessage) any {
	var v any
	if json.Unmarshal(raw, &v) != nil {
		return nil
	}
	return v
}

// checksDone says in a line each which checks passed, of a presentation and of each
// credential in it, which were not reached, and which somebody else has to make.
func (r *verdict) checksDone() []fact {
	out := &report{}
	for n := verify.Whole; n < len(r.Checks); n++ {
		var passed, notRun []string
		for _, c := range r.Checks {
			switch {
			case c.Index != n:
			case c.Outcome == verify.Passed:
				passed = append(passed, string(c.Check))
			case c.Outcome == verify.NotRun:
				notRun = append(notRun, string(c.Check))
			}
		}
		of := ""
		if n != verify.Whole {
			of = fmt.Sprintf(" (credential %d)", n)
		}
		for _, l := range []struct {
			label string
			names []string
		}{{"passed", passed}, {"not reached", notRun}} {
			if len(l.names) > 0 {
				out.each(l.label, "", strings.Join(l.names, " ")+of)
			}
		}
	}
	for _, c := range r.Checks {
		if c.Outcome != verify.LeftToCaller {
			continue
		}
		why := c.Sentence
		if c.Check == verify.CheckReplay {
			why = "this program remembers no nonce: see that each is used once"
		}
		out.each("left to you", "", string(c.Check)+": "+why)
	}
	slices.SortStableFunc(out.facts, func(a, b fact) int { return order(a.label) - order(b.label) })
	return out.facts
}

func order(label string) int {
	return slices.Index([]string{"passed", "not reached", "left to you"}, label)
}

// hint adds to each problem what to do about it.
func (r *verdict) hint(d *document, v *verification) {
	for n := range r.Problems {
		p := &r.Problems[n]
		about := d
		if p.Number != nil {
			about = d.inside(*p.Number)
		}
		if p.Hint == "" {
			p.Hint = hintFor(p.Code, about, d, v)
		}
	}
}

// inside returns one of the credentials of a presentation.
func (d *document) inside(n int) *document {
	all := list(d.tree["verifiableCredential"])
	if n >= len(all) {
		return d
	}
	switch v := all[n].(type) {
	case string:
		return readDocument(secured([]byte(v), ""))
	case map[string]any:
		if s, ok := unenvelop(v); ok {
			return readDocument(s)
		}
		if b, err := json.Marshal(v); err == nil {
			return readDocument(vc.Secured{MediaType: vc.MediaTypeCredential, Bytes: b})
		}
	}
	return d
}
