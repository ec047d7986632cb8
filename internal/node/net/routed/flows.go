package routed

import (
	"fmt"
	"net"
	"net/netip"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// cutFlows ends the flows of the thread's namespace that could not begin any
// more. Those that could go on undisturbed.
func (k *kernel) cutFlows(p *plan) error {
	if err := k.did("cut flows"); err != nil {
		return err
	}
	h, err := netlink.NewHandle(unix.NETLINK_NETFILTER)
	if err != nil {
		return fmt.Errorf("open netlink: %w", err)
	}
	defer h.Close()
	_, err = uninterrupted(func() ([]struct{}, error) {
		_, err := h.ConntrackDeleteFilters(netlink.ConntrackTable, unix.AF_INET, newFlowFilter(p))
		return nil, err
	})
	if err != nil {
		return fmt.Errorf("cut flows: %w", err)
	}
	return nil
}

// flowFilter matches flows that the rules of a plan would not let begin.
type flowFilter struct {
	ports    map[netip.Addr]*port
	public   map[netip.Addr]netip.Addr // by private address
	platform map[netip.Addr]bool
	router   netip.Addr
}

func newFlowFilter(p *plan) *flowFilter {
	f := &flowFilter{ports: map[netip.Addr]*port{}, public: map[netip.Addr]netip.Addr{}, platform: map[netip.Addr]bool{metadataAddr: true, wireserverAddr: true}, router: p.transit.Router}
	for i := range p.ports {
		q := &p.ports[i]
		for _, a := range q.addresses {
			f.ports[a.private] = q
			f.public[a.private] = a.public
		}
		for _, g := range q.gateways {
			f.platform[g] = true
		}
	}
	return f
}

// MatchConntrackFlow says whether to end the flow.
func (f *flowFilter) MatchConntrackFlow(flow *netlink.ConntrackFlow) bool {
	from, asked := addrOf(flow.Forward.SrcIP), addrOf(flow.Forward.DstIP)
	to, seen := addrOf(flow.Reverse.SrcIP), addrOf(flow.Reverse.DstIP)
	sender, receiver := f.ports[from], f.ports[to]
	if f.platform[asked] {
		// Its own address or none (DHCP) was checked when the flow began; the
		// services close what is left when the port goes.
		return false
	}
	if sender == nil && receiver == nil {
		return true
	}
	pkt := packet{flow.Forward.Protocol, addrNumber(from), addrNumber(to), flow.Forward.SrcPort, flow.Reverse.SrcPort}
	if sender != nil && !(passes(sender.outbound, pkt) && f.leavesAs(from, seen, receiver)) {
		return true
	}
	return receiver != nil && !(passes(receiver.inbound, pkt) && f.entersBy(to, asked, sender))
}

// leavesAs says whether what goes from a port to the outside is translated as
// it would be today.
func (f *flowFilter) leavesAs(from, seen netip.Addr, receiver *port) bool {
	if receiver != nil {
		return true
	}
	if public := f.public[from]; public.IsValid() {
		return seen == public
	}
	return seen == f.router
}

func (f *flowFilter) entersBy(to, asked netip.Addr, sender *port) bool {
	return sender != nil || asked == f.public[to]
}

func addrOf(ip net.IP) netip.Addr {
	a, _ := netip.AddrFromSlice(ip)
	if a = a.Unmap(); !a.Is4() {
		return netip.IPv4Unspecified()
	}
	return a
}
