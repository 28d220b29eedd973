package schema_test

import (
	"encoding/json"
	"errors"
	"maps"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/schema"
	"github.com/staffpassport/staffpassport/vc"
)

// A tree is a record as encoding/json sees it, to be broken in one place.
type tree map[string]any

func sampleTree(t testing.TB) tree {
	t.Helper()
	var out tree
	require.NoError(t, json.Unmarshal(sampleJSON(), &out))
	return out
}

// sampleJSON is the sample, which takes its photo apart each time it is asked for.
var sampleJSON = sync.OnceValue(func() []byte {
	p, _ := schema.Sample()
	b, err := json.Marshal(p)
	if err != nil {
		panic(err)
	}
	return b
})

func (r tree) bytes(t testing.TB) []byte {
	t.Helper()
	b, err := json.Marshal(r)
	require.NoError(t, err)
	return b
}

// parent returns the object that holds the member at p, and its name.
func (r tree) parent(p vc.Pointer) (map[string]any, string) {
	tokens := strings.Split(string(p), "/")[1:]
	at := map[string]any(r)
	for _, name := range tokens[:len(tokens)-1] {
		inner, ok := at[name].(map[string]any)
		if !ok {
			return nil, ""
		}
		at = inner
	}
	return at, tokens[len(tokens)-1]
}

func (r tree) set(p vc.Pointer, v any) bool {
	at, name := r.parent(p)
	if at == nil {
		return false
	}
	at[name] = v
	return true
}

func (r tree) drop(p vc.Pointer) bool {
	at, name := r.parent(p)
	if _, ok := at[name]; !ok {
		return false
	}
	delete(at, name)
	return true
}

// broken parses a record that must fail and returns its violations as
// "pointer rule".
func broken(t testing.TB, doc []byte) []string {
	t.Helper()
	p, err := schema.ParsePassport(doc)
	require.Nil(t, p)
	return told(t, err)
}

func told(t testing.TB, err error) []string {
	t.Helper()
	var invalid *schema.ValidationError
	require.ErrorAs(t, err, &invalid)
	require.NotEmpty(t, invalid.Violations)
	var out []string
	for _, v := range invalid.Violations {
		require.NotEmpty(t, v.Message)
		require.NotEmpty(t, v.Rule)
		require.True(t, v.At.Valid())
		out = append(out, strings.TrimSpace(string(v.At)+" "+v.Rule))
	}
	return out
}

func TestSampleKeepsEveryRule(t *testing.T) {
	t.Parallel()
	p, photo := schema.Sample()
	require.NoError(t, p.Validate())
	require.NoError(t, p.Personal.Photo.Matches(photo.JPEG()))
	parsed, err := schema.ParsePassport(sampleTree(t).bytes(t))
	require.NoError(t, err)
	require.Equal(t, p, parsed)

	// Two calls share nothing.
	q, other := schema.Sample()
	q.Personal.FirstName = schema.Of("Bryony")
	other.JPEG()[0] = 0
	again, same := schema.Sample()
	require.Equal(t, p, again)
	require.Equal(t, photo.JPEG(), same.JPEG())
}

func TestWritingIsStable(t *testing.T) {
	t.Parallel()
	p, _ := schema.Sample()
	first, err := json.Marshal(p)
	require.NoError(t, err)
	for range 20 {
		again, err := json.Marshal(*p)
		require.NoError(t, err)
		require.Equal(t, string(first), string(again))
	}
	// The members stand in the order of the form.
	at := 0
	for _, f := range schema.Fields() {
		if !strings.Contains(string(f.Pointer), "/assurance/") {
			name := string(f.Pointer[strings.LastIndexByte(string(f.Pointer), '/')+1:])
			next := strings.Index(string(first[at:]), `"`+name+`":`)
			require.GreaterOrEqual(t, next, 0, f.Pointer)
			at += next
		}
	}
}

