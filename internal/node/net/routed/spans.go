package routed

import (
	"encoding/binary"
	"net/netip"
	"slices"

	"lazuli/internal/fabric"
)

// span is a range of addresses or ports, both ends included.
type span struct{ first, last uint32 }

func (s span) contains(x uint32) bool { return s.first <= x && x <= s.last }

// merge sorts spans and joins those that overlap or touch: the kernel refuses
// sets whose intervals do.
func merge(in []span) []span {
	in = slices.Clone(in)
	slices.SortFunc(in, func(a, b span) int {
		if a.first != b.first {
			return int(int64(a.first) - int64(b.first))
		}
		return int(int64(a.last) - int64(b.last))
	})
	var out []span
	for _, s := range in {
		if n := len(out); n > 0 && uint64(s.first) <= uint64(out[n-1].last)+1 {
			out[n-1].last = max(out[n-1].last, s.last)
			continue
		}
		out = append(out, s)
	}
	return out
}

// spanSet is what a field of a packet is matched with. The zero value matches
// everything.
type spanSet struct {
	spans []span
	not   bool
	none  bool // matches nothing
}

func (s spanSet) all() bool { return !s.none && len(s.spans) == 0 }

func (s spanSet) contains(x uint32) bool {
	if s.none || len(s.spans) == 0 {
		return !s.none
	}
	return slices.ContainsFunc(s.spans, func(p span) bool { return p.contains(x) }) != s.not
}

// setOf reduces spans of a field whose highest value is top.
func setOf(spans []span, not bool, top uint32) spanSet {
	spans = merge(spans)
	everything := len(spans) == 1 && spans[0] == span{0, top}
	switch {
	case len(spans) == 0, everything:
		return spanSet{none: everything == not}
	}
	return spanSet{spans: spans, not: not}
}

// prefixSet matches addresses. No prefix is no condition; prefixes of IPv6
// only are one that no packet here meets.
func prefixSet(prefixes []netip.Prefix, not bool) spanSet {
	if len(prefixes) == 0 {
		return spanSet{}
	}
	var spans []span
	for _, p := range prefixes {
		if p.IsValid() && p.Addr().Is4() {
			first := addrNumber(p.Masked().Addr())
			spans = append(spans, span{first, first | uint32(uint64(1)<<(32-p.Bits())-1)})
		}
	}
	return setOf(spans, not, 1<<32-1)
}

func portSet(ranges []fabric.PortRange) spanSet {
	if len(ranges) == 0 {
		return spanSet{}
	}
	var spans []span
	for _, r := range ranges {
		if r.First <= r.Last {
			spans = append(spans, span{uint32(r.First), uint32(r.Last)})
		}
	}
	return setOf(spans, false, 1<<16-1)
}

func addrNumber(a netip.Addr) uint32 {
	b := a.As4()
	return binary.BigEndian.Uint32(b[:])
}
