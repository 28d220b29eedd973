package strictjson_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/internal/strictjson"
)

func names(o *strictjson.Object) []string {
	var list []string
	for name := range o.All() {
		list = append(list, name)
	}
	return list
}

func TestObject_KeepsOrder(t *testing.T) {
	t.Parallel()
	o, err := strictjson.ParseObject([]byte(`{"b":1,"a":2,"c":3}`))
	require.NoError(t, err)
	require.Equal(t, []string{"b", "a", "c"}, names(o))

	o.Set("a", "x") // stays in its place
	o.Set("d", nil)
	require.Equal(t, []string{"b", "a", "c", "d"}, names(o))
	v, ok := o.Get("d")
	require.True(t, ok)
	require.Nil(t, v)

	o.Delete("b")
	o.Delete("absent")
	require.Equal(t, []string{"a", "c", "d"}, names(o))
	_, ok = o.Get("A")
	require.False(t, ok, "names are matched exactly")
}

func TestObject_Text(t *testing.T) {
	t.Parallel()
	o := object("s", "river", "n", strictjson.Number("1"), "z", nil)
	s, ok := o.Text("s")
	require.True(t, ok)
	require.Equal(t, "river", s)
	for _, name := range []string{"n", "z", "absent"} {
		_, ok := o.Text(name)
		require.False(t, ok, name)
	}
}

func TestObject_NilAndZero(t *testing.T) {
	t.Parallel()
	var none *strictjson.Object
	_, ok := none.Get("a")
	require.False(t, ok)
	require.Zero(t, none.Len())
	require.Empty(t, names(none))
	require.Nil(t, none.Clone())

	var zero strictjson.Object
	zero.Delete("a")
	zero.Set("a", true)
	require.Equal(t, 1, zero.Len())
}

func TestNewObject_LastValueInFirstPlace(t *testing.T) {
	t.Parallel()
	o := strictjson.NewObject(strictjson.Member{Name: "a", Value: "1"}, strictjson.Member{Name: "b"}, strictjson.Member{Name: "a", Value: "2"})
	require.Equal(t, []string{"a", "b"}, names(o))
	v, _ := o.Text("a")
	require.Equal(t, "2", v)
}

func TestObject_CloneIsIndependent(t *testing.T) {
	t.Parallel()
	for _, n := range []int{2, 40} {
		o := strictjson.NewObject()
		for i := range n {
			o.Set(strconv.Itoa(i), i)
		}
		c := o.Clone()
		c.Set("0", "changed")
		c.Set("new", true)
		c.Delete("1")
		v, _ := o.Get("0")
		require.Equal(t, 0, v)
		_, ok := o.Get("new")
		require.False(t, ok)
		v, ok = o.Get("1")
		require.True(t, ok)
		require.Equal(t, 1, v)
	}
}

// The index of a large object must agree with the members through any changes.
func TestObject_LargeStaysConsistent(t *testing.T) {
	t.Parallel()
	o := strictjson.NewObject()
	var want []string
	for i := range 100 {
		name := fmt.Sprint("n", i)
		o.Set(name, i)
		want = append(want, name)
	}
	for i := range 100 {
		if i%3 == 0 {
			o.Delete(fmt.Sprint("n", i))
			want = slices.DeleteFunc(want, func(s string) bool { return s == fmt.Sprint("n", i) })
		}
		if i%10 == 0 {
			o.Set(fmt.Sprint("m", i), i)
			want = append(want, fmt.Sprint("m", i))
		}
		require.Equal(t, want, names(o))
		for _, name := range want {
			v, ok := o.Get(name)
			require.True(t, ok, name)
			require.Equal(t, name[1:], fmt.Sprint(v))
		}
		_, ok := o.Get(fmt.Sprint("n", i-i%3))
		require.False(t, ok)
	}
}

func TestObject_AllStops(t *testing.T) {
	t.Parallel()
	seen := 0
	for range object("a", 1, "b", 2, "c", 3).All() {
		seen++
		if seen == 2 {
			break
		}
	}
	require.Equal(t, 2, seen)
}

func TestObject_InsideEncodingJSON(t *testing.T) {
	t.Parallel()
	type holder struct {
		O *strictjson.Object `json:"o"`
		P strictjson.Object  `json:"p"`
		Q *strictjson.Object `json:"q,omitempty"`
	}
	var h holder
	require.NoError(t, json.Unmarshal([]byte(`{"o":{"b":1,"a":[null]},"p":null}`), &h))
	require.Equal(t, []string{"b", "a"}, names(h.O))
	out, err := json.Marshal(&h)
	require.NoError(t, err)
	require.Equal(t, `{"o":{"b":1,"a":[null]},"p":{}}`, string(out))

	for in, want := range map[string]error{
		`{"o":{"a":1,"A":2}}`:              strictjson.ErrDuplicate,
		`{"o":[]}`:                         strictjson.ErrSyntax,
		`{"p":{"n":12345678901234567890}}`: strictjson.ErrNumber,
	} {
		require.ErrorIs(t, json.Unmarshal([]byte(in), &holder{}), want, in)
	}
	out, err = json.Marshal((*strictjson.Object)(nil))
	require.NoError(t, err)
	require.Equal(t, "null", string(out))
}

func TestObject_PrintedByAccidentShowsNothing(t *testing.T) {
	t.Parallel()
	o := object("name", "Hazel Tamar", "nested", object("name", "Hazel Tamar"))
	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		for _, v := range []any{o, []any{o}, struct{ O *strictjson.Object }{o}} {
			require.NotContains(t, fmt.Sprintf(format, v), "Hazel", format)
			require.NotContains(t, fmt.Sprintf(format, v), "name", format)
		}
	}
}

func TestGrow(t *testing.T) {
	t.Parallel()
	o := strictjson.NewObject(strictjson.Member{Name: "a", Value: true})
	o.Grow(40)
	require.Equal(t, 1, o.Len())
	o.Set("b", nil)
	b, err := strictjson.Append(nil, o)
	require.NoError(t, err)
	require.Equal(t, `{"a":true,"b":null}`, string(b))
}
