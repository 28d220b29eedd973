package schema_test

import (
	"fmt"

	"github.com/staffpassport/staffpassport/schema"
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
