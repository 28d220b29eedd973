package runtime

// The points at which Config.UnsafeFailpoint is called, in the order in which one
// message meets them.
const (
	atBeforeUnpack = "receive/before-unpack"  // an envelope arrived
	atBeforeHandle = "receive/before-handle"  // in the transaction: the message is marked as seen
	atAfterHandle  = "receive/after-handle"   // in the transaction: the handler has returned
	atBeforeReport = "receive/before-problem" // the handler's work is undone, the problem not yet recorded
	atBeforeCommit = "update/before-commit"   // in any transaction: all is written
	atAfterCommit  = "update/after-commit"    // any transaction is durable, nobody knows yet
	atBeforeAnswer = "receive/before-answer"  // Receive is about to return nil
	atBeforeSend   = "outbox/before-send"     // a message is read from the outbox
	atAfterPack    = "outbox/after-pack"      // the envelope is made
	atAfterSend    = "outbox/after-send"      // the peer has it, the outbox does not know
	atBeforeRetry  = "outbox/before-retry"    // a delivery failed, which is not yet recorded
	atBeforeDead   = "outbox/before-dead"     // a message is to be given up
	atBeforeDelete = "outbox/before-delete"   // in any transaction: delivered messages and finished tasks are to be deleted
	atBeforeTask   = "task/before-work"       // a task was read
	atAfterTask    = "task/after-work"        // a task is done, the store does not know
	atBeforeDrain  = "run/before-drain"       // Run was told to end
)

// Failpoints returns the names of the points at which [Config].UnsafeFailpoint is
// called, in the order in which one message meets them. A test that stops an agent at
// each of them and starts another on the same store has met every state a crash can
// leave behind.
func Failpoints() []string {
	return []string{
		atBeforeUnpack, atBeforeHandle, atAfterHandle, atBeforeReport, atBeforeCommit,
		atAfterCommit, atBeforeAnswer, atBeforeSend, atAfterPack, atAfterSend, atBeforeRetry,
		atBeforeDead, atBeforeDelete, atBeforeTask, atAfterTask, atBeforeDrain,
	}
}

// failpoint is where a test may end the goroutine, or the process.
func (a *Agent) failpoint(name string) {
	if f := a.config.UnsafeFailpoint; f != nil {
		f(name)
	}
}
