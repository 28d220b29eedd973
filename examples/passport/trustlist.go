package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/schema/trust"
	"github.com/staffpassport/staffpassport/vc"
)

// trustSignCommand signs an edition of the list of registered organisations.
func trustSignCommand(ctx context.Context, s *shell, args []string) (int, error) {
	fs := s.flags("--key FILE --id URL --sequence N [flags] [FILE]",
		"Signs an edition of the list of registered organisations. FILE is JSON:\n\n"+
			"  {\"organisation\": [{\"odsCode\": \"Z0Z1Z\", \"name\": \"Fern Hill Hospitals\", \"did\": [\"did:web:fernhill.example\"],\n"+
			"    \"issues\": [\"StaffPassportCredential\"], \"from\": \"2026-01-05T00:00:00Z\",\n"+
			"    \"registeredBy\": \"HR Director\"}]}\n\n"+
			"or an earlier edition, to be signed again under a new number: genuine, by the same key or by\nwhom it follows, and older.")
	signing := &listSigning{}
	signing.flags(fs)
	id := fs.String("id", "", "the register's `URL`, the same in all editions; default: that of the earlier edition")
	sequence := fs.Uint64("sequence", 0, "the edition's `NUMBER`, one more than the last; default: that")
	var successions texts
	fs.Var(&successions, "succession", "the old authority's word by passport trust succeed, a `FILE`; it stays in all later editions; may be repeated")
	rest, err := s.parse(fs, args)
	if err != nil {
		return 0, err
	}
	b, err := s.read(rest)
	if err != nil {
		return 0, err
	}
	i, err := signing.issuance(s)
	if err != nil {
		return 0, err
	}
	i.replaces(rest)
	words := make([]vc.Secured, len(successions))
	for n, name := range successions {
		b, err := s.readFile(name)
		if err != nil {
			return 0, err
		}
		words[n] = secured(payload(b), "")
	}
	list, err := readDraft(ctx, payload(b), i, *id, words)
	if err != nil {
		return 0, err
	}
	list.Issued, list.ValidUntil = i.clock(), time.Time(i.until)
	list.Authority = i.signer.VerificationMethod().DID
	if *id != "" {
		list.ID = *id
	}
	switch {
	case *sequence > 0 && *sequence < list.Sequence:
		return 0, wrongUsage("--sequence %d, and what was read is followed by %d", *sequence, list.Sequence)
	case *sequence > 0:
		list.Sequence = *sequence
	}
	for _, link := range words {
		if err := checkSuccession(link, list); err != nil {
			return 0, err
		}
		if !slices.ContainsFunc(list.Succession, func(known vc.Secured) bool { return bytes.Equal(known.Bytes, link.Bytes) }) {
			list.Succession = append(list.Succession, link)
		}
	}
	c, err := list.Credential()
	if err != nil {
		return 0, err
	}
	return i.publish(ctx, s, c, "")
}

// readDraft reads what is to be signed: an earlier edition, or the organisations alone.
func readDraft(ctx context.Context, b []byte, i *issuance, id string, words []vc.Secured) (*trust.List, error) {
	if in := secured(b, ""); in.MediaType != "" {
		l, err := readEdition(in)
		if err != nil {
			return nil, err
		}
		for _, link := range words {
			if err := checkSuccession(link, l); err != nil {
				return nil, err
			}
		}
		by, err := i.mayFollow(l, append(slices.Clone(l.Succession), words...))
		if err != nil {
			return nil, err
		}
		if err := i.genuine(ctx, in, by, l.Issued, l.ValidUntil); err != nil {
			return nil, err
		}
		l.Sequence++
		return l, nil
	}
	if err := strict(b); err != nil {
		return nil, err
	}
	subject := objectOf(b)
	switch {
	case subject == nil:
		return nil, wrongUsage("neither a list nor JSON with a member organisation")
	case id == "":
		return nil, wrongUsage("--id is required: the register's URL")
	}
	if _, ok := subject["sequence"]; !ok {
		subject["sequence"] = 1
	}
	leaveOutEmpty(subject, "organisation")
	for _, v := range list(subject["organisation"]) {
		if o, ok := v.(map[string]any); ok {
			leaveOutEmpty(o, "issues", "receives")
		}
	}
	return readTrustList(map[string]any{
		"@context": []string{vc.ContextV2, trust.ContextURL}, "id": id, "type": []string{vc.TypeCredential, trust.Type},
		"issuer": i.signer.VerificationMethod().DID.String(), "validFrom": i.clock().UTC().Truncate(time.Second).Format(time.RFC3339),
		"validUntil": time.Time(i.until).UTC().Truncate(time.Second).Format(time.RFC3339), "credentialSubject": subject,
	})
}

