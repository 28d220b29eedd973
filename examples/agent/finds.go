package main

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"net/url"
	"regexp"
	"strconv"
	"unicode/utf8"
)

// maxNesting is how deep encodings are undone: an escape in JSON, in a disclosure in
// base64, in a token, in a data URL, in an attachment in base64, and one more.
const maxNesting = 6

// finds reports whether text holds value as it is, or escaped for JSON or a URL, or in
// hexadecimal, or in base64 of either alphabet, or in any of these inside another.
func finds(text []byte, value string, depth int) bool {
	if bytes.Contains(text, []byte(value)) || bytes.Contains(text, []byte(url.QueryEscape(value))) {
		return true
	}
	if depth == 0 {
		return false
	}
	for _, undo := range []func([]byte) []byte{unescaped, unquoted} {
		if inner := undo(text); inner != nil && finds(inner, value, depth-1) {
			return true
		}
	}
	for _, run := range bytes.FieldsFunc(text, func(r rune) bool { return !base64Letter(r) }) {
		// Of a run that does not begin where its base64 does, such as one after a
		// multibase prefix, another cut of four is the right one.
		for skip := range min(4, len(run)) {
			if len(run)-skip < len(value) {
				break
			}
			if inner := decodeRun(run[skip:]); finds(inner, value, depth-1) {
				return true
			}
		}
	}
	for _, run := range hexRun.FindAll(text, -1) {
		for skip := range 2 {
			inner := make([]byte, len(run[skip:])/2)
			if _, err := hex.Decode(inner, run[skip:skip+2*len(inner)]); err == nil && finds(inner, value, depth-1) {
				return true
			}
		}
	}
	return false
}

var (
	hexRun  = regexp.MustCompile(`[0-9A-Fa-f]{8,}`)
	escape  = regexp.MustCompile(`\\(u[0-9A-Fa-f]{4}|["\\/])`)
	percent = regexp.MustCompile(`%[0-9A-Fa-f]{2}`)
)

// unescaped undoes the escapes of a JSON string, wherever they stand in a text; nil
// means that there are none.
func unescaped(text []byte) []byte {
	if !utf8.Valid(text) || !escape.Match(text) {
		return nil
	}
	return escape.ReplaceAllFunc(text, func(e []byte) []byte {
		if e[1] != 'u' {
			return e[1:]
		}
		n, _ := strconv.ParseUint(string(e[2:]), 16, 16)
		return utf8.AppendRune(nil, rune(n))
	})
}

// unquoted undoes what a URL does to letters, in the same way.
func unquoted(text []byte) []byte {
	if !utf8.Valid(text) || !percent.Match(text) {
		return nil
	}
	return percent.ReplaceAllFunc(text, func(e []byte) []byte {
		n, _ := strconv.ParseUint(string(e[1:]), 16, 8)
		return []byte{byte(n)}
	})
}

func base64Letter(r rune) bool {
	return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || r == '-' || r == '_' || r == '+' || r == '/'
}

func decodeRun(run []byte) []byte {
	run = bytes.ReplaceAll(bytes.ReplaceAll(run, []byte("-"), []byte("+")), []byte("_"), []byte("/"))
	if len(run)%4 == 1 { // stands for no byte
		run = run[:len(run)-1]
	}
	out := make([]byte, base64.RawStdEncoding.DecodedLen(len(run)))
	n, _ := base64.RawStdEncoding.Decode(out, run) // up to where it is none
	return out[:n]
}
