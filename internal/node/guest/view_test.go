package guest

import (
	"net/netip"
	"testing"

	"lazuli/internal/fabric"
)

func TestViewOfAddresses(t *testing.T) {
	p, q := port("n", 5), port("n", 6)
	p.Addresses = append(p.Addresses, fabric.PortAddress{Private: netip.MustParseAddr("10.7.0.50"), Subnet: p.Addresses[0].Subnet})
	q.MachineUID = ""
	v, err := newView(testNetwork("n", p, q))
	if err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct {
		address, key, machine string
		ok                    bool
	}{
		"primary address":        {"10.7.0.5", "n5", "vm-n5", true},
		"secondary address":      {"10.7.0.50", "n5", "vm-n5", true},
		"as IPv6 writes it":      {"::ffff:10.7.0.5", "n5", "vm-n5", true},
		"port without a machine": {"10.7.0.6", "n6", "", true},
		"nobody's address":       {"10.7.0.7", "", "", false},
		"the gateway's":          {"10.7.0.1", "", "", false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			a := netip.MustParseAddr(tt.address)
			uid, ok := v.machine(a)
			if key := v.key(a); key != tt.key || uid != tt.machine || ok != tt.ok {
				t.Errorf("key %q, machine %q, %v", key, uid, ok)
			}
		})
	}
}

// A machine is shown its own interfaces, in its own order: not those that are
// another's by now, nor those of other networks.
func TestViewPortsOf(t *testing.T) {
	first, second, lent := port("n", 5), port("n", 6), port("n", 7)
	first.MachineUID, second.MachineUID = "vm", "vm"
	v, err := newView(testNetwork("n", first, second, lent))
	if err != nil {
		t.Fatal(err)
	}
	m := fabric.Machine{UID: "vm", NICs: []fabric.MachineNIC{{UID: "n6"}, {UID: "n7"}, {UID: "elsewhere"}, {UID: "n5"}}}
	var got []string
	for _, p := range v.portsOf(m) {
		got = append(got, p.UID)
	}
	if len(got) != 2 || got[0] != "n6" || got[1] != "n5" {
		t.Errorf("ports %v, want n6 and n5", got)
	}
}

func TestViewKeepsWhatIsGood(t *testing.T) {
	bad := port("n", 6)
	bad.MAC = "none"
	v, err := newView(testNetwork("n", port("n", 5), bad))
	if err == nil {
		t.Error("no error for a port whose MAC is none")
	}
	if _, ok := v.leases["n5"]; !ok || len(v.leases) != 1 {
		t.Errorf("leases %v", v.leases)
	}
	if uid, ok := v.machine(bad.Addresses[0].Private); !ok || uid != "vm-n6" {
		t.Error("a port without a lease may still ask: its address is its own")
	}
}
