package routed

import (
	"bytes"
	"fmt"
	"net"
	"net/netip"
	"strings"

	"github.com/vishvananda/netlink"
)

// gatewayMAC is the router's on every port: Azure's, which guests know.
var gatewayMAC = net.HardwareAddr{0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc}

// The addresses of the platform in every network.
var (
	metadataAddr   = netip.MustParseAddr("169.254.169.254")
	wireserverAddr = netip.MustParseAddr("168.63.129.16")
)

// router makes everything inside the namespace of a network. fresh says that
// the namespace is new, so that no flow can be in it.
func (d *Driver) router(k *kernel, nw *network, p *plan, fresh bool) error {
	links, err := k.links()
	if err != nil {
		return err
	}
	if err := k.setSysctls(routerSysctls()); err != nil {
		return err
	}
	if err := k.loopback(links["lo"]); err != nil {
		return err
	}
	if err := nw.program.ensure(k, p, fresh); err != nil {
		return fmt.Errorf("rules: %w", err)
	}
	up, err := d.uplink(k, links[uplinkName], p)
	if err != nil {
		return err
	}
	if err := k.deleteTaps(links, func(dev string) bool { return p.port(dev) != nil }); err != nil {
		return err
	}
	routes := []route{{dst: netip.PrefixFrom(netip.IPv4Unspecified(), 0), via: p.transit.Host, link: up.Attrs().Index}}
	for _, u := range p.unreachable {
		routes = append(routes, route{dst: u})
	}
	seen, err := k.see()
	if err != nil {
		return err
	}
	for i := range p.ports {
		q := &p.ports[i]
		l, err := k.tap(links[q.dev], q, seen)
		if err != nil {
			return fmt.Errorf("port %s: %w", q.dev, err)
		}
		nw.sockets.rebind(q.dev, l.Attrs().Index)
		for _, a := range q.addresses {
			routes = append(routes, route{dst: host(a.private), link: l.Attrs().Index})
		}
	}
	return k.setRoutes(routes, func(netlink.Route) bool { return true })
}

// seen is what all devices of the namespace have. It is asked for once: the
// kernel takes as long to tell of one device as of a thousand.
type seen struct {
	addresses  map[int]map[netip.Prefix]bool
	neighbours map[int]map[netip.Addr]string
}

func (k *kernel) see() (s seen, err error) {
	if s.addresses, err = k.addresses(nil); err != nil {
		return s, err
	}
	s.neighbours, err = k.neighbours()
	return s, err
}

// links are all devices of the namespace.
func (k *kernel) links() (map[string]netlink.Link, error) {
	list, err := uninterrupted(k.nl.LinkList)
	if err != nil {
		return nil, fmt.Errorf("list devices: %w", err)
	}
	out := map[string]netlink.Link{}
	for _, l := range list {
		out[l.Attrs().Name] = l
	}
	return out, nil
}

// loopback has the addresses that the services listen on.
func (k *kernel) loopback(lo netlink.Link) error {
	if err := k.setUp(lo); err != nil {
		return err
	}
	return k.setAddresses(lo, host(metadataAddr), host(wireserverAddr))
}

// deleteTaps deletes the taps that are not to be kept.
func (k *kernel) deleteTaps(links map[string]netlink.Link, keep func(dev string) bool) error {
	var gone []netlink.Link
	for name, l := range links {
		if strings.HasPrefix(name, portPrefix) && !keep(name) {
			gone = append(gone, l)
		}
	}
	return k.deleteLinks(gone...)
}

// tap makes the device of a port; l is the one that is there, or nil.
func (k *kernel) tap(l netlink.Link, p *port, has seen) (netlink.Link, error) {
	if l == nil {
		if err := k.did("create tap " + p.dev); err != nil {
			return nil, err
		}
		if err := createTap(p.dev); err != nil {
			return nil, err
		}
		var err error
		if l, err = k.nl.LinkByName(p.dev); err != nil {
			return nil, fmt.Errorf("find tap %s: %w", p.dev, err)
		}
	}
	if !bytes.Equal(l.Attrs().HardwareAddr, gatewayMAC) {
		if err := k.did("set mac of " + p.dev); err != nil {
			return nil, err
		}
		if err := k.nl.LinkSetHardwareAddr(l, gatewayMAC); err != nil {
			return nil, fmt.Errorf("set mac: %w", err)
		}
	}
	if err := k.setSysctls(portSysctls(p)); err != nil {
		return nil, err
	}
	if err := k.setUp(l); err != nil {
		return nil, err
	}
	var gateways []netip.Prefix
	for _, g := range p.gateways {
		gateways = append(gateways, host(g))
	}
	index := l.Attrs().Index
	if err := k.changeAddresses(l, has.addresses[index], gateways); err != nil {
		return nil, err
	}
	var own []netip.Addr
	for _, a := range p.addresses {
		own = append(own, a.private)
	}
	return l, k.changeNeighbours(l, has.neighbours[index], p.mac, own)
}
