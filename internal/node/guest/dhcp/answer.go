// Package dhcp gives each port its address (RFC 2131), with the options by
// which a guest knows that it is in Azure.
//
// Who asks is known from the device that the question came in by. The MAC is
// only checked, and the client identifier is not looked at: a guest changes it
// between its initrd, cloud-init and its own network manager, and must get the
// same address each time.
//
// It knows a port's lease; it must not know how sockets come to be.
package dhcp

import (
	"bytes"
	"net"
	"net/netip"

	"github.com/insomniacslk/dhcp/dhcpv4"
	"github.com/insomniacslk/dhcp/iana"
	"github.com/insomniacslk/dhcp/rfc1035label"
)

// Server is the platform's address, which is also its DHCP server's.
var Server = netip.AddrFrom4([4]byte{168, 63, 129, 16})

var metadata = netip.AddrFrom4([4]byte{169, 254, 169, 254})

const (
	mtu = 1500
	// Azure's own option tells agents where the wireserver is. cloud-init looks
	// for it without asking for it.
	optionWireServer = dhcpv4.GenericOptionCode(245)
	// Microsoft's copy of option 121, from before there was one.
	optionMSClasslessRoutes = dhcpv4.GenericOptionCode(249)
)

// RFC 2131, 3.3: a lease without an end.
var forever = []byte{0xff, 0xff, 0xff, 0xff}

var broadcast = &net.UDPAddr{IP: net.IPv4bcast, Port: dhcpv4.ClientPort}

// Answer says what to reply to a packet, and where; a nil reply is none. It
// keeps no state: an offer promises nothing that was not the port's before. The
// zero Lease answers nothing.
func (l Lease) Answer(packet []byte) (reply []byte, to *net.UDPAddr) {
	q, err := dhcpv4.FromBytes(packet)
	if err != nil || !l.asks(q) {
		return nil, nil
	}
	switch q.MessageType() {
	case dhcpv4.MessageTypeDiscover:
		return l.reply(q, dhcpv4.MessageTypeOffer, broadcast)
	case dhcpv4.MessageTypeRequest:
		return l.request(q)
	case dhcpv4.MessageTypeInform:
		if !q.ClientIPAddr.Equal(l.ip()) {
			return nil, nil
		}
		return l.reply(q, dhcpv4.MessageTypeAck, l.unicast())
	default: // DECLINE and RELEASE change nothing: the address stays the port's
		return nil, nil
	}
}

// asks says whether the packet is a question of this port to this server.
func (l Lease) asks(q *dhcpv4.DHCPv4) bool {
	if len(l.MAC) == 0 || q.OpCode != dhcpv4.OpcodeBootRequest || q.HWType != iana.HWTypeEthernet || !bytes.Equal(q.ClientHWAddr, l.MAC) {
		return false
	}
	if !q.GatewayIPAddr.IsUnspecified() { // no relay stands between a guest and its host
		return false
	}
	id := q.ServerIdentifier()
	return id == nil || id.Equal(Server.AsSlice())
}

// request answers the four forms of REQUEST (RFC 2131, table 4). They differ in
// where the wanted address stands; SELECTING and INIT-REBOOT are from a guest
// without an address, so the answer is broadcast.
func (l Lease) request(q *dhcpv4.DHCPv4) ([]byte, *net.UDPAddr) {
	wanted, to := q.RequestedIPAddress(), broadcast
	if wanted == nil {
		wanted, to = q.ClientIPAddr, l.unicast()
	}
	if !wanted.Equal(l.ip()) {
		return nak(q)
	}
	return l.reply(q, dhcpv4.MessageTypeAck, to)
}

func nak(q *dhcpv4.DHCPv4) ([]byte, *net.UDPAddr) {
	r, err := dhcpv4.NewReplyFromRequest(q,
		dhcpv4.WithMessageType(dhcpv4.MessageTypeNak),
		dhcpv4.WithOption(dhcpv4.OptServerIdentifier(Server.AsSlice())),
		dhcpv4.WithOption(dhcpv4.OptMessage("the address is not this port's")),
	)
	if err != nil {
		return nil, nil
	}
	return r.ToBytes(), broadcast
}

// reply is the same for all: guests get every option, asked for or not. An
// answer to a guest without an address is broadcast whatever its broadcast flag
// says: a unicast one is eaten by networkd when another client (the Azure
// agent) listens beside it, and nobody else is on the device to hear it.
func (l Lease) reply(q *dhcpv4.DHCPv4, kind dhcpv4.MessageType, to *net.UDPAddr) ([]byte, *net.UDPAddr) {
	r, err := dhcpv4.NewReplyFromRequest(q, dhcpv4.WithMessageType(kind))
	if err != nil {
		return nil, nil
	}
	if q.MessageType() == dhcpv4.MessageTypeInform {
		r.ClientIPAddr = q.ClientIPAddr
	} else {
		r.YourIPAddr = l.ip()
		r.UpdateOption(dhcpv4.OptGeneric(dhcpv4.OptionIPAddressLeaseTime, forever))
	}
	r.ServerIPAddr = Server.AsSlice()
	for _, o := range l.options() {
		r.UpdateOption(o)
	}
	return r.ToBytes(), to
}

func (l Lease) options() []dhcpv4.Option {
	gateway := net.IP(l.Gateway.AsSlice())
	routes := dhcpv4.OptClasslessStaticRoute(
		&dhcpv4.Route{Dest: prefix(netip.PrefixFrom(netip.IPv4Unspecified(), 0)), Router: gateway},
		&dhcpv4.Route{Dest: prefix(netip.PrefixFrom(Server, 32)), Router: gateway},
		&dhcpv4.Route{Dest: prefix(netip.PrefixFrom(metadata, 32)), Router: gateway},
	)
	var dns []net.IP
	for _, a := range l.DNS {
		dns = append(dns, a.AsSlice())
	}
	all := []dhcpv4.Option{
		dhcpv4.OptServerIdentifier(Server.AsSlice()),
		dhcpv4.OptSubnetMask(l.mask()),
		dhcpv4.OptRouter(gateway),
		dhcpv4.OptDNS(dns...),
		dhcpv4.OptBroadcastAddress(l.broadcast()),
		dhcpv4.OptGeneric(dhcpv4.OptionInterfaceMTU, []byte{mtu >> 8, mtu & 0xff}),
		routes,
		dhcpv4.OptGeneric(optionMSClasslessRoutes, routes.Value.ToBytes()),
		dhcpv4.OptGeneric(optionWireServer, Server.AsSlice()),
	}
	if l.Domain != "" {
		all = append(all, dhcpv4.OptDomainName(l.Domain), dhcpv4.OptDomainSearch(&rfc1035label.Labels{Labels: []string{l.Domain}}))
	}
	if l.Hostname != "" {
		all = append(all, dhcpv4.OptHostName(l.Hostname))
	}
	return all
}

func (l Lease) ip() net.IP { return l.Address.AsSlice() }

func (l Lease) unicast() *net.UDPAddr { return &net.UDPAddr{IP: l.ip(), Port: dhcpv4.ClientPort} }

func prefix(p netip.Prefix) *net.IPNet {
	return &net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), 32)}
}
