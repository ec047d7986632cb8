package inspect

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
)

const vmdkMaxDescriptor = 1 << 20

// vmdkHeader is that of a sparse extent ("VMware Virtual Disk Format 5.0"),
// after its magic; all is little endian, sizes are in sectors.
type vmdkHeader struct {
	Version, Flags   uint32
	Capacity         uint64
	GrainSize        uint64
	DescriptorOffset uint64
	DescriptorSize   uint64
	NumGTEsPerGT     uint32
	RGDOffset        uint64
	GDOffset         uint64
	Overhead         uint64
}

func parseVMDK(r io.ReaderAt, size int64) (Info, error) {
	var h vmdkHeader
	b := make([]byte, binary.Size(h))
	if err := readFull(r, b, 4); err != nil {
		return Info{}, err
	}
	if _, err := binary.Decode(b, binary.LittleEndian, &h); err != nil {
		return Info{}, err
	}
	switch {
	case h.Version < 1 || h.Version > 3:
		return Info{}, fmt.Errorf("version %d is not known", h.Version)
	case h.Capacity == 0:
		// QEMU takes it for a mere descriptor, and opens the files it names.
		return Info{}, errors.New("header has no size of the disk")
	case h.Capacity > MaxBytes/512:
		return Info{}, fmt.Errorf("disk of %d sectors is larger than 64 TiB", h.Capacity)
	case h.GrainSize < 8 || h.GrainSize > 128<<10 || h.GrainSize&(h.GrainSize-1) != 0:
		return Info{}, fmt.Errorf("grains of %d sectors", h.GrainSize)
	}
	info := Info{SizeBytes: int64(h.Capacity * 512)}
	text, err := h.descriptor(r, size)
	if err != nil {
		return Info{}, err
	}
	info.Refers, err = readDescriptor(text)
	return info, err
}

func (h *vmdkHeader) descriptor(r io.ReaderAt, size int64) (string, error) {
	if h.DescriptorSize == 0 || h.DescriptorSize > vmdkMaxDescriptor/512 || h.DescriptorOffset > MaxBytes/512 ||
		!within(h.DescriptorOffset*512, h.DescriptorSize, 512, size) {
		return "", errors.New("descriptor is out of range")
	}
	b := make([]byte, h.DescriptorSize*512)
	if err := readFull(r, b, int64(h.DescriptorOffset*512)); err != nil {
		return "", err
	}
	text, _, _ := bytes.Cut(b, []byte{0})
	return string(text), nil
}

// readDescriptor refuses one that leads to other files. Kinds of one file are
// monolithicSparse and streamOptimized, with one extent, which is the file.
func readDescriptor(text string) (refers string, err error) {
	kind, extents := "", 0
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		key, value, _ := strings.Cut(line, "=")
		switch strings.ToLower(strings.TrimSpace(key)) {
		case "createtype":
			kind = strings.ToLower(strings.Trim(strings.TrimSpace(value), `"`))
		case "parentcid":
			if !strings.EqualFold(strings.TrimSpace(value), "ffffffff") {
				refers = "has a parent"
			}
		case "parentfilenamehint":
			refers = "has a parent"
		}
		switch access, _, _ := strings.Cut(line, " "); access {
		case "RW", "RDONLY", "NOACCESS":
			extents++
		}
	}
	switch {
	case kind != "monolithicsparse" && kind != "streamoptimized":
		return "", fmt.Errorf("is of the kind %q; only monolithicSparse and streamOptimized are of one file", kind)
	case extents != 1:
		return "", fmt.Errorf("has %d extents", extents)
	}
	return refers, nil
}
