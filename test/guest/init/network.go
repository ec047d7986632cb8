package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv4"
	"github.com/insomniacslk/dhcp/dhcpv4/nclient4"
	"github.com/vishvananda/netlink"
)

// networkUp brings up the loopback and every Ethernet device, in the order of
// their names; the default route is the first one's that has one.
func networkUp(ctx context.Context) error {
	if lo, err := netlink.LinkByName("lo"); err == nil {
		netlink.LinkSetUp(lo) //nolint:errcheck // only the guest itself would miss it
	}
	devs, _ := filepath.Glob("/sys/class/net/eth*")
	if len(devs) == 0 {
		return fmt.Errorf("no network device")
	}
	for i, d := range devs {
		name := filepath.Base(d)
		lease, err := leaseOf(ctx, name)
		if err != nil {
			return fmt.Errorf("dhcp on %s: %w", name, err)
		}
		if err := apply(name, lease.ACK, i == 0); err != nil {
			return fmt.Errorf("set up %s: %w", name, err)
		}
		logf("network dev=%s address=%s", name, lease.ACK.YourIPAddr)
		go keep(ctx, name, lease)
	}
	return nil
}

func leaseOf(ctx context.Context, name string) (*nclient4.Lease, error) {
	link, err := netlink.LinkByName(name)
	if err != nil {
		return nil, err
	}
	if err := netlink.LinkSetUp(link); err != nil {
		return nil, err
	}
	c, err := nclient4.New(name, nclient4.WithTimeout(time.Second), nclient4.WithRetry(60))
	if err != nil {
		return nil, err
	}
	defer c.Close()
	return c.Request(ctx, dhcpv4.WithRequestedOptions(dhcpv4.OptionClasslessStaticRoute, dhcpv4.OptionDomainName))
}

// keep renews a lease when half of it has gone.
func keep(ctx context.Context, name string, lease *nclient4.Lease) {
	for {
		half := lease.ACK.IPAddressLeaseTime(24*time.Hour) / 2
		select {
		case <-ctx.Done():
			return
		case <-time.After(max(half, 5*time.Second)):
		}
		next, err := leaseOf(ctx, name)
		if err != nil {
			logf("dhcp dev=%s err=%q", name, err)
			continue
		}
		lease = next
		if err := apply(name, lease.ACK, false); err != nil {
			logf("dhcp dev=%s err=%q", name, err)
		}
	}
}

// apply gives the device its address, the routes of option 121 (or else the
// router of option 3) and, for the first device, the guest its name servers.
func apply(name string, ack *dhcpv4.DHCPv4, first bool) error {
	link, err := netlink.LinkByName(name)
	if err != nil {
		return err
	}
	addr := &netlink.Addr{IPNet: &net.IPNet{IP: ack.YourIPAddr, Mask: ack.SubnetMask()}}
	if err := netlink.AddrReplace(link, addr); err != nil {
		return err
	}
	for _, r := range routes(ack) {
		r.LinkIndex = link.Attrs().Index
		if !first && r.Dst == nil {
			continue
		}
		if err := netlink.RouteReplace(&r); err != nil {
			return fmt.Errorf("route %s: %w", r.Dst, err)
		}
	}
	if !first {
		return nil
	}
	return os.WriteFile("/etc/resolv.conf", []byte(resolvConf(ack)), 0o644)
}

// routes of a lease. Option 121 makes option 3 void (RFC 3442).
func routes(ack *dhcpv4.DHCPv4) []netlink.Route {
	var rs []netlink.Route
	for _, r := range ack.ClasslessStaticRoute() {
		route := netlink.Route{Dst: r.Dest, Gw: r.Router, Flags: int(netlink.FLAG_ONLINK)}
		if ones, _ := r.Dest.Mask.Size(); ones == 0 {
			route.Dst = nil
		}
		if r.Router.IsUnspecified() {
			route.Gw, route.Flags, route.Scope = nil, 0, netlink.SCOPE_LINK
		}
		rs = append(rs, route)
	}
	if len(rs) == 0 {
		for _, gw := range ack.Router() {
			rs = append(rs, netlink.Route{Gw: gw, Flags: int(netlink.FLAG_ONLINK)})
		}
	}
	return rs
}

func resolvConf(ack *dhcpv4.DHCPv4) string {
	var b strings.Builder
	if d := ack.DomainName(); d != "" {
		fmt.Fprintf(&b, "search %s\n", d)
	}
	for _, s := range ack.DNS() {
		fmt.Fprintf(&b, "nameserver %s\n", s)
	}
	return b.String()
}
