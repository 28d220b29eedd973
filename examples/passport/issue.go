package main

import (
	"bytes"
	"context"
	"crypto"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net/url"
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
	as          string
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
	replace     bool // out is the file that was read
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
	fs.StringVar(&i.as, "as", "", asUsage)
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
	fs.BoolVar(&i.printSample, "print-sample", false, "write an invented staff record and stop; once it is changed it needs --photo")
}

// prepare reads what the flags name.
func (i *issuance) prepare(s *shell) error {
	if i.key == "" {
		return wrongUsage("--key FILE is required; passport key new makes one")
	}
	var err error
	if i.signer, err = s.readSignerAs(i.key, i.as); err != nil {
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
	if i.format == "bbs-2023" && i.holder != "" {
		return wrongUsage("a bbs-2023 credential names no holder, so that nobody can tell two showings of it apart: leave --holder out, or choose another --format")
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
	if err := i.fit(); err != nil {
		return nil, err
	}
	o := objectOf(b)
	if o != nil && o["type"] == nil && o["credentialSubject"] == nil {
		return i.passport(s, b)
	}
	if err := strict(b); err != nil {
		return nil, err
	}
	if o != nil {
		if err := i.agree(o); err != nil {
			return nil, err
		}
		b = i.complete(o, b)
	}
	c, err := vc.Parse(b)
	if err != nil {
		return nil, err
	}
	return c, i.addStatus(c)
}

// strict refuses what is not one strict JSON object, before anything is made of it that
// no longer shows.
func strict(b []byte) error {
	if _, err := vc.Parse(b); errors.Is(err, vc.ErrSyntax) {
		return err
	}
	return nil
}

// fit refuses flags that say nothing in the format.
func (i *issuance) fit() error {
	switch selective := i.format == "ecdsa-sd-2023" || i.format == "bbs-2023"; {
	case len(i.mandatory) > 0 && !selective:
		return wrongUsage("--mandatory is for ecdsa-sd-2023 and bbs-2023, and not for %s", i.format)
	case len(i.disclosable) > 0 && i.format != "sd-jwt-vc" && i.format != "sd-jwt":
		return wrongUsage("--disclosable is for sd-jwt-vc and sd-jwt, and not for %s", i.format)
	}
	return nil
}

// agree refuses flags that the document contradicts, or that are for a staff record.
func (i *issuance) agree(o map[string]any) error {
	begin, end := timesOf(o)
	same := func(name string, at moment) bool {
		v, there := o[name]
		written, err := time.Parse(time.RFC3339, text(v))
		return !there || time.Time(at).IsZero() || err == nil && written.Equal(time.Time(at))
	}
	id, hasID := o["id"]
	switch {
	case i.photo != "":
		return wrongUsage("--photo is for a staff record, and this is a credential document")
	case i.id != "" && hasID && text(id) != i.id:
		return wrongUsage("--id, and the document has another id")
	case !same(begin, i.from):
		return wrongUsage("--valid-from, and the document has another %s", begin)
	case !same(end, i.until):
		return wrongUsage("--valid-until, and the document has another %s", end)
	case i.holderDID.IsZero():
		return nil
	}
	for _, v := range list(o["credentialSubject"]) {
		subject, _ := v.(map[string]any)
		_, many := o["credentialSubject"].([]any)
		if own, there := subject["id"]; there && text(own) == i.holderDID.String() || !there && !many {
			return nil
		}
	}
	return wrongUsage("--holder, and the document's credentialSubject is another, or several that are not the holder")
}

// timesOf names the members for the start and the end of a document, by its version.
func timesOf(o map[string]any) (begin, end string) {
	if all := list(o["@context"]); len(all) > 0 && text(all[0]) == vc.ContextV1 {
		return "issuanceDate", "expirationDate"
	}
	return "validFrom", "validUntil"
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
	if photo == nil && record.Personal.Photo != nil && !isSample(record) {
		return nil, wrongUsage("the record refers to a photo that is not here: give this person's with --photo FILE")
	}
	if i.format == "bbs-2023" {
		record = record.Padded()
	} else if i.holderDID.IsZero() {
		fmt.Fprintln(s.err, "passport issue: without --holder nobody can present it as theirs")
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

// isSample reports whether a record is the invented one as it was printed, whose photo
// comes with the library.
func isSample(record *schema.Passport) bool {
	sample, _ := schema.Sample()
	a, errA := marshal(record)
	b, errB := marshal(sample)
	return errA == nil && errB == nil && bytes.Equal(a, b)
}

// complete adds what a credential document leaves to its issuer. What is there stays
// as it is, and as it is written: numbers keep their digits.
func (i *issuance) complete(o map[string]any, b []byte) []byte {
	var raw map[string]json.RawMessage
	if json.Unmarshal(b, &raw) != nil {
		return b
	}
	added := false
	set := func(o map[string]json.RawMessage, name string, v any) {
		if _, there := o[name]; there {
			return
		}
		if text, err := marshal(v); err == nil {
			o[name], added = text, true
		}
	}
	begin, end := timesOf(o)
	from := time.Time(i.from)
	if from.IsZero() {
		from = i.clock().Truncate(time.Second)
	}
	set(raw, "@context", []string{vc.ContextV2})
	set(raw, "issuer", i.signer.VerificationMethod().DID.String())
	set(raw, begin, from.UTC().Format(time.RFC3339Nano))
	if !time.Time(i.until).IsZero() {
		set(raw, end, time.Time(i.until).UTC().Format(time.RFC3339Nano))
	}
	if i.id != "" {
		set(raw, "id", i.id)
	}
	var subject map[string]json.RawMessage
	if !i.holderDID.IsZero() && json.Unmarshal(raw["credentialSubject"], &subject) == nil && subject != nil {
		if _, there := subject["id"]; !there {
			set(subject, "id", i.holderDID.String())
			if text, err := marshal(subject); err == nil {
				raw["credentialSubject"] = text
			}
		}
	}
	if !added {
		return b
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
		entry := status.Entry(list, f.purpose, index)
		if _, err := status.ParseEntry(entry); err != nil { // as every verifier would say
			return err
		}
		if u, err := url.Parse(list); err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
			return wrongUsage("%s is at an https address: a verifier fetches the list there", f.name)
		}
		c.Status = append(c.Status, entry)
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
func (s *shell) writeSecured(out vc.Secured, file string, replace bool) error {
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
	if replace {
		return replaceFile(file, withNewline(b))
	}
	return s.write(b, file, false)
}
