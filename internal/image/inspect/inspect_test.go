package inspect

import (
	"bytes"
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// create makes an image with QEMU's own tool.
func create(t testing.TB, format, size string, options ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "disk."+format)
	args := append([]string{"create", "-q", "-f", format}, options...)
	run(t, append(args, path, size)...)
	return path
}

func run(t testing.TB, args ...string) {
	t.Helper()
	if out, err := exec.Command("qemu-img", args...).CombinedOutput(); err != nil {
		t.Fatalf("qemu-img %v: %v: %s", args, err, out)
	}
}

func TestWhatQEMUMakes(t *testing.T) {
	tests := map[string]struct {
		format  string
		options []string
		want    Info
	}{
		"raw":               {"raw", nil, Info{Format: Raw}},
		"qcow2":             {"qcow2", nil, Info{Format: QCOW2}},
		"qcow2 version 2":   {"qcow2", []string{"-o", "compat=0.10"}, Info{Format: QCOW2}},
		"qcow2 small":       {"qcow2", []string{"-o", "cluster_size=512"}, Info{Format: QCOW2}},
		"qcow2 large":       {"qcow2", []string{"-o", "cluster_size=2M"}, Info{Format: QCOW2}},
		"qcow2 extended l2": {"qcow2", []string{"-o", "extended_l2=on,compression_type=zstd"}, Info{Format: QCOW2}},
		"qcow2 full":        {"qcow2", []string{"-o", "preallocation=metadata"}, Info{Format: QCOW2}},
		"fixed vhd":         {"vpc", []string{"-o", "subformat=fixed,force_size=on"}, Info{Format: VHD}},
		"dynamic vhd":       {"vpc", []string{"-o", "subformat=dynamic,force_size=on"}, Info{Format: VHD}},
		"vhdx":              {"vhdx", nil, Info{Format: VHDX}},
		"fixed vhdx":        {"vhdx", []string{"-o", "subformat=fixed"}, Info{Format: VHDX}},
		"vmdk":              {"vmdk", nil, Info{Format: VMDK}},
		"stream vmdk":       {"vmdk", []string{"-o", "subformat=streamOptimized"}, Info{Format: VMDK}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			tt.want.SizeBytes = 48 << 20
			info, err := Open(create(t, tt.format, "48M", tt.options...))
			if err != nil || info != tt.want {
				t.Errorf("info = %+v, %v; want %+v", info, err, tt.want)
			}
			if err := info.StandsAlone(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestWhatDoesNotStandAlone(t *testing.T) {
	base := create(t, "qcow2", "8M")
	tests := map[string]struct {
		format, size string
		options      []string
		want         string
	}{
		"backing file":       {"qcow2", "8M", []string{"-F", "qcow2", "-b", base}, "backing file"},
		"external data":      {"qcow2", "8M", []string{"-o", "data_file=" + base + ".data"}, "external data file"},
		"vmdk with a parent": {"vmdk", "", []string{"-F", "vmdk", "-b", create(t, "vmdk", "8M")}, "parent"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "disk")
			args := append([]string{"create", "-q", "-f", tt.format}, tt.options...)
			args = append(args, path)
			if tt.size != "" {
				args = append(args, tt.size)
			}
			run(t, args...)
			info, err := Open(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := info.StandsAlone(); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("err = %v, want one with %q", err, tt.want)
			}
			if name == "backing file" && info.Backing != base || name != "backing file" && info.Backing != "" {
				t.Errorf("backing = %q", info.Backing)
			}
		})
	}
}

// patch changes bytes of an image.
type patch struct {
	at   int64
	data []byte
}

func be32(v uint32) []byte { return binary.BigEndian.AppendUint32(nil, v) }
func be64(v uint64) []byte { return binary.BigEndian.AppendUint64(nil, v) }
func le64(v uint64) []byte { return binary.LittleEndian.AppendUint64(nil, v) }

func TestHostile(t *testing.T) {
	tests := map[string]struct {
		format  string
		options []string
		patch   patch
		want    string
	}{
		"qcow2 of version 9":           {"qcow2", nil, patch{4, be32(9)}, "version"},
		"qcow2 clusters":               {"qcow2", nil, patch{20, be32(40)}, "clusters of"},
		"qcow2 with an absurd size":    {"qcow2", nil, patch{24, be64(1 << 60)}, "64 TiB"},
		"qcow2 with a negative size":   {"qcow2", nil, patch{24, be64(1 << 63)}, "64 TiB"},
		"qcow2 with nothing in it":     {"qcow2", nil, patch{24, be64(0)}, "empty"},
		"qcow2 larger than its tables": {"qcow2", nil, patch{24, be64(1 << 40)}, "too small"},
		"qcow2 unknown feature":        {"qcow2", nil, patch{72, be64(1 << 40)}, "unknown incompatible"},
		"qcow2 corrupt":                {"qcow2", nil, patch{72, be64(2)}, "corrupt"},
		"qcow2 unknown encryption":     {"qcow2", nil, patch{32, be32(7)}, "encryption"},
		"qcow2 l1 beyond the end":      {"qcow2", nil, patch{40, be64(1 << 50)}, "level 1"},
		"qcow2 l1 that overflows":      {"qcow2", nil, patch{40, be64(1<<64 - 1<<16)}, "level 1"},
		"qcow2 huge l1":                {"qcow2", nil, patch{36, be32(1<<32 - 1)}, "level 1"},
		"qcow2 refcount table":         {"qcow2", nil, patch{48, be64(1 << 50)}, "reference count"},
		"qcow2 many refcounts":         {"qcow2", nil, patch{56, be32(1 << 30)}, "reference count"},
		"qcow2 refcount width":         {"qcow2", nil, patch{96, be32(7)}, "reference counts"},
		"qcow2 many snapshots":         {"qcow2", nil, patch{60, be32(1 << 20)}, "snapshot"},
		"qcow2 snapshots beyond":       {"qcow2", nil, patch{60, append(be32(1), be64(1<<50)...)}, "snapshot"},
		"qcow2 header length":          {"qcow2", nil, patch{100, be32(1 << 30)}, "header of"},
		"qcow2 backing name beyond":    {"qcow2", nil, patch{8, append(be64(1<<50), be32(10)...)}, "backing file is out"},
		"qcow2 long backing name":      {"qcow2", nil, patch{8, append(be64(512), be32(1<<20)...)}, "backing file is out"},
		"qcow2 endless extension":      {"qcow2", nil, patch{112, append(be32(1), be32(1<<32-1)...)}, "extension"},
		"vhd checksum":                 {"vpc", []string{"-o", "subformat=fixed,force_size=on"}, patch{-512 + 48, be64(1)}, "checksum"},
		"vhdx regions":                 {"vhdx", nil, patch{192<<10 + 8, be64(1<<64 - 1)}, "region table"},
		"vhdx without regions":         {"vhdx", nil, patch{192<<10 + 8, be64(0)}, "no metadata"},
		"vmdk that is a descriptor":    {"vmdk", nil, patch{12, le64(0)}, "no size"},
		"vmdk with an absurd size":     {"vmdk", nil, patch{12, le64(1 << 62)}, "64 TiB"},
		"vmdk descriptor beyond":       {"vmdk", nil, patch{28, le64(1 << 50)}, "descriptor is out"},
		"vmdk of several files":        {"vmdk", nil, patch{512, []byte("createType=\"twoGbMaxExtentSparse\"\n\x00")}, "twogbmax"},
		"vmdk of two extents":          {"vmdk", nil, patch{512, []byte("createType=\"monolithicSparse\"\nRW 1 FLAT \"/etc/shadow\" 0\nRW 1 SPARSE \"x\"\n\x00")}, "2 extents"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			data, err := os.ReadFile(create(t, tt.format, "8M", tt.options...))
			if err != nil {
				t.Fatal(err)
			}
			at := tt.patch.at
			if at < 0 {
				at += int64(len(data))
			}
			copy(data[at:], tt.patch.data)
			if info, err := Read(bytes.NewReader(data), int64(len(data))); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("info = %+v, err = %v, want one with %q", info, err, tt.want)
			}
		})
	}
}

