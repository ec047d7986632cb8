package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/arm"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/network/armnetwork/v11"
	"github.com/spf13/cobra"
)

func ipCommand(a *app) *cobra.Command {
	cmd := parent("ip", "Public addresses", "")
	cmd.AddCommand(&cobra.Command{
		Use: "list", Short: "List public addresses and what has them",
		Args: Args(0, 0, ""),
		RunE: a.run(func(ctx context.Context, c *cloud, cmd *cobra.Command, _ []string) error {
			ips, err := c.publicIPs(ctx)
			if err != nil {
				return fmt.Errorf("list public addresses: %w", err)
			}
			if g := a.groupAsked(); g != "" {
				ips = inGroup(ips, g)
			}
			return a.printIPs(cmd, ips)
		}),
	})
	return cmd
}

func (c *cloud) publicIPs(ctx context.Context) ([]*armnetwork.PublicIPAddress, error) {
	return all(ctx, c.network.NewPublicIPAddressesClient().NewListAllPager(nil),
		func(p armnetwork.PublicIPAddressesClientListAllResponse) []*armnetwork.PublicIPAddress {
			return p.Value
		})
}

func inGroup(ips []*armnetwork.PublicIPAddress, group string) []*armnetwork.PublicIPAddress {
	var in []*armnetwork.PublicIPAddress
	for _, ip := range ips {
		if strings.EqualFold(groupOf(ip.ID), group) {
			in = append(in, ip)
		}
	}
	return in
}

func (a *app) printIPs(cmd *cobra.Command, ips []*armnetwork.PublicIPAddress) error {
	t := &table{columns: []string{"NAME", "GROUP", "ADDRESS", "INTERFACE"}}
	var names []string
	for _, ip := range ips {
		var address, user string
		if p := ip.Properties; p != nil {
			address = value(p.IPAddress)
			if p.IPConfiguration != nil {
				user = interfaceOf(value(p.IPConfiguration.ID))
			}
		}
		names = append(names, value(ip.Name))
		t.add(value(ip.Name), strings.ToLower(groupOf(ip.ID)), address, user)
	}
	return a.print(cmd, listOf(ips), names, t)
}

// interfaceOf is the name of the interface that an IP configuration is of.
func interfaceOf(config string) string {
	id, err := arm.ParseResourceID(config)
	if err != nil || id.Parent == nil {
		return ""
	}
	return id.Parent.Name
}
