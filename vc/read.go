package vc

import (
	"slices"
	"strings"
	"time"

	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/internal/xsd"
)

// readCredential checks a document in the order of the specification and returns
// what it learned on the way: everything but the members kept as raw JSON.
func readCredential(doc *strictjson.Object) (*Credential, error) {
	c := new(Credential)
	var err error
	if err = checkKeywords(doc); err != nil { // section 6.1
		return nil, err
	}
	if c.Context, err = readContext(doc); err != nil { // section 4.3
		return nil, err
	}
	if c.ID, err = readID(doc, "", false); err != nil { // section 4.4
		return nil, err
	}
	if c.Type, err = readTypes(doc, ""); err != nil { // section 4.5
		return nil, err
	}
	if !slices.Contains(c.Type, TypeCredential) {
		return nil, malformed("/type", "or hold "+TypeCredential)
	}
	v1 := isV1(c.Context)
	if !v1 {
		if err = checkText(doc, "", "name", "description"); err != nil { // section 4.6
			return nil, err
		}
	}
	if c.Issuer, err = readParty(doc, "issuer"); err != nil { // section 4.7
		return nil, err
	}
	if c.Issuer.ID == "" {
		return nil, malformed("/issuer", "present")
	}
	if err = checkSubject(doc); err != nil { // section 4.8
		return nil, err
	}
	if err = readPeriod(doc, c, v1); err != nil { // section 4.9
		return nil, err
	}
	if v1 {
		for _, m := range typedMembersV1() {
			if err = checkTyped(doc, m.name, m.needsID); err != nil {
				return nil, err
			}
		}
		return c, nil
	}
	for _, m := range typedMembers() {
		if err = checkTyped(doc, m.name, m.needsID); err != nil {
			return nil, err
		}
	}
	if err = checkRelated(doc); err != nil { // section 5.3
		return nil, err
	}
	return c, nil
}

// A typedMember is an extension point whose every entry needs a type.
type typedMember struct {
	name    string
	needsID bool
}

func typedMembers() [7]typedMember {
	return [7]typedMember{
		{"credentialStatus", false}, // section 4.10
		{"credentialSchema", true},  // section 4.11
		{"refreshService", false},   // section 5.4
		{"termsOfUse", false},       // section 5.5
		{"evidence", false},         // section 5.6
		{"confidenceMethod", false}, // section 5.10
		{"renderMethod", false},     // section 5.10
	}
}

// checkKeywords refuses JSON-LD keywords other than @context at the top of a
// document. A reader that expands JSON-LD would take "@id" for "id" and see
// another document than this package does.
func checkKeywords(doc *strictjson.Object) error {
	for name := range doc.All() {
		if name != "@context" && strings.HasPrefix(name, "@") {
			return malformed("", "free of JSON-LD keywords other than @context")
		}
	}
	return nil
}

func readContext(doc *strictjson.Object) ([]Context, error) {
	v, _ := doc.Get("@context")
	entries, ok := v.([]any)
	if !ok || len(entries) == 0 || entries[0] != ContextV2 && entries[0] != ContextV1 {
		return nil, malformed("/@context", "an array that starts with "+ContextV2)
	}
	out := make([]Context, len(entries))
	for i, e := range entries {
		switch e := e.(type) {
		case string:
			if !isURL(e) {
				return nil, malformed(Pointer("/@context").Index(i), "a URL or an object")
			}
			out[i].URL = e
		case *strictjson.Object:
			raw, err := strictjson.Append(nil, e)
			if err != nil {
				return nil, syntax(Pointer("/@context").Index(i), err)
			}
			out[i].Inline = raw
		default:
			return nil, malformed(Pointer("/@context").Index(i), "a URL or an object")
		}
	}
	return out, nil
}

// readID reads the id member of o, which lies at the given place.
func readID(o *strictjson.Object, at Pointer, required bool) (string, error) {
	v, present := o.Get("id")
	if !present && !required {
		return "", nil
	}
	if s, ok := v.(string); ok && isURL(s) {
		return s, nil
	}
	return "", malformed(at.Child("id"), "a URL")
}

// readTypes reads the type member of o: one or more terms or URLs.
func readTypes(o *strictjson.Object, at Pointer) ([]string, error) {
	v, _ := o.Get("type")
	if s, ok := v.(string); ok && isType(s) {
		return []string{s}, nil
	}
	entries, ok := v.([]any)
	if !ok || len(entries) == 0 {
		return nil, malformed(at.Child("type"), "one or more terms or URLs")
	}
	out := make([]string, len(entries))
	for i, e := range entries {
		s, ok := e.(string)
		if !ok || !isType(s) {
			return nil, malformed(at.Child("type").Index(i), "a term or URL")
		}
		out[i] = s
	}
	return out, nil
}

// readParty reads a URL, or an object with an id. An absent one is zero.
func readParty(doc *strictjson.Object, name string) (Party, error) {
	v, present := doc.Get(name)
	if !present {
		return Party{}, nil
	}
	at := Pointer("").Child(name)
	switch v := v.(type) {
	case string:
		if isURL(v) {
			return Party{ID: v}, nil
		}
	case *strictjson.Object:
		id, err := readID(v, at, true)
		if err != nil {
			return Party{}, err
		}
		if err := checkText(v, at, "name", "description"); err != nil {
			return Party{}, err
		}
		other, err := otherOf(v, "id")
		return Party{id, other}, err
	}
	return Party{}, malformed(at, "a URL or an object with an id")
}

