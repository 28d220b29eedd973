package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/cose"
	"github.com/staffpassport/staffpassport/vc/jose"
	"github.com/staffpassport/staffpassport/vc/status"
)

// statusNewCommand makes an empty status list.
func statusNewCommand(ctx context.Context, s *shell, args []string) (int, error) {
	fs := s.flags("--key FILE --id URL [flags]",
		"Writes a signed Bitstring Status List in which nothing is set. Its entries are given to\ncredentials by passport issue --revocation URL#INDEX: random indexes, each once.")
	signing := &listSigning{}
	signing.flags(fs)
	id := fs.String("id", "", "the `URL` at which it will be published")
	purpose := fs.String("purpose", "revocation", "what a set bit means: `NAME` is revocation or suspension")
	size := fs.Int("size", status.MinEntries, "how many `ENTRIES` it has")
	rest, err := s.parse(fs, args)
	if err != nil {
		return 0, err
	}
	switch {
	case len(rest) > 0:
		return 0, wrongUsage("unexpected argument %q", rest[0])
	case *id == "":
		return 0, wrongUsage("--id is required: the URL at which the list will be published")
	case !status.Purpose(*purpose).Withdraws():
		return 0, wrongUsage("--purpose is revocation or suspension")
	}
	bits, err := status.NewBits(*size)
	if err != nil {
		return 0, err
	}
	i, err := signing.issuance(s)
	if err != nil {
		return 0, err
	}
	return signing.sign(ctx, s, i, &status.List{ID: *id, Purposes: []status.Purpose{status.Purpose(*purpose)}, Bits: bits})
}

// statusSetCommand makes the next edition of a status list.
func statusSetCommand(ctx context.Context, s *shell, args []string) (int, error) {
	fs := s.flags("--key FILE --index N... [--clear] [FILE]",
		"Reads a status list and writes the next one, signed anew, with entries set: revoked or\nsuspended. The list that is read has to be genuine, by the same key, and older. --clear unsets them, which is for suspensions: a revocation is final.")
	signing := &listSigning{}
	signing.flags(fs)
	var indexes texts
	fs.Var(&indexes, "index", "the entry of this `NUMBER`; may be repeated")
	unset := fs.Bool("clear", false, "unset instead")
	rest, err := s.parse(fs, args)
	if err != nil {
		return 0, err
	}
	if len(indexes) == 0 {
		return 0, wrongUsage("--index is required")
	}
	i, err := signing.issuance(s)
	if err != nil {
		return 0, err
	}
	in, l, err := s.readList(rest)
	if err != nil {
		return 0, err
	}
	if own := i.signer.VerificationMethod().DID; l.Issuer != own {
		return 0, wrongUsage("this list is by %s, and --key is of %s", printable(l.Issuer.String()), printable(own.String()))
	}
	if err := i.genuine(ctx, in, l.Issuer, l.ValidFrom, l.ValidUntil); err != nil {
		return 0, err
	}
	if *unset && slices.Contains(l.Purposes, status.Revocation) {
		return 0, wrongUsage("this list is for revocation, which is final")
	}
	for _, text := range indexes {
		index, err := strconv.Atoi(text)
		if err != nil {
			return 0, wrongUsage("--index is a number")
		}
		if err := l.Bits.Set(index, !*unset); err != nil {
			return 0, err
		}
	}
	i.replaces(rest)
	return signing.sign(ctx, s, i, l)
}

// statusGetCommand looks up one entry.
func statusGetCommand(_ context.Context, s *shell, args []string) (int, error) {
	fs := s.flags("--index N [FILE]",
		"Says whether an entry of a status list is set. The list is not verified: passport verify\nasks for the status of a credential.\nExit code: 0 not set, 1 set, 3 not a list that can be read.")
	index := fs.Int("index", -1, "the entry of this `NUMBER`")
	rest, err := s.parse(fs, args)
	if err != nil {
		return 0, err
	}
	if *index < 0 {
		return 0, wrongUsage("--index is required")
	}
	_, l, err := s.readList(rest)
	switch {
	case errors.Is(err, errUsage):
		return 0, err
	case err != nil: // 1 would say that the entry is set
		return 0, notLearned{err}
	}
	set, err := l.Bits.Get(*index)
	if err != nil {
		return 0, wrongUsage("--index %d: the list has entries up to %d", *index, l.Bits.Len()-1)
	}
	code, word := exitValid, "not set"
	if set {
		code, word = exitInvalid, "set"
	}
	purposes := make([]string, len(l.Purposes))
	for n, p := range l.Purposes {
		purposes[n] = string(p)
	}
	if s.json {
		return code, s.printJSON(map[string]any{"list": l.ID, "statusPurpose": purposes, "index": *index, "set": set})
	}
	_, err = fmt.Fprintf(s.out, "%s: %s (%s, not verified)\n", strings.Join(purposes, ", "), word, printable(l.ID))
	return code, err
}

