package template

import (
	"fmt"
	"strings"

	"lazuli/internal/template/expr"
	"lazuli/internal/template/jsonc"
)

// Resource is a resource that a plan has.
type Resource struct {
	ID         string
	Type       string // in full: Microsoft.Network/virtualNetworks/subnets
	Name       string // in full: vnet1/subnet1
	APIVersion string
	Symbol     string // its symbolic name, of an instance of a loop with its index: nics[2]
	Existing   bool   // only referred to, and not deployed
	Skipped    bool   // its condition is false
	DependsOn  []int  // the resources of the plan that have to be deployed first

	def    *jsonc.Object
	place  place
	loop   *loop
	parent *Resource
	scope  string      // the id that its own is below
	after  []*Resource // the batch of its loop before its own
	number int         // in the plan
}

// IsDeployment tells whether the resource is a template of its own.
func (r *Resource) IsDeployment() bool {
	return strings.EqualFold(r.Type, "Microsoft.Resources/deployments")
}

// Deployed tells whether the deployment makes the resource. Others are in the
// plan only so that dependencies and references find them.
func (r *Resource) Deployed() bool { return !r.Existing && !r.Skipped }

// notBody are the members of a resource that say how to deploy it.
var notBody = map[string]bool{
	"type": true, "name": true, "apiversion": true, "dependson": true, "condition": true, "copy": true,
	"comments": true, "metadata": true, "scope": true, "existing": true, "resources": true, "import": true,
	"extension": true, "subscriptionid": true, "resourcegroup": true,
}

// expand makes the resources of declarations, with their loops and children.
func (s *scope) expand(all []declared, parent *Resource, outer *loop) error {
	for _, d := range all {
		if err := s.expandOne(d, parent, outer); err != nil {
			return err
		}
	}
	return nil
}

func (s *scope) expandOne(d declared, parent *Resource, outer *loop) error {
	for _, unsupported := range []string{"import", "extension"} {
		if d.def.Has(unsupported) {
			return d.place.invalid("The template resource %s has an '%s', which is not supported", d.place, unsupported)
		}
	}
	v, ok := d.def.Get("copy")
	if !ok || v == nil {
		_, err := s.in(inName, outer).instance(d, parent)
		return err
	}
	def, ok := v.(*jsonc.Object)
	if !ok {
		return d.place.invalid("The template resource %s has a 'copy' that is not a JSON object", d.place)
	}
	return s.expandLoop(d, def, parent, outer)
}

func (s *scope) expandLoop(d declared, def *jsonc.Object, parent *Resource, outer *loop) error {
	in := s.in(inName, outer)
	at := d.place.at(def.Pos, ".copy")
	n, err := in.count(def)
	if err != nil {
		return at.plain(err)
	}
	v, _ := def.Get("name")
	name, err := in.string(v, "name of a template copy")
	if err != nil {
		return at.blame(err, "The template 'copy' definition %s", at)
	}
	batch, err := in.batch(def, n)
	if err != nil {
		return at.blame(err, "The template 'copy' definition %s", at)
	}
	var instances []*Resource
	for i := range n {
		r, err := s.in(inName, &loop{name: name, index: i, resource: true, outer: outer}).instance(d, parent)
		if err != nil {
			return err
		}
		if d.symbol != "" {
			r.Symbol = fmt.Sprintf("%s[%d]", d.symbol, i)
		}
		instances = append(instances, r)
		if batch > 0 {
			r.after = instances[max(0, i/batch-1)*batch : i/batch*batch]
		}
	}
	s.addLoop(name, instances)
	if d.symbol != "" && !strings.EqualFold(d.symbol, name) {
		s.addLoop(d.symbol, instances)
	}
	return nil
}

// addLoop names instances. A loop within another has several runs of them.
func (s *scope) addLoop(name string, instances []*Resource) {
	key := jsonc.Fold(name)
	s.loops[key] = append(s.loops[key], instances...)
}

// plain is an error of an expression whose message says where it is.
func (p place) plain(err error) error {
	if message, ok := said(err); ok {
		return p.invalid("%s", message)
	}
	return err
}

// batch is how many instances of a loop are made at a time; 0 is all.
func (s *scope) batch(def *jsonc.Object, n int) (int, error) {
	v, _ := def.Get("mode")
	mode := "parallel"
	if v != nil {
		var err error
		if mode, err = s.string(v, "mode of a template copy"); err != nil {
			return 0, err
		}
	}
	switch strings.ToLower(mode) {
	case "parallel":
		return 0, nil
	case "serial":
	default:
		return 0, expr.Errorf("The mode '%s' is not one of 'Parallel, Serial'", mode)
	}
	v, ok := def.Get("batchSize")
	if !ok || v == nil {
		return 1, nil
	}
	v, err := s.value(v)
	if err != nil {
		return 0, err
	}
	size, ok := v.(int64)
	if !ok || size < 1 {
		return 0, expr.Errorf("The batch size must be a positive integer value")
	}
	return int(min(size, int64(max(n, 1)))), nil
}

