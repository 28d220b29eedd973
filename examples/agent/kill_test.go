package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/runtime"
	"github.com/staffpassport/staffpassport/wallet"
)

// Environment variables of this file.
const (
	// childEnv makes a copy of the test binary be the agent: "command N" is the
	// command line of main, which waits to be killed after N lines, and anything
	// else a childPlan.
	childEnv = "STAFFPASSPORT_TEST_CHILD"
	// killsEnv is "all" for every kill there is; otherwise a part of them is drawn.
	killsEnv = "STAFFPASSPORT_KILLS"
)

func TestMain(m *testing.M) {
	plan := os.Getenv(childEnv)
	if plan == "" {
		os.Exit(m.Run())
	}
	if hold, ok := strings.CutPrefix(plan, "command "); ok {
		at, _ := strconv.Atoi(hold)
		out := &lineCounter{w: os.Stdout, at: at, then: wait}
		os.Exit(untilStopped(os.Args[1:], os.Stdin, out, os.Stderr))
	}
	os.Exit(child([]byte(plan)))
}

// A childPlan is what a process of the agent does other than the command.
type childPlan struct {
	Dir      string
	BasePort int
	Hold     int    // stop after so many lines, until it is killed
	Role     string // kill itself when this role
	Point    string // is at this failpoint
	Time     int    // for this time
	Trouble  bool   // make every failpoint be met: see trouble
	Forgets  string // the role whose store loses its last commits
	Commits  int    // so many
}

// child runs a plan, and returns the exit code.
func child(plan []byte) int {
	var c childPlan
	err := json.Unmarshal(plan, &c)
	d := c.demo(os.Stdout, os.Stderr)
	if err == nil {
		d.record, err = readStaffFiles("", "")
	}
	if err == nil {
		err = d.run(context.Background())
	}
	if err != nil {
		explain(os.Stderr, err)
		return exitFailed
	}
	return exitOK
}

// failpoints calls f at each of the runtime's failpoints.
func (c childPlan) failpoints(f func(role, point string)) func(role string, config *runtime.Config) {
	return func(role string, config *runtime.Config) {
		config.UnsafeFailpoint = func(point string) { f(role, point) }
		if c.Trouble {
			config.Sender = &failing{Sender: config.Sender}
		}
	}
}

// demo makes the agent of a plan.
func (c childPlan) demo(out, log io.Writer) *demo {
	d := &demo{options: options{auto: true, dataDir: c.Dir, basePort: c.BasePort}, log: log}
	lines := &lineCounter{w: out, at: c.Hold, then: wait}
	if c.Trouble {
		lines.at, lines.then = 7, func() { trouble(d) } // everybody is connected
	}
	d.out = lines
	var times atomic.Int32
	at := func(role, point string) {
		if role == c.Role && point == c.Point && int(times.Add(1)) == c.Time {
			kill()
		}
	}
	d.hooks = hooks{unlocker: cheapKey{},
		tune:      c.failpoints(at),
		failpoint: at,
		store: func(role string, s wallet.Store) wallet.Store {
			if role == c.Forgets {
				s = &forgetful{Store: s, dir: filepath.Join(c.Dir, role), commits: c.Commits}
			}
			if c.Trouble {
				s = &stumbling{Store: s}
			}
			return s
		},
	}
	return d
}

// wait does not return.
func wait() { select {} }

// kill ends the process by SIGKILL: nothing of it runs any more.
func kill() {
	if p, err := os.FindProcess(os.Getpid()); err == nil {
		_ = p.Kill()
	}
	wait()
}

// cheapKey opens wallets at once: what a process does with an open wallet does not
// depend on how long opening takes.
type cheapKey struct{}

func (cheapKey) Unlock(context.Context, []byte) ([]byte, error) {
	return []byte("thirty-two bytes of no secret at all"), nil
}

// A lineCounter calls then once it has written so many lines.
type lineCounter struct {
	w    io.Writer
	n    int
	at   int
	then func()
}