// leaveOutEmpty leaves out empty arrays, which a draft may have and a signed list not.
func leaveOutEmpty(o map[string]any, names ...string) {
	for _, name := range names {
		if all, ok := o[name].([]any); ok && len(all) == 0 {
			delete(o, name)
		}
	}
}

// readEdition reads a list that was signed, and verifies nothing.
func readEdition(in vc.Secured) (*trust.List, error) {
	d := readDocument(in)
	switch {
	case len(d.wrong) > 0:
		return nil, refused(d.wrong)
	case d.tree == nil:
		return nil, wrongUsage("not a list of registered organisations")
	}
	return readTrustList(withoutProof(d.tree))
}

func readTrustList(tree map[string]any) (*trust.List, error) {
	c, err := credentialOf(tree)
	if err != nil {
		return nil, err
	}
	return trust.Read(c)
}

// checkSuccession sees that what goes into a list is a succession of its register.
func checkSuccession(in vc.Secured, l *trust.List) error {
	d := readDocument(in)
	if d.tree == nil || len(d.wrong) > 0 {
		return wrongUsage("--succession is a file by passport trust succeed")
	}
	c, err := credentialOf(withoutProof(d.tree))
	if err != nil {
		return err
	}
	word, err := trust.ReadSuccession(c)
	if err == nil && word.Register != l.ID {
		err = wrongUsage("--succession is of the register %s, and the list is %s", printable(word.Register), printable(l.ID))
	}
	return err
}

func credentialOf(tree map[string]any) (*vc.Credential, error) {
	b, err := json.Marshal(tree)
	if err != nil {
		return nil, err
	}
	return vc.Parse(b)
}

// trustSucceedCommand signs the word of an authority that another one follows.
func trustSucceedCommand(ctx context.Context, s *shell, args []string) (int, error) {
	fs := s.flags("--key FILE --to DID [flags] [FILE]",
		"Signs, with the old authority's key, that another DID signs the list from now on. FILE is the\nold authority's last edition. The new one puts the result into its first edition, and so into\nall later ones, with passport trust sign --succession. It cannot be taken back.")
	signing := &listSigning{}
	fs.StringVar(&signing.key, "key", "", "the old authority's private key, a `FILE` by passport key new")
	fs.StringVar(&signing.as, "as", "", asUsage)
	fs.StringVar(&signing.format, "format", "", formatUsage)
	fs.StringVar(&signing.out, "out", "", "a `FILE` that does not exist yet; default: standard output")
	fs.Var(&signing.at, "now", "sign as of this `TIME`")
	to := fs.String("to", "", "the `DID` that follows")
	after := fs.Uint64("after", 0, "the `NUMBER` of the last edition by the old authority; default: that of FILE")
	rest, err := s.parse(fs, args)
	if err != nil {
		return 0, err
	}
	successor, err := did.Parse(*to)
	if err != nil {
		return 0, wrongUsage("--to is required: the DID that follows")
	}
	b, err := s.read(rest)
	if err != nil {
		return 0, err
	}
	i, err := signing.issuance(s)
	if err != nil {
		return 0, err
	}
	in := secured(payload(b), "")
	last, err := readEdition(in)
	if err != nil {
		return 0, err
	}
	from := i.signer.VerificationMethod().DID
	switch {
	case last.Authority != from:
		return 0, wrongUsage("the authority of this list is %s, and --key is of %s", printable(last.Authority.String()), printable(from.String()))
	case *after == 0:
		*after = last.Sequence
	case *after < last.Sequence:
		return 0, wrongUsage("--after %d, and this is edition %d", *after, last.Sequence)
	}
	if err := i.genuine(ctx, in, from, time.Time{}, last.ValidUntil); err != nil {
		return 0, err
	}
	c, err := (&trust.Succession{Register: last.ID, From: from, To: successor, After: *after, Issued: i.clock()}).Credential()
	if err != nil {
		return 0, err
	}
	return i.write(ctx, s, c)
}

