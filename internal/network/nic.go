package network

import (
	"context"
	"fmt"
	"hash/fnv"
	"net/netip"
	"strings"

	"lazuli/internal/arm"
	"lazuli/internal/store"
)

// NIC is a network interface.
type NIC struct {
	// MAC is given once: "00-0D-3A-…".
	MAC string `json:"mac"`
	// NetworkUID is the UID of the virtual network, which never changes.
	NetworkUID string       `json:"networkUid"`
	Configs    []IPConfig   `json:"configs"` // the primary one first
	NSG        arm.ID       `json:"nsg,omitzero"`
	DNSServers []netip.Addr `json:"dnsServers,omitempty"`
	DNSLabel   string       `json:"dnsLabel,omitempty"` // the name in the virtual network's DNS
	Forwarding bool         `json:"forwarding,omitempty"`
	Accelerate bool         `json:"accelerate,omitempty"` // kept; every interface is as fast as it can be
	VM         arm.ID       `json:"vm,omitzero"`          // that it is plugged into; see Plug
	VMPrimary  bool         `json:"vmPrimary,omitempty"`
}

// IPConfig is one address of a network interface.
type IPConfig struct {
	Name     string     `json:"name"`
	Primary  bool       `json:"primary"`
	Subnet   arm.ID     `json:"subnet"`
	Static   bool       `json:"static"`
	Address  netip.Addr `json:"address"`
	PublicIP arm.ID     `json:"publicIp,omitzero"`
}

// References are the subnets, public addresses and the security group.
func (n NIC) References() []arm.ID {
	ids := []arm.ID{n.NSG}
	for _, c := range n.Configs {
		ids = append(ids, c.Subnet, c.PublicIP)
	}
	return ids
}

// VNet is the virtual network that the interface is in.
func (n *NIC) VNet() arm.ID { return n.Configs[0].Subnet.Parent() }

func (n *NIC) config(name string) *IPConfig {
	for i := range n.Configs {
		if strings.EqualFold(n.Configs[i].Name, name) {
			return &n.Configs[i]
		}
	}
	return nil
}

func nicProvider(cfg Config) arm.Provider {
	return &arm.Tracked[nicBody, NIC, NoStatus, *nicBody]{
		Collection: NICs, Locations: cfg.Locations, ShowETag: true,
		Apply: applyNIC, Remove: removeNIC,
		View: func(_ context.Context, _ *arm.Call, o *arm.Object[NIC, NoStatus], b *nicBody) error {
			viewNIC(cfg, o, b)
			return nil
		},
	}
}

func applyNIC(ctx context.Context, c *arm.Call, e *arm.Edit[NIC, NoStatus], b *nicBody) error {
	n, p := &e.Spec, &b.Properties
	n.Forwarding, n.Accelerate = p.Forwarding, p.Accelerate
	if err := checkHardware(p); err != nil {
		return err
	}
	if err := readNICDNS(n, &p.DNS); err != nil {
		return err
	}
	nsg, err := arm.Linked(ctx, c.Tx, NSGs, &e.Meta, "properties.networkSecurityGroup.id", p.NSG.target())
	if err != nil {
		return err
	}
	n.NSG = arm.ID{}
	if nsg != nil {
		n.NSG = nsg.ID
	}
	if err := applyIPConfigs(ctx, c, e, p.Configs); err != nil {
		return err
	}
	if e.New() {
		n.MAC, err = newMAC(ctx, c.Tx, e.UID, e.ID)
	}
	return err
}

// newMAC finds a hardware address that no other interface has, beginning from
// what uid suggests.
func newMAC(ctx context.Context, tx store.Tx, uid string, id arm.ID) (string, error) {
	h := fnv.New32a()
	h.Write([]byte(uid))
	n := h.Sum32()
	for range 1 << 24 {
		mac := fmt.Sprintf("00-0D-3A-%02X-%02X-%02X", byte(n>>16), byte(n>>8), byte(n))
		other, err := macs.claim(ctx, tx, mac, id)
		if err != nil || other.IsZero() {
			return mac, err
		}
		n++
	}
	return "", arm.Conflict("MacAddressPoolExhausted", "Every hardware address of this cloud is in use. Delete network interfaces that are not needed.")
}

func removeNIC(_ context.Context, c *arm.Call, o *arm.Object[NIC, NoStatus]) (bool, error) {
	if !o.Spec.VM.IsZero() {
		return false, nicInUse(o)
	}
	releaseNIC(c.Tx, &o.Spec)
	return false, nil
}

func nicInUse(o *arm.Object[NIC, NoStatus]) error {
	return arm.BadRequest("NicInUse", "Network Interface %s is used by existing resource %s. In order to delete the network interface, it must be dissociated from the resource.", o.ID, o.Spec.VM)
}

func releaseNIC(tx store.Tx, n *NIC) {
	macs.release(tx, n.MAC)
	releaseAddresses(tx, n)
}

// PlugNIC notes that the interface at id is plugged into the virtual machine
// vm. An interface of another machine is refused.
func PlugNIC(ctx context.Context, tx store.Tx, id, vm arm.ID, primary bool) error {
	o, err := NICs.Get(ctx, tx, id)
	if err != nil {
		return err
	}
	if !o.Spec.VM.IsZero() && !o.Spec.VM.Equal(vm) {
		return arm.BadRequest("NicInUse", "Network Interface %s is used by existing resource %s.", o.ID, o.Spec.VM)
	}
	if o.Spec.VM.Equal(vm) && o.Spec.VMPrimary == primary {
		return nil
	}
	o.Spec.VM, o.Spec.VMPrimary = vm, primary
	o.Generation++
	return NICs.Put(ctx, tx, o)
}

// UnplugNIC notes that the interface at id is no longer plugged into vm. It is
// nothing when it is not, or is gone.
func UnplugNIC(ctx context.Context, tx store.Tx, id, vm arm.ID) error {
	o, err := NICs.Find(ctx, tx, id)
	if err != nil || o == nil || !o.Spec.VM.Equal(vm) {
		return err
	}
	o.Spec.VM, o.Spec.VMPrimary = arm.ID{}, false
	o.Generation++
	return NICs.Put(ctx, tx, o)
}

// RemoveNIC deletes the interface at id with what it holds, as long as it is
// plugged into vm or nothing. It is nothing to remove what is gone.
func RemoveNIC(ctx context.Context, tx store.Tx, id, vm arm.ID) error {
	o, err := NICs.Find(ctx, tx, id)
	if err != nil || o == nil {
		return err
	}
	if !o.Spec.VM.IsZero() && !o.Spec.VM.Equal(vm) {
		return nicInUse(o)
	}
	releaseNIC(tx, &o.Spec)
	return NICs.Delete(ctx, tx, id)
}
