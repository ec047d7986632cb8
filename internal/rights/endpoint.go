package rights

import (
	"context"
	"regexp"

	"lazuli/internal/arm"
)

var actionPattern = regexp.MustCompile(`^(\*|[A-Za-z0-9.*_-]+(/[A-Za-z0-9.*_-]+)+)$`)

// Endpoints is what is not on a resource, group or subscription: what is
// assigned at "/", and roles by themselves.
func Endpoints(c Config) []arm.Endpoint {
	roles, assignments := roleProvider{Config: c}, assignmentProvider{Config: c}
	const provider = "/providers/Microsoft.Authorization"
	return append(append(
		tenant(roles, RoleType, roles.Put), tenant(assignments, AssignmentType, assignments.Put)...),
		arm.Endpoint{Method: "GET", Path: "/subscriptions/{subscription}" + provider + "/classicAdministrators", Handle: noAdministrators},
		arm.Endpoint{Method: "GET", Path: provider + "/providerOperations", Reach: arm.Anyone, Handle: c.operations},
		arm.Endpoint{Method: "GET", Path: provider + "/providerOperations/{namespace}", Reach: arm.Anyone, Handle: c.operationsOf},
	)
}

// noAdministrators are those of Azure's first deployment model.
func noAdministrators(context.Context, *arm.Call, map[string]string) (arm.Result, error) {
	return arm.Result{Body: arm.Page{}}, nil
}

// tenant is a type's verbs at "/".
func tenant(p arm.Provider, typ string, put func(context.Context, *arm.Call, []byte) (arm.Result, error)) []arm.Endpoint {
	path := "/providers/" + typ
	reach := arm.AtScope
	if typ == RoleType {
		reach = arm.Anyone // what roles there are is no secret
	}
	at := func(handle func(context.Context, *arm.Call) (arm.Result, error)) func(context.Context, *arm.Call, map[string]string) (arm.Result, error) {
		return func(ctx context.Context, c *arm.Call, vars map[string]string) (arm.Result, error) {
			if err := guids.Check(vars["name"]); err != nil {
				return arm.Result{}, err
			}
			of := *c
			of.ID = arm.ID{}.Resource(typ, vars["name"])
			return handle(ctx, &of)
		}
	}
	return []arm.Endpoint{
		{Method: "GET", Path: path, Filters: true, Reach: reach, Handle: func(ctx context.Context, c *arm.Call, _ map[string]string) (arm.Result, error) {
			items, next, err := p.List(ctx, c, arm.ID{}, c.After, c.Limit)
			return arm.Result{Body: arm.Page{Items: items, Next: next}}, err
		}},
		{Method: "GET", Path: path + "/{name}", Reach: reach, Handle: at(p.Get)},
		{Method: "PUT", Path: path + "/{name}", Handle: at(func(ctx context.Context, c *arm.Call) (arm.Result, error) { return put(ctx, c, c.Body) })},
		{Method: "DELETE", Path: path + "/{name}", Handle: at(p.Delete)},
	}
}
