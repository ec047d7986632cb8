package bootdisk

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const testUUID = "11111111-2222-4333-8444-555555555555"

func tree(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"boot/vmlinuz", "boot/initrd", "etc/fstab"} {
		p := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, []byte("content of "+name), 0o640); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func output(t *testing.T, name string, args ...string) string {
	t.Helper()
	path, err := Find(name)
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(path, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %v: %v: %s", name, args, err, out)
	}
	return string(out)
}

func TestWriteMakesADiskThatTheToolsOfAHostCanRead(t *testing.T) {
	work := t.TempDir()
	out := filepath.Join(t.TempDir(), "disk.qcow2")
	d := Disk{Tree: tree(t), RootUUID: testUUID, SizeBytes: 128 << 20, Kernel: "/boot/vmlinuz", Initrd: "/boot/initrd", Cmdline: "ro quiet"}
	var steps []string
	if err := Write(t.Context(), d, work, out, func(s string) { steps = append(steps, s) }); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{StepRoot, StepLoaders, StepConvert}, steps); d != "" {
		t.Error(d)
	}
	raw := filepath.Join(t.TempDir(), "raw")
	output(t, "qemu-img", "convert", "-O", "raw", out, raw)
	parts := output(t, "sfdisk", "-d", raw)
	for _, want := range []string{"label: gpt", `name="bios"`, `name="esp"`, `name="root"`} {
		if !strings.Contains(parts, want) {
			t.Errorf("partitions lack %s:\n%s", want, parts)
		}
	}
	esp := output(t, "mdir", "-b", "-/", "-i", raw+"@@2M", "::")
	for _, want := range []string{"::/EFI/BOOT/BOOTX64.EFI", "::/EFI/BOOT/grub.cfg", "::/EFI/debian/grub.cfg"} {
		if !strings.Contains(esp, want) {
			t.Errorf("the ESP lacks %s:\n%s", want, esp)
		}
	}
	root := raw + "?offset=69206016"
	output(t, "e2fsck", "-fn", root)
	if got := output(t, "debugfs", "-R", "cat /boot/grub/grub.cfg", root); !strings.Contains(got, "linux /boot/vmlinuz root=UUID="+testUUID+" ro quiet") {
		t.Errorf("grub.cfg:\n%s", got)
	}
	checkMBR(t, raw)
}

func checkMBR(t *testing.T, raw string) {
	t.Helper()
	f, err := os.Open(raw)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	b := make([]byte, sector)
	if _, err := f.ReadAt(b, 0); err != nil {
		t.Fatal(err)
	}
	if b[510] != 0x55 || b[511] != 0xaa || b[450] != 0xee {
		t.Errorf("the MBR has no signature or no protective partition: % x", b[440:])
	}
	if got := binary.LittleEndian.Uint64(b[bootKernelSector:]); got != biosAt {
		t.Errorf("grub is looked for in sector %d, want %d", got, biosAt)
	}
}

func TestWriteRefuses(t *testing.T) {
	for name, tc := range map[string]struct {
		change func(*Disk)
		want   string
	}{
		"a disk that is too small":     {func(d *Disk) { d.SizeBytes = 64 << 20 }, "at least"},
		"a size of no whole MiB":       {func(d *Disk) { d.SizeBytes++ }, "whole MiB"},
		"a tree without signed loader": {func(d *Disk) { d.SignedUEFI = true }, "mcopy"},
	} {
		t.Run(name, func(t *testing.T) {
			d := Disk{Tree: tree(t), RootUUID: testUUID, SizeBytes: 128 << 20}
			tc.change(&d)
			err := Write(t.Context(), d, t.TempDir(), filepath.Join(t.TempDir(), "d"), func(string) {})
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("err = %v, want %q", err, tc.want)
			}
		})
	}
}

func TestWriteEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	d := Disk{Tree: tree(t), RootUUID: testUUID, SizeBytes: 128 << 20}
	err := Write(ctx, d, t.TempDir(), filepath.Join(t.TempDir(), "d"), func(s string) {
		if s == StepLoaders {
			cancel()
		}
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("err = %v, want %v", err, context.Canceled)
	}
}

func TestScript(t *testing.T) {
	want := `label: gpt
start=2048, size=2048, type=21686148-6449-6E6F-744E-656564454649, name=bios
start=4096, size=131072, type=C12A7328-F81F-11D2-BA4B-00A0C93EC93B, name=esp
start=135168, size=4057088, type=4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709, name=root
`
	if d := cmp.Diff(want, layout{2 << 30}.script()); d != "" {
		t.Error(d)
	}
}