func TestOtherRefusals(t *testing.T) {
	for name, tt := range map[string]struct{ data, want string }{
		"empty":                     {"", "empty"},
		"descriptor":                {"# Disk DescriptorFile\nRW 1 FLAT \"/etc/shadow\" 0\n", "descriptor"},
		"old vmdk":                  {"COWD", "ESX 3"},
		"half a qcow2":              {"QFI\xfb\x00\x00\x00\x03", "unexpected EOF"},
		"half a vhdx":               {"vhdxfile", "unexpected EOF"},
		"half a vmdk":               {"KDMV", "unexpected EOF"},
		"qcow2 with a broken magic": {"QFI\x00", "magic"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := Read(strings.NewReader(tt.data), int64(len(tt.data))); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("err = %v, want one with %q", err, tt.want)
			}
		})
	}
	if _, err := Open(t.TempDir()); err == nil {
		t.Error("a directory was taken for an image")
	}
}

func TestEncrypted(t *testing.T) {
	for name, p := range map[string]patch{
		"by its method":    {32, be32(2)},
		"by its extension": {104 + 8, append(be32(qcow2ExtLUKS), be32(0)...)},
	} {
		t.Run(name, func(t *testing.T) {
			data, err := os.ReadFile(create(t, "qcow2", "8M"))
			if err != nil {
				t.Fatal(err)
			}
			copy(data[p.at:], p.data)
			info, err := Read(bytes.NewReader(data), int64(len(data)))
			if err != nil || info.Refers != "is encrypted" {
				t.Errorf("info = %+v, %v", info, err)
			}
		})
	}
}

