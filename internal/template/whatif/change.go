package whatif

import "lazuli/internal/template/jsonc"

// ChangeType says what a deployment would do with a resource.
type ChangeType string

// The types of changes.
const (
	Create      ChangeType = "Create"
	Delete      ChangeType = "Delete"   // complete mode deletes what no template has
	Ignore      ChangeType = "Ignore"   // incremental mode leaves it alone
	NoChange    ChangeType = "NoChange" // it is as the template wants it
	Modify      ChangeType = "Modify"
	Deploy      ChangeType = "Deploy" // it is deployed, and its properties are not compared
	Unsupported ChangeType = "Unsupported"
)

// Change is what happens to one resource.
type Change struct {
	ResourceID        string        `json:"resourceId"`
	Type              ChangeType    `json:"changeType"`
	UnsupportedReason string        `json:"unsupportedReason,omitempty"`
	Before            *jsonc.Object `json:"before,omitempty"`
	After             *jsonc.Object `json:"after,omitempty"`
	Delta             []*Property   `json:"delta,omitempty"`
}

// PropertyType says what happens to a property.
type PropertyType string

// The types of changes of properties.
const (
	PropertyCreate   PropertyType = "Create"
	PropertyDelete   PropertyType = "Delete"
	PropertyModify   PropertyType = "Modify"
	PropertyArray    PropertyType = "Array"    // elements changed: the children
	PropertyNoEffect PropertyType = "NoEffect" // the template sets what the server does not take
)

// Property is what happens to a property. Its path is from the resource's top,
// "properties.subnets", or within an array the index, or from the element's
// top. A deleted element has the index that it had, and any other the index
// that it gets.
type Property struct {
	Path     string       `json:"path"`
	Type     PropertyType `json:"propertyChangeType"`
	Before   any          `json:"before,omitempty"`
	After    any          `json:"after,omitempty"`
	Children []*Property  `json:"children,omitempty"`
}

// Options say what the values mean. Paths given to them have [] for an index:
// "properties.subnets[].id". All may be nil.
type Options struct {
	// ReadOnly are properties that the server does not take.
	ReadOnly func(path string) bool
	// Keeps tells whether a property stays as it is when a template leaves it
	// out, so that this is no change: the server's default, or its own.
	Keeps func(path string, before any) bool
	// Same tells whether two scalars that differ mean the same: ids and
	// locations in another case or spelling.
	Same func(path string, before, after any) bool
}

// Compare tells the difference between a resource as it is and as a template
// wants it. Either may be nil, if it is not there or in no template.
func Compare(id string, before, after *jsonc.Object, o Options) Change {
	c := Change{ResourceID: id, Before: before, After: after}
	switch {
	case before == nil:
		c.Type = Create
	case after == nil:
		c.Type = Delete
	default:
		c.Delta = o.objects("", "", before, after)
		c.Type = NoChange
		for _, p := range c.Delta {
			if p.Type != PropertyNoEffect {
				c.Type = Modify
			}
		}
	}
	return c
}
