package inspect

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// Places in a VHDX file ([MS-VHDX]).
const (
	vhdxRegions     = 192 << 10
	vhdxTableSize   = 64 << 10
	vhdxMaxEntries  = 2047
	vhdxMaxMetadata = 8 << 20
)

// GUIDs as they lie in the file.
var (
	vhdxMetadataRegion = []byte{0x06, 0xa2, 0x7c, 0x8b, 0x90, 0x47, 0x9a, 0x4b, 0xb8, 0xfe, 0x57, 0x5f, 0x05, 0x0f, 0x88, 0x6e}
	vhdxFileParameters = []byte{0x37, 0x67, 0xa1, 0xca, 0x36, 0xfa, 0x43, 0x4d, 0xb3, 0xb6, 0x33, 0xf0, 0xaa, 0x44, 0xe7, 0x6b}
	vhdxDiskSize       = []byte{0x24, 0x42, 0xa5, 0x2f, 0x1b, 0xcd, 0x76, 0x48, 0xb2, 0x11, 0x5d, 0xbe, 0xd8, 0x3b, 0xf4, 0xb8}
)

func parseVHDX(r io.ReaderAt, size int64) (Info, error) {
	at, err := vhdxMetadata(r, size)
	if err != nil {
		return Info{}, err
	}
	params, err := vhdxItem(r, size, at, vhdxFileParameters, 8)
	if err != nil {
		return Info{}, err
	}
	length, err := vhdxItem(r, size, at, vhdxDiskSize, 8)
	if err != nil {
		return Info{}, err
	}
	current := binary.LittleEndian.Uint64(length)
	if current > MaxBytes {
		return Info{}, fmt.Errorf("disk of %d bytes is larger than 64 TiB", current)
	}
	info := Info{SizeBytes: int64(current)}
	if binary.LittleEndian.Uint32(params[4:])&2 != 0 {
		info.Refers = "is a differencing disk, which has a parent"
	}
	return info, nil
}

// vhdxMetadata finds the metadata region by the region table.
func vhdxMetadata(r io.ReaderAt, size int64) (at uint64, err error) {
	table := make([]byte, vhdxTableSize)
	if err := readFull(r, table, vhdxRegions); err != nil {
		return 0, err
	}
	entries := binary.LittleEndian.Uint32(table[8:])
	if !bytes.HasPrefix(table, []byte("regi")) || entries > vhdxMaxEntries {
		return 0, errors.New("region table is broken")
	}
	for i := range int(entries) {
		e := table[16+32*i:]
		if !bytes.Equal(e[:16], vhdxMetadataRegion) {
			continue
		}
		at, length := binary.LittleEndian.Uint64(e[16:]), binary.LittleEndian.Uint32(e[24:])
		if length < vhdxTableSize || !within(at, 1, uint64(length), size) {
			return 0, errors.New("metadata is out of range")
		}
		return at, nil
	}
	return 0, errors.New("there is no metadata")
}

// vhdxItem reads n bytes of an item of the metadata at offset at.
func vhdxItem(r io.ReaderAt, size int64, at uint64, id []byte, n uint64) ([]byte, error) {
	table := make([]byte, vhdxTableSize)
	if err := readFull(r, table, int64(at)); err != nil {
		return nil, err
	}
	entries := binary.LittleEndian.Uint16(table[10:])
	if !bytes.HasPrefix(table, []byte("metadata")) || entries > vhdxMaxEntries {
		return nil, errors.New("metadata table is broken")
	}
	for i := range int(entries) {
		e := table[32+32*i:]
		if !bytes.Equal(e[:16], id) {
			continue
		}
		offset, length := binary.LittleEndian.Uint32(e[16:]), binary.LittleEndian.Uint32(e[20:])
		if uint64(length) < n || offset < vhdxTableSize || offset > vhdxMaxMetadata || !within(at, 1, uint64(offset)+n, size) {
			return nil, errors.New("item of the metadata is out of range")
		}
		item := make([]byte, n)
		return item, readFull(r, item, int64(at+uint64(offset)))
	}
	return nil, errors.New("the metadata lacks an item")
}
