package cli

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"
	"github.com/spf13/cobra"
)

func diskCommand(a *app) *cobra.Command {
	cmd := parent("disk", "Disks", "")
	cmd.AddCommand(diskCreateCommand(a), diskListCommand(a), diskShowCommand(a), diskDeleteCommand(a))
	return cmd
}

func diskCreateCommand(a *app) *cobra.Command {
	var size string
	var tags map[string]string
	cmd := &cobra.Command{
		Use: "create NAME --size SIZE", Short: "Create an empty disk",
		Example: example("lazuli disk create data1 --size 20G", "lazuli vm attach db1 data1"),
		Args:    Args(1, 1, "NAME"),
		RunE: a.run(func(ctx context.Context, c *cloud, cmd *cobra.Command, args []string) error {
			gib, err := parseSizeGiB(size)
			if err != nil {
				return err
			}
			d, err := c.createDisk(ctx, progressOf(cmd), a.groupName(), args[0], gib, tags)
			if err != nil {
				return fmt.Errorf("create disk %s: %w", args[0], err)
			}
			return a.printDisks(cmd, d, d)
		}),
	}
	cmd.Flags().StringVar(&size, "size", "", "size, like 4G or 1T")
	tagFlag(cmd, &tags)
	return cmd
}

func (c *cloud) createDisk(ctx context.Context, p *progress, group, name string, gib int32, tags map[string]string) (*armcompute.Disk, error) {
	disks := c.compute.NewDisksClient()
	if _, err := disks.Get(ctx, group, name, nil); err == nil {
		return nil, &problem{code: exitConflict, text: "it exists already"}
	} else if !isNotFound(err) {
		return nil, err
	}
	if err := c.ensureGroup(ctx, group); err != nil {
		return nil, err
	}
	var made armcompute.DisksClientCreateOrUpdateResponse
	err := p.during("creating disk "+name, func() (err error) {
		poller, err := disks.BeginCreateOrUpdate(ctx, group, name, armcompute.Disk{
			Location: &c.Location, Tags: pointers(tags),
			Properties: &armcompute.DiskProperties{
				CreationData: &armcompute.CreationData{CreateOption: to.Ptr(armcompute.DiskCreateOptionEmpty)},
				DiskSizeGB:   &gib,
			},
		}, nil)
		made, err = wait(ctx, poller, err)
		return err
	})
	return &made.Disk, err
}

func diskListCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List disks",
		Args: Args(0, 0, ""),
		RunE: a.run(func(ctx context.Context, c *cloud, cmd *cobra.Command, _ []string) error {
			disks, err := c.disks(ctx, a.groupAsked())
			if err != nil {
				return fmt.Errorf("list disks: %w", err)
			}
			return a.printDisks(cmd, listOf(disks), disks...)
		}),
	}
}

func (c *cloud) disks(ctx context.Context, group string) ([]*armcompute.Disk, error) {
	if group != "" {
		return all(ctx, c.compute.NewDisksClient().NewListByResourceGroupPager(group, nil),
			func(p armcompute.DisksClientListByResourceGroupResponse) []*armcompute.Disk { return p.Value })
	}
	return all(ctx, c.compute.NewDisksClient().NewListPager(nil),
		func(p armcompute.DisksClientListResponse) []*armcompute.Disk { return p.Value })
}

func (a *app) printDisks(cmd *cobra.Command, object any, disks ...*armcompute.Disk) error {
	now := time.Now()
	t := &table{columns: []string{"NAME", "GROUP", "SIZE", "STATE", "VM", "AGE"}}
	var names []string
	for _, d := range disks {
		p := d.Properties
		if p == nil {
			p = &armcompute.DiskProperties{}
		}
		names = append(names, value(d.Name))
		t.add(value(d.Name), strings.ToLower(groupOf(d.ID)), fmt.Sprintf("%d GiB", value(p.DiskSizeGB)),
			strings.ToLower(string(value(p.DiskState))), nameOf(d.ManagedBy), age(p.TimeCreated, now))
	}
	return a.print(cmd, object, names, t)
}

func diskShowCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "show NAME", Short: "Show a disk",
		Args:              Args(1, 1, "NAME"),
		ValidArgsFunction: a.completeDisks,
		RunE: a.run(func(ctx context.Context, c *cloud, cmd *cobra.Command, args []string) error {
			d, err := c.compute.NewDisksClient().Get(ctx, a.groupName(), args[0], nil)
			if err != nil {
				return err
			}
			return a.printDisks(cmd, &d.Disk, &d.Disk)
		}),
	}
}

func diskDeleteCommand(a *app) *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use: "delete NAME", Short: "Delete a disk and what is on it",
		Args:              Args(1, 1, "NAME"),
		ValidArgsFunction: a.completeDisks,
		RunE: a.run(func(ctx context.Context, c *cloud, cmd *cobra.Command, args []string) error {
			disks := c.compute.NewDisksClient()
			d, err := disks.Get(ctx, a.groupName(), args[0], nil)
			if err != nil {
				return fmt.Errorf("delete disk %s: %w", args[0], err)
			}
			if vm := nameOf(d.ManagedBy); vm != "" {
				return &problem{code: exitConflict, text: fmt.Sprintf("delete disk %s: it is attached to %s", args[0], vm),
					next: fmt.Sprintf("Detach it first: lazuli vm detach %s %s", vm, args[0])}
			}
			if err := confirm(cmd, yes, fmt.Sprintf("This deletes the disk %s and what is on it.", args[0])); err != nil {
				return err
			}
			err = progressOf(cmd).during("deleting disk "+args[0], func() error {
				p, err := disks.BeginDelete(ctx, a.groupName(), args[0], nil)
				_, err = wait(ctx, p, err)
				return err
			})
			if err != nil {
				return fmt.Errorf("delete disk %s: %w", args[0], err)
			}
			return nil
		}),
	}
	yesFlag(cmd, &yes)
	return cmd
}
