package strictjson

// Equal reports whether two values are the same JSON value: objects with the same
// members in any order, arrays with the same elements in the same order. Numbers
// are the same if they are written alike.
func Equal(a, b any) bool {
	switch a := a.(type) {
	case *Object:
		b, ok := b.(*Object)
		if !ok || a.Len() != b.Len() {
			return false
		}
		for name, v := range a.All() {
			if w, ok := b.Get(name); !ok || !Equal(v, w) {
				return false
			}
		}
		return true
	case []any:
		b, ok := b.([]any)
		if !ok || len(a) != len(b) {
			return false
		}
		for i := range a {
			if !Equal(a[i], b[i]) {
				return false
			}
		}
		return true
	}
	switch b.(type) {
	case *Object, []any:
		return false // neither can be compared with ==
	}
	return a == b
}