// Every mandatory field, left out alone, is told with its pointer and no more.
func TestEachMandatoryFieldIsMissed(t *testing.T) {
	t.Parallel()
	for _, f := range schema.Fields() {
		r := sampleTree(t)
		if !r.drop(f.Pointer) {
			continue
		}
		inAssurance := strings.Contains(string(f.Pointer), "/assurance/")
		if f.Mandatory || inAssurance {
			require.Equal(t, []string{string(f.Pointer) + " required"}, broken(t, r.bytes(t)))
			continue
		}
		_, err := schema.ParsePassport(r.bytes(t))
		require.NoError(t, err, "%s may be left out", f.Pointer)
	}
	for _, section := range []string{"personal", "dbs", "rightToWork", "registration", "occupationalHealth", "employment"} {
		r := sampleTree(t)
		delete(r, section)
		require.Equal(t, []string{"/" + section + " required"}, broken(t, r.bytes(t)))
	}
}

// The form of the first passport takes the words in every field but the photo.
func TestEveryFieldMayBeWithoutData(t *testing.T) {
	t.Parallel()
	for _, words := range []string{"Not Available", "Not Applicable"} {
		r := sampleTree(t)
		for _, f := range schema.Fields() {
			if f.Kind != schema.KindPhoto && !(f.Pointer == "/registration/body" && words == "Not Available") {
				r.set(f.Pointer, words)
			}
		}
		p, err := schema.ParsePassport(r.bytes(t))
		require.NoError(t, err)
		for _, e := range p.Entries() {
			if e.Kind != schema.KindPhoto && e.Pointer != "/registration/body" {
				require.Equal(t, words, e.State.String(), e.Pointer)
			}
		}
		require.NoError(t, err)
	}
	for _, f := range schema.Fields() {
		for _, words := range []string{"not available", "N/A", "Not available", "NOT APPLICABLE", "Not  Available", "", " ", "null"} {
			if f.Kind == schema.KindText && words == "null" || f.Kind == schema.KindSuggestion && words == "null" || f.Kind == schema.KindPhoto ||
				f.Kind == schema.KindText && words == "Not  Available" || f.Kind == schema.KindSuggestion && words == "Not  Available" {
				continue
			}
			r := sampleTree(t)
			if r.set(f.Pointer, words) {
				require.Contains(t, strings.Join(broken(t, r.bytes(t)), "\n"), string(f.Pointer)+" ", "%q", words)
			}
		}
	}
}

func TestWrongTypesAreTold(t *testing.T) {
	t.Parallel()
	for _, f := range schema.Fields() {
		for what, v := range map[string]any{"null": nil, "number": 7, "array": []any{"Not Available"}, "object": map[string]any{}, "bool": true, "bool as text": "true"} {
			if f.Kind == schema.KindBoolean && what == "bool" || what == "bool as text" && (f.Kind == schema.KindText || f.Kind == schema.KindSuggestion) {
				continue
			}
			r := sampleTree(t)
			if r.set(f.Pointer, v) {
				require.Contains(t, strings.Join(broken(t, r.bytes(t)), "\n"), string(f.Pointer), what)
			}
		}
	}
	for _, section := range []string{"personal", "employment"} {
		for _, v := range []any{nil, "Not Applicable", []any{}, 1} {
			r := sampleTree(t)
			r[section] = v
			require.Equal(t, []string{"/" + section + " type"}, broken(t, r.bytes(t)))
		}
	}
}

// A misspelled member must not lose its content silently.
func TestUnknownMembersAreTold(t *testing.T) {
	t.Parallel()
	for _, at := range []vc.Pointer{"/employement", "/personal/forename", "/personal/photo/alt", "/personal/assurance/Origin2", "/dbs/level2", "/id", "/personal/Other"} {
		r := sampleTree(t)
		require.True(t, r.set(at, "Rowan"))
		require.Equal(t, []string{string(at) + " unknown-member"}, broken(t, r.bytes(t)))
	}
	// Case matters, and a second spelling that differs in case alone is refused.
	r := sampleTree(t)
	require.True(t, r.drop("/personal/lastName"))
	require.True(t, r.set("/personal/LastName", "Severn"))
	require.Equal(t, []string{"/personal/lastName required", "/personal/LastName unknown-member"}, broken(t, r.bytes(t)))
	require.True(t, r.set("/personal/lastName", "Severn"))
	require.Equal(t, []string{"json"}, broken(t, r.bytes(t)))

	// A name that cannot be a misspelling may be somebody's data.
	for _, name := range []string{"Rowan Severn", "AB 12 34 56 C", "", "a/b", "ü", strings.Repeat("x", 41)} {
		r := sampleTree(t)
		r["personal"].(map[string]any)[name] = "x"
		require.Equal(t, []string{"/personal unknown-member"}, broken(t, r.bytes(t)))
	}
}