func (c *lineCounter) Write(b []byte) (int, error) {
	n, err := c.w.Write(b)
	c.n += bytes.Count(b, []byte("\n"))
	if c.at > 0 && c.n == c.at {
		c.at = 0
		c.then()
	}
	return n, err
}

// trouble makes each role send messages that its peers have to report as problems,
// and some that are too old to be sent, so that those failpoints are met too.
func trouble(d *demo) {
	for _, m := range []struct {
		from           *party
		to             int // the how manieth connection
		protocol, name string
	}{
		{d.employer.party, 0, "issue-credential", "issue-credential"},
		{d.staff.party, 0, "issue-credential", "request-credential"},
		{d.staff.party, 1, "present-proof", "presentation"},
		{d.host.party, 0, "present-proof", "request-presentation"},
	} {
		if err := m.from.sendTrouble(m.to, didcomm.Type{Protocol: m.protocol, Major: 2, Name: m.name}); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
	}
}

func (p *party) sendTrouble(to int, typ didcomm.Type) error {
	all, err := p.connect.Exchanges(context.Background())
	if err != nil {
		return err
	}
	return p.agent.Update(context.Background(), func(tx didcomm.Tx) error {
		c, err := tx.Connection(all[to].ID)
		if err != nil {
			return err
		}
		for _, expires := range []time.Time{{}, p.now().Add(-time.Hour)} {
			m, err := didcomm.New(didcomm.NewID(), typ, didcomm.NewID(), "", nil)
			if err != nil {
				return err
			}
			m.Expires = expires
			if err := tx.Send(c, m); err != nil {
				return err
			}
		}
		return nil
	})
}

// A stumbling store refuses some of the transactions in which messages are received
// and tasks done: those are the ones with a deadline.
type stumbling struct {
	wallet.Store
	n atomic.Int32
}

func (s *stumbling) Update(ctx context.Context, f func(wallet.StoreTx) error) error {
	if _, limited := ctx.Deadline(); limited && s.n.Add(1)%7 == 2 {
		return errors.New("no space left on device")
	}
	return s.Store.Update(ctx, f)
}

// A failing sender loses its second message, so that every role comes to a retry: which
// deliveries a stumbling store of the peer refuses depends on how its work falls.
type failing struct {
	runtime.Sender
	n atomic.Int32
}

func (s *failing) Send(ctx context.Context, endpoint string, envelope []byte) error {
	if s.n.Add(1) == 2 {
		return errors.New("connection refused")
	}
	return s.Sender.Send(ctx, endpoint, envelope)
}

// A forgetful store loses its last commits when the process is killed, as one that
// does not sync loses them with the power. It is a planted bug: before each Update it
// keeps the files, and recall puts the oldest of those back.
type forgetful struct {
	wallet.Store
	dir     string
	commits int
	mu      sync.Mutex
	n       int
}

func (s *forgetful) Update(ctx context.Context, f func(wallet.StoreTx) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	slot := func(n int) string { return fmt.Sprint("before-", n%(s.commits+1)) } // one more than is kept: it may be killed here
	for _, suffix := range []string{"", "-wal"} {
		b, err := os.ReadFile(filepath.Join(s.dir, "wallet.db"+suffix))
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(s.dir, slot(s.n)+suffix), b, 0o600); err != nil {
			return err
		}
	}
	oldest := filepath.Join(s.dir, "oldest")
	if err := os.WriteFile(oldest+"-new", []byte(slot(max(0, s.n+1-s.commits))), 0o600); err != nil {
		return err
	}
	if err := os.Rename(oldest+"-new", oldest); err != nil {
		return err
	}
	s.n++
	return s.Store.Update(ctx, f)
}

func recall(t *testing.T, dir string) {
	t.Helper()
	slot, err := os.ReadFile(filepath.Join(dir, "oldest"))
	require.NoError(t, err)
	for _, suffix := range []string{"", "-wal"} {
		require.NoError(t, os.Rename(filepath.Join(dir, string(slot)+suffix), filepath.Join(dir, "wallet.db"+suffix)))
	}
	require.NoError(t, os.RemoveAll(filepath.Join(dir, "wallet.db-shm")))
}

