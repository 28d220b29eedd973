package present

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/sdjwt"
)

// formatToken is the format of the attachment that answers DCQL: an object with the
// vp_token of OpenID for Verifiable Presentations 1.0, section 8.1.
const formatToken = "staffpassport/vp-token@v1.0"

// mediaTypeToken is that of the same as it is kept.
const mediaTypeToken = "application/json"

// queryContent is the attachment of a request in DCQL, with the options of RFC 0510.
type queryContent struct {
	Options options   `json:"options"`
	Query   dcqlQuery `json:"dcql_query"`
}

// dcqlQuery is OpenID for Verifiable Presentations 1.0, section 6.
type dcqlQuery struct {
	Credentials []credentialQuery `json:"credentials"`
	Sets        json.RawMessage   `json:"credential_sets,omitempty"`
}

// credentialQuery is section 6.1. Members that are unknown are passed over, as
// section 6 asks; those that narrow what is asked for and are not understood here are
// named, to refuse them.
type credentialQuery struct {
	ID          string          `json:"id"`
	Format      string          `json:"format"`
	Multiple    bool            `json:"multiple,omitempty"`
	Meta        queryMeta       `json:"meta"`
	Claims      []claimsQuery   `json:"claims,omitempty"`
	ClaimSets   json.RawMessage `json:"claim_sets,omitempty"`
	Authorities json.RawMessage `json:"trusted_authorities,omitempty"`
	Binding     *bool           `json:"require_cryptographic_holder_binding,omitempty"`
}

// queryMeta is appendix B.1.1 and B.3.5.
type queryMeta struct {
	VCT   []string   `json:"vct_values,omitempty"`
	Types [][]string `json:"type_values,omitempty"`
}

// claimsQuery is section 6.3, with the intent_to_retain that appendix B.2.4 has for
// mobile documents.
type claimsQuery struct {
	Path   []any             `json:"path"`
	Values []json.RawMessage `json:"values,omitempty"`
	Retain bool              `json:"intent_to_retain,omitempty"`
}

// The names that DCQL has for the forms of a credential.
func dcqlFormat(form string) string {
	if form == FormJWT {
		return "jwt_vc_json"
	}
	return form
}

// newQuery writes a request in DCQL.
func newQuery(r Request) (*dcqlQuery, error) {
	out := new(dcqlQuery)
	for _, in := range r.Inputs {
		form := FormDataIntegrity
		if len(in.Formats) > 0 {
			form = in.Formats[0]
		}
		if !isQueryID(in.ID) || in.Type == "" || len(in.Schemas) > 0 || len(in.Formats) > 1 {
			return nil, fmt.Errorf("%w: in DCQL an input has an id of letters and digits, a type and one form", ErrUnsupported)
		}
		q := credentialQuery{ID: in.ID, Format: dcqlFormat(form)}
		if form == FormSDJWTVC {
			q.Meta.VCT = []string{in.Type}
		} else {
			q.Meta.Types = [][]string{{in.Type}}
		}
		for _, f := range in.Fields {
			path, ok := claimsPath(f.At, form)
			if !ok || f.Optional || f.Kind != "" {
				return nil, fmt.Errorf("%w: a field in DCQL", ErrUnsupported)
			}
			q.Claims = append(q.Claims, claimsQuery{Path: path, Values: f.OneOf, Retain: f.Retain})
		}
		out.Credentials = append(out.Credentials, q)
	}
	return out, nil
}

