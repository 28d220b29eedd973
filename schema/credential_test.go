package schema_test

import (
	"crypto/ed25519"
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/did/didkey"
	"github.com/staffpassport/staffpassport/schema"
	"github.com/staffpassport/staffpassport/vc"
)

func someDID(t testing.TB, seed byte) did.DID {
	t.Helper()
	key := ed25519.NewKeyFromSeed(append(make([]byte, ed25519.SeedSize-1), seed))
	id, err := didkey.New(key.Public())
	require.NoError(t, err)
	return id
}

func terms(t testing.TB) schema.Terms {
	return schema.Terms{
		ID:         "urn:uuid:00000000-0000-4000-8000-000000000001",
		Issuer:     someDID(t, 1),
		Holder:     someDID(t, 2),
		ValidFrom:  time.Date(2026, 3, 7, 0, 0, 0, 0, time.UTC),
		ValidUntil: time.Date(2027, 3, 7, 0, 0, 0, 0, time.UTC),
	}
}

func TestCredentialAndBack(t *testing.T) {
	t.Parallel()
	p, photo := schema.Sample()
	inline := photo.InlineRef()
	withInline, _ := schema.Sample()
	withInline.Personal.Photo = &inline
	for name, p := range map[string]*schema.Passport{"photo beside": p, "photo inside": withInline} {
		c, err := p.Credential(terms(t))
		require.NoError(t, err, name)
		require.Equal(t, []string{vc.TypeCredential, schema.Type}, c.Type)
		require.Equal(t, vc.Contexts(schema.ContextURL), c.Context)
		doc, err := json.Marshal(c)
		require.NoError(t, err)

		parsed, err := vc.Parse(doc)
		require.NoError(t, err)
		read, err := schema.Read(parsed)
		require.NoError(t, err)
		require.Equal(t, p, read)

		again, err := read.Credential(terms(t))
		require.NoError(t, err)
		twice, err := json.Marshal(again)
		require.NoError(t, err)
		require.Equal(t, string(doc), string(twice))
	}
}

func TestCredentialSubject(t *testing.T) {
	t.Parallel()
	p, _ := schema.Sample()
	term := terms(t)
	c, err := p.Credential(term)
	require.NoError(t, err)
	var subject map[string]json.RawMessage
	require.NoError(t, json.Unmarshal(c.Subject, &subject))
	require.Equal(t, `"`+term.Holder.String()+`"`, string(subject["id"]))
	require.Len(t, subject, 7)

	term.Holder = did.DID{}
	c, err = p.Credential(term)
	require.NoError(t, err)
	require.NotContains(t, string(c.Subject), `"id":"did:`)
}

// Members of a later version, at every depth, survive reading and writing.
func TestUnknownMembersSurvive(t *testing.T) {
	t.Parallel()
	p, _ := schema.Sample()
	c, err := p.Credential(terms(t))
	require.NoError(t, err)
	var subject map[string]any
	require.NoError(t, json.Unmarshal(c.Subject, &subject))
	personal := subject["personal"].(map[string]any)
	subject["skills"] = []any{map[string]any{"subject": "Fire safety", "level": 1.5}}
	subject["type"] = "Person"
	personal["pronouns"] = "they"
	personal["photo"].(map[string]any)["alt"] = nil
	personal["assurance"].(map[string]any)["extra"] = map[string]any{"n": 12}
	subject["employment"].(map[string]any)["contract"] = true
	c.Subject, err = json.Marshal(subject)
	require.NoError(t, err)

	read, err := schema.Read(c)
	require.NoError(t, err)
	require.Equal(t, `"they"`, string(read.Personal.Other["pronouns"]))
	again, err := read.Credential(terms(t))
	require.NoError(t, err)
	require.JSONEq(t, string(c.Subject), string(again.Subject))

	// Through json.Marshal and Unmarshal too.
	b, err := json.Marshal(read)
	require.NoError(t, err)
	var back schema.Passport
	require.NoError(t, json.Unmarshal(b, &back))
	require.Equal(t, read, &back)

	// One that has a field of its own is a mistake, and so is one that is no JSON.
	read.Personal.Other["lastName"] = json.RawMessage(`"Wye"`)
	_, err = read.Credential(terms(t))
	require.Equal(t, []string{"/personal/lastName other-member"}, told(t, err))
	delete(read.Personal.Other, "lastName")
	read.Personal.Other["x"] = json.RawMessage(`{`)
	_, err = read.Credential(terms(t))
	require.Error(t, err)
}

