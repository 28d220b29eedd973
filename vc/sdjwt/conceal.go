package sdjwt

import (
	"bufio"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/staffpassport/staffpassport/internal/errtext"
	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/vc"
)

// saltSize is the entropy of a salt in bytes (RFC 9901 section 9.3: 128 bits).
const saltSize = 16

// A frame says which parts of a value become disclosures: one node of a tree.
type frame struct {
	name        string // of the member, or the position in the array
	disclosable bool
	found       bool
	pointer     vc.Pointer
	first, next *frame // the first below, and the next beside
}

// newFrame returns the frame for the places in the claims that pointers name. All
// are valid.
func newFrame(places, pointers []vc.Pointer) *frame {
	pool := make([]frame, 0, len(places)+8) // most of those below one another share the upper
	made := func(name string) *frame {
		if len(pool) == cap(pool) {
			pool = make([]frame, 0, 16)
		}
		pool = append(pool, frame{name: name})
		return &pool[len(pool)-1]
	}
	root := made("")
	for i, place := range places {
		f := root
		for rest := string(place); rest != ""; {
			name := rest[1:]
			if end := strings.IndexByte(name, '/'); end >= 0 {
				name, rest = name[:end], name[end:]
			} else {
				rest = ""
			}
			name = unescape(name)
			c := f.child(name)
			if c == nil {
				c = made(name)
				f.add(c)
			}
			f = c
		}
		f.disclosable, f.pointer = true, pointers[i]
	}
	return root
}

// child returns the frame of a member or element, or nil.
func (f *frame) child(name string) *frame {
	for c := f.first; c != nil; c = c.next {
		if c.name == name {
			return c
		}
	}
	return nil
}

func (f *frame) add(c *frame) { c.next, f.first = f.first, c }

// missing returns a pointer that matched nothing, if there is one.
func (f *frame) missing() (vc.Pointer, bool) {
	if f.disclosable && !f.found {
		return f.pointer, true
	}
	for c := f.first; c != nil; c = c.next {
		if p, ok := c.missing(); ok {
			return p, true
		}
	}
	return "", false
}

// unescape is RFC 6901 section 4.
func unescape(token string) string {
	if strings.IndexByte(token, '~') < 0 {
		return token
	}
	return strings.ReplaceAll(strings.ReplaceAll(token, "~1", "/"), "~0", "~")
}

// A concealer replaces claims by digests and keeps the disclosures (RFC 9901
// section 4.2). The functions are fields so that the examples of the RFC can be
// made again, whose JSON has spaces and whose randomness is known.
type concealer struct {
	hash   hashAlgorithm
	salt   func(dst []byte) ([]byte, error)
	decoys func(digests int) (int, error) // how many to add to so many
	place  func(n int) (int, error)       // a position from 0 to n-1
	encode func(dst []byte, v any) ([]byte, error)
	comma  string

	text    []byte // the disclosures, each followed by a tilde
	ends    []int  // of each in text, without the tilde
	digests strings.Builder
	scratch []byte
	sum     []byte
}

// newConcealer returns one that takes randomness from source, nil being crypto/rand,
// and fills arrays of digests up to a multiple of pad, unless that is 0.
func newConcealer(source io.Reader, pad int) *concealer {
	if source == nil {
		source = rand.Reader
	}
	r := bufio.NewReaderSize(source, 64*saltSize)
	salt := new([saltSize]byte)
	return &concealer{
		hash: sha256Hash,
		salt: func(dst []byte) ([]byte, error) {
			_, err := io.ReadFull(r, salt[:])
			return base64.RawURLEncoding.AppendEncode(dst, salt[:]), err
		},
		decoys: func(n int) (int, error) {
			if pad <= 0 {
				return 0, nil
			}
			return (pad - n%pad) % pad, nil
		},
		place: func(n int) (int, error) {
			var b [8]byte
			_, err := io.ReadFull(r, b[:])
			return int(binary.BigEndian.Uint64(b[:]) >> 1 % uint64(n)), err
		},
		encode: strictjson.Append,
		comma:  ",",
	}
}

// payload returns the payload of the JWT for a tree of claims, without _sd_alg. The
// tree is not changed; the result shares parts of it.
func (c *concealer) payload(tree *strictjson.Object, f *frame) (*strictjson.Object, error) {
	if err := checkNames(tree); err != nil {
		return nil, err
	}
	v, err := c.value(tree, f)
	if err != nil {
		return nil, err
	}
	if p, ok := f.missing(); ok {
		return nil, fmt.Errorf("%w: %s", ErrPointer, p)
	}
	if len(c.ends) > maxDisclosures {
		return nil, tooLarge()
	}
	return v.(*strictjson.Object), nil
}

