package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/staffpassport/staffpassport/didcomm/runtime"
)

// A chaos says how harsh a party is to its peers, as networks and agents of other makes
// are. The zero chaos is kind.
type chaos struct {
	dup     float64       // share of envelopes that are sent twice
	reorder float64       // share that is overtaken by what is sent after it
	drop    float64       // share that is lost, or whose acknowledgement is
	delay   time.Duration // longest time that an envelope is under way
	unknown float64       // share of messages with members that nobody knows
	minor   float64       // share that says a minor version of its protocol higher than ours
	seed    uint64        // of every choice
}

const chaosUsage = "dup=0.05,reorder=0.05,delay=200ms,drop=0.02,unknown-fields,minor+1,seed=7"

// parseChaos reads what follows -chaos: any of the parts of chaosUsage. unknown-fields
// and minor+1 may have a share too.
func parseChaos(text string) (chaos, error) {
	var c chaos
	if text == "" {
		return c, nil
	}
	for part := range strings.SplitSeq(text, ",") {
		name, value, given := strings.Cut(part, "=")
		shares := map[string]*float64{"dup": &c.dup, "reorder": &c.reorder, "drop": &c.drop, "unknown-fields": &c.unknown, "minor+1": &c.minor}
		share, ok := shares[name]
		var err error
		switch {
		case name == "delay" && given:
			c.delay, err = time.ParseDuration(value)
			ok = c.delay >= 0 && c.delay <= maxChaosDelay
		case name == "seed" && given:
			c.seed, err = strconv.ParseUint(value, 10, 64)
			ok = true
		case ok && !given && (name == "unknown-fields" || name == "minor+1"):
			*share = 1
		case ok && given:
			*share, err = strconv.ParseFloat(value, 64)
			ok = *share >= 0 && *share <= 1
		default:
			ok = false
		}
		if err != nil || !ok {
			return chaos{}, fmt.Errorf("-chaos: %q is none of %s", part, chaosUsage)
		}
	}
	if c.drop >= 1 {
		return chaos{}, errors.New("-chaos: drop has to be less than 1, or nothing ever arrives")
	}
	return c, nil
}

// maxChaosDelay is well below the time that one delivery may take.
const maxChaosDelay = 10 * time.Second

// harsh makes what the party of a role sends go through the chaos: for its answers see
// [harshSender.receiveOn]. It returns nil if there is none.
func (c chaos) harsh(role string, config *runtime.Config) *harshSender {
	if c == (chaos{}) {
		return nil
	}
	ctx, cancel := context.WithCancel(context.Background())
	h := fnv.New64a()
	_, _ = h.Write([]byte(role)) // a hash takes everything
	s := &harshSender{Sender: config.Sender, chaos: c, ctx: ctx, cancel: cancel, random: rand.New(rand.NewPCG(c.seed, h.Sum64()))}
	config.Sender = s
	config.Packer = harshPacker{config.Packer, c}
	return s
}

// end ends what is still held back.
func (s *harshSender) end() {
	if s != nil {
		s.cancel()
		s.held.Wait()
	}
}

// A harshSender is a bad line.
type harshSender struct {
	runtime.Sender
	chaos
	ctx    context.Context // ends with the party
	cancel context.CancelFunc
	held   sync.WaitGroup

	mu     sync.Mutex
	random *rand.Rand
}

// errDropped says that an envelope was lost, or that it seems so.
var errDropped = errors.New("agent: lost on the way")

// Send implements [runtime.Sender]. What is lost is said to be, as a connection that
// breaks says it: half of the time it has arrived all the same.
func (s *harshSender) Send(ctx context.Context, endpoint string, envelope []byte) error {
	dice := s.roll()
	if err := s.late(ctx, dice); err != nil {
		return err
	}
	if dice.reorder < s.reorder {
		s.hold(endpoint, envelope)
		return nil
	}
	return s.pass(dice, func() error { return s.Sender.Send(ctx, endpoint, envelope) })
}

