package cli

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/network/armnetwork/v11"
)

// madeFor is the tag of what vm create has made, with the machine's name:
// vm delete deletes it.
const madeFor = "lazuli-vm"

// maker makes what a machine needs. What exists under the name that it would
// have is used as it is, and stays when the machine goes.
type maker struct {
	*cloud
	*createSpec
	imageRef *armcompute.ImageReference
	undos    []func(context.Context) error
}

// prepare makes everything but the machine, and is the machine's body.
func (m *maker) prepare(ctx context.Context) (*armcompute.VirtualMachine, error) {
	subnet, err := m.ensureSubnet(ctx)
	if err != nil {
		return nil, fmt.Errorf("network %s: %w", m.vnet, err)
	}
	nsg, err := m.ensureNSG(ctx)
	if err != nil {
		return nil, fmt.Errorf("security group: %w", err)
	}
	var publicIP string
	if !m.noPublicIP {
		if publicIP, err = m.ensurePublicIP(ctx); err != nil {
			return nil, fmt.Errorf("public address: %w", err)
		}
	}
	nic, err := m.ensureNIC(ctx, subnet, nsg, publicIP)
	if err != nil {
		return nil, fmt.Errorf("network interface: %w", err)
	}
	disks, err := m.diskNames(ctx)
	if err != nil {
		return nil, fmt.Errorf("disks: %w", err)
	}
	return m.body(m.Location, m.imageRef, nic, disks), nil
}

// undo deletes what was made, if err is that the cloud has refused something;
// otherwise what was asked for may still happen, and needs it.
func (m *maker) undo(ctx context.Context, err error) error {
	if _, ours := errors.AsType[*problem](err); !ours && !refused(err) {
		return err
	}
	for i := len(m.undos) - 1; i >= 0; i-- {
		if undoErr := m.undos[i](ctx); undoErr != nil {
			return errors.Join(err, fmt.Errorf("clear away what was made: %w", undoErr))
		}
	}
	return err
}

func (m *maker) tagsOfMade() map[string]*string {
	t := map[string]string{madeFor: m.name}
	maps.Copy(t, m.tags)
	return pointers(t)
}

// isMadeFor says whether tags are those of something made for the machine name.
func isMadeFor(tags map[string]*string, name string) bool {
	return strings.EqualFold(value(tags[madeFor]), name)
}

// ensureSubnet is the id of the subnet. A network that does not exist is made.
func (m *maker) ensureSubnet(ctx context.Context) (string, error) {
	nets := m.network.NewVirtualNetworksClient()
	r, err := nets.Get(ctx, m.group, m.vnet, nil)
	vnet := r.VirtualNetwork
	if isNotFound(err) {
		p, beginErr := nets.BeginCreateOrUpdate(ctx, m.group, m.vnet, m.networkBody(), nil)
		made, waitErr := wait(ctx, p, beginErr)
		vnet, err = made.VirtualNetwork, waitErr
	}
	if err != nil {
		return "", err
	}
	var have []string
	if vnet.Properties != nil {
		for _, s := range vnet.Properties.Subnets {
			if strings.EqualFold(value(s.Name), m.subnet) {
				return value(s.ID), nil
			}
			have = append(have, value(s.Name))
		}
	}
	return "", &problem{code: exitNotFound, text: fmt.Sprintf("it has no subnet %q", m.subnet), next: "Its subnets are: " + strings.Join(have, ", ")}
}

func (m *maker) networkBody() armnetwork.VirtualNetwork {
	return armnetwork.VirtualNetwork{
		Location: &m.Location,
		Properties: &armnetwork.VirtualNetworkPropertiesFormat{
			AddressSpace: &armnetwork.AddressSpace{AddressPrefixes: []*string{to.Ptr("10.0.0.0/16")}},
			Subnets: []*armnetwork.Subnet{{
				Name: &m.subnet, Properties: &armnetwork.SubnetPropertiesFormat{AddressPrefix: to.Ptr("10.0.0.0/24")}}},
		},
	}
}

