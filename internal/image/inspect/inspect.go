// Package inspect reads the headers of disk images that come from a person,
// before any tool of QEMU's opens them. An image may be made to harm: to name
// a file of the host as its backing, to claim a size that no disk has, to lead
// a parser astray.
//
// It reads, and never follows what it reads to another file. It knows nothing
// of catalogues and disks.
package inspect

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
)

// Format of an image, as QEMU's tools name it.
type Format string

// The formats that are told apart. What is none of the others is raw.
const (
	Raw   Format = "raw"
	QCOW2 Format = "qcow2"
	VHD   Format = "vpc"
	VHDX  Format = "vhdx"
	VMDK  Format = "vmdk"
)

// MaxBytes is the largest disk that is believed.
const MaxBytes = 64 << 40

// Info is what the header of an image says.
type Info struct {
	Format Format
	// SizeBytes of the disk in the image.
	SizeBytes int64
	// Refers says how the image depends on another file or on a key; "" if it
	// stands alone.
	Refers string
	// Backing is the name of the one other file that a qcow2 image needs; "" if
	// it needs none, or anything besides.
	Backing string
}

// StandsAlone is an error if the image cannot be read without another file or
// a key.
func (i Info) StandsAlone() error {
	if i.Refers != "" {
		return fmt.Errorf("%s image %s", i.Format, i.Refers)
	}
	return nil
}

// Open reads the header of the file at path.
func Open(path string) (Info, error) {
	f, err := os.Open(path)
	if err != nil {
		return Info{}, err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return Info{}, err
	}
	if !st.Mode().IsRegular() {
		return Info{}, fmt.Errorf("%s is not a regular file", path)
	}
	return Read(f, st.Size())
}

// Read reads the header of an image of size bytes, and refuses one that is not
// whole or claims what cannot be.
func Read(r io.ReaderAt, size int64) (Info, error) {
	head := make([]byte, min(size, 512))
	if err := readFull(r, head, 0); err != nil {
		return Info{}, err
	}
	format, parse := detect(head)
	if format == Raw {
		if foot, ok := footer(r, size); ok {
			format, parse = VHD, func(io.ReaderAt, int64) (Info, error) { return parseVHD(r, size, foot) }
		}
	}
	info, err := parse(r, size)
	if err == nil {
		err = plausible(info.SizeBytes)
	}
	if err != nil {
		return Info{}, fmt.Errorf("%s image: %w", format, err)
	}
	info.Format = format
	return info, nil
}

type parser func(r io.ReaderAt, size int64) (Info, error)

func detect(head []byte) (Format, parser) {
	for _, f := range []struct {
		magic  string
		format Format
		parse  parser
	}{
		{"QFI\xfb", QCOW2, parseQCOW2},
		{"vhdxfile", VHDX, parseVHDX},
		{"KDMV", VMDK, parseVMDK},
		{"COWD", VMDK, refuse("is of a version for ESX 3, which is not read")},
		{"# Disk DescriptorFile", VMDK, refuse("is a descriptor, whose extents are other files")},
		{"QFI\x00", QCOW2, refuse("has a broken magic number")},
	} {
		if bytes.HasPrefix(head, []byte(f.magic)) {
			return f.format, f.parse
		}
	}
	return Raw, parseRaw
}

func refuse(why string) parser {
	return func(io.ReaderAt, int64) (Info, error) { return Info{}, errors.New(why) }
}

func parseRaw(_ io.ReaderAt, size int64) (Info, error) { return Info{SizeBytes: size}, nil }

func plausible(sizeBytes int64) error {
	switch {
	case sizeBytes <= 0:
		return errors.New("disk is empty")
	case sizeBytes > MaxBytes:
		return fmt.Errorf("disk of %d bytes is larger than 64 TiB", sizeBytes)
	default:
		return nil
	}
}

// readFull fills b from offset at.
func readFull(r io.ReaderAt, b []byte, at int64) error {
	n, err := r.ReadAt(b, at)
	if n == len(b) {
		return nil
	}
	if err == nil || errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// within says that n units of unit bytes from offset at are inside a file of
// size bytes, without overflow on the way.
func within(at, n, unit uint64, size int64) bool {
	if n != 0 && unit > uint64(size)/n {
		return false
	}
	length := n * unit
	return at <= uint64(size) && length <= uint64(size)-at
}
