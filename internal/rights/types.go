package rights

import (
	"context"
	"regexp"

	"lazuli/internal/arm"
	"lazuli/internal/store"
)

// The names of the types.
const (
	RoleType       = "Microsoft.Authorization/roleDefinitions"
	AssignmentType = "Microsoft.Authorization/roleAssignments"
	LockType       = "Microsoft.Authorization/locks"
)

// Config is what the package's types need.
type Config struct {
	Rights *Store
	// Principal finds a principal by its object id, and says which kind it is:
	// "User", "ServicePrincipal". It is "" when there is none.
	Principal func(ctx context.Context, r store.Reader, objectID string) (kind string, err error)
	// Table is that of all other types, for the list of operations.
	Table []arm.Type
}

const everywhere = arm.InGroup | arm.InSubscription | arm.OnResource

var (
	guids     = arm.NameRule{Pattern: guidPattern, Hint: "a GUID"}
	lockNames = arm.NameRule{
		Pattern: regexp.MustCompile(`^[^<>*%&:\\?+/]{0,259}[^<>*%&:\\?+/. ]$`),
		Hint:    `1 to 260 characters without <>*%&:\?+/, not ending with '.' or a space`,
	}
	guidPattern = regexp.MustCompile(`^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$`)
)

var (
	rightsVersions = []string{"2022-04-01", "2020-04-01-preview", "2018-09-01-preview", "2018-07-01", "2018-01-01-preview", "2015-07-01"}
	lockVersions   = []string{"2020-05-01", "2017-04-01", "2016-09-01", "2015-01-01"}
)

// Types is the table of the resource types.
func Types(c Config) []arm.Type {
	typ := func(name string, names arm.NameRule, versions []string, p arm.Provider) arm.Type {
		return arm.Type{
			Name: name, Names: names, Scopes: everywhere, Filters: true, Created: 201, Updated: 201,
			Verbs: arm.CanPut | arm.CanDelete | arm.CanList, APIVersions: versions, Provider: p,
		}
	}
	listed := func(name string, p arm.Provider) arm.Type {
		t := typ(name, guids, rightsVersions, p)
		t.Created, t.Updated, t.Verbs = 0, 0, arm.CanList
		return t
	}
	locks := typ(LockType, lockNames, lockVersions, lockProvider{Config: c})
	locks.Updated = 200
	return []arm.Type{
		typ(RoleType, guids, rightsVersions, roleProvider{Config: c}),
		typ(AssignmentType, guids, rightsVersions, assignmentProvider{Config: c}),
		locks,
		listed("Microsoft.Authorization/denyAssignments", noneProvider{}),
		listed("Microsoft.Authorization/permissions", permissionProvider{Config: c}),
	}
}

// noneProvider is of a type of which there are no resources, ever.
type noneProvider struct{}

func (noneProvider) Get(_ context.Context, c *arm.Call) (arm.Result, error) {
	return arm.Result{}, arm.NotFound(c.ID)
}

func (noneProvider) List(context.Context, *arm.Call, arm.ID, string, int) ([]any, string, error) {
	return nil, "", nil
}

func (noneProvider) Put(_ context.Context, c *arm.Call, _ []byte) (arm.Result, error) {
	return arm.Result{}, arm.NotFound(c.ID)
}

func (noneProvider) Patch(_ context.Context, c *arm.Call, _ []byte) (arm.Result, error) {
	return arm.Result{}, arm.NotFound(c.ID)
}

func (noneProvider) Delete(_ context.Context, c *arm.Call) (arm.Result, error) {
	return arm.Result{}, arm.NotFound(c.ID)
}

// anything takes what a list has, for a body.
func anything[T any](items []T) []any {
	out := make([]any, len(items))
	for i := range items {
		out[i] = items[i]
	}
	return out
}

// page is the part of items after the token, "" from the start, and the token
// of the next page.
func page[T any](items []T, key func(T) string, after string, limit int) ([]T, string) {
	from := 0
	for from < len(items) && after != "" && key(items[from]) <= after {
		from++
	}
	items = items[from:]
	if len(items) <= limit {
		return items, ""
	}
	return items[:limit], key(items[limit-1])
}