// readList reads a status list in any format, and verifies nothing.
func (s *shell) readList(files []string) (vc.Secured, *status.List, error) {
	b, err := s.read(files)
	if err != nil {
		return vc.Secured{}, nil, err
	}
	in := secured(payload(b), "")
	d := readDocument(in)
	if len(d.wrong) > 0 {
		return in, nil, refused(d.wrong)
	}
	c, err := credentialOf(withoutProof(d.tree))
	if err != nil {
		return in, nil, err
	}
	l, err := status.ParseList(c)
	return in, l, err
}

// A listSigning is how a list is signed: whole, so not in the formats that hide claims.
type listSigning struct {
	key, as, format, out string
	at, until            moment
	ttl                  time.Duration
}

const formatUsage = "the `NAME` of how to secure it; default: eddsa-rdfc-2022 or ecdsa-rdfc-2019, by the key; also jwt, cose, eddsa-jcs-2022, ecdsa-jcs-2019"

func (l *listSigning) flags(fs *flag.FlagSet) {
	fs.StringVar(&l.key, "key", "", "the issuer's private key, a `FILE` by passport key new")
	fs.StringVar(&l.as, "as", "", asUsage)
	fs.StringVar(&l.format, "format", "", formatUsage)
	fs.StringVar(&l.out, "out", "", "a `FILE` that does not exist yet, or the one that is read, which is then replaced; default: standard output")
	fs.Var(&l.at, "now", "sign as of this `TIME`")
	fs.Var(&l.until, "valid-until", "the `TIME` from when on it says nothing; default: a day from now")
	fs.DurationVar(&l.ttl, "ttl", 5*time.Minute, "the `TIME` after which a reader should ask again")
}

func (l *listSigning) sign(ctx context.Context, s *shell, i *issuance, list *status.List) (int, error) {
	list.Issuer, list.ValidFrom, list.ValidUntil, list.TTL = i.signer.VerificationMethod().DID, i.clock(), time.Time(i.until), l.ttl
	c, err := list.Credential()
	if err != nil {
		return 0, err
	}
	return i.publish(ctx, s, c, list.ID)
}

// publish writes a list, and says to a person where it belongs and as what.
func (i *issuance) publish(ctx context.Context, s *shell, c *vc.Credential, address string) (int, error) {
	media := vc.MediaTypeCredential
	switch i.format {
	case "jwt":
		media = jose.MediaTypeCredential
	case "cose":
		media = cose.MediaTypeCredential
	}
	code, err := i.write(ctx, s, c)
	if err == nil && address != "" {
		fmt.Fprintf(s.err, "publish at %s as %s\n", printable(address), media)
	} else if err == nil {
		fmt.Fprintf(s.err, "publish as %s\n", media)
	}
	return code, err
}

// replaces lets the result take the place of the file that was read.
func (i *issuance) replaces(read []string) {
	i.replace = i.out != "" && len(read) == 1 && filepath.Clean(read[0]) == filepath.Clean(i.out)
}

// issuance is how passport issue signs, with the defaults of a list.
func (l *listSigning) issuance(s *shell) (*issuance, error) {
	i := &issuance{key: l.key, as: l.as, format: l.format, at: l.at, until: l.until, out: l.out}
	if err := i.prepare(s); err != nil {
		return nil, err
	}
	switch i.format {
	case "ecdsa-sd-2023":
		if l.format != "" {
			return nil, wrongUsage("a list is shown whole: --format ecdsa-rdfc-2019")
		}
		i.format = "ecdsa-rdfc-2019"
	case "bbs-2023", "sd-jwt", "sd-jwt-vc":
		return nil, wrongUsage("a list is shown whole, so not as %s", i.format)
	}
	if time.Time(i.until).IsZero() {
		i.until = moment(i.clock().Add(24 * time.Hour))
	}
	return i, nil
}

// write secures c and writes it.
func (i *issuance) write(ctx context.Context, s *shell, c *vc.Credential) (int, error) {
	securer, err := i.securer(c)
	if err != nil {
		return 0, err
	}
	out, err := securer.Secure(ctx, c)
	if err != nil {
		return 0, err
	}
	return exitValid, s.writeSecured(out, i.out, i.replace)
}

// entryOf reads URL#INDEX.
func entryOf(text string) (list string, index int, err error) {
	at := strings.LastIndex(text, "#")
	if at < 0 {
		return "", 0, fmt.Errorf("no index")
	}
	index, err = strconv.Atoi(text[at+1:])
	if err == nil && index < 0 {
		err = fmt.Errorf("an index below 0")
	}
	return text[:at], index, err
}