// readQuery reads a request in DCQL of any agent. What it cannot tell the person
// about is [ErrUnsupported].
func readQuery(raw []byte) (*asked, error) {
	var c queryContent
	if err := unmarshal(raw, &c); err != nil {
		return nil, err
	}
	if err := c.Options.check(); err != nil {
		return nil, err
	}
	if !absent(c.Query.Sets) || len(c.Query.Credentials) > maxInputs {
		return nil, fmt.Errorf("%w: sets of credentials", ErrUnsupported)
	}
	if len(c.Query.Credentials) == 0 {
		return nil, fmt.Errorf("%w: no credential query", ErrMalformed)
	}
	out := &asked{query: DCQL, challenge: c.Options.Challenge, domain: c.Options.Domain}
	for _, q := range c.Query.Credentials {
		if !isQueryID(q.ID) || slices.ContainsFunc(out.inputs, func(in Input) bool { return in.ID == q.ID }) {
			return nil, fmt.Errorf("%w: credential query without an id of its own", ErrMalformed)
		}
		in, err := readCredentialQuery(q)
		if err != nil {
			return nil, err
		}
		out.inputs = append(out.inputs, in)
	}
	return out, nil
}

func readCredentialQuery(q credentialQuery) (Input, error) {
	form := formNamed(q.Format)
	if form == "" || q.Format == "jwt_vc" { // which is no name of DCQL
		return Input{}, fmt.Errorf("%w: form of a credential", ErrUnsupported)
	}
	if !absent(q.ClaimSets) || !absent(q.Authorities) || q.Binding != nil && !*q.Binding {
		return Input{}, fmt.Errorf("%w: a condition of a credential query", ErrUnsupported)
	}
	in := Input{ID: q.ID, Formats: []string{form}, Only: form == FormSDJWTVC} // section 6.4: nothing that was not asked for
	var err error
	if in.Type, err = q.Meta.typ(form); err != nil {
		return Input{}, err
	}
	if len(q.Claims) > maxFields {
		return Input{}, fmt.Errorf("%w: too many claims", ErrUnsupported)
	}
	for _, c := range q.Claims {
		at, err := placeOfClaim(c.Path, form)
		if err != nil {
			return Input{}, err
		}
		if !scalars(c.Values) {
			return Input{}, fmt.Errorf("%w: values of a claim", ErrMalformed)
		}
		if slices.ContainsFunc(in.Fields, func(f Field) bool { return f.At == at }) { // section 6.1: to be ignored
			continue
		}
		in.Fields = append(in.Fields, Field{At: at, OneOf: c.Values, Retain: c.Retain})
	}
	return in, nil
}

// typ returns the one type that is asked for, or none. Alternatives are not understood.
func (m queryMeta) typ(form string) (string, error) {
	var types []string
	switch {
	case form == FormSDJWTVC && len(m.VCT) > 1, form != FormSDJWTVC && len(m.Types) > 1:
		return "", fmt.Errorf("%w: one type or another", ErrUnsupported)
	case form == FormSDJWTVC:
		types = m.VCT
	case len(m.Types) == 1:
		types = slices.DeleteFunc(slices.Clone(m.Types[0]), func(t string) bool { return typeName(t) == vc.TypeCredential })
	}
	switch {
	case len(types) == 0:
		return "", nil
	case len(types) > 1:
		return "", fmt.Errorf("%w: several types at once", ErrUnsupported)
	case types[0] == "" || len(types[0]) > maxText:
		return "", fmt.Errorf("%w: type of a credential", ErrMalformed)
	}
	return types[0], nil
}

// subject is where the claims of an SD-JWT VC stand in a document of ours.
const subject = "/credentialSubject"

// claimsPath writes a pointer as a claims path pointer (section 7), which starts in
// the token of an SD-JWT VC and in the document of all other forms.
func claimsPath(at vc.Pointer, form string) ([]any, bool) {
	rest := string(at)
	if form == FormSDJWTVC {
		switch rest {
		case "/issuer":
			return []any{"iss"}, true
		case subject + "/id":
			return []any{"sub"}, true
		}
		var ok bool
		if rest, ok = strings.CutPrefix(rest, subject+"/"); !ok {
			return nil, false
		}
		rest = "/" + rest
	}
	var path []any
	for _, token := range strings.Split(rest, "/")[1:] {
		name := strings.ReplaceAll(strings.ReplaceAll(token, "~1", "/"), "~0", "~")
		if i, err := strconv.Atoi(name); err == nil && isIndex(name) {
			path = append(path, i)
		} else {
			path = append(path, name)
		}
	}
	return path, true
}

