package routed

import (
	"reflect"
	"slices"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"
)

// tableName is that of the tables in a router namespace, which is all ours.
const tableName = "lazuli"

// programState says which plan the rules in the kernel are of. They are still
// so if nobody has changed any since: the generation counts that.
type programState struct {
	plan       *plan
	generation uint32
}

// ensure makes the rules of a plan, in one transaction, and ends the flows that
// they would not have let begin.
func (s *programState) ensure(k *kernel, p *plan, fresh bool) error {
	gen, err := generation()
	if err != nil {
		return err
	}
	if s.plan != nil && s.generation == gen && reflect.DeepEqual(s.plan, p) {
		return nil
	}
	// What may begin now could begin before, and more: there is nothing to end.
	more := fresh || s.plan != nil && s.generation == gen && p.extends(s.plan)
	*s = programState{}
	ts, err := newTables()
	if err != nil {
		return err
	}
	ipRules(ts, p)
	arpRules(ts, p)
	if err := k.did("commit rules"); err != nil {
		return err
	}
	if err := ts.commit(); err != nil {
		return err
	}
	if !more {
		if err := k.cutFlows(p); err != nil {
			return err
		}
	}
	if gen, err = generation(); err != nil {
		return err
	}
	*s = programState{p, gen}
	return nil
}

// extends says whether p is old with further ports.
func (p *plan) extends(old *plan) bool {
	if p.name != old.name || p.transit != old.transit || p.pool != old.pool || !slices.Equal(p.unreachable, old.unreachable) {
		return false
	}
	return !slices.ContainsFunc(old.ports, func(q port) bool {
		now := p.port(q.dev)
		return now == nil || !reflect.DeepEqual(*now, q)
	})
}

// ipRules are those of a network's IPv4. There is no IPv6 in it.
func ipRules(ts *tables, p *plan) {
	t := ts.add(nftables.TableFamilyIPv4, tableName)
	spoofRules(t, p)
	inputRules(t)
	forwardRules(t, p)
	translationRules(t, p)
}

// spoofRules drop, before anything else sees it, what a port may not say of
// itself. A port that forwards may have any source, but not towards the
// platform, which knows guests by their addresses.
func spoofRules(t *table, p *plan) {
	var forwarders, senders, bound []nftables.SetElement
	for _, q := range p.ports {
		key := slices.Concat(device(q.dev), q.mac, []byte{0, 0})
		senders = append(senders, nftables.SetElement{Key: key})
		for _, a := range q.addresses {
			bound = append(bound, nftables.SetElement{Key: append(slices.Clone(key), a.private.AsSlice()...)})
		}
		if q.forwarding {
			forwarders = append(forwarders, nftables.SetElement{Key: device(q.dev)})
		}
	}
	senderSet := t.set("senders", senders, nftables.TypeIFName, nftables.TypeEtherAddr)
	boundSet := t.set("bound", bound, nftables.TypeIFName, nftables.TypeEtherAddr, nftables.TypeIPAddr)
	forwarderSet := t.set("forwarders", forwarders, nftables.TypeIFName)
	platform := t.spans(nftables.TypeIPAddr, merge([]span{one(metadataAddr), one(wireserverAddr)}))

	c := t.base("spoof", nftables.ChainTypeFilter, nftables.ChainHookPrerouting, nftables.ChainPriorityRaw, nftables.ChainPolicyDrop)
	c.rule(is(iif(), device("lo")), accept())
	c.rule(is(iif(), device(uplinkName)), accept())
	c.rule(ethernet(), notIn(senderSet, sender()...), drop())
	c.rule(is(sourceIP(), number(0, 4)), is(targetIP(), number(1<<32-1, 4)), service(unix.IPPROTO_UDP, 67), accept())
	c.rule(ethernet(), in(boundSet, append(sender(), header(wordAt24, 12, 4))...), accept())
	c.rule(in(platform, targetIP()), drop())
	c.rule(in(forwarderSet, iif()), accept())
}

// inputRules let guests reach the services of the platform, and nothing else of
// the router; whoever is outside reaches nothing.
func inputRules(t *table) {
	c := t.base("input", nftables.ChainTypeFilter, nftables.ChainHookInput, nftables.ChainPriorityFilter, nftables.ChainPolicyDrop)
	c.rule(established(), accept())
	c.rule(is(iif(), device("lo")), accept())
	c.rule(is(iif(), device(uplinkName)), drop())
	c.rule(service(unix.IPPROTO_UDP, 67), accept())
	c.rule(protocol(unix.IPPROTO_ICMP), is(transport(0, 1), []byte{8}), accept())
	c.rule(is(targetIP(), metadataAddr.AsSlice()), service(unix.IPPROTO_TCP, 80), accept())
	c.rule(is(targetIP(), wireserverAddr.AsSlice()), service(unix.IPPROTO_UDP, 53), accept())
	for _, port := range []uint32{53, 80, 32526} {
		c.rule(is(targetIP(), wireserverAddr.AsSlice()), service(unix.IPPROTO_TCP, port), accept())
	}
}

