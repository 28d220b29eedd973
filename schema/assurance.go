package schema

import (
	"encoding/json"
	"fmt"
	"log/slog"
)

// An Assurance says where the facts of a section come from and how they were
// checked: the eight fields on every credential of the second passport [V]. The
// values seen are code lists; where a name of an organisation or another outcome
// can stand, the list only suggests. All eight are mandatory in an Assurance [I].
//
// The second passport added a UUID of the person to every credential. It let
// anybody join what was shown to different organisations, so it has no place
// here: holder binding does that work [I].
type Assurance struct {
	Origin             Value[string] `json:"origin,omitzero" title:"Origin" codes:"assurance-origin" rule:"text"`
	Policy             Value[string] `json:"assurancePolicy,omitzero" title:"Assurance policy" codes:"assurance-policy" rule:"text"`
	Outcome            Value[string] `json:"assuranceOutcome,omitzero" title:"Assurance outcome" codes:"assurance-outcome" rule:"text"`
	Provider           Value[string] `json:"provider,omitzero" title:"Provider" codes:"assurance-provider" rule:"text"`
	Verifier           Value[string] `json:"verifier,omitzero" title:"Verifier" codes:"assurance-verifier" rule:"text"`
	VerificationMethod Value[string] `json:"verificationMethod,omitzero" title:"Verification method" codes:"verification-method"`
	Pedigree           Value[string] `json:"pedigree,omitzero" title:"Pedigree" codes:"pedigree"`
	LastRefresh        Value[Moment] `json:"lastRefresh,omitzero" title:"Last refreshed"`

	// Other holds members that this version does not know, see [Passport].
	Other map[string]json.RawMessage `json:"-"`
}

// Format prints no claim, whatever the verb.
func (Assurance) Format(f fmt.State, _ rune) { fmt.Fprint(f, "assurance of a section") }

// LogValue keeps claims out of logs.
func (Assurance) LogValue() slog.Value { return slog.StringValue("assurance of a section") }
