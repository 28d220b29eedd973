// Package mediate lets an agent without an address of its own be reached through one
// that has one: Aries RFC 0211, Mediator Coordination Protocol 1.0, and Coordinate
// Mediation 3.0, with the forward messages of the Routing Protocol 1.0 (RFC 0046, RFC
// 0067) and 2.0 (DIDComm Messaging 2.1, "Routing Protocol 2.0").
//
//	recipient                                    mediator                     sender
//	Request          mediate-request  ------>
//	                 <------  mediate-grant      (Allow)
//	Route            keylist-update   ------>
//	                 <------  keylist-update-response
//	                                             Anonymous  <------  forward
//	                                             (Deliver)
//
// Whoever has an address makes a [Mediator] and registers it with the runtime twice: as
// the handler of "coordinate-mediation", 1 and 3, and as what takes the anonymous
// messages of "routing", 1 and 2. Whoever has none makes a [Recipient] for
// "coordinate-mediation" and gives its [Recipient.Route] to the protocol that makes
// connections: each new key or DID is registered with the mediator in the transaction
// that makes it. What a mediator keeps is fetched with package pickup, whose mediator
// is what Deliver calls. An agent that is both joins them with [Roles].
//
// [Next] is the protocol as a pure function. Version 1.0 is spoken in messages of V1
// and version 3.0 in those of V2; a wallet that is to be reached in both asks its
// mediator on a connection of each.
//
// # What a mediator does and does not
//
// It opens one layer of a forward message and hands what is in it to Deliver, without
// looking inside. It never forwards to itself, so that messages wrapped many times cost
// one layer each time somebody sends them. A forward to a name that nobody registered
// is refused with [ErrRecipient], and nothing is kept; since a recipient may be about to
// register it, the sender may try again. A name belongs to whoever registered it first;
// nobody proves that a key is theirs (RFC 0211, "Future Considerations"), so names that
// strangers know should not be registered.
//
// Not done: delays (delay_milli), dropping what expires while it waits, rewrapping,
// delivery to an address of the recipient, attachments by reference, and multiplexing
// one forward to several names.
package mediate

import "github.com/staffpassport/staffpassport/didcomm"

const (
	protocolName = "coordinate-mediation"
	routingName  = "routing"
)

// messageType returns the type of a message for a peer that speaks v.
func messageType(v didcomm.Version, message string) didcomm.Type {
	t := didcomm.Type{Protocol: protocolName, Major: 1, Name: wireName(v, message)}
	if v.Or1() == didcomm.V2 {
		t.Major = 3
	}
	return t
}
