package schema

// The lists of what can happen to a credential. They are no claims of a
// passport: a reason stays in the audit log of whoever acted. Their sources are the
// prototype, test suite and guidance of the second passport, 2023 to its end in
// 2025, which had no editions.

const reasonSuspect = "SuspectNoLongerValid"

// withdrawReasons are for a credential that is not accepted yet [V test suite of
// the second passport].
func withdrawReasons() []code { return only("IssuedInError", "UpdatedInformation", "NoLongerValid") }

// revokeReasons are for an accepted credential [V test suite of the second
// passport]; the last is written by a machine when the record behind a
// credential goes [V trainee system].
func revokeReasons() []code {
	return only(
		"TrainingExpiry",
		"LeavingOrganisation",
		"CredentialProvidedInError",
		"LostPhone",
		"NoLongerValid",
		reasonSuspect,
		"StaffMemberDeceased",
		"Source record deleted",
	)
}

// rejectReasons are a holder's for not accepting [V].
func rejectReasons() []code {
	return only("duplicate", "incorrect information", "no longer wanted", "other")
}

// declineReasons are a host's for giving no access [V].
func declineReasons() []code {
	return only("not identifiable as a new starter here", "unable to confirm identity", "other")
}

// passportStatuses [V]. The last is of one credential.
func passportStatuses() []code {
	return []code{
		{value: "invitation sent"},
		{value: "appointment needed"},
		{value: "identity shared"},
		{value: "credentials pending"},
		{value: "active", also: []string{"reviewed", "active/reviewed"}},
		{value: "disabled"},
		{value: "deleted"},
		{value: "archived"},
	}
}

// StatusPurpose returns the status purpose with which a revoke reason is
// published (Bitstring Status List 1.0 section 2.1): a suspicion suspends, all
// else revokes [I]. The reason itself is never published. It reports false for a
// text that is no revoke reason.
func StatusPurpose(reason string) (string, bool) {
	if _, ok := RevokeReasons.Canonical(reason); !ok {
		return "", false
	}
	if reason == reasonSuspect {
		return "suspension", true
	}
	return "revocation", true
}
