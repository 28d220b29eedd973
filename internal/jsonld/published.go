package jsonld

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"

	"github.com/staffpassport/staffpassport/internal/jcs"
	"github.com/staffpassport/staffpassport/internal/strictjson"
)

//go:generate go test -count=1 -run ^TestContextsAreGenerated$ . -update

// A PublishedContext is a context document that a specification publishes.
type PublishedContext struct {
	URL    string
	SHA256 string // hex, of the canonical JSON (RFC 8785)
	file   string
}

// JSON returns the document as it is embedded: the JSON that was published,
// without its white space.
func (p PublishedContext) JSON() []byte {
	data, err := files.ReadFile("contexts/" + p.file)
	if err != nil {
		panic("jsonld: " + err.Error()) // embedded, and tested
	}
	return data
}

// context returns the value of @context of a document that is what it was when
// this package was written.
func (p PublishedContext) context() (any, error) {
	o, err := strictjson.Parser{CaseVariants: true}.ParseObject(p.JSON())
	if err != nil {
		return nil, err
	}
	canonical, err := jcs.Append(nil, o)
	if err != nil {
		return nil, err
	}
	if sum := sha256.Sum256(canonical); hex.EncodeToString(sum[:]) != p.SHA256 {
		return nil, fmt.Errorf("%w: not the document that was published", ErrContext)
	}
	context, _ := o.Get("@context")
	return context, nil
}

// Published returns the contexts that [Embedded] knows.
func Published() []PublishedContext { return slices.Clone(published) }

// published are the contexts of the specifications, with the hashes that they had
// when they were taken in. Changing one is a decision.
var published = []PublishedContext{
	{"https://www.w3.org/ns/cid/v1", "9fc257da5b37784ca2b07c3ad666f5ff9beea846a360ddd229fd0b44972015c8", "cid-v1.jsonld"},
	{"https://w3id.org/citizenship/v1", "e6ac4c5a1e0f9358b191a782f88d0909df940bed2587a2c5d9e1808949e9a72a", "citizenship-v1.jsonld"},
	{"https://w3id.org/citizenship/v2", "085a5277811f1028884ae0a7abafb0ec53ff86440555d8a749b9bfb9f1e02311", "citizenship-v2.jsonld"},
	{"https://w3id.org/citizenship/v3", "1123d32bdb790a93eba7f901d9a0546a3b43f28fe9b812b23ce57cbb9be7d306", "citizenship-v3.jsonld"},
	{"https://w3id.org/citizenship/v4rc1", "15ca37d6ed55aee696cb2c8ca747d889418756c66188a47734c15e092ffef869", "citizenship-v4rc1.jsonld"},
	{"https://www.w3.org/2018/credentials/examples/v1", "5bca9da34aefb4c5e0cd993e222e58827734e0928fda0210ee73413c43d6e5e5", "credentials-examples-v1.jsonld"},
	{"https://www.w3.org/ns/credentials/status/v1", "b2fcebfbaf4e6beae2be370fda8a5f9f99c28540c798a75a8cdccc0fb1a12492", "credentials-status-v1.jsonld"},
	{"https://www.w3.org/ns/credentials/undefined-terms/v2", "3b11e1df8c618447e9f79f3737e3c30fc0841537eb95f36003742c633672bb9f", "credentials-undefined-terms-v2.jsonld"},
	{"https://www.w3.org/2018/credentials/v1", "b01e671e873981f19a9102a9a57f666dbcaeb31b99e3e124378d143e71549247", "credentials-v1.jsonld"},
	{"https://www.w3.org/ns/credentials/v2", "b463c8d6a066214123ddd9827b135e1b50e1fc73322cc52a9b12a4f1fc7d86cf", "credentials-v2.jsonld"},
	{"https://www.w3.org/ns/did/v1", "a7e146c40fcec005d3f0f14ae745665f446da58d7914a9d8f733746686fad82b", "did-v1.jsonld"},
	{"https://w3id.org/security/data-integrity/v1", "9505bf85338a4c2121ad03992ac90061bc85d43bcfa34d9d47b779381cf08b5f", "security-data-integrity-v1.jsonld"},
	{"https://w3id.org/security/data-integrity/v2", "7ba3c50acf2689d5e07927267343eb353249c7c22a9f2d00307cc970e855e305", "security-data-integrity-v2.jsonld"},
	{"https://w3id.org/security/jwk/v1", "38dd329a9a011facda06afc4ba43a121980eaedbd1f974268026d157926bc086", "security-jwk-v1.jsonld"},
	{"https://w3id.org/security/multikey/v1", "be20c3ee6af6e9c4102e66a85c26617831218e32216bdf050f870e389e737cdc", "security-multikey-v1.jsonld"},
	{"https://w3id.org/security/suites/ed25519-2020/v1", "fb517f09d990829aed734c9bad8cbbb2ac3d5063b865c7e3d81f246074bf5691", "security-suites-ed25519-2020-v1.jsonld"},
	{"https://w3id.org/security/suites/x25519-2020/v1", "454c264ab52b3ee90b2c21a996afc4f5f2a02c2e282799b6e92305e1aa536de6", "security-suites-x25519-2020-v1.jsonld"},
	{"https://w3id.org/security/v1", "d87de2ce3ce407bcac481f8af31e211e54beb5cbd7dd459826ed0502302ee234", "security-v1.jsonld"},
	{"https://w3id.org/security/v2", "38a9ef19cf3a75bf856202bd1ed4cbd55c985ad4a809eb7f4ef584ba9d51dc90", "security-v2.jsonld"},
	{"https://w3id.org/vc/status-list/2021/v1", "9768f9aa81ab6c3e2ad96b2d669eaba67afe13fff0140a853f1e3d313fab13b6", "vc-status-list-2021-v1.jsonld"},
	{"https://w3id.org/vdl/aamva/v1", "b6e2ebb1355dc8c800753520a5e49decd59fda3cfe7a240269bb5f4d9baeb45a", "vdl-aamva-v1.jsonld"},
	{"https://w3id.org/vdl/v1", "33c9dad4847f7d466d28b9f704dd07d8e1da7614d99b94febb03e19d815ef7da", "vdl-v1.jsonld"},
	{"https://identity.foundation/presentation-exchange/submission/v1", "eb5815132f1f16206a31da527e5da4070f093974fc94e158f727a971d15dbcea", "presentation-exchange-submission-v1.jsonld"},
}