// ensureNSG is the id of the security group that lets SSH and the open ports in.
func (m *maker) ensureNSG(ctx context.Context) (string, error) {
	nsgs, name := m.network.NewSecurityGroupsClient(), m.name+"-nsg"
	was, err := nsgs.Get(ctx, m.group, name, nil)
	switch {
	case err == nil && !isMadeFor(was.Tags, m.name):
		return value(was.ID), nil
	case isNotFound(err):
		m.undos = append(m.undos, func(ctx context.Context) error { return m.deleteNSG(ctx, m.group, name) })
	case err != nil:
		return "", err
	}
	body := armnetwork.SecurityGroup{Location: &m.Location, Tags: m.tagsOfMade(), Properties: &armnetwork.SecurityGroupPropertiesFormat{
		SecurityRules: []*armnetwork.SecurityRule{allowRule("allow-ssh", portRange{"22", "Tcp"}, firstPriority, "*")},
	}}
	for i, p := range m.ports {
		body.Properties.SecurityRules = append(body.Properties.SecurityRules, allowRule(p.ruleName(), p, firstPriority+int32(i+1)*10, "*"))
	}
	p, err := nsgs.BeginCreateOrUpdate(ctx, m.group, name, body, nil)
	r, err := wait(ctx, p, err)
	return value(r.ID), err
}

func (m *maker) ensurePublicIP(ctx context.Context) (string, error) {
	ips, name := m.network.NewPublicIPAddressesClient(), m.name+"-ip"
	was, err := ips.Get(ctx, m.group, name, nil)
	switch {
	case err == nil:
		return value(was.ID), nil
	case !isNotFound(err):
		return "", err
	}
	m.undos = append(m.undos, func(ctx context.Context) error { return m.deletePublicIP(ctx, m.group, name) })
	p, err := ips.BeginCreateOrUpdate(ctx, m.group, name, armnetwork.PublicIPAddress{
		Location: &m.Location, Tags: m.tagsOfMade(),
		SKU:        &armnetwork.PublicIPAddressSKU{Name: to.Ptr(armnetwork.PublicIPAddressSKUNameStandard)},
		Properties: &armnetwork.PublicIPAddressPropertiesFormat{PublicIPAllocationMethod: to.Ptr(armnetwork.IPAllocationMethodStatic)},
	}, nil)
	r, err := wait(ctx, p, err)
	return value(r.ID), err
}

func (m *maker) ensureNIC(ctx context.Context, subnet, nsg, publicIP string) (string, error) {
	nics, name := m.network.NewInterfacesClient(), m.name+"-nic"
	was, err := nics.Get(ctx, m.group, name, nil)
	switch {
	case err == nil && !isMadeFor(was.Tags, m.name):
		return "", &problem{code: exitConflict, text: name + " exists already", next: "It was not made by lazuli vm create. Delete it, or choose another name for the machine."}
	case isNotFound(err):
		m.undos = append(m.undos, func(ctx context.Context) error { return m.deleteNIC(ctx, m.group, name) })
	case err != nil:
		return "", err
	}
	config := &armnetwork.InterfaceIPConfigurationPropertiesFormat{Subnet: &armnetwork.Subnet{ID: &subnet}}
	if publicIP != "" {
		config.PublicIPAddress = &armnetwork.PublicIPAddress{ID: &publicIP}
	}
	p, err := nics.BeginCreateOrUpdate(ctx, m.group, name, armnetwork.Interface{
		Location: &m.Location, Tags: m.tagsOfMade(),
		Properties: &armnetwork.InterfacePropertiesFormat{
			NetworkSecurityGroup: &armnetwork.SecurityGroup{ID: &nsg},
			IPConfigurations:     []*armnetwork.InterfaceIPConfiguration{{Name: to.Ptr("ipconfig1"), Properties: config}},
		},
	}, nil)
	r, err := wait(ctx, p, err)
	return value(r.ID), err
}

// diskNames are names for the machine's disks that no disk has: those of an
// earlier machine of the same name may be there still.
func (m *maker) diskNames(ctx context.Context) ([]string, error) {
	names := make([]string, 1+len(m.dataDisksGiB))
	for i := range names {
		base := m.name + "-os"
		if i > 0 {
			base = fmt.Sprintf("%s-data%d", m.name, i)
		}
		name, err := m.freeDiskName(ctx, base)
		if err != nil {
			return nil, err
		}
		names[i] = name
	}
	return names, nil
}

func (m *maker) freeDiskName(ctx context.Context, base string) (string, error) {
	disks := m.compute.NewDisksClient()
	for name, n := base, 2; ; n++ {
		_, err := disks.Get(ctx, m.group, name, nil)
		if isNotFound(err) {
			return name, nil
		}
		if err != nil {
			return "", err
		}
		name = fmt.Sprintf("%s-%d", base, n)
	}
}
