package nodetest

import (
	"context"
	"errors"
	"net/netip"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"lazuli/internal/fabric"
	"lazuli/internal/node"
)

// NetworksOf opens the driver of one host. To call it again, after Close, is
// what a restart of the agent is.
type NetworksOf func(t *testing.T, s node.Services) node.Networks

// RunNetworks tests what every node.Networks promises. host makes an empty host
// and says how to open its driver. serves says that the driver calls its
// services, which a fake need not.
func RunNetworks(t *testing.T, serves bool, host func(t *testing.T) NetworksOf) {
	for name, f := range map[string]func(*testing.T, *bench){
		"an empty host has none":           testNone,
		"ensure makes, remove ends":        testLifecycle,
		"ensure changes what is served":    testChange,
		"every call may be made twice":     testTwice,
		"a port is plugged again":          testPlug,
		"what is not there has no port":    testNoPort,
		"networks outlive the agent":       testRestart,
		"one network leaves others be":     testApart,
		"a network is made after its like": testRemade,
	} {
		t.Run(name, func(t *testing.T) {
			b := &bench{t: t, open: host(t), services: &Services{}, serves: serves}
			b.start()
			f(t, b)
		})
	}
}

// SampleNetwork is a network with one port for each of the hosts, which are
// the last parts of addresses in 10.0.0.0/24.
func SampleNetwork(uid string, hosts ...byte) fabric.Network {
	subnet := netip.MustParsePrefix("10.0.0.0/24")
	n := fabric.Network{
		UID: uid, Name: "sample", Generation: 1, Presence: fabric.Present,
		Prefixes: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/16")},
		Subnets:  []fabric.Subnet{{Name: "default", Prefix: subnet}},
		Domain:   "internal.example",
	}
	for _, h := range hosts {
		n.Ports = append(n.Ports, fabric.Port{
			UID: PortUID(uid, h), MAC: net6(h), Hostname: "vm",
			Addresses: []fabric.PortAddress{{Private: netip.AddrFrom4([4]byte{10, 0, 0, h}), Subnet: subnet}},
		})
	}
	return n
}

// PortUID is the UID of a port of a SampleNetwork.
func PortUID(network string, host byte) string {
	return network + "-" + netip.AddrFrom4([4]byte{10, 0, 0, host}).String()
}

func net6(h byte) string {
	const digits = "0123456789abcdef"
	return "00:0d:3a:00:00:" + string([]byte{digits[h>>4], digits[h&15]})
}

type bench struct {
	t        *testing.T
	open     NetworksOf
	services *Services
	serves   bool
	d        node.Networks
}

func (b *bench) start() {
	b.d = b.open(b.t, b.services)
	b.t.Cleanup(func() { b.d.Close() })
}

func (b *bench) restart() {
	b.t.Helper()
	b.must(b.d.Close())
	b.services = &Services{}
	b.d = b.open(b.t, b.services)
}

func (b *bench) must(err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) list(want ...string) {
	b.t.Helper()
	got, err := b.d.List(context.Background())
	b.must(err)
	if diff := cmp.Diff(want, got); diff != "" && len(want)+len(got) > 0 {
		b.t.Fatalf("networks (-want +got):\n%s", diff)
	}
}

func (b *bench) serving(want fabric.Network, yes bool) {
	b.t.Helper()
	if !b.serves {
		return
	}
	got, _, ok := b.services.Network(want.UID)
	if ok != yes {
		b.t.Fatalf("network %s is served: %v, want %v", want.UID, ok, yes)
	}
	if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b netip.Addr) bool { return a == b }), cmp.Comparer(func(a, b netip.Prefix) bool { return a == b })); yes && diff != "" {
		b.t.Fatalf("served network (-want +got):\n%s", diff)
	}
}

func testNone(t *testing.T, b *bench) { b.list() }

func testLifecycle(t *testing.T, b *bench) {
	ctx, n := context.Background(), SampleNetwork(UID(t, "a"), 4)
	b.must(b.d.Ensure(ctx, n))
	b.list(n.UID)
	b.serving(n, true)
	b.must(b.d.Remove(ctx, n.UID))
	b.list()
	b.serving(n, false)
}

