package schema

// The lists of identity and assurance. Those marked [V] with no other source were
// seen on the second passport: its published prototype, its test suite and the
// trainee system's issuer, 2023 to its end in 2025, which had no editions.

// identityProfiles are the profiles of Good Practice Guide 45 "How to prove and
// verify someone's identity": L low, M medium, H high, V very high confidence.
// H1A was seen in passports [V]; the whole list agrees with the profile files of
// alphagov/di-ipv-alpha-gpg45-engine, 2021 [V].
func identityProfiles() []code {
	return only(
		"L1A", "L1B", "L1C", "L2A", "L2B", "L3A",
		"M1A", "M1B", "M1C", "M1D", "M2A", "M2B", "M2C", "M3A",
		"H1A", "H1B", "H1C", "H2A", "H2B", "H2C", "H2D", "H2E", "H3A",
		"V1A", "V1B", "V1C", "V1D", "V2A", "V2B", "V2C", "V2D", "V3A",
	)
}

// authenticatorQualities are the levels of Good Practice Guide 44; that the
// field exists is [V], its values are [G].
func authenticatorQualities() []code { return only("low", "medium", "high") }

// legalGenders [V identity credential of the second passport]. No field of this
// passport uses it.
func legalGenders() []code { return only("Male", "Female", "Not specified", "Not known") }

// assuranceOrigins [V]; the name of an identity provider may stand there too.
func assuranceOrigins() []code {
	return only("Substantive NHS Employing Organisation", "NHS England")
}

// assurancePolicies [V].
func assurancePolicies() []code {
	return only(
		"GPG 45",
		"Local contractual arrangement",
		"Core Skills Training Framework (CSTF)",
		"Postgraduate doctor trainee programme assessment",
	)
}

// assuranceOutcomes [V].
func assuranceOutcomes() []code {
	return only(
		"H1A",
		"GPG 45 applied",
		"Onboarding complete",
		"CSTF applied",
		"Postgraduate doctor trainee programme registration",
	)
}

// assuranceProviders [V]; else the name of the trust.
func assuranceProviders() []code { return only("NHS England") }

// assuranceVerifiers [V]; the name of an identity provider may stand there too.
func assuranceVerifiers() []code { return only("Origin", "Provider") }

// verificationMethods [V]. Two spellings of the last exist.
func verificationMethods() []code {
	return []code{
		{value: "Not verified"},
		{value: "Document Verification"},
		{value: "Record Verification"},
		{value: "Document Verification with Record Verification", also: []string{
			"Document Verification and Record Verification",
			"Document Verification and/with Record Verification",
		}},
	}
}

// pedigrees [V].
func pedigrees() []code { return only("Authoritative", "Sourced") }