// givenPorts are those that freePorts gave out: between two runs of its process a test
// holds them without listening.
var givenPorts sync.Map

// freePorts returns the first of four free ports, below those that the system gives
// out by itself and given to no other test, so that they are still free when a process
// comes back to them.
func freePorts(t testing.TB) int {
	t.Helper()
	for range 200 {
		base := 10_000 + 4*rand.IntN(5_000)
		if base == 0 || !lasting(base) || !lasting(base+1) || !lasting(base+2) || !lasting(base+3) {
			continue
		}
		if _, given := givenPorts.LoadOrStore(base, true); given {
			continue
		}
		return base
	}
	t.Fatal("no free ports")
	return 0
}

func lasting(port int) bool {
	l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err == nil {
		_ = l.Close()
	}
	return err == nil
}

// A process is one run of the agent in a process of its own.
type process struct {
	cmd    *exec.Cmd
	stdout *bufio.Reader
	stderr safeBuffer
	lines  []string
}

// begin starts a process that follows a plan.
func begin(t *testing.T, plan childPlan) *process {
	t.Helper()
	b, err := json.Marshal(plan)
	require.NoError(t, err)
	return start(t, nil, childEnv+"="+string(b))
}

// beginCommand starts a process that is the command with these arguments, and that
// waits to be killed once it has printed hold lines, unless that is 0.
func beginCommand(t *testing.T, hold int, args ...string) *process {
	t.Helper()
	return start(t, args, childEnv+"=command "+strconv.Itoa(hold), "STAFFPASSPORT_PASSPHRASE="+killPassphrase)
}

func start(t *testing.T, args []string, env ...string) *process {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	p := &process{cmd: exec.Command(self, args...)}
	p.cmd.Env = append(os.Environ(), env...)
	p.cmd.Stderr = &p.stderr
	out, err := p.cmd.StdoutPipe()
	require.NoError(t, err)
	p.stdout = bufio.NewReader(out)
	require.NoError(t, p.cmd.Start())
	t.Cleanup(func() { _ = p.cmd.Process.Kill() })
	return p
}

const killPassphrase = "correct horse battery staple"

// read reads lines until there are so many, or the process has ended.
func (p *process) read(most int) {
	for len(p.lines) < most {
		line, err := p.stdout.ReadString('\n')
		if err != nil {
			return
		}
		p.lines = append(p.lines, line)
	}
}

// end waits for the process, and returns its exit code, -1 if it was killed.
func (p *process) end() int {
	p.read(1 << 20)
	_ = p.cmd.Wait()
	return p.cmd.ProcessState.ExitCode()
}

// done counts the lines that say that a step was done.
func (p *process) done() (n int) {
	for _, l := range p.lines {
		if strings.HasPrefix(l, "ok ") {
			n++
		}
	}
	return n
}

// survives looks at what a killed process left in dir, runs the agent again until it
// is done, and looks once more.
func survives(t *testing.T, dir string, u wallet.Unlocker, killed *process, again func() *process) {
	t.Helper()
	before := look(t, dir, u)
	require.Empty(t, acknowledged(before, killed.done()), "after the kill\n%s", strings.Join(killed.lines, ""))
	p := again()
	requireWalked(t, p.end(), strings.Join(p.lines, ""), p.stderr.String())
	after := look(t, dir, u)
	require.Empty(t, regressed(before, after))
	if before["host"].journey.Ended { // the line was over already: this was another one
		for _, k := range before { // what was done a moment before the kill is struck off together, later, and is done again
			clear(k.waiting)
		}
		require.Empty(t, walked(before))
		require.Empty(t, stuck(after))
		require.Len(t, after["staff"].credentials, 2)
		return
	}
	require.Empty(t, walked(after))
}

// steps is how many lines demo -auto prints before its last.
const steps = 18

// allKills reports whether every kill is wanted. It says so in the log of the test,
// and what a part of them leaves out.
func allKills(t *testing.T) bool {
	all := os.Getenv(killsEnv) == "all"
	if !all {
		t.Logf("a part of the kills; %s=all for all of them", killsEnv)
	}
	return all
}

