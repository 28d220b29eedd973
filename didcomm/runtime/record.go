package runtime

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
)

// recordVersion is the version of every JSON record of the runtime's own, in its
// first member. A change that this code would misread raises it. What protocols save
// is theirs, and so is its version.
const recordVersion = 1

// versioned is how every record of version recordVersion begins.
const versioned = `{"v":1`

var errUnreadable = errors.New("runtime: stored record cannot be read")

// encodeRecord returns v, which encodes to an object, with the version in front.
func encodeRecord(v any) ([]byte, error) {
	data, err := encode(v)
	if err != nil {
		return nil, err
	}
	rest, ok := bytes.CutPrefix(data, []byte("{"))
	if !ok {
		return nil, errors.New("runtime: record is no object")
	}
	out := append(make([]byte, 0, len(versioned)+1+len(rest)), versioned...)
	if rest[0] != '}' {
		out = append(out, ',')
	}
	return append(out, rest...), nil
}

// decodeRecord reads what encodeRecord wrote. It returns [ErrVersion] for a record of
// a newer version, and errUnreadable for what is no record.
func decodeRecord(data []byte, v any) error {
	if !isCurrent(data) {
		var head struct {
			V int `json:"v"`
		}
		switch err := json.Unmarshal(data, &head); {
		case err != nil || head.V < 1:
			return errUnreadable
		case head.V > recordVersion:
			return ErrVersion
		}
	}
	if err := json.Unmarshal(data, v); err != nil {
		return fmt.Errorf("%w: %v", errUnreadable, err)
	}
	return nil
}

// isCurrent reports whether data begins as a record of this version does, which spares
// reading it twice.
func isCurrent(data []byte) bool {
	rest, ok := bytes.CutPrefix(data, []byte(versioned))
	return ok && len(rest) > 0 && (rest[0] == ',' || rest[0] == '}')
}

// encode is json.Marshal without the escapes meant for HTML, which would rewrite the
// raw JSON inside a record.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}
