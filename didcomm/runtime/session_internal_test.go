package runtime

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

// Whoever opens many sessions, on one socket or on many, takes those of nobody else.
func TestAbuse_DC11_SessionsOfOthers(t *testing.T) {
	t.Parallel()
	s := newSessions()
	honest := newChannel("honest", nil)
	s.add(&session{channel: honest, peer: "river", connection: "river"})
	for i := range maxSessions + 8*maxChannelSessions {
		evil := newChannel(fmt.Sprint(i/maxChannelSessions), nil)
		if i%maxChannelSessions != 0 {
			evil = s.open[len(s.open)-1].channel
		}
		s.add(&session{channel: evil, peer: fmt.Sprint(i), connection: fmt.Sprint(i)})
	}
	require.Len(t, s.open, maxSessions)
	require.Same(t, honest, s.find("river", "", ""))
	id, ok := s.lasting("river")
	require.True(t, ok)
	require.Equal(t, "honest", id)

	for i := range 2 * maxChannelSessions {
		s.add(&session{channel: honest, peer: fmt.Sprint("name", i), connection: fmt.Sprint("name", i)})
	}
	_, ok = s.lasting("river")
	require.False(t, ok, "too many on one channel")
}
