package api

import (
	"net/http"
	"strings"

	"lazuli/internal/arm"
)

// findResource finds the target of a path that no endpoint has: a resource, a
// list of resources, or an action on a resource.
//
//	/subscriptions/S/resourceGroups[/G[/action]]
//	/subscriptions/S[/resourceGroups/G]/providers/NS/type[/name[/type…|/action]]
//	<resource>/providers/NS/type[/name…]
func (r *router) findResource(segments []string) (*target, error) {
	if len(segments) < 3 || !strings.EqualFold(segments[0], "subscriptions") {
		return nil, nothingAt(segments)
	}
	scope, rest := arm.ID{Subscription: segments[1]}, segments[2:]
	if strings.EqualFold(rest[0], "resourceGroups") {
		if len(rest) < 3 || !strings.EqualFold(rest[2], "providers") {
			return r.findTyped(scope, "Microsoft.Resources", rest)
		}
		scope.ResourceGroup, rest = rest[1], rest[2:]
	}
	if len(rest) < 3 || !strings.EqualFold(rest[0], "providers") {
		return nil, nothingAt(segments)
	}
	return r.findTyped(scope, rest[1], rest[2:])
}

func nothingAt(segments []string) error {
	return arm.StatusError(http.StatusNotFound, "NotFound", "There is nothing at '/%s'.", strings.Join(segments, "/"))
}

// findTyped finds a target in a namespace from "type/name/type/name…".
func (r *router) findTyped(scope arm.ID, namespace string, rest []string) (*target, error) {
	id := scope
	id.Namespace = namespace
	for i := 0; i+1 < len(rest); i += 2 {
		if i > 0 && len(rest) > i+2 && strings.EqualFold(rest[i], "providers") {
			return r.findOn(id, rest[i+1], rest[i+2:])
		}
		id.Types, id.Names = append(id.Types, rest[i]), append(id.Names, rest[i+1])
	}
	if len(rest)%2 == 0 {
		if t := r.resource(id); t != nil {
			return t, nil
		}
		return nil, r.unknown(id.Namespace, id.Type())
	}
	last := rest[len(rest)-1]
	t := r.list(id, last)
	r.addBelow(t, id, last)
	if len(t.verbs) == 0 {
		return nil, r.unknown(namespace, strings.TrimSuffix(id.Type(), "/")+"/"+last)
	}
	return t, nil
}

// findOn finds a target on the resource on.
func (r *router) findOn(on arm.ID, namespace string, rest []string) (*target, error) {
	typ, on := r.lookup(on)
	if typ == nil {
		return nil, r.unknown(on.Namespace, on.Type())
	}
	if on.On != nil {
		return nil, arm.BadRequest("InvalidScope", "Nothing can be on '%s', which is on a resource itself.", on)
	}
	return r.findTyped(arm.ID{Subscription: on.Subscription, ResourceGroup: on.ResourceGroup, On: &on}, namespace, rest)
}

func (r *router) unknown(namespace, typ string) error {
	if !r.namespaces[strings.ToLower(namespace)] {
		return arm.StatusError(http.StatusNotFound, "InvalidResourceNamespace", "The resource namespace '%s' is invalid: this cloud does not have it.", namespace)
	}
	return arm.StatusError(http.StatusNotFound, "InvalidResourceType", "The resource type '%s' could not be found: this cloud does not have it.", typ)
}

// lookup finds the type of id and spells it as the table does.
func (r *router) lookup(id arm.ID) (*arm.Type, arm.ID) {
	t := r.types[strings.ToLower(id.Type())]
	if t == nil || len(id.Names) == 0 || !t.Lies(id) {
		return nil, id
	}
	return t, spelled(id, t.Name)
}

func spelled(id arm.ID, typ string) arm.ID {
	ns, types, _ := strings.Cut(typ, "/")
	id.Namespace, id.Types = ns, strings.Split(types, "/")
	return id
}

func (r *router) resource(id arm.ID) *target {
	typ, id := r.lookup(id)
	if typ == nil {
		return nil
	}
	s := r.s
	serve := map[string]handler{
		http.MethodGet: plain(s.get), http.MethodHead: plain(s.head), http.MethodDelete: plain(s.delete),
		http.MethodPut: plain(s.put), http.MethodPatch: plain(s.patch),
	}
	t := &target{id: id, typ: typ, verbs: map[string]handler{}}
	for _, method := range typ.Methods() {
		t.verbs[method] = serve[method]
	}
	return t
}

// list is the target of "…/parent/last" if last names a type there.
func (r *router) list(parent arm.ID, last string) *target {
	t := &target{id: parent, verbs: map[string]handler{}}
	name := parent.Namespace + "/" + strings.Join(append(parent.Types[:len(parent.Types):len(parent.Types)], last), "/")
	typ := r.types[strings.ToLower(name)]
	if typ == nil || !typ.Can(arm.CanList) || (len(parent.Names) > 0 || parent.On != nil) && !typ.Lies(parent) {
		return t
	}
	t.typ = typ
	if len(parent.Names) == 0 {
		t.id = parent.Base()
	} else {
		t.id = spelled(parent, typ.Name[:strings.LastIndex(typ.Name, "/")])
	}
	t.verbs[http.MethodGet] = plain(r.s.list)
	return t
}

// addBelow adds what lies directly below the resource id under the name last:
// an action, the log or the console.
func (r *router) addBelow(t *target, id arm.ID, last string) {
	typ, id := r.lookup(id)
	if typ == nil {
		return
	}
	for name, act := range typ.Actions {
		if strings.EqualFold(name, last) {
			t.id = id
			t.verbs[http.MethodPost] = plain(r.s.action(act, typ.Answers[name]))
		}
	}
	if below, ok := r.s.guestVerbs(typ, last); ok {
		t.id, t.typ = id, typ
		t.verbs[http.MethodGet] = below
	}
}
