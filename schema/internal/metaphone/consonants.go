package metaphone

// One method a consonant whose sound depends on its neighbours. Each tries its
// cases in the order of the published algorithm: the first that fits decides.

func (w *word) c(i int) int {
	switch {
	case i > 1 && !w.vowel(i-2) && w.has(i-1, "ACH") && w.at(i+2) != 'I' &&
		(w.at(i+2) != 'E' || w.has(i-2, "BACHER", "MACHER")):
		return w.both("K", 2) // Germanic ach
	case i == 0 && w.has(0, "CAESAR"):
		return w.both("S", 2)
	case w.has(i, "CHIA"):
		return w.both("K", 2) // Chianti
	case w.has(i, "CH"):
		return w.ch(i)
	case w.has(i, "CZ") && !w.has(i-2, "WICZ"):
		return w.either("S", "X", 2)
	case w.has(i+1, "CIA"):
		return w.both("X", 3) // focaccia
	case w.has(i, "CC") && (i != 1 || w.at(0) != 'M'):
		switch {
		case !w.has(i+2, "I", "E", "H") || w.has(i+2, "HU"):
			return w.both("K", 2) // Bacchus
		case i == 1 && w.at(0) == 'A', w.has(i-1, "UCCEE", "UCCES"):
			return w.both("KS", 3) // accident, success
		}
		return w.both("X", 3) // Bertucci
	case w.has(i, "CK", "CG", "CQ"):
		return w.both("K", 2)
	case w.has(i, "CIO", "CIE", "CIA"):
		return w.either("S", "X", 2) // Italian or English
	case w.has(i, "CI", "CE", "CY"):
		return w.both("S", 2)
	case w.has(i+1, " C", " Q", " G"):
		return w.both("K", 3) // Mac Gregor
	case w.has(i+1, "C", "K", "Q") && !w.has(i+1, "CE", "CI"):
		return w.both("K", 2)
	}
	return w.both("K", 1)
}

func (w *word) ch(i int) int {
	switch {
	case i > 0 && w.has(i, "CHAE"):
		return w.either("K", "X", 2) // Michael
	case i == 0 && w.has(1, "HARAC", "HARIS", "HOR", "HYM", "HIA", "HEM") && !w.has(0, "CHORE"):
		return w.both("K", 2) // Greek: chemistry, chorus
	case w.foreign(), w.has(i-2, "ORCHES", "ARCHIT", "ORCHID"), w.has(i+2, "T", "S"),
		(i == 0 || w.has(i-1, "A", "O", "U", "E")) &&
			(w.last(i+1) || w.has(i+2, "L", "R", "N", "M", "B", "H", "F", "V", "W", " ")):
		return w.both("K", 2) // Germanic and Greek: Wachtler, architect
	case i == 0:
		return w.both("X", 2)
	case w.has(0, "MC"):
		return w.both("K", 2) // McHugh
	}
	return w.either("X", "K", 2)
}

func (w *word) d(i int) int {
	switch {
	case w.has(i, "DGI", "DGE", "DGY"):
		return w.both("J", 3) // edge
	case w.has(i, "DG"):
		return w.both("TK", 2) // Edgar
	}
	return w.both("T", w.run(i, "T", "D"))
}

func (w *word) g(i int) int {
	switch {
	case w.at(i+1) == 'H':
		return w.gh(i)
	case w.at(i+1) == 'N':
		switch {
		case i == 1 && w.vowel(0) && !w.slavoGermanic:
			return w.either("KN", "N", 2)
		case !w.has(i+2, "EY") && !w.slavoGermanic:
			return w.either("N", "KN", 2)
		}
		return w.both("KN", 2) // Cagney
	case w.has(i+1, "LI") && !w.slavoGermanic:
		return w.either("KL", "L", 2) // Tagliaro
	case i == 0 && w.has(1, "Y", "ES", "EP", "EB", "EL", "EY", "IB", "IL", "IN", "IE", "EI", "ER"):
		return w.either("K", "J", 2) // ges-, gil- at the start
	case w.has(i+1, "ER", "Y") && !w.has(0, "DANGER", "RANGER", "MANGER") &&
		!w.has(i-1, "E", "I", "RGY", "OGY"):
		return w.either("K", "J", 2) // -ger, -gy
	case w.has(i+1, "E", "I", "Y"), w.has(i-1, "AGGI", "OGGI"):
		switch {
		case w.foreign(), w.has(i+1, "ET"):
			return w.both("K", 2)
		case w.has(i+1, "IER") && (w.last(i+3) || w.at(i+4) == ' '):
			return w.both("J", 2) // French: Angier
		}
		return w.either("J", "K", 2) // Italian or Germanic
	}
	return w.both("K", w.run(i, "G"))
}

func (w *word) gh(i int) int {
	switch {
	case i > 0 && !w.vowel(i-1):
		return w.both("K", 2)
	case i == 0 && w.at(2) == 'I':
		return w.both("J", 2) // Ghislane
	case i == 0:
		return w.both("K", 2) // Ghana
	case w.has(i-2, "B", "H", "D"), w.has(i-3, "B", "H", "D"), w.has(i-4, "B", "H"):
		return 2 // silent: Hugh, bough, broughton
	case i > 2 && w.at(i-1) == 'U' && w.has(i-3, "C", "G", "L", "R", "T"):
		return w.both("F", 2) // laugh, rough, tough
	case w.at(i-1) != 'I':
		return w.both("K", 2)
	}
	return 2
}

