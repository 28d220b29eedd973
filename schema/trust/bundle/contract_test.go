package bundle_test

import (
	"testing"

	"github.com/staffpassport/staffpassport/did/didtest"
	"github.com/staffpassport/staffpassport/schema/trust/bundle"
)

func TestGetterContract(t *testing.T) {
	t.Parallel()
	const gone = "https://alder-valley.example/gone"
	b := open(t, build(t, plan(t, small(), func(p *bundle.Plan) {
		p.URLs = append(p.URLs, gone)
		p.Missing = func(string, error) {}
	})))
	didtest.Getter(t, b, listURL, gone)
}
