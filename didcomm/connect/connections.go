package connect

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/did/didkey"
	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/internal/peerdid"
	"github.com/staffpassport/staffpassport/internal/strictjson"
)

// This file is Aries RFC 0160, Connection Protocol 1.0, in the states of did-exchange:
// its request and response are those of did-exchange in another form, and its
// connection is there with the response. Which message then confirms it is open; an ack
// is sent, and none is waited for.

// connectionAck confirms a response (RFC 0160, "Connection Acknowledgement"; RFC 0015).
var connectionAck = didcomm.Type{Protocol: "notification", Major: 1, Name: "ack"}

// connectionBody is request (RFC 0160, "Connection Request") and, but for the label,
// what the signature of response covers.
type connectionBody struct {
	Label      string               `json:"label,omitempty"`
	Connection *peerdid.LegacyParty `json:"connection"`
}

// signatureBody is response (RFC 0160, "Connection Response"; RFC 0234).
type signatureBody struct {
	Signature *struct {
		Type   string `json:"@type"`
		Value  string `json:"signature"`
		Data   string `json:"sig_data"`
		Signer string `json:"signer"`
	} `json:"connection~sig"`
}

const signatureType = "signature/1.0/ed25519Sha512_single"

// connectionRequest returns the request of connections.
func (p *Protocol) connectionRequest(x *record, key ed25519.PublicKey, at peerdid.Address) (*didcomm.Message, error) {
	mine, err := peerdid.NewLegacy(key, at)
	if err != nil {
		return nil, err
	}
	m, err := didcomm.New(x.Thread, x.Request, x.Thread, x.Invitation, connectionBody{Label: p.Label, Connection: mine})
	if err != nil {
		return nil, err
	}
	return channel(m, at.Endpoint), nil
}

// readConnectionRequest reads the request of connections. Its document is bound to no
// DID: whose it is, says the key that it was sent with.
func (p *Protocol) readConnectionRequest(ctx context.Context, m *didcomm.Message) (label string, _ *peerdid.Peer, err error) {
	var b connectionBody
	if err := m.Decode(&b); err != nil {
		return "", nil, refuse(codeRequest, "The request cannot be read.", err)
	}
	peer, err := b.Connection.Read(ctx, p.Resolver)
	if err != nil {
		err = fmt.Errorf("%w: %w", ErrDID, err)
		return "", nil, refuse(codeRequest, unusable("request", err), err)
	}
	return b.Label, peer, nil
}

// connectionResponse returns the response of connections, which establishes c.
func (p *Protocol) connectionResponse(ctx context.Context, x *record, c *didcomm.Connection, at peerdid.Address) (*didcomm.Message, error) {
	mine, err := peerdid.NewLegacy(c.MyKey, at)
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(mine)
	if err != nil {
		return nil, err
	}
	data := append(binary.BigEndian.AppendUint64(nil, uint64(p.now().Unix())), text...)
	inviter := x.InvitationKeys[0]
	name, err := didkey.New(inviter)
	if err != nil {
		return nil, err
	}
	signer, err := p.Keys.Signer(ctx, didkey.SigningMethod(name), inviter)
	if err != nil {
		return nil, err
	}
	value, err := signer.Sign(ctx, data)
	if err != nil {
		return nil, err
	}
	m, err := didcomm.New(p.newID(), x.Request.With(response), x.Thread, "", map[string]any{"connection~sig": map[string]string{
		"@type":     "https://didcomm.org/" + signatureType,
		"signature": base64.URLEncoding.EncodeToString(value),
		"sig_data":  base64.URLEncoding.EncodeToString(data),
		"signer":    peerdid.LegacyKey(inviter),
	}})
	if err != nil {
		return nil, err
	}
	c.Established = true
	return channel(m, at.Endpoint), nil
}

// readConnectionResponse reads the response of connections: what counts is what a key of
// the invitation signed. What the signature says of its signer is not read, and its time
// neither: the thread is new.
func (p *Protocol) readConnectionResponse(ctx context.Context, x *record, _ didcomm.Keys, m *didcomm.Message) (*peerdid.Peer, error) {
	var b signatureBody
	if err := m.Decode(&b); err != nil {
		return nil, refuse(codeResponse, "The response cannot be read.", err)
	}
	s := b.Signature
	if s == nil || !strings.HasSuffix(s.Type, signatureType) {
		return nil, refuse(codeResponse, "The response is not signed.", ErrDID)
	}
	data, ok := decodePadded(s.Data)
	value, okValue := decodePadded(s.Value)
	if !ok || !okValue || len(data) < 8 {
		return nil, refuse(codeResponse, "The signature of the response cannot be read.", ErrDID)
	}
	err := error(did.ErrSignature)
	for _, key := range x.InvitationKeys {
		if err = did.VerifySignature(key, data, value); err == nil {
			break
		}
	}
	if err != nil {
		return nil, refuse(codeResponse, "The response is not by the inviter.", fmt.Errorf("%w: %w", ErrDID, err))
	}
	var party peerdid.LegacyParty
	if err := (strictjson.Parser{}).Unmarshal(data[8:], &party); err != nil {
		return nil, refuse(codeResponse, "The response cannot be read.", didcomm.ErrMalformed)
	}
	peer, err := party.Read(ctx, p.Resolver)
	if err != nil {
		err = fmt.Errorf("%w: %w", ErrDID, err)
		return nil, refuse(codeResponse, unusable("response", err), err)
	}
	return peer, nil
}

// decodePadded reads base64url with its padding or without.
func decodePadded(s string) ([]byte, bool) {
	if strings.ContainsAny(s, "\r\n") {
		return nil, false
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(strings.TrimRight(s, "="))
	return b, err == nil
}
