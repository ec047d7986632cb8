package jsonc

import (
	"iter"
	"strings"
)

// Pos is where a value begins in its text, as Azure counts: the line from 1,
// and how many characters of that line were read when the value's first token
// ended. The zero Pos is that of a value that stood in no text.
type Pos struct{ Line, Column uint32 }

// Member is a property of an object.
type Member struct {
	Name  string
	Value any
	Pos   Pos // of the value
}

// Object is a JSON object that keeps the order of its members. Several
// goroutines may read one at the same time.
type Object struct {
	Pos     Pos
	members []Member
	index   *index // of large objects only
}

// index finds the members of an object by their folded names. Two names that
// differ in case only share an entry, which is then no proof.
type index struct {
	byFold map[string]int
	twins  bool
}

// indexFrom is the size from which an object is searched by index.
const indexFrom = 16

// NewObject makes an object of names and values, taken in turn.
func NewObject(pairs ...any) *Object {
	o := &Object{members: make([]Member, 0, len(pairs)/2)}
	for i := 0; i+1 < len(pairs); i += 2 {
		o.Set(pairs[i].(string), pairs[i+1])
	}
	return o
}

// Make makes an object without members, with room for n.
func Make(n int) *Object { return &Object{members: make([]Member, 0, n)} }

// Len is the number of members; that of a nil object is 0.
func (o *Object) Len() int {
	if o == nil {
		return 0
	}
	return len(o.members)
}

// All are the members in their order.
func (o *Object) All() iter.Seq[Member] {
	return func(yield func(Member) bool) {
		if o == nil {
			return
		}
		for _, m := range o.members {
			if !yield(m) {
				return
			}
		}
	}
}

// At is the i-th member.
func (o *Object) At(i int) Member { return o.members[i] }

// Get is the value of a member, whose name is searched for as it is spelled
// first, and then in any case.
func (o *Object) Get(name string) (any, bool) {
	m, ok := o.Find(name)
	return m.Value, ok
}

// Find is the member of that name, searched for as Get does.
func (o *Object) Find(name string) (Member, bool) {
	if i := o.find(name); i >= 0 {
		return o.members[i], true
	}
	return Member{}, false
}

// Has tells whether there is a member of that name, in any case.
func (o *Object) Has(name string) bool { return o.find(name) >= 0 }

func (o *Object) find(name string) int {
	if o == nil {
		return -1
	}
	if o.index != nil {
		i, ok := o.index.byFold[Fold(name)]
		if !ok {
			return -1
		}
		if !o.index.twins || o.members[i].Name == name {
			return i
		}
	}
	folded := -1
	for i := range o.members {
		if o.members[i].Name == name {
			return i
		}
		if folded < 0 && strings.EqualFold(o.members[i].Name, name) {
			folded = i
		}
	}
	return folded
}

// exact is the index of the member with just this name, or -1.
func (o *Object) exact(name string) int {
	i := o.find(name)
	if i >= 0 && o.members[i].Name == name {
		return i
	}
	return -1
}

// Set gives the member that is spelled just so a new value, or adds it at the end.
func (o *Object) Set(name string, value any) {
	if i := o.exact(name); i >= 0 {
		o.members[i].Value = value
		return
	}
	o.add(Member{Name: name, Value: value})
}

// SetFold is Set for a name in any case: a member that differs in case only is
// given the value and keeps its name.
func (o *Object) SetFold(name string, value any) {
	if i := o.find(name); i >= 0 {
		o.members[i].Value = value
		return
	}
	o.add(Member{Name: name, Value: value})
}

func (o *Object) add(m Member) {
	o.members = append(o.members, m)
	switch {
	case o.index != nil:
		o.index.add(o.members, len(o.members)-1)
	case len(o.members) >= indexFrom:
		o.buildIndex()
	}
}

func (o *Object) buildIndex() {
	o.index = &index{byFold: make(map[string]int, len(o.members))}
	for i := range o.members {
		o.index.add(o.members, i)
	}
}

func (x *index) add(members []Member, i int) {
	name := Fold(members[i].Name)
	if _, taken := x.byFold[name]; taken {
		x.twins = true
		return
	}
	x.byFold[name] = i
}

// Clone is a copy with members of its own, whose values are shared. That of a
// nil object is empty.
func (o *Object) Clone() *Object {
	if o == nil {
		return &Object{}
	}
	c := &Object{Pos: o.Pos, members: append([]Member(nil), o.members...)}
	if len(c.members) >= indexFrom {
		c.buildIndex()
	}
	return c
}

// Names are the names of the members in their order.
func (o *Object) Names() []string {
	names := make([]string, 0, o.Len())
	for m := range o.All() {
		names = append(names, m.Name)
	}
	return names
}

// Fold is a name as all its spellings are compared.
func Fold(name string) string { return strings.ToLower(name) }
