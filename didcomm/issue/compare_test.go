package issue

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/vc"
)

func TestSame(t *testing.T) {
	t.Parallel()
	holder := signer(t, 2).VerificationMethod().DID
	const base = `{"@context":["https://www.w3.org/ns/credentials/v2","https://w3id.org/staffpassport/v1"],"type":["VerifiableCredential","StaffPassportCredential"],` +
		`"issuer":{"id":"did:example:e","name":"Alderbrook"},"validUntil":"2027-11-02T09:00:00Z","name":"Passport",` +
		`"credentialSubject":{"dbs":{"level":"Enhanced","checks":[1,2]},"n":1.50}}`
	later := start.AddDate(2, 0, 0)
	for _, c := range []struct {
		name   string
		change func(*vc.Credential)
		ok     bool
	}{
		{"the same", func(*vc.Credential) {}, true},
		{"dated", func(c *vc.Credential) { c.ValidFrom = start }, true},
		{"named", func(c *vc.Credential) { c.ID = "urn:uuid:1" }, true},
		{"with a status", func(c *vc.Credential) { c.Status = []vc.Status{{Type: []string{"BitstringStatusListEntry"}}} }, true},
		{"with two statuses", func(c *vc.Credential) {
			c.Status = []vc.Status{{Type: []string{"BitstringStatusListEntry"}}, {Type: []string{"BitstringStatusListEntry"}}}
		}, true},
		{"with a proof", func(c *vc.Credential) { c.Other["proof"] = json.RawMessage(`{}`) }, true},
		{"members in another order", func(c *vc.Credential) {
			c.Subject = json.RawMessage(`{"n":1.5,"id":"` + holder.String() + `","dbs":{"checks":[1,2],"level":"Enhanced"}}`)
		}, true},

		{"not bound", func(c *vc.Credential) {
			c.Subject = json.RawMessage(`{"dbs":{"level":"Enhanced","checks":[1,2]},"n":1.5}`)
		}, false},
		{"bound to another", func(c *vc.Credential) {
			c.Subject = json.RawMessage(`{"id":"did:example:x","dbs":{"level":"Enhanced","checks":[1,2]},"n":1.5}`)
		}, false},
		{"claim changed", func(c *vc.Credential) {
			c.Subject = json.RawMessage(`{"id":"` + holder.String() + `","dbs":{"level":"Basic","checks":[1,2]},"n":1.5}`)
		}, false},
		{"claim added", func(c *vc.Credential) {
			c.Subject = json.RawMessage(`{"id":"` + holder.String() + `","dbs":{"level":"Enhanced","checks":[1,2]},"n":1.5,"x":1}`)
		}, false},
		{"claim left out", func(c *vc.Credential) {
			c.Subject = json.RawMessage(`{"id":"` + holder.String() + `","dbs":{"level":"Enhanced","checks":[1,2]}}`)
		}, false},
		{"list in another order", func(c *vc.Credential) {
			c.Subject = json.RawMessage(`{"id":"` + holder.String() + `","dbs":{"level":"Enhanced","checks":[2,1]},"n":1.5}`)
		}, false},
		{"second subject", func(c *vc.Credential) { c.Subject = json.RawMessage(`[` + string(c.Subject) + `,{"a":1}]`) }, false},
		{"type added", func(c *vc.Credential) { c.Type = append(c.Type, "Licence") }, false},
		{"type left out", func(c *vc.Credential) { c.Type = c.Type[:1] }, false},
		{"another context", func(c *vc.Credential) { c.Context = vc.Contexts("https://w3id.org/staffpassport/v2") }, false},
		{"another issuer", func(c *vc.Credential) { c.Issuer.ID = "did:example:f" }, false},
		{"issuer renamed", func(c *vc.Credential) { c.Issuer.Other["name"] = json.RawMessage(`"Birchwood"`) }, false},
		{"issuer without its name", func(c *vc.Credential) { c.Issuer.Other = nil }, false},
		{"valid for longer", func(c *vc.Credential) { c.ValidUntil = later }, false},
		{"valid for ever", func(c *vc.Credential) { c.ValidUntil = time.Time{} }, false},
		{"name changed", func(c *vc.Credential) { c.Other["name"] = json.RawMessage(`"Visa"`) }, false},
		{"name left out", func(c *vc.Credential) { delete(c.Other, "name") }, false},
		{"status with a reason", func(c *vc.Credential) {
			c.Status = []vc.Status{{Type: []string{"BitstringStatusListEntry"}, Other: map[string]json.RawMessage{"reason": json.RawMessage(`"was dismissed"`)}}}
		}, false},
		{"status with messages", func(c *vc.Credential) {
			c.Status = []vc.Status{{Type: []string{"BitstringStatusListEntry"}, Other: map[string]json.RawMessage{
				"statusMessage": json.RawMessage(`[{"status":"0x0","message":"was dismissed"}]`)}}}
		}, false},
		{"terms added", func(c *vc.Credential) { c.Other["termsOfUse"] = json.RawMessage(`{"type":"X"}`) }, false},
		{"holder added", func(c *vc.Credential) { c.Other["holder"] = json.RawMessage(`"did:example:x"`) }, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			issued, err := bound([]byte(base), holder)
			require.NoError(t, err)
			c.change(issued)
			err = same([]byte(base), issued, holder)
			if c.ok {
				require.NoError(t, err)
				return
			}
			require.ErrorIs(t, err, ErrDifferent)
			require.NotContains(t, err.Error(), "Enhanced")
		})
	}
}

