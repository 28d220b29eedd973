package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/staffpassport/staffpassport/did/webclient"
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

	clock func() time.Time
}

// verifyCommand decides whether to rely on a credential or presentation.
func verifyCommand(ctx context.Context, s *shell, args []string) (int, error) {
	fs := s.flags("(--issuer DID | --trust LIST --authority DID | --any-issuer-unsafe) [flags] [FILE]",
		"Decides whether a credential or presentation may be relied on, and says of every check\nwhich failed, with its code. A presentation needs --audience and --nonce: what you asked\nwith, never what it says itself. Of several credentials in it, one that shows a claim of\n--require is enough; --json says which shows what.\nExit code: 0 valid, 1 not valid, 3 could not be decided.")
	v := &verification{}
	v.policy.flags(fs)
	v.network.flags(fs)
	fs.StringVar(&v.session.Audience, "audience", "", "who asked: the verifier's `DID` or other identifier")
	fs.StringVar(&v.session.Nonce, "nonce", "", "the `TEXT` that went out with the request")
	fs.Var(&v.require, "require", "a `POINTER`: anything at or below it must be shown by a credential, such as /credentialSubject/registration/number; may be repeated")
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
	asked := false
	fs.Visit(func(f *flag.Flag) { asked = asked || f.Name == "audience" || f.Name == "nonce" })
	if asked && (v.session.Audience == "" || v.session.Nonce == "") {
		return 0, wrongUsage("--audience and --nonce belong together, and neither is empty")
	}
	if slices.Contains(v.require, "") {
		return 0, wrongUsage("--require '' is the whole document, which every credential shows: name a claim")
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
	ctx, cancel := context.WithTimeout(ctx, max(v.network.timeout, 1))
	defer cancel()
	verifier, err := v.verifier(ctx, s)
	if err != nil {
		return 0, err
	}
	result := v.decide(ctx, verifier, in, presentation)
	result.leave(d, presentation, v.issued)
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
	v.clock = now
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
	LeftToYou   []string        `json:"leftToYou,omitempty"` // what a valid one still needs

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

// leave notes what nobody checked of a valid credential that names a holder and that was
// not presented: whoever has a copy can send it.
func (r *verdict) leave(d *document, presentation, issued bool) {
	bound := d.holder != "" || slices.ContainsFunc(list(d.tree["credentialSubject"]), func(v any) bool {
		return strings.HasPrefix(partyOf(v), "did:")
	})
	if r.code == exitValid && bound && !presentation && !issued {
		r.LeftToYou = append(r.LeftToYou, "holder: nobody presented it, and anybody may have a copy: ask with --audience and --nonce whose it is")
	}
	for _, c := range r.Checks {
		if c.Outcome != verify.LeftToCaller {
			continue
		}
		why := c.Sentence
		if c.Check == verify.CheckReplay {
			why = "this program remembers no nonce: see that each is used once"
		}
		r.LeftToYou = append(r.LeftToYou, string(c.Check)+": "+why)
	}
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
			p.Cause, first = strings.ReplaceAll(e.Err.Error(), "Holder: Bearer", "--bearer"), false
			switch {
			case errors.Is(e.Err, webclient.ErrContentType):
				p.Hint = contentTypes
			case strings.Contains(p.Cause, "--bearer"):
				p.Hint = "--bearer takes bbs-2023 credentials that name nobody from whoever shows them"
			}
		}
		r.Problems = append(r.Problems, p)
	}
}

// require refuses what does not show a claim that was asked for. One of several
// credentials is enough: which of them has the claim is for the holder to know.
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
	return ok && showsAnything(v)
}

// showsAnything tells a value from an object or array that holds none.
func showsAnything(v any) bool {
	switch v := v.(type) {
	case nil:
		return false
	case map[string]any:
		return slices.ContainsFunc(slices.Collect(maps.Values(v)), showsAnything)
	case []any:
		return slices.ContainsFunc(v, showsAnything)
	}
	return true
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
	for _, left := range r.LeftToYou {
		out.each("left to you", "", left)
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
		if p.Check == string(verify.CheckIssuer) && p.Code == string(verify.ErrUnavailable) {
			if err := v.policy.listProblem(v.clock()); err != nil {
				p.Cause, p.Hint = err.Error(), listHint(err)
			}
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