func TestNotJSON(t *testing.T) {
	t.Parallel()
	for _, doc := range []string{
		"", "null", "[]", `"x"`, "{", "{}x", `{"dbs":{},"dbs":{}}`, "\ufeff{}", `{"personal":{"firstName":"\ud800"}}`,
		strings.Repeat(`{"a":`, 100) + "1" + strings.Repeat("}", 100), `{"x":1e999}`, strings.Repeat(" ", 2<<20) + "{}",
	} {
		require.Equal(t, []string{"json"}, broken(t, []byte(doc)), "%.20q", doc)
	}
}

// Everything wrong is told at once, in document order.
func TestAllViolationsAtOnceInOrder(t *testing.T) {
	t.Parallel()
	r := sampleTree(t)
	r.set("/employment/vpd", "12")
	r.set("/employment/staffGroup", "Gardeners")
	r.set("/employment/fixedTermEndDate", "2020-01-01")
	r.set("/dbs/issueDate", "2024-02-30")
	r.drop("/dbs/level")
	r.set("/registration/number", "12")
	r.set("/rightToWork/identityVerified", "yes")
	r.set("/personal/nationalInsuranceNumber", "QQ123456A")
	r.set("/personal/dateOfBirth", "2023-01-01")
	r.set("/personal/colour", "green")
	r.set("/colour", "green")
	delete(r, "occupationalHealth")
	require.Equal(t, []string{
		"/personal/dateOfBirth birth-date",
		"/personal/nationalInsuranceNumber nino",
		"/personal/colour unknown-member",
		"/dbs/level required",
		"/dbs/issueDate date",
		"/rightToWork/identityVerified boolean",
		"/registration/number nmc",
		"/occupationalHealth required",
		"/employment/staffGroup code",
		"/employment/vpd vpd",
		"/employment/fixedTermEndDate not-expected-here",
		"/employment/fixedTermEndDate date-order",
		"/colour unknown-member",
	}, broken(t, r.bytes(t)))
}

// No violation, message or error repeats what was in a field.
func TestViolationsNeverRepeatValues(t *testing.T) {
	t.Parallel()
	const canary = "KANARIENVOGEL Severn <b>\u0001"
	r := sampleTree(t)
	for _, f := range schema.Fields() {
		r.set(f.Pointer, canary)
	}
	r.set("/personal/photo", map[string]any{"id": canary, "mediaType": canary, "digestMultibase": canary, canary: canary})
	r[canary] = canary
	_, err := schema.ParsePassport(r.bytes(t))
	var invalid *schema.ValidationError
	require.ErrorAs(t, err, &invalid)
	require.Greater(t, len(invalid.Violations), 40)
	text := err.Error()
	for _, v := range invalid.Violations {
		text += string(v.At) + v.Rule + v.Message
	}
	require.NotContains(t, text, "KANARIENVOGEL")
}

