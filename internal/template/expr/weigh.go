package expr

import "lazuli/internal/template/jsonc"

// Weigh charges for all that a value holds, as if it were copied. A few
// expressions can make a value that refers to its parts so often that no
// memory would hold what it says in full: whoever writes or compares a value
// that an expression made has to weigh it first.
func (b *Budget) Weigh(v any) error {
	switch v := v.(type) {
	case string:
		return b.Make(len(v) + 2)
	case []any:
		if err := b.Make(2 + len(v)); err != nil {
			return err
		}
		for _, e := range v {
			if err := b.Weigh(e); err != nil {
				return err
			}
		}
		return nil
	case *jsonc.Object:
		for m := range v.All() {
			if err := b.Make(len(m.Name) + 4); err != nil {
				return err
			}
			if err := b.Weigh(m.Value); err != nil {
				return err
			}
		}
	}
	return b.Make(4)
}

// equal is jsonc.Equal, charged for.
func (b *Budget) equal(x, y any) (bool, error) {
	if err := b.step(1); err != nil {
		return false, err
	}
	switch x := x.(type) {
	case []any:
		y, ok := y.([]any)
		if !ok || len(x) != len(y) {
			return false, nil
		}
		for i := range x {
			if same, err := b.equal(x[i], y[i]); err != nil || !same {
				return false, err
			}
		}
		return true, nil
	case *jsonc.Object:
		y, ok := y.(*jsonc.Object)
		if !ok || x.Len() != y.Len() {
			return false, nil
		}
		for m := range x.All() {
			v, ok := y.Get(m.Name)
			if !ok {
				return false, nil
			}
			if same, err := b.equal(m.Value, v); err != nil || !same {
				return false, err
			}
		}
		return true, nil
	case string:
		y, ok := y.(string)
		return ok && x == y, b.step(len(x) / 256)
	}
	return jsonc.Equal(x, y), nil
}

// set is values without duplicates: those that can be a key of a map, and the
// others, which are compared one by one.
type set struct {
	keys  map[any]bool
	other []any
}

func newSet(n int) *set { return &set{keys: make(map[any]bool, n)} }

func isKey(v any) bool {
	switch v.(type) {
	case []any, *jsonc.Object:
		return false
	}
	return true
}

// key is the same for numbers that are equal.
func key(v any) any {
	if f, ok := v.(float64); ok && f == float64(int64(f)) {
		return int64(f)
	}
	return v
}

func (s *set) has(b *Budget, v any) (bool, error) {
	if isKey(v) {
		return s.keys[key(v)], b.step(1)
	}
	for _, o := range s.other {
		if same, err := b.equal(o, v); err != nil || same {
			return same, err
		}
	}
	return false, nil
}

// add tells whether the value is new.
func (s *set) add(b *Budget, v any) (bool, error) {
	if there, err := s.has(b, v); err != nil || there {
		return false, err
	}
	if isKey(v) {
		s.keys[key(v)] = true
	} else {
		s.other = append(s.other, v)
	}
	return true, nil
}
