package cli

import (
	"context"
	"fmt"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armresources/v4"
	"github.com/spf13/cobra"
)

func groupCommand(a *app) *cobra.Command {
	cmd := parent("group", "Resource groups", "A resource group holds virtual machines and what belongs to them. What is made\nwithout --group is in the group "+defaultGroup+", which makes itself.")
	cmd.AddCommand(groupListCommand(a), groupCreateCommand(a), groupDeleteCommand(a))
	return cmd
}

func groupListCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List the resource groups",
		Args: Args(0, 0, ""),
		RunE: a.run(func(ctx context.Context, c *cloud, cmd *cobra.Command, _ []string) error {
			groups, err := c.groups(ctx)
			if err != nil {
				return fmt.Errorf("list groups: %w", err)
			}
			return a.printGroups(cmd, listOf(groups), groups...)
		}),
	}
}

func (c *cloud) groups(ctx context.Context) ([]*armresources.ResourceGroup, error) {
	return all(ctx, c.resources.NewResourceGroupsClient().NewListPager(nil),
		func(p armresources.ResourceGroupsClientListResponse) []*armresources.ResourceGroup { return p.Value })
}

func (a *app) printGroups(cmd *cobra.Command, object any, groups ...*armresources.ResourceGroup) error {
	t := &table{columns: []string{"NAME", "LOCATION", "STATE"}}
	var names []string
	for _, g := range groups {
		var state string
		if g.Properties != nil {
			state = value(g.Properties.ProvisioningState)
		}
		names = append(names, value(g.Name))
		t.add(value(g.Name), value(g.Location), state)
	}
	return a.print(cmd, object, names, t)
}

func groupCreateCommand(a *app) *cobra.Command {
	var tags map[string]string
	cmd := &cobra.Command{
		Use: "create NAME", Short: "Create a resource group",
		Example: example("lazuli group create shop", "lazuli vm create web1 --image debian-12 --group shop"),
		Args:    Args(1, 1, "NAME"),
		RunE: a.run(func(ctx context.Context, c *cloud, cmd *cobra.Command, args []string) error {
			g, err := c.createGroup(ctx, args[0], tags)
			if err != nil {
				return fmt.Errorf("create group %s: %w", args[0], err)
			}
			return a.printGroups(cmd, g, g)
		}),
	}
	tagFlag(cmd, &tags)
	return cmd
}

func tagFlag(cmd *cobra.Command, tags *map[string]string) {
	cmd.Flags().StringToStringVar(tags, "tag", nil, "a tag, as `name=value`; may be repeated")
}

func (c *cloud) createGroup(ctx context.Context, name string, tags map[string]string) (*armresources.ResourceGroup, error) {
	r, err := c.resources.NewResourceGroupsClient().CreateOrUpdate(ctx, name, armresources.ResourceGroup{Location: &c.Location, Tags: pointers(tags)}, nil)
	return &r.ResourceGroup, err
}

// pointers is tags as the SDK wants them.
func pointers(tags map[string]string) map[string]*string {
	if len(tags) == 0 {
		return nil
	}
	m := make(map[string]*string, len(tags))
	for k, v := range tags {
		m[k] = to.Ptr(v)
	}
	return m
}

// ensureGroup makes the default group when there is none. Others must exist:
// a group that is made of a slip of the pen is not what was meant.
func (c *cloud) ensureGroup(ctx context.Context, name string) error {
	_, err := c.resources.NewResourceGroupsClient().Get(ctx, name, nil)
	switch {
	case !isNotFound(err):
		return err
	case name == defaultGroup:
		_, err = c.createGroup(ctx, name, nil)
		return err
	}
	return &problem{code: exitNotFound, text: fmt.Sprintf("there is no resource group %q", name), next: "Create it with: lazuli group create " + name}
}

func groupDeleteCommand(a *app) *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use: "delete NAME", Short: "Delete a resource group and everything in it",
		Args:              Args(1, 1, "NAME"),
		ValidArgsFunction: a.completeGroups,
		RunE: a.run(func(ctx context.Context, c *cloud, cmd *cobra.Command, args []string) error {
			if err := c.deleteGroup(ctx, cmd, args[0], yes); err != nil {
				return fmt.Errorf("delete group %s: %w", args[0], err)
			}
			return nil
		}),
	}
	yesFlag(cmd, &yes)
	return cmd
}

func (c *cloud) deleteGroup(ctx context.Context, cmd *cobra.Command, name string, yes bool) error {
	inside, err := all(ctx, c.resources.NewClient().NewListByResourceGroupPager(name, nil),
		func(p armresources.ClientListByResourceGroupResponse) []*armresources.GenericResourceExpanded {
			return p.Value
		})
	if err != nil {
		return err
	}
	if err := confirm(cmd, yes, fmt.Sprintf("This deletes the group %s and the %d resources in it, disks included.", name, len(inside))); err != nil {
		return err
	}
	return progressOf(cmd).during("deleting resource group "+name, func() error {
		p, err := c.resources.NewResourceGroupsClient().BeginDelete(ctx, name, nil)
		_, err = wait(ctx, p, err)
		return err
	})
}
