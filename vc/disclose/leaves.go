package disclose

import (
	"errors"
	"strings"

	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/vc"
)

// A leaf is one value of a credential that has no values inside: a claim.
type leaf struct {
	at     vc.Pointer
	always bool // nobody can withhold it
	named  bool // the request names it
}

func (l *leaf) shown() bool { return l.always || l.named }

// Limits of a credential, whoever made it: as many claims as a suite takes
// statements, and no more text for the way to them than a few documents hold.
const (
	maxLeaves = 4096
	maxPaths  = 4 << 20
)

var errTooManyClaims = errors.New("too many claims")

// leavesOf lists the claims of a document in its order. The @context is one.
func leavesOf(doc *strictjson.Object) ([]leaf, error) {
	var out []leaf
	paths := 0
	var walk func(v any, at vc.Pointer) error
	walk = func(v any, at vc.Pointer) error {
		if paths += len(at); paths > maxPaths || len(out) == maxLeaves {
			return errTooManyClaims
		}
		switch v := v.(type) {
		case *strictjson.Object:
			for name, inner := range v.All() {
				if err := walk(inner, at.Child(name)); err != nil {
					return err
				}
			}
			if v.Len() > 0 {
				return nil
			}
		case []any:
			if len(v) == 0 || at == "/@context" {
				break
			}
			for i, inner := range v {
				if err := walk(inner, at.Index(i)); err != nil {
					return err
				}
			}
			return nil
		}
		out = append(out, leaf{at: at})
		return nil
	}
	return out, walk(doc, "")
}

// covers reports whether at is p or inside of what p points at. Both have the one
// spelling that finds something.
func covers(p, at vc.Pointer) bool {
	rest, ok := strings.CutPrefix(string(at), string(p))
	return ok && (rest == "" || rest[0] == '/')
}

// pick returns the part of a value at a place that keep wants, and whether there is
// any.
func pick(v any, at vc.Pointer, keep func(vc.Pointer) bool) (any, bool) {
	switch v := v.(type) {
	case *strictjson.Object:
		if v.Len() > 0 {
			out := strictjson.NewObject()
			for name, inner := range v.All() {
				if part, ok := pick(inner, at.Child(name), keep); ok {
					out.Set(name, part)
				}
			}
			return out, out.Len() > 0
		}
	case []any:
		if len(v) > 0 && at != "/@context" {
			var out []any
			for i, inner := range v {
				if part, ok := pick(inner, at.Index(i), keep); ok {
					out = append(out, part)
				}
			}
			return out, len(out) > 0
		}
	}
	return v, keep(at)
}

// same reports whether two documents hold the same claims. Objects and arrays in
// which nothing is left are no claims: a token shows them where a proof does not.
func same(a, b any) bool {
	x, y := prune(a), prune(b)
	return strictjson.Equal(x, y)
}

// prune drops what is empty, at every depth.
func prune(v any) any {
	switch v := v.(type) {
	case *strictjson.Object:
		out := strictjson.NewObject()
		for name, inner := range v.All() {
			if inner = prune(inner); !empty(inner) {
				out.Set(name, inner)
			}
		}
		return out
	case []any:
		out := make([]any, 0, len(v))
		for _, inner := range v {
			if inner = prune(inner); !empty(inner) {
				out = append(out, inner)
			}
		}
		return out
	}
	return v
}

func empty(v any) bool {
	switch v := v.(type) {
	case *strictjson.Object:
		return v.Len() == 0
	case []any:
		return len(v) == 0
	}
	return false
}
