package main

import (
	"bytes"
	"context"
	"crypto"
	"encoding/json"
	"errors"
	"flag"
	"slices"
	"strings"
	"time"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/schema"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/cose"
	"github.com/staffpassport/staffpassport/vc/dataintegrity"
	"github.com/staffpassport/staffpassport/vc/dataintegrity/bbs"
	"github.com/staffpassport/staffpassport/vc/dataintegrity/ecdsasd"
	"github.com/staffpassport/staffpassport/vc/dataintegrity/rdfc"
	"github.com/staffpassport/staffpassport/vc/jose"
	"github.com/staffpassport/staffpassport/vc/sdjwt"
	"github.com/staffpassport/staffpassport/vc/status"
)

// An issuance is what the flags of passport issue say.
type issuance struct {
	key, format string
	holder      string
	id          string
	photo       string
	from, until moment
	at          moment
	words       vocabulary
	mandatory   pointers
	disclosable pointers
	revocation  string
	suspension  string
	out         string
	printSample bool
	holderKey   crypto.PublicKey
	holderDID   did.DID
	signer      did.Signer
	contexts    *vc.ContextSet
	clock       func() time.Time
}

// formats are those that passport issue writes, and the first is the default for a key
// that fits it.
func formats() []string {
	return []string{"ecdsa-sd-2023", "eddsa-rdfc-2022", "ecdsa-rdfc-2019", "bbs-2023", "sd-jwt-vc", "sd-jwt", "jwt", "cose", "eddsa-jcs-2022", "ecdsa-jcs-2019"}
}

// issueCommand signs a staff record or a credential document.
func issueCommand(ctx context.Context, s *shell, args []string) (int, error) {
	fs := s.flags("--key FILE [flags] [FILE]",
		"Signs FILE: a staff record (--print-sample writes one), or a credential document without a\nproof. A document without an issuer, a start or a @context gets them.\nFormats: "+strings.Join(formats(), ", ")+".")
	i := &issuance{}
	i.flags(fs)
	rest, err := s.parse(fs, args)
	if err != nil {
		return 0, err
	}
	if i.printSample {
		record, _ := schema.Sample()
		return exitValid, s.printJSON(record)
	}
	if err := i.prepare(s); err != nil {
		return 0, err
	}
	b, err := s.read(rest)
	if err != nil {
		return 0, err
	}
	c, err := i.credential(s, payload(b))
	if err != nil {
		return 0, err
	}
	return i.write(ctx, s, c)
}

func (i *issuance) flags(fs *flag.FlagSet) {
	fs.StringVar(&i.key, "key", "", "the issuer's private key, a `FILE` by passport key new")
	fs.StringVar(&i.format, "format", "", "the `NAME` of how to secure it; default: by the key, ecdsa-sd-2023 for P-256, eddsa-rdfc-2022 for Ed25519, ecdsa-rdfc-2019 for P-384, bbs-2023 for BLS12-381")
	fs.StringVar(&i.holder, "holder", "", "the holder: a `DID` or the FILE of a public key, to which SD-JWT is bound too")
	fs.StringVar(&i.id, "id", "", "the credential's own `URL`, such as urn:uuid:...")
	fs.StringVar(&i.photo, "photo", "", "the portrait of a staff record, a JPEG `FILE`")
	fs.Var(&i.from, "valid-from", "the `TIME` from which it is valid; default: now")
	fs.Var(&i.until, "valid-until", "the `TIME` until which it is valid; default: no end")
	fs.Var(&i.at, "now", "sign as of this `TIME`")
	fs.Var(&i.words.given, "context", contextUsage)
	fs.Var(&i.mandatory, "mandatory", "ecdsa-sd-2023 and bbs-2023: a `POINTER` to what is always shown; may be repeated")
	fs.Var(&i.disclosable, "disclosable", "sd-jwt-vc and sd-jwt: a `POINTER` to what the holder may leave out; may be repeated; default: every claim of a passport")
	fs.StringVar(&i.revocation, "revocation", "", "where its revocation will be published: `URL#INDEX` of a status list")
	fs.StringVar(&i.suspension, "suspension", "", "where its suspension will be published: `URL#INDEX` of a status list")
	fs.StringVar(&i.out, "out", "", "a `FILE` that does not exist yet; default: standard output")
	fs.BoolVar(&i.printSample, "print-sample", false, "write an invented staff record and stop")
}

