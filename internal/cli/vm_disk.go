package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"
	"github.com/spf13/cobra"
)

// maxLUN is the last unit that a data disk can be.
const maxLUN = 63

func vmAttachCommand(a *app) *cobra.Command {
	lun := int32(-1)
	cmd := &cobra.Command{
		Use: "attach VM DISK", Short: "Attach a disk to a virtual machine",
		Long:              "Attach a disk to a virtual machine, which may be running. In the guest the disk\nis /dev/disk/azure/scsi1/lunN.",
		Example:           example("lazuli disk create data1 --size 20G", "lazuli vm attach db1 data1"),
		Args:              Args(2, 2, "VM and DISK"),
		ValidArgsFunction: a.completeVMThenDisk,
		RunE: a.run(func(ctx context.Context, c *cloud, cmd *cobra.Command, args []string) error {
			m, err := a.findMachine(ctx, c, args[0])
			if err != nil {
				return err
			}
			d, err := c.compute.NewDisksClient().Get(ctx, a.groupName(), args[1], nil)
			if err != nil {
				return fmt.Errorf("attach %s: %w", args[1], err)
			}
			at := lun
			if at < 0 {
				at = freeLUN(m.storage().DataDisks)
			}
			m.storage().DataDisks = append(m.storage().DataDisks, &armcompute.DataDisk{
				Lun: &at, CreateOption: to.Ptr(armcompute.DiskCreateOptionTypesAttach),
				ManagedDisk:  &armcompute.ManagedDiskParameters{ID: d.ID},
				DeleteOption: to.Ptr(armcompute.DiskDeleteOptionTypesDetach),
			})
			if err := a.changeDisks(ctx, c, cmd, m, "attaching "+args[1]); err != nil {
				return fmt.Errorf("attach %s: %w", args[1], err)
			}
			note(cmd.ErrOrStderr(), "In the guest it is /dev/disk/azure/scsi1/lun%d", at)
			return nil
		}),
	}
	cmd.Flags().Int32Var(&lun, "lun", -1, "the disk's unit, 0 to 63; else the first that is free")
	return cmd
}

// freeLUN is the first unit that no disk has. When all are taken it is one too
// many, which the cloud refuses better than we can.
func freeLUN(disks []*armcompute.DataDisk) int32 {
	for lun := int32(0); lun <= maxLUN; lun++ {
		if !slices.ContainsFunc(disks, func(d *armcompute.DataDisk) bool { return value(d.Lun) == lun }) {
			return lun
		}
	}
	return maxLUN + 1
}

func vmDetachCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "detach VM DISK", Short: "Detach a disk from a virtual machine",
		Long:              "Detach a disk from a virtual machine. Unmount it in the guest first.",
		Args:              Args(2, 2, "VM and DISK"),
		ValidArgsFunction: a.completeVMThenDisk,
		RunE: a.run(func(ctx context.Context, c *cloud, cmd *cobra.Command, args []string) error {
			m, err := a.findMachine(ctx, c, args[0])
			if err != nil {
				return err
			}
			s := m.storage()
			before := len(s.DataDisks)
			s.DataDisks = slices.DeleteFunc(s.DataDisks, func(d *armcompute.DataDisk) bool {
				return strings.EqualFold(value(d.Name), args[1])
			})
			if len(s.DataDisks) == before {
				return &problem{code: exitNotFound, text: fmt.Sprintf("%s has no data disk %q", m.name(), args[1]), next: "See its disks: lazuli vm show " + m.name()}
			}
			if err := a.changeDisks(ctx, c, cmd, m, "detaching "+args[1]); err != nil {
				return fmt.Errorf("detach %s: %w", args[1], err)
			}
			return nil
		}),
	}
}

func (a *app) changeDisks(ctx context.Context, c *cloud, cmd *cobra.Command, m *machine, doing string) error {
	return progressOf(cmd).during(doing, func() error { return c.updateStorage(ctx, a.groupName(), m.name(), m) })
}
