package expr

import (
	"slices"

	"lazuli/internal/template/jsonc"
)

var objectFunctions = []function{
	{name: "createObject", min: 0, max: -1, eval: createObject},
	{name: "items", min: 1, max: 1, eval: items},
	{name: "objectKeys", min: 1, max: 1, eval: objectKeys},
	{name: "shallowMerge", min: 1, max: 1, eval: shallowMerge},
	{name: "null", min: 0, max: 0, eval: func(*Budget, []any) (any, error) { return nil, nil }},
}

// memberBytes is about what a member of an object costs beside its value, with
// its place in the index of a large object.
const memberBytes = 128

func createObject(b *Budget, args []any) (any, error) {
	if len(args)%2 != 0 {
		return nil, Errorf("The template language function 'createObject' expects an even number of parameters: a key and its value in turn. %d were provided. %s", len(args), usage("createObject"))
	}
	o := jsonc.NewObject()
	for i := 0; i < len(args); i += 2 {
		name, err := stringArg("createObject", args, i)
		if err != nil {
			return nil, err
		}
		if o.Has(name) {
			return nil, badValue("createObject", "The key '%s' is given more than once.", clip(name))
		}
		o.Set(name, args[i+1])
	}
	return o, b.Make(memberBytes * o.Len())
}

// sorted are an object's members by name, as Azure orders them.
func sorted(o *jsonc.Object) []jsonc.Member {
	members := slices.Collect(o.All())
	slices.SortStableFunc(members, func(x, y jsonc.Member) int { return compareText(x.Name, y.Name) })
	return members
}

func items(b *Budget, args []any) (any, error) {
	o, err := objectArg("items", args, 0)
	if err != nil {
		return nil, err
	}
	if err := b.Make(4 * memberBytes * o.Len()); err != nil {
		return nil, err
	}
	list := make([]any, 0, o.Len())
	for _, m := range sorted(o) {
		list = append(list, jsonc.NewObject("key", m.Name, "value", m.Value))
	}
	return list, nil
}

func objectKeys(b *Budget, args []any) (any, error) {
	o, err := objectArg("objectKeys", args, 0)
	if err != nil {
		return nil, err
	}
	keys := make([]any, 0, o.Len())
	for _, m := range sorted(o) {
		keys = append(keys, m.Name)
	}
	return b.list(keys)
}

func shallowMerge(b *Budget, args []any) (any, error) {
	a, err := arrayArg("shallowMerge", args, 0)
	if err != nil {
		return nil, err
	}
	merged := jsonc.NewObject()
	for _, e := range a {
		o, ok := e.(*jsonc.Object)
		if !ok {
			return nil, badValue("shallowMerge", "The elements of the array must be objects, and one is of type '%s'.", TypeName(e))
		}
		if err := b.Make(memberBytes * o.Len()); err != nil {
			return nil, err
		}
		for m := range o.All() {
			merged.SetFold(m.Name, m.Value)
		}
	}
	return merged, nil
}
