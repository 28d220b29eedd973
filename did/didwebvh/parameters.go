package didwebvh

import (
	"crypto/ed25519"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/internal/strictjson"
)

const (
	method     = "did:webvh:1.0"
	defaultTTL = 3600    // seconds (parameter ttl)
	maxTTL     = 1 << 31 // seconds (parameter ttl)

	// Limits on one entry. A DID has one or two keys and a handful of witnesses.
	maxKeys      = 64
	maxHashes    = 256
	maxWitnesses = 64
	maxWatchers  = 64
	maxText      = 1 << 10 // bytes of a key, a hash or a watcher's URL
)

// parameters are those in force after an entry (section did:webvh DID Method
// Parameters).
type parameters struct {
	updateKeys    []string // Multikeys
	nextKeyHashes []string
	witness       witnesses
	watchers      []string
	ttl           int64 // seconds
	portable      bool
	deactivated   bool
}

// witnesses is the witness parameter. With no ids nobody has to approve.
type witnesses struct {
	threshold int
	keys      []string // Multikeys of the did:key of each
	ids       []string // as written
}

// with returns the parameters in force after an entry whose member parameters is o.
func (p parameters) with(o *strictjson.Object, first bool) (parameters, error) {
	if first {
		p = parameters{ttl: defaultTTL}
		for _, required := range []string{"method", "scid", "updateKeys"} {
			if _, ok := o.Get(required); !ok {
				return p, fmt.Errorf("%w: the first entry lacks one that is required", ErrParameters)
			}
		}
	}
	var err error
	for member, v := range o.All() {
		switch member {
		case "method":
			err = checkMethod(v, first)
		case "scid":
			if s, _ := v.(string); !first || !isHash(s) {
				err = fmt.Errorf("%w: scid", ErrParameters)
			}
		case "updateKeys":
			p.updateKeys, err = texts(v, maxKeys, isMultikey)
		case "nextKeyHashes":
			p.nextKeyHashes, err = texts(v, maxHashes, nil)
		case "witness":
			p.witness, err = parseWitnesses(v)
		case "watchers":
			p.watchers, err = texts(v, maxWatchers, isURL)
		case "portable":
			b, ok := v.(bool)
			if !ok || b && !first {
				err = fmt.Errorf("%w: portable", ErrParameters)
			}
			p.portable = b
		case "deactivated":
			b, ok := v.(bool)
			if !ok {
				err = fmt.Errorf("%w: deactivated", ErrParameters)
			}
			p.deactivated = b
		case "ttl":
			p.ttl, err = parseTTL(v)
		default:
			err = fmt.Errorf("%w: not one of this version of the method", ErrParameters)
		}
		if err != nil {
			return p, err
		}
	}
	return p, nil
}

// checkMethod accepts this version alone. A later entry may not go back to an older
// one.
func checkMethod(v any, first bool) error {
	s, _ := v.(string)
	if s == method {
		return nil
	}
	version := versionPattern.FindStringSubmatch(s)
	if version == nil || !first && version[1] == "0" {
		return fmt.Errorf("%w: method", ErrParameters)
	}
	return fmt.Errorf("%w: version of did:webvh", did.ErrUnsupported)
}

// texts reads a list of at most limit texts. Early writers put null for an empty list
// (the note under General Rules for Parameters).
func texts(v any, limit int, ok func(string) bool) ([]string, error) {
	if v == nil {
		return nil, nil
	}
	values, isList := v.([]any)
	if !isList || len(values) > limit {
		return nil, fmt.Errorf("%w: not a list, or one with more than %d entries", ErrParameters, limit)
	}
	list := make([]string, len(values))
	for i, v := range values {
		s, isText := v.(string)
		if !isText || s == "" || len(s) > maxText || ok != nil && !ok(s) {
			return nil, fmt.Errorf("%w: entry of a list", ErrParameters)
		}
		list[i] = s
	}
	return list, nil
}

// isMultikey looks at the form alone: whether the key is one is found when it is used.
func isMultikey(s string) bool {
	return s[0] == 'z' && !strings.ContainsFunc(s, func(c rune) bool {
		return (c < '1' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') || strings.ContainsRune("IOl", c)
	})
}

func isURL(s string) bool {
	u, err := url.Parse(s)
	return err == nil && u.IsAbs()
}

func parseTTL(v any) (int64, error) {
	if v == nil {
		return defaultTTL, nil
	}
	n, _ := v.(strictjson.Number)
	ttl, err := n.Int64()
	if err != nil || ttl < 0 || ttl > maxTTL {
		return 0, fmt.Errorf("%w: ttl", ErrParameters)
	}
	return ttl, nil
}

// parseWitnesses reads the witness parameter (section The witness Parameter).
func parseWitnesses(v any) (witnesses, error) {
	var w witnesses
	if v == nil {
		return w, nil
	}
	o, ok := v.(*strictjson.Object)
	if !ok {
		return w, fmt.Errorf("%w: witness", ErrParameters)
	}
	if o.Len() == 0 {
		return w, nil
	}
	number, _ := o.Get("threshold")
	n, _ := number.(strictjson.Number)
	threshold, err := n.Int64()
	if err != nil {
		return w, fmt.Errorf("%w: threshold of the witnesses", ErrParameters)
	}
	list, _ := o.Get("witnesses")
	values, ok := list.([]any)
	if !ok || len(values) > maxWitnesses || o.Len() != 2 {
		return w, fmt.Errorf("%w: witness", ErrParameters)
	}
	for _, v := range values {
		entry, _ := v.(*strictjson.Object)
		id, ok := entry.Text("id")
		if !ok || entry.Len() != 1 {
			return w, fmt.Errorf("%w: a witness without an id", ErrParameters)
		}
		// One of the published writers leaves did:key: out. The key is the same.
		key := strings.TrimPrefix(id, keyPrefix)
		if _, err := ed25519Key(key); err != nil || slices.Contains(w.keys, key) {
			return w, fmt.Errorf("%w: a witness that is no did:key for Ed25519, or is there twice", ErrParameters)
		}
		w.ids, w.keys = append(w.ids, id), append(w.keys, key)
	}
	if threshold < 1 || threshold > int64(len(w.keys)) {
		return w, fmt.Errorf("%w: threshold of the witnesses", ErrParameters)
	}
	w.threshold = int(threshold)
	return w, nil
}

// tree is the witness parameter as a document has it: the threshold is a number in a
// log, and a text in the metadata of a resolution.
func (w witnesses) tree(threshold any) *strictjson.Object {
	if len(w.ids) == 0 {
		return strictjson.NewObject()
	}
	list := make([]any, len(w.ids))
	for i, id := range w.ids {
		list[i] = strictjson.NewObject(strictjson.Member{Name: "id", Value: id})
	}
	return strictjson.NewObject(
		strictjson.Member{Name: "threshold", Value: threshold},
		strictjson.Member{Name: "witnesses", Value: list},
	)
}

// ed25519Key returns the key of a Multikey, the only kind that the suite of this
// version of the method has.
func ed25519Key(multikey string) (ed25519.PublicKey, error) {
	pub, err := did.ParseMultikey(multikey)
	if err != nil {
		return nil, err
	}
	key, ok := pub.(ed25519.PublicKey)
	if !ok {
		return nil, fmt.Errorf("%w: not an Ed25519 key", did.ErrUnsupported)
	}
	return key, nil
}

func seconds(n int64) string { return strconv.FormatInt(n, 10) }

var versionPattern = regexp.MustCompile(`^did:webvh:(0|[1-9][0-9]{0,3})\.(?:0|[1-9][0-9]{0,3})$`)
