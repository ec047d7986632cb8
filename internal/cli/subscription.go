package cli

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/google/uuid"
	"github.com/spf13/cobra"
)

// subscription is one that we have access to.
type subscription struct {
	ID             string `json:"id"`
	SubscriptionID string `json:"subscriptionId"`
	DisplayName    string `json:"displayName"`
	State          string `json:"state"`
	TenantID       string `json:"tenantId"`
}

const subscriptionLong = `Subscriptions keep apart what belongs to different teams: roles are given in one,
and names in one have nothing to do with those in another.`

func subscriptionCommand(a *app) *cobra.Command {
	cmd := parent("subscription", "Manage subscriptions", subscriptionLong)
	cmd.AddCommand(
		subscriptionCreateCommand(a), subscriptionListCommand(a), subscriptionRenameCommand(a),
		subscriptionSwitchCommand(a, "disable", "Make a subscription read-only; what is in it stays and runs", "cancel"),
		subscriptionSwitchCommand(a, "enable", "End that a subscription is read-only", "enable"),
	)
	return cmd
}

func (a *app) printSubscriptions(cmd *cobra.Command, object any, all ...*subscription) error {
	t := &table{columns: []string{"NAME", "ID", "STATE"}}
	var names []string
	for _, s := range all {
		names = append(names, s.DisplayName)
		t.add(s.DisplayName, s.SubscriptionID, s.State)
	}
	return a.print(cmd, object, names, t)
}

const (
	subscriptionsVersion = "?api-version=2022-12-01"
	aliasVersion         = "?api-version=2021-10-01"
)

func (c *cloud) subscriptions(ctx context.Context) ([]*subscription, error) {
	var all struct {
		Value []*subscription `json:"value"`
	}
	err := c.ask(ctx, http.MethodGet, "/subscriptions"+subscriptionsVersion, nil, &all)
	return all.Value, err
}

// findSubscription finds one by its id or its name.
func (c *cloud) findSubscription(ctx context.Context, name string) (*subscription, error) {
	all, err := c.subscriptions(ctx)
	if err != nil {
		return nil, err
	}
	var found []*subscription
	for _, s := range all {
		if strings.EqualFold(s.SubscriptionID, name) {
			return s, nil
		}
		if strings.EqualFold(s.DisplayName, name) {
			found = append(found, s)
		}
	}
	switch len(found) {
	case 0:
		return nil, &problem{code: exitNotFound, text: fmt.Sprintf("there is no subscription %q", name), next: "See which there are with: lazuli subscription list"}
	case 1:
		return found[0], nil
	}
	return nil, &problem{code: exitConflict, text: fmt.Sprintf("there are %d subscriptions of the name %q", len(found), name), next: "Name it by its id: lazuli subscription list"}
}

func subscriptionCreateCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "create NAME", Short: "Create a subscription", Args: Args(1, 1, "NAME"),
		Example: example("lazuli subscription create Development"),
		RunE: a.run(func(ctx context.Context, c *cloud, cmd *cobra.Command, args []string) error {
			s, err := c.createSubscription(ctx, args[0])
			if err != nil {
				return fmt.Errorf("create subscription %s: %w", args[0], err)
			}
			return a.printSubscriptions(cmd, s, s)
		}),
	}
}

func (c *cloud) createSubscription(ctx context.Context, name string) (*subscription, error) {
	var alias struct {
		Properties struct {
			SubscriptionID string `json:"subscriptionId"`
		} `json:"properties"`
	}
	err := c.ask(ctx, http.MethodPut, "/providers/Microsoft.Subscription/aliases/"+uuid.NewString()+aliasVersion,
		map[string]any{"properties": map[string]any{"displayName": name, "workload": "Production"}}, &alias)
	if err != nil {
		return nil, err
	}
	return c.findSubscription(ctx, alias.Properties.SubscriptionID)
}

func subscriptionListCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List the subscriptions that you have access to", Args: Args(0, 0, ""),
		RunE: a.run(func(ctx context.Context, c *cloud, cmd *cobra.Command, _ []string) error {
			all, err := c.subscriptions(ctx)
			if err != nil {
				return fmt.Errorf("list subscriptions: %w", err)
			}
			return a.printSubscriptions(cmd, listOf(all), all...)
		}),
	}
}

// changeSubscription does the action to a subscription, and reads it again.
func (c *cloud) changeSubscription(ctx context.Context, name, action string, body any) (*subscription, error) {
	s, err := c.findSubscription(ctx, name)
	if err != nil {
		return nil, err
	}
	if err := c.ask(ctx, http.MethodPost, s.ID+"/providers/Microsoft.Subscription/"+action+aliasVersion, body, nil); err != nil {
		return nil, err
	}
	return c.findSubscription(ctx, s.SubscriptionID)
}

func subscriptionRenameCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "rename NAME|ID NEW-NAME", Short: "Give a subscription another name", Args: Args(2, 2, "NAME NEW-NAME"),
		RunE: a.run(func(ctx context.Context, c *cloud, cmd *cobra.Command, args []string) error {
			s, err := c.changeSubscription(ctx, args[0], "rename", map[string]any{"subscriptionName": args[1]})
			if err != nil {
				return fmt.Errorf("rename subscription %s: %w", args[0], err)
			}
			return a.printSubscriptions(cmd, s, s)
		}),
	}
}

func subscriptionSwitchCommand(a *app, verb, short, action string) *cobra.Command {
	return &cobra.Command{
		Use: verb + " NAME|ID", Short: short, Args: Args(1, 1, "NAME"),
		RunE: a.run(func(ctx context.Context, c *cloud, cmd *cobra.Command, args []string) error {
			s, err := c.changeSubscription(ctx, args[0], action, nil)
			if err != nil {
				return fmt.Errorf("%s subscription %s: %w", verb, args[0], err)
			}
			return a.printSubscriptions(cmd, s, s)
		}),
	}
}
