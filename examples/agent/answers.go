package main

import (
	"context"
	"errors"
	"net/http"

	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/connect"
	"github.com/staffpassport/staffpassport/didcomm/issue"
	"github.com/staffpassport/staffpassport/didcomm/present"
	"github.com/staffpassport/staffpassport/wallet"
)

var (
	// errNoAnswer says that a form came without one of its buttons.
	errNoAnswer = errors.New("agent: the form has no answer")
	// errMovedOn says that what a page would show has been answered or has ended.
	errMovedOn = errors.New("agent: answered or ended before")
)

// failed answers a request that could not be done: in words for what can happen to
// anybody, and otherwise with no more than that it failed. The log has the error,
// which holds no claim.
func (p *party) failed(w http.ResponseWriter, err error) {
	is := func(any ...error) bool {
		for _, e := range any {
			if errors.Is(err, e) {
				return true
			}
		}
		return false
	}
	switch {
	case is(didcomm.ErrNotFound, wallet.ErrNotFound):
		p.site.notFound(w)
	case is(errMovedOn, connect.ErrState, issue.ErrState, present.ErrState):
		p.site.tell(w, http.StatusConflict, "This has been answered before, or has ended or expired. The first page shows what became of it.")
	case is(errChanged, errNotReady):
		p.site.tell(w, http.StatusConflict, "This was changed meanwhile, perhaps on another page. Go back, reload the page and try again.")
	case is(errNoMediator):
		p.site.tell(w, http.StatusConflict, "Nothing was done: the mediator through which this wallet is reached has not answered yet. Try again in a moment.")
	case is(errNotIssued):
		p.site.tell(w, http.StatusConflict, "No passport has been issued to this contact yet.")
	case is(errNoAnswer):
		p.site.tell(w, http.StatusUnprocessableEntity, "Nothing was done. Go back and choose one of the buttons.")
	case is(issue.ErrBinding):
		p.site.tell(w, http.StatusUnprocessableEntity, "This offer is made for another wallet. You can only decline it.")
	case is(present.ErrIncomplete, present.ErrUnsupported):
		p.site.tell(w, http.StatusUnprocessableEntity, "Nothing was sent: the passport does not hold what was asked for. You can only decline.")
	case is(context.Canceled): // the person went on to another page
		p.site.tell(w, http.StatusServiceUnavailable, "The page was left before it was ready.")
	default:
		p.log.Error("page", "err", err)
		p.site.tell(w, http.StatusInternalServerError, "Something went wrong here. Go back, see whether it was done, and if not try again.")
	}
}

// answered ends what a person decided: it shows the first page, or says why not.
func (p *party) answered(w http.ResponseWriter, r *http.Request, err error) {
	if err != nil {
		p.failed(w, err)
		return
	}
	http.Redirect(w, r, "/", http.StatusSeeOther)
}
