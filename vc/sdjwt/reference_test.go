package sdjwt

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"encoding/base64"
	"fmt"
	"strconv"
	"testing"
	"unicode/utf16"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/vc"
)

// The examples of RFC 9901 were made by a program in Python whose random numbers
// are those of the Mersenne twister seeded with 0, and whose JSON has a space behind
// each comma and colon and no character beyond ASCII. With the same numbers and
// spaces this package must make the same bytes.

// A twister is MT19937 as Python seeds it from the number 0.
type twister struct {
	state [624]uint32
	next  int
}

func newTwister() *twister {
	t := new(twister)
	t.state[0] = 19650218
	for i := uint32(1); i < 624; i++ {
		t.state[i] = 1812433253*(t.state[i-1]^t.state[i-1]>>30) + i
	}
	i := 1 // init_by_array with the one-element key 0
	for range 624 {
		t.state[i] = (t.state[i] ^ (t.state[i-1]^t.state[i-1]>>30)*1664525)
		if i++; i == 624 {
			t.state[0], i = t.state[623], 1
		}
	}
	for range 623 {
		t.state[i] = (t.state[i] ^ (t.state[i-1]^t.state[i-1]>>30)*1566083941) - uint32(i)
		if i++; i == 624 {
			t.state[0], i = t.state[623], 1
		}
	}
	t.state[0] = 0x80000000
	t.next = 624
	return t
}

func (t *twister) bits(n int) uint32 {
	if t.next == 624 {
		for i := range t.state {
			y := t.state[i]&0x80000000 | t.state[(i+1)%624]&0x7fffffff
			t.state[i] = t.state[(i+397)%624] ^ y>>1 ^ (y&1)*0x9908b0df
		}
		t.next = 0
	}
	y := t.state[t.next]
	t.next++
	y ^= y >> 11
	y ^= y << 7 & 0x9d2c5680
	y ^= y << 15 & 0xefc60000
	y ^= y >> 18
	return y >> (32 - n)
}

func (t *twister) salt(dst []byte) ([]byte, error) {
	var b [16]byte
	for i := range b {
		b[i] = byte(t.bits(8))
	}
	return append(dst, encode64(b[:])...), nil
}

// decoys is a number from 2 to 5.
func (t *twister) decoys(int) (int, error) {
	for {
		if n := t.bits(3); n < 4 {
			return 2 + int(n), nil
		}
	}
}

// spaced writes JSON as that program does.
func spaced(dst []byte, v any) ([]byte, error) {
	list := func(open, shut byte, n int, item func(i int)) {
		dst = append(dst, open)
		for i := range n {
			if i > 0 {
				dst = append(dst, ", "...)
			}
			item(i)
		}
		dst = append(dst, shut)
	}
	switch v := v.(type) {
	case string:
		dst = append(dst, '"')
		for _, r := range v {
			switch {
			case r == '"' || r == '\\':
				dst = append(dst, '\\', byte(r))
			case r < 0x7f && r >= 0x20:
				dst = append(dst, byte(r))
			default:
				for _, u := range utf16.Encode([]rune{r}) {
					dst = fmt.Appendf(dst, `\u%04x`, u)
				}
			}
		}
		return append(dst, '"'), nil
	case []any:
		list('[', ']', len(v), func(i int) { dst, _ = spaced(dst, v[i]) })
		return dst, nil
	case *strictjson.Object:
		var names []string
		for name := range v.All() {
			names = append(names, name)
		}
		list('{', '}', len(names), func(i int) {
			dst, _ = spaced(dst, names[i])
			dst = append(dst, ": "...)
			value, _ := v.Get(names[i])
			dst, _ = spaced(dst, value)
		})
		return dst, nil
	}
	return strictjson.Append(dst, v)
}

func referenceConcealer(decoys bool) *concealer {
	random := newTwister()
	c := newConcealer(nil, 0)
	c.salt, c.encode, c.comma = random.salt, spaced, ", "
	if decoys {
		c.decoys = random.decoys
	}
	return c
}

