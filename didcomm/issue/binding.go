package issue

import (
	"context"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/internal/strictjson"
)

// ErrBinding says that a request does not prove who the holder is, in the way
// that the offer asked for (RFC 0809, "DIDComm Signed Attachment").
var ErrBinding = errors.New("issue: holder binding not proven")

// bindingAlgs and bindingMethods are what an issuer takes. A did:key needs no
// registry, so that a proof can be checked at any time and nobody learns of it.
func bindingAlgs() []string { return []string{"EdDSA", "ES256"} }

func holderMethods() []string { return []string{"key"} }

// bindingPayload is RFC 0809, "Signed Attachment Content".
type bindingPayload struct {
	Nonce string `json:"nonce"`
}

// proveBinding signs the nonce of an offer with the holder's key.
func proveBinding(ctx context.Context, id string, asked *signedMethod, key did.Signer) (didcomm.Attachment, error) {
	alg, err := did.Algorithm(key.Public())
	if err != nil {
		return didcomm.Attachment{}, err
	}
	vm := key.VerificationMethod()
	if !slices.Contains(asked.Algs, alg) || !slices.Contains(asked.Methods, vm.DID.Method()) {
		return didcomm.Attachment{}, fmt.Errorf("%w: the issuer takes no %s signature by a did:%s", ErrBinding, alg, vm.DID.Method())
	}
	payload, err := json.Marshal(bindingPayload{asked.Nonce})
	if err != nil {
		return didcomm.Attachment{}, err
	}
	a := didcomm.NewAttachment(id, "application/json", payload)
	return a, a.Sign(ctx, key, vm.String(), true)
}

// checkBinding returns the DID that signed a's nonce. Errors match [ErrBinding],
// or [did.ErrUnavailable] if the key could not be looked up now.
func checkBinding(ctx context.Context, r did.Resolver, asked *signedMethod, a *didcomm.Attachment, at time.Time) (did.DID, error) {
	if a == nil {
		return did.DID{}, fmt.Errorf("%w: no signed attachment", ErrBinding)
	}
	content, err := a.Content()
	if err != nil {
		return did.DID{}, fmt.Errorf("%w: %w", ErrBinding, err)
	}
	var payload bindingPayload
	if err := strictjson.Unmarshal(content, &payload); err != nil {
		return did.DID{}, fmt.Errorf("%w: payload: %w", ErrBinding, err)
	}
	if asked.Nonce == "" || subtle.ConstantTimeCompare([]byte(payload.Nonce), []byte(asked.Nonce)) != 1 {
		return did.DID{}, fmt.Errorf("%w: nonce", ErrBinding)
	}
	header, err := protectedHeader(a)
	if err != nil {
		return did.DID{}, err
	}
	if !slices.Contains(asked.Algs, header.Alg) {
		return did.DID{}, fmt.Errorf("%w: algorithm", ErrBinding)
	}
	kid, err := did.ParseURL(header.KID)
	if err != nil || kid.Fragment == "" || kid.Path != "" || kid.Query != "" {
		return did.DID{}, fmt.Errorf("%w: kid is no DID URL of a key", ErrBinding)
	}
	if !slices.Contains(asked.Methods, kid.DID.Method()) {
		return did.DID{}, fmt.Errorf("%w: DID method", ErrBinding)
	}
	key, err := holderKey(ctx, r, kid, at)
	if err != nil {
		return did.DID{}, err
	}
	if err := a.VerifyKey(key.PublicKey()); err != nil { // which holds the key to the algorithm too
		return did.DID{}, fmt.Errorf("%w: %w", ErrBinding, err)
	}
	return kid.DID, nil
}

type header struct {
	Alg string `json:"alg"`
	KID string `json:"kid"`
}

// protectedHeader returns alg and kid of a signature, both of which RFC 0809
// requires in the protected header.
func protectedHeader(a *didcomm.Attachment) (header, error) {
	if _, err := a.SignerKID(); err != nil { // kid the same wherever it stands
		return header{}, fmt.Errorf("%w: %w", ErrBinding, err)
	}
	var jws struct {
		Protected string `json:"protected"`
	}
	var h header
	if err := strictjson.Unmarshal(a.Data.JWS, &jws); err != nil {
		return h, fmt.Errorf("%w: %w", ErrBinding, err)
	}
	b, err := base64.RawURLEncoding.DecodeString(jws.Protected)
	if err != nil {
		return h, fmt.Errorf("%w: protected header", ErrBinding)
	}
	if err := strictjson.Unmarshal(b, &h); err != nil {
		return h, fmt.Errorf("%w: protected header: %w", ErrBinding, err)
	}
	return h, nil
}

// holderKey looks up a key that its DID document authorises to authenticate the
// holder, which is what it will be used for when the credential is shown.
func holderKey(ctx context.Context, r did.Resolver, kid did.URL, at time.Time) (*did.VerificationMethod, error) {
	res, err := resolveHolder(ctx, r, kid.DID)
	if err != nil {
		return nil, err
	}
	key, err := res.Document.Method(kid, did.Authentication, at)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrBinding, err)
	}
	return key, nil
}

// resolveHolder looks up the DID of a holder. One that does not exist, that ended or
// whose method is not known is [ErrBinding].
func resolveHolder(ctx context.Context, r did.Resolver, id did.DID) (*did.Resolution, error) {
	res, err := r.Resolve(ctx, id, did.Version{})
	switch {
	case errors.Is(err, did.ErrNotFound), errors.Is(err, did.ErrInvalid), errors.Is(err, did.ErrUnsupported):
		return nil, fmt.Errorf("%w: %w", ErrBinding, err)
	case err != nil:
		return nil, err
	case res.Deactivated:
		return nil, fmt.Errorf("%w: DID deactivated", ErrBinding)
	}
	return res, nil
}
