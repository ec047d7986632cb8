package ovf

import (
	"encoding/binary"
	"unicode/utf16"
)

// The label by which guests (and cloud-init's ds-identify) know the medium, and
// the one file on it.
const (
	Label    = "rd_rdfe_stable"
	FileName = "ovf-env.xml"
)

// Where things lie on the medium, in sectors of 2048 bytes (ECMA-119, and
// Microsoft's Joliet for the names as they are). Everything but the file takes
// one sector.
const (
	sector           = 2048
	primaryAt        = 16
	jolietAt         = 17
	terminatorAt     = 18
	pathTableAt      = 19 // little endian, then big endian
	jolietTableAt    = 21
	rootAt           = 23
	jolietRootAt     = 24
	fileAt           = 25
	pathTableBytes   = 10
	directoryRecord  = 33
	rootRecordOffset = 156
)

// Image writes an ISO 9660 file system that holds nothing but ovf-env.xml. The
// same content gives the same bytes.
//
// The primary name keeps its hyphen, which ECMA-119 does not have: Linux and
// Windows both show it, so the name is right even to a reader without Joliet.
func Image(content []byte) []byte {
	sectors := fileAt + (len(content)+sector-1)/sector
	img := make([]byte, sectors*sector)
	at := func(n int) []byte { return img[n*sector : (n+1)*sector] }

	descriptor(at(primaryAt), 1, sectors, plain, pathTableAt, rootAt)
	descriptor(at(jolietAt), 2, sectors, ucs2, jolietTableAt, jolietRootAt)
	copy(at(terminatorAt), "\xffCD001\x01")
	pathTables(at(pathTableAt), at(pathTableAt+1), rootAt)
	pathTables(at(jolietTableAt), at(jolietTableAt+1), jolietRootAt)
	root(at(rootAt), rootAt, len(content), []byte("OVF-ENV.XML;1"))
	root(at(jolietRootAt), jolietRootAt, len(content), ucs2(FileName))
	copy(img[fileAt*sector:], content)
	return img
}

func plain(s string) []byte { return []byte(s) }

func ucs2(s string) []byte {
	var b []byte
	for _, u := range utf16.Encode([]rune(s)) {
		b = binary.BigEndian.AppendUint16(b, u)
	}
	return b
}

// descriptor fills a volume descriptor: primary (kind 1) or Joliet's (kind 2).
func descriptor(d []byte, kind byte, sectors int, encode func(string) []byte, table, rootSector uint32) {
	d[0] = kind
	copy(d[1:], "CD001\x01")
	text := func(from, to int, s string) {
		field := d[from:to]
		n := copy(field, encode(s))
		blank := encode(" ")
		for n+len(blank) <= len(field) {
			n += copy(field[n:], blank)
		}
	}
	text(8, 40, "")
	text(40, 72, Label)
	both32(d[80:], uint32(sectors))
	if kind == 2 {
		copy(d[88:], "%/E") // UCS-2 level 3
	}
	both16(d[120:], 1)
	both16(d[124:], 1)
	both16(d[128:], sector)
	both32(d[132:], pathTableBytes)
	binary.LittleEndian.PutUint32(d[140:], table)
	binary.BigEndian.PutUint32(d[148:], table+1)
	record(d[rootRecordOffset:], rootSector, sector, true, []byte{0})
	for _, f := range [][2]int{{190, 318}, {318, 446}, {446, 574}, {574, 702}, {702, 739}, {739, 776}, {776, 813}} {
		text(f[0], f[1], "")
	}
	for _, from := range []int{813, 830, 847, 864} { // "not given"
		copy(d[from:], "0000000000000000\x00")
	}
	d[881] = 1
}

func pathTables(little, big []byte, rootSector uint32) {
	little[0], big[0] = 1, 1
	binary.LittleEndian.PutUint32(little[2:], rootSector)
	binary.BigEndian.PutUint32(big[2:], rootSector)
	binary.LittleEndian.PutUint16(little[6:], 1)
	binary.BigEndian.PutUint16(big[6:], 1)
}

// root fills the root directory: itself, its parent (itself) and the file.
func root(d []byte, self uint32, size int, name []byte) {
	n := record(d, self, sector, true, []byte{0})
	n += record(d[n:], self, sector, true, []byte{1})
	record(d[n:], fileAt, uint32(size), false, name)
}

// record writes a directory record and returns its length.
func record(d []byte, extent, size uint32, dir bool, name []byte) int {
	n := directoryRecord + len(name)
	n += n % 2
	d[0] = byte(n)
	both32(d[2:], extent)
	both32(d[10:], size)
	copy(d[18:], []byte{70, 1, 1, 0, 0, 0, 0}) // 1970: the medium has no time of its own
	if dir {
		d[25] = 2
	}
	both16(d[28:], 1)
	d[32] = byte(len(name))
	copy(d[directoryRecord:], name)
	return n
}

func both16(b []byte, v uint16) {
	binary.LittleEndian.PutUint16(b, v)
	binary.BigEndian.PutUint16(b[2:], v)
}

func both32(b []byte, v uint32) {
	binary.LittleEndian.PutUint32(b, v)
	binary.BigEndian.PutUint32(b[4:], v)
}