// forwardRules are between ports, and between them and the outside: a flow
// begins only if the groups of its sender and of its receiver let it.
func forwardRules(t *table, p *plan) {
	groups := groupChains(t, p)
	var from, to []nftables.SetElement
	for _, q := range p.ports {
		out, into := t.chain("from_"+q.dev), t.chain("to_"+q.dev)
		for _, l := range q.outbound {
			out.rule(jump(groups[groupName(l)]))
		}
		for _, l := range q.inbound {
			into.rule(jump(groups[groupName(l)]))
		}
		into.rule(accept())
		from = append(from, nftables.SetElement{Key: device(q.dev), VerdictData: &expr.Verdict{Kind: expr.VerdictJump, Chain: out.c.Name}})
		to = append(to, nftables.SetElement{Key: device(q.dev), VerdictData: &expr.Verdict{Kind: expr.VerdictGoto, Chain: into.c.Name}})
	}
	fromMap := t.dict("from", nftables.TypeIFName, nftables.TypeVerdict, from)
	toMap := t.dict("to", nftables.TypeIFName, nftables.TypeVerdict, to)

	c := t.base("forward", nftables.ChainTypeFilter, nftables.ChainHookForward, nftables.ChainPriorityFilter, nftables.ChainPolicyDrop)
	c.rule(tracked(expr.CtStateBitINVALID), drop())
	c.rule(established(), accept())
	c.rule(in(t.spans(nftables.TypeIPAddr, nowhere(p.pool)), targetIP()), drop())
	c.rule(decide(fromMap, iif()))
	c.rule(decide(toMap, oif()))
	c.rule(isNot(iif(), device(uplinkName)), is(oif(), device(uplinkName)), accept())
}

// translationRules give each public address to its private one both ways, on
// all ports of all protocols, and the network's transit address to the rest.
// Nothing is translated between ports: who calls a neighbour by its public
// address goes out to the host and comes in again, so that groups see public
// addresses on both sides, as in Azure.
func translationRules(t *table, p *plan) {
	var private, public []nftables.SetElement
	for _, q := range p.ports {
		for _, a := range q.addresses {
			if a.public.IsValid() {
				private = append(private, nftables.SetElement{Key: a.public.AsSlice(), Val: a.private.AsSlice()})
				public = append(public, nftables.SetElement{Key: a.private.AsSlice(), Val: a.public.AsSlice()})
			}
		}
	}
	privateMap := t.dict("private", nftables.TypeIPAddr, nftables.TypeIPAddr, private)
	publicMap := t.dict("public", nftables.TypeIPAddr, nftables.TypeIPAddr, public)

	in := t.base("do_dnat", nftables.ChainTypeNAT, nftables.ChainHookPrerouting, nftables.ChainPriorityNATDest, nftables.ChainPolicyAccept)
	in.rule(is(iif(), device(uplinkName)), translate(expr.NATTypeDestNAT, targetIP(), privateMap))
	out := t.base("do_snat", nftables.ChainTypeNAT, nftables.ChainHookPostrouting, nftables.ChainPriorityNATSource, nftables.ChainPolicyAccept)
	out.rule(is(oif(), device(uplinkName)), translate(expr.NATTypeSourceNAT, sourceIP(), publicMap))
	out.rule(is(oif(), device(uplinkName)), translateTo(expr.NATTypeSourceNAT, p.transit.Router))
}

// arpRules let a port say in ARP only what it is. The router believes nothing
// of it anyway, but would remember each lie in a table that is one for the
// whole host.
func arpRules(ts *tables, p *plan) {
	t := ts.add(nftables.TableFamilyARP, tableName)
	var senders, bound []nftables.SetElement
	for _, q := range p.ports {
		key := slices.Concat(device(q.dev), q.mac, []byte{0, 0})
		senders = append(senders, nftables.SetElement{Key: key})
		for _, a := range q.addresses {
			bound = append(bound, nftables.SetElement{Key: append(slices.Clone(key), a.private.AsSlice()...)})
		}
	}
	senderSet := t.set("senders", senders, nftables.TypeIFName, nftables.TypeEtherAddr)
	boundSet := t.set("bound", bound, nftables.TypeIFName, nftables.TypeEtherAddr, nftables.TypeIPAddr)
	input := nftables.ChainHookRef(0) // NF_ARP_IN
	c := t.base("input", nftables.ChainTypeFilter, input, nftables.ChainPriorityFilter, nftables.ChainPolicyDrop)
	claimed := []expr.Any{iif(), header(wordAt16, 8, 6)}
	c.rule(is(iif(), device(uplinkName)), accept())
	c.rule(in(boundSet, append(slices.Clone(claimed), header(wordAt24, 14, 4))...), accept())
	// A probe for an address that nobody should have (RFC 5227).
	c.rule(in(senderSet, claimed...), is(header(reg1, 14, 4), number(0, 4)), accept())
}
