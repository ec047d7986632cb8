package arm

import (
	"fmt"
	"strings"
)

// ID names a resource, resource group or subscription, as Azure Resource
// Manager does:
//
//	/subscriptions/S[/resourceGroups/G][/providers/NS/type/name[/type/name…]]
//
// What is on a resource, like a lock, has the resource's ID before its own
// /providers/NS/type/name.
//
// Names keep the case in which they came; two IDs are the same resource when
// their Keys are equal.
type ID struct {
	Subscription  string
	ResourceGroup string
	Namespace     string   // "Microsoft.Compute"; empty for a group or subscription
	Types         []string // {"virtualNetworks", "subnets"}
	Names         []string // {"vnet1", "default"}
	// On is the resource that an extension resource is on; nil when it is on
	// a group or subscription, and for all others.
	On *ID
}

// maxIDLength bounds what ParseID reads. ARM's own limit is far below.
const maxIDLength = 2048

// ParseID reads an ID. Keywords match without regard to case. The error is an
// *Error with code LinkedInvalidPropertyId that shows s.
func ParseID(s string) (ID, error) {
	bad := func(why string) (ID, error) {
		if len(s) > 200 {
			s = s[:200] + "…"
		}
		return ID{}, BadRequest("LinkedInvalidPropertyId", "'%s' is not a resource id: %s. It looks like /subscriptions/<id>/resourceGroups/<group>/providers/<namespace>/<type>/<name>.", s, why)
	}
	if len(s) > maxIDLength {
		return bad("it is too long")
	}
	if !strings.HasPrefix(s, "/") {
		return bad("it does not begin with '/'")
	}
	p := strings.Split(strings.TrimSuffix(s[1:], "/"), "/")
	for _, x := range p {
		if x == "" || strings.ContainsAny(x, "\x00\n\r") {
			return bad("it has an empty or unprintable segment")
		}
	}
	var id ID
	if len(p) < 2 || !strings.EqualFold(p[0], "subscriptions") {
		return bad("it does not begin with /subscriptions/<id>")
	}
	id.Subscription, p = p[1], p[2:]
	if len(p) >= 2 && strings.EqualFold(p[0], "resourceGroups") {
		id.ResourceGroup, p = p[1], p[2:]
	}
	if len(p) == 0 {
		return id, nil
	}
	for len(p) > 0 {
		if !strings.EqualFold(p[0], "providers") || len(p) < 4 || len(p)%2 != 0 {
			return bad("the part after the scope is not /providers/<namespace>/<type>/<name>")
		}
		if id.Namespace != "" {
			on := id
			id = ID{Subscription: id.Subscription, ResourceGroup: id.ResourceGroup, On: &on}
			if on.On != nil {
				return bad("nothing is on an extension resource")
			}
		}
		id.Namespace, p = p[1], p[2:]
		for len(p) > 0 && (len(id.Names) == 0 || !strings.EqualFold(p[0], "providers")) {
			id.Types, id.Names, p = append(id.Types, p[0]), append(id.Names, p[1]), p[2:]
		}
	}
	return id, nil
}

// Group names a resource group.
func Group(subscription, group string) ID {
	return ID{Subscription: subscription, ResourceGroup: group}
}

// Resource names a resource of type typ ("Microsoft.Compute/disks") in the
// group that id is in.
func (id ID) Resource(typ string, names ...string) ID {
	ns, t, _ := strings.Cut(typ, "/")
	return ID{Subscription: id.Subscription, ResourceGroup: id.ResourceGroup, Namespace: ns, Types: strings.Split(t, "/"), Names: names}
}

// Extension names an extension resource of type typ on id: a resource, group or
// subscription.
func (id ID) Extension(typ string, names ...string) ID {
	e := id.Scope().Resource(typ, names...)
	if id.Namespace != "" {
		e.On = &id
	}
	return e
}

// Base is what an extension resource is on: a resource, group or subscription.
// Of others it is their Scope.
func (id ID) Base() ID {
	if id.On != nil {
		return *id.On
	}
	return id.Scope()
}

// Child names a child resource of id.
func (id ID) Child(typ, name string) ID {
	id.Types = append(append([]string(nil), id.Types...), typ)
	id.Names = append(append([]string(nil), id.Names...), name)
	return id
}

// Parent is the resource that a child resource belongs to; the zero ID for
// others.
func (id ID) Parent() ID {
	n := len(id.Names) - 1
	if n < 1 {
		return ID{}
	}
	id.Types, id.Names = id.Types[:n:n], id.Names[:n:n]
	return id
}

// Scope is the resource group (or subscription) that id is in.
func (id ID) Scope() ID { return ID{Subscription: id.Subscription, ResourceGroup: id.ResourceGroup} }

// Type is the full type: "Microsoft.Network/virtualNetworks/subnets".
func (id ID) Type() string {
	if id.Namespace == "" {
		return ""
	}
	return id.Namespace + "/" + strings.Join(id.Types, "/")
}

// Name is the last name: of the resource, else of the group, else of the
// subscription.
func (id ID) Name() string {
	switch {
	case len(id.Names) > 0:
		return id.Names[len(id.Names)-1]
	case id.ResourceGroup != "":
		return id.ResourceGroup
	}
	return id.Subscription
}

// IsZero says that id names nothing.
func (id ID) IsZero() bool { return id.Subscription == "" }

// Is says that id is of type typ, without regard to case.
func (id ID) Is(typ string) bool { return fold(id.Type()) == fold(typ) }

// Equal says that both name the same resource: that their Keys are the same.
func (id ID) Equal(o ID) bool { return fold(id.String()) == fold(o.String()) }

// fold is s as names are compared. It is what Key does to them, which
// strings.EqualFold is not: for that "ſ" is an "s", though resources whose
// groups differ in this are two.
func fold(s string) string { return strings.ToLower(s) }

// String is the ID with ARM's spelling of its keywords.
func (id ID) String() string {
	if id.Subscription == "" {
		return ""
	}
	var b strings.Builder
	switch {
	case id.On != nil:
		b.WriteString(id.On.String())
	case id.ResourceGroup != "":
		b.WriteString("/subscriptions/" + id.Subscription + "/resourceGroups/" + id.ResourceGroup)
	default:
		b.WriteString("/subscriptions/" + id.Subscription)
	}
	if id.Namespace != "" {
		b.WriteString("/providers/" + id.Namespace)
		for i := range id.Types {
			fmt.Fprintf(&b, "/%s/%s", id.Types[i], id.Names[i])
		}
	}
	return b.String()
}

// MarshalText makes an ID a string in JSON.
func (id ID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// UnmarshalText reads an ID; the empty string is the zero ID.
func (id *ID) UnmarshalText(b []byte) error {
	if len(b) == 0 {
		*id = ID{}
		return nil
	}
	v, err := ParseID(string(b))
	*id = v
	return err
}
