package main

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/staffpassport/staffpassport/schema"
	"github.com/staffpassport/staffpassport/vc/status"
	"github.com/staffpassport/staffpassport/wallet/statuslist"
)

// byPage is who changed a status, as the audit names them: there is one person at a
// role's pages, whom the agent does not know by name.
const byPage = "at the employer's pages"

// A withdrawalView is the page on which a passport is withdrawn.
type withdrawalView struct {
	contactView
	Reasons []choice
	Chosen  string
	History []passportHistory
}

// A passportHistory is what happened to one passport of a contact, newest passport
// first.
type passportHistory struct {
	Latest bool
	Events []statusEvent
}

// A statusEvent is a line of the audit of a passport in words.
type statusEvent struct {
	At            time.Time
	What, Why, By string
}

func (e *employer) withdrawalPage(w http.ResponseWriter, r *http.Request, v contactView, wrong string) {
	data := withdrawalView{contactView: v, Reasons: revokeReasons(r.PostForm.Get("reason"))}
	for i, exchange := range slices.Backward(append(slices.Clone(v.contact.Earlier), v.Exchange)) {
		s, err := e.standing(r.Context(), exchange)
		if err != nil {
			e.failed(w, err)
			return
		}
		if s.Issued {
			data.History = append(data.History, passportHistory{i == len(v.contact.Earlier), events(s.Audit)})
		}
	}
	e.site.page(w, r, "withdrawal.html", view{Heading: "Status of the passport", Message: wrong, Data: data})
}

// revokeReasons are those for which a person withdraws a passport for good, in words.
func revokeReasons(chosen string) []choice {
	var out []choice
	for _, reason := range schema.RevokeReasons.Codes() {
		if purpose, _ := schema.StatusPurpose(reason); status.Purpose(purpose) == status.Revocation && reason != reasonMachine {
			out = append(out, choice{reason, reasonInWords(reason), reason == chosen})
		}
	}
	return out
}

const (
	// reasonMachine is written when the record behind a passport goes, and chosen by
	// nobody.
	reasonMachine = "Source record deleted"
	// reasonSuspect is the one that suspends.
	reasonSuspect = "SuspectNoLongerValid"
)

// reasonInWords returns what a page calls a reason.
func reasonInWords(reason string) string {
	switch reason {
	case "TrainingExpiry":
		return "Training has expired"
	case "LeavingOrganisation":
		return "Leaving the organisation"
	case "CredentialProvidedInError":
		return "Issued in error"
	case "LostPhone":
		return "The phone is lost"
	case "NoLongerValid":
		return "What it says is no longer true"
	case reasonSuspect:
		return "Suspected to be no longer true"
	case "StaffMemberDeceased":
		return "The member of staff has died"
	}
	return reason
}

// events puts the audit of a passport into words.
func events(all []statuslist.Event) []statusEvent {
	var out []statusEvent
	for _, a := range all {
		what := a.Action
		switch a.Action {
		case statuslist.ActionAllocate:
			what = "Offered"
		case statuslist.ActionRevoke:
			what = "Withdrawn for good"
		case statuslist.ActionSuspend:
			what = "Suspended"
		case statuslist.ActionResume:
			what = "Suspension lifted"
		}
		out = append(out, statusEvent{a.At, what, reasonInWords(a.Reason), a.By})
	}
	return out
}

// withIssued is for the pages that change how a passport stands.
func (e *employer) withIssued(f func(http.ResponseWriter, *http.Request, contactView)) http.HandlerFunc {
	return e.withContact(func(w http.ResponseWriter, r *http.Request, v contactView) {
		if !v.Standing.Issued {
			e.site.tell(w, http.StatusConflict, "No passport has been issued to this contact yet.")
			return
		}
		f(w, r, v)
	})
}

func (e *employer) changeStatus(w http.ResponseWriter, r *http.Request, v contactView) {
	form := r.PostForm
	if form.Get("exchange") != v.Exchange { // the page was about the passport before this one
		e.failed(w, errChanged)
		return
	}
	change := func(f func(ctx context.Context) error) {
		err := f(r.Context())
		if errors.Is(err, statuslist.ErrFinal) {
			err = errMovedOn
		}
		if err != nil {
			e.failed(w, err)
			return
		}
		http.Redirect(w, r, "/contacts/"+v.ID+"/status", http.StatusSeeOther)
	}
	switch form.Get("answer") {
	case "suspend":
		change(func(ctx context.Context) error { return e.withdraw(ctx, v.Exchange, reasonSuspect, byPage) })
	case "resume":
		change(func(ctx context.Context) error { return e.resume(ctx, v.Exchange, byPage) })
	case "revoke":
		reason := form.Get("reason")
		switch {
		case !slices.ContainsFunc(revokeReasons(""), func(c choice) bool { return c.Value == reason }):
			e.withdrawalPage(w, r, v, "Nothing was done. Choose why the passport is withdrawn.")
		case form.Get("sure") != "yes":
			e.withdrawalPage(w, r, v, "Nothing was done. Tick that you know that this cannot be undone.")
		default:
			change(func(ctx context.Context) error { return e.withdraw(ctx, v.Exchange, reason, byPage) })
		}
	default:
		e.failed(w, errNoAnswer)
	}
}