func TestParseRecordSetsThePhoto(t *testing.T) {
	t.Parallel()
	_, photo := schema.Sample()
	for name, change := range map[string]func(tree){
		"no photo": func(r tree) { r.drop("/personal/photo") },
		"other photo": func(r tree) {
			r.set("/personal/photo/digestMultibase", "uEiBZlVztZpfWHgPyslVv6-UwirFoQoRvW1htfx963sknNA")
		},
		"bad photo": func(r tree) { r.set("/personal/photo", "x.jpg") },
	} {
		r := sampleTree(t)
		change(r)
		p, err := schema.ParseRecord(r.bytes(t), photo)
		require.NoError(t, err, name)
		require.NoError(t, p.Personal.Photo.Matches(photo.JPEG()), name)
	}
	r := sampleTree(t)
	delete(r, "personal")
	_, err := schema.ParseRecord(r.bytes(t), photo)
	require.Equal(t, []string{"/personal required"}, told(t, err))
}

func TestFromForm(t *testing.T) {
	t.Parallel()
	p, photo := schema.Sample()
	form := map[vc.Pointer]string{}
	for _, e := range p.Entries() {
		if e.Kind != schema.KindPhoto {
			form[e.Pointer] = e.Text
		}
	}
	got, err := schema.FromForm(form, photo)
	require.NoError(t, err)
	require.Equal(t, p, got)

	// An empty form misses every mandatory field, each by its own name.
	_, err = schema.FromForm(nil, nil)
	var want []string
	for _, f := range schema.Fields() {
		if f.Mandatory {
			want = append(want, string(f.Pointer)+" required")
		}
	}
	require.Equal(t, want, told(t, err))

	for at, c := range map[vc.Pointer][2]string{
		"/rightToWork/identityVerified": {"yes", "boolean"},
		"/personal/dateOfBirth":         {"17/04/1988", "date"},
		"/employment/payBand":           {"Band 10", "pay-scale"},
		"/personal/middleName":          {" Tamar", "name"},
		"/employment/salary":            {"1", "unknown-member"},
		"/personal":                     {"x", "unknown-member"},
		"/employment/startDate":         {"", "required"},
	} {
		wrong := maps.Clone(form)
		wrong[at] = c[0]
		_, err := schema.FromForm(wrong, photo)
		require.Equal(t, []string{string(at) + " " + c[1]}, told(t, err))
	}
	wrong := maps.Clone(form)
	wrong["Rowan Severn"] = "x"
	_, err = schema.FromForm(wrong, photo)
	require.Equal(t, []string{"unknown-member"}, told(t, err))
}

func TestFieldsAreForForms(t *testing.T) {
	t.Parallel()
	seen := map[vc.Pointer]bool{}
	for _, f := range append(schema.Fields(), schema.ContactFields()...) {
		require.False(t, seen[f.Pointer], f.Pointer)
		seen[f.Pointer] = true
		require.NotEmpty(t, f.Title)
		require.True(t, f.Pointer.Valid())
		switch f.Kind {
		case schema.KindCode:
			require.NotEmpty(t, f.Codes, f.Pointer)
			require.Empty(t, f.Rule, f.Pointer)
		case schema.KindSuggestion:
			require.NotEmpty(t, f.Codes, f.Pointer)
			require.NotEmpty(t, f.Rule, f.Pointer)
		case schema.KindText, schema.KindDate, schema.KindMoment:
			require.Empty(t, f.Codes, f.Pointer)
			require.NotEmpty(t, f.Rule, f.Pointer)
		case schema.KindBoolean, schema.KindPhoto:
			require.Empty(t, f.Rule, f.Pointer)
		default:
			t.Errorf("%s: kind %q", f.Pointer, f.Kind)
		}
	}
	var optional []string
	for _, f := range schema.Fields() {
		if !f.Mandatory && !strings.Contains(string(f.Pointer), "/assurance/") {
			optional = append(optional, string(f.Pointer))
		}
	}
	require.Equal(t, []string{"/personal/middleName", "/employment/fixedTermEndDate", "/employment/employmentType", "/employment/employmentStatus"}, optional)
}

