package sdprim

import (
	"crypto/hmac"
	"crypto/sha256"
	"slices"
	"strconv"

	"github.com/staffpassport/staffpassport/internal/multiformat"
)

// Labels is a label map factory function: it returns the label of each of n blank
// nodes, without "_:", in the order of their canonical identifiers c14n0 to
// c14n(n-1). Labels have letters, digits, "-" and "_".
type Labels func(n int) ([]string, error)

// HMACLabels is createHmacIdLabelMapFunction (section 3.4.4) with SHA-256: the label
// is "u" and the HMAC of the canonical identifier in base64url.
func HMACLabels(key []byte) Labels {
	return func(n int) ([]string, error) {
		mac := hmac.New(sha256.New, key)
		out := make([]string, n)
		for i := range out {
			mac.Reset()
			mac.Write([]byte("c14n" + strconv.Itoa(i)))
			out[i] = multiformat.EncodeBase64URL(mac.Sum(nil))
		}
		return out, nil
	}
}

// ShuffledLabels is createShuffledIdLabelMapFunction of the BBS suites: the label is
// "b" and the place of the HMAC label among all HMAC labels of the document. It says
// nothing of those that are not shown.
func ShuffledLabels(key []byte) Labels {
	return func(n int) ([]string, error) {
		out, err := HMACLabels(key)(n)
		if err != nil {
			return nil, err
		}
		sorted := slices.Sorted(slices.Values(out))
		for i, label := range out {
			place, _ := slices.BinarySearch(sorted, label)
			out[i] = "b" + strconv.Itoa(place)
		}
		return out, nil
	}
}

// GivenLabels is createLabelMapFunction (section 3.4.3): labels as a proof carries
// them, in the order of the canonical identifiers. It fits a document with as many
// blank nodes as there are labels.
func GivenLabels(labels []string) Labels {
	return func(n int) ([]string, error) {
		if n != len(labels) {
			return nil, ErrLabels
		}
		return slices.Clone(labels), nil
	}
}

// replace returns the label of each name from the canonical identifier of each name.
func replace(canonical map[string]string, labels Labels) (map[string]string, error) {
	list, err := labels(len(canonical))
	if err != nil {
		return nil, err
	}
	if len(list) != len(canonical) {
		return nil, ErrLabels
	}
	out := make(map[string]string, len(canonical))
	for name, id := range canonical {
		i, err := number(id)
		if err != nil || i >= len(list) || !labelSyntax(list[i]) {
			return nil, ErrLabels
		}
		out[name] = list[i]
	}
	slices.Sort(list)
	if len(slices.Compact(list)) != len(canonical) { // two nodes would become one
		return nil, ErrLabels
	}
	return out, nil
}

// labelSyntax keeps a label from ending its place in a statement.
func labelSyntax(s string) bool {
	for i := range len(s) {
		c := s[i]
		if c|0x20 < 'a' || c|0x20 > 'z' {
			if (c < '0' || c > '9') && c != '-' && c != '_' || i == 0 {
				return false
			}
		}
	}
	return s != ""
}
