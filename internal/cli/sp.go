package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/spf13/cobra"
)

// servicePrincipal is one of the directory's; an application has the same
// properties, as far as we look at them.
type servicePrincipal struct {
	ID                  string `json:"id"`
	AppID               string `json:"appId"`
	DisplayName         string `json:"displayName"`
	AccountEnabled      bool   `json:"accountEnabled"`
	PasswordCredentials []struct {
		KeyID       string     `json:"keyId"`
		DisplayName string     `json:"displayName"`
		EndDateTime *time.Time `json:"endDateTime"`
	} `json:"passwordCredentials"`
}

// appCredentials is what az ad sp create-for-rbac prints.
type appCredentials struct {
	AppID       string `json:"appId"`
	DisplayName string `json:"displayName"`
	Password    string `json:"password"`
	Tenant      string `json:"tenant"`
}

const spLong = `Service principals are for programs: they log in with an id and a secret that has
an end, or with a token of another issuer (federated credentials, see
lazuli server --oidc-issuer and az ad app federated-credential).

Only administrators of the directory may change service principals.`

func spCommand(a *app) *cobra.Command {
	cmd := parent("sp", "Manage the service principals that programs log in as", spLong)
	cmd.AddCommand(spCreateCommand(a), spListCommand(a), spDeleteCommand(a), spResetCommand(a))
	return cmd
}

// printCredentials is always JSON: it is for a file, or for a program.
func printCredentials(cmd *cobra.Command, v appCredentials) error {
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	note(cmd.ErrOrStderr(), "The output has a secret in it, which is shown this once.")
	_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s\n", b)
	return err
}

// yearsFlag is how long a secret is to be good.
func yearsFlag(cmd *cobra.Command, years *int) {
	cmd.Flags().IntVar(years, "years", 1, "how many `years` the secret is good")
}

func checkYears(years int) error {
	if years < 1 || years > 100 {
		return usageError{"--years is a number from 1 to 100"}
	}
	return nil
}

func spListCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List the service principals", Args: Args(0, 0, ""),
		RunE: a.run(func(ctx context.Context, c *cloud, cmd *cobra.Command, _ []string) error {
			sps, err := listGraph[servicePrincipal](ctx, c, "servicePrincipals", "")
			if err != nil {
				return fmt.Errorf("list service principals: %w", err)
			}
			t := &table{columns: []string{"NAME", "APP ID", "ENABLED", "SECRETS UNTIL"}}
			var names []string
			for _, s := range sps {
				enabled := "no"
				if s.AccountEnabled {
					enabled = "yes"
				}
				names = append(names, s.DisplayName)
				t.add(s.DisplayName, s.AppID, enabled, s.until())
			}
			return a.print(cmd, listOf(sps), names, t)
		}),
	}
}

// until is when the secrets end: the last day of the last of them.
func (s *servicePrincipal) until() string {
	var last time.Time
	for _, p := range s.PasswordCredentials {
		if p.EndDateTime == nil {
			return "for ever"
		}
		if p.EndDateTime.After(last) {
			last = *p.EndDateTime
		}
	}
	if last.IsZero() {
		return ""
	}
	return last.Format(time.DateOnly)
}

// findServicePrincipal finds one by its application's id, its own, or its name.
func (c *cloud) findServicePrincipal(ctx context.Context, name string) (*servicePrincipal, error) {
	for _, property := range []string{"appId", "id", "displayName"} {
		sps, err := listGraph[servicePrincipal](ctx, c, "servicePrincipals", equals(property, name))
		if err != nil {
			return nil, err
		}
		if len(sps) > 1 {
			return nil, &problem{code: exitConflict, text: fmt.Sprintf("there are %d service principals of the name %q", len(sps), name), next: "Name it by its APP ID: lazuli sp list"}
		}
		if len(sps) == 1 {
			return sps[0], nil
		}
	}
	return nil, &problem{code: exitNotFound, text: fmt.Sprintf("there is no service principal %q", name), next: "See which there are with: lazuli sp list"}
}

func spDeleteCommand(a *app) *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use: "delete NAME|APP_ID", Short: "Delete a service principal with its application", Args: Args(1, 1, "NAME"),
		RunE: a.run(func(ctx context.Context, c *cloud, cmd *cobra.Command, args []string) error {
			if err := confirm(cmd, yes, "This deletes the service principal "+args[0]+", which cannot log in any more."); err != nil {
				return err
			}
			if err := c.deleteServicePrincipal(ctx, args[0]); err != nil {
				return fmt.Errorf("delete service principal %s: %w", args[0], err)
			}
			return nil
		}),
	}
	yesFlag(cmd, &yes)
	return cmd
}

func (c *cloud) deleteServicePrincipal(ctx context.Context, name string) error {
	sp, err := c.findServicePrincipal(ctx, name)
	if err != nil {
		return err
	}
	apps, err := listGraph[servicePrincipal](ctx, c, "applications", equals("appId", sp.AppID))
	if err != nil {
		return err
	}
	if len(apps) == 0 {
		return c.graph(ctx, http.MethodDelete, "servicePrincipals/"+sp.ID, nil, nil)
	}
	return c.graph(ctx, http.MethodDelete, "applications/"+apps[0].ID, nil, nil)
}

func spResetCommand(a *app) *cobra.Command {
	var years int
	var add bool
	cmd := &cobra.Command{
		Use: "reset-credentials NAME|APP_ID", Short: "Give a service principal a new secret in the place of all others",
		Args: Args(1, 1, "NAME"),
		RunE: a.run(func(ctx context.Context, c *cloud, cmd *cobra.Command, args []string) error {
			if err := checkYears(years); err != nil {
				return err
			}
			sp, err := c.findServicePrincipal(ctx, args[0])
			replace := c.replaceSecrets
			if add {
				replace = c.addSecret
			}
			var secret string
			if err == nil {
				secret, err = replace(ctx, sp, "lazuli", years)
			}
			if err != nil {
				return fmt.Errorf("reset credentials of %s: %w", args[0], err)
			}
			return printCredentials(cmd, appCredentials{sp.AppID, sp.DisplayName, secret, c.TenantID})
		}),
	}
	yearsFlag(cmd, &years)
	cmd.Flags().BoolVar(&add, "append", false, "keep the other secrets")
	return cmd
}

// replaceSecrets gives a service principal a secret in the place of all that it
// has: the new one first, so that it is never without.
func (c *cloud) replaceSecrets(ctx context.Context, sp *servicePrincipal, name string, years int) (string, error) {
	text, err := c.addSecret(ctx, sp, name, years)
	if err != nil {
		return "", err
	}
	for _, s := range sp.PasswordCredentials {
		if err := c.graph(ctx, http.MethodPost, "servicePrincipals/"+sp.ID+"/removePassword", map[string]any{"keyId": s.KeyID}, nil); err != nil {
			return "", err
		}
	}
	return text, nil
}

func (c *cloud) addSecret(ctx context.Context, sp *servicePrincipal, name string, years int) (string, error) {
	var added struct {
		SecretText string `json:"secretText"`
	}
	err := c.graph(ctx, http.MethodPost, "servicePrincipals/"+sp.ID+"/addPassword", map[string]any{
		"passwordCredential": map[string]any{"displayName": name, "endDateTime": time.Now().UTC().AddDate(years, 0, 0).Format(time.RFC3339)},
	}, &added)
	return added.SecretText, err
}
