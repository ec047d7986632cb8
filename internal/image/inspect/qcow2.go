package inspect

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// Incompatible features of qcow2 (docs/interop/qcow2.txt of QEMU).
const (
	qcow2Dirty       = 1 << 0 // refcounts are rebuilt when it is opened
	qcow2Corrupt     = 1 << 1
	qcow2External    = 1 << 2
	qcow2Compression = 1 << 3
	qcow2ExtendedL2  = 1 << 4
	qcow2Known       = qcow2Dirty | qcow2Corrupt | qcow2External | qcow2Compression | qcow2ExtendedL2
)

// QEMU's own limits.
const (
	qcow2MaxL1        = 32 << 20 // bytes
	qcow2MaxRefTable  = 8 << 20  // bytes
	qcow2MaxSnapshots = 65536
	qcow2SnapshotMin  = 40 // bytes of an entry
	qcow2MaxName      = 1023
)

// Header extensions.
const (
	qcow2ExtEnd      = 0
	qcow2ExtDataFile = 0x44415441
	qcow2ExtLUKS     = 0x0537be77
)

// qcow2Header is the header up to what version 2 has, and version 3 without
// the compression type.
type qcow2Header struct {
	Magic, Version        uint32
	BackingOffset         uint64
	BackingLength         uint32
	ClusterBits           uint32
	Size                  uint64
	Crypt                 uint32
	L1Size                uint32
	L1Offset              uint64
	RefTableOffset        uint64
	RefTableClusters      uint32
	Snapshots             uint32
	SnapshotsOffset       uint64
	Incompatible          uint64 // from here on version 3
	Compatible, Autoclear uint64
	RefcountOrder         uint32
	HeaderLength          uint32
}

const (
	qcow2V2Length = 72
	qcow2V3Length = 104
)

func parseQCOW2(r io.ReaderAt, size int64) (Info, error) {
	h, err := readQCOW2(r)
	if err != nil {
		return Info{}, err
	}
	if err := h.check(size); err != nil {
		return Info{}, err
	}
	info := Info{SizeBytes: int64(h.Size)}
	switch {
	case h.Incompatible&qcow2External != 0:
		info.Refers = "has an external data file"
	case h.Crypt != 0:
		info.Refers = "is encrypted"
	default:
		info.Refers, err = h.extensions(r)
	}
	if err == nil && info.Refers == "" && (h.BackingOffset != 0 || h.BackingLength != 0) {
		info.Refers = "has a backing file"
		info.Backing, err = h.backing(r)
	}
	return info, err
}

// backing is the name of the backing file, as it stands in the first cluster.
func (h *qcow2Header) backing(r io.ReaderAt) (string, error) {
	if h.BackingLength == 0 || h.BackingLength > qcow2MaxName || !within(h.BackingOffset, uint64(h.BackingLength), 1, int64(1)<<h.ClusterBits) {
		return "", errors.New("name of the backing file is out of range")
	}
	name := make([]byte, h.BackingLength)
	err := readFull(r, name, int64(h.BackingOffset))
	return string(name), err
}

func readQCOW2(r io.ReaderAt) (h qcow2Header, err error) {
	b := make([]byte, qcow2V3Length)
	if err := readFull(r, b[:qcow2V2Length], 0); err != nil {
		return h, err
	}
	switch binary.BigEndian.Uint32(b[4:]) {
	case 2:
		copy(b[96:], []byte{0, 0, 0, 4, 0, 0, 0, qcow2V2Length})
	case 3:
		if err := readFull(r, b[qcow2V2Length:], qcow2V2Length); err != nil {
			return h, err
		}
	default:
		return h, errors.New("version is neither 2 nor 3")
	}
	_, err = binary.Decode(b, binary.BigEndian, &h)
	return h, err
}

// check refuses a header that is not possible in a file of size bytes.
func (h *qcow2Header) check(size int64) error {
	if h.ClusterBits < 9 || h.ClusterBits > 21 {
		return fmt.Errorf("clusters of 2^%d bytes", h.ClusterBits)
	}
	cluster := uint64(1) << h.ClusterBits
	switch {
	case h.Version == 3 && (h.HeaderLength < qcow2V3Length || uint64(h.HeaderLength) > cluster):
		return fmt.Errorf("header of %d bytes", h.HeaderLength)
	case h.Incompatible&^uint64(qcow2Known) != 0:
		return fmt.Errorf("unknown incompatible features %#x", h.Incompatible&^uint64(qcow2Known))
	case h.Incompatible&qcow2Corrupt != 0:
		return errors.New("is marked as corrupt")
	case h.RefcountOrder > 6:
		return fmt.Errorf("reference counts of 2^%d bits", h.RefcountOrder)
	case h.Crypt > 2:
		return fmt.Errorf("unknown encryption %d", h.Crypt)
	case h.Size > MaxBytes:
		return fmt.Errorf("disk of %d bytes is larger than 64 TiB", h.Size)
	}
	return h.checkTables(size, cluster)
}

func (h *qcow2Header) checkTables(size int64, cluster uint64) error {
	entry := uint64(8)
	if h.Incompatible&qcow2ExtendedL2 != 0 {
		entry = 16
	}
	perL1 := cluster / entry * cluster
	switch {
	case uint64(h.L1Size)*8 > qcow2MaxL1 || h.L1Offset%cluster != 0 || !within(h.L1Offset, uint64(h.L1Size), 8, size):
		return errors.New("level 1 table is out of range")
	case uint64(h.L1Size) < (h.Size+perL1-1)/perL1:
		return errors.New("level 1 table is too small for the disk")
	case h.RefTableClusters == 0 || uint64(h.RefTableClusters)*cluster > max(qcow2MaxRefTable, cluster),
		h.RefTableOffset%cluster != 0, !within(h.RefTableOffset, uint64(h.RefTableClusters), cluster, size+int64(cluster)):
		return errors.New("reference count table is out of range")
	case h.Snapshots > qcow2MaxSnapshots,
		h.Snapshots > 0 && (h.SnapshotsOffset%cluster != 0 || !within(h.SnapshotsOffset, uint64(h.Snapshots), qcow2SnapshotMin, size)):
		return errors.New("snapshot table is out of range")
	}
	return nil
}

// extensions walks the header extensions, which end within the first cluster.
func (h *qcow2Header) extensions(r io.ReaderAt) (refers string, err error) {
	end := int64(1) << h.ClusterBits
	at := int64(h.HeaderLength)
	for at+8 <= end {
		var b [8]byte
		if err := readFull(r, b[:], at); err != nil {
			if errors.Is(err, io.ErrUnexpectedEOF) {
				return "", errors.New("header extensions do not end")
			}
			return "", err
		}
		kind, length := binary.BigEndian.Uint32(b[:]), int64(binary.BigEndian.Uint32(b[4:]))
		switch kind {
		case qcow2ExtEnd:
			return "", nil
		case qcow2ExtDataFile:
			return "names an external data file", nil
		case qcow2ExtLUKS:
			return "is encrypted", nil
		}
		at += 8 + (length+7)&^7
	}
	if at > end {
		return "", errors.New("header extension is out of range")
	}
	return "", nil
}
