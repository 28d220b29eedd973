package wallet

// SecretBytes returns the private keys and derived keys that the wallet has in memory,
// but for those that the standard library keeps, for tests that look for them in places
// where they must not be.
func SecretBytes(w *Wallet) [][]byte {
	all := [][]byte{w.secrets.record[:], w.secrets.key[:], w.secrets.index[:]}
	w.keys.mu.RLock()
	defer w.keys.mu.RUnlock()
	for _, k := range w.keys.keys {
		all = append(all, k.secret)
		if k.ed25519 != nil {
			all = append(all, k.ed25519)
		}
	}
	for _, s := range w.keys.shared {
		all = append(all, s[:])
	}
	return all
}

// LibraryKeys returns the private keys that the wallet has in memory inside values of
// the standard library.
func LibraryKeys(w *Wallet) (all [][]byte) {
	w.keys.mu.RLock()
	defer w.keys.mu.RUnlock()
	for _, k := range w.keys.keys {
		if k.ecdh != nil {
			all = append(all, k.ecdh.Bytes())
		}
	}
	return all
}

// OpenKeys returns how many private keys and shared secrets are kept open.
func OpenKeys(w *Wallet) (keys, shared int) {
	w.keys.mu.RLock()
	defer w.keys.mu.RUnlock()
	return len(w.keys.keys), len(w.keys.shared)
}

// Limits that tests stand on both sides of.
const (
	MaxRecord    = maxRecord
	MaxOpenKeys  = maxOpenKeys
	FreeAttempts = freeAttempts
	FirstWait    = firstWait
	LastWait     = lastWait
)
