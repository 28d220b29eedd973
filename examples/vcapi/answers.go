package main

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/dataintegrity"
	"github.com/staffpassport/staffpassport/vc/status"
	"github.com/staffpassport/staffpassport/vc/verify"
)

// A request is the body of a call and what the path says.
type request struct {
	path    [2]string // of /{suite}/{key}
	purpose string
	members map[string]json.RawMessage
	options options
}

// options of all calls. An absent one is empty.
type options struct {
	Type              string          `json:"type"`
	Cryptosuite       string          `json:"cryptosuite"`
	KeyType           string          `json:"keyType"`
	MandatoryPointers []vc.Pointer    `json:"mandatoryPointers"`
	SelectivePointers []vc.Pointer    `json:"selectivePointers"`
	CredentialStatus  json.RawMessage `json:"credentialStatus"`
	ProofID           string          `json:"proofId"`
	PreviousProof     json.RawMessage `json:"previousProof"`
	ExpectedPurpose   string          `json:"expectedProofPurpose"`
	Domain            string          `json:"domain"`
	Challenge         string          `json:"challenge"`
}

// parse reads a body. Only its outermost object is read here; what is in it is for the
// library.
func (r *request) parse(body []byte) error {
	if err := json.Unmarshal(body, &r.members); err != nil || r.members == nil {
		return badRequest("the body is not a JSON object")
	}
	if raw, ok := r.members["options"]; ok {
		if err := json.Unmarshal(raw, &r.options); err != nil {
			return badRequest("an option has the wrong type")
		}
	}
	return nil
}

// object returns a member that must be a JSON object.
func (r *request) object(name string) (json.RawMessage, error) {
	raw := r.members[name]
	if len(raw) == 0 || raw[0] != '{' {
		return nil, badRequest(name + " is not an object")
	}
	return raw, nil
}

// badRequest is an error of the request itself. Its text is for whoever sent it.
type badRequest string

func (b badRequest) Error() string { return "vcapi: " + string(b) }

// An answer is what is sent: a value as JSON, or JSON as it is.
type answer struct {
	status int
	value  any
	raw    []byte
}

func (a answer) write(w http.ResponseWriter) {
	body := a.raw
	if body == nil {
		var err error
		if body, err = json.Marshal(a.value); err != nil {
			a.status, body = http.StatusInternalServerError, []byte(`{"errors":["the answer is no JSON"]}`)
		}
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(a.status)
	_, _ = w.Write(body)
}

// A verdict is the answer to what was to be verified, and to what was refused.
type verdict struct {
	Verified bool      `json:"verified"`
	Problems []problem `json:"problemDetails"`
	Checks   []string  `json:"checks"` // that passed
	Warnings []string  `json:"warnings"`
	Errors   []string  `json:"errors"`
}

// A problem says what is wrong (RFC 9457; VC Data Model 2.0, section 7.2).
type problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Detail string `json:"detail,omitempty"`
	Code   string `json:"code,omitempty"` // of package verify
}

func verified(warnings, checks []string) answer {
	if warnings == nil {
		warnings = []string{}
	}
	return answer{status: http.StatusOK, value: verdict{true, []problem{}, checks, warnings, []string{}}}
}

func refused(status int, title string) answer {
	return answer{status: status, value: refusal(problem{Type: "about:blank", Title: title})}
}

func refusal(p problem) verdict {
	text := p.Title
	if p.Detail != "" {
		text += ": " + p.Detail
	}
	return verdict{Problems: []problem{p}, Checks: []string{}, Warnings: []string{}, Errors: []string{text}}
}

// The URLs by which the specifications name kinds of problems (VC Data Model 2.0,
// section 7.2; VC Data Integrity 1.0, section 4.7; Bitstring Status List, section 3.5).
const (
	modelProblem    = "https://www.w3.org/TR/vc-data-model#"
	securityProblem = "https://w3id.org/security#"
)

// answerError answers 400. What went wrong is told by the library's errors, whose texts
// hold no claim.
func answerError(err error) answer {
	var refusedByVerifier *verify.Error
	if errors.As(err, &refusedByVerifier) {
		return answerVerifier(refusedByVerifier)
	}
	detail := strings.TrimPrefix(err.Error(), "vcapi: ")
	for _, k := range []struct {
		err         error
		kind, title string
	}{
		{vc.ErrSyntax, modelProblem + "PARSING_ERROR", "the document cannot be read"},
		{vc.ErrMalformed, modelProblem + "MALFORMED_VALUE_ERROR", "the document breaks a rule of the data model"},
		{vc.ErrDigest, modelProblem + "CRYPTOGRAPHIC_SECURITY_ERROR", "a related resource is not the one with this digest"},
		{status.ErrRange, modelProblem + "RANGE_ERROR", "an entry that its status list does not have"},
		{status.ErrMalformed, modelProblem + "MALFORMED_VALUE_ERROR", "a status entry breaks a rule"},
		{dataintegrity.ErrPointer, securityProblem + "PROOF_GENERATION_ERROR", "a pointer leads nowhere"},
		{dataintegrity.ErrPreviousProof, securityProblem + "PROOF_GENERATION_ERROR", "the previous proof is missing"},
		{dataintegrity.ErrUndefinedTerm, securityProblem + "DATA_LOSS_DETECTION_ERROR", "a word that no context defines"},
		{dataintegrity.ErrUnsignable, securityProblem + "PROOF_TRANSFORMATION_ERROR", "the document has no form that could be signed"},
		{dataintegrity.ErrContextNotAllowed, securityProblem + "PROOF_TRANSFORMATION_ERROR", "the @context cannot be used"},
		{did.ErrUnavailable, "about:blank", "it could not be found out"},
	} {
		if errors.Is(err, k.err) {
			return answer{status: http.StatusBadRequest, value: refusal(problem{Type: k.kind, Title: k.title, Detail: detail})}
		}
	}
	return refused(http.StatusBadRequest, detail)
}

func answerVerifier(e *verify.Error) answer {
	v := verdict{Problems: []problem{}, Checks: []string{}, Warnings: []string{}, Errors: []string{}}
	for _, c := range e.Checks {
		switch c.Outcome {
		case verify.Passed:
			v.Checks = append(v.Checks, string(c.Check))
		case verify.Failed, verify.Undecided:
			kind := c.Code.Problem()
			if kind == "" {
				kind = "about:blank"
			}
			v.Problems = append(v.Problems, problem{Type: kind, Title: c.Sentence, Code: string(c.Code)})
			v.Errors = append(v.Errors, string(c.Code)+": "+c.Sentence)
		}
	}
	if len(v.Problems) > 0 { // the first is what ended the matter, and may have a cause
		v.Problems[0].Detail = e.Error()
	}
	return answer{status: http.StatusBadRequest, value: v}
}

func passed(checks []verify.Result) []string {
	out := []string{}
	for _, c := range checks {
		if c.Outcome == verify.Passed {
			out = append(out, string(c.Check))
		}
	}
	return out
}
