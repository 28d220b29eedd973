package mediate

import "github.com/staffpassport/staffpassport/didcomm/internal/hop"

// Roles joins the roles of one agent, Mediator and Recipient, into the one handler of
// coordinate-mediation. A role that is nil is not played.
type Roles = hop.Roles[*Mediator, *Recipient]
