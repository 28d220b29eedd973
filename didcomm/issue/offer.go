package issue

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/internal/exchange"
	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/vc"
)

// An Offer is what an issuer offers.
type Offer struct {
	// Credential is what will be issued, without a proof. The id of its subject
	// is left out, or is the DID of a holder who is known already; some agents cannot
	// add one to an offer in [FormatLinkedData].
	Credential *vc.Credential
	// Formats are those to offer it in, of which the holder chooses one:
	// [FormatDataIntegrity] (data model 2.0 alone), [FormatLinkedData], or both: then the
	// holder may choose the one in which it proves no key. Empty means the first, if the
	// credential and its forms can be in it, else the second.
	Formats []string
	// Forms are the media types in which the credential will be issued, as far as
	// the holder asks for them: application/vc, and after it perhaps
	// application/dc+sd-jwt. In [FormatLinkedData] alone it is one: application/vc,
	// application/jwt or application/vc+jwt. Empty means application/vc alone.
	Forms []string
	// Options are those of [FormatLinkedData]. What is empty is filled in: the proof
	// type for the data model, the purpose, and the type of the credential's status.
	Options Options
	// Preview is for agents that show one beside the credential; it may be nil.
	Preview []Attribute
	// Attachments travel beside the offer and the credential, such as the photo
	// under its own id.
	Attachments []didcomm.Attachment
	Comment     string    // to the person; may be empty
	Expires     time.Time // after which a request is refused; zero means never

	// Started hears of the new exchange in the transaction that begins it, so
	// that no record of the caller's can miss it; it must use tx only. An error
	// undoes the offer. It may be nil.
	Started func(ctx context.Context, tx didcomm.Tx, x *Exchange) error
}

// String shows nothing of the credential.
func (o Offer) String() string {
	return fmt.Sprintf("issue.Offer with %d attachments", len(o.Attachments))
}

// Format shows what String shows, under every verb.
func (o Offer) Format(f fmt.State, _ rune) { exchange.Print(f, o.String()) }

// LogValue is the same as String.
func (o Offer) LogValue() slog.Value { return slog.StringValue(o.String()) }

// terms are what an offer says of the credential, as it is made or as it is read.
type terms struct {
	formats []string // the first is the one to use
	forms   []string
	offered json.RawMessage
	options Options
	raw     json.RawMessage // the options as they were written
	binding *signedMethod
	bound   bool
}

// set makes t the terms of an exchange.
func (t *terms) set(x *record) {
	x.FormatID, x.Formats = t.formats[0], nil
	if len(t.formats) > 1 {
		x.Formats = t.formats
	}
	x.Forms, x.Offered, x.Options, x.Raw, x.Binding, x.Bound = t.forms, t.offered, t.options, t.raw, t.binding, t.bound
}

// prepare checks an offer and returns its terms.
func (o *Offer) prepare(now time.Time) (*terms, error) {
	if o.Credential == nil {
		return nil, fmt.Errorf("%w: no credential", ErrMalformed)
	}
	doc, tree, err := marshal(o.Credential, now)
	if err != nil {
		return nil, err
	}
	if _, single := subjectID(doc); !single {
		return nil, fmt.Errorf("%w: a credential with several subjects cannot be bound", ErrMalformed)
	}
	t := &terms{formats: slices.Clone(o.Formats), forms: o.Forms, offered: doc}
	if len(t.forms) == 0 {
		t.forms = []string{vc.MediaTypeCredential}
	}
	if len(t.formats) == 0 {
		t.formats = []string{FormatDataIntegrity}
		if vc.IsV1(tree) || t.forms[0] != vc.MediaTypeCredential {
			t.formats = []string{FormatLinkedData}
		}
	}
	if err := checkFormats(t.formats); err != nil {
		return nil, err
	}
	if err := checkForms(t.formats, t.forms); err != nil {
		return nil, err
	}
	if slices.Contains(t.formats, FormatDataIntegrity) {
		if err := checkOffered(doc); err != nil {
			return nil, err
		}
		t.binding, t.bound = &signedMethod{Algs: bindingAlgs(), Methods: holderMethods(), Nonce: rand.Text()}, true
	}
	if slices.Contains(t.formats, FormatLinkedData) {
		if err := checkDetail(doc); err != nil {
			return nil, err
		}
		_, status, err := withoutStatus(doc)
		if err != nil {
			return nil, err
		}
		t.options = optionsFor(o.Options, tree)
		if t.options.Status.Type == "" {
			t.options.Status.Type = status
		}
		if t.raw, err = json.Marshal(t.options); err != nil {
			return nil, err
		}
		if _, err := readOptions(t.raw); err != nil {
			return nil, err
		}
	}
	return t, checkPreview(o.Preview)
}

// marshal returns a credential to offer or propose. Data model 1.1 requires a time of
// issuance, which is now if there is none yet.
func marshal(c *vc.Credential, now time.Time) ([]byte, *strictjson.Object, error) {
	if len(c.Context) > 0 && c.Context[0].URL == vc.ContextV1 && c.ValidFrom.IsZero() {
		dated := *c
		dated.ValidFrom = now.Truncate(time.Second)
		c = &dated
	}
	o, err := c.Object()
	if err != nil {
		return nil, nil, err
	}
	doc, err := strictjson.Append(nil, o)
	return doc, o, err
}

func checkFormats(formats []string) error {
	for i, f := range formats {
		if f != FormatDataIntegrity && f != FormatLinkedData || slices.Contains(formats[:i], f) {
			return fmt.Errorf("%w: format of the credential", ErrUnsupported)
		}
	}
	return nil
}

// attachments returns the attachments of an offer.
func (t *terms) attachments(p party) (list []didcomm.Attachment, err error) {
	for _, format := range t.formats {
		if format == FormatLinkedData {
			doc, _, err := withoutStatus(t.offered)
			if err != nil {
				return nil, err
			}
			a, err := newDetail(p.NewID(), doc, t.raw)
			if err != nil {
				return nil, err
			}
			list = append(list, a)
			continue
		}
		a, err := attach(p.NewID(), formatOffer, offerContent{
			Versions:        []string{dataModel},
			BindingRequired: true,
			Binding:         &bindingMethods{Signed: t.binding},
			Credential:      t.offered,
		})
		if err != nil {
			return nil, err
		}
		list = append(list, a)
		if err := addForms(p, formatSDJWTOffer, t.forms, &list); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// readTerms reads what an offer says, in the first format that it has and a holder
// here can use.
func (c content) readTerms() (*terms, error) {
	if c.has(formatOffer) {
		o, err := c.readOffer()
		if err == nil {
			t := &terms{formats: []string{FormatDataIntegrity}, offered: o.Credential, bound: o.BindingRequired}
			if o.Binding != nil {
				t.binding = o.Binding.Signed
			}
			t.forms, err = c.readForms(formatSDJWTOffer)
			return t, err
		}
		if !errors.Is(err, ErrUnsupported) || !c.has(formatDetail) {
			return nil, err
		}
	}
	d, o, err := c.readDetail()
	if err != nil {
		return nil, err
	}
	return &terms{formats: []string{FormatLinkedData}, forms: []string{vc.MediaTypeCredential},
		offered: d.Credential, options: o, raw: d.Options}, nil
}
