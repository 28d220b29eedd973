package main

import (
	"context"
	"crypto"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/cose"
	"github.com/staffpassport/staffpassport/vc/jose"
	"github.com/staffpassport/staffpassport/vc/sdjwt"
)

// A joseTask is one call by the test suite of VC-JOSE-COSE. It differs from the rest of
// this program in policy alone, as the suite's inputs ask for: the key is the one that is
// handed over, whoever the issuer is; every @context is taken, because an envelope does
// not look into it; and a presentation answers nobody's request.
type joseTask struct {
	input, key, feature, output string
	disclose                    string // --sd
	audience, nonce             string
	now                         time.Time
}

const joseAbout = "Reads --input and --key, writes {\"result\": \"success\" or \"failure\", \"data\": ...} to --output.\n" +
	"What a presentation holds is not verified: there is one key, the presenter's.\n" +
	"VC_NOW, a time such as 2026-03-09T12:00:00Z, sets the clock. COSE is in base64.\n" +
	"FEATURE is credential_jose, credential_cose, credential_sdjwt, presentation_jose,\npresentation_cose or presentation_sdjwt."

// joseIssueCommand secures a document.
func joseIssueCommand(ctx context.Context, s *shell, args []string) (int, error) {
	return joseRun(ctx, s, args, true, joseIssue)
}

// joseVerifyCommand verifies one.
func joseVerifyCommand(ctx context.Context, s *shell, args []string) (int, error) {
	return joseRun(ctx, s, args, false, joseVerify)
}

func joseRun(ctx context.Context, s *shell, args []string, issue bool, do func(context.Context, *joseTask, *key, []byte) (string, error)) (int, error) {
	fs := s.flags("--input FILE --key FILE --feature FEATURE [--output FILE]", joseAbout)
	t := &joseTask{}
	fs.StringVar(&t.input, "input", "-", "the document to secure, or what was secured: a `FILE`")
	fs.StringVar(&t.key, "key", "", "the key: a `FILE` with a JSON Web Key, or a verification method with publicKeyJwk and secretKeyJwk")
	fs.StringVar(&t.feature, "feature", "", "what it is: a `FEATURE`")
	fs.StringVar(&t.output, "output", "", "the `FILE` to write the result to; default: standard output")
	if issue {
		fs.StringVar(&t.disclose, "sd", "", "credential_sdjwt: a JSON `ARRAY` of the claims that can be left out, such as [\"credentialSubject.x\"]")
		fs.StringVar(&t.audience, "audience", "https://verifier.example", "presentations: `WHO` asked")
		fs.StringVar(&t.nonce, "nonce", "tide-table-7", "presentations: the `TEXT` that came with the request")
	}
	rest, err := s.parse(fs, args)
	if err != nil {
		return 0, err
	}
	switch {
	case len(rest) > 0:
		return 0, wrongUsage("unexpected argument %q", rest[0])
	case t.key == "":
		return 0, wrongUsage("--key FILE is required")
	case t.media() == "":
		return 0, wrongUsage("--feature is (credential|presentation)_(jose|cose|sdjwt)")
	}
	t.now = s.clock()
	if text := s.getenv("VC_NOW"); text != "" {
		var at moment
		if err := at.Set(text); err != nil {
			return 0, wrongUsage("VC_NOW: %s", err)
		}
		t.now = time.Time(at)
	}
	in, err := s.readFile(t.input)
	if err != nil {
		return 0, err
	}
	keyJSON, err := s.readFile(t.key)
	if err != nil {
		return 0, err
	}
	var data string
	k, err := parseKey(keyJSON)
	if err == nil {
		data, err = do(ctx, t, k, payload(in))
	}
	return t.answer(s, data, err)
}

// answer writes the result.
func (t *joseTask) answer(s *shell, data string, failed error) (int, error) {
	result, code := "success", exitValid
	if failed != nil {
		result, code, data = "failure", exitInvalid, failed.Error()
	}
	b, err := marshal(struct {
		Result string `json:"result"`
		Data   string `json:"data"`
	}{result, data})
	if err != nil {
		return 0, err
	}
	if t.output == "" {
		return code, s.write(b, "", false)
	}
	return code, replaceFile(t.output, append(b, '\n'))
}

