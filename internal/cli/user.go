package cli

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"

	"github.com/spf13/cobra"
)

// user is one of the directory's.
type user struct {
	ID                string `json:"id"`
	DisplayName       string `json:"displayName"`
	UserPrincipalName string `json:"userPrincipalName"`
	AccountEnabled    bool   `json:"accountEnabled"`
	CreatedDateTime   string `json:"createdDateTime"`
	// Password is set when we made it.
	Password string `json:"password,omitempty"`
}

const userLong = `Users log in with a name and a password: with az login, or in the browser.
What they may do is given to them by role assignments: with --role and --scopes
when they are created, or by az role assignment create --assignee NAME.

Only administrators of the directory may change users.`

func userCommand(a *app) *cobra.Command {
	cmd := parent("user", "Manage the people who may log in", userLong)
	cmd.AddCommand(
		userCreateCommand(a), userListCommand(a), userShowCommand(a), userDeleteCommand(a), userPasswordCommand(a),
		userEnableCommand(a, "disable", "Keep a user out: what the user was given ends at once", false),
		userEnableCommand(a, "enable", "Let a user that was disabled in again", true),
	)
	return cmd
}

func (a *app) printUsers(cmd *cobra.Command, object any, users ...*user) error {
	t := &table{columns: []string{"NAME", "DISPLAY NAME", "ENABLED", "ID"}}
	var names []string
	for _, u := range users {
		enabled := "no"
		if u.AccountEnabled {
			enabled = "yes"
		}
		names = append(names, u.UserPrincipalName)
		t.add(u.UserPrincipalName, u.DisplayName, enabled, u.ID)
	}
	return a.print(cmd, object, names, t)
}

func userPath(name string) string { return "users/" + url.PathEscape(name) }

// passwordFlag is where a password comes from; without it one is made.
func passwordFlag(cmd *cobra.Command, file *string) {
	cmd.Flags().StringVar(file, "password-file", "", "`file` with the password, - for stdin; without it one is made and shown")
}

// readPassword reads the password, or makes one.
func readPassword(cmd *cobra.Command, file string) (password string, made bool, err error) {
	if file == "" {
		return newPassword(), true, nil
	}
	var b []byte
	if file == "-" {
		b, err = io.ReadAll(cmd.InOrStdin())
	} else {
		b, err = os.ReadFile(file)
	}
	if err != nil {
		return "", false, fmt.Errorf("read --password-file: %w", err)
	}
	if password = strings.TrimRight(string(b), "\r\n"); password == "" {
		return "", false, usageError{"there is no password in " + file}
	}
	return password, false, nil
}

// newPassword is one of 80 random bits that people can read and type:
// "Abcd-efgh-ijkl-mnop-7".
func newPassword() string {
	t := strings.ToLower(rand.Text())
	return strings.ToUpper(t[:1]) + t[1:4] + "-" + t[4:8] + "-" + t[8:12] + "-" + t[12:16] + "-7"
}

func userCreateCommand(a *app) *cobra.Command {
	var displayName, file, role string
	var scopes []string
	var admin bool
	cmd := &cobra.Command{
		Use: "create NAME", Short: "Create a user",
		Long:    "Create a user. NAME is what the user logs in as, like alice@example.org; it need\nnot be an address that mail reaches.",
		Example: example("lazuli user create alice@example.org", "lazuli user create alice@example.org --role Reader --scopes /subscriptions/ID"),
		Args:    Args(1, 1, "NAME"),
		RunE: a.run(func(ctx context.Context, c *cloud, cmd *cobra.Command, args []string) error {
			password, made, err := readPassword(cmd, file)
			if err != nil {
				return err
			}
			if displayName == "" {
				displayName, _, _ = strings.Cut(args[0], "@")
			}
			roles, err := c.findRoles(ctx, role, scopes)
			if err != nil {
				return fmt.Errorf("create user %s: %w", args[0], err)
			}
			u, err := c.createUser(ctx, args[0], displayName, password)
			if err == nil && admin {
				err = c.makeAdmin(ctx, u.ID)
			}
			if err == nil {
				err = c.assignRoles(ctx, roles, u.ID, "User")
			}
			if err != nil {
				return fmt.Errorf("create user %s: %w", args[0], err)
			}
			if made {
				tellPassword(cmd, u, password)
			}
			return a.printUsers(cmd, u, u)
		}),
	}
	cmd.Flags().StringVar(&displayName, "display-name", "", "the user's `name` for others to read")
	roleFlags(cmd, &role, &scopes, "the user")
	cmd.Flags().BoolVar(&admin, "admin", false, "let the user administer the directory: users, service principals")
	passwordFlag(cmd, &file)
	return cmd
}

