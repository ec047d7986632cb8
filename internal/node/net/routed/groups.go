package routed

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/netip"
	"strings"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"

	"lazuli/internal/fabric"
)

// groupChains makes a chain of each rule list, one for all ports that have the
// same, and gives their names by groupName.
func groupChains(t *table, p *plan) map[string]string {
	names := map[string]string{}
	for _, q := range p.ports {
		for _, lists := range [][]fabric.RuleList{q.inbound, q.outbound} {
			for _, l := range lists {
				name := groupName(l)
				if names[name] == "" {
					names[name] = name
					groupRules(t, t.chain(name), l)
				}
			}
		}
	}
	return names
}

func groupName(l fabric.RuleList) string {
	b, _ := json.Marshal(l) // a RuleList always can be
	sum := sha256.Sum256(b)
	return "group_" + hex.EncodeToString(sum[:8])
}

// groupRules returns to where it was called from what the list allows, and
// drops the rest.
func groupRules(t *table, c chain, l fabric.RuleList) {
	for _, r := range l.Rules {
		m, err := matchOf(r) // planOf has checked it
		if err != nil || m.never() {
			continue
		}
		then := drop()
		if m.allow {
			then = leave()
		}
		c.named(comment(r.Name), conditions(t, m), then)
	}
	c.rule(drop())
}

// comment is a rule's name as far as `nft` can read it back.
func comment(name string) string {
	ok := func(r rune) rune {
		if r == '_' || r == '-' || r == '.' || r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' {
			return r
		}
		return '_'
	}
	name = strings.Map(ok, name)
	return name[:min(len(name), 100)]
}

func conditions(t *table, m match) []expr.Any {
	var out []expr.Any
	out = append(out, spanMatch(t, sourceIP(), nftables.TypeIPAddr, m.source)...)
	out = append(out, spanMatch(t, targetIP(), nftables.TypeIPAddr, m.target)...)
	switch len(m.protocols) {
	case 0:
	case 1:
		out = append(out, protocol(m.protocols[0])...)
	default:
		var spans []span
		for _, p := range m.protocols {
			spans = append(spans, span{uint32(p), uint32(p)})
		}
		out = append(out, in(t.spans(nftables.TypeInetProto, merge(spans)), meta(expr.MetaKeyL4PROTO))...)
	}
	out = append(out, spanMatch(t, sourcePort(), nftables.TypeInetService, m.sourcePorts)...)
	return append(out, spanMatch(t, targetPort(), nftables.TypeInetService, m.targetPorts)...)
}

func spanMatch(t *table, field expr.Any, typ nftables.SetDatatype, s spanSet) []expr.Any {
	op := expr.CmpOpEq
	if s.not {
		op = expr.CmpOpNeq
	}
	switch {
	case s.all():
		return nil
	case len(s.spans) > 1 && s.not:
		return notIn(t.spans(typ, s.spans), field)
	case len(s.spans) > 1:
		return in(t.spans(typ, s.spans), field)
	case s.spans[0].first == s.spans[0].last:
		return []expr.Any{field, &expr.Cmp{Op: op, Register: reg1, Data: number(s.spans[0].first, typ.Bytes)}}
	}
	return []expr.Any{field, &expr.Range{Op: op, Register: reg1, FromData: number(s.spans[0].first, typ.Bytes), ToData: number(s.spans[0].last, typ.Bytes)}}
}

func one(a netip.Addr) span { return span{addrNumber(a), addrNumber(a)} }

// linkLocal is where hosts have services of their own, and their clouds'.
var linkLocal = netip.MustParsePrefix("169.254.0.0/16")

// nowhere is what no guest may send to: neither link-local addresses nor the
// links between networks and their hosts.
func nowhere(pool netip.Prefix) []span {
	return prefixSet([]netip.Prefix{linkLocal, pool}, false).spans
}
