package strictjson

import (
	"reflect"
	"strings"
)

// structFields gives for each member name the way to its field: an index for
// each level of embedded structs.
type structFields map[string][]int

type fieldPlace struct {
	path   []int
	tagged bool
	clash  bool
}

// fieldsOf lists the fields of a struct type as encoding/json does: fields of
// embedded structs count as the struct's own, a shallower field hides a deeper
// one of the same name, and of two at one depth a tagged one wins or neither.
func (r *reader) fieldsOf(t reflect.Type) structFields {
	if f, ok := r.structs[t]; ok {
		return f
	}
	places := map[string]*fieldPlace{}
	collectFields(places, t, nil, map[reflect.Type]bool{})
	fields := make(structFields, len(places))
	for name, place := range places {
		if !place.clash {
			fields[name] = place.path
		}
	}
	if r.structs == nil {
		r.structs = map[reflect.Type]structFields{}
	}
	r.structs[t] = fields
	return fields
}

func collectFields(places map[string]*fieldPlace, t reflect.Type, path []int, above map[reflect.Type]bool) {
	if above[t] {
		return // a struct that embeds a pointer to itself
	}
	above[t] = true
	defer delete(above, t)
	for i := range t.NumField() {
		f := t.Field(i)
		tag, inTag := f.Tag.Lookup("json")
		if tag == "-" {
			continue
		}
		name, _, _ := strings.Cut(tag, ",")
		here := append(path[:len(path):len(path)], i)
		if f.Anonymous && name == "" {
			embedded := f.Type
			if embedded.Kind() == reflect.Pointer {
				embedded = embedded.Elem()
			}
			if embedded.Kind() == reflect.Struct {
				collectFields(places, embedded, here, above)
				continue
			}
		}
		if !f.IsExported() {
			continue
		}
		tagged := inTag && name != ""
		if name == "" {
			name = f.Name
		}
		addField(places, name, &fieldPlace{path: here, tagged: tagged})
	}
}

func addField(places map[string]*fieldPlace, name string, found *fieldPlace) {
	old := places[name]
	switch {
	case old == nil, len(found.path) < len(old.path):
		places[name] = found
	case len(found.path) > len(old.path):
	case found.tagged == old.tagged:
		old.clash = true
	case found.tagged:
		places[name] = found
	}
}

// fieldByPath walks to a field and makes the embedded structs that are
// pointers on the way.
func fieldByPath(v reflect.Value, path []int) (reflect.Value, error) {
	for level, i := range path {
		if level > 0 && v.Kind() == reflect.Pointer {
			if !v.CanSet() {
				return reflect.Value{}, ErrType // an embedded pointer to an unexported struct
			}
			if v.IsNil() {
				v.Set(reflect.New(v.Type().Elem()))
			}
			v = v.Elem()
		}
		v = v.Field(i)
	}
	return v, nil
}
