package sdjwt

import (
	"context"
	"crypto"
	"crypto/subtle"
	"fmt"
	"strconv"
	"time"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/internal/errtext"
	"github.com/staffpassport/staffpassport/internal/jws"
	"github.com/staffpassport/staffpassport/internal/strictjson"
)

// keyBindingType is the typ of a key binding JWT.
const keyBindingType = "kb+jwt"

// A KeyBinding is what a key binding JWT says (RFC 9901 section 4.3). It is
// verified only once [Token.VerifyKeyBinding] returned nil.
type KeyBinding struct {
	Audience string
	Nonce    string
	IssuedAt time.Time

	// NotBefore and Expires are zero if absent, as they usually are.
	NotBefore, Expires time.Time

	hash    string
	message *jws.Message
}

// parseKeyBinding reads a key binding JWT and checks its form.
func parseKeyBinding(text string) (*KeyBinding, error) {
	if len(text) > maxKeyBinding {
		return nil, fmt.Errorf("%w: too large", ErrKeyBinding)
	}
	m, err := jws.ParseCompact([]byte(text))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKeyBinding, errtext.Below(err))
	}
	if jws.MediaType(m.Header.Type) != "application/"+keyBindingType {
		return nil, fmt.Errorf("%w: %w", ErrKeyBinding, errtext.Below(ErrType))
	}
	claims, err := strictjson.ParseObject(m.Payload)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKeyBinding, errtext.Below(err))
	}
	k := &KeyBinding{message: m}
	for _, c := range []struct {
		name string
		to   *string
	}{{"aud", &k.Audience}, {"nonce", &k.Nonce}, {"sd_hash", &k.hash}} {
		var ok bool
		if *c.to, ok = claims.Text(c.name); !ok || *c.to == "" {
			return nil, fmt.Errorf("%w: %s", ErrKeyBinding, c.name)
		}
	}
	for _, c := range []struct {
		name string
		to   *time.Time
	}{{"iat", &k.IssuedAt}, {"nbf", &k.NotBefore}, {"exp", &k.Expires}} {
		if *c.to, err = numericDate(claims, c.name); err != nil {
			return nil, fmt.Errorf("%w: %s", ErrKeyBinding, c.name)
		}
	}
	if k.IssuedAt.IsZero() {
		return nil, fmt.Errorf("%w: iat", ErrKeyBinding)
	}
	return k, nil
}

// Check says whether the key binding was made for a session (RFC 9901 section 7.3,
// steps 5, e, f and h): for exactly the audience and nonce, which must not be empty,
// no longer ago than most, no later than now by more than the skew of clocks, and
// within nbf and exp if it has them.
// A refusal matches [ErrSession].
func (k *KeyBinding) Check(audience, nonce string, now time.Time, most, skew time.Duration) error {
	if k == nil || audience == "" || nonce == "" || now.IsZero() || most <= 0 || skew < 0 {
		return ErrConfig
	}
	switch {
	case k.Audience != audience:
		return fmt.Errorf("%w: audience", ErrSession)
	case subtle.ConstantTimeCompare([]byte(k.Nonce), []byte(nonce)) != 1:
		return fmt.Errorf("%w: nonce", ErrSession)
	case k.IssuedAt.After(now.Add(skew)):
		return fmt.Errorf("%w: made in the future", ErrSession)
	case k.IssuedAt.Before(now.Add(-most - skew)):
		return fmt.Errorf("%w: too old", ErrSession)
	case k.NotBefore.After(now.Add(skew)):
		return fmt.Errorf("%w: not valid yet", ErrSession)
	case !k.Expires.IsZero() && !k.Expires.After(now.Add(-skew)):
		return fmt.Errorf("%w: not valid any more", ErrSession)
	}
	return nil
}

// keyBindingRoom is a little more than a key binding JWT usually takes.
const keyBindingRoom = 512

// bindKey appends the key binding JWT to presented, an SD-JWT in compact form.
func bindKey(ctx context.Context, presented []byte, hash hashAlgorithm, holder did.Signer, audience, nonce string, now time.Time) ([]byte, error) {
	alg, err := did.Algorithm(holder.Public())
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKeyBinding, errtext.Below(err))
	}
	header := strictjson.NewObject(
		strictjson.Member{Name: "alg", Value: alg},
		strictjson.Member{Name: "typ", Value: keyBindingType},
	)
	payload := strconv.AppendInt(append(make([]byte, 0, 256), `{"iat":`...), now.Unix(), 10)
	for _, claim := range []struct{ before, text string }{
		{`,"aud":`, audience}, {`,"nonce":`, nonce}, {`,"sd_hash":`, hash.digest(presented)},
	} {
		if payload, err = strictjson.AppendText(append(payload, claim.before...), claim.text); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrKeyBinding, errtext.Below(err))
		}
	}
	b, err := jws.AppendCompact(presented, 0, header, append(payload, '}'), func(input []byte) ([]byte, error) { return did.Sign(ctx, holder, input) })
	if err != nil {
		return nil, signing(err)
	}
	if len(b)-len(presented) > maxKeyBinding {
		return nil, fmt.Errorf("%w: too large", ErrKeyBinding)
	}
	return b, nil
}

// verifyMessage checks a signature with the algorithm of the key.
func verifyMessage(m *jws.Message, pub crypto.PublicKey) error {
	alg, err := did.Algorithm(pub)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrSignature, errtext.Below(err))
	}
	if !m.Header.Fits(alg) {
		return fmt.Errorf("%w: %w", ErrSignature, errtext.Below(jws.ErrAlgorithm))
	}
	if err := did.VerifySignature(pub, m.SigningInput(), m.Signature); err != nil {
		return fmt.Errorf("%w: %w", ErrSignature, errtext.Below(err))
	}
	return nil
}

// signing words an error of signing a JWT.
func signing(err error) error { return fmt.Errorf("sdjwt: signing: %w", errtext.Below(err)) }
