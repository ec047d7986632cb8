package dhcp

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"

	"lazuli/internal/fabric"
)

// Lease is what the guest behind one port is told. A port has one lease for
// ever: its primary address. Its further addresses are set by the guest itself,
// as in Azure.
type Lease struct {
	MAC      net.HardwareAddr
	Address  netip.Addr
	Subnet   netip.Prefix
	Gateway  netip.Addr
	DNS      []netip.Addr
	Hostname string
	Domain   string
}

// LeaseOf says what the guest of port p of network n is told.
func LeaseOf(n fabric.Network, p fabric.Port) (Lease, error) {
	mac, err := net.ParseMAC(p.MAC)
	if err != nil || len(mac) != 6 {
		return Lease{}, fmt.Errorf("mac %q is not an Ethernet address", p.MAC)
	}
	for _, a := range p.Addresses {
		if !a.Private.Is4() || !a.Subnet.IsValid() {
			continue
		}
		subnet := a.Subnet.Masked()
		return Lease{
			MAC: mac, Address: a.Private, Subnet: subnet, Gateway: subnet.Addr().Next(),
			DNS: servers(n, p), Hostname: p.Hostname, Domain: n.Domain,
		}, nil
	}
	return Lease{}, errors.New("port has no IPv4 address")
}

func servers(n fabric.Network, p fabric.Port) []netip.Addr {
	for _, list := range [][]netip.Addr{p.DNS, n.DNS} {
		var v4 []netip.Addr
		for _, a := range list {
			if a.Is4() {
				v4 = append(v4, a)
			}
		}
		if len(v4) > 0 {
			return v4
		}
	}
	return []netip.Addr{Server}
}

func (l Lease) mask() net.IPMask { return net.CIDRMask(l.Subnet.Bits(), 32) }

func (l Lease) broadcast() net.IP {
	base := l.Subnet.Addr().As4()
	host := ^uint32(0) >> l.Subnet.Bits()
	return binary.BigEndian.AppendUint32(nil, binary.BigEndian.Uint32(base[:])|host)
}
