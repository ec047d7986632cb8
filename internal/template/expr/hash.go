package expr

import (
	"encoding/binary"
	"math/bits"
	"strings"

	"github.com/google/uuid"
)

var hashFunctions = []function{
	{name: "uniqueString", min: 1, max: -1, eval: func(b *Budget, args []any) (any, error) {
		s, err := dashed(b, "uniqueString", args)
		if err != nil {
			return nil, err
		}
		return base32(hash64([]byte(s))), nil
	}},
	{name: "guid", min: 1, max: -1, eval: func(b *Budget, args []any) (any, error) {
		s, err := dashed(b, "guid", args)
		if err != nil {
			return nil, err
		}
		return uuid.NewSHA1(guidNamespace, []byte(s)).String(), nil
	}},
}

// guidNamespace is Azure's for the name-based (version 5) UUIDs of guid(). It
// is documented with Bicep's string functions.
var guidNamespace = uuid.MustParse("11fb06fb-712d-4ddd-98c7-e71bbd588830")

// dashed joins the arguments with dashes, which is what both functions hash.
func dashed(b *Budget, name string, args []any) (string, error) {
	parts := make([]string, len(args))
	for i := range args {
		s, err := stringArg(name, args, i)
		if err != nil {
			return "", err
		}
		parts[i] = s
	}
	s := strings.Join(parts, "-")
	if _, err := b.text(s); err != nil {
		return "", err
	}
	return s, nil
}

// base32 writes 64 bits as 13 characters, from the highest bits down.
func base32(h uint64) string {
	const digits = "abcdefghijklmnopqrstuvwxyz234567"
	var s [13]byte
	for i := range s {
		s[i] = digits[h>>59]
		h <<= 5
	}
	return string(s[:])
}

// The constants of MurmurHash3_x86_128 (Austin Appleby, public domain).
const (
	mul1, mul2 = 0x239b961b, 0xab0e9789
	add1, add2 = 0x561ccd1b, 0x0bcaa747
)

// hash64 is what Azure hashes with: the first two of the four lanes of
// MurmurHash3_x86_128, which take turns over blocks of eight bytes. The second
// lane makes the high half.
func hash64(data []byte) uint64 {
	n := uint32(len(data))
	var h1, h2 uint32
	for ; len(data) >= 8; data = data[8:] {
		h1 ^= lane1(binary.LittleEndian.Uint32(data))
		h1 = bits.RotateLeft32(h1, 19) + h2
		h1 = h1*5 + add1
		h2 ^= lane2(binary.LittleEndian.Uint32(data[4:]))
		h2 = bits.RotateLeft32(h2, 13) + h1
		h2 = h2*5 + add2
	}
	var tail [8]byte
	copy(tail[:], data)
	h1 ^= lane1(binary.LittleEndian.Uint32(tail[:]))
	h2 ^= lane2(binary.LittleEndian.Uint32(tail[4:]))

	h1, h2 = h1^n, h2^n
	h1 += h2
	h2 += h1
	h1, h2 = mix(h1), mix(h2)
	h1 += h2
	h2 += h1
	return uint64(h2)<<32 | uint64(h1)
}

func lane1(k uint32) uint32 { return bits.RotateLeft32(k*mul1, 15) * mul2 }

func lane2(k uint32) uint32 { return bits.RotateLeft32(k*mul2, 17) * mul1 }

func mix(h uint32) uint32 {
	h = (h ^ h>>16) * 0x85ebca6b
	h = (h ^ h>>13) * 0xc2b2ae35
	return h ^ h>>16
}
