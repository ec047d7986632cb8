package routed

import (
	"net/netip"

	"github.com/google/nftables"
	"github.com/google/nftables/binaryutil"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"
)

// Registers: the first is 16 bytes, and continued in words of four from 12 on.
const (
	reg1     = unix.NFT_REG_1
	wordAt16 = unix.NFT_REG32_00 + 4
	wordAt24 = unix.NFT_REG32_00 + 6
)

func verdict(k expr.VerdictKind) []expr.Any { return []expr.Any{&expr.Verdict{Kind: k}} }

func accept() []expr.Any { return verdict(expr.VerdictAccept) }
func drop() []expr.Any   { return verdict(expr.VerdictDrop) }
func leave() []expr.Any  { return verdict(expr.VerdictReturn) }

func jump(chain string) []expr.Any {
	return []expr.Any{&expr.Verdict{Kind: expr.VerdictJump, Chain: chain}}
}

func equal(b []byte) expr.Any { return &expr.Cmp{Op: expr.CmpOpEq, Register: reg1, Data: b} }

func meta(key expr.MetaKey) expr.Any { return &expr.Meta{Key: key, Register: reg1} }

func iif() expr.Any { return meta(expr.MetaKeyIIFNAME) }
func oif() expr.Any { return meta(expr.MetaKeyOIFNAME) }

func is(field expr.Any, value []byte) []expr.Any { return []expr.Any{field, equal(value)} }

func isNot(field expr.Any, value []byte) []expr.Any {
	return []expr.Any{field, &expr.Cmp{Op: expr.CmpOpNeq, Register: reg1, Data: value}}
}

// in matches a field, or several that make a key, with a set.
func in(s *nftables.Set, fields ...expr.Any) []expr.Any {
	return append(fields, &expr.Lookup{SourceRegister: reg1, SetName: s.Name, SetID: s.ID})
}

func notIn(s *nftables.Set, fields ...expr.Any) []expr.Any {
	return append(fields, &expr.Lookup{SourceRegister: reg1, SetName: s.Name, SetID: s.ID, Invert: true})
}

// decide gives the verdict that a map has for a field.
func decide(s *nftables.Set, field expr.Any) []expr.Any {
	return []expr.Any{field, &expr.Lookup{SourceRegister: reg1, SetName: s.Name, SetID: s.ID, DestRegister: 0, IsDestRegSet: true}}
}

func header(register, offset, length uint32) expr.Any {
	return &expr.Payload{DestRegister: register, Base: expr.PayloadBaseNetworkHeader, Offset: offset, Len: length}
}

func sourceIP() expr.Any { return header(reg1, 12, 4) }
func targetIP() expr.Any { return header(reg1, 16, 4) }

func sourcePort() expr.Any { return transport(0, 2) }
func targetPort() expr.Any { return transport(2, 2) }

func transport(offset, length uint32) expr.Any {
	return &expr.Payload{DestRegister: reg1, Base: expr.PayloadBaseTransportHeader, Offset: offset, Len: length}
}

func protocol(p byte) []expr.Any { return is(meta(expr.MetaKeyL4PROTO), []byte{p}) }

func ipv4() []expr.Any { return is(meta(expr.MetaKeyNFPROTO), []byte{unix.NFPROTO_IPV4}) }

// service matches a protocol and a port of the receiver.
func service(proto byte, port uint32) []expr.Any {
	return append(protocol(proto), is(targetPort(), number(port, 2))...)
}

// ethernet says that there is an Ethernet header to look at.
func ethernet() []expr.Any {
	return is(meta(expr.MetaKeyIIFTYPE), binaryutil.NativeEndian.PutUint16(unix.ARPHRD_ETHER))
}

// sender is the key of a port: where a frame came in, and its source MAC.
func sender() []expr.Any {
	return []expr.Any{iif(), &expr.Payload{DestRegister: wordAt16, Base: expr.PayloadBaseLLHeader, Offset: 6, Len: 6}}
}

// toHost matches what is for an address of the host itself.
func toHost() []expr.Any {
	return is(&expr.Fib{Register: reg1, ResultADDRTYPE: true, FlagDADDR: true}, binaryutil.NativeEndian.PutUint32(unix.RTN_LOCAL))
}

// tracked matches packets by what connection tracking knows of their flow.
func tracked(state uint32) []expr.Any {
	return []expr.Any{
		&expr.Ct{Key: expr.CtKeySTATE, Register: reg1},
		&expr.Bitwise{SourceRegister: reg1, DestRegister: reg1, Len: 4, Mask: binaryutil.NativeEndian.PutUint32(state), Xor: make([]byte, 4)},
		&expr.Cmp{Op: expr.CmpOpNeq, Register: reg1, Data: make([]byte, 4)},
	}
}

func established() []expr.Any {
	return tracked(expr.CtStateBitESTABLISHED | expr.CtStateBitRELATED)
}

// translate changes an address to the one that the map has for it; a packet
// whose address is not in it is left to the next rule.
func translate(typ expr.NATType, field expr.Any, to *nftables.Set) []expr.Any {
	return []expr.Any{
		field,
		&expr.Lookup{SourceRegister: reg1, DestRegister: reg1, IsDestRegSet: true, SetName: to.Name, SetID: to.ID},
		&expr.NAT{Type: typ, Family: unix.NFPROTO_IPV4, RegAddrMin: reg1},
	}
}

// translateTo changes an address to a.
func translateTo(typ expr.NATType, a netip.Addr) []expr.Any {
	return []expr.Any{
		&expr.Immediate{Register: reg1, Data: a.AsSlice()},
		&expr.NAT{Type: typ, Family: unix.NFPROTO_IPV4, RegAddrMin: reg1},
	}
}

func device(name string) []byte {
	b := make([]byte, unix.IFNAMSIZ)
	copy(b, name)
	return b
}

// number is n in network byte order.
func number(n, width uint32) []byte {
	b := binaryutil.BigEndian.PutUint32(n)
	return b[4-width:]
}
