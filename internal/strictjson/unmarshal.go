package strictjson

import (
	"encoding"
	"encoding/base64"
	"encoding/json"
	"reflect"
	"strconv"
)

// Unmarshal reads one JSON value with the default limits into the Go value
// that v points to. It refuses what [Parse] refuses, and follows encoding/json
// with these differences:
//
//   - a member fills a field only if it is spelled exactly as the field's tag
//     (or, without a tag, its Go name); members that fit no field are checked
//     and left out;
//   - v is changed only if the whole document fits; fields that the document
//     does not name keep what they had, but maps, slices and pointers are
//     always made anew;
//   - an array must have exactly the length of the Go array;
//   - an empty interface gets what Parse yields;
//   - map keys are strings; the tag options "string" and "omitempty" have no
//     effect.
//
// json.RawMessage, [*Object], [Number], json.Unmarshaler and
// encoding.TextUnmarshaler are served at any depth. The error is an [*Error]:
// one of the package's sentinels, ErrType where a value does not fit, or what
// an unmarshaler returned.
func Unmarshal(data []byte, v any) error { return Parser{}.Unmarshal(data, v) }

// Unmarshal is the function of the same name with p's limits.
func (p Parser) Unmarshal(data []byte, v any) error {
	target := reflect.ValueOf(v)
	if target.Kind() != reflect.Pointer || target.IsNil() {
		return &Error{Offset: -1, Err: ErrType}
	}
	var r reader
	if err := r.open(p, data); err != nil {
		return err
	}
	filled := reflect.New(target.Type().Elem()).Elem()
	filled.Set(target.Elem())
	if err := r.fill(filled); err != nil {
		return err
	}
	if err := r.close(); err != nil {
		return err
	}
	target.Elem().Set(filled)
	return nil
}

// reader fills Go values while the scanner walks over the document.
type reader struct {
	scanner
	structs map[reflect.Type]structFields
}

var (
	objectType = reflect.TypeFor[Object]()
	rawType    = reflect.TypeFor[json.RawMessage]()
	numberType = reflect.TypeFor[Number]()
	jsonNumber = reflect.TypeFor[json.Number]()
)

// fill reads the next value into v, which can be set.
func (r *reader) fill(v reflect.Value) error {
	c := r.next()
	if v.Kind() == reflect.Pointer {
		if c == 'n' {
			return r.null(v)
		}
		made := reflect.New(v.Type().Elem())
		if err := r.fill(made.Elem()); err != nil {
			return err
		}
		v.Set(made)
		return nil
	}
	if done, err := r.fillSpecial(v, c); done {
		return err
	}
	if c == 'n' {
		return r.null(v)
	}
	at := r.pos
	switch v.Kind() {
	case reflect.Interface:
		tree, err := r.value()
		if err != nil {
			return err
		}
		if v.NumMethod() != 0 {
			return r.fail(at, ErrType)
		}
		v.Set(reflect.ValueOf(tree))
		return nil
	case reflect.Struct:
		return r.fillStruct(v, c)
	case reflect.Map:
		return r.fillMap(v, c)
	case reflect.Slice:
		return r.fillSlice(v, c)
	case reflect.Array:
		return r.fillArray(v, c)
	}
	return r.fillScalar(v)
}

// null reads null: it empties what can be empty and leaves the rest alone.
func (r *reader) null(v reflect.Value) error {
	if _, err := r.value(); err != nil {
		return err
	}
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface, reflect.Map, reflect.Slice:
		v.SetZero()
	}
	return nil
}

// fillSpecial serves the types that say themselves how they are read.
func (r *reader) fillSpecial(v reflect.Value, c byte) (done bool, err error) {
	at := r.pos
	switch v.Type() {
	case objectType:
		if c == 'n' {
			return true, r.null(v)
		}
		tree, err := r.value()
		if err != nil {
			return true, err
		}
		o, ok := tree.(*Object)
		if !ok {
			return true, r.fail(at, ErrType)
		}
		v.Set(reflect.ValueOf(o).Elem())
		return true, nil
	case rawType:
		raw, err := r.raw()
		if err != nil {
			return true, err
		}
		v.SetBytes([]byte(raw))
		return true, nil
	case numberType:
		return false, nil // its UnmarshalJSON is for encoding/json
	}
	if v.Type().PkgPath() == "" && v.Kind() != reflect.Struct {
		return false, nil // such a type has no methods; an unnamed struct may, by embedding
	}
	switch u := v.Addr().Interface().(type) {
	case json.Unmarshaler:
		raw, err := r.raw()
		if err != nil {
			return true, err
		}
		if err := u.UnmarshalJSON([]byte(raw)); err != nil {
			return true, r.fail(at, err)
		}
		return true, nil
	case encoding.TextUnmarshaler:
		if c == 'n' {
			return true, r.null(v)
		}
		tree, err := r.value()
		if err != nil {
			return true, err
		}
		t, ok := tree.(string)
		if !ok {
			return true, r.fail(at, ErrType)
		}
		if err := u.UnmarshalText([]byte(t)); err != nil {
			return true, r.fail(at, err)
		}
		return true, nil
	}
	return false, nil
}