// TestDifferencingVHD changes the kind in a footer and mends its checksum.
func TestDifferencingVHD(t *testing.T) {
	data, err := os.ReadFile(create(t, "vpc", "8M", "-o", "subformat=dynamic"))
	if err != nil {
		t.Fatal(err)
	}
	foot := data[len(data)-512:]
	copy(foot[60:], be32(vhdDifference))
	var sum uint32
	copy(foot[64:], be32(0))
	for _, c := range foot {
		sum += uint32(c)
	}
	copy(foot[64:], be32(^sum))
	info, err := Read(bytes.NewReader(data), int64(len(data)))
	if err != nil || info.StandsAlone() == nil {
		t.Errorf("info = %+v, %v", info, err)
	}
}

func FuzzRead(f *testing.F) {
	for format, options := range map[string][]string{
		"qcow2": nil, "vpc": {"-o", "subformat=dynamic"}, "vmdk": nil,
	} {
		data, err := os.ReadFile(create(f, format, "1M", options...))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data[:min(len(data), 128<<10)])
	}
	f.Add([]byte("vhdxfile"))
	f.Fuzz(func(t *testing.T, data []byte) {
		info, err := Read(bytes.NewReader(data), int64(len(data)))
		if err == nil && (info.SizeBytes <= 0 || info.SizeBytes > MaxBytes) {
			t.Fatalf("size %d was believed", info.SizeBytes)
		}
	})
}

// FuzzVHDX puts the region table and the metadata where a VHDX has them.
func FuzzVHDX(f *testing.F) {
	data, err := os.ReadFile(create(f, "vhdx", "1M"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data[vhdxRegions:vhdxRegions+128], data[2<<20:2<<20+1024])
	f.Fuzz(func(t *testing.T, regions, metadata []byte) {
		file := make([]byte, 4<<20)
		copy(file, "vhdxfile")
		copy(file[vhdxRegions:], regions)
		copy(file[2<<20:], metadata)
		info, err := Read(bytes.NewReader(file), int64(len(file)))
		if err == nil && (info.SizeBytes <= 0 || info.SizeBytes > MaxBytes) {
			t.Fatalf("size %d was believed", info.SizeBytes)
		}
	})
}
