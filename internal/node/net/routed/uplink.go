package routed

import (
	"fmt"
	"net/netip"

	"github.com/vishvananda/netlink"
)

// uplink makes the veth to the host, from inside; up is the end that is there,
// or nil.
func (d *Driver) uplink(k *kernel, up netlink.Link, p *plan) (netlink.Link, error) {
	var peer netlink.Link
	err := d.in(d.host, func(h *kernel) (err error) {
		if peer, err = h.findLink(p.name); err != nil || peer == nil || (up != nil && paired(up, peer)) {
			return err
		}
		// It is the end of a namespace that lost its name.
		defer func() { peer = nil }()
		return h.deleteLinks(peer)
	})
	if err != nil {
		return nil, err
	}
	if up != nil && peer == nil {
		if err := k.deleteNamed(uplinkName); err != nil {
			return nil, err
		}
		up = nil
	}
	if up == nil {
		if up, err = d.createUplink(k, p); err != nil {
			return nil, err
		}
	}
	if err := k.setAddresses(up, netip.PrefixFrom(p.transit.Router, 31)); err != nil {
		return nil, err
	}
	return up, k.setUp(up)
}

func paired(a, b netlink.Link) bool {
	return a.Attrs().ParentIndex == b.Attrs().Index && b.Attrs().ParentIndex == a.Attrs().Index
}

func (d *Driver) createUplink(k *kernel, p *plan) (netlink.Link, error) {
	if err := k.did("create uplink"); err != nil {
		return nil, err
	}
	veth := &netlink.Veth{LinkAttrs: netlink.NewLinkAttrs(), PeerName: p.name, PeerNamespace: netlink.NsFd(d.host.fd())}
	veth.Name = uplinkName
	if err := k.nl.LinkAdd(veth); err != nil {
		return nil, fmt.Errorf("create uplink: %w", err)
	}
	up, err := k.nl.LinkByName(uplinkName)
	if err != nil {
		return nil, fmt.Errorf("find uplink: %w", err)
	}
	return up, nil
}

// hostEnd makes the host's end of the veth, and the routes of the network's
// public addresses through it.
func (k *kernel) hostEnd(p *plan) error {
	l, err := k.nl.LinkByName(p.name)
	if err != nil {
		return fmt.Errorf("find device %s: %w", p.name, err)
	}
	if err := k.setSysctls(hostSysctls(p.name)); err != nil {
		return err
	}
	if err := k.setAddresses(l, netip.PrefixFrom(p.transit.Host, 31)); err != nil {
		return err
	}
	if err := k.setUp(l); err != nil {
		return err
	}
	var routes []route
	for _, a := range p.publics() {
		routes = append(routes, route{dst: host(a), via: p.transit.Router, link: l.Attrs().Index})
	}
	return k.setRoutes(routes, func(r netlink.Route) bool { return r.LinkIndex == l.Attrs().Index })
}
