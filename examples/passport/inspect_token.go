package main

import (
	"bytes"
	"fmt"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/staffpassport/staffpassport/vc/sdjwt"
)

// inspectToken looks at a JWT or SD-JWT: a credential, or one of the tokens around it.
func (i *inspection) inspectToken(b []byte) *report {
	s := secured(b, "")
	if s.MediaType != "" {
		r := i.inspectDocument(s, 0)
		jwt, _, _ := bytes.Cut(b, []byte("~"))
		if header, _, ok := openToken(jwt); ok {
			if typ := text(header["typ"]); typ == "" {
				r.flaw("typ", "the token does not say what it is (typ); taken for "+s.MediaType, "passport verify needs --media-type "+s.MediaType)
			} else if s.MediaType == sdjwt.MediaTypeSDJWTVC && typ == "vc+sd-jwt" {
				r.flaw("typ", "an SD-JWT VC of an older draft, whose typ now means another form", "the issuer has to write dc+sd-jwt")
			}
			r.addHeaderFlaws(header)
		}
		return r
	}
	jwt, _, _ := bytes.Cut(b, []byte("~"))
	header, claims, ok := openToken(jwt)
	if !ok {
		return &report{kind: unknown, title: "three parts with dots that are no JSON Web Token"}
	}
	return i.inspectClaims(header, claims)
}

// addHeaderFlaws names what a header says that no verifier should go by. Proofs of a
// holder's key and requests for a presentation may bring theirs.
func (r *report) addHeaderFlaws(header map[string]any) {
	switch alg := strings.ToUpper(text(header["alg"])); {
	case slices.ContainsFunc(r.wrong, func(p problem) bool { return p.Code == "algorithm" }):
	case alg == "" || alg == "NONE":
		r.flaw("algorithm", "nobody signed it: alg is none", "")
	case strings.HasPrefix(alg, "HS"):
		r.flaw("algorithm", "alg is "+alg+": whoever can verify it can make it, with the same secret", "")
	}
	for _, name := range []string{"jwk", "jku", "x5c", "x5u"} {
		if _, ok := header[name]; ok && (r.kind == "token" || r.kind == "credential" || r.kind == "presentation") {
			r.flaw("own-key", "it brings a key of its own ("+name+"), which proves nothing", "passport verify goes by the DID document alone")
		}
	}
}

// inspectClaims looks at a JWT that is no credential.
func (i *inspection) inspectClaims(header, claims map[string]any) *report {
	typ := text(header["typ"])
	r := &report{kind: "token", title: "JSON Web Token " + typ}
	switch strings.TrimPrefix(strings.ToLower(typ), "application/") {
	case "statuslist+jwt":
		r.kind, r.title = "status-list", "token status list"
		i.addTokenStatusList(r, claims)
	case "kb+jwt":
		r.kind, r.title = "key-binding", "key binding of an SD-JWT, without the token that it binds"
	case "oauth-authz-req+jwt":
		r.kind, r.title = "request", "OpenID4VP request for a presentation"
	case "openid4vci-proof+jwt":
		r.kind, r.title = "key-proof", "OpenID4VCI proof of a holder's key"
	}
	alg := text(header["alg"])
	r.sign(mark{kind: alg, key: text(header["kid"])}, "", "")
	c := looseClaims(claims)
	r.add("issuer", "issuer", c.Issuer)
	r.add("subject", "subject", c.Subject)
	r.add("audience", "audience", c.Audience)
	r.add("nonce", "nonce", c.Nonce)
	r.add("issued", "issuedAt", c.IssuedAt)
	r.add("not before", "notBefore", c.NotBefore)
	r.add("ends", "expires", c.Expires)
	r.addHeaderFlaws(header)
	if _, ok := header["crit"]; ok {
		r.flaw("crit", "it asks for an extension to be understood, and none is here", "")
	}
	if !c.Expires.IsZero() && c.Expires.Before(i.now) {
		r.flaw("expired", "it has expired", "")
	}
	if !c.NotBefore.IsZero() && c.NotBefore.After(i.now) {
		r.flaw("not-yet-valid", "it is not valid yet", "")
	}
	known := map[string]bool{"iss": true, "sub": true, "aud": true, "nonce": true, "iat": true, "nbf": true, "exp": true, "status_list": true}
	var names []string
	for name := range claims {
		if !known[name] {
			names = append(names, name)
		}
	}
	sort.Strings(names)
	r.add("claims", "claims", names)
	return r
}

// addTokenStatusList says what a Token Status List holds (section 5.1 of its draft).
func (i *inspection) addTokenStatusList(r *report, claims map[string]any) {
	o, _ := claims["status_list"].(map[string]any)
	r.add("bits", "bits", fmt.Sprint(o["bits"]))
	if ttl, ok := claims["ttl"].(float64); ok {
		r.add("ask again", "ttl", (time.Duration(ttl) * time.Second).String())
	}
	if text(o["lst"]) == "" {
		r.flaw("status-list", "it has no list", "")
	}
}
