package exchange

import (
	"encoding/json"

	"github.com/staffpassport/staffpassport/didcomm"
)

// Each calls f with every record of a kind, oldest first.
func Each[T any](tx didcomm.Tx, kind string, f func(*T)) error {
	for r, err := range tx.List(kind) {
		if err != nil {
			return err
		}
		v := new(T)
		if err := json.Unmarshal(r.Data, v); err != nil {
			return err
		}
		f(v)
	}
	return nil
}
