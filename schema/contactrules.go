package schema

import (
	"net/mail"
	"strings"
)

// contactRules are the formats of telephone numbers and e-mail addresses.
func contactRules() []rule {
	return []rule{
		// ITU-T E.164 sections 6 and 7: a plus sign and up to 15 digits, of which
		// the country code is first and starts with no zero. Fewer than 7 digits
		// reach no mobile telephone [I].
		{name: "e164", pattern: `^[+][1-9][0-9]{6,14}$`,
			say: "must be a telephone number in international form: + and 7 to 15 digits, such as +447700900123"},
		// RFC 5322 section 3.4.1: a bare addr-spec of two dot-atoms, no display
		// name, no quoted or literal part. 254 is the longest that a path of RFC 5321 section 4.5.3.1.3 can hold.
		{name: "email", pattern: `^[A-Za-z0-9.!#$%&'*+/=?^_{|}~\x60-]{1,64}@[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$`, max: 254, format: "email", check: isAddress,
			say: "must be an e-mail address, such as name@organisation.example"},
	}
}

func isAddress(text string) bool {
	a, err := mail.ParseAddress(text)
	return err == nil && a.Name == "" && a.Address == text && !strings.Contains(text, "..")
}
