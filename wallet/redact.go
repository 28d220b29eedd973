package wallet

import (
	"fmt"
	"io"
	"log/slog"
)

const redactedText = "[redacted]"

// redacted is embedded in every type that holds a key, so that no way of printing it
// shows one.
type redacted struct{}

// String returns a fixed word instead of the value.
func (redacted) String() string { return redactedText }

// GoString returns a fixed word instead of the value.
func (redacted) GoString() string { return redactedText }

// Format writes a fixed word instead of the value, for every verb.
func (redacted) Format(s fmt.State, _ rune) { writeRedacted(s) }

// MarshalJSON returns a fixed word instead of the value.
func (redacted) MarshalJSON() ([]byte, error) { return []byte(`"` + redactedText + `"`), nil }

// MarshalText returns a fixed word instead of the value.
func (redacted) MarshalText() ([]byte, error) { return []byte(redactedText), nil }

// LogValue returns a fixed word instead of the value.
func (redacted) LogValue() slog.Value { return slog.StringValue(redactedText) }

// writeRedacted ignores a failing writer, as fmt does.
func writeRedacted(w io.Writer) { _, _ = io.WriteString(w, redactedText) }