func TestWhatIsNotDisclosedIsNil(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		subject string
		check   func(*schema.Passport) bool
	}{
		"nothing": {`{"id":"did:example:holder"}`, func(p *schema.Passport) bool {
			return len(p.Entries()) == 0 && p.Personal == nil && p.Employment == nil
		}},
		"one section": {`{"occupationalHealth":{"clearance":"Cleared"}}`, func(p *schema.Passport) bool { return p.Personal == nil && p.OccupationalHealth != nil }},
		"one field": {`{"registration":{"body":"NMC"}}`, func(p *schema.Passport) bool {
			return p.Registration.Number.State() == schema.Absent && p.Registration.Body == schema.Of("NMC")
		}},
		"empty section": {`{"dbs":{}}`, func(p *schema.Passport) bool { return p.DBS != nil && p.DBS.Level.IsZero() }},
	} {
		doc := credentialWith(c.subject)
		p, err := schema.Read(&doc)
		require.NoError(t, err, name)
		require.True(t, c.check(p), name)
		require.NoError(t, p.ValidateDisclosed(), name)
		_, err = p.Credential(terms(t))
		require.Error(t, err, name)
	}
}

func credentialWith(subject string) vc.Credential {
	return vc.Credential{
		Context: vc.Contexts(schema.ContextURL), Type: []string{vc.TypeCredential, schema.Type}, Subject: json.RawMessage(subject),
	}
}

func TestReadRefuses(t *testing.T) {
	t.Parallel()
	_, err := schema.Read(nil)
	require.ErrorIs(t, err, schema.ErrNotPassport)
	for name, change := range map[string]func(*vc.Credential){
		"another type":     func(c *vc.Credential) { c.Type = []string{vc.TypeCredential} },
		"no type":          func(c *vc.Credential) { c.Type = nil },
		"another version":  func(c *vc.Credential) { c.Context = vc.Contexts("https://w3id.org/staffpassport/v2") },
		"no own context":   func(c *vc.Credential) { c.Context = vc.Contexts() },
		"several subjects": func(c *vc.Credential) { c.Subject = json.RawMessage(`[{},{}]`) },
		"no subject":       func(c *vc.Credential) { c.Subject = nil },
		"text":             func(c *vc.Credential) { c.Subject = json.RawMessage(`"x"`) },
		"duplicate":        func(c *vc.Credential) { c.Subject = json.RawMessage(`{"dbs":{},"DBS":{}}`) },
	} {
		c := credentialWith(`{}`)
		change(&c)
		p, err := schema.Read(&c)
		require.Nil(t, p, name)
		require.ErrorIs(t, err, schema.ErrNotPassport, name)
	}
	for subject, want := range map[string]string{
		`{"dbs":"Not Applicable"}`:                 "/dbs type",
		`{"dbs":null}`:                             "/dbs type",
		`{"dbs":{"level":1}}`:                      "/dbs/level type",
		`{"dbs":{"issueDate":"2023-02-30"}}`:       "/dbs/issueDate date",
		`{"personal":{"photo":[]}}`:                "/personal/photo type",
		`{"personal":{"photo":{"id":""}}}`:         "/personal/photo/id text",
		`{"personal":{"assurance":"x"}}`:           "/personal/assurance type",
		`{"rightToWork":{"identityVerified":"x"}}`: "/rightToWork/identityVerified boolean",
	} {
		c := credentialWith(subject)
		p, err := schema.Read(&c)
		require.Nil(t, p, subject)
		require.Equal(t, []string{want}, told(t, err))
	}
}

func TestCredentialRefuses(t *testing.T) {
	t.Parallel()
	p, _ := schema.Sample()
	for name, change := range map[string]func(*schema.Terms){
		"no issuer":        func(s *schema.Terms) { s.Issuer = did.DID{} },
		"no start":         func(s *schema.Terms) { s.ValidFrom = time.Time{} },
		"end before start": func(s *schema.Terms) { s.ValidUntil = s.ValidFrom.Add(-time.Second) },
		"end at start":     func(s *schema.Terms) { s.ValidUntil = s.ValidFrom },
	} {
		bad := terms(t)
		change(&bad)
		c, err := p.Credential(bad)
		require.Nil(t, c, name)
		require.ErrorIs(t, err, schema.ErrTerms, name)
	}
	p.Employment.VPD = schema.Of("1")
	p.DBS = nil
	c, err := p.Credential(terms(t))
	require.Nil(t, c)
	require.Equal(t, []string{"/dbs required", "/employment/vpd vpd"}, told(t, err))
}

