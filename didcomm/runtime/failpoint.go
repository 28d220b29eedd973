package runtime

// The points at which [Config].Failpoint is called, in the order in which one
// message meets them. A test that stops an agent at each of them and starts another
// on the same store has met every state a crash can leave behind.
const (
	AtBeforeUnpack = "receive/before-unpack"  // an envelope arrived
	AtBeforeHandle = "receive/before-handle"  // in the transaction: the message is marked as seen
	AtAfterHandle  = "receive/after-handle"   // in the transaction: the handler has returned
	AtBeforeReport = "receive/before-problem" // the handler's work is undone, the problem not yet recorded
	AtBeforeCommit = "update/before-commit"   // in any transaction: all is written
	AtAfterCommit  = "update/after-commit"    // any transaction is durable, nobody knows yet
	AtBeforeAnswer = "receive/before-answer"  // Receive is about to return nil
	AtBeforeSend   = "outbox/before-send"     // a message is read from the outbox
	AtAfterPack    = "outbox/after-pack"      // the envelope is made
	AtAfterSend    = "outbox/after-send"      // the peer has it, the outbox does not know
	AtBeforeRetry  = "outbox/before-retry"    // a delivery failed, which is not yet recorded
	AtBeforeDead   = "outbox/before-dead"     // a message is to be given up
	AtBeforeDelete = "outbox/before-delete"   // delivered messages and finished tasks are to be deleted
	AtBeforeTask   = "task/before-work"       // a task was read
	AtAfterTask    = "task/after-work"        // a task is done, the store does not know
	AtBeforeDrain  = "run/before-drain"       // Run was told to end
)

// Failpoints returns the names of all points.
func Failpoints() []string {
	return []string{
		AtBeforeUnpack, AtBeforeHandle, AtAfterHandle, AtBeforeReport, AtBeforeCommit,
		AtAfterCommit, AtBeforeAnswer, AtBeforeSend, AtAfterPack, AtAfterSend, AtBeforeRetry,
		AtBeforeDead, AtBeforeDelete, AtBeforeTask, AtAfterTask, AtBeforeDrain,
	}
}