// late keeps an envelope under way for a while.
func (s *harshSender) late(ctx context.Context, dice roll) error {
	return pause(ctx, time.Duration(dice.delay*float64(s.delay)))
}

// pass sends an envelope once, twice or not at all.
func (s *harshSender) pass(dice roll, send func() error) error {
	if dice.drop < s.drop/2 {
		return errDropped
	}
	err := send()
	if err == nil && dice.dup < s.dup {
		_ = send() // the first one counts
	}
	if err == nil && dice.drop < s.drop {
		return errDropped
	}
	return err
}

// hold sends an envelope later, when others have overtaken it. If it does not arrive
// then, it is tried again for as long as the party runs, and once more when that ends: the
// line has taken it, and loses it only if the program is killed or the peer is away then.
func (s *harshSender) hold(endpoint string, envelope []byte) {
	s.held.Go(func() {
		for wait, running := heldBack+s.delay, true; running; wait = heldBack {
			running = pause(s.ctx, wait) == nil
			ctx, cancel := context.WithTimeout(context.WithoutCancel(s.ctx), maxHeld)
			err := s.Sender.Send(ctx, endpoint, envelope)
			cancel()
			if err == nil {
				return
			}
		}
	})
}

const (
	heldBack = 100 * time.Millisecond
	maxHeld  = 2 * time.Second // how long the end of a party waits for a peer
)

// A roll decides about one envelope.
type roll struct{ dup, reorder, drop, delay float64 }

func (s *harshSender) roll() roll {
	s.mu.Lock()
	defer s.mu.Unlock()
	return roll{s.random.Float64(), s.random.Float64(), s.random.Float64(), s.random.Float64()}
}

func pause(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// A harshPacker is an agent of a newer make.
type harshPacker struct {
	runtime.Packer
	chaos
}

// Pack implements [runtime.Packer]. The same message is changed in the same way each
// time, as a peer that sends it again would send the same.
func (p harshPacker) Pack(ctx context.Context, plaintext []byte, r runtime.Route) ([]byte, error) {
	return p.Packer.Pack(ctx, p.changed(plaintext), r)
}

// changed returns a message with what the chaos adds, or as it is if that fails.
func (p harshPacker) changed(plaintext []byte) []byte {
	dice := p.dice(plaintext)
	unknown, minor := dice.Float64() < p.unknown, dice.Float64() < p.minor
	var m map[string]json.RawMessage
	if !unknown && !minor || json.Unmarshal(plaintext, &m) != nil {
		return plaintext
	}
	if minor {
		for _, name := range []string{"@type", "type"} {
			var t string
			if json.Unmarshal(m[name], &t) == nil {
				m[name], _ = json.Marshal(nextMinor(t)) // a text
			}
		}
	}
	if unknown {
		odd := json.RawMessage(`{"of":["a","newer","make",1,null,{"~x":true}]}`)
		m["x-chaos"], m["~chaos"] = odd, odd
		for _, name := range []string{"~thread", "body"} {
			var inner map[string]json.RawMessage
			if json.Unmarshal(m[name], &inner) == nil && inner != nil {
				inner["x-chaos"] = odd
				m[name], _ = json.Marshal(inner) // of what was just read
			}
		}
	}
	out, err := json.Marshal(m)
	if err != nil {
		return plaintext
	}
	return out
}

// dice are those for one message.
func (p harshPacker) dice(plaintext []byte) *rand.Rand {
	h := fnv.New64a()
	_, _ = h.Write(plaintext)
	return rand.New(rand.NewPCG(p.seed, h.Sum64()))
}

// nextMinor returns the type of a message in the next minor version of its protocol.
func nextMinor(t string) string {
	head, name, found := cutLast(t, "/")
	if !found {
		return t
	}
	protocol, version, found := cutLast(head, ".")
	minor, err := strconv.Atoi(version)
	if !found || err != nil {
		return t
	}
	return protocol + "." + strconv.Itoa(minor+1) + "/" + name
}

func cutLast(s, sep string) (before, after string, found bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}
