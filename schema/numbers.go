package schema

// numberRules are the formats of identifiers that public bodies give out. All of
// them are text with leading zeros; none is a number to count with.
func numberRules() []rule {
	return []rule{
		ninoRule(),
		// [V gmc-uk.org] Seven digits. L and six digits is the old limited
		// registration that UK Core FHIR also admits [V].
		{name: "gmc", pattern: `^([0-9]{7}|L[0-9]{6})$`,
			say: "must be a GMC reference number: seven digits"},
		// [V UK Core, NW GMSA PractitionerIdentifier]
		{name: "nmc", pattern: `^[0-9]{2}[A-Z][0-9]{4}[A-Z]$`,
			say: "must be an NMC PIN: two digits, a letter, four digits, a letter"},
		// [V UK Core] See Identifiers for the padded form.
		{name: "hcpc", pattern: `^[A-Z]{2}[0-9]{1,6}$`,
			say: "must be an HCPC number: two letters and up to six digits"},
		// [V UK Core]
		{name: "gphc", pattern: `^2[0-9]{6}$`,
			say: "must be a GPhC number: seven digits that start with 2"},
		// [G] not verified
		{name: "gdc", pattern: `^[0-9]{4,6}$`,
			say: "must be a GDC number: four to six digits"},
		// For the registers whose format is not known here [I].
		{name: "registration-number", pattern: `^[A-Za-z0-9]([A-Za-z0-9 ./-]{0,18}[A-Za-z0-9])?$`, except: almostNoData,
			say: "must be a registration number: up to 20 letters and digits"},
		// [V digital.nhs.uk, April and October 2020] Three characters for older
		// trusts, five for their sites, since 2020 ANANA at random. Old and new
		// stand side by side, so nothing may be read from the shape.
		{name: "ods", pattern: `^[A-Z0-9]{3,10}$`,
			say: "must be an ODS code: 3 to 10 capital letters and digits"},
		// [V link set-up guide]
		{name: "vpd", pattern: `^[0-9]{3}$`,
			say: "must be a VPD: exactly three digits"},
		// [V link set-up guide] Eight digits in every example seen.
		{name: "esr-employee", pattern: `^[0-9]{8}$`,
			say: "must be an ESR employee number: eight digits"},
		// The suffix is for a second post [G].
		{name: "esr-assignment", pattern: `^[0-9]{8}(-[0-9]{1,2})?$`,
			say: "must be an ESR assignment number: eight digits, with -2 for a second post"},
		// [V disclosureRef of the DBS status check]
		{name: "dbs-certificate", pattern: `^[0-9]{12}$`,
			say: "must be a DBS certificate number: twelve digits"},
		// The number of a smartcard; its format was not found [I].
		{name: "smartcard", pattern: `^[A-Za-z0-9]([A-Za-z0-9 -]{0,28}[A-Za-z0-9])?$`, except: almostNoData,
			say: "must be a smartcard number: up to 30 letters and digits"},
		// Any one scheme an organisation chooses for all its staff [V].
		{name: "employee-id", pattern: `^[A-Za-z0-9]([A-Za-z0-9 ./_-]{0,38}[A-Za-z0-9])?$`, except: almostNoData,
			say: "must be an employee number: up to 40 letters and digits"},
		// The NHS occupation code of the assignment; its format was not found [I].
		{name: "occupation-code", pattern: `^[A-Z0-9]{1,10}$`,
			say: "must be an occupation code: up to 10 capital letters and digits"},
		// Medical and local scales are codes of their own; "MN37" was seen [V], its
		// shape is taken for all of them [I].
		{name: "pay-scale", pattern: `^[A-Z]{2}[0-9]{2}$`,
			say: "must be a band of the list, or the code of a pay scale: two letters and two digits"},
	}
}

// ninoRule is the format of a National Insurance number [V gov.uk NIM39110]. Its
// own published example, QQ123456A, is invalid on purpose.
func ninoRule() rule {
	return rule{
		name: "nino",
		// Neither letter of the prefix is D, F, I, Q, U or V; the second is not O.
		pattern: `^[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z][0-9]{6}[A-D]$`,
		// Prefixes never given out, then those of administrative numbers, which
		// are no National Insurance numbers. OO and FY fail the pattern already.
		except: `^(BG|GB|KN|NK|NT|TN|ZZ|OO|CR|FY|MW|NC|PP|PY|PZ)`,
		say:    "must be a National Insurance number: two letters of a prefix in use, six digits, and a letter A to D, without spaces",
	}
}
