package control

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"slices"
	"strings"

	"lazuli/internal/arm"
	"lazuli/internal/fabric"
	"lazuli/internal/network"
	"lazuli/internal/store"
)

// plug is a machine's use of a network interface.
type plug struct {
	nic        arm.ID
	machineUID string
	hostname   string
}

// planNetworks makes the virtual networks that a node's machines are in.
func (c *Control) planNetworks(ctx context.Context, r store.Reader, plugs []plug) ([]fabric.Network, error) {
	p := &networkPlan{r: r, domain: c.Domain, byUID: map[string]*fabric.Network{}}
	for _, x := range plugs {
		if err := p.add(ctx, x); err != nil {
			return nil, fmt.Errorf("network interface %s: %w", x.nic.Name(), err)
		}
	}
	var out []fabric.Network
	for _, n := range p.byUID {
		slices.SortFunc(n.Ports, func(a, b fabric.Port) int { return strings.Compare(a.UID, b.UID) })
		var err error
		if n.Generation, err = contentHash(n); err != nil {
			return nil, err
		}
		out = append(out, *n)
	}
	slices.SortFunc(out, func(a, b fabric.Network) int { return strings.Compare(a.UID, b.UID) })
	return out, nil
}

// contentHash is a positive number that differs when n does.
func contentHash(n *fabric.Network) (int64, error) {
	b, err := json.Marshal(n)
	if err != nil {
		return 0, err
	}
	h := fnv.New64a()
	h.Write(b)
	return int64(h.Sum64()>>2) + 1, nil
}

type vnet = arm.Object[network.VNet, network.NoStatus]

type networkPlan struct {
	r      store.Reader
	domain string
	byUID  map[string]*fabric.Network
}

func (p *networkPlan) add(ctx context.Context, x plug) error {
	nic, err := network.NICs.Get(ctx, p.r, x.nic)
	if err != nil {
		return err
	}
	v, err := p.vnet(ctx, nic.Spec.VNet())
	if err != nil {
		return err
	}
	port := fabric.Port{
		UID: nic.UID, MachineUID: x.machineUID, MAC: linuxMAC(nic.Spec.MAC), DNS: nic.Spec.DNSServers, Forwarding: nic.Spec.Forwarding,
		Hostname: strings.ToLower(cmp.Or(nic.Spec.DNSLabel, x.hostname)),
	}
	for _, cfg := range nic.Spec.Configs {
		a, err := p.address(ctx, v, cfg)
		if err != nil {
			return err
		}
		port.Addresses = append(port.Addresses, a)
	}
	if err := p.rules(ctx, v, nic, &port); err != nil {
		return err
	}
	n := p.byUID[v.UID]
	n.Ports = append(n.Ports, port)
	return nil
}

// linuxMAC turns Azure's way of writing a MAC into everybody else's.
func linuxMAC(s string) string { return strings.ToLower(strings.ReplaceAll(s, "-", ":")) }

func (p *networkPlan) vnet(ctx context.Context, id arm.ID) (*vnet, error) {
	v, err := network.VNets.Get(ctx, p.r, id)
	if err != nil {
		return nil, err
	}
	if p.byUID[v.UID] != nil {
		return v, nil
	}
	n := &fabric.Network{
		UID: v.UID, Name: v.ID.Name(), Presence: fabric.Present, Prefixes: v.Spec.AddressSpace, DNS: v.Spec.DNSServers,
		Domain: network.Config{Domain: p.domain}.InternalDomain(v.UID),
	}
	for _, s := range v.Spec.Subnets {
		n.Subnets = append(n.Subnets, fabric.Subnet{Name: s.Name, Prefix: s.Prefix})
	}
	p.byUID[v.UID] = n
	return v, nil
}

func (p *networkPlan) address(ctx context.Context, v *vnet, cfg network.IPConfig) (fabric.PortAddress, error) {
	a := fabric.PortAddress{Private: cfg.Address}
	s := v.Spec.Subnet(cfg.Subnet.Name())
	if s == nil {
		return a, arm.NotFound(cfg.Subnet)
	}
	a.Subnet = s.Prefix
	if cfg.PublicIP.IsZero() {
		return a, nil
	}
	pip, err := network.PublicIPs.Get(ctx, p.r, cfg.PublicIP)
	if err != nil {
		return a, err
	}
	a.Public = pip.Spec.Address
	return a, nil
}

// rules gives a port the rules of its subnet's group and of its own: inbound
// in this order, outbound in the other.
func (p *networkPlan) rules(ctx context.Context, v *vnet, nic *arm.Object[network.NIC, network.NoStatus], port *fabric.Port) error {
	groups := []arm.ID{nic.Spec.NSG}
	if s := v.Spec.Subnet(nic.Spec.Configs[0].Subnet.Name()); s != nil {
		groups = []arm.ID{s.NSG, nic.Spec.NSG}
	}
	for _, id := range groups {
		if id.IsZero() {
			continue
		}
		g, err := network.NSGs.Get(ctx, p.r, id)
		if err != nil {
			return err
		}
		in, out := network.EffectiveRules(&g.Spec, v.Spec.AddressSpace)
		port.Inbound = append(port.Inbound, in)
		port.Outbound = append([]fabric.RuleList{out}, port.Outbound...)
	}
	return nil
}
