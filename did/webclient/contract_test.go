package webclient_test

import (
	"net/http"
	"testing"

	"github.com/staffpassport/staffpassport/did/didtest"
	"github.com/staffpassport/staffpassport/did/webclient"
)

func TestGetterContract(t *testing.T) {
	t.Parallel()
	for name, status := range map[string]int{"not there": http.StatusNotFound, "gone": http.StatusGone} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newHost(t, func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path != "/known" {
					w.WriteHeader(status)
					return
				}
				document(w, r)
			})
			didtest.Getter(t, client(t, s, webclient.Options{}), s.URL+"/known", s.URL+"/unknown")
		})
	}
}