// media is the media type that the feature is about, or "".
func (t *joseTask) media() string {
	switch t.feature {
	case "credential_jose":
		return jose.MediaTypeCredential
	case "credential_cose":
		return cose.MediaTypeCredential
	case "credential_sdjwt":
		return sdjwt.MediaTypeCredential
	case "presentation_jose":
		return jose.MediaTypePresentation
	case "presentation_cose":
		return cose.MediaTypePresentation
	case "presentation_sdjwt":
		return sdjwt.MediaTypePresentation
	}
	return ""
}

func joseIssue(ctx context.Context, t *joseTask, k *key, in []byte) (string, error) {
	signer, err := k.signer()
	if err != nil {
		return "", err
	}
	pointers, err := disclosurePaths(t.disclose)
	if err != nil {
		return "", err
	}
	if len(pointers) > 0 && t.feature != "credential_sdjwt" {
		return "", fmt.Errorf("--sd is for credential_sdjwt: %s shows everything", t.feature)
	}
	var out vc.Secured
	if strings.HasPrefix(t.feature, "credential") {
		out, err = t.issueCredential(ctx, signer, pointers, in)
	} else {
		out, err = t.issuePresentation(ctx, signer, in)
	}
	if err != nil {
		return "", err
	}
	if isMessage(out.Bytes) {
		return base64.StdEncoding.EncodeToString(out.Bytes), nil
	}
	return string(out.Bytes), nil
}

func (t *joseTask) clock() time.Time { return t.now }

func (t *joseTask) issueCredential(ctx context.Context, signer did.Signer, disclosable []vc.Pointer, in []byte) (vc.Secured, error) {
	c, err := vc.Parse(in)
	if err != nil {
		return vc.Secured{}, err
	}
	contexts, err := anyContexts(c.Context)
	if err != nil {
		return vc.Secured{}, err
	}
	var securer vc.Securer
	switch t.feature {
	case "credential_jose":
		securer = &jose.Issuer{Signer: signer, Contexts: contexts, UnsafeIssuerNotController: true, Now: t.clock}
	case "credential_cose":
		securer = &cose.Issuer{Signer: signer, Contexts: contexts, UnsafeIssuerNotController: true, Now: t.clock}
	default:
		securer = &sdjwt.Issuer{Signer: signer, MediaType: sdjwt.MediaTypeCredential, Disclosable: disclosable, Contexts: contexts, UnsafeIssuerNotController: true, Now: t.clock}
	}
	return securer.Secure(ctx, c)
}

func (t *joseTask) issuePresentation(ctx context.Context, signer did.Signer, in []byte) (vc.Secured, error) {
	p, err := vc.ParsePresentation(in)
	if err != nil {
		return vc.Secured{}, err
	}
	if err := allEnveloped(objectOf(in)); err != nil {
		return vc.Secured{}, err
	}
	contexts, err := anyContexts(p.Context)
	if err != nil {
		return vc.Secured{}, err
	}
	switch t.feature {
	case "presentation_jose":
		return (&jose.Presenter{Signer: signer, Contexts: contexts, UnsafeHolderNotController: true, Now: t.clock}).Present(ctx, p, t.audience, t.nonce)
	case "presentation_cose":
		return (&cose.Presenter{Signer: signer, Contexts: contexts, UnsafeHolderNotController: true, Now: t.clock}).Present(ctx, p, t.audience, t.nonce)
	}
	return (&sdjwt.Presenter{Signer: signer, Contexts: contexts, UnsafeHolderNotController: true, Now: t.clock}).Present(ctx, p, t.audience, t.nonce)
}

// anyContexts accepts a document's own @context. Nothing looks behind its URLs: an
// envelope signs the text.
func anyContexts(own []vc.Context) (*vc.ContextSet, error) {
	documents := map[string][]byte{}
	for _, c := range own {
		if c.URL == "" || c.URL == vc.ContextV2 {
			continue
		}
		if _, err := vc.NewContextSet(nil, vc.Contexts(c.URL)); err != nil {
			documents[c.URL] = []byte(`{"@context":{}}`)
		}
	}
	return vc.NewContextSet(documents, own)
}