// trustCheckCommand asks the list about one organisation.
func trustCheckCommand(ctx context.Context, s *shell, args []string) (int, error) {
	fs := s.flags("--trust LIST --authority DID [--type TYPE] DID",
		"Says whether the list of registered organisations lets a DID issue credentials of a type.\nExit code: 0 it does, 1 it does not, 3 could not be decided.")
	var p policy
	var n network
	var at moment
	p.flags(fs)
	n.flags(fs)
	fs.Var(&at, "now", "ask as of this `TIME`")
	typ := fs.String("type", "StaffPassportCredential", "the `TYPE` of credential")
	receive := fs.Bool("receive", false, "ask whether it may be shown such credentials instead")
	rest, err := s.parse(fs, args)
	if err != nil {
		return 0, err
	}
	if len(rest) != 1 || p.list == "" {
		return 0, wrongUsage("--trust and one DID are required")
	}
	id, err := did.Parse(rest[0])
	if err != nil {
		return 0, wrongUsage("%q is no DID", rest[0])
	}
	now := s.now(at)
	if err := n.open(ctx, s, now); err != nil {
		return 0, err
	}
	ctx, cancel := context.WithTimeout(ctx, n.timeout)
	defer cancel()
	client := n.client()
	decider, err := p.trust(ctx, s, n.resolver(client, now), client, now)
	if err != nil {
		return 0, err
	}
	registry, ok := decider.(*trust.Registry)
	if !ok {
		err := decider.(noList).err
		return 0, n.hint(notLearned{err}, p.list, p.authority)
	}
	ask := registry.Trusted
	if *receive {
		ask = registry.MayReceive
	}
	answer := ask(ctx, id, []string{vc.TypeCredential, *typ}, now())
	l := registry.List()
	o, listed := l.Organisation(id)
	if answer != nil && !errors.Is(answer, trust.ErrNotRegistered) && !errors.Is(answer, trust.ErrNotForType) && !errors.Is(answer, trust.ErrNotInForce) {
		return 0, notLearned{answer}
	}
	code := exitValid
	if answer != nil {
		code = exitInvalid
	}
	if s.json {
		return code, s.printJSON(map[string]any{"may": answer == nil, "reason": reason(answer), "listed": listed, "odsCode": o.ODS, "name": o.Name, "sequence": l.Sequence, "issued": l.Issued, "validUntil": l.ValidUntil})
	}
	word := "yes"
	if answer != nil {
		word = "no: " + reason(answer)
	}
	fmt.Fprintln(s.out, word)
	r := &report{}
	r.add("organisation", "organisation", strings.TrimSpace(o.ODS+" "+o.Name))
	r.add("list", "list", fmt.Sprintf("edition %d, %s old, counts until %s", l.Sequence, now().Sub(l.Issued).Round(time.Minute), l.ValidUntil.UTC().Format(time.RFC3339)))
	r.printFacts(s.out, "")
	return code, nil
}

func reason(err error) string {
	if err == nil {
		return ""
	}
	_, text, found := strings.Cut(err.Error(), ": ")
	if !found {
		return err.Error()
	}
	return text
}
