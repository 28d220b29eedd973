package walletstore_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/didcomm"
)

// killDir tells a copy of the test binary to be the process that is killed.
const killDir = "STAFFPASSPORT_TEST_KILL_DIR"

const killThreads = 120

func manyThreads() (all []string) {
	for i := range killThreads {
		all = append(all, fmt.Sprint("t", i))
	}
	return all
}

// partiesIn returns the two parties whose wallets and keys are in dir.
func partiesIn(t *testing.T, dir string) (a, b *party) {
	net := &network{}
	a, b = newParty(t, net, dir, "ash"), newParty(t, net, dir, "birch")
	net.join(a, b)
	data, err := os.ReadFile(filepath.Join(dir, "peers.json"))
	require.NoError(t, err)
	peers := []*didcomm.Connection{&a.peer, &b.peer}
	require.NoError(t, json.Unmarshal(data, &peers))
	return a, b
}

// A process with both parties is killed, again and again, in the midst of its work. It
// loses nothing, does nothing twice and acknowledges nothing it does not have.
func TestKill(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("kills processes for some seconds; run without -short")
	}
	a, b := pair(t, &network{}, didcomm.V1)
	dir := filepath.Dir(filepath.Dir(a.path))
	peers, err := json.Marshal([]didcomm.Connection{a.peer, b.peer})
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "peers.json"), peers, 0o600))

	look := func(end bool) {
		t.Helper()
		a.open()
		b.open()
		require.Empty(t, audit(a, b, manyThreads(), end))
		for _, p := range []*party{a, b} {
			_, err := p.logWhole()
			require.NoError(t, err)
			require.NoError(t, p.current().wallet.Close())
		}
	}
	dice := rand.New(rand.NewPCG(1, 1))
	for range 10 {
		_ = child(t, dir, 5*time.Millisecond+time.Duration(dice.IntN(95))*time.Millisecond)
		look(false)
	}
	require.NoError(t, child(t, dir, time.Minute))
	look(true)
}

// child runs the other process, and kills it if it is not done after so much work.
func child(t *testing.T, dir string, work time.Duration) error {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.Command(self, "-test.run=^TestKill_Child$", "-test.count=1")
	cmd.Env = append(os.Environ(), killDir+"="+dir)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	lines := bufio.NewReader(out)
	first, _ := lines.ReadString('\n')
	var killed atomic.Bool
	timer := time.AfterFunc(work, func() {
		killed.Store(true)
		_ = cmd.Process.Kill() // SIGKILL: nothing of it runs any more
	})
	defer timer.Stop()
	rest, _ := io.ReadAll(lines)
	if err = cmd.Wait(); err != nil && !killed.Load() {
		t.Fatalf("the other process failed: %v\n%s%s", err, first, rest)
	}
	return err
}

// TestKill_Child is the process that TestKill kills.
func TestKill_Child(t *testing.T) {
	dir := os.Getenv(killDir)
	if dir == "" {
		t.Skip("run by TestKill, in a process of its own")
	}
	a, b := partiesIn(t, dir)
	a.start()
	b.start()
	fmt.Println("working")
	require.Empty(t, converge(a, b, manyThreads(), time.Minute))
	a.stop()
	b.stop()
}
