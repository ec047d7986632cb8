package inspect

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// Kinds of VHD ("Virtual Hard Disk Image Format Specification", Microsoft).
const (
	vhdFixed      = 2
	vhdDynamic    = 3
	vhdDifference = 4
	vhdFooterSize = 512
	vhdMaxBytes   = 2040 << 30
)

// footer reads the last sector of a file, if it is a VHD's.
func footer(r io.ReaderAt, size int64) (foot []byte, ok bool) {
	if size < vhdFooterSize {
		return nil, false
	}
	foot = make([]byte, vhdFooterSize)
	if err := readFull(r, foot, size-vhdFooterSize); err != nil {
		return nil, false
	}
	return foot, bytes.HasPrefix(foot, []byte("conectix"))
}

func parseVHD(r io.ReaderAt, size int64, foot []byte) (Info, error) {
	if !vhdChecksum(foot, 64) {
		return Info{}, errors.New("checksum of the footer is wrong")
	}
	current, kind := binary.BigEndian.Uint64(foot[48:]), binary.BigEndian.Uint32(foot[60:])
	if current > vhdMaxBytes {
		return Info{}, fmt.Errorf("disk of %d bytes is larger than 2040 GiB", current)
	}
	info := Info{SizeBytes: int64(current)}
	switch kind {
	case vhdFixed:
		if info.SizeBytes != size-vhdFooterSize {
			return Info{}, fmt.Errorf("disk of %d bytes in a file with %d", current, size-vhdFooterSize)
		}
		return info, nil
	case vhdDynamic:
		return info, checkDynamicVHD(r, size, binary.BigEndian.Uint64(foot[16:]), current)
	case vhdDifference:
		info.Refers = "is a differencing disk, which has a parent"
		return info, nil
	default:
		return Info{}, fmt.Errorf("unknown kind %d", kind)
	}
}

// checkDynamicVHD reads the header at offset at.
func checkDynamicVHD(r io.ReaderAt, size int64, at, current uint64) error {
	head := make([]byte, 1024)
	if !within(at, 1, uint64(len(head)), size) {
		return errors.New("dynamic header is out of range")
	}
	if err := readFull(r, head, int64(at)); err != nil {
		return err
	}
	if !bytes.HasPrefix(head, []byte("cxsparse")) || !vhdChecksum(head, 36) {
		return errors.New("dynamic header is broken")
	}
	table, entries := binary.BigEndian.Uint64(head[16:]), binary.BigEndian.Uint32(head[28:])
	block := binary.BigEndian.Uint32(head[32:])
	switch {
	case block < 512 || block&(block-1) != 0 || block > 256<<20:
		return fmt.Errorf("blocks of %d bytes", block)
	case !within(table, uint64(entries), 4, size):
		return errors.New("block table is out of range")
	case uint64(entries)*uint64(block) < current:
		return errors.New("block table is too small for the disk")
	}
	return nil
}

// vhdChecksum is the complement of the sum of all bytes but its own four.
func vhdChecksum(b []byte, at int) bool {
	var sum uint32
	for i, c := range b {
		if i < at || i >= at+4 {
			sum += uint32(c)
		}
	}
	return ^sum == binary.BigEndian.Uint32(b[at:])
}
