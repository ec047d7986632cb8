package routed

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// kernel changes one namespace, from a thread that is in it. Each method
// compares first and makes only what differs.
type kernel struct {
	nl *netlink.Handle
	// did is called before each change; what it returns ends the work, as a
	// crash would. Tests kill there.
	did func(change string) error
}

// in calls f with the kernel's end of a namespace.
func (d *Driver) in(s *space, f func(k *kernel) error) error {
	return s.do(func() error {
		h, err := netlink.NewHandle(unix.NETLINK_ROUTE)
		if err != nil {
			return fmt.Errorf("open netlink: %w", err)
		}
		defer h.Close()
		return f(&kernel{nl: h, did: d.did})
	})
}

// findLink is nil when there is no such device.
func (k *kernel) findLink(name string) (netlink.Link, error) {
	l, err := k.nl.LinkByName(name)
	if errors.As(err, &netlink.LinkNotFoundError{}) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("find device %s: %w", name, err)
	}
	return l, nil
}

// doomed is the group of devices that are about to be deleted.
const doomed = 0x6c7a

// deleteLinks deletes devices in one go: to delete one takes the kernel as long
// as to delete a thousand.
func (k *kernel) deleteLinks(links ...netlink.Link) error {
	if len(links) == 0 {
		return nil
	}
	names := make([]string, len(links))
	for i, l := range links {
		names[i] = l.Attrs().Name
	}
	what := strings.Join(names, ", ")
	if err := k.did("delete devices " + what); err != nil {
		return err
	}
	for _, l := range links {
		if err := k.nl.LinkSetGroup(l, doomed); err != nil && !errors.Is(err, unix.ENODEV) {
			return fmt.Errorf("delete device %s: %w", l.Attrs().Name, err)
		}
	}
	req := nl.NewNetlinkRequest(unix.RTM_DELLINK, unix.NLM_F_ACK)
	req.AddData(nl.NewIfInfomsg(unix.AF_UNSPEC))
	req.AddData(nl.NewRtAttr(unix.IFLA_GROUP, nl.Uint32Attr(doomed)))
	if _, err := req.Execute(unix.NETLINK_ROUTE, 0); err != nil && !errors.Is(err, unix.ENODEV) {
		return fmt.Errorf("delete devices %s: %w", what, err)
	}
	return nil
}

func (k *kernel) setUp(l netlink.Link) error {
	if l.Attrs().Flags&net.FlagUp != 0 {
		return nil
	}
	if err := k.did("up " + l.Attrs().Name); err != nil {
		return err
	}
	if err := k.nl.LinkSetUp(l); err != nil {
		return fmt.Errorf("set device %s up: %w", l.Attrs().Name, err)
	}
	return nil
}

// setAddresses gives the device exactly these addresses, besides those of the
// loopback network.
func (k *kernel) setAddresses(l netlink.Link, want ...netip.Prefix) error {
	have, err := k.addresses(l)
	if err != nil {
		return err
	}
	return k.changeAddresses(l, have[l.Attrs().Index], want)
}

// changeAddresses makes the addresses that the device has those that are
// wanted.
func (k *kernel) changeAddresses(l netlink.Link, have map[netip.Prefix]bool, want []netip.Prefix) error {
	for _, p := range want {
		if have[p] {
			delete(have, p)
			continue
		}
		if err := k.did("add address " + p.String()); err != nil {
			return err
		}
		if err := k.nl.AddrReplace(l, &netlink.Addr{IPNet: ipNet(p)}); err != nil {
			return fmt.Errorf("add address %s to %s: %w", p, l.Attrs().Name, err)
		}
	}
	for p := range have {
		if err := k.did("delete address " + p.String()); err != nil {
			return err
		}
		if err := k.nl.AddrDel(l, &netlink.Addr{IPNet: ipNet(p)}); err != nil && !errors.Is(err, unix.EADDRNOTAVAIL) {
			return fmt.Errorf("delete address %s of %s: %w", p, l.Attrs().Name, err)
		}
	}
	return nil
}

// addresses are those of the device, or of all if it is nil, by the device's
// index. The kernel looks at all for one, too.
func (k *kernel) addresses(l netlink.Link) (map[int]map[netip.Prefix]bool, error) {
	list, err := uninterrupted(func() ([]netlink.Addr, error) { return k.nl.AddrList(l, netlink.FAMILY_V4) })
	if err != nil {
		return nil, fmt.Errorf("list addresses: %w", err)
	}
	have := map[int]map[netip.Prefix]bool{}
	for _, a := range list {
		if p := prefixOf(a.IPNet); !p.Addr().IsLoopback() {
			add(have, a.LinkIndex, p, true)
		}
	}
	return have, nil
}

// neighbours are the MACs of the permanent neighbours of all devices, by the
// device's index.
func (k *kernel) neighbours() (map[int]map[netip.Addr]string, error) {
	list, err := uninterrupted(func() ([]netlink.Neigh, error) { return k.nl.NeighList(0, netlink.FAMILY_V4) })
	if err != nil {
		return nil, fmt.Errorf("list neighbours: %w", err)
	}
	have := map[int]map[netip.Addr]string{}
	for _, n := range list {
		if a, _ := netip.AddrFromSlice(n.IP); n.State&netlink.NUD_PERMANENT != 0 {
			add(have, n.LinkIndex, a.Unmap(), n.HardwareAddr.String())
		}
	}
	return have, nil
}

func add[K comparable, V any](m map[int]map[K]V, index int, key K, value V) {
	if m[index] == nil {
		m[index] = map[K]V{}
	}
	m[index][key] = value
}

// changeNeighbours makes the permanent neighbours that the device has those
// that are wanted.
func (k *kernel) changeNeighbours(l netlink.Link, have map[netip.Addr]string, mac net.HardwareAddr, want []netip.Addr) error {
	index := l.Attrs().Index
	for _, a := range want {
		is := have[a]
		delete(have, a)
		if is == mac.String() {
			continue
		}
		if err := k.did("set neighbour " + a.String()); err != nil {
			return err
		}
		if err := k.nl.NeighSet(&netlink.Neigh{LinkIndex: index, IP: a.AsSlice(), HardwareAddr: mac, State: netlink.NUD_PERMANENT}); err != nil {
			return fmt.Errorf("set neighbour %s of %s: %w", a, l.Attrs().Name, err)
		}
	}
	for a := range have {
		if err := k.did("delete neighbour " + a.String()); err != nil {
			return err
		}
		if err := k.nl.NeighDel(&netlink.Neigh{LinkIndex: index, IP: a.AsSlice()}); err != nil && !errors.Is(err, unix.ENOENT) {
			return fmt.Errorf("delete neighbour %s of %s: %w", a, l.Attrs().Name, err)
		}
	}
	return nil
}

// uninterrupted asks again when the kernel's list changed while it was read.
func uninterrupted[T any](list func() ([]T, error)) (out []T, err error) {
	for range 10 {
		if out, err = list(); !errors.Is(err, netlink.ErrDumpInterrupted) {
			return out, err
		}
	}
	return out, err
}

func ipNet(p netip.Prefix) *net.IPNet {
	return &net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen())}
}

func prefixOf(n *net.IPNet) netip.Prefix {
	if n == nil {
		return netip.PrefixFrom(netip.IPv4Unspecified(), 0)
	}
	a, _ := netip.AddrFromSlice(n.IP)
	ones, _ := n.Mask.Size()
	return netip.PrefixFrom(a.Unmap(), ones)
}

// host is the prefix that is a alone.
func host(a netip.Addr) netip.Prefix { return netip.PrefixFrom(a, a.BitLen()) }
