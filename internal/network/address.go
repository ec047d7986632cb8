package network

import (
	"encoding/binary"
	"hash/fnv"
	"net/netip"
)

// Of every subnet the first four addresses (the network's, the gateway's, two
// for name service) and the last are never given to a guest.
const reservedFirst = 4

// span is the range of the addresses of p that may be given out, both ends
// included, leaving out so many at the start and the end.
func span(p netip.Prefix, skipFirst, skipLast uint32) (first, last uint32) {
	base := binary.BigEndian.Uint32(p.Masked().Addr().AsSlice())
	size := uint32(1) << (32 - p.Bits())
	return base + skipFirst, base + size - 1 - skipLast
}

func number(a netip.Addr) uint32 { return binary.BigEndian.Uint32(a.AsSlice()) }

func address(n uint32) netip.Addr {
	var b [4]byte
	binary.BigEndian.PutUint32(b[:], n)
	return netip.AddrFrom4(b)
}

// reserved says that a, an address of subnet, is never a guest's.
func reserved(subnet netip.Prefix, a netip.Addr) bool {
	first, last := span(subnet, reservedFirst, 1)
	return number(a) < first || number(a) > last
}

// firstFree is the lowest address of subnet that may be a guest's and is not
// taken.
func firstFree(subnet netip.Prefix, taken map[netip.Addr]bool) (netip.Addr, bool) {
	first, last := span(subnet, reservedFirst, 1)
	for n := first; n <= last; n++ {
		if a := address(n); !taken[a] {
			return a, true
		}
	}
	return netip.Addr{}, false
}

// pool is the public addresses in the order of their prefixes. The first and
// last address of each prefix are left out, for they look like a network's and
// a broadcast's; a prefix of one or two addresses is used whole.
type pool []netip.Prefix

func (p pool) span(i int) (first, last uint32) {
	if p[i].Bits() >= 31 {
		return span(p[i], 0, 0)
	}
	return span(p[i], 1, 1)
}

func (p pool) size() uint64 {
	var n uint64
	for i := range p {
		first, last := p.span(i)
		n += uint64(last-first) + 1
	}
	return n
}

// at is the i-th address, counting round.
func (p pool) at(i uint64) netip.Addr {
	i %= p.size()
	for k := range p {
		first, last := p.span(k)
		n := uint64(last-first) + 1
		if i < n {
			return address(first + uint32(i))
		}
		i -= n
	}
	panic("unreachable: i is below the sum of the spans")
}

// scatter spreads names over numbers, the same way each time. Taking addresses
// by it keeps those who allocate at the same time out of each other's way, and
// does not give an address that was just freed to the next one who asks.
func scatter(name string) uint64 {
	h := fnv.New64a()
	h.Write([]byte(name))
	return h.Sum64()
}
