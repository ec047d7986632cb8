package dhcp

import (
	"encoding/hex"
	"net"
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/insomniacslk/dhcp/dhcpv4"

	"lazuli/internal/fabric"
)

var (
	mac   = net.HardwareAddr{0x00, 0x0d, 0x3a, 0, 0, 5}
	other = net.HardwareAddr{0x00, 0x0d, 0x3a, 0, 0, 6}
)

func testLease(t testing.TB) Lease {
	t.Helper()
	subnet := netip.MustParsePrefix("10.7.0.0/24")
	l, err := LeaseOf(
		fabric.Network{Domain: "x1.internal.lazuli"},
		fabric.Port{MAC: "00:0D:3A:00:00:05", Hostname: "web1", Addresses: []fabric.PortAddress{
			{Private: netip.MustParseAddr("10.7.0.5"), Subnet: subnet},
			{Private: netip.MustParseAddr("10.7.0.9"), Subnet: subnet},
		}})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func question(t testing.TB, kind dhcpv4.MessageType, mods ...dhcpv4.Modifier) *dhcpv4.DHCPv4 {
	t.Helper()
	q, err := dhcpv4.New(append([]dhcpv4.Modifier{dhcpv4.WithHwAddr(mac), dhcpv4.WithMessageType(kind)}, mods...)...)
	if err != nil {
		t.Fatal(err)
	}
	return q
}

func wants(ip string) dhcpv4.Modifier {
	return dhcpv4.WithOption(dhcpv4.OptRequestedIPAddress(net.ParseIP(ip)))
}

func from(ip string) dhcpv4.Modifier {
	return dhcpv4.WithOption(dhcpv4.OptServerIdentifier(net.ParseIP(ip)))
}

func has(ip string) dhcpv4.Modifier { return dhcpv4.WithClientIP(net.ParseIP(ip)) }

func TestAnswer(t *testing.T) {
	const (
		ours   = "168.63.129.16"
		all    = "255.255.255.255:68"
		itself = "10.7.0.5:68"
	)
	discover, request := dhcpv4.MessageTypeDiscover, dhcpv4.MessageTypeRequest
	tests := map[string]struct {
		kind dhcpv4.MessageType
		mods []dhcpv4.Modifier
		want string // "" for silence
		to   string
	}{
		"discover":                         {discover, nil, "OFFER", all},
		"discover, broadcast flag":         {discover, []dhcpv4.Modifier{dhcpv4.WithBroadcast(true)}, "OFFER", all},
		"discover, wants another":          {discover, []dhcpv4.Modifier{wants("10.7.0.77")}, "OFFER", all},
		"discover, client id":              {discover, []dhcpv4.Modifier{dhcpv4.WithOption(dhcpv4.OptClientIdentifier([]byte("\xffduid")))}, "OFFER", all},
		"discover, another's MAC":          {discover, []dhcpv4.Modifier{dhcpv4.WithHwAddr(other)}, "", ""},
		"discover, short MAC":              {discover, []dhcpv4.Modifier{dhcpv4.WithHwAddr(mac[:4])}, "", ""},
		"discover by a relay":              {discover, []dhcpv4.Modifier{dhcpv4.WithRelay(net.IPv4(10, 7, 0, 1))}, "", ""},
		"selecting":                        {request, []dhcpv4.Modifier{from(ours), wants("10.7.0.5")}, "ACK", all},
		"selecting, wrong address":         {request, []dhcpv4.Modifier{from(ours), wants("10.7.0.6")}, "NAK", all},
		"selecting, another server":        {request, []dhcpv4.Modifier{from("10.7.0.1"), wants("10.7.0.5")}, "", ""},
		"init-reboot":                      {request, []dhcpv4.Modifier{wants("10.7.0.5")}, "ACK", all},
		"init-reboot, of a former network": {request, []dhcpv4.Modifier{wants("192.168.1.4")}, "NAK", all},
		"init-reboot, secondary address":   {request, []dhcpv4.Modifier{wants("10.7.0.9")}, "NAK", all},
		"renew":                            {request, []dhcpv4.Modifier{has("10.7.0.5")}, "ACK", itself},
		"renew, wrong address":             {request, []dhcpv4.Modifier{has("10.7.0.6")}, "NAK", all},
		"request without any address":      {request, nil, "NAK", all},
		"inform":                           {dhcpv4.MessageTypeInform, []dhcpv4.Modifier{has("10.7.0.5")}, "ACK", itself},
		"inform from a wrong address":      {dhcpv4.MessageTypeInform, []dhcpv4.Modifier{has("10.7.0.6")}, "", ""},
		"decline":                          {dhcpv4.MessageTypeDecline, []dhcpv4.Modifier{from(ours), wants("10.7.0.5")}, "", ""},
		"release":                          {dhcpv4.MessageTypeRelease, []dhcpv4.Modifier{from(ours), has("10.7.0.5")}, "", ""},
		"an offer by a guest":              {dhcpv4.MessageTypeOffer, nil, "", ""},
		"a reply by a guest":               {discover, []dhcpv4.Modifier{func(d *dhcpv4.DHCPv4) { d.OpCode = dhcpv4.OpcodeBootReply }}, "", ""},
		"BOOTP":                            {discover, []dhcpv4.Modifier{dhcpv4.WithoutOption(dhcpv4.OptionDHCPMessageType)}, "", ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			q := question(t, tt.kind, tt.mods...)
			b, to := testLease(t).Answer(q.ToBytes())
			if b == nil {
				if tt.want != "" {
					t.Fatalf("no answer, want %s", tt.want)
				}
				return
			}
			r, err := dhcpv4.FromBytes(b)
			if err != nil {
				t.Fatal(err)
			}
			if r.MessageType().String() != tt.want || to.String() != tt.to {
				t.Errorf("%s to %s, want %s to %s", r.MessageType(), to, tt.want, tt.to)
			}
			if r.TransactionID != q.TransactionID || !cmp.Equal(r.ClientHWAddr, mac) {
				t.Errorf("answer to %v of %v", r.TransactionID, r.ClientHWAddr)
			}
			wantIP := map[string]string{"NAK": "0.0.0.0", "OFFER": "10.7.0.5", "ACK": "10.7.0.5"}[tt.want]
			if tt.kind == dhcpv4.MessageTypeInform {
				wantIP = "0.0.0.0"
			}
			if r.YourIPAddr.String() != wantIP {
				t.Errorf("address %s, want %s", r.YourIPAddr, wantIP)
			}
		})
	}
}

