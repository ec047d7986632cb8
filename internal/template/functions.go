package template

import (
	"strconv"
	"strings"

	"lazuli/internal/template/expr"
	"lazuli/internal/template/jsonc"
)

// notHere is a function that may not be used where it is.
func notHere(name string) error {
	return expr.Errorf("The template function '%s' is not expected at this location. Please see https://aka.ms/arm-functions for usage details.", name)
}

// Call evaluates the functions that know the template and its deployment.
func (s *scope) Call(env *expr.Env, c expr.Call) (any, error) {
	if c.Namespace != "" {
		return s.userCall(env, c)
	}
	if f, ok := contextFunctions[c.Key]; ok {
		if len(c.Args) < f.min || f.max >= 0 && len(c.Args) > f.max {
			return nil, expr.Errorf("Unable to evaluate template language function '%s': function requires %s while %d were provided. Please see https://aka.ms/arm-functions#%s for usage details.", f.name, f.takes(), len(c.Args), f.name)
		}
		return f.eval(s, c.Args)
	}
	if strings.HasPrefix(c.Key, "list") {
		return s.list(c.Name, c.Args)
	}
	return nil, expr.ErrNoFunction
}

type contextFunction struct {
	name     string
	min, max int
	eval     func(s *scope, args []any) (any, error)
}

func (f contextFunction) takes() string {
	switch {
	case f.max < 0:
		return "at least " + plural(f.min)
	case f.min == f.max:
		return plural(f.min)
	}
	return plural(f.min) + " at least and " + plural(f.max) + " at most"
}

func plural(n int) string { return string(rune('0'+n)) + " argument(s)" }

var contextFunctions map[string]contextFunction

func init() {
	contextFunctions = map[string]contextFunction{}
	for _, f := range []contextFunction{
		{"parameters", 1, 1, (*scope).parameter},
		{"variables", 1, 1, (*scope).variable},
		{"copyIndex", 0, 2, (*scope).copyIndex},
		{"utcNow", 0, 1, (*scope).utcNow},
		{"newGuid", 0, 0, (*scope).newGUID},
		{"deployment", 0, 0, (*scope).deploymentObject},
		given("environment", func(in *Input) *jsonc.Object { return in.Environment }),
		given("deployer", func(in *Input) *jsonc.Object { return in.Deployer }),
		given("tenant", func(in *Input) *jsonc.Object { return in.Tenant }),
		given("subscription", func(in *Input) *jsonc.Object { return in.Subscription }),
		given("resourceGroup", func(in *Input) *jsonc.Object { return in.ResourceGroup }),
		given("managementGroup", func(in *Input) *jsonc.Object { return in.ManagementGroup }),
		{"resourceId", 2, -1, (*scope).resourceID},
		{"subscriptionResourceId", 2, -1, (*scope).subscriptionResourceID},
		{"tenantResourceId", 2, -1, (*scope).tenantResourceID},
		{"managementGroupResourceId", 2, -1, (*scope).managementGroupResourceID},
		{"extensionResourceId", 3, -1, (*scope).extensionResourceID},
		{"reference", 1, 3, (*scope).reference},
		{"references", 1, 2, (*scope).references},
		{"resourceInfo", 1, 1, (*scope).resourceInfo},
		{"pickZones", 3, 5, (*scope).pickZones},
		{"providers", 1, 2, (*scope).providers},
	} {
		contextFunctions[strings.ToLower(f.name)] = f
	}
}

// given is a function that returns what the Input has for it.
func given(name string, get func(*Input) *jsonc.Object) contextFunction {
	return contextFunction{name, 0, 0, func(s *scope, _ []any) (any, error) {
		if o := get(&s.input); o != nil {
			return o, nil
		}
		return nil, notHere(name)
	}}
}

// textArg is an argument that has to be a string.
func textArg(fn string, args []any, i int) (string, error) {
	if s, ok := args[i].(string); ok {
		return s, nil
	}
	return "", expr.Errorf("The template function '%s' expects parameter %d to be a string. The provided value is of type '%s'. Please see https://aka.ms/arm-functions#%s for usage details.", fn, i+1, expr.TypeName(args[i]), fn)
}

