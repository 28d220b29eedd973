// Package pickup is how an agent without an address of its own fetches what a mediator
// keeps for it: Aries RFC 0685, Pickup Protocol 2.0, in messages of V1, and Message
// Pickup 3.0 in those of V2.
//
//	recipient                                  mediator
//	                                           Take      (of package mediate)
//	Fetch            live-delivery-change ->
//	                 delivery-request   ------>
//	                 <------  delivery, or status
//	(kept)           messages-received  ------>
//	                 <------  status           (forgotten)
//	Work: Receive
//
// A mediator makes a [Mediator] and gives [Mediator.Take] to what opens forward
// messages. A wallet makes a [Recipient], calls [Recipient.Fetch] each time it has
// reached its mediator, and registers it as the worker of [TaskReceive]. Both are the
// handler of "messagepickup", 2 and 3; an agent that is both joins them with [Roles].
//
// # What is promised
//
// A mediator forgets an envelope only when the recipient says that it has it, or when
// it grows older than the program allows ([Mediator.Expire]). A recipient says so in
// the transaction that makes the envelope durable, and hands it to the runtime
// afterwards, in the order in which it came, again and again until that has dealt with
// it, or for a fortnight; of those that it can neither take nor refuse the oldest give
// way when there are 200. What is delivered twice is received once.
//
// Somebody who asks and does not listen fills no outbox: until deliveries are
// acknowledged, or a minute is over, a mediator sends so much and answers with a status.
//
// Each recipient has a queue of its own with a limit of its own. When it is full,
// [ErrFull] asks senders to try again; nobody else's queue is smaller for it. Within it
// no name, that is no peer of the recipient, has more than what is left for the others,
// so that one peer alone gets half. [Next] is the protocol as a pure function.
//
// In live mode, which needs a channel that lasts, an envelope is sent on as it comes;
// it stays in the queue all the same until it is acknowledged. A new channel begins
// without live mode.
//
// All messages here lose their meaning quickly and expire after a minute, so that none
// waits for a channel to somebody who has gone (RFC 0685, "Status").
package pickup

import (
	"time"

	"github.com/staffpassport/staffpassport/didcomm"
)

// TaskReceive is the task to register a [Recipient] for as a worker.
const TaskReceive = "messagepickup/receive"

const protocolName = "messagepickup"

// lifetime is how long a message of this protocol is worth sending.
const lifetime = time.Minute

// messageType returns the type of a message for a peer that speaks v.
func messageType(v didcomm.Version, name string) didcomm.Type {
	t := didcomm.Type{Protocol: protocolName, Major: 2, Name: name}
	if v.Or1() == didcomm.V2 {
		t.Major = 3
	}
	return t
}
