package expr

import (
	"math/big"
	"net/netip"

	"lazuli/internal/template/jsonc"
)

var cidrFunctions = []function{
	ofString("parseCidr", parseCIDR),
	{name: "cidrSubnet", min: 3, max: 3, eval: cidrSubnet},
	{name: "cidrHost", min: 2, max: 2, eval: cidrHost},
}

func network(fn, s string) (netip.Prefix, error) {
	p, err := netip.ParsePrefix(s)
	if err != nil || p.Addr().Zone() != "" {
		return netip.Prefix{}, badValue(fn, "The value '%s' is not a valid network in CIDR notation.", clip(s))
	}
	return p.Masked(), nil
}

func toBig(a netip.Addr) *big.Int { return new(big.Int).SetBytes(a.AsSlice()) }

// fromBig is n as an address of as many bits as like.
func fromBig(n *big.Int, like netip.Addr) netip.Addr {
	a, _ := netip.AddrFromSlice(n.FillBytes(make([]byte, like.BitLen()/8)))
	return a
}

// offset is the address at n from the start of a network, or false outside it.
func offset(p netip.Prefix, n *big.Int) (netip.Addr, bool) {
	size := new(big.Int).Lsh(big.NewInt(1), uint(p.Addr().BitLen()-p.Bits()))
	if n.Sign() < 0 || n.Cmp(size) >= 0 {
		return netip.Addr{}, false
	}
	return fromBig(new(big.Int).Add(toBig(p.Addr()), n), p.Addr()), true
}

// lastOf is the last address of a network.
func lastOf(p netip.Prefix) netip.Addr {
	size := new(big.Int).Lsh(big.NewInt(1), uint(p.Addr().BitLen()-p.Bits()))
	a, _ := offset(p, size.Sub(size, big.NewInt(1)))
	return a
}

// reserves tells whether the first and last address of a network are no
// hosts': not so in IPv6, nor in networks of one or two addresses.
func reserves(p netip.Prefix) bool { return p.Addr().Is4() && p.Bits() < 31 }

func parseCIDR(_ *Budget, s string) (any, error) {
	p, err := network("parseCidr", s)
	if err != nil {
		return nil, err
	}
	bits := p.Addr().BitLen()
	mask := new(big.Int).Lsh(big.NewInt(1), uint(p.Bits()))
	mask.Sub(mask, big.NewInt(1)).Lsh(mask, uint(bits-p.Bits()))
	first, last := p.Addr(), lastOf(p)
	o := jsonc.NewObject("network", first.String(), "netmask", fromBig(mask, first).String())
	if first.Is4() {
		o.Set("broadcast", last.String())
	}
	if reserves(p) {
		first, last = first.Next(), last.Prev()
	}
	o.Set("firstUsable", first.String())
	o.Set("lastUsable", last.String())
	o.Set("cidr", int64(p.Bits()))
	return o, nil
}

func cidrSubnet(_ *Budget, args []any) (any, error) {
	s, err := stringArg("cidrSubnet", args, 0)
	if err != nil {
		return nil, err
	}
	bits, err := intArg("cidrSubnet", args, 1)
	if err != nil {
		return nil, err
	}
	index, err := intArg("cidrSubnet", args, 2)
	if err != nil {
		return nil, err
	}
	p, err := network("cidrSubnet", s)
	if err != nil {
		return nil, err
	}
	if bits < int64(p.Bits()) || bits > int64(p.Addr().BitLen()) {
		return nil, badValue("cidrSubnet", "The CIDR '%d' must be between that of the network, '%d', and '%d'.", bits, p.Bits(), p.Addr().BitLen())
	}
	at := new(big.Int).Lsh(big.NewInt(index), uint(int64(p.Addr().BitLen())-bits))
	a, ok := offset(p, at)
	if !ok {
		return nil, badValue("cidrSubnet", "The network '%s' has no subnet of CIDR '%d' with the index '%d'.", p, bits, index)
	}
	return netip.PrefixFrom(a, int(bits)).String(), nil
}

func cidrHost(_ *Budget, args []any) (any, error) {
	s, err := stringArg("cidrHost", args, 0)
	if err != nil {
		return nil, err
	}
	index, err := intArg("cidrHost", args, 1)
	if err != nil {
		return nil, err
	}
	p, err := network("cidrHost", s)
	if err != nil {
		return nil, err
	}
	at := big.NewInt(index)
	if p.Bits() < p.Addr().BitLen()-1 {
		at.Add(at, big.NewInt(1))
	}
	a, ok := offset(p, at)
	if !ok || index < 0 || reserves(p) && a == lastOf(p) {
		return nil, badValue("cidrHost", "The network '%s' has no host with the index '%d'.", p, index)
	}
	return a.String(), nil
}
