package resolution

import (
	"net/url"
	"strings"

	"github.com/staffpassport/staffpassport/did"
)

const maxParameters = 32 // of a DID URL; there are seven of use

// parameters are those of a DID URL (section 3), decoded, by their name.
type parameters map[string]string

// parseParameters parses the query of a DID URL. A plus sign is a plus sign. A name
// that comes twice has no meaning (section 3.2.2), and neither has what is not ASCII.
func parseParameters(query string) (parameters, *Problem) {
	list := parameters{}
	if query == "" {
		return list, nil
	}
	for part := range strings.SplitSeq(query, "&") {
		name, value, _ := strings.Cut(part, "=")
		name, err := url.PathUnescape(name)
		if err == nil {
			value, err = url.PathUnescape(value)
		}
		if err != nil || name == "" || !isASCII(name) || !isASCII(value) {
			return nil, invalidURL("a parameter without a name, or with a value that is not ASCII")
		}
		if _, twice := list[name]; twice || len(list) == maxParameters {
			return nil, invalidURL("a parameter twice, or too many of them")
		}
		list[name] = value
	}
	return list, nil
}

// take moves the parameters that are options of the resolution to o (section 5.4.1,
// step 2).
func (list parameters) take(o *Options) *Problem {
	for name, option := range map[string]*string{"versionId": &o.VersionID, "versionTime": &o.VersionTime, "versionNumber": &o.VersionNumber} {
		value, ok := list[name]
		switch {
		case !ok:
			continue
		case value == "":
			return invalidURL("a version without a value")
		case *option != "" && *option != value:
			return invalidOption("an option and a parameter of one name that differ")
		}
		*option = value
		delete(list, name)
	}
	return nil
}

// set sets an option by its name, as HTTP brings it (section 12.1).
func (o *Options) set(name, value string) *Problem {
	if !isASCII(name) || !isASCII(value) {
		return invalidOption("an option that is not ASCII")
	}
	text := map[string]*string{"accept": &o.Accept, "versionId": &o.VersionID, "versionTime": &o.VersionTime, "versionNumber": &o.VersionNumber}
	flag := map[string]*bool{"expandRelativeUrls": &o.ExpandRelativeURLs, "noCache": &o.NoCache}
	switch {
	case value == "":
		return invalidOption("an option without a value")
	case text[name] != nil:
		*text[name] = value
	case flag[name] != nil:
		if value != "true" && value != "false" {
			return invalidOption("an option that is neither true nor false")
		}
		*flag[name] = value == "true"
	case name == "verificationRelationship":
		o.VerificationRelationship = did.Relationship(value)
	default:
		return &Problem{TypeFeatureNotSupported, "Feature not supported", "an option that this resolver does not know"}
	}
	return nil
}

// isOption reports whether set knows the name.
func isOption(name string) bool {
	switch name {
	case "accept", "versionId", "versionTime", "versionNumber", "expandRelativeUrls", "noCache", "verificationRelationship":
		return true
	}
	return false
}
