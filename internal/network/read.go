package network

import (
	"encoding"
	"fmt"
	"net/netip"

	"lazuli/internal/arm"
)

// The sizes of prefixes of address spaces and subnets.
const (
	shortestPrefix = 8
	longestPrefix  = 29
)

func below(target, property string) string {
	if target == "" {
		return property
	}
	return target + "." + property
}

func elementOf(target string, i int) string { return fmt.Sprintf("%s[%d]", target, i) }

func orElse(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// readPrefix reads an IPv4 prefix with no bits set beyond its length.
func readPrefix(target, s string) (netip.Prefix, error) {
	p, err := netip.ParsePrefix(s)
	switch {
	case err != nil:
		return p, arm.BadRequest("InvalidAddressPrefixFormat", "The address prefix '%s' has an invalid format; it looks like 10.0.0.0/16.", s).At(target)
	case !p.Addr().Is4():
		return p, arm.BadRequest("UnsupportedProperty", "The address prefix '%s' is not of IPv4, which is all that this cloud supports.", s).At(target)
	case p != p.Masked():
		return p, arm.BadRequest("InvalidCIDRNotation", "The address prefix %s has an invalid CIDR notation. For the given prefix length, the address prefix should be %s.", s, p.Masked()).At(target)
	case p.Bits() < shortestPrefix || p.Bits() > longestPrefix:
		return p, arm.BadRequest("InvalidAddressPrefixLength", "The address prefix %s is too large or too small: its length must be from /%d to /%d.", s, shortestPrefix, longestPrefix).At(target)
	}
	return p, nil
}

func readPrefixes(target string, in []string) ([]netip.Prefix, error) {
	var out []netip.Prefix
	for i, s := range in {
		p, err := readPrefix(elementOf(target, i), s)
		if err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	return out, nil
}

// readSubnetPrefix reads the one prefix of a subnet, which may be given in
// either of two properties, or the same in both.
func readSubnetPrefix(target string, p *subnetProperties) (netip.Prefix, error) {
	one := below(target, "addressPrefix")
	if p.AddressPrefix != "" {
		if len(p.AddressPrefixes) > 0 && (len(p.AddressPrefixes) > 1 || p.AddressPrefixes[0] != p.AddressPrefix) {
			return netip.Prefix{}, arm.InvalidParameter(one, "Give the subnet's prefix in addressPrefix or in addressPrefixes, not in both.")
		}
		return readPrefix(one, p.AddressPrefix)
	}
	list := below(target, "addressPrefixes")
	switch len(p.AddressPrefixes) {
	case 0:
		return netip.Prefix{}, arm.InvalidParameter(one, "A subnet needs an address prefix, like 10.0.1.0/24.")
	case 1:
		return readPrefix(elementOf(list, 0), p.AddressPrefixes[0])
	}
	return netip.Prefix{}, arm.Unsupported(elementOf(list, 1))
}

func readAddress(target, s string) (netip.Addr, error) {
	a, err := netip.ParseAddr(s)
	if err != nil || !a.Is4() {
		return a, arm.BadRequest("InvalidIPAddressFormat", "'%s' is not an IPv4 address.", s).At(target)
	}
	return a, nil
}

// maxNameServers bounds how many name servers guests are told of.
const maxNameServers = 20

func readNameServers(target string, in []string) ([]netip.Addr, error) {
	if len(in) > maxNameServers {
		return nil, arm.InvalidParameter(target, "There are %d name servers; at most %d are allowed.", len(in), maxNameServers)
	}
	var out []netip.Addr
	for i, s := range in {
		a, err := readAddress(elementOf(target, i), s)
		if err != nil {
			return nil, err
		}
		out = append(out, a)
	}
	return out, nil
}

// text is values as a list of strings; never nil, so that JSON shows [].
func text[T encoding.TextMarshaler](in []T) []string {
	out := make([]string, 0, len(in))
	for _, v := range in {
		b, _ := v.MarshalText() // addresses and prefixes always can
		out = append(out, string(b))
	}
	return out
}
