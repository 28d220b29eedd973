package schema

import (
	"fmt"
	"io"
	"log/slog"
	"strings"
)

// An Identifier is a number with the system that gave it out, as FHIR writes it
// (Identifier.system and Identifier.value).
type Identifier struct{ System, Value string }

// Format prints the system and never the number, whatever the verb.
func (i Identifier) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, i.LogValue().String()) }

// LogValue logs the system and never the number.
func (i Identifier) LogValue() slog.Value { return slog.StringValue("identifier of " + i.System) }

// Identifier systems. The first five are published [V UK Core], the one of ODS
// codes is [G].
const (
	systemGMC       = "https://fhir.hl7.org.uk/Id/gmc-number"
	systemNMC       = "https://fhir.hl7.org.uk/Id/nmc-number"
	systemGPhC      = "https://fhir.hl7.org.uk/Id/gphc-number"
	systemHCPC      = "https://fhir.hl7.org.uk/Id/hcpc-number"
	systemSmartcard = "https://fhir.nhs.uk/Id/sds-user-id"
	systemODS       = "https://fhir.nhs.uk/Id/ods-organization-code"
)

// Identifiers returns the numbers of the passport that have a FHIR identifier
// system: the registration, the smartcard, the employer's ODS code. An HCPC
// number is padded to eight characters, as prescribing systems expect [V].
func (p *Passport) Identifiers() []Identifier {
	var all []Identifier
	if p.Registration != nil {
		body, _ := p.Registration.Body.Get()
		body, _ = RegistrationBodies.Canonical(body)
		number, ok := p.Registration.Number.Get()
		if system := registerSystem(body); ok && system != "" {
			if body == bodyHCPC {
				number = padHCPC(number)
			}
			all = append(all, Identifier{system, number})
		}
	}
	if p.Employment != nil {
		if number, ok := p.Employment.SmartcardNumber.Get(); ok {
			all = append(all, Identifier{systemSmartcard, number})
		}
		if code, ok := p.Employment.OrganisationCode.Get(); ok {
			all = append(all, Identifier{systemODS, code})
		}
	}
	return all
}

func registerSystem(body string) string {
	switch body {
	case bodyGMC:
		return systemGMC
	case bodyNMC:
		return systemNMC
	case bodyGPhC:
		return systemGPhC
	case bodyHCPC:
		return systemHCPC
	}
	return ""
}

// padHCPC puts zeros between the two letters and the digits.
func padHCPC(number string) string {
	if len(number) < 2 || len(number) >= 8 {
		return number
	}
	return number[:2] + strings.Repeat("0", 8-len(number)) + number[2:]
}