// prepare reads what the flags name.
func (i *issuance) prepare(s *shell) error {
	if i.key == "" {
		return wrongUsage("--key FILE is required; passport key new makes one")
	}
	var err error
	if i.signer, err = s.readSigner(i.key); err != nil {
		return err
	}
	if i.contexts, err = i.words.set(s); err != nil {
		return err
	}
	i.clock = s.now(i.at)
	if i.format == "" {
		i.format = formatFor(i.signer.Public())
	}
	if !slices.Contains(formats(), i.format) {
		return wrongUsage("--format is one of %s", strings.Join(formats(), ", "))
	}
	return i.readHolder(s)
}

// formatFor is the format in which a key issues unless another is named.
func formatFor(public crypto.PublicKey) string {
	switch alg, _ := did.Algorithm(public); alg {
	case "EdDSA":
		return "eddsa-rdfc-2022"
	case "ES256":
		return "ecdsa-sd-2023"
	case "ES384":
		return "ecdsa-rdfc-2019"
	}
	return "bbs-2023"
}

func (i *issuance) readHolder(s *shell) error {
	if i.holder == "" {
		return nil
	}
	if id, err := did.Parse(i.holder); err == nil {
		i.holderDID = id
		if id.Method() == "key" {
			if k, err := did.ParseMultikey(id.SpecificID()); err == nil {
				i.holderKey = k
			}
		}
		return nil
	}
	b, err := s.readFile(i.holder)
	if err != nil {
		return err
	}
	k, err := parseKey(b)
	if err != nil {
		return err
	}
	i.holderKey, i.holderDID = k.public, k.id.DID
	return nil
}

// credential makes the document to sign of a record, or completes one.
func (i *issuance) credential(s *shell, b []byte) (*vc.Credential, error) {
	o := objectOf(b)
	if o != nil && o["type"] == nil && o["credentialSubject"] == nil {
		return i.passport(s, b)
	}
	if o != nil {
		b = i.complete(o, b)
	}
	c, err := vc.Parse(b)
	if err != nil {
		return nil, err
	}
	return c, i.addStatus(c)
}

// passport makes the credential of a staff record.
func (i *issuance) passport(s *shell, b []byte) (*vc.Credential, error) {
	var photo *schema.Photo
	if i.photo != "" {
		jpeg, err := s.readFile(i.photo)
		if err != nil {
			return nil, err
		}
		if photo, err = schema.ParsePhoto(jpeg); err != nil {
			return nil, err
		}
	}
	record, err := schema.ParseRecord(b, photo)
	if err != nil {
		return nil, err
	}
	if i.format == "bbs-2023" {
		record = record.Padded()
	}
	from := time.Time(i.from)
	if from.IsZero() {
		from = i.clock()
	}
	c, err := record.Credential(schema.Terms{ID: i.id, Issuer: i.signer.VerificationMethod().DID, Holder: i.holderDID, ValidFrom: from, ValidUntil: time.Time(i.until)})
	if err != nil {
		return nil, err
	}
	return c, i.addStatus(c)
}

// complete adds what a credential document leaves to its issuer. What is there stays
// as it is, and as it is written unless something is added.
func (i *issuance) complete(o map[string]any, b []byte) []byte {
	added := false
	set := func(name string, v any) {
		if _, ok := o[name]; !ok {
			o[name], added = v, true
		}
	}
	set("@context", []string{vc.ContextV2})
	set("issuer", i.signer.VerificationMethod().DID.String())
	if _, v1 := o["issuanceDate"]; !v1 {
		from := time.Time(i.from)
		if from.IsZero() {
			from = i.clock()
		}
		set("validFrom", from.UTC().Truncate(time.Second).Format(time.RFC3339))
	}
	if !time.Time(i.until).IsZero() {
		set("validUntil", time.Time(i.until).UTC().Format(time.RFC3339))
	}
	if i.id != "" {
		set("id", i.id)
	}
	if subject, ok := o["credentialSubject"].(map[string]any); ok && !i.holderDID.IsZero() {
		if _, ok := subject["id"]; !ok {
			subject["id"], added = i.holderDID.String(), true
		}
	}
	if !added {
		return b
	}
	// The members as they came: numbers keep their digits.
	var raw map[string]json.RawMessage
	if json.Unmarshal(b, &raw) != nil {
		return b
	}
	for name, v := range o {
		if _, there := raw[name]; !there || name == "credentialSubject" {
			if text, err := marshal(v); err == nil {
				raw[name] = text
			}
		}
	}
	out, err := marshal(raw)
	if err != nil {
		return b
	}
	return out
}

