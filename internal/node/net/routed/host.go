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
// table. If nobody has changed any rule of the host since the table was made,
// its sets are brought up to date; else it is made anew, in one transaction.
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
		made := h.made
		if h.generation != gen || len(want) == 0 {
			made = nil
		}
		h.made = nil
		if err := k.did("commit host rules"); err != nil {
			return err
		}
		if err := commitHost(d.opts, made, want); err != nil {
			return err
		}
		if len(made) == 0 {
			if err := k.admit(d.opts.Instance, want); err != nil {
				return err
			}
		}
		after, err := generation()
		if err != nil {
			return err
		}
		if len(made) > 0 && after != gen+1 {
			return nil // somebody else was at it; look again next time
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

// commitHost brings the table from what it was made for to what it should be;
// from nothing, if that is not known.
func commitHost(o Options, made, want []hostNetwork) error {
	ts, err := newTables()
	if err != nil {
		return err
	}
	switch {
	case len(want) == 0:
		ts.remove(nftables.TableFamilyINet, hostTableName(o.Instance))
	case len(made) == 0:
		hostRules(ts, o, want)
	default:
		t := &table{tables: ts, t: &nftables.Table{Family: nftables.TableFamilyINet, Name: hostTableName(o.Instance)}}
		was, is := hostSetsOf(o, made), hostSetsOf(o, want)
		t.update("networks", nftables.TypeIFName, was.devs, is.devs)
		t.update("routers", nftables.TypeIPAddr, was.routers, is.routers)
		t.update("publics", nftables.TypeIPAddr, was.publics, is.publics)
		t.update("lent", nftables.TypeIPAddr, was.lent, is.lent)
	}
	return ts.commit()
}

// hostSets are the keys of the sets of the host's table.
type hostSets struct{ devs, routers, publics, lent map[string]bool }

func hostSetsOf(o Options, networks []hostNetwork) hostSets {
	s := hostSets{map[string]bool{}, map[string]bool{}, map[string]bool{}, map[string]bool{}}
	for _, n := range networks {
		s.devs[string(device(n.dev))] = true
		s.routers[string(n.router.AsSlice())] = true
		for _, a := range n.publics {
			s.publics[string(a.AsSlice())] = true
			if o.PublicNAT.covers(a) {
				s.lent[string(a.AsSlice())] = true
			}
		}
	}
	return s
}

// hostRules keep guests from the host and from each other's networks, but for
// public addresses, and lend the host's address to what has none in the world.
func hostRules(ts *tables, o Options, networks []hostNetwork) {
	t := ts.add(nftables.TableFamilyINet, hostTableName(o.Instance))
	keys := hostSetsOf(o, networks)
	devs := t.set("networks", elements(keys.devs), nftables.TypeIFName)
	routers := t.set("routers", elements(keys.routers), nftables.TypeIPAddr)
	publics := t.set("publics", elements(keys.publics), nftables.TypeIPAddr)
	lent := t.set("lent", elements(keys.lent), nftables.TypeIPAddr)

	// Before anybody's port forwarding turns the host's address into a
	// container's.
	early := t.base("early", nftables.ChainTypeFilter, nftables.ChainHookPrerouting, nftables.ChainPriorityMangle, nftables.ChainPolicyAccept)
	early.rule(in(devs, iif()), established(), accept())
	early.rule(in(devs, iif()), toHost(), drop())

	input := t.base("input", nftables.ChainTypeFilter, nftables.ChainHookInput, nftables.ChainPriorityFilter, nftables.ChainPolicyAccept)
	input.rule(in(devs, iif()), established(), accept())
	input.rule(in(devs, iif()), drop())

	forward := t.base("forward", nftables.ChainTypeFilter, nftables.ChainHookForward, nftables.ChainPriorityFilter, nftables.ChainPolicyAccept)
	notIPv4 := isNot(meta(expr.MetaKeyNFPROTO), []byte{unix.NFPROTO_IPV4})
	forward.rule(in(devs, iif()), notIPv4, drop())
	forward.rule(in(devs, oif()), notIPv4, drop())
	forward.rule(in(devs, iif()), established(), accept())
	forward.rule(in(devs, oif()), established(), accept())
	forward.rule(in(devs, iif()), ipv4(), in(t.spans(nftables.TypeIPAddr, nowhere(o.Transit)), targetIP()), drop())
	forward.rule(in(devs, oif()), ipv4(), notIn(publics, targetIP()), drop())

	nat := t.base("do_snat", nftables.ChainTypeNAT, nftables.ChainHookPostrouting, nftables.ChainPriorityNATSource, nftables.ChainPolicyAccept)
	nat.rule(ipv4(), in(routers, sourceIP()), []expr.Any{&expr.Masq{}})
	nat.rule(notIn(devs, oif()), ipv4(), in(lent, sourceIP()), []expr.Any{&expr.Masq{}})
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
