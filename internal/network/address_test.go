package network

import (
	"net/netip"
	"testing"

	"pgregory.net/rapid"
)

func TestSpan(t *testing.T) {
	tests := map[string]struct{ prefix, first, last string }{
		"29": {"10.0.0.8/29", "10.0.0.12", "10.0.0.14"},
		"24": {"10.0.0.0/24", "10.0.0.4", "10.0.0.254"},
		"8":  {"10.0.0.0/8", "10.0.0.4", "10.255.255.254"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			first, last := span(netip.MustParsePrefix(tt.prefix), reservedFirst, 1)
			if address(first).String() != tt.first || address(last).String() != tt.last {
				t.Errorf("span(%s) = %s to %s, want %s to %s", tt.prefix, address(first), address(last), tt.first, tt.last)
			}
		})
	}
}

// Whatever is taken and given back, an address is in the subnet, never a
// reserved one, never had by two, and is found as long as one is free.
func TestAddressesAreGivenOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		bits := rapid.IntRange(26, 29).Draw(t, "bits")
		base := address(rapid.Uint32().Draw(t, "base"))
		subnet := netip.PrefixFrom(base, bits).Masked()
		capacity := 1<<(32-bits) - reservedFirst - 1
		taken := map[netip.Addr]bool{}
		for range rapid.IntRange(0, 100).Draw(t, "steps") {
			if len(taken) > 0 && rapid.Bool().Draw(t, "give back") {
				for a := range taken {
					delete(taken, a)
					break
				}
				continue
			}
			a, ok := firstFree(subnet, taken)
			if ok != (len(taken) < capacity) {
				t.Fatalf("with %d of %d taken, found = %t", len(taken), capacity, ok)
			}
			if !ok {
				continue
			}
			if taken[a] || !subnet.Contains(a) || reserved(subnet, a) {
				t.Fatalf("%s of %s was given, taken %t", a, subnet, taken[a])
			}
			taken[a] = true
		}
	})
}

// A pool counts round through all of its addresses, each once.
func TestPoolHasEachAddressOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var p pool
		for i := range rapid.IntRange(1, 4).Draw(t, "prefixes") {
			bits := rapid.IntRange(27, 32).Draw(t, "bits")
			p = append(p, netip.PrefixFrom(netip.AddrFrom4([4]byte{198, 18, byte(i), 64}), bits).Masked())
		}
		start := uint64(rapid.Uint32().Draw(t, "start"))
		seen := map[netip.Addr]bool{}
		for i := range p.size() {
			a := p.at(start + i)
			if seen[a] {
				t.Fatalf("%s comes twice in %v", a, p)
			}
			seen[a] = true
		}
	})
}
