package schema_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/vc"
)

func TestRulesBetweenFields(t *testing.T) {
	t.Parallel()
	const na = "Not Applicable"
	type edits map[vc.Pointer]any
	noRegister := func(more edits) edits {
		all := edits{
			"/employment/staffGroup": "Administrative and Clerical", "/registration/body": na, "/registration/number": na,
			"/registration/registrationDate": na, "/registration/expiryDate": na, "/registration/status": na,
		}
		for p, v := range more {
			all[p] = v
		}
		return all
	}
	for name, c := range map[string]struct {
		edits edits
		want  []string
	}{
		// dates
		"born on the first day of work":   {edits{"/personal/dateOfBirth": "2010-09-20"}, []string{"/personal/dateOfBirth birth-date"}},
		"born before 1900":                {edits{"/personal/dateOfBirth": "1899-12-31"}, []string{"/personal/dateOfBirth birth-date"}},
		"assignment before employment":    {edits{"/employment/assignmentStartDate": "2021-09-05"}, []string{"/employment/assignmentStartDate date-order"}},
		"assignment with employment":      {edits{"/employment/assignmentStartDate": "2021-09-06"}, nil},
		"registration ends before start":  {edits{"/registration/expiryDate": "2010-09-19"}, []string{"/registration/expiryDate date-order"}},
		"update check before certificate": {edits{"/dbs/updateServiceCheckDate": "2024-02-11"}, []string{"/dbs/updateServiceCheckDate date-order"}},
		"expired passport is evidence":    {edits{"/rightToWork/passportExpiryDate": "2020-01-01"}, nil},
		// fixed term
		"fixed term without end":      {edits{"/employment/assignmentCategory": "Fixed Term Temp"}, []string{"/employment/fixedTermEndDate needed-here"}},
		"fixed term, end unknown":     {edits{"/employment/assignmentCategory": "Fixed Term Temp", "/employment/fixedTermEndDate": "Not Available"}, []string{"/employment/fixedTermEndDate needed-here"}},
		"fixed term with end":         {edits{"/employment/assignmentCategory": "Fixed Term Temp", "/employment/fixedTermEndDate": "2027-01-01"}, nil},
		"fixed term ends first":       {edits{"/employment/assignmentCategory": "Fixed Term Temp", "/employment/fixedTermEndDate": "2023-04-02"}, []string{"/employment/fixedTermEndDate date-order"}},
		"permanent with end":          {edits{"/employment/fixedTermEndDate": "2027-01-01"}, []string{"/employment/fixedTermEndDate not-expected-here"}},
		"locum with end":              {edits{"/employment/assignmentCategory": "Locum", "/employment/fixedTermEndDate": "2027-01-01"}, nil},
		"locum without end":           {edits{"/employment/assignmentCategory": "Locum"}, nil},
		"category unknown, with end":  {edits{"/employment/assignmentCategory": "Not Available", "/employment/fixedTermEndDate": "2027-01-01"}, nil},
		"pay scale of another system": {edits{"/employment/payBand": "MN37"}, nil},
		"pay band of no system":       {edits{"/employment/payBand": "Band 8"}, []string{"/employment/payBand pay-scale"}},
		// registration
		"GMC number of a nurse":      {edits{"/registration/body": "GMC"}, []string{"/registration/number gmc"}},
		"GMC":                        {edits{"/registration/body": "GMC", "/registration/number": "0010101"}, nil},
		"GMC, limited":               {edits{"/registration/body": "GMC", "/registration/number": "L010101"}, nil},
		"NMC number of a doctor":     {edits{"/registration/number": "0010101"}, []string{"/registration/number nmc"}},
		"HCPC":                       {edits{"/registration/body": "HCPC", "/registration/number": "PH101010"}, nil},
		"HPC, the older name":        {edits{"/registration/body": "HPC", "/registration/number": "12"}, []string{"/registration/number hcpc"}},
		"GPhC":                       {edits{"/registration/body": "GPhC", "/registration/number": "2010101"}, nil},
		"GPhC with another start":    {edits{"/registration/body": "GPhC", "/registration/number": "1010101"}, []string{"/registration/number gphc"}},
		"GDC":                        {edits{"/registration/body": "GDC", "/registration/number": "10101"}, nil},
		"GDC with a letter":          {edits{"/registration/body": "GDC", "/registration/number": "1010A"}, []string{"/registration/number gdc"}},
		"a body without a rule":      {edits{"/registration/body": "SWE", "/registration/number": "SW 101"}, nil},
		"a body without a number":    {edits{"/registration/number": na}, []string{"/registration/number needed-here"}},
		"a body, number not to hand": {edits{"/registration/number": "Not Available"}, nil},
		"no body":                    {noRegister(nil), nil},
		"no body, but a number":      {noRegister(edits{"/registration/number": "1"}), []string{"/registration/number not-expected-here"}},
		"no body, but a date":        {noRegister(edits{"/registration/expiryDate": "2030-01-01"}), []string{"/registration/expiryDate not-expected-here"}},
		"nurse without register":     {noRegister(edits{"/employment/staffGroup": "Nursing and Midwifery Registered"}), nil},
		"nurse, register unknown":    {edits{"/registration/body": "Not Available"}, []string{"/registration/body registered-profession"}},
		"doctor, register unknown":   {edits{"/registration/body": "Not Available", "/employment/staffGroup": "Medical and Dental"}, []string{"/registration/body registered-profession"}},
		"therapist, register unknown": {edits{"/registration/body": "Not Available", "/employment/staffGroup": "Allied Health Professionals"},
			[]string{"/registration/body registered-profession"}},
		"clerk, register unknown": {edits{"/registration/body": "Not Available", "/employment/staffGroup": "Estates and Ancillary"}, nil},
		// DBS
		"no check, but a certificate": {edits{"/dbs/level": na, "/dbs/issueDate": na, "/dbs/workforce": na, "/dbs/updateServiceResult": na, "/dbs/updateServiceCheckDate": na},
			[]string{"/dbs/certificateNumber not-expected-here"}},
		"no check": {edits{"/dbs/level": na, "/dbs/certificateNumber": na, "/dbs/issueDate": na, "/dbs/workforce": na, "/dbs/updateServiceResult": na, "/dbs/updateServiceCheckDate": na}, nil},
		"update result without date": {edits{"/dbs/updateServiceCheckDate": na},
			[]string{"/dbs/updateServiceCheckDate needed-here"}},
		// right to work
		"visa without expiry":     {edits{"/rightToWork/evidence": "Visa or permit with expiry"}, []string{"/rightToWork/visaExpiryDate needed-here"}},
		"visa ended at the check": {edits{"/rightToWork/evidence": "Visa or permit with expiry", "/rightToWork/visaExpiryDate": "2021-08-29"}, []string{"/rightToWork/visaExpiryDate date-order"}},
		"visa":                    {edits{"/rightToWork/evidence": "Visa or permit with expiry", "/rightToWork/visaExpiryDate": "2029-08-29"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := sampleTree(t)
			for at, v := range c.edits {
				require.True(t, r.set(at, v))
			}
			if c.want == nil {
				require.NotNil(t, parsed(t, r.bytes(t)))
				return
			}
			require.Equal(t, c.want, broken(t, r.bytes(t)))
		})
	}
}