// A scenario is a specification.yml of the examples.
type scenario struct {
	UserClaims yaml.Node `yaml:"user_claims"`
	Disclosed  any       `yaml:"holder_disclosed_claims"`
	Expected   yaml.Node `yaml:"expect_verified_user_claims"`
	Decoys     bool      `yaml:"add_decoy_claims"`
	Binding    bool      `yaml:"key_binding"`
	Format     string    `yaml:"serialization_format"`
	Default    *bool     `yaml:"include_default_claims"`
	Header     yaml.Node `yaml:"extra_header_parameters"`
}

// settings is the settings.yml beside them.
type settings struct {
	Identifiers struct{ Issuer, Verifier string }
	Keys        struct {
		Issuers []jwk `yaml:"issuer_keys"`
		Issuer  *jwk  `yaml:"issuer_key"`
		Holder  jwk   `yaml:"holder_key"`
	} `yaml:"key_settings"`
	Nonce    string `yaml:"key_binding_nonce"`
	Iat, Exp int64
}

type jwk struct{ Kty, Crv, D, X, Y string }

func (s *settings) issuer() jwk {
	if s.Keys.Issuer != nil {
		return *s.Keys.Issuer
	}
	return s.Keys.Issuers[0]
}

func (k jwk) private(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	d, err := base64.RawURLEncoding.DecodeString(k.D)
	require.NoError(t, err)
	key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), d)
	require.NoError(t, err)
	return key
}

func (k jwk) signer(t testing.TB) did.Signer {
	t.Helper()
	id, err := did.Parse("did:example:vectors")
	require.NoError(t, err)
	s, err := did.NewSigner(id.URL("key"), k.private(t))
	require.NoError(t, err)
	return s
}

// fromYAML returns the JSON of a node, and marks what is tagged !sd.
func fromYAML(t testing.TB, n *yaml.Node, f *frame, at vc.Pointer) any {
	t.Helper()
	for n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	tagged := func(n *yaml.Node) bool { return n.Tag == "!sd" }
	switch n.Kind {
	case yaml.MappingNode:
		o := strictjson.NewObject()
		for i := 0; i < len(n.Content); i += 2 {
			key, value := n.Content[i], n.Content[i+1]
			name := key.Value
			child := &frame{name: name, disclosable: tagged(key), pointer: at.Child(name)}
			o.Set(name, fromYAML(t, value, child, child.pointer))
			mark(f, child)
		}
		return o
	case yaml.SequenceNode:
		list := make([]any, len(n.Content))
		for i, value := range n.Content {
			child := &frame{name: strconv.Itoa(i), disclosable: tagged(value), pointer: at.Index(i)}
			list[i] = fromYAML(t, value, child, child.pointer)
			mark(f, child)
		}
		return list
	}
	plain := *n
	if tagged(n) {
		plain.Tag = ""
		if n.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) != 0 {
			return n.Value
		}
		plain.Style = 0
	}
	switch plain.ShortTag() {
	case "!!null":
		return nil
	case "!!bool":
		var b bool
		require.NoError(t, plain.Decode(&b))
		return b
	case "!!int", "!!float":
		return strictjson.Number(n.Value)
	}
	return n.Value
}

// mark adds a child, also one with nothing disclosable, since that program puts
// decoys in every object.
func mark(f *frame, child *frame) { f.add(child) }

// shown is what the examples mean by the claims that a holder discloses: for each
// disclosable claim whether the tree of choices has something true for it.
func shown(v any, f *frame, choice any, chosen map[vc.Pointer]bool) any {
	child := func(name string, element bool, choice any) (*frame, bool) {
		c := f.child(name)
		if c == nil || !c.disclosable {
			return c, true
		}
		show := choice != nil && choice != false
		if m, ok := choice.(map[string]any); ok && len(m) == 0 && !element {
			show = false
		}
		if show {
			chosen[c.pointer] = true
		}
		return c, show
	}
	switch v := v.(type) {
	case *strictjson.Object:
		choices, _ := choice.(map[string]any)
		out := strictjson.NewObject()
		for name, e := range v.All() {
			if c, show := child(name, false, choices[name]); show {
				out.Set(name, shown(e, c, choices[name], chosen))
			}
		}
		return out
	case []any:
		choices, _ := choice.([]any)
		out := []any{}
		for i, e := range v {
			var own any
			if i < len(choices) {
				own = choices[i]
			}
			if c, show := child(strconv.Itoa(i), true, own); show {
				out = append(out, shown(e, c, own, chosen))
			}
		}
		return out
	}
	return v
}
