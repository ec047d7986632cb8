package cli

import (
	"context"
	"slices"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armresources/v4"
	"github.com/spf13/cobra"
)

// completionTime is how long a shell that completes a word may wait for us.
const completionTime = 2 * time.Second

// offer lists the words that list finds, if it finds them in time, without
// those that are on the command line already.
func (a *app) offer(cmd *cobra.Command, args []string, list func(context.Context, *cloud) ([]string, error)) ([]cobra.Completion, cobra.ShellCompDirective) {
	ctx := cmd.Context()
	if ctx == nil {
		ctx = context.Background()
	}
	ctx, cancel := context.WithTimeout(ctx, completionTime)
	defer cancel()
	c, err := a.open()
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	words, err := list(ctx, c)
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	words = slices.DeleteFunc(words, func(w string) bool { return slices.Contains(args, w) })
	return words, cobra.ShellCompDirectiveNoFileComp
}

func namesOf[T any](list []*T, err error, name func(*T) *string) ([]string, error) {
	var words []string
	for _, t := range list {
		words = append(words, value(name(t)))
	}
	return words, err
}

func (a *app) completeVMs(cmd *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	return a.offer(cmd, args, func(ctx context.Context, c *cloud) ([]string, error) {
		vms, err := c.vms(ctx, a.groupName())
		return namesOf(vms, err, func(v *armcompute.VirtualMachine) *string { return v.Name })
	})
}

func (a *app) completeDisks(cmd *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	return a.offer(cmd, args, func(ctx context.Context, c *cloud) ([]string, error) {
		disks, err := c.disks(ctx, a.groupName())
		return namesOf(disks, err, func(d *armcompute.Disk) *string { return d.Name })
	})
}

func (a *app) completeVMThenDisk(cmd *cobra.Command, args []string, word string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(args) == 0 {
		return a.completeVMs(cmd, args, word)
	}
	return a.completeDisks(cmd, args, word)
}

func (a *app) completeGroups(cmd *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	return a.offer(cmd, args, func(ctx context.Context, c *cloud) ([]string, error) {
		groups, err := c.groups(ctx)
		return namesOf(groups, err, func(g *armresources.ResourceGroup) *string { return g.Name })
	})
}

func (a *app) completeSizes(cmd *cobra.Command, _ []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	return a.offer(cmd, nil, func(ctx context.Context, c *cloud) ([]string, error) {
		sizes, err := c.sizes(ctx)
		return namesOf(sizes, err, func(s *armcompute.VirtualMachineSize) *string { return s.Name })
	})
}

func (a *app) completeImages(cmd *cobra.Command, _ []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	return a.offer(cmd, nil, func(ctx context.Context, c *cloud) ([]string, error) {
		images, err := c.platformImages(ctx)
		words, err := namesOf(images, err, func(i *platformImage) *string { return &i.Alias })
		return slices.Compact(words), err
	})
}
