package arm

import (
	"encoding"
	"encoding/json"
	"errors"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// assign sets v to what tree says.
func assign(v reflect.Value, tree any, at *path) error {
	if tree == nil {
		return nil
	}
	if done, err := assignByType(v, tree, at); done {
		return err
	}
	switch v.Kind() {
	case reflect.Pointer:
		p := reflect.New(v.Type().Elem())
		if !v.IsNil() {
			p.Elem().Set(v.Elem())
		}
		if err := assign(p.Elem(), tree, at); err != nil {
			return err
		}
		v.Set(p)
		return nil
	case reflect.Struct:
		return assignStruct(v, tree, at)
	case reflect.Map:
		return assignMap(v, tree, at)
	case reflect.Slice:
		return assignSlice(v, tree, at)
	}
	return assignScalar(v, tree, at)
}

// assignByType is for the types that read themselves: IDs, times, addresses,
// raw JSON, any.
func assignByType(v reflect.Value, tree any, at *path) (done bool, err error) {
	switch v.Addr().Interface().(type) {
	case json.Unmarshaler:
	case encoding.TextUnmarshaler:
		if _, ok := tree.(string); !ok {
			return true, wrongType(at, "a string", tree)
		}
	default:
		if v.Kind() != reflect.Interface {
			return false, nil
		}
	}
	raw, err := json.Marshal(tree)
	if err != nil {
		return true, err
	}
	err = json.Unmarshal(raw, v.Addr().Interface())
	if ae, ok := errors.AsType[*Error](err); ok {
		return true, ae.At(at.String())
	}
	if err != nil {
		return true, InvalidParameter(at.String(), "The value of '%s' is not valid: %v.", at, err)
	}
	return true, nil
}

func assignStruct(v reflect.Value, tree any, at *path) error {
	m, ok := tree.(map[string]any)
	if !ok {
		return wrongType(at, "an object", tree)
	}
	s := shapeOf(v.Type())
	seen := make(map[string]bool, len(m))
	for _, name := range slices.Sorted(keys(m)) {
		fold := strings.ToLower(name)
		f, known := s[fold]
		switch {
		case known && seen[fold]:
			return badContent("the property '%s' is given twice.", at.property(f.name)).At(at.property(f.name).String())
		case !known && !saysNothing(m[name]):
			return Unsupported(at.property(name).String())
		case !known || f.readOnly:
			// Nothing to do.
		default:
			if err := assignField(fieldOf(v, f.index), f, m[name], at.property(f.name)); err != nil {
				return err
			}
		}
		seen[fold] = true
	}
	return nil
}

func assignField(v reflect.Value, f field, tree any, at *path) error {
	if err := assign(v, tree, at); err != nil {
		return err
	}
	if f.notZero && tree != nil && v.IsZero() {
		return InvalidParameter(at.String(), "The value of '%s' must not be 0. Leave it out for what is usual.", at)
	}
	return nil
}

// saysNothing is true of null, false, "", [] and of objects in which nothing
// else is said.
func saysNothing(tree any) bool {
	switch t := tree.(type) {
	case map[string]any:
		for _, v := range t {
			if !saysNothing(v) {
				return false
			}
		}
		return true
	case []any:
		return len(t) == 0
	case string:
		return t == ""
	case bool:
		return !t
	}
	return tree == nil
}

func assignMap(v reflect.Value, tree any, at *path) error {
	m, ok := tree.(map[string]any)
	if !ok {
		return wrongType(at, "an object", tree)
	}
	out := reflect.MakeMapWithSize(v.Type(), len(m))
	for _, name := range slices.Sorted(keys(m)) {
		if m[name] == nil {
			continue
		}
		e := reflect.New(v.Type().Elem()).Elem()
		if err := assign(e, m[name], at.property(name)); err != nil {
			return err
		}
		out.SetMapIndex(reflect.ValueOf(name).Convert(v.Type().Key()), e)
	}
	v.Set(out)
	return nil
}

func assignSlice(v reflect.Value, tree any, at *path) error {
	a, ok := tree.([]any)
	if !ok {
		return wrongType(at, "an array", tree)
	}
	out := reflect.MakeSlice(v.Type(), len(a), len(a))
	for i := range a {
		if a[i] == nil {
			return wrongType(at.element(i), "a value", nil)
		}
		if err := assign(out.Index(i), a[i], at.element(i)); err != nil {
			return err
		}
	}
	v.Set(out)
	return nil
}

func assignScalar(v reflect.Value, tree any, at *path) error {
	switch v.Kind() {
	case reflect.String:
		s, ok := textOf(tree)
		if !ok {
			return wrongType(at, "a string", tree)
		}
		v.SetString(s)
	case reflect.Bool:
		b, ok := boolOf(tree)
		if !ok {
			return wrongType(at, "true or false", tree)
		}
		v.SetBool(b)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		n, ok := integerOf(tree)
		if !ok || v.OverflowInt(n) {
			return wrongType(at, "a whole number within range", tree)
		}
		v.SetInt(n)
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		n, ok := integerOf(tree)
		if !ok || n < 0 || v.OverflowUint(uint64(n)) {
			return wrongType(at, "a whole number within range", tree)
		}
		v.SetUint(uint64(n))
	case reflect.Float32, reflect.Float64:
		s, _ := textOf(tree)
		f, err := strconv.ParseFloat(s, 64)
		if err != nil || math.IsNaN(f) || math.IsInf(f, 0) {
			return wrongType(at, "a number", tree)
		}
		v.SetFloat(f)
	default:
		return Unsupported(at.String())
	}
	return nil
}

func textOf(tree any) (string, bool) {
	switch t := tree.(type) {
	case string:
		return t, true
	case json.Number:
		return t.String(), true
	}
	return "", false
}

func boolOf(tree any) (value, ok bool) {
	switch t := tree.(type) {
	case bool:
		return t, true
	case string:
		return strings.EqualFold(t, "true"), strings.EqualFold(t, "true") || strings.EqualFold(t, "false")
	}
	return false, false
}

// integerOf reads 30, "30", 30.0 and 3e1.
func integerOf(tree any) (int64, bool) {
	s, _ := textOf(tree)
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		return n, true
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || f != math.Trunc(f) || math.Abs(f) > 1<<53 {
		return 0, false
	}
	return int64(f), true
}

func wrongType(at *path, want string, got any) *Error {
	shown := kindOf(got)
	if s, ok := textOf(got); ok && len(s) <= 40 {
		shown = strconv.Quote(s)
	}
	if at == nil {
		return badContent("it is %s; %s is needed.", shown, want)
	}
	return InvalidParameter(at.String(), "The value of '%s' is %s; it must be %s.", at, shown, want)
}
