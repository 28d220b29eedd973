package wallet

import (
	"fmt"
	"log/slog"
)

// String returns a fixed word, not the passphrase.
func (Passphrase) String() string { return redactedText }

// GoString returns a fixed word, not the passphrase.
func (Passphrase) GoString() string { return redactedText }

// Format writes a fixed word, not the passphrase, for every verb.
func (Passphrase) Format(s fmt.State, _ rune) { writeRedacted(s) }

// MarshalJSON returns a fixed word, not the passphrase.
func (Passphrase) MarshalJSON() ([]byte, error) { return redacted{}.MarshalJSON() }

// MarshalText returns a fixed word, not the passphrase.
func (Passphrase) MarshalText() ([]byte, error) { return redacted{}.MarshalText() }

// LogValue returns a fixed word, not the passphrase.
func (Passphrase) LogValue() slog.Value { return redacted{}.LogValue() }
