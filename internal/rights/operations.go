package rights

import (
	"context"
	"maps"
	"slices"
	"strings"

	"lazuli/internal/arm"
)

type namespaceBody struct {
	ID            string          `json:"id"`
	Name          string          `json:"name"`
	Type          string          `json:"type"`
	DisplayName   string          `json:"displayName"`
	ResourceTypes []operatedType  `json:"resourceTypes"`
	Operations    []operationBody `json:"operations"`
}

type operatedType struct {
	Name        string          `json:"name"`
	DisplayName string          `json:"displayName"`
	Operations  []operationBody `json:"operations"`
}

type operationBody struct {
	Name         string `json:"name"`
	DisplayName  string `json:"displayName"`
	Description  string `json:"description"`
	IsDataAction bool   `json:"isDataAction"`
}

// operations lists the actions of all types, by namespace: what can be in a
// role.
func (p Config) operations(_ context.Context, c *arm.Call, _ map[string]string) (arm.Result, error) {
	var all []namespaceBody
	for _, ns := range p.namespaces() {
		all = append(all, p.showNamespace(ns))
	}
	all = slices.DeleteFunc(all, func(b namespaceBody) bool { return c.After != "" && b.Name <= c.After })
	next := ""
	if len(all) > c.Limit {
		all, next = all[:c.Limit], all[c.Limit-1].Name
	}
	return arm.Result{Body: arm.Page{Items: anything(all), Next: next}}, nil
}

func (p Config) operationsOf(_ context.Context, _ *arm.Call, vars map[string]string) (arm.Result, error) {
	for _, ns := range p.namespaces() {
		if strings.EqualFold(ns, vars["namespace"]) {
			return arm.Result{Body: p.showNamespace(ns)}, nil
		}
	}
	return arm.Result{}, arm.StatusError(404, "ProviderNotFound", "Provider '%s' not found.", vars["namespace"])
}

// all is the table of types with those of the package itself.
func (p Config) all() []arm.Type { return slices.Concat(p.Table, Types(p)) }

func (p Config) namespaces() []string {
	seen := map[string]bool{}
	for _, t := range p.all() {
		ns, _, _ := strings.Cut(t.Name, "/")
		seen[ns] = true
	}
	return slices.Sorted(maps.Keys(seen))
}

func (p Config) showNamespace(ns string) namespaceBody {
	b := namespaceBody{
		ID: "/providers/Microsoft.Authorization/providerOperations/" + ns, Name: ns, Type: "Microsoft.Authorization/providerOperations",
		DisplayName: ns, ResourceTypes: []operatedType{}, Operations: []operationBody{},
	}
	for _, t := range p.all() {
		of, name, _ := strings.Cut(t.Name, "/")
		if of != ns {
			continue
		}
		r := operatedType{Name: name, DisplayName: name}
		for _, action := range Actions(t) {
			r.Operations = append(r.Operations, operationBody{Name: action, DisplayName: action, Description: action})
		}
		b.ResourceTypes = append(b.ResourceTypes, r)
	}
	return b
}

// Actions are all actions on resources of a type.
func Actions(t arm.Type) []string {
	var out []string
	for _, method := range t.Methods() {
		if action := arm.ActionOf(method, t.Name); !slices.Contains(out, action) {
			out = append(out, action)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(t.Actions)) {
		out = append(out, arm.ActionOf("POST", t.Name+"/"+name))
	}
	return out
}