func testChange(t *testing.T, b *bench) {
	ctx, uid := context.Background(), UID(t, "a")
	b.must(b.d.Ensure(ctx, SampleNetwork(uid, 4)))
	n := SampleNetwork(uid, 4, 5)
	b.must(b.d.Ensure(ctx, n))
	b.serving(n, true)
	b.plug(uid, 5).Close()
	n = SampleNetwork(uid, 5)
	b.must(b.d.Ensure(ctx, n))
	b.serving(n, true)
	b.noPlug(uid, 4)
}

func testTwice(t *testing.T, b *bench) {
	ctx, n := context.Background(), SampleNetwork(UID(t, "a"), 4)
	for range 2 {
		b.must(b.d.Ensure(ctx, n))
		b.list(n.UID)
	}
	for range 2 {
		b.must(b.d.Unplug(ctx, n.UID, PortUID(n.UID, 4)))
	}
	for range 2 {
		b.must(b.d.Remove(ctx, n.UID))
		b.list()
	}
}

func testPlug(t *testing.T, b *bench) {
	ctx, n := context.Background(), SampleNetwork(UID(t, "a"), 4)
	b.must(b.d.Ensure(ctx, n))
	b.plug(n.UID, 4).Close()
	b.plug(n.UID, 4).Close()
	f := b.plug(n.UID, 4)
	b.must(b.d.Unplug(ctx, n.UID, PortUID(n.UID, 4)))
	b.plug(n.UID, 4).Close() // also while the old one is open
	f.Close()
}

func testNoPort(t *testing.T, b *bench) {
	ctx, n := context.Background(), SampleNetwork(UID(t, "a"), 4)
	b.noPlug(n.UID, 4)
	b.must(b.d.Unplug(ctx, n.UID, PortUID(n.UID, 4)))
	b.must(b.d.Ensure(ctx, n))
	b.noPlug(n.UID, 5)
	b.must(b.d.Unplug(ctx, n.UID, PortUID(n.UID, 5)))
	b.must(b.d.Remove(ctx, n.UID))
	b.noPlug(n.UID, 4)
	b.list()
}

func testRestart(t *testing.T, b *bench) {
	ctx, n := context.Background(), SampleNetwork(UID(t, "a"), 4)
	b.must(b.d.Ensure(ctx, n))
	b.restart()
	b.list(n.UID)
	b.serving(n, true)
	b.plug(n.UID, 4).Close()
	b.must(b.d.Ensure(ctx, n))
	b.restart()
	b.must(b.d.Remove(ctx, n.UID))
	b.restart()
	b.list()
}

func testApart(t *testing.T, b *bench) {
	ctx := context.Background()
	x, y := SampleNetwork(UID(t, "a"), 4), SampleNetwork(UID(t, "b"), 4)
	b.must(b.d.Ensure(ctx, x))
	b.must(b.d.Ensure(ctx, y))
	b.must(b.d.Remove(ctx, x.UID))
	b.list(y.UID)
	b.serving(y, true)
	b.plug(y.UID, 4).Close()
}

func testRemade(t *testing.T, b *bench) {
	ctx, n := context.Background(), SampleNetwork(UID(t, "a"), 4)
	for range 2 {
		b.must(b.d.Ensure(ctx, n))
		b.plug(n.UID, 4).Close()
		b.must(b.d.Remove(ctx, n.UID))
	}
	b.list()
}

// UID is one that no other test has.
func UID(t *testing.T, name string) string {
	sum := uint32(2166136261)
	for _, c := range []byte(t.Name()) {
		sum = (sum ^ uint32(c)) * 16777619
	}
	return name + "-" + netip.AddrFrom4([4]byte{byte(sum >> 24), byte(sum >> 16), byte(sum >> 8), byte(sum)}).String()
}

func (b *bench) plug(uid string, host byte) *os.File {
	b.t.Helper()
	f, err := b.d.Plug(context.Background(), uid, PortUID(uid, host))
	b.must(err)
	return f
}

func (b *bench) noPlug(uid string, host byte) {
	b.t.Helper()
	f, err := b.d.Plug(context.Background(), uid, PortUID(uid, host))
	if !errors.Is(err, os.ErrNotExist) {
		if f != nil {
			f.Close()
		}
		b.t.Fatalf("plug port %d = %v, want os.ErrNotExist", host, err)
	}
}
