package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
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
			"  {\"organisation\": [{\"odsCode\": \"Z0Z1Z\", \"name\": \"...\", \"did\": [\"did:web:...\"],\n"+
			"    \"issues\": [\"StaffPassportCredential\"], \"receives\": [], \"from\": \"2026-01-05T00:00:00Z\",\n"+
			"    \"registeredBy\": \"HR Director\"}]}\n\n"+
			"or an earlier edition, signed, to be signed again under a new number.")
	signing := &listSigning{}
	signing.flags(fs)
	id := fs.String("id", "", "the register's `URL`, the same in all editions; default: that of the earlier edition")
	sequence := fs.Uint64("sequence", 0, "the edition's `NUMBER`, one more than the last; default: that")
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
	list, err := readDraft(payload(b), i, *id)
	if err != nil {
		return 0, err
	}
	list.Issued, list.ValidUntil = i.clock(), time.Time(i.until)
	list.Authority = i.signer.VerificationMethod().DID
	if *id != "" {
		list.ID = *id
	}
	if *sequence > 0 {
		list.Sequence = *sequence
	}
	c, err := list.Credential()
	if err != nil {
		return 0, err
	}
	return i.write(ctx, s, c)
}

// readDraft reads what is to be signed: an earlier edition, or the organisations alone.
func readDraft(b []byte, i *issuance, id string) (*trust.List, error) {
	if in := secured(b, ""); in.MediaType != "" {
		d := readDocument(in)
		if len(d.wrong) > 0 {
			return nil, refused(d.wrong)
		}
		l, err := readTrustList(withoutProof(d.tree))
		if err == nil {
			l.Sequence++
		}
		return l, err
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
	if len(list(subject["organisation"])) == 0 { // a list may be empty, an array in it may not
		delete(subject, "organisation")
	}
	return readTrustList(map[string]any{
		"@context": []string{vc.ContextV2, trust.ContextURL}, "id": id, "type": []string{vc.TypeCredential, trust.Type},
		"issuer": i.signer.VerificationMethod().DID.String(), "validFrom": i.clock().UTC().Truncate(time.Second).Format(time.RFC3339),
		"validUntil": time.Time(i.until).UTC().Truncate(time.Second).Format(time.RFC3339), "credentialSubject": subject,
	})
}

func readTrustList(tree map[string]any) (*trust.List, error) {
	b, err := json.Marshal(tree)
	if err != nil {
		return nil, err
	}
	c, err := vc.Parse(b)
	if err != nil {
		return nil, err
	}
	return trust.Read(c)
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
	client := n.client()
	decider, err := p.trust(ctx, s, n.resolver(client, now), client, now)
	if err != nil {
		return 0, err
	}
	registry, ok := decider.(*trust.Registry)
	if !ok {
		return 0, notLearned{decider.(noList).err}
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
