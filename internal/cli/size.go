package cli

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"
	"github.com/spf13/cobra"
)

// parseSizeGiB reads the size of a disk: "4G", "4GiB", "4" and "1T". As in
// Azure a disk is a whole number of GiB, whatever the unit is called.
func parseSizeGiB(s string) (int32, error) {
	digits := strings.TrimRight(s, "gGtTiIbBmMkK")
	n, err := strconv.ParseInt(digits, 10, 32)
	if err != nil || n <= 0 || strings.TrimLeft(digits, "0123456789") != "" {
		return 0, usageError{fmt.Sprintf("%q is not the size of a disk: give it like 4G or 1T", s)}
	}
	switch strings.ToLower(s[len(digits):]) {
	case "", "g", "gb", "gib":
	case "t", "tb", "tib":
		n *= 1024
	default:
		return 0, usageError{fmt.Sprintf("%q is not the size of a disk: it must be a whole number of GiB, like 4G", s)}
	}
	const most = 65536 // what ARM takes
	if n > most {
		return 0, usageError{fmt.Sprintf("%q is too large for a disk: the limit is %dG", s, most)}
	}
	return int32(n), nil
}

func sizeCommand(a *app) *cobra.Command {
	cmd := parent("size", "The sizes of virtual machines", "")
	cmd.AddCommand(&cobra.Command{
		Use: "list", Short: "List the sizes that a virtual machine can have",
		Args: Args(0, 0, ""),
		RunE: a.run(func(ctx context.Context, c *cloud, cmd *cobra.Command, _ []string) error {
			sizes, err := c.sizes(ctx)
			if err != nil {
				return fmt.Errorf("list sizes: %w", err)
			}
			t := &table{columns: []string{"NAME", "CPUS", "MEMORY", "DATA DISKS"}}
			var names []string
			for _, s := range sizes {
				names = append(names, value(s.Name))
				t.add(value(s.Name), strconv.Itoa(int(value(s.NumberOfCores))), memory(value(s.MemoryInMB)), strconv.Itoa(int(value(s.MaxDataDiskCount))))
			}
			return a.print(cmd, listOf(sizes), names, t)
		}),
	})
	return cmd
}

func (c *cloud) sizes(ctx context.Context) ([]*armcompute.VirtualMachineSize, error) {
	return all(ctx, c.compute.NewVirtualMachineSizesClient().NewListPager(c.Location, nil),
		func(p armcompute.VirtualMachineSizesClientListResponse) []*armcompute.VirtualMachineSize {
			return p.Value
		})
}

func memory(mib int32) string {
	if mib%512 != 0 || mib < 1024 {
		return fmt.Sprintf("%d MiB", mib)
	}
	return strconv.FormatFloat(float64(mib)/1024, 'g', -1, 64) + " GiB"
}
