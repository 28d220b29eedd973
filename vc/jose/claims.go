package jose

import (
	"fmt"
	"time"

	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/vc/internal/envelope"
)

// maxAudience bounds aud. A presentation is for one verifier.
const maxAudience = 16

// Claims are what a token says beside its document (RFC 7519 section 4.1; nonce is
// that of OpenID Connect). IssuedAt and Expires are about the signature, which may
// end before the document does. What is absent is empty or zero.
type Claims struct {
	Issuer    string // iss: the document's issuer or holder
	Subject   string // sub
	ID        string // jti
	Audience  []string
	Nonce     string
	IssuedAt  time.Time // iat
	NotBefore time.Time // nbf
	Expires   time.Time // exp
}

// claimNames are the members of a payload that are claims and not the document's.
func claimNames() []string {
	return []string{"iss", "sub", "jti", "aud", "nonce", "iat", "nbf", "exp", "cnf", "status"}
}

// foreignNames are members that make the payload of another kind of token: data
// model 1.1 (section 1.1.2.1) and SD-JWT.
func foreignNames() []string { return []string{"vc", "vp", "_sd", "_sd_alg"} }

func readClaims(payload *strictjson.Object) (c Claims, err error) {
	for _, t := range []struct {
		name string
		to   *string
	}{{"iss", &c.Issuer}, {"sub", &c.Subject}, {"jti", &c.ID}, {"nonce", &c.Nonce}} {
		v, ok := payload.Get(t.name)
		if !ok {
			continue
		}
		if *t.to, ok = v.(string); !ok || *t.to == "" {
			return Claims{}, fmt.Errorf("%w: %s", ErrMalformed, t.name)
		}
	}
	for _, t := range []struct {
		name string
		to   *time.Time
	}{{"iat", &c.IssuedAt}, {"nbf", &c.NotBefore}, {"exp", &c.Expires}} {
		v, ok := payload.Get(t.name)
		if !ok {
			continue
		}
		if *t.to, ok = numericDate(v); !ok {
			return Claims{}, fmt.Errorf("%w: %s", ErrMalformed, t.name)
		}
	}
	if v, ok := payload.Get("aud"); ok {
		if c.Audience, ok = audience(v); !ok {
			return Claims{}, fmt.Errorf("%w: aud", ErrMalformed)
		}
	}
	return c, nil
}

func numericDate(v any) (time.Time, bool) {
	n, ok := v.(strictjson.Number)
	if !ok {
		return time.Time{}, false
	}
	seconds, err := n.Float64()
	if err != nil {
		return time.Time{}, false
	}
	return envelope.NumericDate(seconds)
}

// audience is RFC 7519 section 4.1.3: one text or a list of them.
func audience(v any) ([]string, bool) {
	list, ok := v.([]any)
	if !ok {
		list = []any{v}
	}
	if len(list) == 0 || len(list) > maxAudience {
		return nil, false
	}
	out := make([]string, len(list))
	for i := range list {
		if out[i], ok = list[i].(string); !ok || out[i] == "" {
			return nil, false
		}
	}
	return out, true
}
