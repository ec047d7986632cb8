package routed

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"

	"lazuli/internal/fabric"
)

// plan is a network in the terms of this package: what the kernel is to have.
// Two plans that are deeply equal ask for the same.
type plan struct {
	name    string // of the namespace and of the veth on the host
	transit transit
	pool    netip.Prefix // that all transits are of
	// unreachable are the parts of the network's address space: what is no
	// port's is nobody's.
	unreachable []netip.Prefix
	ports       []port // in the order of dev
}

// port is one tap.
type port struct {
	dev        string
	mac        net.HardwareAddr
	addresses  []address
	gateways   []netip.Addr
	inbound    []fabric.RuleList
	outbound   []fabric.RuleList
	forwarding bool
}

// address of a port. public is the zero address if it has none.
type address struct{ private, public netip.Addr }

// planOf checks n and turns it into a plan.
func planOf(n fabric.Network, t transit) (*plan, error) {
	if err := checkUID(n.UID); err != nil {
		return nil, err
	}
	p := &plan{name: networkName(n.UID), transit: t}
	spaces := slices.Clone(n.Prefixes)
	for _, s := range n.Subnets {
		spaces = append(spaces, s.Prefix)
	}
	for _, s := range spaces {
		if s.IsValid() && s.Addr().Is4() && !slices.Contains(p.unreachable, s.Masked()) {
			p.unreachable = append(p.unreachable, s.Masked())
		}
	}
	for _, fp := range n.Ports {
		q, err := portOf(fp)
		if err != nil {
			return nil, fmt.Errorf("port %s: %w", fp.UID, err)
		}
		p.ports = append(p.ports, q)
	}
	slices.SortFunc(p.ports, func(a, b port) int { return strings.Compare(a.dev, b.dev) })
	return p, p.unique()
}

func portOf(fp fabric.Port) (port, error) {
	if err := checkUID(fp.UID); err != nil {
		return port{}, err
	}
	mac, err := net.ParseMAC(fp.MAC)
	if err != nil || len(mac) != 6 || mac[0]&1 != 0 {
		return port{}, fmt.Errorf("%q is not the mac of an interface", fp.MAC)
	}
	p := port{dev: portName(fp.UID), mac: mac, inbound: fp.Inbound, outbound: fp.Outbound, forwarding: fp.Forwarding}
	for _, a := range fp.Addresses {
		if !a.Private.Is4() || !a.Subnet.IsValid() || !a.Subnet.Contains(a.Private) {
			return port{}, fmt.Errorf("address %s is not an ipv4 address of subnet %s", a.Private, a.Subnet)
		}
		if a.Public.IsValid() && !a.Public.Is4() {
			return port{}, fmt.Errorf("public address %s is not an ipv4 address", a.Public)
		}
		p.addresses = append(p.addresses, address{a.Private, a.Public})
		if gw := a.Subnet.Masked().Addr().Next(); !slices.Contains(p.gateways, gw) {
			p.gateways = append(p.gateways, gw)
		}
	}
	return p, errorsOf(fp.Inbound, fp.Outbound)
}

func errorsOf(tiers ...[]fabric.RuleList) error {
	for _, lists := range tiers {
		for _, l := range lists {
			for _, r := range l.Rules {
				if _, err := matchOf(r); err != nil {
					return fmt.Errorf("rule %s: %w", r.Name, err)
				}
			}
		}
	}
	return nil
}

// unique refuses what two ports cannot both have.
func (p *plan) unique() error {
	devs, addrs := map[string]bool{}, map[netip.Addr]bool{}
	for _, q := range p.ports {
		if devs[q.dev] {
			return fmt.Errorf("two ports are named %s", q.dev)
		}
		devs[q.dev] = true
		for _, a := range q.addresses {
			for _, x := range []netip.Addr{a.private, a.public} {
				if x.IsValid() && addrs[x] {
					return fmt.Errorf("two ports have the address %s", x)
				}
				addrs[x] = true
			}
			if slices.Contains(q.gateways, a.private) {
				return fmt.Errorf("%s is the gateway's address", a.private)
			}
		}
	}
	return nil
}

// publics are the public addresses of the ports.
func (p *plan) publics() []netip.Addr {
	var out []netip.Addr
	for _, q := range p.ports {
		for _, a := range q.addresses {
			if a.public.IsValid() {
				out = append(out, a.public)
			}
		}
	}
	return out
}

func (p *plan) port(dev string) *port {
	for i := range p.ports {
		if p.ports[i].dev == dev {
			return &p.ports[i]
		}
	}
	return nil
}