// raw reads a value, checks it and returns its text as it stands.
func (r *reader) raw() (string, error) {
	r.space()
	start := r.pos
	if _, err := r.value(); err != nil {
		return "", err
	}
	return r.src[start:r.pos], nil
}

func (r *reader) fillStruct(v reflect.Value, c byte) error {
	if c != '{' {
		return r.misfit()
	}
	if _, err := r.begin(); err != nil {
		return err
	}
	fields := r.fieldsOf(v.Type())
	return r.eachMember(func(name string) error {
		path, known := fields[name]
		if !known {
			_, err := r.value()
			return err
		}
		field, err := fieldByPath(v, path)
		if err != nil {
			return r.fail(r.pos, err)
		}
		return r.fill(field)
	})
}

func (r *reader) fillMap(v reflect.Value, c byte) error {
	t := v.Type()
	if c != '{' || t.Key().Kind() != reflect.String {
		return r.misfit()
	}
	if _, err := r.begin(); err != nil {
		return err
	}
	made := reflect.MakeMap(t)
	err := r.eachMember(func(name string) error {
		item := reflect.New(t.Elem()).Elem()
		if err := r.fill(item); err != nil {
			return err
		}
		made.SetMapIndex(reflect.ValueOf(name).Convert(t.Key()), item)
		return nil
	})
	if err != nil {
		return err
	}
	v.Set(made)
	return nil
}

func (r *reader) fillSlice(v reflect.Value, c byte) error {
	t := v.Type()
	if c == '"' && t.Elem().Kind() == reflect.Uint8 {
		return r.fillBytes(v)
	}
	if c != '[' {
		return r.misfit()
	}
	if _, err := r.begin(); err != nil {
		return err
	}
	made := reflect.MakeSlice(t, 0, 0)
	err := r.eachItem(func() error {
		item := reflect.New(t.Elem()).Elem()
		if err := r.fill(item); err != nil {
			return err
		}
		made = reflect.Append(made, item)
		return nil
	})
	if err != nil {
		return err
	}
	v.Set(made)
	return nil
}

// fillBytes reads bytes from standard base64, the form that encoding/json
// writes for them.
func (r *reader) fillBytes(v reflect.Value) error {
	at := r.pos
	tree, err := r.value()
	if err != nil {
		return err
	}
	t, _ := tree.(string)
	decoded, err := base64.StdEncoding.Strict().DecodeString(t)
	if err != nil {
		return r.fail(at, ErrType)
	}
	v.SetBytes(decoded)
	return nil
}

func (r *reader) fillArray(v reflect.Value, c byte) error {
	at := r.pos
	if c != '[' {
		return r.misfit()
	}
	if _, err := r.begin(); err != nil {
		return err
	}
	n := 0
	err := r.eachItem(func() error {
		if n == v.Len() {
			return r.fail(r.pos, ErrType)
		}
		n++
		return r.fill(v.Index(n - 1))
	})
	if err == nil && n != v.Len() {
		return r.fail(at, ErrType)
	}
	return err
}

func (r *reader) fillScalar(v reflect.Value) error {
	at := r.pos
	tree, err := r.value()
	if err != nil {
		return err
	}
	if n, ok := tree.(Number); ok && v.Kind() == reflect.Float32 && !n.Slow() {
		if m := measure(string(n)); m.slow(slowPoint32) {
			if err := r.countSlow(at); err != nil {
				return err
			}
		}
	}
	if !setScalar(v, tree) {
		return r.fail(at, ErrType)
	}
	return nil
}

func setScalar(v reflect.Value, tree any) bool {
	switch tree := tree.(type) {
	case bool:
		if v.Kind() == reflect.Bool {
			v.SetBool(tree)
			return true
		}
	case string:
		if v.Kind() == reflect.String && v.Type() != numberType && v.Type() != jsonNumber {
			v.SetString(tree)
			return true
		}
	case Number:
		return setNumber(v, string(tree))
	}
	return false
}

func setNumber(v reflect.Value, literal string) bool {
	switch v.Kind() {
	case reflect.String:
		if v.Type() == numberType || v.Type() == jsonNumber {
			v.SetString(literal)
			return true
		}
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		i, err := strconv.ParseInt(literal, 10, v.Type().Bits())
		if err == nil {
			v.SetInt(i)
			return true
		}
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		u, err := strconv.ParseUint(literal, 10, v.Type().Bits())
		if err == nil {
			v.SetUint(u)
			return true
		}
	case reflect.Float32, reflect.Float64:
		f, err := strconv.ParseFloat(literal, v.Type().Bits())
		if err == nil {
			v.SetFloat(f)
			return true
		}
	}
	return false
}

// misfit reads the value that was not expected, so that a fault inside it is
// reported before the fact that it does not fit.
func (r *reader) misfit() error {
	at := r.pos
	if _, err := r.value(); err != nil {
		return err
	}
	return r.fail(at, ErrType)
}