func checkSubject(doc *strictjson.Object) error {
	const at = Pointer("/credentialSubject")
	subjects := objectsOf(doc, "credentialSubject")
	if len(subjects) == 0 {
		return malformed(at, "one or more objects")
	}
	for i, s := range subjects {
		here := entryAt(doc, "credentialSubject", i)
		if s.Len() == 0 {
			return malformed(here, "an object with a claim")
		}
		if _, err := readID(s, here, false); err != nil {
			return err
		}
	}
	return nil
}

func readPeriod(doc *strictjson.Object, c *Credential, v1 bool) (err error) {
	names, others := period(v1)
	for _, name := range others {
		if _, present := doc.Get(name); present {
			return malformed(Pointer("").Child(name), "absent: it belongs to another version of the data model")
		}
	}
	if c.ValidFrom, err = readTime(doc, names[0]); err != nil {
		return err
	}
	if c.ValidUntil, err = readTime(doc, names[1]); err != nil {
		return err
	}
	if v1 && c.ValidFrom.IsZero() {
		return malformed("/issuanceDate", "present")
	}
	if !c.ValidFrom.IsZero() && !c.ValidUntil.IsZero() && c.ValidUntil.Before(c.ValidFrom) {
		return malformed(Pointer("").Child(names[1]), "no earlier than "+names[0])
	}
	return nil
}

func readTime(doc *strictjson.Object, name string) (time.Time, error) {
	v, present := doc.Get(name)
	if !present {
		return time.Time{}, nil
	}
	s, _ := v.(string)
	t, err := xsd.ParseDateTimeStamp(s)
	if err != nil {
		return time.Time{}, badTime(Pointer("").Child(name), err)
	}
	return t, nil
}

// checkTyped checks a member whose value is one or more objects with a type.
func checkTyped(doc *strictjson.Object, name string, needsID bool) error {
	if _, present := doc.Get(name); !present {
		return nil
	}
	at := Pointer("").Child(name)
	entries := objectsOf(doc, name)
	if len(entries) == 0 {
		return malformed(at, "one or more objects")
	}
	for i, e := range entries {
		here := entryAt(doc, name, i)
		if _, err := readTypes(e, here); err != nil {
			return err
		}
		if _, err := readID(e, here, needsID); err != nil {
			return err
		}
	}
	return nil
}

// checkText checks members that are a string, or one or more language value
// objects (section 11.1).
func checkText(o *strictjson.Object, at Pointer, names ...string) error {
	for _, name := range names {
		v, present := o.Get(name)
		if !present {
			continue
		}
		if _, ok := v.(string); ok {
			continue
		}
		values := objectsOf(o, name)
		if len(values) == 0 {
			return malformed(at.Child(name), "a string or language value objects")
		}
		for _, lv := range values {
			if !isLanguageValue(lv) {
				return malformed(at.Child(name), "a string or language value objects")
			}
		}
	}
	return nil
}

func isLanguageValue(o *strictjson.Object) bool {
	for name, v := range o.All() {
		s, ok := v.(string)
		switch name {
		case "@value", "@language":
		case "@direction":
			ok = ok && (s == "ltr" || s == "rtl")
		default:
			return false
		}
		if !ok {
			return false
		}
	}
	_, ok := o.Get("@value")
	return ok
}

// objectsOf returns the member as a list if it is an object or an array of
// objects, and nil if it is anything else.
func objectsOf(o *strictjson.Object, name string) []*strictjson.Object {
	switch v, _ := o.Get(name); v := v.(type) {
	case *strictjson.Object:
		return []*strictjson.Object{v}
	case []any:
		out := make([]*strictjson.Object, len(v))
		for i, e := range v {
			entry, ok := e.(*strictjson.Object)
			if !ok {
				return nil
			}
			out[i] = entry
		}
		return out
	}
	return nil
}

// entryAt returns where the object of that index in [objectsOf] stands.
func entryAt(o *strictjson.Object, name string, i int) Pointer {
	at := Pointer("").Child(name)
	if v, _ := o.Get(name); !isList(v) {
		return at
	}
	return at.Index(i)
}

func isList(v any) bool {
	_, ok := v.([]any)
	return ok
}

// stringsOf returns a member known to be a string or an array of them.
func stringsOf(o *strictjson.Object, name string) []string {
	switch v, _ := o.Get(name); v := v.(type) {
	case string:
		return []string{v}
	case []any:
		out := make([]string, len(v))
		for i := range v {
			out[i], _ = v[i].(string)
		}
		return out
	}
	return nil
}

// isType reports whether s is a term or an absolute URL. Which terms a context
// defines is not known here.
func isType(s string) bool {
	if strings.ContainsRune(s, ':') {
		return isURL(s)
	}
	return s != "" && s[0] != '@' && urlCharacters(s)
}

// isURL reports whether s is an absolute URL: a scheme, a colon, and something
// after it, without the characters that no URL holds (RFC 3986 appendix A).
func isURL(s string) bool {
	scheme, rest, ok := strings.Cut(s, ":")
	if !ok || rest == "" || scheme == "" {
		return false
	}
	for i, c := range []byte(scheme) {
		letter := c|0x20 >= 'a' && c|0x20 <= 'z'
		if !letter && (i == 0 || c-'0' > 9 && c != '+' && c != '-' && c != '.') {
			return false
		}
	}
	return urlCharacters(rest)
}

func urlCharacters(s string) bool {
	for i := range len(s) {
		switch c := s[i]; c {
		case '"', '<', '>', '\\', '^', '`', '{', '|', '}', 0x7F:
			return false
		default:
			if c <= ' ' {
				return false
			}
		}
	}
	return true
}