// placeOfClaim is the inverse. A path that selects several claims is not understood.
func placeOfClaim(path []any, form string) (vc.Pointer, error) {
	if len(path) == 0 || len(path) > maxPath {
		return "", fmt.Errorf("%w: path of a claim", ErrMalformed)
	}
	var p vc.Pointer
	if first, _ := path[0].(string); form == FormSDJWTVC {
		switch {
		case len(path) == 1 && first == "iss":
			return "/issuer", nil
		case len(path) == 1 && first == "sub":
			return subject + "/id", nil
		case slices.Contains(notInDocument(), first), first == "vct":
			return "", fmt.Errorf("%w: a claim about the token", ErrUnsupported)
		}
		p = subject
	}
	for _, c := range path {
		switch c := c.(type) {
		case string:
			p = p.Child(c)
		case strictjson.Number:
			i, err := c.Int64()
			if err != nil || i < 0 || i > maxPath {
				return "", fmt.Errorf("%w: path of a claim", ErrMalformed)
			}
			p = p.Index(int(i))
		case nil:
			return "", fmt.Errorf("%w: a path to several claims", ErrUnsupported)
		default:
			return "", fmt.Errorf("%w: path of a claim", ErrMalformed)
		}
	}
	if len(p) > maxPath {
		return "", fmt.Errorf("%w: path of a claim", ErrUnsupported)
	}
	return p, nil
}

// isQueryID is section 6.1 on id.
func isQueryID(s string) bool {
	return s != "" && len(s) <= maxText && !strings.ContainsFunc(s, func(r rune) bool {
		return (r|0x20 < 'a' || r|0x20 > 'z') && (r < '0' || r > '9') && r != '_' && r != '-'
	})
}

// newToken writes the answer to DCQL: one presentation for each input.
func newToken(inputs []Input, list []vc.Secured) ([]byte, error) {
	token := make(map[string][]any, len(inputs))
	for i, s := range list {
		if s.MediaType == vc.MediaTypePresentation {
			token[inputs[i].ID] = []any{json.RawMessage(s.Bytes)}
		} else {
			token[inputs[i].ID] = []any{string(s.Bytes)}
		}
	}
	return json.Marshal(map[string]any{"vp_token": token})
}

// readToken returns, for each input, the one presentation that answers it.
func readToken(raw []byte, inputs []Input) ([]vc.Secured, error) {
	o, err := strictjson.ParseObject(raw)
	if err != nil {
		return nil, fmt.Errorf("%w: %v", ErrIncomplete, err)
	}
	v, _ := o.Get("vp_token")
	token, ok := v.(*strictjson.Object)
	if !ok || token.Len() != len(inputs) {
		return nil, fmt.Errorf("%w: vp_token", ErrIncomplete)
	}
	out := make([]vc.Secured, len(inputs))
	for i, in := range inputs {
		v, _ := token.Get(in.ID)
		list, _ := v.([]any)
		if len(list) != 1 {
			return nil, fmt.Errorf("%w: input %q", ErrIncomplete, in.ID)
		}
		content, err := strictjson.Append(nil, list[0])
		if err != nil {
			return nil, fmt.Errorf("%w: input %q", ErrIncomplete, in.ID)
		}
		if out[i], err = presentedOf(content); err != nil {
			return nil, fmt.Errorf("%w: input %q: %w", ErrIncomplete, in.ID, err)
		}
		if bare := out[i].MediaType == sdjwt.MediaTypeSDJWTVC; bare != slices.Equal(in.Formats, []string{FormSDJWTVC}) {
			return nil, fmt.Errorf("%w: input %q in another form", ErrIncomplete, in.ID)
		}
	}
	return out, nil
}
