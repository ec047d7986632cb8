package cli

import (
	"context"
	"fmt"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"
	"github.com/spf13/cobra"
)

// operation begins something on a machine, and returns what waits for its end.
type operation func(ctx context.Context, vms *armcompute.VirtualMachinesClient, group, name string) (func() error, error)

// begun makes what an operation returns of what the SDK does.
func begun[T any](ctx context.Context, p *runtime.Poller[T], err error) (func() error, error) {
	return func() error {
		_, err := wait(ctx, p, nil)
		return err
	}, err
}

// powerCommand is a command that does something to machines, all at once.
func (a *app) powerCommand(verb, doing string, do operation) *cobra.Command {
	var noWait bool
	cmd := &cobra.Command{
		Use: verb + " NAME…", Args: Args(1, -1, "NAME"),
		ValidArgsFunction: a.completeVMs,
		RunE: a.run(func(ctx context.Context, c *cloud, cmd *cobra.Command, args []string) error {
			vms := c.compute.NewVirtualMachinesClient()
			var errs []error
			waits := map[string]func() error{}
			for _, name := range args {
				wait, err := do(ctx, vms, a.groupName(), name)
				if isNotFound(err) {
					err = c.noMachine(ctx, a.groupName(), name)
				}
				if err != nil {
					errs = append(errs, fmt.Errorf("%s %s: %w", verb, name, err))
					continue
				}
				waits[name] = wait
			}
			for _, name := range args {
				wait, ok := waits[name]
				if !ok || noWait {
					continue
				}
				if err := progressOf(cmd).during(doing+" "+name, wait); err != nil {
					errs = append(errs, fmt.Errorf("%s %s: %w", verb, name, err))
				}
			}
			return joined(errs)
		}),
	}
	cmd.Flags().BoolVar(&noWait, "no-wait", false, "do not wait until it is done")
	return cmd
}

func vmStartCommand(a *app) *cobra.Command {
	cmd := a.powerCommand("start", "starting", func(ctx context.Context, vms *armcompute.VirtualMachinesClient, group, name string) (func() error, error) {
		p, err := vms.BeginStart(ctx, group, name, nil)
		return begun(ctx, p, err)
	})
	cmd.Short = "Start virtual machines"
	return cmd
}

func vmStopCommand(a *app) *cobra.Command {
	var hard bool
	cmd := a.powerCommand("stop", "stopping", func(ctx context.Context, vms *armcompute.VirtualMachinesClient, group, name string) (func() error, error) {
		p, err := vms.BeginPowerOff(ctx, group, name, &armcompute.VirtualMachinesClientBeginPowerOffOptions{SkipShutdown: &hard})
		return begun(ctx, p, err)
	})
	cmd.Short = "Shut virtual machines down; they keep their place on the node"
	cmd.Flags().BoolVar(&hard, "hard", false, "cut the power instead of asking the guest to shut down")
	return cmd
}

func vmRestartCommand(a *app) *cobra.Command {
	cmd := a.powerCommand("restart", "restarting", func(ctx context.Context, vms *armcompute.VirtualMachinesClient, group, name string) (func() error, error) {
		p, err := vms.BeginRestart(ctx, group, name, nil)
		return begun(ctx, p, err)
	})
	cmd.Short = "Restart virtual machines"
	return cmd
}

func vmDeallocateCommand(a *app) *cobra.Command {
	cmd := a.powerCommand("deallocate", "deallocating", func(ctx context.Context, vms *armcompute.VirtualMachinesClient, group, name string) (func() error, error) {
		p, err := vms.BeginDeallocate(ctx, group, name, nil)
		return begun(ctx, p, err)
	})
	cmd.Short = "Shut virtual machines down and give back all but their disks and addresses"
	return cmd
}