// instance makes one resource and its children.
func (s *scope) instance(d declared, parent *Resource) (*Resource, error) {
	r := &Resource{Symbol: d.symbol, def: d.def, place: d.place, loop: s.loop, parent: parent}
	if err := s.identify(r); err != nil {
		return nil, r.blame(err)
	}
	*s.input.planned++
	if err := s.t.atMost("resources", len(s.resources)+1, MaxResources); err != nil {
		return nil, err
	}
	if err := s.t.atMost("resources", *s.input.planned, MaxTogether); err != nil {
		return nil, err
	}
	s.resources = append(s.resources, r)
	v, _ := d.def.Get("resources")
	children, err := declaredIn(v, d.place.at(d.def.Pos, ".resources"))
	if err != nil {
		return nil, err
	}
	return r, s.expand(children, r, s.loop)
}

// blame is the error of an expression in the resource.
func (r *Resource) blame(err error) error {
	name := r.Name
	if v, _ := r.def.Get("name"); name == "" && v != nil {
		name, _ = v.(string)
	}
	return r.place.blame(err, "The template resource '%s' %s", name, r.place)
}

// identify evaluates what says which resource it is.
func (s *scope) identify(r *Resource) (err error) {
	if r.Type, err = s.required(r, "type"); err != nil {
		return err
	}
	if r.Name, err = s.required(r, "name"); err != nil {
		return err
	}
	s.adopt(r)
	if err := s.checkSegments(r); err != nil {
		return err
	}
	if v, _ := r.def.Get("apiVersion"); v != nil {
		if r.APIVersion, err = s.string(v, "apiVersion of a template resource"); err != nil {
			return err
		}
	}
	if r.APIVersion == "" {
		return r.place.invalid("The template resource '%s' %s is not valid. The api-version is missing: give the resource an 'apiVersion'. Please see https://aka.ms/arm-syntax-resources for usage details.", r.Name, r.place)
	}
	if r.scope, err = s.scopeFor(r); err != nil {
		return err
	}
	names := strings.Split(r.Name, "/")
	r.ID = ResourceID(r.scope, r.Type, names)
	existing, _ := r.def.Get("existing")
	r.Existing = existing == true
	return s.condition(r)
}

func (s *scope) required(r *Resource, member string) (string, error) {
	v, ok := r.def.Get(member)
	if !ok {
		return "", r.place.invalid("The template resource %s is missing its required property '%s'. Please see https://aka.ms/arm-syntax-resources for usage details.", r.place, member)
	}
	return s.string(v, member+" of a template resource")
}

// adopt completes the type and name of a nested resource by its parent's.
func (s *scope) adopt(r *Resource) {
	if r.parent == nil {
		return
	}
	if prefix := r.parent.Type + "/"; len(r.Type) > len(prefix) && strings.EqualFold(r.Type[:len(prefix)], prefix) {
		if strings.Count(r.Name, "/") == strings.Count(r.Type, "/")-1 {
			return
		}
		r.Type = r.Type[len(prefix):]
	} else if namespace, _, _ := strings.Cut(r.Type, "/"); strings.Contains(namespace, ".") {
		return // of another provider: only written there
	}
	r.Type = r.parent.Type + "/" + r.Type
	r.Name = r.parent.Name + "/" + r.Name
}

func (s *scope) checkSegments(r *Resource) error {
	types, names := strings.Split(r.Type, "/"), strings.Split(r.Name, "/")
	ok := len(types) == len(names)+1
	for _, part := range append(types, names...) {
		ok = ok && part != ""
	}
	if ok {
		return nil
	}
	m, _ := r.def.Find("type")
	at := r.place.at(m.Pos, ".type")
	return at.invalid("The template resource '%s' for type '%s' %s has incorrect segment lengths. A nested resource type must have identical number of segments as its resource name. A root resource type must have segment length one greater than its resource name. Please see https://aka.ms/arm-syntax-resources for usage details.", r.Name, r.Type, at)
}

// scopeFor is the id below which the resource is.
func (s *scope) scopeFor(r *Resource) (string, error) {
	if r.parent != nil && !r.def.Has("scope") {
		return r.parent.scope, nil
	}
	if v, _ := r.def.Get("scope"); v != nil {
		text, err := s.string(v, "scope of a template resource")
		return scopeOf(text, s.input.Scope), err
	}
	at := s.input.Scope
	if v, _ := r.def.Get("subscriptionId"); v != nil {
		text, err := s.string(v, "subscriptionId of a template resource")
		if err != nil {
			return "", err
		}
		at = Scope{Subscription: text}
	}
	if v, _ := r.def.Get("resourceGroup"); v != nil {
		text, err := s.string(v, "resourceGroup of a template resource")
		if err != nil {
			return "", err
		}
		at.ResourceGroup = text
	}
	if at.ResourceGroup != "" && at.Subscription == "" {
		return "", expr.Errorf("The resource group '%s' needs a subscriptionId, as the deployment is in no subscription", at.ResourceGroup)
	}
	return at.ID(), nil
}

func (s *scope) condition(r *Resource) error {
	if r.parent != nil {
		r.Skipped = r.parent.Skipped
	}
	source, ok := r.def.Get("condition")
	if !ok || source == nil {
		return nil
	}
	v, err := s.value(source)
	if err != nil {
		return err
	}
	if text, ok := v.(string); ok {
		v = map[string]any{"true": true, "false": false}[strings.ToLower(text)]
	}
	is, ok := v.(bool)
	if !ok {
		return expr.Errorf("The condition of a template resource must be a boolean")
	}
	r.Skipped = r.Skipped || !is
	return nil
}