// addStatus adds the entries that --revocation and --suspension name.
func (i *issuance) addStatus(c *vc.Credential) error {
	for _, f := range []struct {
		name, value string
		purpose     status.Purpose
	}{{"--revocation", i.revocation, status.Revocation}, {"--suspension", i.suspension, status.Suspension}} {
		if f.value == "" {
			continue
		}
		list, index, err := entryOf(f.value)
		if err != nil {
			return wrongUsage("%s is URL#INDEX, such as https://employer.example/status/0#94567", f.name)
		}
		c.Status = append(c.Status, status.Entry(list, f.purpose, index))
	}
	return nil
}

// securer returns what secures c in the format.
func (i *issuance) securer(c *vc.Credential) (vc.Securer, error) {
	switch i.format {
	case "jwt":
		return &jose.Issuer{Signer: i.signer, Contexts: i.contexts, Now: i.clock}, nil
	case "cose":
		return &cose.Issuer{Signer: i.signer, Contexts: i.contexts, Now: i.clock}, nil
	case "sd-jwt-vc", "sd-jwt":
		disclosable, err := i.whatIsDisclosable(c)
		if err != nil {
			return nil, err
		}
		media := sdjwt.MediaTypeSDJWTVC
		if i.format == "sd-jwt" {
			media = sdjwt.MediaTypeCredential
		}
		return &sdjwt.Issuer{Signer: i.signer, MediaType: media, Disclosable: disclosable, Holder: i.holderKey, Contexts: i.contexts, Now: i.clock}, nil
	}
	suite, err := i.suite(c)
	if err != nil {
		return nil, err
	}
	return &dataintegrity.Issuer{Suite: suite, Signer: i.signer, Contexts: i.contexts, Now: i.clock}, nil
}

func (i *issuance) suite(c *vc.Credential) (dataintegrity.Suite, error) {
	mandatory := []vc.Pointer(i.mandatory)
	if i.format == "ecdsa-sd-2023" || i.format == "bbs-2023" {
		all, err := schema.Mandatory(c)
		if err != nil && !errors.Is(err, schema.ErrNotPassport) {
			return nil, err
		}
		mandatory = append(mandatory, all...)
	}
	switch i.format {
	case "ecdsa-sd-2023":
		return ecdsasd.Suite(mandatory...), nil
	case "bbs-2023":
		return bbs.Suite(mandatory...), nil
	case "eddsa-rdfc-2022":
		return rdfc.EdDSARDFC2022(), nil
	case "ecdsa-rdfc-2019":
		return rdfc.ECDSARDFC2019(), nil
	case "eddsa-jcs-2022":
		return dataintegrity.EdDSAJCS2022(), nil
	}
	return dataintegrity.ECDSAJCS2019(), nil
}

// whatIsDisclosable are the claims that --disclosable names, or all that a passport has.
func (i *issuance) whatIsDisclosable(c *vc.Credential) ([]vc.Pointer, error) {
	if len(i.disclosable) > 0 {
		return i.disclosable, nil
	}
	all, err := schema.Disclosable(c)
	if errors.Is(err, schema.ErrNotPassport) {
		return nil, nil
	}
	return all, err
}

// writeSecured writes a credential or presentation: JSON with an indent, which no proof
// minds, and everything else as it is. With --json it is a member of an object that says
// its media type.
func (s *shell) writeSecured(out vc.Secured, file string) error {
	b := out.Bytes
	isJSON := len(b) > 0 && b[0] == '{'
	if s.json {
		if file != "" {
			return wrongUsage("--json writes standard output, and --out a file")
		}
		o := map[string]any{"mediaType": out.MediaType}
		switch {
		case isJSON:
			o["document"] = json.RawMessage(b)
		case isMessage(b):
			o["base64"] = b
		default:
			o["token"] = string(b)
		}
		return s.printJSON(o)
	}
	if isJSON {
		var indented bytes.Buffer
		if err := json.Indent(&indented, b, "", "  "); err != nil {
			return err
		}
		b = indented.Bytes()
	}
	return s.write(b, file, false)
}
