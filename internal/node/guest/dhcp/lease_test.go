package dhcp

import (
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"

	"lazuli/internal/fabric"
)

func addrs(ss ...string) (as []netip.Addr) {
	for _, s := range ss {
		as = append(as, netip.MustParseAddr(s))
	}
	return as
}

func TestLeaseDNS(t *testing.T) {
	tests := map[string]struct{ network, port, want []netip.Addr }{
		"platform":           {nil, nil, addrs("168.63.129.16")},
		"network":            {addrs("10.0.0.4", "10.0.0.5"), nil, addrs("10.0.0.4", "10.0.0.5")},
		"port before it":     {addrs("10.0.0.4"), addrs("1.1.1.1"), addrs("1.1.1.1")},
		"IPv6 is not DHCPv4": {addrs("10.0.0.4"), addrs("2001:db8::1"), addrs("10.0.0.4")},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got := servers(fabric.Network{DNS: tt.network}, fabric.Port{DNS: tt.port})
			if diff := cmp.Diff(tt.want, got, cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); diff != "" {
				t.Errorf("servers (-want +got):\n%s", diff)
			}
		})
	}
}

func TestLeaseOfSubnet(t *testing.T) {
	tests := map[string]struct{ subnet, gateway, broadcast, mask string }{
		"24":              {"10.7.0.0/24", "10.7.0.1", "10.7.0.255", "ffffff00"},
		"29":              {"10.7.0.8/29", "10.7.0.9", "10.7.0.15", "fffffff8"},
		"8":               {"10.0.0.0/8", "10.0.0.1", "10.255.255.255", "ff000000"},
		"host bits given": {"10.7.0.77/24", "10.7.0.1", "10.7.0.255", "ffffff00"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			l, err := LeaseOf(fabric.Network{}, fabric.Port{MAC: mac.String(), Addresses: []fabric.PortAddress{{
				Private: netip.MustParseAddr("10.7.0.10"), Subnet: netip.MustParsePrefix(tt.subnet),
			}}})
			if err != nil {
				t.Fatal(err)
			}
			got := []string{l.Gateway.String(), l.broadcast().String(), l.mask().String()}
			if diff := cmp.Diff([]string{tt.gateway, tt.broadcast, tt.mask}, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestLeaseOfNothing(t *testing.T) {
	v6 := fabric.PortAddress{Private: netip.MustParseAddr("2001:db8::4"), Subnet: netip.MustParsePrefix("2001:db8::/64")}
	tests := map[string]fabric.Port{
		"no address":   {MAC: mac.String()},
		"only IPv6":    {MAC: mac.String(), Addresses: []fabric.PortAddress{v6}},
		"no MAC":       {},
		"not Ethernet": {MAC: "00:00:00:00:fe:80:00:00"},
	}
	for name, p := range tests {
		t.Run(name, func(t *testing.T) {
			if l, err := LeaseOf(fabric.Network{}, p); err == nil {
				t.Errorf("lease %v", l)
			}
		})
	}
}
