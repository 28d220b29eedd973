package main

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/present"
	"github.com/staffpassport/staffpassport/vc"
)

// TestAbuse_LG02_WhatWasAskedForIsFound is the negative control of demo -auto: a host
// that asks for more gets it, in either form, and the demo finds it there.
func TestAbuse_LG02_WhatWasAskedForIsFound(t *testing.T) {
	t.Parallel()
	for form, inToken := range map[string]bool{present.FormDataIntegrity: false, present.FormSDJWTVC: true} {
		for name, at := range map[string]vc.Pointer{
			"nationalInsuranceNumber": "/credentialSubject/personal/nationalInsuranceNumber",
			"dateOfBirth":             "/credentialSubject/personal/dateOfBirth",
			"payBand":                 "/credentialSubject/employment/payBand",
		} {
			t.Run(name+" in "+form, func(t *testing.T) {
				t.Parallel()
				d := cheaply(t)
				d.auto = true // which listens
				running(t, d)
				w := walking(t, d, visiting)
				greedy := onboarding(form)
				greedy.Ask = append(greedy.Ask, at)
				if inToken {
					w.take(t, w.ask, w.show, w.verify)
					_, err := w.host.ask(t.Context(), w.visit, greedy, func(tx didcomm.Tx, exchange string) error {
						w.journey.Token = exchange
						return w.journey.save(tx)
					})
					require.NoError(t, err)
					w.take(t, w.token)
				} else {
					_, err := w.host.request(t.Context(), w.visit, greedy)
					require.NoError(t, err)
					w.take(t, w.ask, w.show, w.verify, w.token)
				}
				require.EqualError(t, w.little(t.Context()), name+" reached the host")

				value := withheld(w.record.passport)[name]
				for exchange, there := range map[string]bool{w.visit.Exchange: !inToken, w.journey.Token: inToken} {
					x, err := w.host.verifier.Exchange(t.Context(), exchange)
					require.NoError(t, err)
					heard := false
					for _, m := range w.host.listener.in(x.Thread) {
						heard = heard || finds(m, value, maxNesting)
					}
					require.Equal(t, there, heard, "in the messages")
					r, err := w.host.result(t.Context(), exchange)
					require.NoError(t, err)
					require.Equal(t, there, finds(r.Presentation, value, maxNesting), "in what is kept")
				}
			})
		}
	}
}

// TestLittle: without a greedy host there is nothing to find, and a demo that did not
// listen finds that out.
func TestLittle(t *testing.T) {
	t.Parallel()
	d := cheaply(t)
	d.auto = true
	running(t, d)
	w := walking(t, d, passportShown)
	w.take(t, w.token, w.little)
	require.ElementsMatch(t, []string{"dateOfBirth", "nationalInsuranceNumber", "payBand"}, w.outcome.Withheld)

	w.host.listener.mu.Lock()
	w.host.listener.heard = nil
	w.host.listener.mu.Unlock()
	require.ErrorContains(t, w.little(t.Context()), "nothing was heard")
}
