package expr

import "lazuli/internal/template/jsonc"

// setFunctions treat arrays and objects as sets.
var setFunctions = []function{
	{name: "union", min: 2, max: -1, eval: union},
	{name: "intersection", min: 2, max: -1, eval: intersection},
	{name: "distinct", min: 1, max: 1, eval: func(b *Budget, args []any) (any, error) {
		if _, err := arrayArg("distinct", args, 0); err != nil {
			return nil, err
		}
		return unionOfArrays(b, args)
	}},
}

// sameKind checks that all are arrays or all are objects.
func sameKind(fn string, args []any) (arrays bool, err error) {
	_, arrays = args[0].([]any)
	if _, object := args[0].(*jsonc.Object); !object && !arrays {
		return false, wrongType(fn, 0, "an array or an object", args[0])
	}
	for i := range args {
		if arrays {
			_, err = arrayArg(fn, args, i)
		} else {
			_, err = objectArg(fn, args, i)
		}
		if err != nil {
			return false, err
		}
	}
	return arrays, nil
}

func union(b *Budget, args []any) (any, error) {
	arrays, err := sameKind("union", args)
	if err != nil {
		return nil, err
	}
	if arrays {
		return unionOfArrays(b, args)
	}
	merged := args[0].(*jsonc.Object)
	for _, a := range args[1:] {
		if merged, err = merge(b, merged, a.(*jsonc.Object)); err != nil {
			return nil, err
		}
	}
	return merged, nil
}

func unionOfArrays(b *Budget, args []any) (any, error) {
	seen, all := newSet(0), []any{}
	for _, a := range args {
		for _, e := range a.([]any) {
			isNew, err := seen.add(b, e)
			if err != nil {
				return nil, err
			}
			if isNew {
				all = append(all, e)
			}
		}
	}
	return b.list(all)
}

// merge is x with what y has: objects in both are merged, and of everything
// else that is in both, y's is taken.
func merge(b *Budget, x, y *jsonc.Object) (*jsonc.Object, error) {
	if err := b.Make(memberBytes * (x.Len() + y.Len())); err != nil {
		return nil, err
	}
	merged := x.Clone()
	for m := range y.All() {
		v := m.Value
		old, _ := merged.Get(m.Name)
		if oldObject, ok := old.(*jsonc.Object); ok {
			if newObject, ok := v.(*jsonc.Object); ok {
				deep, err := merge(b, oldObject, newObject)
				if err != nil {
					return nil, err
				}
				v = deep
			}
		}
		merged.SetFold(m.Name, v)
	}
	return merged, nil
}

func intersection(b *Budget, args []any) (any, error) {
	arrays, err := sameKind("intersection", args)
	if err != nil {
		return nil, err
	}
	if !arrays {
		return intersectObjects(b, args)
	}
	common := args[0].([]any)
	for _, a := range args[1:] {
		if common, err = intersectArrays(b, common, a.([]any)); err != nil {
			return nil, err
		}
	}
	return b.list(common)
}

func intersectArrays(b *Budget, x, y []any) ([]any, error) {
	in, taken, common := newSet(len(y)), newSet(0), []any{}
	for _, e := range y {
		if _, err := in.add(b, e); err != nil {
			return nil, err
		}
	}
	for _, e := range x {
		there, err := in.has(b, e)
		if err != nil {
			return nil, err
		}
		if !there {
			continue
		}
		isNew, err := taken.add(b, e)
		if err != nil {
			return nil, err
		}
		if isNew {
			common = append(common, e)
		}
	}
	return common, nil
}

func intersectObjects(b *Budget, args []any) (any, error) {
	common := jsonc.NewObject()
	for m := range args[0].(*jsonc.Object).All() {
		everywhere := true
		for _, a := range args[1:] {
			v, ok := a.(*jsonc.Object).Get(m.Name)
			same, err := b.equal(m.Value, v)
			if err != nil {
				return nil, err
			}
			everywhere = everywhere && ok && same
		}
		if everywhere {
			common.Set(m.Name, m.Value)
		}
	}
	return common, b.Make(memberBytes * common.Len())
}
