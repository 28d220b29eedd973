package main

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/btcsuite/btcd/btcutil/base58"

	"github.com/staffpassport/staffpassport/didcomm/outofband"
)

// compactJWE gives the five parts of a compact JWE (RFC 7516 section 7.1) the names
// that they have in JSON.
func compactJWE(line string) map[string]any {
	parts := strings.Split(line, ".")
	return map[string]any{"protected": parts[0], "encrypted_key": parts[1], "iv": parts[2], "ciphertext": parts[3], "tag": parts[4], "compact": true}
}

// inspectJWE looks at an encrypted envelope, which says for whom it is and no more.
func (i *inspection) inspectJWE(o map[string]any) *report {
	r := &report{kind: "envelope", title: "encrypted message"}
	header := decodePart(text(o["protected"]))
	if header == nil {
		r.flaw("protected", "its protected header is not JSON in base64url", "")
		return r
	}
	alg, enc, typ := text(header["alg"]), text(header["enc"]), text(header["typ"])
	recipients := list(o["recipients"])
	v1 := typ == "JWM/1.0" || alg == "Authcrypt" || alg == "Anoncrypt"
	if v1 {
		r.title = "DIDComm v1 envelope (RFC 0019)"
		recipients = list(header["recipients"])
	} else if strings.HasPrefix(typ, "application/didcomm-encrypted") {
		r.title = "DIDComm v2 envelope"
	}
	r.add("size", "bytes", len(text(o["ciphertext"]))*3/4)
	r.add("cipher", "cipher", strings.TrimSpace(alg+" "+enc))
	switch {
	case alg == "Authcrypt" || strings.HasPrefix(alg, "ECDH-1PU"):
		sender := "known to the recipient alone (sealed)"
		if skid := text(header["skid"]); skid != "" {
			sender = skid
		} else if raw, err := base64.RawURLEncoding.DecodeString(text(header["apu"])); err == nil && len(raw) > 0 {
			sender = string(raw)
		}
		r.add("from", "sender", sender)
	default:
		r.add("from", "sender", "anonymous: the envelope names no sender")
	}
	var kids []string
	for _, v := range recipients {
		recipient, _ := v.(map[string]any)
		h, _ := recipient["header"].(map[string]any)
		kid := text(h["kid"])
		kids = append(kids, kid)
		if v1 {
			kid = verkey(kid)
		}
		r.each("to", "recipients", kid)
	}
	if len(kids) == 0 && o["compact"] == true {
		r.each("to", "recipients", text(header["kid"]))
		r.flaw("compact", "a compact JWE: DIDComm v2 wants the general JSON form", "")
		return r
	}
	if len(kids) == 0 {
		r.flaw("recipients", "it names no recipient", "")
	}
	if apv, ok := header["apv"].(string); !v1 && len(kids) > 0 {
		sorted := slices.Sorted(slices.Values(kids))
		sum := sha256.Sum256([]byte(strings.Join(sorted, ".")))
		if !ok || strings.TrimRight(apv, "=") != base64.RawURLEncoding.EncodeToString(sum[:]) {
			r.flaw("apv", "apv is not the hash of the recipients: a reader that checks it refuses the envelope", "DIDComm Messaging 2.1, ECDH-ES and ECDH-1PU, says how it is made")
		}
	}
	return r
}

// verkey names a key of RFC 0019, which is bare base58, also as a did:key.
func verkey(kid string) string {
	if len(kid) > 64 {
		return kid
	}
	if raw := base58.Decode(kid); len(raw) == ed25519.PublicKeySize {
		return kid + " (" + describeKey(ed25519.PublicKey(raw)) + ")"
	}
	return kid
}

