package schema

import (
	"fmt"
	"maps"
	"slices"

	"github.com/staffpassport/staffpassport/internal/errtext"
	"github.com/staffpassport/staffpassport/internal/strictjson"
)

// marshal writes the struct that owner points to as compact JSON.
func marshal(s *shape, owner any) ([]byte, error) {
	o := strictjson.NewObject()
	if err := s.encode(o, owner); err != nil {
		return nil, err
	}
	return strictjson.Append(nil, o)
}

// encode adds the members of the struct to o: the known ones in the order of the
// Go fields, then the unknown ones in the order of their names.
func (s *shape) encode(o *strictjson.Object, owner any) error {
	for _, m := range s.members {
		if m.object == nil {
			c := m.cell(owner)
			wire := c.encode()
			if value, ok := m.codes.Canonical(c.Text()); ok && c.State() == Present {
				wire = value
			}
			if wire != nil {
				o.Set(m.name, wire)
			}
			continue
		}
		inner := m.child(owner)
		if inner == nil {
			continue
		}
		child := strictjson.NewObject()
		if err := m.object.encode(child, inner); err != nil {
			return err
		}
		o.Set(m.name, child)
	}
	other := s.unknown(owner)
	names := slices.Sorted(maps.Keys(other))
	if s.misplaced(names) != nil {
		return &ValidationError{Violations: []Violation{violation("", ruleOther)}}
	}
	for _, name := range names {
		wire, err := strictjson.Parse(other[name])
		if err != nil {
			return fmt.Errorf("schema: unknown member: %w", errtext.Below(err))
		}
		o.Set(name, wire)
	}
	return nil
}
