package main

// Failpoints of the agent, beside those of its messaging: where a test may end the
// process between the steps of publishing a list. Outside tests nothing happens there.
const (
	atBeforeListSigned = "register/before-signed" // the register has changed, nothing is signed
	atListSigned       = "register/signed"        // signed, not stored
	atListPublished    = "register/published"     // stored, the work not done with

	atBeforeStatusSigned = "status/before-signed"
	atStatusSigned       = "status/signed"
	atStatusPublished    = "status/published"
)

// failpoints returns the failpoints of a role.
func failpoints(role string) []string {
	switch role {
	case "authority":
		return []string{atBeforeListSigned, atListSigned, atListPublished}
	case "employer":
		return []string{atBeforeStatusSigned, atStatusSigned, atStatusPublished}
	}
	return nil
}
