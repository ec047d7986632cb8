package cli

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/spf13/cobra"
)

func spCreateCommand(a *app) *cobra.Command {
	var name, role string
	var scopes []string
	var years int
	cmd := &cobra.Command{
		Use: "create-for-rbac", Short: "Create a service principal with a secret, and give it a role",
		Long: "Create a service principal with a secret, and give it a role at scopes. When there is\none of the name already, it gets a new secret in the place of all others.",
		Example: example("lazuli sp create-for-rbac --name ci --role Contributor --scopes /subscriptions/ID > ci.json",
			"az login --service-principal -u APP_ID -p PASSWORD --tenant TENANT"),
		Args: Args(0, 0, ""),
		RunE: a.run(func(ctx context.Context, c *cloud, cmd *cobra.Command, _ []string) error {
			if err := checkYears(years); err != nil {
				return err
			}
			if name == "" {
				name = "lazuli-" + time.Now().UTC().Format("2006-01-02-15-04-05")
			}
			v, err := c.createForRBAC(ctx, name, role, scopes, years)
			if err != nil {
				return fmt.Errorf("create service principal %s: %w", name, err)
			}
			return printCredentials(cmd, *v)
		}),
	}
	cmd.Flags().StringVar(&name, "name", "", "`name` of the service principal (default lazuli- and the time)")
	roleFlags(cmd, &role, &scopes, "it")
	yearsFlag(cmd, &years)
	return cmd
}

func (c *cloud) createForRBAC(ctx context.Context, name, role string, scopes []string, years int) (*appCredentials, error) {
	// What may be wrong with the role is found out before anything is made.
	roles, err := c.findRoles(ctx, role, scopes)
	if err != nil {
		return nil, err
	}
	app, err := c.ensureApplication(ctx, name)
	if err != nil {
		return nil, err
	}
	sp, err := c.ensureServicePrincipal(ctx, app.AppID)
	if err != nil {
		return nil, err
	}
	secret, err := c.replaceSecrets(ctx, sp, "rbac", years)
	if err != nil {
		return nil, err
	}
	if err := c.assignRoles(ctx, roles, sp.ID, "ServicePrincipal"); err != nil {
		return nil, err
	}
	return &appCredentials{app.AppID, name, secret, c.TenantID}, nil
}

func (c *cloud) ensureApplication(ctx context.Context, name string) (*servicePrincipal, error) {
	apps, err := listGraph[servicePrincipal](ctx, c, "applications", equals("displayName", name))
	if err != nil {
		return nil, err
	}
	switch len(apps) {
	case 0:
		app := &servicePrincipal{}
		return app, c.graph(ctx, http.MethodPost, "applications", map[string]any{"displayName": name}, app)
	case 1:
		return apps[0], nil
	}
	return nil, &problem{code: exitConflict, text: fmt.Sprintf("there are %d applications of the name %q", len(apps), name), next: "Choose another --name, or delete those with: lazuli sp delete APP_ID"}
}

func (c *cloud) ensureServicePrincipal(ctx context.Context, appID string) (*servicePrincipal, error) {
	sps, err := listGraph[servicePrincipal](ctx, c, "servicePrincipals", equals("appId", appID))
	if err != nil {
		return nil, err
	}
	if len(sps) > 0 {
		return sps[0], nil
	}
	sp := &servicePrincipal{}
	return sp, c.graph(ctx, http.MethodPost, "servicePrincipals", map[string]any{"appId": appID}, sp)
}