func TestIdentifiers(t *testing.T) {
	t.Parallel()
	p, _ := schema.Sample()
	require.Equal(t, []schema.Identifier{
		{System: "https://fhir.hl7.org.uk/Id/nmc-number", Value: "10A0101B"},
		{System: "https://fhir.nhs.uk/Id/sds-user-id", Value: "000001010101"},
		{System: "https://fhir.nhs.uk/Id/ods-organization-code", Value: "Z0Z1Z"},
	}, p.Identifiers())
	for body, want := range map[string]schema.Identifier{
		"GMC":  {System: "https://fhir.hl7.org.uk/Id/gmc-number", Value: "PH101"},
		"GPhC": {System: "https://fhir.hl7.org.uk/Id/gphc-number", Value: "PH101"},
		"HCPC": {System: "https://fhir.hl7.org.uk/Id/hcpc-number", Value: "PH000101"},
		"HPC":  {System: "https://fhir.hl7.org.uk/Id/hcpc-number", Value: "PH000101"},
	} {
		q := schema.Passport{Registration: &schema.Registration{Body: schema.Of(body), Number: schema.Of("PH101")}}
		require.Equal(t, []schema.Identifier{want}, q.Identifiers(), body)
	}
	for _, body := range []string{"SWE", "GDC", "", "X"} {
		q := schema.Passport{Registration: &schema.Registration{Body: schema.Of(body), Number: schema.Of("PH101")}}
		require.Empty(t, q.Identifiers(), body)
	}
	require.Empty(t, (&schema.Passport{}).Identifiers())
}

// TestNothingIsAttestedBeforeItHappened: with no other date in the record too.
func TestNothingIsAttestedBeforeItHappened(t *testing.T) {
	t.Parallel()
	day := func(s string) schema.Value[schema.Date] {
		d, err := schema.ParseDate(s)
		require.NoError(t, err)
		return schema.Of(d)
	}
	moment := func(s string) schema.Value[schema.Moment] {
		m, err := schema.ParseMoment(s)
		require.NoError(t, err)
		return schema.Of(m)
	}
	none := schema.Without[schema.Date](schema.NotAvailable)
	for name, c := range map[string]struct {
		change func(*schema.Passport)
		want   string
	}{
		"born in 9999": {func(p *schema.Passport) {
			p.DBS.IssueDate, p.DBS.UpdateServiceCheckDate, p.RightToWork.CheckDate = none, none, none
			p.Registration.RegistrationDate, p.Employment.StartDate, p.Employment.AssignmentStartDate = none, none, none
			p.Personal.DateOfBirth = day("9999-01-01")
		}, "/personal/dateOfBirth birth-date"},
		"certificate":   {func(p *schema.Passport) { p.DBS.IssueDate = day("2026-03-08"); p.DBS.UpdateServiceCheckDate = none }, "/dbs/issueDate after-issuance"},
		"update":        {func(p *schema.Passport) { p.DBS.UpdateServiceCheckDate = day("2026-03-08") }, "/dbs/updateServiceCheckDate after-issuance"},
		"right to work": {func(p *schema.Passport) { p.RightToWork.CheckDate = day("2027-01-01") }, "/rightToWork/checkDate after-issuance"},
		"registration":  {func(p *schema.Passport) { p.Registration.RegistrationDate = day("2027-01-01") }, "/registration/registrationDate after-issuance"},
		"refresh":       {func(p *schema.Passport) { p.Personal.Assurance.LastRefresh = moment("2026-03-08") }, "/personal/assurance/lastRefresh after-issuance"},
		"refresh, exact": {func(p *schema.Passport) { p.Personal.Assurance.LastRefresh = moment("2026-03-08T00:00:00+14:00") },
			"/personal/assurance/lastRefresh after-issuance"},
		"that day":       {func(p *schema.Passport) { p.DBS.UpdateServiceCheckDate = day("2026-03-07") }, ""},
		"later that day": {func(p *schema.Passport) { p.Personal.Assurance.LastRefresh = moment("2026-03-07T20:37:00Z") }, ""},
		"job to begin": {func(p *schema.Passport) {
			p.Employment.StartDate, p.Employment.AssignmentStartDate = day("2026-04-01"), day("2026-04-01")
		}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, _ := schema.Sample()
			c.change(p)
			require.NoError(t, p.Validate(), "Validate knows no time")
			_, err := p.Credential(terms(t))
			if c.want == "" {
				require.NoError(t, err)
				return
			}
			require.Equal(t, []string{c.want}, told(t, err))
		})
	}
}