// TestKill_BetweenSteps kills the program after each line it prints, and starts it
// again in the same folder. Some of the programs, or with all kills every one, are the
// command with its passphrase, which is slow on purpose; the others open their wallets
// at once.
func TestKill_BetweenSteps(t *testing.T) {
	t.Parallel()
	all := allKills(t)
	for gap := 1; gap <= steps; gap++ {
		t.Run(fmt.Sprint("after ", gap), func(t *testing.T) {
			t.Parallel()
			plan := childPlan{Dir: t.TempDir(), BasePort: freePorts(t), Hold: gap}
			var unlocker wallet.Unlocker = cheapKey{}
			run := func(hold int) *process {
				plan.Hold = hold
				return begin(t, plan)
			}
			if all || gap%4 == 1 {
				unlocker = wallet.Passphrase(killPassphrase)
				run = func(hold int) *process {
					return beginCommand(t, hold, "demo", "-auto", "-data", plan.Dir, "-base-port", fmt.Sprint(plan.BasePort))
				}
			}
			p := run(gap)
			p.read(gap)
			require.NoError(t, p.cmd.Process.Kill())
			require.Equal(t, -1, p.end(), p.stderr.String())
			require.Equal(t, gap, p.done())
			survives(t, plan.Dir, unlocker, p, func() *process { return run(0) })
		})
	}
}

// needsTrouble are the failpoints that a line without trouble does not meet.
func needsTrouble(point string) bool {
	return point == "receive/before-problem" || point == "outbox/before-retry" || point == "outbox/before-dead"
}

// pointsMet counts how often a line comes by each failpoint, by role.
func pointsMet(t *testing.T, troubled bool) map[string]int {
	t.Helper()
	var mu sync.Mutex
	met := map[string]int{}
	plan := childPlan{Dir: t.TempDir(), Trouble: troubled}
	d := plan.demo(io.Discard, t.Output())
	d.hooks.failpoint = func(role, point string) {
		mu.Lock()
		defer mu.Unlock()
		met[role+" "+point]++
	}
	d.hooks.tune = plan.failpoints(d.hooks.failpoint)
	var err error
	if d.record, err = readStaffFiles("", ""); err == nil {
		err = d.run(t.Context())
	}
	require.NoError(t, err)
	return met
}

// TestKill_Failpoints lets each role kill the process at each failpoint of the
// runtime, and starts it again.
func TestKill_Failpoints(t *testing.T) {
	t.Parallel()
	all := allKills(t)
	met := map[bool]map[string]int{false: pointsMet(t, false), true: pointsMet(t, true)}
	var c killCount
	t.Run("at", func(t *testing.T) {
		for i, point := range runtime.Failpoints() {
			for j, role := range []string{"employer", "staff", "host"} {
				n := met[needsTrouble(point)][role+" "+point]
				require.Positive(t, n, "%s never comes by %s", role, point)
				times := []int{1, (n + 1) / 2, n}
				if !all {
					times = []int{1 + (7*i+j)%n}
				}
				if !all && i%3 != j { // each point in one role
					continue
				}
				c.killAt(t, role, point, times)
			}
		}
	})
	t.Logf("%d kills at failpoints; %d were not met once more", c.kills.Load(), c.missed.Load())
}

// TestKill_Publishing kills the process around the signing of what the employer and the
// authority publish, and the authority at the failpoints of the runtime that it comes by:
// a change that was made is published, once, whenever the process dies.
func TestKill_Publishing(t *testing.T) {
	t.Parallel()
	all := allKills(t)
	met := pointsMet(t, false)
	var c killCount
	t.Run("at", func(t *testing.T) {
		for _, role := range []string{"employer", "authority"} {
			points := failpoints(role)
			if role == "authority" {
				points = append(points, "update/before-commit", "update/after-commit", "task/before-work", "task/after-work")
			}
			for i, point := range points {
				n := met[role+" "+point]
				require.Positive(t, n, "%s never comes by %s", role, point)
				own := i < len(failpoints(role))
				times := []int{1 + i%n, n}
				switch {
				case all && own:
					times = nil
					for k := range n {
						times = append(times, k+1)
					}
				case all:
					times = []int{1, (n + 1) / 2, n}
				case !own:
					times = times[:1]
				}
				c.killAt(t, role, point, times)
			}
		}
	})
	t.Logf("%d kills around publishing; %d were not met once more", c.kills.Load(), c.missed.Load())
}

