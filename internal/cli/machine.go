package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/network/armnetwork/v11"
)

// machine is a virtual machine with its addresses, which are elsewhere in ARM.
type machine struct {
	*armcompute.VirtualMachine
	nics []*armnetwork.Interface
	// publicIPs and privateIPs are addresses, those of the primary interface
	// first.
	publicIPs, privateIPs []string
}

// MarshalJSON is the SDK's, with what az vm show --show-details adds.
func (m *machine) MarshalJSON() ([]byte, error) {
	b, err := json.Marshal(m.VirtualMachine)
	if err != nil {
		return nil, err
	}
	var fields map[string]any
	if err := json.Unmarshal(b, &fields); err != nil {
		return nil, err
	}
	fields["powerState"] = m.power()
	fields["publicIps"] = strings.Join(m.publicIPs, ",")
	fields["privateIps"] = strings.Join(m.privateIPs, ",")
	return json.Marshal(fields)
}

func (m *machine) name() string { return value(m.Name) }

// properties is never nil.
func (m *machine) properties() *armcompute.VirtualMachineProperties {
	if m.Properties == nil {
		return &armcompute.VirtualMachineProperties{}
	}
	return m.Properties
}

func (m *machine) statuses() []*armcompute.InstanceViewStatus {
	if v := m.properties().InstanceView; v != nil {
		return v.Statuses
	}
	return nil
}

// power is the power state, "VM running" to Azure's clients; "" when it is not
// known.
func (m *machine) power() string {
	for _, s := range m.statuses() {
		if strings.HasPrefix(strings.ToLower(value(s.Code)), "powerstate/") {
			return value(s.DisplayStatus)
		}
	}
	return ""
}

// state is one word for the state: what is being done to the machine, or went
// wrong with it, else the power state.
func (m *machine) state() string {
	provisioning := value(m.properties().ProvisioningState)
	switch strings.ToLower(provisioning) {
	case "creating", "deleting", "failed":
		return strings.ToLower(provisioning)
	}
	for _, s := range m.statuses() {
		kind, word, _ := strings.Cut(strings.ToLower(value(s.Code)), "/")
		if kind == "powerstate" {
			return word
		}
	}
	return strings.ToLower(provisioning)
}

func (m *machine) size() string {
	if h := m.properties().HardwareProfile; h != nil {
		return string(value(h.VMSize))
	}
	return ""
}

func (m *machine) storage() *armcompute.StorageProfile {
	if s := m.properties().StorageProfile; s != nil {
		return s
	}
	return &armcompute.StorageProfile{}
}

// image is the name of the image: the offer's, or the managed image's.
func (m *machine) image() string {
	r := m.storage().ImageReference
	switch {
	case r == nil:
		return ""
	case value(r.ID) != "":
		return nameOf(r.ID)
	}
	return value(r.Offer)
}

// nicIDs are the ids of the interfaces, the primary one first.
func (m *machine) nicIDs() []string {
	n := m.properties().NetworkProfile
	if n == nil {
		return nil
	}
	var ids []string
	for _, r := range n.NetworkInterfaces {
		if r.Properties != nil && value(r.Properties.Primary) {
			ids = append([]string{value(r.ID)}, ids...)
		} else {
			ids = append(ids, value(r.ID))
		}
	}
	return ids
}

// address fills in the interfaces and addresses of the machine, from what nic
// and publicIP find by id; they may find nothing.
func (m *machine) address(nic func(id string) (*armnetwork.Interface, error), publicIP func(id string) (*armnetwork.PublicIPAddress, error)) error {
	for _, id := range m.nicIDs() {
		n, err := nic(id)
		if err != nil {
			return err
		}
		if n == nil {
			continue
		}
		m.nics = append(m.nics, n)
		for _, config := range configsOf(n) {
			if a := value(config.PrivateIPAddress); a != "" {
				m.privateIPs = append(m.privateIPs, a)
			}
			if config.PublicIPAddress == nil {
				continue
			}
			p, err := publicIP(value(config.PublicIPAddress.ID))
			if err != nil {
				return err
			}
			if p != nil && p.Properties != nil && value(p.Properties.IPAddress) != "" {
				m.publicIPs = append(m.publicIPs, value(p.Properties.IPAddress))
			}
		}
	}
	return nil
}

func configsOf(n *armnetwork.Interface) []*armnetwork.InterfaceIPConfigurationPropertiesFormat {
	if n.Properties == nil {
		return nil
	}
	var configs []*armnetwork.InterfaceIPConfigurationPropertiesFormat
	for _, c := range n.Properties.IPConfigurations {
		if c.Properties != nil {
			configs = append(configs, c.Properties)
		}
	}
	return configs
}

// machine reads one virtual machine with its addresses.
func (c *cloud) machine(ctx context.Context, group, name string) (*machine, error) {
	r, err := c.compute.NewVirtualMachinesClient().Get(ctx, group, name, &armcompute.VirtualMachinesClientGetOptions{
		Expand: to.Ptr(armcompute.InstanceViewTypesInstanceView)})
	if err != nil {
		return nil, err
	}
	m := &machine{VirtualMachine: &r.VirtualMachine}
	return m, m.address(
		func(id string) (*armnetwork.Interface, error) { return c.nic(ctx, id) },
		func(id string) (*armnetwork.PublicIPAddress, error) { return c.publicIP(ctx, id) })
}

// nic reads an interface; nil when it is gone.
func (c *cloud) nic(ctx context.Context, id string) (*armnetwork.Interface, error) {
	r, err := c.network.NewInterfacesClient().Get(ctx, groupOf(&id), nameOf(&id), nil)
	if isNotFound(err) {
		return nil, nil
	}
	return &r.Interface, err
}

// publicIP reads a public address; nil when it is gone.
func (c *cloud) publicIP(ctx context.Context, id string) (*armnetwork.PublicIPAddress, error) {
	r, err := c.network.NewPublicIPAddressesClient().Get(ctx, groupOf(&id), nameOf(&id), nil)
	if isNotFound(err) {
		return nil, nil
	}
	return &r.PublicIPAddress, err
}

// findMachine reads the virtual machine that a command names, and says where
// else one of that name is when it is not in the group.
func (a *app) findMachine(ctx context.Context, c *cloud, name string) (*machine, error) {
	m, err := c.machine(ctx, a.groupName(), name)
	if isNotFound(err) {
		return nil, c.noMachine(ctx, a.groupName(), name)
	}
	return m, err
}

// noMachine is the error that there is no such machine in the group, with
// advice where to look.
func (c *cloud) noMachine(ctx context.Context, group, name string) error {
	p := &problem{code: exitNotFound, text: fmt.Sprintf("there is no virtual machine %q in the group %s", name, group), next: "See what there is: lazuli vm list"}
	vms, err := c.vms(ctx, "")
	if err != nil {
		return p
	}
	for _, vm := range vms {
		if strings.EqualFold(value(vm.Name), name) {
			p.next = fmt.Sprintf("There is one in the group %s: add --group %[1]s", strings.ToLower(groupOf(vm.ID)))
		}
	}
	return p
}
