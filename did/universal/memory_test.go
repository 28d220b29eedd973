package universal_test

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/did/universal"
)

// The documents that are kept take 32 MiB of memory, and not 32 MiB as JSON.
func TestAbuse_DW05_MemoryOfTheCache(t *testing.T) { // not parallel, nor its parts: it measures
	list := func(one string) string {
		return strings.TrimSuffix(strings.Repeat(one+",", 250_000/(len(one)+1)), ",")
	}
	members := func(value string) string {
		var b strings.Builder
		for i := range 15_000 {
			fmt.Fprintf(&b, `"%x":%s,`, i, value)
		}
		return strings.TrimSuffix(b.String(), ",")
	}
	var keys strings.Builder
	for i := range 128 {
		fmt.Fprintf(&keys, `{"id":"#%d","type":"Multikey","controller":"ME","publicKeyMultibase":"z6MkpTHR8VNsBxYAAWHut2Geadd9jSwuBV8xRoAnwWsdvktH"},`, i)
	}
	for name, c := range map[string]struct {
		rest  string
		count int // of documents: by far more than are kept
	}{
		"numbers":     {`"x":[` + list(`0`) + `]`, 12},
		"lists":       {`"x":[` + list(`[]`) + `]`, 12},
		"pairs":       {`"x":[` + list(`{"a":0}`) + `]`, 12},
		"members":     {members(`0`), 50},
		"a map":       {`"x":{` + members(`{}`) + `}`, 50},
		"aliases":     {`"alsoKnownAs":[` + list(`"a"`) + `]`, 20},
		"keys":        {`"verificationMethod":[` + strings.TrimSuffix(keys.String(), ",") + `]`, 600},
		"a long text": {`"x":"` + strings.Repeat("a", 250_000) + `"`, 150},
		"escapes":     {`"x":"` + strings.Repeat(`\u0001`, 40_000) + `"`, 150},
	} {
		t.Run(name, func(t *testing.T) {
			m := &method{answer: func(_ context.Context, id did.DID, _ did.Version) (*did.Resolution, error) {
				d, err := did.ParseDocument([]byte(strings.ReplaceAll(`{"id":"ME",`+c.rest+`}`, "ME", id.String())))
				return &did.Resolution{Document: d}, err
			}}
			r := universal.New(universal.Config{Methods: did.Mux{"web": m}})
			var before, after runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			for i := range c.count {
				_, err := r.Resolve(t.Context(), id(t, fmt.Sprintf("did:web:n%d.example", i)), did.Version{})
				require.NoError(t, err)
			}
			runtime.GC()
			runtime.ReadMemStats(&after)
			require.Less(t, int64(after.HeapAlloc)-int64(before.HeapAlloc), int64(44<<20))
			runtime.KeepAlive(r)
		})
	}
}
