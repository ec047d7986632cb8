package cli

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/google/uuid"
	"github.com/spf13/cobra"
)

// grantedRole is a role at a scope that a principal is to have.
type grantedRole struct{ id, scope string }

func roleFlags(cmd *cobra.Command, role *string, scopes *[]string, who string) {
	cmd.Flags().StringVar(role, "role", "", "name of a `role` that "+who+" is to have: Owner, Contributor, Reader, ...")
	cmd.Flags().StringSliceVar(scopes, "scopes", nil, "`ids` of the subscriptions, groups or resources at which "+who+" has the role")
}

// Requests of Microsoft.Authorization.
const authorizationVersion = "?api-version=2022-04-01"

// findRoles is the role of that name at each scope.
func (c *cloud) findRoles(ctx context.Context, role string, scopes []string) ([]grantedRole, error) {
	if (role == "") != (len(scopes) == 0) {
		return nil, usageError{"--role and --scopes go together"}
	}
	var all []grantedRole
	for _, s := range scopes {
		id, err := c.findRole(ctx, role, s)
		if err != nil {
			return nil, err
		}
		all = append(all, grantedRole{id, strings.TrimRight(s, "/")})
	}
	return all, nil
}

// findRole is the id of the role of that name, as the scope has it.
func (c *cloud) findRole(ctx context.Context, role, scope string) (string, error) {
	if !strings.HasPrefix(scope, "/") {
		return "", usageError{fmt.Sprintf("the scope %q is not an id like /subscriptions/...", scope)}
	}
	var found struct {
		Value []struct {
			ID string `json:"id"`
		} `json:"value"`
	}
	filter := "&" + url.Values{"$filter": {equals("roleName", role)}}.Encode()
	err := c.ask(ctx, http.MethodGet, strings.TrimRight(scope, "/")+"/providers/Microsoft.Authorization/roleDefinitions"+authorizationVersion+filter, nil, &found)
	if err != nil {
		return "", err
	}
	if len(found.Value) == 0 {
		return "", &problem{code: exitNotFound, text: fmt.Sprintf("there is no role %q at %s", role, scope), next: "See which there are with: az role definition list"}
	}
	return found.Value[0].ID, nil
}

// assignRoles gives roles to a principal; it is no error that it has them.
func (c *cloud) assignRoles(ctx context.Context, roles []grantedRole, principal, kind string) error {
	for _, r := range roles {
		err := c.ask(ctx, http.MethodPut, r.scope+"/providers/Microsoft.Authorization/roleAssignments/"+uuid.NewString()+authorizationVersion,
			map[string]any{"properties": map[string]any{"roleDefinitionId": r.id, "principalId": principal, "principalType": kind}}, nil)
		if err != nil && !isStatus(err, http.StatusConflict) {
			return fmt.Errorf("give the role at %s: %w", r.scope, err)
		}
	}
	return nil
}
