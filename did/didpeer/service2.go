package didpeer

import (
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/internal/errtext"
	"github.com/staffpassport/staffpassport/internal/multiformat"
	"github.com/staffpassport/staffpassport/internal/strictjson"
)

// Method 2, Common String Abbreviations: the one for the value of a type, and those
// for the names of members.
const (
	messaging      = "DIDCommMessaging"
	shortMessaging = "dm"
)

func abbreviations() [4]struct{ long, short string } {
	return [...]struct{ long, short string }{{"type", "t"}, {"serviceEndpoint", "s"}, {"routingKeys", "r"}, {"accept", "a"}}
}

func abbreviate(name string) string {
	for _, a := range abbreviations() {
		if name == a.long {
			return a.short
		}
	}
	return name
}

func expand(name string) string {
	for _, a := range abbreviations() {
		if name == a.short {
			return a.long
		}
	}
	return name
}

// encodeService writes a service as an element of a did:peer:2, without its period
// and its S. What has the look of an abbreviation already would be read as another
// service and is refused.
func encodeService(service []byte) (string, error) {
	tree, err := strictjson.ParseObject(service)
	if err != nil {
		return "", fmt.Errorf("%w: service: %w", did.ErrInvalid, errtext.Below(err))
	}
	text, err := strictjson.Append(nil, tree)
	if err != nil {
		return "", fmt.Errorf("%w: service: %w", did.ErrInvalid, errtext.Below(err))
	}
	short, err := renamed(tree, abbreviate, messaging, shortMessaging)
	if err != nil {
		return "", err
	}
	element, err := strictjson.Append(nil, short)
	if err != nil {
		return "", fmt.Errorf("%w: service: %w", did.ErrInvalid, errtext.Below(err))
	}
	back, err := renamed(short, expand, shortMessaging, messaging)
	if err != nil {
		return "", err
	}
	if again, err := strictjson.Append(nil, back); err != nil || string(again) != string(text) {
		return "", fmt.Errorf("%w: service with a member or type that is an abbreviation", did.ErrInvalid)
	}
	return base64.RawURLEncoding.EncodeToString(element), nil
}

// decodeServices reads the services of one element. There is one; writers of the
// method's first text put a list of several into one element, which is read too.
func decodeServices(element string) ([]any, error) {
	if len(element) > base64.RawURLEncoding.EncodedLen(multiformat.MaxDocument) {
		return nil, fmt.Errorf("%w: service too long", did.ErrInvalid)
	}
	text, err := base64.RawURLEncoding.Strict().DecodeString(element)
	if err != nil {
		return nil, fmt.Errorf("%w: service is not base64url", did.ErrInvalid)
	}
	parsed, err := strictjson.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("%w: service: %w", did.ErrInvalid, errtext.Below(err))
	}
	list, ok := parsed.([]any)
	if !ok {
		list = []any{parsed}
	}
	if len(list) == 0 || len(list) > maxElements {
		return nil, fmt.Errorf("%w: element of a did:peer:2 with no service or more than %d", did.ErrInvalid, maxElements)
	}
	for i, v := range list {
		o, ok := v.(*strictjson.Object)
		if !ok {
			return nil, fmt.Errorf("%w: service is not a map", did.ErrInvalid)
		}
		full, err := renamed(o, expand, shortMessaging, messaging)
		if err != nil {
			return nil, err
		}
		if id, present := full.Get("id"); present {
			if text, ok := id.(string); !ok || !strings.HasPrefix(text, "#") {
				return nil, fmt.Errorf("%w: service with an identifier that is not relative", did.ErrInvalid)
			}
		}
		list[i] = full
	}
	return list, nil
}

// nameServices gives each service without an id the next of #service, #service-1 and
// so on.
func nameServices(services []any) {
	next := 0
	for _, v := range services {
		service := v.(*strictjson.Object)
		if _, present := service.Get("id"); present {
			continue
		}
		name := "#service"
		if next > 0 {
			name += "-" + strconv.Itoa(next)
		}
		service.Set("id", name)
		next++
	}
}

// renamed returns a copy of o in which the members have their new names, at every
// depth, and types that are from are to.
func renamed(o *strictjson.Object, name func(string) string, from, to string) (*strictjson.Object, error) {
	out := strictjson.NewObject()
	for old, v := range o.All() {
		member := name(old)
		if _, twice := out.Get(member); twice {
			return nil, fmt.Errorf("%w: service with a member and its abbreviation", did.ErrInvalid)
		}
		value, err := renamedValue(v, name, from, to)
		if err != nil {
			return nil, err
		}
		if member == name("type") {
			value = retyped(value, from, to)
		}
		out.Set(member, value)
	}
	return out, nil
}

func renamedValue(v any, name func(string) string, from, to string) (any, error) {
	switch v := v.(type) {
	case *strictjson.Object:
		return renamed(v, name, from, to)
	case []any:
		list := make([]any, len(v))
		for i := range v {
			var err error
			if list[i], err = renamedValue(v[i], name, from, to); err != nil {
				return nil, err
			}
		}
		return list, nil
	default:
		return v, nil
	}
}

// retyped replaces a type, or the types of a list, that are from.
func retyped(v any, from, to string) any {
	if v == from {
		return to
	}
	list, ok := v.([]any)
	if !ok {
		return v
	}
	for i := range list {
		if list[i] == from {
			list[i] = to
		}
	}
	return list
}