// tellPassword shows a password that was made: in the object for programs, and
// beside the table for people.
func tellPassword(cmd *cobra.Command, u *user, password string) {
	u.Password = password
	note(cmd.ErrOrStderr(), "The password is: %s", password)
}

func (c *cloud) createUser(ctx context.Context, name, displayName, password string) (*user, error) {
	u := &user{}
	return u, c.graph(ctx, http.MethodPost, "users", map[string]any{
		"userPrincipalName": name, "displayName": displayName, "accountEnabled": true,
		"passwordProfile": map[string]any{"password": password},
	}, u)
}

// globalAdministrator is the directory role of administrators.
const globalAdministrator = "62e90394-69f5-4237-9190-012177145e10"

func (c *cloud) makeAdmin(ctx context.Context, id string) error {
	return c.graph(ctx, http.MethodPost, "roleManagement/directory/roleAssignments", map[string]any{
		"principalId": id, "roleDefinitionId": globalAdministrator, "directoryScopeId": "/",
	}, nil)
}

func userListCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List the users", Args: Args(0, 0, ""),
		RunE: a.run(func(ctx context.Context, c *cloud, cmd *cobra.Command, _ []string) error {
			users, err := listGraph[user](ctx, c, "users", "")
			if err != nil {
				return fmt.Errorf("list users: %w", err)
			}
			return a.printUsers(cmd, listOf(users), users...)
		}),
	}
}

func userShowCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "show NAME", Short: "Show a user", Args: Args(1, 1, "NAME"), ValidArgsFunction: a.completeUsers,
		RunE: a.run(func(ctx context.Context, c *cloud, cmd *cobra.Command, args []string) error {
			u := &user{}
			if err := c.graph(ctx, http.MethodGet, userPath(args[0]), nil, u); err != nil {
				return fmt.Errorf("show user %s: %w", args[0], err)
			}
			return a.printUsers(cmd, u, u)
		}),
	}
}

func userDeleteCommand(a *app) *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use: "delete NAME...", Short: "Delete users", Args: Args(1, -1, "NAME"), ValidArgsFunction: a.completeUsers,
		RunE: a.run(func(ctx context.Context, c *cloud, cmd *cobra.Command, args []string) error {
			if err := confirm(cmd, yes, "This deletes "+strings.Join(args, ", ")+", who cannot log in any more."); err != nil {
				return err
			}
			var errs []error
			for _, name := range args {
				if err := c.graph(ctx, http.MethodDelete, userPath(name), nil, nil); err != nil {
					errs = append(errs, fmt.Errorf("delete user %s: %w", name, err))
				}
			}
			return joined(errs)
		}),
	}
	yesFlag(cmd, &yes)
	return cmd
}

func userPasswordCommand(a *app) *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use: "set-password NAME", Short: "Give a user another password; who is logged in has to do it again",
		Args: Args(1, 1, "NAME"), ValidArgsFunction: a.completeUsers,
		RunE: a.run(func(ctx context.Context, c *cloud, cmd *cobra.Command, args []string) error {
			password, made, err := readPassword(cmd, file)
			if err != nil {
				return err
			}
			u := &user{}
			err = c.graph(ctx, http.MethodPatch, userPath(args[0]), map[string]any{"passwordProfile": map[string]any{"password": password}}, nil)
			if err == nil {
				err = c.graph(ctx, http.MethodGet, userPath(args[0]), nil, u)
			}
			if err != nil {
				return fmt.Errorf("set password of %s: %w", args[0], err)
			}
			if made {
				tellPassword(cmd, u, password)
			}
			return a.printUsers(cmd, u, u)
		}),
	}
	passwordFlag(cmd, &file)
	return cmd
}

func userEnableCommand(a *app, verb, short string, enabled bool) *cobra.Command {
	return &cobra.Command{
		Use: verb + " NAME", Short: short, Args: Args(1, 1, "NAME"), ValidArgsFunction: a.completeUsers,
		RunE: a.run(func(ctx context.Context, c *cloud, cmd *cobra.Command, args []string) error {
			err := c.graph(ctx, http.MethodPatch, userPath(args[0]), map[string]any{"accountEnabled": enabled}, nil)
			if err != nil {
				return fmt.Errorf("%s user %s: %w", verb, args[0], err)
			}
			return nil
		}),
	}
}

func (a *app) completeUsers(cmd *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	return a.offer(cmd, args, func(ctx context.Context, c *cloud) ([]string, error) {
		users, err := listGraph[user](ctx, c, "users", "")
		return namesOf(users, err, func(u *user) *string { return &u.UserPrincipalName })
	})
}
