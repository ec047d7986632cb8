package cli

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/network/armnetwork/v11"
	"github.com/spf13/cobra"
)

func vmListCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List virtual machines",
		Example: example("lazuli vm list", "lazuli vm list --group shop -o json", "lazuli vm list -o name | xargs lazuli vm stop"),
		Args:    Args(0, 0, ""),
		RunE: a.run(func(ctx context.Context, c *cloud, cmd *cobra.Command, _ []string) error {
			ms, err := c.machines(ctx, a.groupAsked())
			if err != nil {
				return fmt.Errorf("list virtual machines: %w", err)
			}
			return a.printMachines(cmd, listOf(ms), ms...)
		}),
	}
}

// printMachines prints machines as a table; object is for programs.
func (a *app) printMachines(cmd *cobra.Command, object any, ms ...*machine) error {
	now := time.Now()
	t := &table{columns: []string{"NAME", "GROUP", "STATE", "PUBLIC IP", "PRIVATE IP", "SIZE", "IMAGE", "AGE"}}
	var names []string
	for _, m := range ms {
		names = append(names, m.name())
		t.add(m.name(), strings.ToLower(groupOf(m.ID)), m.state(), strings.Join(m.publicIPs, ","), strings.Join(m.privateIPs, ","),
			m.size(), m.image(), age(m.properties().TimeCreated, now))
	}
	return a.print(cmd, object, names, t)
}

// machines reads the virtual machines of a group, or all.
func (c *cloud) machines(ctx context.Context, group string) ([]*machine, error) {
	vms, err := c.vms(ctx, group)
	if err != nil || len(vms) == 0 {
		return nil, err
	}
	nics, err := all(ctx, c.network.NewInterfacesClient().NewListAllPager(nil),
		func(p armnetwork.InterfacesClientListAllResponse) []*armnetwork.Interface { return p.Value })
	if err != nil {
		return nil, err
	}
	publicIPs, err := c.publicIPs(ctx)
	if err != nil {
		return nil, err
	}
	nicOf := byID(nics, func(n *armnetwork.Interface) *string { return n.ID })
	publicIPOf := byID(publicIPs, func(p *armnetwork.PublicIPAddress) *string { return p.ID })
	ms := make([]*machine, len(vms))
	for i, vm := range vms {
		ms[i] = &machine{VirtualMachine: vm}
		if err := c.ensureView(ctx, ms[i]); err != nil {
			return nil, err
		}
		if err := ms[i].address(nicOf, publicIPOf); err != nil {
			return nil, err
		}
	}
	return ms, nil
}

// byID finds things of a list by their id, whatever its case.
func byID[T any](list []*T, id func(*T) *string) func(string) (*T, error) {
	m := make(map[string]*T, len(list))
	for _, t := range list {
		m[strings.ToLower(value(id(t)))] = t
	}
	return func(id string) (*T, error) { return m[strings.ToLower(id)], nil }
}

// vms lists virtual machines with their instance views, where the list may
// have those.
func (c *cloud) vms(ctx context.Context, group string) ([]*armcompute.VirtualMachine, error) {
	client := c.compute.NewVirtualMachinesClient()
	if group != "" {
		return all(ctx, client.NewListPager(group, &armcompute.VirtualMachinesClientListOptions{Expand: to.Ptr(armcompute.ExpandTypeForListVMsInstanceView)}),
			func(p armcompute.VirtualMachinesClientListResponse) []*armcompute.VirtualMachine { return p.Value })
	}
	return all(ctx, client.NewListAllPager(&armcompute.VirtualMachinesClientListAllOptions{Expand: to.Ptr(armcompute.ExpandTypesForListVMsInstanceView)}),
		func(p armcompute.VirtualMachinesClientListAllResponse) []*armcompute.VirtualMachine { return p.Value })
}

// ensureView reads the instance view of a machine that was listed without.
func (c *cloud) ensureView(ctx context.Context, m *machine) error {
	if m.properties().InstanceView != nil {
		return nil
	}
	v, err := c.compute.NewVirtualMachinesClient().InstanceView(ctx, groupOf(m.ID), m.name(), nil)
	if isStatus(err, http.StatusNotFound) {
		return nil // deleted meanwhile
	}
	if err == nil && m.Properties != nil {
		m.Properties.InstanceView = &v.VirtualMachineInstanceView
	}
	return err
}