func (w *word) j(i int) int {
	switch {
	case w.has(i, "JOSE"), w.has(0, "SAN "):
		if i == 0 && w.at(4) == ' ' || len(w.letters) == 4 || w.has(0, "SAN ") {
			return w.both("H", 1) // Spanish
		}
		return w.either("J", "H", 1)
	case i == 0:
		w.either("J", "A", 0) // Jankelowicz, Yankelovich
	case w.vowel(i-1) && !w.slavoGermanic && w.has(i+1, "A", "O"):
		w.either("J", "H", 0) // Spanish: bajador
	case w.last(i):
		w.either("J", "", 0)
	case !w.has(i+1, "L", "T", "K", "S", "N", "M", "B", "Z") && !w.has(i-1, "S", "K", "L"):
		w.both("J", 0)
	}
	return w.run(i, "J")
}

func (w *word) l(i int) int {
	if w.at(i+1) != 'L' {
		return w.both("L", 1)
	}
	end := len(w.letters)
	if i == end-3 && w.has(i-1, "ILLO", "ILLA", "ALLE") ||
		w.has(i-1, "ALLE") && (w.has(end-2, "AS", "OS") || w.has(end-1, "A", "O")) {
		return w.either("L", "", 2) // Spanish: Cabrillo, Gallegos
	}
	return w.both("L", 2)
}

func (w *word) r(i int) int {
	if w.last(i) && !w.slavoGermanic && w.has(i-2, "IE") && !w.has(i-4, "ME", "MA") {
		return w.either("", "R", 1) // French: Rogier
	}
	return w.both("R", w.run(i, "R"))
}

func (w *word) s(i int) int {
	switch {
	case w.has(i-1, "ISL", "YSL"):
		return 1 // silent: isle, Carlysle
	case i == 0 && w.has(0, "SUGAR"):
		return w.either("X", "S", 1)
	case w.has(i, "SH"):
		if w.has(i+1, "HEIM", "HOEK", "HOLM", "HOLZ") {
			return w.both("S", 2) // Germanic
		}
		return w.both("X", 2)
	case w.has(i, "SIO", "SIA"):
		if w.slavoGermanic {
			return w.both("S", 3)
		}
		return w.either("S", "X", 3) // Italian and Armenian
	case i == 0 && w.has(1, "M", "N", "L", "W"), w.at(i+1) == 'Z':
		return w.either("S", "X", w.run(i, "Z")) // Smith and Schmidt
	case w.has(i, "SCH"):
		return w.sch(i)
	case w.has(i, "SCI", "SCE", "SCY"):
		return w.both("S", 3)
	case w.has(i, "SC"):
		return w.both("SK", 3)
	case w.last(i) && w.has(i-2, "AI", "OI"):
		return w.either("", "S", 1) // French: Resnais, Artois
	}
	return w.both("S", w.run(i, "S", "Z"))
}

func (w *word) sch(i int) int {
	switch {
	case w.has(i+3, "ER", "EN"):
		return w.either("X", "SK", 3) // Schermerhorn, Schenker
	case w.has(i+3, "OO", "UY", "ED", "EM"):
		return w.both("SK", 3) // Dutch: school
	case i == 0 && !w.vowel(3) && w.at(3) != 'W':
		return w.either("X", "S", 3)
	}
	return w.both("X", 3)
}

func (w *word) t(i int) int {
	switch {
	case w.has(i, "TION", "TIA", "TCH"):
		return w.both("X", 3)
	case w.has(i, "TH", "TTH"):
		if w.has(i+2, "OM", "AM") || w.foreign() {
			return w.both("T", 2) // Thomas, Thames, Germanic
		}
		return w.either("0", "T", 2)
	}
	return w.both("T", w.run(i, "T", "D"))
}

func (w *word) w(i int) int {
	switch {
	case w.at(i+1) == 'R':
		return w.both("R", 2)
	case i == 0 && w.vowel(1):
		w.either("A", "F", 0) // Wasserman, Vasserman
	case i == 0 && w.at(1) == 'H':
		w.both("A", 0)
	}
	switch {
	case w.last(i) && w.vowel(i-1), w.has(i-1, "EWSKI", "EWSKY", "OWSKI", "OWSKY"), w.has(0, "SCH"):
		return w.either("", "F", 1) // Arnow, Arnoff
	case w.has(i, "WICZ", "WITZ"):
		return w.either("TS", "FX", 4) // Filipowicz
	}
	return 1
}

func (w *word) x(i int) int {
	switch {
	case i == 0:
		return w.both("S", 1) // Xavier
	case w.last(i) && (w.has(i-3, "IAU", "EAU") || w.has(i-2, "AU", "OU")):
		return 1 // French: Breaux
	}
	return w.both("KS", w.run(i, "C", "X"))
}

func (w *word) z(i int) int {
	switch {
	case w.at(i+1) == 'H':
		return w.both("J", 2) // Chinese: Zhao
	case w.has(i+1, "ZO", "ZI", "ZA"), w.slavoGermanic && i > 0 && w.at(i-1) != 'T':
		return w.either("S", "TS", w.run(i, "Z"))
	}
	return w.both("S", w.run(i, "Z"))
}
