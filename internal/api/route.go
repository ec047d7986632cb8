package api

import (
	"cmp"
	"maps"
	"net/http"
	"slices"
	"strings"

	"lazuli/internal/arm"
)

// router finds what a path is for. It is made once, from the tables.
type router struct {
	types      map[string]*arm.Type // by name in lower case
	namespaces map[string]bool      // in lower case
	patterns   map[int][]pattern    // by number of segments
	s          *Server
}

// target is what a path is for, with what may be done to it.
type target struct {
	id    arm.ID
	typ   *arm.Type // of the resource, or of what is listed; nil for others
	vars  map[string]string
	verbs map[string]handler
}

type handler struct {
	serve func(w http.ResponseWriter, q *request) error
	// upgrade requests come from our own clients, without an api-version.
	upgrade bool
	// need is the right that it takes; zero for what follows from the type.
	need
}

func plain(f func(w http.ResponseWriter, q *request) error) handler { return handler{serve: f} }

// ofWhoAsked is what f finds out itself whether one may see it.
func ofWhoAsked(f func(w http.ResponseWriter, q *request) error) handler {
	return handler{serve: f, need: need{reach: arm.Anyone}}
}

// pattern is a path with {names} in it.
type pattern struct {
	segments []string
	method   string
	handler  handler
}

func (s *Server) newRouter() *router {
	r := &router{types: map[string]*arm.Type{}, namespaces: map[string]bool{}, patterns: map[int][]pattern{}, s: s}
	for i := range s.Types {
		t := &s.Types[i]
		ns, _, _ := strings.Cut(t.Name, "/")
		r.types[strings.ToLower(t.Name)] = t
		r.namespaces[strings.ToLower(ns)] = true
		r.addPolled(t)
	}
	for _, e := range s.Endpoints {
		h := plain(s.endpoint(e))
		h.need = need{cmp.Or(e.Action, arm.ActionAt(e.Method, e.Path)), e.Reach}
		r.add(e.Method, e.Path, h)
	}
	r.add(http.MethodGet, "/subscriptions/{subscription}/providers/{namespace}/locations/{location}/operations/{operation}", ofWhoAsked(s.pollOperation))
	r.add(http.MethodGet, "/subscriptions/{subscription}/operationresults/{operation}", ofWhoAsked(s.pollResult))
	return r
}

// addPolled adds where the operations of a type are asked for that has them
// below its resources.
func (r *router) addPolled(t *arm.Type) {
	if t.Polled == "" {
		return
	}
	ns, name, _ := strings.Cut(t.Name, "/")
	path := "/providers/" + ns + "/" + name + "/{name}/" + t.Polled + "/{operation}"
	for _, scope := range []string{"/subscriptions/{subscription}", "/subscriptions/{subscription}/resourceGroups/{group}"} {
		r.add(http.MethodGet, scope+path, ofWhoAsked(r.s.pollOperation))
	}
}

// polled is the type of the operation's resource, if its operations are asked
// for below the resource; else nil.
func (r *router) polled(op *arm.Operation) *arm.Type {
	if t := r.types[strings.ToLower(op.Resource.Type())]; t != nil && t.Polled != "" {
		return t
	}
	return nil
}

func (r *router) add(method, path string, h handler) {
	segments := strings.Split(strings.Trim(path, "/"), "/")
	r.patterns[len(segments)] = append(r.patterns[len(segments)], pattern{segments, method, h})
}

// find is the target of a path, or the 404 that says what is unknown.
func (r *router) find(segments []string) (*target, error) {
	t := &target{id: scopeOf(segments), verbs: map[string]handler{}}
	for _, p := range r.patterns[len(segments)] {
		vars, ok := p.match(segments)
		if !ok {
			continue
		}
		if _, taken := t.verbs[p.method]; !taken {
			t.verbs[p.method] = p.handler
			t.vars = vars
		}
	}
	if len(t.verbs) > 0 {
		return t, nil
	}
	return r.findResource(segments)
}

func (p pattern) match(segments []string) (vars map[string]string, ok bool) {
	vars = map[string]string{}
	for i, s := range p.segments {
		if name, isVar := strings.CutPrefix(s, "{"); isVar {
			vars[strings.TrimSuffix(name, "}")] = segments[i]
		} else if !strings.EqualFold(s, segments[i]) {
			return nil, false
		}
	}
	return vars, true
}

// scopeOf is the resource, group or subscription that a path of an endpoint
// begins with.
func scopeOf(segments []string) arm.ID {
	for n := len(segments); n >= 2; n-- {
		if id, err := arm.ParseID("/" + strings.Join(segments[:n], "/")); err == nil {
			return id
		}
	}
	return arm.ID{}
}

func (t *target) notAllowed(w http.ResponseWriter, method string) error {
	allow := strings.Join(slices.Sorted(maps.Keys(t.verbs)), ", ")
	w.Header().Set("Allow", allow)
	return arm.StatusError(http.StatusMethodNotAllowed, "HttpMethodNotSupported", "The HTTP method '%.20s' is not supported here. What is: %s.", method, allow)
}
