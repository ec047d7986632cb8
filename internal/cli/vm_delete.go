package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"
	"github.com/spf13/cobra"
)

// deleteOptions are the flags of vm delete.
type deleteOptions struct {
	yes, keepDisks, deleteDisks bool
}

func vmDeleteCommand(a *app) *cobra.Command {
	o := &deleteOptions{}
	cmd := &cobra.Command{
		Use: "delete NAME…", Short: "Delete virtual machines and what was made for them",
		Long:              "Delete virtual machines with what lazuli vm create has made for them: the OS\ndisk, the network interface, the public address and the security group. Data\ndisks stay, unless they were made with --delete-disks.",
		Example:           example("lazuli vm delete web1", "lazuli vm delete web1 web2 --yes", "lazuli vm delete db1 --keep-disks"),
		Args:              Args(1, -1, "NAME"),
		ValidArgsFunction: a.completeVMs,
		RunE: a.run(func(ctx context.Context, c *cloud, cmd *cobra.Command, args []string) error {
			if o.keepDisks && o.deleteDisks {
				return usageError{"--keep-disks and --delete-disks exclude each other"}
			}
			var errs []error
			for _, name := range args {
				if err := a.deleteMachine(ctx, c, cmd, name, o); err != nil {
					errs = append(errs, fmt.Errorf("delete %s: %w", name, err))
				}
			}
			return joined(errs)
		}),
	}
	yesFlag(cmd, &o.yes)
	cmd.Flags().BoolVar(&o.keepDisks, "keep-disks", false, "keep all disks, that of the OS too")
	cmd.Flags().BoolVar(&o.deleteDisks, "delete-disks", false, "delete all disks")
	return cmd
}

// deleteMachine deletes a machine, then what was made for it. It goes on from
// wherever an earlier run was cut short.
func (a *app) deleteMachine(ctx context.Context, c *cloud, cmd *cobra.Command, name string, o *deleteOptions) error {
	group := a.groupName()
	m, err := c.machine(ctx, group, name)
	if err != nil && !isNotFound(err) {
		return err
	}
	p := progressOf(cmd)
	if err != nil {
		found := 0
		clearErr := p.during("deleting what was made for "+name, func() (err error) {
			found, err = c.deleteMadeFor(ctx, group, name)
			return err
		})
		if clearErr == nil && found == 0 {
			return c.noMachine(ctx, group, name)
		}
		return clearErr
	}
	setDeleteOptions(m.storage(), o)
	if err := confirm(cmd, o.yes, m.deletion()); err != nil {
		return err
	}
	return p.during("deleting "+name, func() error {
		if err := c.deleteVM(ctx, group, name, m, o); err != nil {
			return err
		}
		_, err := c.deleteMadeFor(ctx, group, name)
		return err
	})
}

// deletion says what the deletion of the machine means.
func (m *machine) deletion() string {
	var gone, kept []string
	sort := func(name *string, option *armcompute.DiskDeleteOptionTypes) {
		if value(option) == armcompute.DiskDeleteOptionTypesDelete {
			gone = append(gone, value(name))
		} else {
			kept = append(kept, value(name))
		}
	}
	if d := m.storage().OSDisk; d != nil {
		sort(d.Name, d.DeleteOption)
	}
	for _, d := range m.storage().DataDisks {
		sort(d.Name, d.DeleteOption)
	}
	text := "This deletes the virtual machine " + m.name()
	if len(gone) > 0 {
		text += " with the disks " + strings.Join(gone, ", ")
	}
	if len(kept) > 0 {
		text += "; the disks " + strings.Join(kept, ", ") + " are kept"
	}
	return text + "."
}

// setDeleteOptions sets what the flags say becomes of the disks.
func setDeleteOptions(s *armcompute.StorageProfile, o *deleteOptions) {
	option := to.Ptr(armcompute.DiskDeleteOptionTypesDelete)
	switch {
	case o.keepDisks:
		option = to.Ptr(armcompute.DiskDeleteOptionTypesDetach)
	case !o.deleteDisks:
		return
	}
	if s.OSDisk != nil {
		s.OSDisk.DeleteOption = option
	}
	for _, d := range s.DataDisks {
		d.DeleteOption = option
	}
}

func (c *cloud) deleteVM(ctx context.Context, group, name string, m *machine, o *deleteOptions) error {
	vms := c.compute.NewVirtualMachinesClient()
	if o.keepDisks || o.deleteDisks {
		if err := c.updateStorage(ctx, group, name, m); err != nil {
			return err
		}
	}
	p, err := vms.BeginDelete(ctx, group, name, nil)
	_, err = wait(ctx, p, err)
	return err
}

// updateStorage makes the machine's disks those of m.
func (c *cloud) updateStorage(ctx context.Context, group, name string, m *machine) error {
	s := m.storage()
	disks := s.DataDisks
	if disks == nil {
		disks = []*armcompute.DataDisk{}
	}
	update := armcompute.VirtualMachineUpdate{Properties: &armcompute.VirtualMachineProperties{
		StorageProfile: &armcompute.StorageProfile{DataDisks: disks},
	}}
	if s.OSDisk != nil {
		update.Properties.StorageProfile.OSDisk = &armcompute.OSDisk{DeleteOption: s.OSDisk.DeleteOption}
	}
	p, err := c.compute.NewVirtualMachinesClient().BeginUpdate(ctx, group, name, update, &armcompute.VirtualMachinesClientBeginUpdateOptions{IfMatch: m.Etag})
	_, err = wait(ctx, p, err)
	return err
}

// deleteMadeFor deletes what vm create has made for the machine name, and says
// how many things that were.
func (c *cloud) deleteMadeFor(ctx context.Context, group, name string) (found int, err error) {
	steps := []struct {
		name   string
		tags   func(name string) (map[string]*string, error)
		delete func(ctx context.Context, group, name string) error
	}{
		{name + "-nic", func(n string) (map[string]*string, error) {
			r, err := c.network.NewInterfacesClient().Get(ctx, group, n, nil)
			return r.Tags, err
		}, c.deleteNIC},
		{name + "-ip", func(n string) (map[string]*string, error) {
			r, err := c.network.NewPublicIPAddressesClient().Get(ctx, group, n, nil)
			return r.Tags, err
		}, c.deletePublicIP},
		{name + "-nsg", func(n string) (map[string]*string, error) {
			r, err := c.network.NewSecurityGroupsClient().Get(ctx, group, n, nil)
			return r.Tags, err
		}, c.deleteNSG},
	}
	var errs []error
	for _, s := range steps {
		tags, err := s.tags(s.name)
		if err == nil && isMadeFor(tags, name) {
			found++
			err = s.delete(ctx, group, s.name)
		}
		if err != nil && !isNotFound(err) {
			errs = append(errs, fmt.Errorf("%s: %w", s.name, err))
		}
	}
	return found, errors.Join(errs...)
}

func (c *cloud) deleteNIC(ctx context.Context, group, name string) error {
	p, err := c.network.NewInterfacesClient().BeginDelete(ctx, group, name, nil)
	_, err = wait(ctx, p, err)
	return err
}

func (c *cloud) deletePublicIP(ctx context.Context, group, name string) error {
	p, err := c.network.NewPublicIPAddressesClient().BeginDelete(ctx, group, name, nil)
	_, err = wait(ctx, p, err)
	return err
}

func (c *cloud) deleteNSG(ctx context.Context, group, name string) error {
	p, err := c.network.NewSecurityGroupsClient().BeginDelete(ctx, group, name, nil)
	_, err = wait(ctx, p, err)
	return err
}