func TestOptions(t *testing.T) {
	b, _ := testLease(t).Answer(question(t, dhcpv4.MessageTypeDiscover).ToBytes())
	r, err := dhcpv4.FromBytes(b)
	if err != nil {
		t.Fatal(err)
	}
	const routes = "000a070001" + "20a83f81100a070001" + "20a9fea9fe0a070001"
	want := map[uint8]string{
		1:   "ffffff00",
		3:   "0a070001",
		6:   "a83f8110",
		12:  hex.EncodeToString([]byte("web1")),
		15:  hex.EncodeToString([]byte("x1.internal.lazuli")),
		26:  "05dc",
		28:  "0a0700ff",
		51:  "ffffffff",
		53:  "02",
		54:  "a83f8110",
		119: "027831" + "08" + hex.EncodeToString([]byte("internal")) + "06" + hex.EncodeToString([]byte("lazuli")) + "00",
		121: routes,
		245: "a83f8110",
		249: routes,
	}
	got := map[uint8]string{}
	for code, value := range r.Options {
		got[code] = hex.EncodeToString(value)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("options (-want +got):\n%s", diff)
	}
	if len(b) > 576 {
		t.Errorf("%d bytes, more than a client must take", len(b))
	}
}

func TestInformHasNoLease(t *testing.T) {
	b, _ := testLease(t).Answer(question(t, dhcpv4.MessageTypeInform, has("10.7.0.5")).ToBytes())
	r, err := dhcpv4.FromBytes(b)
	if err != nil {
		t.Fatal(err)
	}
	if r.Options.Has(dhcpv4.OptionIPAddressLeaseTime) || !r.Options.Has(dhcpv4.OptionRouter) {
		t.Errorf("options %v", r.Options)
	}
}

func TestZeroLeaseIsSilent(t *testing.T) {
	q := question(t, dhcpv4.MessageTypeDiscover, dhcpv4.WithHwAddr(nil))
	if b, _ := (Lease{}).Answer(q.ToBytes()); b != nil {
		t.Errorf("answer of %d bytes", len(b))
	}
}

func FuzzAnswer(f *testing.F) {
	l := testLease(f)
	for _, q := range []*dhcpv4.DHCPv4{
		question(f, dhcpv4.MessageTypeDiscover),
		question(f, dhcpv4.MessageTypeRequest, wants("10.7.0.5")),
		question(f, dhcpv4.MessageTypeInform, has("10.7.0.5")),
	} {
		f.Add(q.ToBytes())
	}
	f.Fuzz(func(t *testing.T, packet []byte) {
		b, to := l.Answer(packet)
		if b == nil {
			return
		}
		r, err := dhcpv4.FromBytes(b)
		if err != nil {
			t.Fatalf("answer is not DHCP: %v", err)
		}
		if !r.YourIPAddr.IsUnspecified() && !r.YourIPAddr.Equal(l.ip()) {
			t.Errorf("gave %v", r.YourIPAddr)
		}
		if !to.IP.Equal(net.IPv4bcast) && !to.IP.Equal(l.ip()) {
			t.Errorf("answered to %v", to)
		}
	})
}
