package schema_test

import (
	"context"
	"fmt"

	"github.com/staffpassport/staffpassport/schema"
	"github.com/staffpassport/staffpassport/vc/disclose"
	"github.com/staffpassport/staffpassport/vc/sdjwt"
)

// A record that breaks rules is told so at once, field by field.
func ExampleParseRecord() {
	_, photo := schema.Sample()
	record := []byte(`{
		"personal": {"firstName": "Bryony", "lastName": "Wye", "nationalInsuranceNumber": "QQ123456A"},
		"employment": {"staffGroup": "Gardeners", "startdate": "2024-01-01"}
	}`)
	_, err := schema.ParseRecord(record, photo)
	if invalid, ok := err.(*schema.ValidationError); ok {
		for _, v := range invalid.Violations[:4] {
			fmt.Println(v.At, v.Rule)
		}
	}
	// Output:
	// /personal/preferredName required
	// /personal/dateOfBirth required
	// /personal/nationalInsuranceNumber nino
	// /dbs required
}

// The same fields make a form, the JSON Schema and the rules.
func ExampleFields() {
	for _, f := range schema.Fields() {
		if f.Section == "Occupational health" && f.Mandatory {
			fmt.Println(f.Pointer, f.Title, f.Kind, f.Codes)
		}
	}
	// Output:
	// /occupationalHealth/clearance Clearance status code [Cleared Cleared with adjustments Cleared - not EPP Cleared - EPP Pending]
}

// A host asks for a set, and its owner sees beforehand what the set shows of the
// passport, whatever the format.
func ExampleIdentityCheck() {
	employer, staff := exampleSigner(1), exampleSigner(2)
	passport, _ := schema.Sample()
	credential, err := passport.Credential(exampleTerms(employer, staff))
	if err != nil {
		fmt.Println(err)
		return
	}
	disclosable, err := schema.Disclosable(credential)
	if err != nil {
		fmt.Println(err)
		return
	}
	issuer := &sdjwt.Issuer{Signer: employer, Disclosable: disclosable, Holder: staff.Public(), Contexts: schema.Contexts()}
	held, err := issuer.Secure(context.Background(), credential)
	if err != nil {
		fmt.Println(err)
		return
	}

	request := disclose.Request{Reveal: schema.IdentityCheck().Ask, Contexts: schema.Contexts()}
	previewed, err := disclose.Preview(request, held)
	if err != nil {
		fmt.Println(err)
		return
	}
	shown, err := schema.Read(previewed[0].Document)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, e := range shown.Entries() {
		fmt.Printf("%s: %.20s\n", e.Title, e.Text)
	}
	// Output:
	// First name: Hazel
	// Last name: Severn
	// Photo: ni:///sha-256;uzp7Tw
	// Employing organisation: Alder Valley Hospita
	// Employing organisation (ODS code): Z0Z1Z
}
