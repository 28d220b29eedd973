package resolution

import (
	"errors"
	"net/http"

	"github.com/staffpassport/staffpassport/did"
)

// The types of a [Problem] (section 11; the last two are of Controlled Identifiers
// v1.0 section 3.5).
const (
	TypeInvalidDID                 = "https://www.w3.org/ns/did#INVALID_DID"
	TypeInvalidDocument            = "https://www.w3.org/ns/did#INVALID_DID_DOCUMENT"
	TypeNotFound                   = "https://www.w3.org/ns/did#NOT_FOUND"
	TypeRepresentationNotSupported = "https://www.w3.org/ns/did#REPRESENTATION_NOT_SUPPORTED"
	TypeInvalidURL                 = "https://www.w3.org/ns/did#INVALID_DID_URL"
	TypeMethodNotSupported         = "https://www.w3.org/ns/did#METHOD_NOT_SUPPORTED"
	TypeInvalidOptions             = "https://www.w3.org/ns/did#INVALID_OPTIONS"
	TypeInternal                   = "https://www.w3.org/ns/did#INTERNAL_ERROR"
	TypeFeatureNotSupported        = "https://www.w3.org/ns/did#FEATURE_NOT_SUPPORTED"
	TypeInvalidVerificationMethod  = "https://w3id.org/security#INVALID_VERIFICATION_METHOD"
	TypeInvalidRelationship        = "https://w3id.org/security#INVALID_RELATIONSHIP_FOR_VERIFICATION_METHOD"
)

// A Problem says why there is no result, as RFC 9457 has it (section 11). It repeats
// nothing of the input.
type Problem struct {
	Type   string `json:"type"`   // one of the URLs above
	Title  string `json:"title"`  // a few words
	Detail string `json:"detail"` // one sentence
}

// HTTPStatus returns the status of the type (section 12.1, step 6).
func (p *Problem) HTTPStatus() int {
	switch p.Type {
	case TypeInvalidDID, TypeInvalidURL, TypeInvalidOptions:
		return http.StatusBadRequest
	case TypeNotFound:
		return http.StatusNotFound
	case TypeRepresentationNotSupported:
		return http.StatusNotAcceptable
	case TypeMethodNotSupported, TypeFeatureNotSupported:
		return http.StatusNotImplemented
	default:
		return http.StatusInternalServerError
	}
}

// problem returns a Problem of a type, with what err, which may be nil, adds to it.
func problem(typ string, err error) *Problem {
	p := &Problem{Type: typ}
	switch typ {
	case TypeInvalidDID:
		p.Title, p.Detail = "Invalid DID", "the DID breaks a rule of its syntax or method"
	case TypeInvalidDocument:
		p.Title, p.Detail = "Invalid DID document", "the document that was found breaks a rule or belongs to another DID"
	case TypeNotFound:
		p.Title, p.Detail = "Not found", "there is nothing of this name or version"
	case TypeRepresentationNotSupported:
		p.Title, p.Detail = "Representation not supported", "none of the media types that are accepted can be given"
	case TypeInvalidURL:
		p.Title, p.Detail = "Invalid DID URL", "the DID URL breaks a rule of its syntax or of its parameters"
	case TypeMethodNotSupported:
		p.Title, p.Detail = "DID method not supported", "there is no resolver for the method of this DID"
	case TypeFeatureNotSupported:
		p.Title, p.Detail = "Feature not supported", "the method is known, and this form of it is not"
	case TypeInvalidVerificationMethod:
		p.Title, p.Detail = "Invalid verification method", "the DID URL does not stand for a verification method of its DID"
	case TypeInvalidRelationship:
		p.Title, p.Detail = "Invalid relationship for verification method", "the document does not authorise the verification method for this"
	default:
		p.Type, p.Title, p.Detail = TypeInternal, "Internal error", "the question could not be answered now"
	}
	if err != nil {
		p.Detail = err.Error()
	}
	return p
}

func invalidOption(detail string) *Problem {
	return &Problem{TypeInvalidOptions, "Invalid options", detail}
}

func invalidURL(detail string) *Problem {
	return &Problem{TypeInvalidURL, "Invalid DID URL", detail}
}

// unresolved returns the Problem for an error of the resolver. What could not be had
// keeps its reason to itself: it tells about the network around this machine.
func unresolved(r did.Resolver, id did.DID, err error) *Problem {
	switch {
	case errors.Is(err, did.ErrUnavailable):
		return problem(TypeInternal, nil)
	case errors.Is(err, did.ErrDocument):
		return problem(TypeInvalidDocument, err)
	case errors.Is(err, did.ErrInvalid):
		return problem(TypeInvalidDID, err)
	case errors.Is(err, did.ErrNotFound):
		return problem(TypeNotFound, nil)
	case errors.Is(err, did.ErrUnsupported):
		if known, ok := r.(interface{ Supports(method string) bool }); ok && known.Supports(id.Method()) {
			return problem(TypeFeatureNotSupported, err)
		}
		return problem(TypeMethodNotSupported, nil)
	default:
		return problem(TypeInternal, nil)
	}
}