func TestSame_OpenOffers(t *testing.T) {
	t.Parallel()
	issued, err := vc.Parse([]byte(`{"@context":["https://www.w3.org/ns/credentials/v2"],"type":["VerifiableCredential"],` +
		`"issuer":{"id":"did:example:e","name":"Alderbrook"},"validFrom":"2026-11-02T09:00:00Z",` +
		`"credentialStatus":{"id":"https://alderbrook.example/status/1#7","type":"BitstringStatusListEntry","statusPurpose":"revocation",` +
		`"statusListIndex":"7","statusListCredential":"https://alderbrook.example/status/1"},"credentialSubject":{"a":1}}`))
	require.NoError(t, err)
	offer := func(members string) []byte {
		return []byte(`{"@context":["https://www.w3.org/ns/credentials/v2"],"type":["VerifiableCredential"],"issuer":"did:example:e","credentialSubject":{"a":1}` + members + `}`)
	}
	for members, ok := range map[string]bool{
		"":                                 true,
		`,"validFrom":"when it is issued"`: true,
		`,"credentialStatus":{"type":"BitstringStatusListEntry"}`:                                                true,
		`,"credentialStatus":[{"type":"BitstringStatusListEntry","statusPurpose":"revocation"}]`:                 true,
		`,"credentialStatus":{"type":"BitstringStatusListEntry","statusListIndex":"to follow"}`:                  true,
		`,"credentialStatus":{"type":"BitstringStatusListEntry","statusPurpose":"suspension"}`:                   false,
		`,"credentialStatus":{"type":"OtherStatusEntry"}`:                                                        false,
		`,"credentialStatus":[{"type":"BitstringStatusListEntry"},{"type":"BitstringStatusListEntry"}]`:          false,
		`,"credentialStatus":{"type":"BitstringStatusListEntry","statusReference":"https://alderbrook.example"}`: false,
		`,"credentialStatus":"BitstringStatusListEntry"`:                                                         false,
		`,"validUntil":"2027-11-02T09:00:00Z"`:                                                                   false,
	} {
		require.NoError(t, checkOffered(offer(members)), members)
		err := same(offer(members), issued, did.DID{})
		if ok {
			require.NoError(t, err, members)
		} else {
			require.ErrorIs(t, err, ErrDifferent, members)
		}
	}
}

// TestSame_Issuer: who a person accepted the credential from is who issues it.
func TestSame_Issuer(t *testing.T) {
	t.Parallel()
	doc := func(issuer string) []byte {
		return []byte(`{"@context":["https://www.w3.org/ns/credentials/v2"],"type":["VerifiableCredential"],"credentialSubject":{"a":1}` + issuer + `}`)
	}
	issued, err := vc.Parse(doc(`,"issuer":{"id":"did:example:e","name":"Alderbrook"}`))
	require.NoError(t, err)
	for issuer, ok := range map[string]bool{
		`,"issuer":"did:example:e"`:                            true,
		`,"issuer":{"name":"Alderbrook","id":"did:example:e"}`: true,
		`,"issuer":{"id":"did:example:e"}`:                     false,
		`,"issuer":"did:example:f"`:                            false,
		`,"issuer":{"id":"did:example:f","name":"Alderbrook"}`: false,
		`,"issuer":{"id":"did:example:e","name":"Birchwood"}`:  false,
	} {
		require.NoError(t, checkOffered(doc(issuer)), issuer)
		err := same(doc(issuer), issued, did.DID{})
		if ok {
			require.NoError(t, err, issuer)
		} else {
			require.ErrorIs(t, err, ErrDifferent, issuer)
		}
	}
	for issuer, ok := range map[string]bool{
		`{"id":"did:example:e","type":"Profile","name":"Alderbrook","url":"https://alderbrook.example","image":"https://alderbrook.example/oak"}`: true,
		`{"id":"did:example:e"}`:                                                   true,
		`{"id":"did:example:e","note":"was dismissed"}`:                            false,
		`{"id":"did:example:e","name":{"@value":"Alderbrook","note":"dismissed"}}`: false,
		`{"id":["did:example:e"]}`:                                                 false,
	} {
		issued, err := vc.Parse(doc(`,"issuer":` + issuer))
		if err == nil {
			err = same(doc(`,"issuer":"did:example:e"`), issued, did.DID{})
		}
		require.Equal(t, ok, err == nil, issuer)
	}
	for _, issuer := range []string{``, `,"issuer":{"name":"Alderbrook"}`} {
		require.ErrorIs(t, checkOffered(doc(issuer)), ErrUnsupported, "nobody to decide by")
	}
}

// TestSame_StatusDropped: a credential that could be asked after stays so.
func TestSame_StatusDropped(t *testing.T) {
	t.Parallel()
	const doc = `{"@context":["https://www.w3.org/ns/credentials/v2"],"type":["VerifiableCredential"],"issuer":"did:example:e","credentialSubject":{"a":1}`
	issued, err := vc.Parse([]byte(doc + `}`))
	require.NoError(t, err)
	require.ErrorIs(t, same([]byte(doc+`,"credentialStatus":{"type":"BitstringStatusListEntry"}}`), issued, did.DID{}), ErrDifferent)
}