func TestValidateDisclosed(t *testing.T) {
	t.Parallel()
	require.NoError(t, (&schema.Passport{}).ValidateDisclosed())
	require.NoError(t, (&schema.Passport{Registration: &schema.Registration{Number: schema.Of("1")}}).ValidateDisclosed())
	fixed := &schema.Passport{Employment: &schema.Employment{AssignmentCategory: schema.Of("Fixed Term Temp")}}
	require.NoError(t, fixed.ValidateDisclosed(), "the end date may be hidden")
	fixed.Employment.FixedTermEndDate = schema.Without[schema.Date](schema.NotApplicable)
	require.Equal(t, []string{"/employment/fixedTermEndDate needed-here"}, told(t, fixed.ValidateDisclosed()))
	wrong := &schema.Passport{Employment: &schema.Employment{VPD: schema.Of("1")}}
	require.Equal(t, []string{"/employment/vpd vpd"}, told(t, wrong.ValidateDisclosed()))
}

func TestContactCard(t *testing.T) {
	t.Parallel()
	_, photo := schema.Sample()
	ref, inline := photo.Ref(), photo.InlineRef()
	card := schema.ContactCard{PreferredName: "Hazel", LastName: "Severn", Mobile: "+447700900123", WorkEmail: "hazel.severn@alder-valley.example", EmployeeID: "10000001"}
	require.NoError(t, card.Validate())
	card.Photo = &ref
	require.NoError(t, card.Validate())
	card.Photo = &inline
	require.NoError(t, card.Validate())
	require.Equal(t, []string{"/preferredName required", "/lastName required", "/mobile required", "/workEmail required", "/employeeId required"},
		told(t, new(schema.ContactCard).Validate()))

	for name, change := range map[string]struct {
		set  func(*schema.ContactCard)
		want string
	}{
		"name":     {func(c *schema.ContactCard) { c.LastName = " Severn" }, "/lastName name"},
		"state":    {func(c *schema.ContactCard) { c.LastName = "not available" }, "/lastName name"},
		"mobile":   {func(c *schema.ContactCard) { c.Mobile = "07700900123" }, "/mobile e164"},
		"email":    {func(c *schema.ContactCard) { c.WorkEmail = "hazel" }, "/workEmail email"},
		"employee": {func(c *schema.ContactCard) { c.EmployeeID = "=1+1" }, "/employeeId employee-id"},
		"photo": {func(c *schema.ContactCard) {
			c.Photo = &schema.PhotoRef{ID: inline.ID, MediaType: inline.MediaType, DigestMultibase: "uEiBZlVztZpfWHgPyslVv6-UwirFoQoRvW1htfx963sknNA"}
		}, "/photo/id photo-mismatch"},
		"type": {func(c *schema.ContactCard) {
			c.Photo = &schema.PhotoRef{ID: ref.ID, MediaType: "image/png", DigestMultibase: ref.DigestMultibase}
		}, "/photo/mediaType photo-media-type"},
	} {
		wrong := card
		change.set(&wrong)
		require.Equal(t, []string{change.want}, told(t, wrong.Validate()), name)
	}
}

// encoding/json on a part of a passport gives the same members.
func TestSectionsMarshalAlone(t *testing.T) {
	t.Parallel()
	p, _ := schema.Sample()
	whole, err := json.Marshal(p)
	require.NoError(t, err)
	for _, section := range []any{p.Personal, p.DBS, p.RightToWork, p.Registration, p.OccupationalHealth, p.Employment} {
		b, err := json.Marshal(section)
		require.NoError(t, err)
		require.Contains(t, string(whole), string(b))
	}
}

func TestErrorText(t *testing.T) {
	t.Parallel()
	e := &schema.ValidationError{Violations: []schema.Violation{{At: "/a", Rule: "b"}}}
	require.Equal(t, "schema: 1 violation: /a b", e.Error())
	e.Violations = append(e.Violations, schema.Violation{Rule: "json"})
	require.Equal(t, "schema: 2 violations: /a b, json", e.Error())
	require.False(t, errors.Is(e, schema.ErrDate))
	require.True(t, schema.Contexts().Accepts([]any{vc.ContextV2, schema.ContextURL}))
}

func parsed(t testing.TB, doc []byte) *schema.Passport {
	t.Helper()
	p, err := schema.ParsePassport(doc)
	require.NoError(t, err)
	return p
}