// disclosurePaths reads --sd: paths with dots and positions in brackets, or pointers.
func disclosurePaths(text string) ([]vc.Pointer, error) {
	if text == "" {
		return nil, nil
	}
	var paths []string
	if err := json.Unmarshal([]byte(text), &paths); err != nil {
		return nil, errors.New("--sd is no JSON array of paths such as credentialSubject.x")
	}
	var out []vc.Pointer
	for _, path := range paths {
		p := vc.Pointer(path)
		if !strings.HasPrefix(path, "/") {
			p = ""
			for _, name := range strings.Split(strings.NewReplacer("[", ".", "]", "").Replace(strings.TrimPrefix(path, "$.")), ".") {
				p = p.Child(name)
			}
		}
		out = append(out, p)
	}
	return out, nil
}

// joseVerify verifies with the key that was handed over.
func joseVerify(_ context.Context, t *joseTask, k *key, in []byte) (string, error) {
	s := vc.Secured{MediaType: t.media(), Bytes: in}
	d := readDocument(s)
	if len(d.wrong) > 0 {
		return "", errors.New(d.wrong[0].Text)
	}
	if d.tree == nil {
		return "", errors.New("not a document of this feature")
	}
	token, err := parseToken(s)
	if err != nil {
		return "", err
	}
	if err := token.Verify(k.public); err != nil {
		return "", err
	}
	if err := t.inTime(d); err != nil {
		return "", err
	}
	if d.presentation {
		if err := allEnveloped(d.tree); err != nil {
			return "", err
		}
	}
	b, err := marshal(d.tree)
	return string(b), err
}

// parseToken takes s apart once more, for its signature.
func parseToken(s vc.Secured) (interface {
	Verify(crypto.PublicKey) error
}, error) {
	switch s.MediaType {
	case jose.MediaTypeCredential, jose.MediaTypePresentation:
		return jose.Parse(s)
	case cose.MediaTypeCredential, cose.MediaTypePresentation:
		return cose.Parse(s)
	}
	return sdjwt.Parse(s)
}

// inTime compares the times of the document and of its envelope with the clock.
func (t *joseTask) inTime(d *document) error {
	from, until, err := d.times()
	switch c := d.claims; {
	case err != nil:
		return err
	case from.After(t.now):
		return errors.New("not valid yet")
	case !until.IsZero() && until.Before(t.now):
		return errors.New("expired")
	case !c.Expires.IsZero() && c.Expires.Before(t.now):
		return errors.New("the token has expired")
	case !c.NotBefore.IsZero() && c.NotBefore.After(t.now):
		return errors.New("the token is not valid yet")
	}
	return nil
}

// times returns the two times of the document as the library reads them, which knows
// every way to write one. What it cannot read is an error, and not a document without
// an end.
func (d *document) times() (from, until time.Time, err error) {
	// Its own times in a document that has nothing else, so that one of which not
	// everything is disclosed, and a presentation, have theirs read too.
	version, names := vc.ContextV2, [2]string{"validFrom", "validUntil"}
	if all := list(d.tree["@context"]); !d.presentation && len(all) > 0 && text(all[0]) == vc.ContextV1 {
		version, names = vc.ContextV1, [2]string{"issuanceDate", "expirationDate"}
	}
	alone := map[string]any{
		"@context": []string{version}, "type": []string{vc.TypeCredential}, "issuer": "did:example:nobody",
		"credentialSubject": map[string]string{"id": "did:example:nobody"},
	}
	for _, name := range names {
		if v, ok := d.tree[name]; ok {
			alone[name] = v
		}
	}
	b, err := marshal(alone)
	if err != nil {
		return from, until, err
	}
	c, err := vc.Parse(b)
	if err != nil {
		return from, until, err
	}
	return c.ValidFrom, c.ValidUntil, nil
}

// allEnveloped refuses a presentation with a credential that nobody secured (sections
// 3.1.2, 3.2.2 and 3.3.2).
func allEnveloped(tree map[string]any) error {
	media := []string{jose.MediaTypeCredential, cose.MediaTypeCredential, sdjwt.MediaTypeCredential, sdjwt.MediaTypeSDJWTVC, vc.MediaTypeCredential}
	for _, v := range list(tree["verifiableCredential"]) {
		o, _ := v.(map[string]any)
		s, ok := unenvelop(o)
		if !ok || len(s.Bytes) == 0 || !slices.Contains(media, s.MediaType) {
			return errors.New("a credential in the presentation is not secured by an envelope")
		}
	}
	return nil
}