func TestPatchWritesTheFieldsOfGrubBiosSetup(t *testing.T) {
	boot, core, mbr := make([]byte, sector), bytes.Repeat([]byte{7}, 3*sector-1), bytes.Repeat([]byte{9}, sector)
	b, c, err := patch(boot, core, mbr)
	if err != nil {
		t.Fatal(err)
	}
	wantBoot := make([]byte, sector)
	copy(wantBoot[0x5c:], []byte{0, 8, 0, 0, 0, 0, 0, 0, 0xff, 0, 0x90, 0x90})
	copy(wantBoot[0x1b8:], mbr[0x1b8:])
	if d := cmp.Diff(wantBoot, b); d != "" {
		t.Error(d)
	}
	wantCore := bytes.Clone(core)
	copy(wantCore[0x1f4:], []byte{1, 8, 0, 0, 0, 0, 0, 0, 2, 0, 0x20, 0x08})
	if d := cmp.Diff(wantCore, c); d != "" {
		t.Error(d)
	}
	if boot[0x64] != 0 || core[0x1f4] != 7 {
		t.Error("patch wrote into its arguments")
	}
}

func TestPatchRefuses(t *testing.T) {
	for name, tc := range map[string]struct{ boot, core, mbr int }{
		"a short boot.img":   {511, 1024, 512},
		"a short MBR":        {512, 1024, 0},
		"a short core.img":   {512, 512, 512},
		"a long core.img":    {512, 1<<20 + 1, 512},
		"an empty core.img":  {512, 0, 512},
		"a boot.img of 1 KB": {1024, 1024, 512},
	} {
		t.Run(name, func(t *testing.T) {
			if _, _, err := patch(make([]byte, tc.boot), make([]byte, tc.core), make([]byte, tc.mbr)); err == nil {
				t.Error("no error")
			}
		})
	}
}

func FuzzPatch(f *testing.F) {
	f.Add(make([]byte, 512), make([]byte, 2048), make([]byte, 512))
	f.Fuzz(func(t *testing.T, boot, core, mbr []byte) {
		b, c, err := patch(boot, core, mbr)
		if err == nil && (len(b) != len(boot) || len(c) != len(core)) {
			t.Error("a length has changed")
		}
	})
}

func TestCopySparse(t *testing.T) {
	content := make([]byte, 200<<10)
	copy(content[100<<10:], "middle")
	copy(content[len(content)-3:], "end")
	src := filepath.Join(t.TempDir(), "src")
	if err := os.WriteFile(src, content, 0o600); err != nil {
		t.Fatal(err)
	}
	dst, err := os.Create(filepath.Join(t.TempDir(), "dst"))
	if err != nil {
		t.Fatal(err)
	}
	defer dst.Close()
	if err := copySparse(dst, 1<<20, src); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(dst.Name())
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got[1<<20:], content) || !zero(got[:1<<20]) {
		t.Error("the copy differs")
	}
}

func TestRequireNamesThePackages(t *testing.T) {
	if err := Require(Tools()...); err != nil {
		t.Error(err)
	}
	err := Require(Tool{"sh", "dash"}, Tool{"no-such-program", "one"}, Tool{"/no/such/file", "two"}, Tool{"nor-this", "one"})
	if want := "apt-get install one two"; err == nil || !strings.HasSuffix(err.Error(), want) {
		t.Errorf("err = %v, want %q", err, want)
	}
}

func TestRunSaysWhatTheProgramSaid(t *testing.T) {
	for name, tc := range map[string]struct {
		script string
		want   string
		is     error
	}{
		"its last lines": {"seq 1 9; exit 3", "sh: exit status 3: 4; 5; 6; 7; 8; 9", nil},
		"no space":       {"echo 'x: No space left on device'; exit 1", "No space", syscall.ENOSPC},
		"nothing":        {"exit 1", "sh: exit status 1", nil},
	} {
		t.Run(name, func(t *testing.T) {
			err := Run(t.Context(), "", "sh", "-c", tc.script)
			if err == nil || !strings.Contains(err.Error(), tc.want) || tc.is != nil && !errors.Is(err, tc.is) {
				t.Errorf("err = %v, want %q (%v)", err, tc.want, tc.is)
			}
		})
	}
	if err := Run(t.Context(), "", "no-such-program"); err == nil {
		t.Error("a program that does not exist has run")
	}
}

func TestNewUUIDIsOfVersion4(t *testing.T) {
	a, b := NewUUID(), NewUUID()
	if a == b || len(a) != 36 || a[14] != '4' || !strings.Contains("89ab", a[19:20]) {
		t.Errorf("%s, %s", a, b)
	}
}
