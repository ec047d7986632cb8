package routed

import (
	"errors"
	"fmt"
	"net/netip"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// route is one route of the main table. The zero via is a link route; a route
// without a link is unreachable.
type route struct {
	dst  netip.Prefix
	via  netip.Addr
	link int
}

func (r route) netlink() *netlink.Route {
	out := &netlink.Route{Dst: ipNet(r.dst), LinkIndex: r.link, Table: unix.RT_TABLE_MAIN}
	switch {
	case r.link == 0:
		out.Type = unix.RTN_UNREACHABLE
	case r.via.IsValid():
		out.Gw = r.via.AsSlice()
	default:
		out.Scope = netlink.SCOPE_LINK
	}
	return out
}

// setRoutes makes these routes, and deletes every other one that mine says is
// ours.
func (k *kernel) setRoutes(want []route, mine func(netlink.Route) bool) error {
	have, err := k.routes(mine)
	if err != nil {
		return err
	}
	for _, r := range want {
		if have[r] {
			delete(have, r)
			continue
		}
		if err := k.did("set route " + r.dst.String()); err != nil {
			return err
		}
		if err := k.nl.RouteReplace(r.netlink()); err != nil {
			return fmt.Errorf("set route %s: %w", r.dst, err)
		}
		// To replace a route changes it in place; the old one is not left over.
		for h := range have {
			if h.dst == r.dst {
				delete(have, h)
			}
		}
	}
	for r := range have {
		if err := k.did("delete route " + r.dst.String()); err != nil {
			return err
		}
		if err := k.nl.RouteDel(r.netlink()); err != nil && !errors.Is(err, unix.ESRCH) {
			return fmt.Errorf("delete route %s: %w", r.dst, err)
		}
	}
	return nil
}

func (k *kernel) routes(mine func(netlink.Route) bool) (map[route]bool, error) {
	list, err := uninterrupted(func() ([]netlink.Route, error) {
		return k.nl.RouteListFiltered(netlink.FAMILY_V4, &netlink.Route{Table: unix.RT_TABLE_MAIN}, netlink.RT_FILTER_TABLE)
	})
	if err != nil {
		return nil, fmt.Errorf("list routes: %w", err)
	}
	have := map[route]bool{}
	for _, r := range list {
		if r.Protocol == unix.RTPROT_KERNEL || !mine(r) {
			continue
		}
		via, _ := netip.AddrFromSlice(r.Gw)
		link := r.LinkIndex
		if r.Type == unix.RTN_UNREACHABLE {
			link = 0
		}
		have[route{prefixOf(r.Dst), via.Unmap(), link}] = true
	}
	return have, nil
}
