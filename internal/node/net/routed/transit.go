package routed

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"net/netip"

	"github.com/vishvananda/netlink"
)

// transit is the pair of addresses between a network and its host: host is
// even, router is host+1.
type transit struct {
	Host   netip.Addr `json:"host"`
	Router netip.Addr `json:"router"`
}

var errTransitFull = errors.New("no transit addresses are free")

// pair is the i-th transit of a pool.
func pair(pool netip.Prefix, i uint32) transit {
	b := pool.Masked().Addr().As4()
	h := binary.BigEndian.Uint32(b[:]) + 2*i
	var host, router [4]byte
	binary.BigEndian.PutUint32(host[:], h)
	binary.BigEndian.PutUint32(router[:], h+1)
	return transit{netip.AddrFrom4(host), netip.AddrFrom4(router)}
}

// chooseTransit picks the pair that the UID hashes to, or the next free one.
// The first pair of the pool is left out: its address looks like a network's.
func chooseTransit(pool netip.Prefix, uid string, taken func(transit) bool) (transit, error) {
	pairs := uint32(1) << (31 - pool.Bits())
	sum := fnv.New32a()
	sum.Write([]byte(uid))
	first := sum.Sum32() % pairs
	for i := range pairs {
		t := pair(pool, (first+i)%pairs)
		if (first+i)%pairs != 0 && !taken(t) {
			return t, nil
		}
	}
	return transit{}, errTransitFull
}

// hostUses tells which transits overlap with what the host has: another
// lazuli's networks, a VPN in the same range.
func (k *kernel) hostUses() (func(transit) bool, error) {
	list, err := uninterrupted(func() ([]netlink.Addr, error) { return k.nl.AddrList(nil, netlink.FAMILY_V4) })
	if err != nil {
		return nil, fmt.Errorf("list addresses: %w", err)
	}
	used := map[netip.Addr]bool{}
	for _, a := range list {
		used[prefixOf(a.IPNet).Addr()] = true
		if a.Peer != nil {
			used[prefixOf(a.Peer).Addr()] = true
		}
	}
	return func(t transit) bool { return used[t.Host] || used[t.Router] }, nil
}
