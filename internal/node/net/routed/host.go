package routed

import (
	"cmp"
	"context"
	"net/netip"
	"reflect"
	"slices"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"

	"lazuli/internal/fabric"
)

// hostTable is the table in the host's namespace: one for all networks of the
// driver.
type hostTable struct {
	turn       turn
	made       []hostNetwork
	generation uint32
}

// hostNetwork is what the host's rules know of a network.
type hostNetwork struct {
	dev     string
	router  netip.Addr
	publics []netip.Addr
}

// ensure makes the table say what networks there are; with none, there is no
// table. Other programs have tables beside it, so whenever one changed its own,
// ours is made anew.
func (h *hostTable) ensure(ctx context.Context, d *Driver) error {
	if err := h.turn.take(ctx); err != nil {
		return err
	}
	defer h.turn.release()
	want := hostNetworks(d.all())
	return d.in(d.host, func(k *kernel) error {
		gen, err := generation()
		if err != nil {
			return err
		}
		if h.made != nil && h.generation == gen && reflect.DeepEqual(h.made, want) {
			return nil
		}
		h.made = nil
		if err := k.did("commit host rules"); err != nil {
			return err
		}
		if err := commitHost(d.opts, want); err != nil {
			return err
		}
		if err := k.admit(d.opts.Instance, want); err != nil {
			return err
		}
		after, err := generation()
		if err != nil {
			return err
		}
		h.made, h.generation = want, after
		return nil
	})
}

func hostNetworks(states []state) []hostNetwork {
	out := []hostNetwork{}
	for _, s := range states {
		h := hostNetwork{dev: networkName(s.Network.UID), router: s.Transit.Router}
		for _, p := range s.Network.Ports {
			h.publics = append(h.publics, publicsOf(p)...)
		}
		slices.SortFunc(h.publics, netip.Addr.Compare)
		out = append(out, h)
	}
	slices.SortFunc(out, func(a, b hostNetwork) int { return cmp.Compare(a.dev, b.dev) })
	return out
}

func publicsOf(p fabric.Port) []netip.Addr {
	var out []netip.Addr
	for _, a := range p.Addresses {
		if a.Public.Is4() {
			out = append(out, a.Public)
		}
	}
	return out
}

func hostTableName(instance string) string { return "lazuli-" + instance }

func commitHost(o Options, networks []hostNetwork) error {
	ts, err := newTables()
	if err != nil {
		return err
	}
	if len(networks) == 0 {
		ts.remove(nftables.TableFamilyINet, hostTableName(o.Instance))
	} else {
		hostRules(ts, o, networks)
	}
	return ts.commit()
}

// hostRules keep guests from the host and from each other's networks, but for
// public addresses, and lend the host's address to what has none in the world.
func hostRules(ts *tables, o Options, networks []hostNetwork) {
	t := ts.add(nftables.TableFamilyINet, hostTableName(o.Instance))
	var devs, routers, publics, lent []nftables.SetElement
	seen := map[netip.Addr]bool{}
	for _, n := range networks {
		devs = append(devs, nftables.SetElement{Key: device(n.dev)})
		routers = append(routers, nftables.SetElement{Key: n.router.AsSlice()})
		for _, a := range n.publics {
			if seen[a] { // moving from one network to another
				continue
			}
			seen[a] = true
			publics = append(publics, nftables.SetElement{Key: a.AsSlice()})
			if o.PublicNAT.covers(a) {
				lent = append(lent, nftables.SetElement{Key: a.AsSlice()})
			}
		}
	}
	devSet := t.set("networks", devs, nftables.TypeIFName)
	routerSet := t.set("routers", routers, nftables.TypeIPAddr)
	publicSet := t.set("publics", publics, nftables.TypeIPAddr)
	lentSet := t.set("lent", lent, nftables.TypeIPAddr)

	input := t.base("input", nftables.ChainTypeFilter, nftables.ChainHookInput, nftables.ChainPriorityFilter, nftables.ChainPolicyAccept)
	input.rule(in(devSet, iif()), established(), accept())
	input.rule(in(devSet, iif()), drop())

	forward := t.base("forward", nftables.ChainTypeFilter, nftables.ChainHookForward, nftables.ChainPriorityFilter, nftables.ChainPolicyAccept)
	forward.rule(in(devSet, iif()), isNot(meta(expr.MetaKeyNFPROTO), []byte{unix.NFPROTO_IPV4}), drop())
	forward.rule(in(devSet, oif()), isNot(meta(expr.MetaKeyNFPROTO), []byte{unix.NFPROTO_IPV4}), drop())
	forward.rule(in(devSet, iif()), established(), accept())
	forward.rule(in(devSet, oif()), established(), accept())
	forward.rule(in(devSet, iif()), ipv4(), in(t.anonymous(nftables.TypeIPAddr, nowhere(o.Transit)), targetIP()), drop())
	forward.rule(in(devSet, oif()), ipv4(), notIn(publicSet, targetIP()), drop())

	nat := t.base("do_snat", nftables.ChainTypeNAT, nftables.ChainHookPostrouting, nftables.ChainPriorityNATSource, nftables.ChainPolicyAccept)
	nat.rule(ipv4(), in(routerSet, sourceIP()), []expr.Any{&expr.Masq{}})
	nat.rule(notIn(devSet, oif()), ipv4(), in(lentSet, sourceIP()), []expr.Any{&expr.Masq{}})
}

// private are the addresses that the world routes nowhere.
var private = []netip.Prefix{
	netip.MustParsePrefix("10.0.0.0/8"),
	netip.MustParsePrefix("172.16.0.0/12"),
	netip.MustParsePrefix("192.168.0.0/16"),
	netip.MustParsePrefix("100.64.0.0/10"),
	netip.MustParsePrefix("198.18.0.0/15"),
}

func (n PublicNAT) covers(a netip.Addr) bool {
	switch n {
	case NATAlways:
		return true
	case NATNever:
		return false
	}
	return slices.ContainsFunc(private, func(p netip.Prefix) bool { return p.Contains(a) })
}
