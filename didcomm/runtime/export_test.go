package runtime

// The points that tests outside the package name.
const (
	AtBeforeReport = atBeforeReport
	AtAfterCommit  = atAfterCommit
	AtBeforeDrain  = atBeforeDrain
)

// Limits that tests stand on both sides of.
const (
	MaxStrangers = maxStrangers
	PruneBatch   = pruneBatch
	TaskTimeout  = taskTimeout

	MaxLane      = maxLane
	MaxLaneBytes = maxLaneBytes

	MaxReports          = maxReports
	MaxThreadReports    = maxThreadReports
	ReportWindow        = reportWindow
	MaxSessions         = maxSessions
	MaxStrangerSessions = maxStrangerSessions
	MaxPeerSessions     = maxPeerSessions
	MaxChannelSessions  = maxChannelSessions
)

// Lanes returns how many lanes there are while a runs.
func (a *Agent) Lanes() int {
	r := a.running()
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.lanes)
}

// Sessions returns how many channels a answers on.
func (a *Agent) Sessions() int {
	a.sessions.mu.Lock()
	defer a.sessions.mu.Unlock()
	return len(a.sessions.open)
}

// Early returns how many messages are held that came before their connection.
func (a *Agent) Early() int { return len(a.early) }
