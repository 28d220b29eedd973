package trust

import "github.com/staffpassport/staffpassport/vc/verify"

// A refusal says why an organisation may not do something.
type refusal struct{ why string }

// Error implements error. The text names nobody.
func (r *refusal) Error() string { return "trust: " + r.why }

// Is makes every refusal a verify.ErrUntrusted.
func (r *refusal) Is(target error) bool { return target == verify.ErrUntrusted }