// inspectJWS looks at a signed message, or another JWS in JSON.
func (i *inspection) inspectJWS(o map[string]any) *report {
	r := &report{kind: "signed", title: "JWS in JSON"}
	signatures := list(o["signatures"])
	if len(signatures) == 0 {
		signatures = []any{o}
	}
	for _, v := range signatures {
		one, _ := v.(map[string]any)
		header := decodePart(text(one["protected"]))
		loose, _ := one["header"].(map[string]any)
		kid := text(header["kid"])
		if kid == "" {
			kid = text(loose["kid"])
		}
		r.sign(mark{kind: text(header["alg"]), key: kid}, "", "")
		if strings.HasPrefix(text(header["typ"]), "application/didcomm-signed") {
			r.title = "DIDComm v2 signed message"
		}
	}
	if inner := decodePart(text(o["payload"])); inner != nil {
		b, err := json.Marshal(inner)
		if err == nil {
			r.parts = append(r.parts, i.inspectJSON(b))
		}
	}
	return r
}

// inspectMessage looks at a plaintext message of either version.
func (i *inspection) inspectMessage(o map[string]any) *report {
	r := &report{kind: "message", title: "DIDComm v2 message, in the clear"}
	typ, id, thread := text(o["type"]), text(o["id"]), text(o["thid"])
	if v1 := text(o["@type"]); v1 != "" {
		r.title = "DIDComm v1 message, in the clear"
		decorator, _ := o["~thread"].(map[string]any)
		typ, id, thread = v1, text(o["@id"]), text(decorator["thid"])
	}
	r.add("type", "type", typ)
	r.add("id", "id", id)
	r.add("thread", "thread", thread)
	r.add("from", "from", text(o["from"]))
	r.add("to", "to", textList(o["to"]))
	r.add("comment", "comment", text(o["comment"]))
	for name, v := range o {
		if name != "attachments" && !strings.HasSuffix(name, "~attach") {
			continue
		}
		for _, a := range list(v) {
			attachment, _ := a.(map[string]any)
			media := text(attachment["mime-type"]) + text(attachment["media_type"])
			r.each("attached", "attachments", strings.TrimSpace(text(attachment["@id"])+text(attachment["id"])+" "+media))
		}
	}
	if id == "" {
		r.flaw("id", "the message has no id", "")
	}
	return r
}

// inspectURL looks at a link: an invitation, or nothing that this program knows.
func (i *inspection) inspectURL(line string) *report {
	u, err := url.Parse(line)
	if err != nil {
		return &report{kind: unknown, title: "text that begins like a URL and is none"}
	}
	query := u.Query()
	switch {
	case query.Has("oob") || query.Has("_oob") || query.Has("c_i"):
		return i.invitation(outofband.ParseURL(line))
	case u.Scheme == "openid4vp" || u.Scheme == "openid-credential-offer" || u.Scheme == "haip":
		return &report{kind: unknown, title: "OpenID link (" + printable(u.Scheme) + "), which this version does not read"}
	}
	return &report{kind: unknown, title: "a link without an invitation; links are not followed"}
}

// invitation looks at an invitation of any version, or says why it is none.
func (i *inspection) invitation(in *outofband.Invitation, err error) *report {
	if err != nil {
		r := &report{kind: "invitation", title: "invitation"}
		r.wrong = problemsOf(err)
		return r
	}
	name := "out-of-band invitation"
	if len(in.Handshakes) == 1 && strings.Contains(in.Handshakes[0], "/connections/") {
		name = "invitation to the older connections protocol (RFC 0160)"
	}
	r := &report{kind: "invitation", title: fmt.Sprintf("%s %d.%d, which proves nothing about who made it", name, in.Version.Or1(), in.Minor)}
	r.add("label", "label", in.Label)
	r.add("goal", "goal", strings.TrimSpace(in.GoalCode+" "+in.Goal))
	r.add("id", "id", in.ID)
	r.add("handshakes", "handshakes", in.Handshakes)
	r.add("accepts", "accept", in.Accept)
	for _, s := range in.Services {
		r.each("service", "services", strings.TrimSpace(s.DID+" "+s.Type+" "+s.Endpoint))
		r.each("", "recipientKeys", strings.Join(s.RecipientKeys, " "))
	}
	if !in.From.IsZero() {
		r.add("from", "from", in.From.String())
	}
	for _, m := range in.Requests() {
		r.each("attached", "attachments", m.Type.String())
	}
	r.add("ends", "expires", in.Expires)
	if !in.Expires.IsZero() && in.Expires.Before(i.now) {
		r.flaw("expired", "the invitation has expired", "ask for a new one")
	}
	return r
}