// value returns what stands for v in the payload.
func (c *concealer) value(v any, f *frame) (any, error) {
	if f == nil || f.first == nil {
		return v, nil
	}
	switch v := v.(type) {
	case *strictjson.Object:
		return c.object(v, f)
	case []any:
		return c.array(v, f)
	}
	return v, nil
}

func (c *concealer) object(o *strictjson.Object, f *frame) (*strictjson.Object, error) {
	hidden := 0
	for child := f.first; child != nil; child = child.next {
		if child.disclosable {
			hidden++
		}
	}
	digests := make([]any, 0, hidden)
	out := strictjson.NewObject()
	out.Grow(max(o.Len()-hidden, 0) + 1)
	out.Set(digestsName, nil)
	for name, v := range o.All() {
		child := f.child(name)
		if child != nil {
			child.found = true
			var err error
			if v, err = c.value(v, child); err != nil {
				return nil, err
			}
		}
		if child == nil || !child.disclosable {
			out.Set(name, v)
			continue
		}
		digest, err := c.disclose(name, false, v)
		if err != nil {
			return nil, err
		}
		digests = append(digests, digest)
	}
	digests, err := c.pad(digests)
	if err != nil {
		return nil, err
	}
	if len(digests) == 0 {
		out.Delete(digestsName)
		return out, nil
	}
	slices.SortFunc(digests, func(a, b any) int { return strings.Compare(a.(string), b.(string)) }) // so that their order tells nothing
	out.Set(digestsName, digests)
	return out, nil
}

func (c *concealer) array(items []any, f *frame) ([]any, error) {
	out := make([]any, len(items), len(items)+8)
	hidden := 0
	for i, v := range items {
		child := f.child(strconv.Itoa(i))
		if child != nil {
			child.found = true
			var err error
			if v, err = c.value(v, child); err != nil {
				return nil, err
			}
			if child.disclosable {
				digest, err := c.disclose("", true, v)
				if err != nil {
					return nil, err
				}
				v = placeholder(digest)
				hidden++
			}
		}
		out[i] = v
	}
	decoys, err := c.pad(make([]any, hidden))
	if err != nil {
		return nil, err
	}
	for _, digest := range decoys[hidden:] { // the order of the others is kept
		i, err := c.place(len(out) + 1)
		if err != nil {
			return nil, err
		}
		out = slices.Insert(out, i, placeholder(digest))
	}
	return out, nil
}

func placeholder(digest any) any {
	return strictjson.NewObject(strictjson.Member{Name: elementName, Value: digest})
}

// disclose makes a disclosure of a member, or of an element without a name, and
// returns its digest.
func (c *concealer) disclose(name string, element bool, v any) (string, error) {
	b, err := c.salt(append(c.scratch[:0], `["`...))
	if err != nil {
		return "", randomness(err)
	}
	b = append(append(b, '"'), c.comma...)
	if !element {
		if b, err = strictjson.AppendText(b, name); err != nil {
			return "", fmt.Errorf("%w: %w", ErrClaims, errtext.Below(err))
		}
		b = append(b, c.comma...)
	}
	if b, err = c.encode(b, v); err != nil {
		return "", fmt.Errorf("%w: %w", ErrClaims, errtext.Below(err))
	}
	c.scratch = append(b, ']')
	from := len(c.text)
	c.text = base64.RawURLEncoding.AppendEncode(c.text, c.scratch)
	c.ends = append(c.ends, len(c.text))
	digest := c.digest(c.text[from:])
	c.text = append(c.text, '~')
	return digest, nil
}

// digest returns the digest of a text. The texts of all of them lie together.
func (c *concealer) digest(text []byte) string {
	c.sum = c.hash.appendDigest(c.sum[:0], text)
	from := c.digests.Len()
	c.digests.Write(c.sum)
	return c.digests.String()[from:]
}

// pad adds decoys to digests (section 4.2.5).
func (c *concealer) pad(digests []any) ([]any, error) {
	n, err := c.decoys(len(digests))
	if err != nil {
		return nil, randomness(err)
	}
	for range n {
		salt, err := c.salt(c.scratch[:0])
		if err != nil {
			return nil, randomness(err)
		}
		digests = append(digests, c.digest(salt))
	}
	return digests, nil
}

func randomness(err error) error { return fmt.Errorf("sdjwt: randomness: %w", err) }

// checkNames refuses claims with the names that carry digests.
func checkNames(v any) error {
	switch v := v.(type) {
	case *strictjson.Object:
		for name, e := range v.All() {
			if name == digestsName || name == elementName || name == hashName {
				return fmt.Errorf("%w: a claim has a name that digests use", ErrClaims)
			}
			if err := checkNames(e); err != nil {
				return err
			}
		}
	case []any:
		for _, e := range v {
			if err := checkNames(e); err != nil {
				return err
			}
		}
	}
	return nil
}
