package arm

import (
	"iter"
	"maps"
	"reflect"
	"strings"
	"sync"
)

// shape is what properties a struct takes, by their name in lower case.
type shape map[string]field

type field struct {
	name     string // ARM's spelling
	index    []int
	readOnly bool
	notZero  bool
}

var shapes sync.Map // reflect.Type → shape

func shapeOf(t reflect.Type) shape {
	if s, ok := shapes.Load(t); ok {
		return s.(shape)
	}
	s := shape{}
	s.add(t, nil)
	shapes.Store(t, s)
	return s
}

// add notes the fields of t, which is at index in the struct. What an outer
// struct names wins over what it embeds.
func (s shape) add(t reflect.Type, index []int) {
	var embedded []reflect.StructField
	for i := range t.NumField() {
		f := t.Field(i)
		f.Index = append(append([]int(nil), index...), i)
		tag := f.Tag.Get("arm")
		if names, ok := strings.CutPrefix(tag, "readonly="); ok {
			s.addReadOnly(strings.Split(names, ","))
		}
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case f.Anonymous && name == "" && derefType(f.Type).Kind() == reflect.Struct:
			embedded = append(embedded, f)
			continue
		case !f.IsExported() || name == "-":
			continue
		case name == "":
			name = f.Name
		}
		s.put(field{name: name, index: f.Index, readOnly: tag == "readonly", notZero: tag == "notzero"})
	}
	for _, f := range embedded {
		s.add(derefType(f.Type), f.Index)
	}
}

func (s shape) addReadOnly(names []string) {
	for _, name := range names {
		s.put(field{name: name, readOnly: true})
	}
}

func (s shape) put(f field) {
	if _, ok := s[strings.ToLower(f.name)]; !ok {
		s[strings.ToLower(f.name)] = f
	}
}

func derefType(t reflect.Type) reflect.Type {
	if t.Kind() == reflect.Pointer {
		return t.Elem()
	}
	return t
}

// fieldOf is v's field at index, making the embedded pointers on the way.
func fieldOf(v reflect.Value, index []int) reflect.Value {
	for i, x := range index {
		if i > 0 && v.Kind() == reflect.Pointer {
			if v.IsNil() {
				v.Set(reflect.New(v.Type().Elem()))
			}
			v = v.Elem()
		}
		v = v.Field(x)
	}
	return v
}

func keys(m map[string]any) iter.Seq[string] { return maps.Keys(m) }