// A killCount counts the kills at failpoints.
type killCount struct{ kills, missed atomic.Int32 }

// killAt kills the process when a role comes by a failpoint for each of these times.
func (c *killCount) killAt(t *testing.T, role, point string, times []int) {
	slices.Sort(times)
	for _, n := range slices.Compact(times) {
		t.Run(fmt.Sprint(point, "/", role, "/", n), func(t *testing.T) {
			t.Parallel()
			plan := childPlan{Dir: t.TempDir(), BasePort: freePorts(t), Role: role, Point: point, Time: n, Trouble: needsTrouble(point)}
			p := begin(t, plan)
			switch code := p.end(); {
			case code == -1:
				c.kills.Add(1)
			case code == exitOK && n > 1: // this time it came by less often
				c.missed.Add(1)
			default:
				t.Fatalf("not killed\n%s\n%s", strings.Join(p.lines, ""), p.stderr.String())
			}
			again := childPlan{Dir: plan.Dir, BasePort: plan.BasePort}
			survives(t, plan.Dir, cheapKey{}, p, func() *process { return begin(t, again) })
		})
	}
}

// TestKill_Anywhere kills the process at times that nobody chose, also while the
// wallets are made.
func TestKill_Anywhere(t *testing.T) {
	t.Parallel()
	n := 6
	if allKills(t) {
		n = 60
	}
	var kills atomic.Int32
	t.Run("after", func(t *testing.T) {
		for i := range n {
			after := time.Duration(i+1) * 400 * time.Millisecond / time.Duration(n)
			t.Run(after.String(), func(t *testing.T) {
				t.Parallel()
				plan := childPlan{Dir: t.TempDir(), BasePort: freePorts(t)}
				p := begin(t, plan)
				timer := time.AfterFunc(after, func() { _ = p.cmd.Process.Kill() })
				defer timer.Stop()
				if p.end() == -1 {
					kills.Add(1)
				}
				survives(t, plan.Dir, cheapKey{}, p, func() *process { return begin(t, plan) })
			})
		}
	})
	t.Logf("%d of %d killed before the end", kills.Load(), n)
}

// TestKill_FindsPlantedBugs: the tests above are worth something only if they find a
// store that says "durable" of what is not.
func TestKill_FindsPlantedBugs(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		role    string // whose store forgets
		commits int    // how many
		gap     int    // killed after this line,
		hold    time.Duration
		want    string
	}{
		{"a contact", "employer", 1, 2, 0, "acknowledged and lost: contact"},
		{"an offer", "employer", 3, 4, 0, "acknowledged and lost: offer"},
		{"an accepted passport", "staff", 4, 5, 200 * time.Millisecond, "acknowledged and lost: passport"},
		{"a message that was acknowledged over HTTP", "staff", 4, 4, 200 * time.Millisecond, "stuck or lost: issue"},
		{"a revocation", "employer", 3, 17, 0, "acknowledged and lost: revocation"},
		{"an organisation on the list", "authority", 3, 15, 0, "acknowledged and lost: organisation put back on the list"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			plan := childPlan{Dir: t.TempDir(), BasePort: freePorts(t), Hold: c.gap, Forgets: c.role, Commits: c.commits}
			p := begin(t, plan)
			p.read(c.gap)
			time.Sleep(c.hold)
			require.NoError(t, p.cmd.Process.Kill())
			require.Equal(t, -1, p.end(), p.stderr.String())
			require.Empty(t, acknowledged(look(t, plan.Dir, cheapKey{}), p.done()))
			recall(t, filepath.Join(plan.Dir, c.role))
			require.Contains(t, strings.Join(acknowledged(look(t, plan.Dir, cheapKey{}), p.done()), "\n"), c.want)
		})
	}
}