func textArgs(fn string, args []any) ([]string, error) {
	texts := make([]string, len(args))
	for i := range args {
		if n, ok := args[i].(int64); ok && i > 0 { // a name of digits only
			texts[i] = strconv.FormatInt(n, 10)
			continue
		}
		s, err := textArg(fn, args, i)
		if err != nil {
			return nil, err
		}
		texts[i] = s
	}
	return texts, nil
}

func (s *scope) utcNow(args []any) (any, error) {
	if s.where != inParameter {
		return nil, notHere("utcNow")
	}
	format := expr.UTCNowFormat
	if len(args) == 1 {
		var err error
		if format, err = textArg("utcNow", args, 0); err != nil {
			return nil, err
		}
	}
	return expr.FormatTime(s.input.Now.UTC(), format)
}

func (s *scope) newGUID([]any) (any, error) {
	if s.where != inParameter || s.input.NewGUID == nil {
		return nil, notHere("newGuid")
	}
	return s.input.NewGUID(), nil
}

// deploymentObject leaves out the values of parameters, some of which are
// secret.
func (s *scope) deploymentObject([]any) (any, error) {
	p := jsonc.NewObject()
	if s.input.TemplateLink != nil {
		p.Set("templateLink", s.input.TemplateLink)
	}
	p.Set("template", s.t.root)
	p.Set("parameters", jsonc.NewObject())
	p.Set("mode", s.input.Mode)
	p.Set("provisioningState", "Accepted")
	o := jsonc.NewObject("name", s.input.Name)
	if s.input.Location != "" {
		o.Set("location", s.input.Location)
	}
	o.Set("properties", p)
	return o, nil
}

func (s *scope) pickZones(args []any) (any, error) {
	texts, err := textArgs("pickZones", args[:3])
	if err != nil {
		return nil, err
	}
	n, offset := int64(1), int64(0)
	for i, to := range []*int64{&n, &offset} {
		if len(args) <= 3+i {
			break
		}
		v, ok := args[3+i].(int64)
		if !ok {
			return nil, expr.Errorf("The template function 'pickZones' expects parameter %d to be an integer. The provided value is of type '%s'.", 4+i, expr.TypeName(args[3+i]))
		}
		*to = v
	}
	if s.input.Zones == nil {
		return nil, notHere("pickZones")
	}
	zones := s.input.Zones(texts[0], texts[1], texts[2])
	if len(zones) == 0 {
		return []any{}, nil
	}
	if n < 1 || offset < 0 || n > int64(len(zones)) || offset > int64(len(zones))-n {
		return nil, expr.Errorf("The template function 'pickZones' cannot pick '%d' zones from offset '%d': the location '%s' has '%d'.", n, offset, texts[2], len(zones))
	}
	picked := make([]any, n)
	for i := range picked {
		picked[i] = zones[int(offset)+i]
	}
	return picked, nil
}

// providers describes a namespace, or one type of it.
func (s *scope) providers(args []any) (any, error) {
	texts, err := textArgs("providers", args)
	if err != nil {
		return nil, err
	}
	if s.input.Provider == nil {
		return nil, notHere("providers")
	}
	p := s.input.Provider(texts[0])
	if p == nil {
		return nil, expr.Errorf("The resource namespace '%s' is invalid.", texts[0])
	}
	if len(texts) == 1 {
		return p, nil
	}
	types, _ := p.Get("resourceTypes")
	list, _ := types.([]any)
	for _, e := range list {
		o, _ := e.(*jsonc.Object)
		if name, _ := o.Get("resourceType"); name != nil && strings.EqualFold(name.(string), texts[1]) {
			return o, nil
		}
	}
	return nil, expr.Errorf("The resource type '%s' could not be found in the namespace '%s'.", texts[1], texts[0])
}
