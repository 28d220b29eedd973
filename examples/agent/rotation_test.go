package main

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/didcomm"
)

// The employer uses new keys with a wallet, from the page of the contact, and the line goes
// on: over the same connection, in both versions, and with a wallet behind a mediator.
func TestRotateKeys(t *testing.T) {
	t.Parallel()
	for name, v := range map[string]didcomm.Version{"version 1": didcomm.V1, "version 2": didcomm.V2} {
		for _, behind := range []string{"", ", behind a mediator"} {
			t.Run(name+behind, func(t *testing.T) {
				t.Parallel()
				d := cheaply(t)
				d.version = v
				if behind != "" {
					d.mediator = startMediatorOf(t, v, t.TempDir()).link
				}
				running(t, d)
				if behind != "" {
					d.staff.joined(t)
				}
				w := walking(t, d, connected)
				c := endpointOf(t, d, w.contact.Invitation)
				b := atLink(t, d.employer.site.link(d.employer.base()))
				page := "/contacts/" + w.contact.ID
				b.get(page).submit(page+"/keys", nil, nil).answered(http.StatusOK).sees("Use new keys")
				require.NoError(t, d.staff.rotate(t.Context(), w.journey.Employer), "both at once")
				require.NoError(t, waitFor(t.Context(), d.employer.party, func() (bool, error) {
					now := d.employer.connection(t, c.ID)
					return now.Mine != c.Mine && now.Theirs != c.Theirs, nil
				}))
				w.take(t, w.offer, w.accept)
				after := d.employer.connection(t, c.ID)
				require.NoError(t, waitFor(t.Context(), d.staff.party, func() (bool, error) {
					theirs := d.staff.connection(t, w.journey.Employer)
					return theirs.Mine == after.Theirs && theirs.Theirs == after.Mine, nil
				}))
			})
		}
	}
}

// A second change before the wallet has answered the first is refused, and so is one without
// a connection.
func TestRotateKeys_TooEarly(t *testing.T) {
	t.Parallel()
	d := running(t, cheaply(t))
	w := walking(t, d, connected)
	quiet(t, d)
	d.staff.stop()
	b := atLink(t, d.employer.site.link(d.employer.base()))
	page := "/contacts/" + w.contact.ID
	b.get(page).submit(page+"/keys", nil, nil).answered(http.StatusOK)
	b.get(page).submit(page+"/keys", nil, nil).answered(http.StatusConflict).sees("not answered")
	require.ErrorIs(t, d.employer.rotate(t.Context(), "nobody"), didcomm.ErrNotFound)
}
