package main

import (
	"github.com/staffpassport/staffpassport/vc/verify"
)

// A refused is why a host did not accept what it was shown, for a person at a desk.
type refused struct {
	Why  string
	Hint string // what to do next
}

// refusedFor puts into words why a presentation was refused. Whatever has no words of
// its own is told by the list of checks.
func refusedFor(code string) refused {
	const speak = "Ask the member of staff to speak to the employer, and follow your own checks until then."
	switch verify.Code(code) {
	case verify.ErrRevoked:
		return refused{"The employer has withdrawn this passport for good.", speak + " The employer may have given out a new one."}
	case verify.ErrSuspended:
		return refused{"The employer has suspended this passport.", speak + " It may be lifted: ask again then."}
	case verify.ErrUntrusted:
		return refused{"Whoever signed this passport is not on the list of registered organisations, or may not issue passports.",
			"Do not rely on it, however genuine it looks. The first page says how old your list is: fetch it again if the organisation was registered lately."}
	case verify.ErrExpired:
		return refused{"The passport has expired.", "Ask the member of staff to get a new one from the employer."}
	case verify.ErrStatusList, verify.ErrStatusRange:
		return refused{"What the employer publishes about withdrawn passports is not in order, so that nobody can tell whether this one still holds.",
			"Tell the employer. Ask again when it is mended."}
	case verify.ErrStatusUnavailable, verify.ErrUnavailable:
		return refused{"It could not be found out in time whether this passport still holds.", "Nothing is known against it. Ask again when the network is back."}
	case verify.ErrStatusUnsupported:
		return refused{"The passport can be withdrawn in a way that cannot be asked for here.", speak}
	case verify.ErrProof:
		return refused{"The passport or its signature was changed after it was signed.", "Do not rely on it."}
	case verify.ErrHolder, verify.ErrUnbound:
		return refused{"It is not the person whom the passport is about who shows it.", "Do not rely on it."}
	}
	return refused{}
}
