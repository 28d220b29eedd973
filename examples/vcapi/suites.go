package main

import (
	"fmt"
	"slices"

	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/dataintegrity"
	"github.com/staffpassport/staffpassport/vc/dataintegrity/bbs"
	"github.com/staffpassport/staffpassport/vc/dataintegrity/ecdsasd"
	"github.com/staffpassport/staffpassport/vc/dataintegrity/rdfc"
)

// A suite is one to issue with.
type suite struct {
	name      string
	keys      []string // kinds of keys that it can use; the first is the usual one
	selective bool     // it makes base proofs, with mandatory pointers
	json      bool     // it signs JSON and sees no JSON-LD
	make      func(mandatory []vc.Pointer) dataintegrity.Suite
}

func suites() []suite {
	plain := func(s dataintegrity.Suite) func([]vc.Pointer) dataintegrity.Suite {
		return func([]vc.Pointer) dataintegrity.Suite { return s }
	}
	p := []string{keyP256, keyP384}
	return []suite{
		{name: "eddsa-rdfc-2022", keys: []string{keyEd25519}, make: plain(rdfc.EdDSARDFC2022())},
		{name: "eddsa-jcs-2022", keys: []string{keyEd25519}, json: true, make: plain(dataintegrity.EdDSAJCS2022())},
		{name: "ecdsa-rdfc-2019", keys: p, make: plain(rdfc.ECDSARDFC2019())},
		{name: "ecdsa-jcs-2019", keys: p, json: true, make: plain(dataintegrity.ECDSAJCS2019())},
		{name: "ecdsa-sd-2023", keys: []string{keyP256}, selective: true,
			make: func(m []vc.Pointer) dataintegrity.Suite { return ecdsasd.Suite(m...) }},
		{name: "bbs-2023", keys: []string{keyP381}, selective: true,
			make: func(m []vc.Pointer) dataintegrity.Suite { return bbs.Suite(m...) }},
	}
}

// A choice is what a credential is to be secured with.
type choice struct {
	suite suite
	key   string
}

// choose finds suite and key by what the path and the options say. What they leave
// open is decided by the issuer, if that is one of the server's DIDs, and else by what
// is usual: eddsa-rdfc-2022 with Ed25519.
func (s *server) choose(path [2]string, o *options, issuer string) (choice, error) {
	if path[1] == "" && isKey(path[0]) {
		path[0], path[1] = "", path[0]
	}
	if o.Type != "" && o.Type != "DataIntegrityProof" {
		return choice{}, badRequest("options.type is not DataIntegrityProof")
	}
	name, err := agree("cryptosuite", path[0], o.Cryptosuite)
	if err != nil {
		return choice{}, err
	}
	key, err := agree("keyType", keyName(path[1]), keyName(o.KeyType))
	if err != nil {
		return choice{}, err
	}
	own := s.keys.of(issuer)
	for _, candidate := range suites() {
		switch {
		case name != "" && candidate.name != name:
		case key != "" && !slices.Contains(candidate.keys, key):
		case key != "":
			return choice{candidate, key}, nil
		case slices.Contains(candidate.keys, own):
			return choice{candidate, own}, nil
		case name != "" || own == "":
			return choice{candidate, candidate.keys[0]}, nil
		}
	}
	return choice{}, badRequest("no such cryptosuite, or it does not use keys of that kind")
}

// agree returns what both say, or the one that says something.
func agree(what, path, option string) (string, error) {
	if path != "" && option != "" && path != option {
		return "", badRequest(fmt.Sprintf("the path and the options name another %s each", what))
	}
	if path == "" {
		return option, nil
	}
	return path, nil
}

// keyName takes the name of a curve for that of the key.
func keyName(s string) string {
	if s == curveP381 {
		return keyP381
	}
	return s
}

func isKey(s string) bool {
	names := keyNames()
	return slices.Contains(names[:], keyName(s))
}
