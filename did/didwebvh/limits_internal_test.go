package didwebvh

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/internal/strictjson"
)

// long returns a log with that many entries.
func long(t testing.TB, entries int) []byte {
	t.Helper()
	steps := []step{dated(1, step{parameters: first})}
	for i := 1; i < entries; i++ {
		steps = append(steps, step{parameters: `{}`, time: day(2).Add(time.Duration(i) * time.Second).Format(time.RFC3339)})
	}
	return writeLog(t, steps...)
}

func TestLimitEntries(t *testing.T) {
	t.Parallel()
	log := long(t, maxEntries+1)
	cut := bytes.LastIndexByte(log[:len(log)-1], '\n') + 1
	l, err := OpenLog(log[:cut], nil, now)
	require.NoError(t, err)
	require.Equal(t, maxEntries, l.Len())
	_, err = OpenLog(log, nil, now)
	var at *EntryError
	require.ErrorAs(t, err, &at)
	require.Equal(t, maxEntries+1, at.Entry)
	require.ErrorIs(t, err, ErrMalformed)
	_, err = resolveAt(t, site{log: log}, l.DID(), did.Version{})
	require.ErrorIs(t, err, ErrMalformed)
	_, err = resolveAt(t, site{log: log}, l.DID(), did.Version{Number: maxEntries})
	require.NoError(t, err)
	_, err = l.Update(context.Background(), Change{Key: keySigner(t, 1), Now: func() time.Time { return now }})
	require.ErrorIs(t, err, ErrMalformed)
}

// TestLimits has the last that passes and the first that does not.
func TestLimits(t *testing.T) {
	t.Parallel()
	texts := func(n int, form string) string {
		list := make([]string, n)
		for i := range list {
			list[i] = fmt.Sprintf(form, i)
		}
		return "[" + strings.Join(list, ",") + "]"
	}
	keys := func(n int) string {
		list := make([]string, n)
		for i := range list {
			list[i] = `"` + multikeyText(byte(i+1)) + `"`
		}
		return strings.Replace(first, `["{K1}"]`, "["+strings.Join(list, ",")+"]", 1)
	}
	witnesses := func(n int) string {
		list := make([]string, n)
		for i := range list {
			list[i] = `{"id":"did:key:` + multikeyText(byte(i+1)) + `"}`
		}
		return withParameters(`"witness":{"threshold":1,"witnesses":[` + strings.Join(list, ",") + `]}`)
	}
	text := func(n int) string { return `"` + strings.Repeat("h", n) + `"` }
	for name, c := range map[string][2]string{ // parameters
		"update keys": {keys(maxKeys), keys(maxKeys + 1)},
		"hashes":      {withParameters(`"nextKeyHashes":` + texts(maxHashes, `"%d"`)), withParameters(`"nextKeyHashes":` + texts(maxHashes+1, `"%d"`))},
		"hash":        {withParameters(`"nextKeyHashes":[` + text(maxText) + `]`), withParameters(`"nextKeyHashes":[` + text(maxText+1) + `]`)},
		"watchers":    {withParameters(`"watchers":` + texts(maxWatchers, `"https://w%d.example/"`)), withParameters(`"watchers":` + texts(maxWatchers+1, `"https://w%d.example/"`))},
		"witnesses":   {witnesses(maxWitnesses), witnesses(maxWitnesses + 1)},
	} {
		_, err := OpenLog(writeLog(t, step{parameters: c[0]}), nil, now)
		require.NoError(t, err, name)
		_, err = OpenLog(writeLog(t, step{parameters: c[1]}), nil, now)
		require.ErrorIs(t, err, ErrParameters, name)
	}

	// Depth: two levels are the entry's own.
	nested := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	_, err := OpenLog(writeLog(t, step{parameters: first, state: `{"id":"{DID}","x":` + nested(strictjson.DefaultMaxDepth-2) + `}`}), nil, now)
	require.NoError(t, err)
	log := bytes.Replace(writeLog(t, step{parameters: first}), []byte(`"state":{`), []byte(`"state":{"x":`+nested(strictjson.DefaultMaxDepth-1)+`,`), 1)
	_, err = OpenLog(log, nil, now)
	require.ErrorIs(t, err, strictjson.ErrTooDeep)

	// Bytes of an entry, and of a log.
	fitting := func(n int) []byte {
		empty := writeLog(t, step{parameters: first, state: `{"id":"{DID}","x":""}`})
		return writeLog(t, step{parameters: first, state: `{"id":"{DID}","x":"` + strings.Repeat("x", n-len(bytes.TrimSpace(empty))) + `"}`})
	}
	_, err = OpenLog(pad(fitting(maxEntry), maxEntry), nil, now)
	require.NoError(t, err)
	_, err = OpenLog(pad(fitting(maxEntry+1), maxEntry+1), nil, now)
	require.ErrorIs(t, err, strictjson.ErrTooLarge)
	one := bytes.TrimSpace(writeLog(t, step{parameters: first}))
	_, err = OpenLog(append(one, bytes.Repeat([]byte(" "), maxLog+1-len(one))...), nil, now)
	require.ErrorIs(t, err, ErrMalformed)
	var at *EntryError
	require.NotErrorAs(t, err, &at, "no entry of it was looked at")
}

// pad adds spaces, which JSON lets be, until the line has n bytes: signatures are not
// all of one length in base58.
func pad(log []byte, n int) []byte {
	line := bytes.TrimSpace(log)
	for len(line) < n {
		line = append(line, ' ')
	}
	return line[:n]
}

// TestHostileSize: the worst that fits the limits is refused quickly.
func TestHostileSize(t *testing.T) {
	t.Parallel()
	entry := bytes.TrimSpace(writeLog(t, step{parameters: first}))
	for name, log := range map[string][]byte{
		"a million lines":     bytes.Repeat([]byte("\n"), maxLog),
		"deep":                bytes.Repeat([]byte("["), maxLog),
		"many values":         append([]byte(`{"a":[`), bytes.Repeat([]byte("0,"), maxLog/2-10)...),
		"many members":        []byte(`{` + strings.Repeat(`"a":0,`, maxLog/6-10)),
		"many good first":     bytes.Repeat(append(bytes.Clone(entry), '\n'), maxLog/(len(entry)+1)),
		"a long number":       append([]byte(`{"versionId":`), bytes.Repeat([]byte("9"), maxLog-20)...),
		"a long base58 value": bytes.Replace(entry, []byte(`"proofValue":"z`), []byte(`"proofValue":"z`+strings.Repeat("2", maxEntry-len(entry)-20)), 1),
		"a long key":          bytes.Replace(entry, []byte(`"updateKeys":["z`), []byte(`"updateKeys":["z`+strings.Repeat("2", maxEntry-len(entry)-20)), 1),
	} {
		begun := time.Now()
		_, err := OpenLog(log, nil, now)
		require.ErrorIs(t, err, did.ErrInvalid, name)
		t.Logf("%s: %v", name, time.Since(begun).Round(100*time.Microsecond))
	}
}
