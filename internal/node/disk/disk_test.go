package disk

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"lazuli/internal/fabric"
	"lazuli/internal/image"
	"lazuli/internal/node"
	"lazuli/internal/node/nodetest"
)

func TestConformance(t *testing.T) {
	nodetest.RunDisks(t, func(t *testing.T) nodetest.DisksHost {
		h := newHost(t, t.TempDir())
		return nodetest.DisksHost{
			Open:     func(t *testing.T) node.Disks { return h.open() },
			AddImage: func(t *testing.T, name string, sizeBytes int64) { h.addImage(name, sizeBytes, nil) },
			Use:      h.use,
		}
	})
}

// host is a directory with disks and a catalogue.
type host struct {
	*testing.T
	c Config
	*Driver
}

func newHost(t *testing.T, base string) *host {
	t.Helper()
	h := &host{T: t, c: Config{Root: filepath.Join(base, "disks"), Images: filepath.Join(base, "images")}}
	h.open()
	return h
}

func (h *host) open() *Driver {
	h.Helper()
	d, err := New(h.c)
	h.check(err)
	h.Driver = d
	return d
}

func (h *host) check(err error) {
	h.Helper()
	if err != nil {
		h.Fatal(err)
	}
}

// addImage installs an image of that size with data at its beginning.
func (h *host) addImage(name string, sizeBytes int64, data []byte) {
	h.Helper()
	raw := filepath.Join(h.T.TempDir(), "raw")
	h.check(os.WriteFile(raw, data, 0o600))
	h.check(os.Truncate(raw, sizeBytes))
	file := filepath.Join(h.c.Images, "new.qcow2")
	h.command("qemu-img", "convert", "-f", "raw", "-O", "qcow2", raw, file)
	c, err := image.Open(h.c.Images)
	h.check(err)
	h.check(c.Install(h.Context(), fabric.NodeImage{
		Name: name, Version: "1", OSType: "Linux", Firmware: []fabric.Firmware{fabric.UEFI}, SizeBytes: sizeBytes,
	}, file))
}

func (h *host) command(name string, args ...string) string {
	h.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		h.Fatalf("%s %v: %v: %s", name, args, err, out)
	}
	return string(out)
}

// use opens a disk with a QEMU without a guest.
func (h *host) use(t *testing.T, d node.InstanceDisk) (release func()) {
	t.Helper()
	cmd := exec.Command("qemu-system-x86_64", "-S", "-M", "none", "-nodefaults", "-display", "none", "-qmp", "stdio",
		"-blockdev", "driver="+d.Format+",node-name=d,file.driver=file,file.filename="+d.Path)
	in, err := cmd.StdinPipe()
	h.check(err)
	out, err := cmd.StdoutPipe()
	h.check(err)
	h.check(cmd.Start())
	// A block node takes its locks when something uses it.
	for _, line := range []string{`{"execute": "qmp_capabilities"}`,
		`{"execute": "block-export-add", "arguments": {"type": "nbd", "id": "e", "node-name": "d", "writable": true}}`} {
		if strings.Contains(line, "export") {
			_, err = in.Write([]byte(`{"execute": "nbd-server-start", "arguments": {"addr": {"type": "unix", "data": {"path": "` +
				filepath.Join(h.T.TempDir(), "s") + `"}}}}` + "\n"))
			h.check(err)
		}
		_, err = in.Write([]byte(line + "\n"))
		h.check(err)
	}
	buf, said := make([]byte, 4096), ""
	for strings.Count(said, `"return"`) < 3 {
		n, err := out.Read(buf)
		said += string(buf[:n])
		if err != nil || strings.Contains(said, `"error"`) {
			h.Fatalf("qemu says %s, %v", said, err)
		}
	}
	return func() { cmd.Process.Kill(); cmd.Wait() }
}

const (
	uid1, uid2 = "88888888-0000-4000-8000-000000000001", "88888888-0000-4000-8000-000000000002"
	mib        = int64(1 << 20)
)

func (h *host) ensure(d fabric.Disk) fabric.DiskReport {
	h.Helper()
	r, err := h.Ensure(h.Context(), d)
	h.check(err)
	return r
}

func (h *host) opened(uid string) node.InstanceDisk {
	h.Helper()
	d, err := h.Open(h.Context(), uid, 70001)
	h.check(err)
	return d
}

// content reads a disk from its beginning, through all that it stands on.
func (h *host) content(uid string, n int) []byte {
	h.Helper()
	d := h.opened(uid)
	raw := filepath.Join(h.T.TempDir(), "content")
	h.command("qemu-img", "convert", "-f", d.Format, "-O", "raw", d.Path, raw)
	data, err := os.ReadFile(raw)
	h.check(err)
	return data[:n]
}

// poke writes a pattern into a disk.
func (h *host) poke(uid string, pattern byte, at, n int64) {
	h.Helper()
	d := h.opened(uid)
	h.command("qemu-io", "-f", d.Format, "-c",
		"write -P "+strconv.Itoa(int(pattern))+" "+strconv.FormatInt(at, 10)+" "+strconv.FormatInt(n, 10), d.Path)
}

// left are the names below the directory of the disks.
func (h *host) left() []string {
	h.Helper()
	entries, err := os.ReadDir(h.c.Root)
	h.check(err)
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func TestOverlayReadsItsImage(t *testing.T) {
	h := newHost(t, t.TempDir())
	h.addImage("debian-12", 4*mib, []byte("the image"))
	h.ensure(fabric.Disk{UID: uid1, SizeBytes: 8 * mib, Image: "debian-12"})
	h.ensure(fabric.Disk{UID: uid2, SizeBytes: 8 * mib, Image: "debian-12"})
	h.poke(uid1, 'x', 0, 3)
	if got := string(h.content(uid1, 9)); got != "xxx image" {
		t.Errorf("content = %q", got)
	}
	if got := string(h.content(uid2, 9)); got != "the image" {
		t.Errorf("content of the other = %q", got)
	}
	d := h.opened(uid1)
	if d.Format != "qcow2" || len(d.Backing) != 1 {
		t.Errorf("disk = %+v", d)
	}
}

func TestImageIsRemovedUnderDisks(t *testing.T) {
	h := newHost(t, t.TempDir())
	h.ensure(fabric.Disk{UID: uid1, SizeBytes: 4 * mib})
	h.poke(uid1, 'a', 0, 4)
	img := fabric.Image{UID: "99999999-0000-4000-8000-000000000001", SourceDisk: uid1}
	_, err := h.MakeImage(t.Context(), img, func(int) {})
	h.check(err)
	h.ensure(fabric.Disk{UID: uid2, SizeBytes: 4 * mib, Image: "image-" + img.UID})
	h.check(h.RemoveImage(t.Context(), img.UID))
	h.check(h.Remove(t.Context(), uid1))
	if got := string(h.content(uid2, 4)); got != "aaaa" {
		t.Errorf("content = %q", got)
	}
	if entries, err := os.ReadDir(h.c.Images); err != nil || slices.ContainsFunc(entries, os.DirEntry.IsDir) {
		t.Errorf("left of the image: %v, %v", entries, err)
	}
}

func TestImageOfAnOverlay(t *testing.T) {
	h := newHost(t, t.TempDir())
	h.addImage("debian-12", 4*mib, []byte("the image"))
	h.ensure(fabric.Disk{UID: uid1, SizeBytes: 4 * mib, Image: "debian-12"})
	h.poke(uid1, 'x', 0, 3)
	img := fabric.Image{UID: "99999999-0000-4000-8000-000000000001", SourceDisk: uid1}
	var told []int
	r, err := h.MakeImage(t.Context(), img, func(percent int) { told = append(told, percent) })
	h.check(err)
	if r.SizeBytes != 4*mib || r.Progress != 100 || len(told) == 0 {
		t.Errorf("report = %+v, progress = %v", r, told)
	}
	h.ensure(fabric.Disk{UID: uid2, SizeBytes: 4 * mib, Image: "image-" + img.UID})
	if got := string(h.content(uid2, 9)); got != "xxx image" {
		t.Errorf("content = %q", got)
	}
	var desc fabric.NodeImage
	data, err := os.ReadFile(filepath.Join(h.c.Images, "image-"+img.UID, "image.json"))
	h.check(err)
	h.check(json.Unmarshal(data, &desc))
	if !slices.Equal(desc.Firmware, []fabric.Firmware{fabric.UEFI}) || desc.OSType != "Linux" {
		t.Errorf("description = %+v", desc)
	}
}

func TestCopyOfAnOverlay(t *testing.T) {
	h := newHost(t, t.TempDir())
	h.addImage("debian-12", 4*mib, []byte("the image"))
	h.ensure(fabric.Disk{UID: uid1, SizeBytes: 4 * mib, Image: "debian-12"})
	h.poke(uid1, 'x', 0, 3)
	if r := h.ensure(fabric.Disk{UID: uid2, SizeBytes: 8 * mib, SourceDisk: uid1}); r.SizeBytes != 8*mib {
		t.Errorf("report = %+v", r)
	}
	h.poke(uid1, 'y', 0, 9)
	if got := string(h.content(uid2, 9)); got != "xxx image" {
		t.Errorf("content = %q", got)
	}
}

func TestCopyKeepsHoles(t *testing.T) {
	h := newHost(t, t.TempDir())
	h.ensure(fabric.Disk{UID: uid1, SizeBytes: 64 * mib})
	h.poke(uid1, 'a', 40*mib, 4096)
	r := h.ensure(fabric.Disk{UID: uid2, SizeBytes: 64 * mib, SourceDisk: uid1})
	if r.UsedBytes > mib {
		t.Errorf("copy takes %d bytes", r.UsedBytes)
	}
	data, err := os.ReadFile(h.opened(uid2).Path)
	h.check(err)
	if data[40*mib] != 'a' || data[40*mib+4095] != 'a' || data[40*mib+4096] != 0 {
		t.Error("copy differs")
	}
}

func TestInUse(t *testing.T) {
	for name, sized := range map[string]fabric.Disk{
		"raw":   {UID: uid1, SizeBytes: 4 * mib},
		"qcow2": {UID: uid1, SizeBytes: 4 * mib, Image: "debian-12"},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHost(t, t.TempDir())
			h.addImage("debian-12", 4*mib, nil)
			h.ensure(sized)
			release := h.use(t, h.opened(uid1))
			defer release()
			_, err := h.Ensure(t.Context(), fabric.Disk{UID: uid2, SizeBytes: 4 * mib, SourceDisk: uid1})
			h.mustBeInUse("copy", err)
			_, err = h.MakeImage(t.Context(), fabric.Image{UID: uid2, SourceDisk: uid1}, func(int) {})
			h.mustBeInUse("image", err)
			_, err = h.Open(t.Context(), uid1, 70002)
			h.mustBeInUse("open for another", err)
			var st unix.Stat_t
			h.check(unix.Stat(filepath.Join(h.c.Root, uid1), &st))
			if st.Gid != 70001 {
				t.Errorf("the directory of a disk in use was given to group %d", st.Gid)
			}
			h.mustBeInUse("remove", h.Remove(t.Context(), uid1))
			h.opened(uid1) // for the same machine
			grown := sized
			grown.SizeBytes = 8 * mib
			if r := h.ensure(grown); r.SizeBytes != 4*mib {
				t.Errorf("a disk in use was grown: %+v", r)
			}
			release()
			if r := h.ensure(grown); r.SizeBytes != 8*mib {
				t.Errorf("report = %+v", r)
			}
			if got := h.left(); !slices.Equal(got, []string{uid1}) {
				t.Errorf("left = %v", got)
			}
		})
	}
}

func (h *host) mustBeInUse(what string, err error) {
	h.Helper()
	if !errors.Is(err, errInUse) {
		h.Errorf("%s: err = %v, want in use", what, err)
	}
}

func TestPermissions(t *testing.T) {
	h := newHost(t, t.TempDir())
	h.addImage("debian-12", 4*mib, nil)
	h.ensure(fabric.Disk{UID: uid1, SizeBytes: 4 * mib, Image: "debian-12"})
	d := h.opened(uid1)
	for path, want := range map[string]struct {
		owner, group uint32
		mode         os.FileMode
	}{
		d.Path:                     {70001, 70001, 0o600},
		d.Backing[0]:               {0, 0, 0o444},
		filepath.Dir(d.Path):       {0, 70001, 0o710},
		h.c.Root:                   {0, 0, 0o711},
		h.c.Images:                 {0, 0, 0o700},
		d.Path + "/../" + metaFile: {0, 0, 0o600},
	} {
		var st unix.Stat_t
		h.check(unix.Stat(filepath.Clean(path), &st))
		if st.Uid != want.owner || st.Gid != want.group || os.FileMode(st.Mode&0o777) != want.mode {
			t.Errorf("%s is %d:%d with mode %#o, want %+v", path, st.Uid, st.Gid, st.Mode&0o777, want)
		}
	}
}

func TestRefusals(t *testing.T) {
	tests := map[string]struct {
		disk fabric.Disk
		want string
	}{
		"no size":             {fabric.Disk{UID: uid2}, "multiple of 512"},
		"odd size":            {fabric.Disk{UID: uid2, SizeBytes: 513}, "multiple of 512"},
		"absurd size":         {fabric.Disk{UID: uid2, SizeBytes: 1 << 60}, "64 TiB"},
		"strange uid":         {fabric.Disk{UID: "../x", SizeBytes: mib}, "uid"},
		"no such image":       {fabric.Disk{UID: uid2, SizeBytes: mib, Image: "none"}, "not on the node"},
		"strange image":       {fabric.Disk{UID: uid2, SizeBytes: mib, Image: "../x"}, "not a name"},
		"larger image":        {fabric.Disk{UID: uid2, SizeBytes: mib, Image: "debian-12"}, "more than the disk's"},
		"image with a parent": {fabric.Disk{UID: uid2, SizeBytes: 4 * mib, Image: "hostile"}, "backing file"},
		"larger source":       {fabric.Disk{UID: uid2, SizeBytes: mib, SourceDisk: uid1}, "more than the disk's"},
	}
	h := newHost(t, t.TempDir())
	h.addImage("debian-12", 4*mib, nil)
	h.addImage("hostile", 4*mib, nil)
	hostile := filepath.Join(h.c.Images, "hostile", "disk.qcow2")
	h.command("qemu-img", "rebase", "-u", "-f", "qcow2", "-F", "raw", "-b", "/etc/passwd", hostile)
	h.ensure(fabric.Disk{UID: uid1, SizeBytes: 4 * mib})
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if _, err := h.Ensure(t.Context(), tt.disk); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("err = %v, want one with %q", err, tt.want)
			}
			if got := h.left(); !slices.Equal(got, []string{uid1}) {
				t.Errorf("left = %v", got)
			}
		})
	}
}

// TestTamperedHeader is a QEMU that its guest took over, and that made its disk
// lead to a file of the host: it must not become readable through qemu-img.
func TestTamperedHeader(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "secret")
	tests := map[string]func(h *host, path string){
		"another file below": func(h *host, path string) {
			h.command("qemu-img", "rebase", "-u", "-f", "qcow2", "-F", "raw", "-b", secret, path)
		},
		"nothing below": func(h *host, path string) {
			h.command("qemu-img", "rebase", "-u", "-f", "qcow2", "-b", "", path)
		},
		"data elsewhere": func(h *host, path string) {
			h.check(os.Remove(path))
			h.command("qemu-img", "create", "-q", "-f", "qcow2", "-o", "data_file="+secret+",data_file_raw=off", path, "4M")
		},
	}
	for name, tamper := range tests {
		t.Run(name, func(t *testing.T) {
			h := newHost(t, t.TempDir())
			h.check(os.WriteFile(secret, make([]byte, 4*mib), 0o600))
			h.addImage("debian-12", 4*mib, []byte("the image"))
			h.ensure(fabric.Disk{UID: uid1, SizeBytes: 4 * mib, Image: "debian-12"})
			tamper(h, h.opened(uid1).Path)
			_, err := h.MakeImage(t.Context(), fabric.Image{UID: uid2, SourceDisk: uid1}, func(int) {})
			h.mustBeTampered("image", err)
			_, err = h.Ensure(t.Context(), fabric.Disk{UID: uid2, SizeBytes: 4 * mib, SourceDisk: uid1})
			h.mustBeTampered("copy", err)
			_, err = h.Ensure(t.Context(), fabric.Disk{UID: uid1, SizeBytes: 8 * mib, Image: "debian-12"})
			h.mustBeTampered("grow", err)
			if got := h.left(); !slices.Equal(got, []string{uid1}) {
				t.Errorf("left = %v", got)
			}
		})
	}
}

func (h *host) mustBeTampered(what string, err error) {
	h.Helper()
	if err == nil || !strings.Contains(err.Error(), "tampered") {
		h.Errorf("%s: err = %v, want one that says that the disk was tampered with", what, err)
	}
}

func TestHalfMadeIsCleared(t *testing.T) {
	h := newHost(t, t.TempDir())
	h.ensure(fabric.Disk{UID: uid1, SizeBytes: mib})
	for _, name := range []string{making + uid2, gone + uid2, making + imageName(uid2)} {
		h.check(os.MkdirAll(filepath.Join(h.c.Root, name, "x"), 0o700))
	}
	h.open()
	if got := h.left(); !slices.Equal(got, []string{uid1}) {
		t.Errorf("left = %v", got)
	}
}

func TestBrokenMeta(t *testing.T) {
	for name, text := range map[string]string{"not JSON": "{", "strange format": `{"format": "../../etc"}`} {
		t.Run(name, func(t *testing.T) {
			h := newHost(t, t.TempDir())
			h.ensure(fabric.Disk{UID: uid1, SizeBytes: mib})
			h.check(os.WriteFile(filepath.Join(h.c.Root, uid1, metaFile), []byte(text), 0o600))
			if _, err := h.Ensure(t.Context(), fabric.Disk{UID: uid1, SizeBytes: mib}); err == nil {
				t.Error("a disk of which nothing is known was made anew")
			}
			if _, err := os.Stat(filepath.Join(h.c.Root, uid1, "disk.raw")); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestCancelledCopyLeavesNothing(t *testing.T) {
	h := newHost(t, t.TempDir())
	h.ensure(fabric.Disk{UID: uid1, SizeBytes: 64 * mib})
	h.poke(uid1, 'a', 0, 64*mib)
	ctx, cancel := context.WithCancel(t.Context())
	_, err := h.MakeImage(ctx, fabric.Image{UID: uid2, SourceDisk: uid1}, func(int) { cancel() })
	if err != nil && !errors.Is(err, context.Canceled) || !slices.Equal(h.left(), []string{uid1}) {
		t.Errorf("err = %v, left = %v", err, h.left())
	}
}

// TestFullFileSystem makes everything that takes room on a file system without
// any.
func TestFullFileSystem(t *testing.T) {
	base := t.TempDir()
	h := &host{T: t}
	h.command("mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", base)
	t.Cleanup(func() { h.command("umount", "-l", base) })
	h = newHost(t, base)
	h.addImage("debian-12", 4*mib, nil)
	h.ensure(fabric.Disk{UID: uid1, SizeBytes: 8 * mib})
	h.poke(uid1, 'a', 0, 3*mib)
	h.ensure(fabric.Disk{UID: uid2, SizeBytes: 8 * mib, Image: "debian-12"})
	before := h.left()
	for name, try := range map[string]func() error{
		"copy": func() error {
			_, err := h.Ensure(t.Context(), fabric.Disk{UID: "copy", SizeBytes: 8 * mib, SourceDisk: uid1})
			return err
		},
		"image": func() error {
			_, err := h.MakeImage(t.Context(), fabric.Image{UID: "image", SourceDisk: uid1}, func(int) {})
			return err
		},
	} {
		err := try()
		if err == nil || !strings.Contains(err.Error(), "the node's disk is full") || !strings.Contains(err.Error(), "are free") {
			t.Errorf("%s: err = %v", name, err)
		}
		if got := h.left(); !slices.Equal(got, before) {
			t.Errorf("%s: left = %v, were %v", name, got, before)
		}
	}
}

func TestTwoFileSystems(t *testing.T) {
	base := t.TempDir()
	h := &host{T: t}
	h.command("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", base)
	t.Cleanup(func() { h.command("umount", "-l", base) })
	if _, err := New(Config{Root: t.TempDir(), Images: base}); err == nil {
		t.Error("disks and images are on two file systems")
	}
}

func FuzzProgress(f *testing.F) {
	f.Add("    (12.34/100%)\r    (100.00/100%)\r\n")
	f.Fuzz(func(t *testing.T, text string) {
		last := -1
		readProgress(strings.NewReader(text), func(percent int) {
			if percent <= last || percent > 100 {
				t.Fatalf("progress went from %d to %d", last, percent)
			}
			last = percent
		})
	})
}

// A machine that begins anew gets another disk of the image: it has nothing of
// the old one, which goes without it noticing.
func TestBeginAnew(t *testing.T) {
	h := newHost(t, t.TempDir())
	h.addImage("debian-12", 4*mib, []byte("the image"))
	h.ensure(fabric.Disk{UID: uid1, SizeBytes: 8 * mib, Image: "debian-12"})
	h.poke(uid1, 'x', 0, 3)
	anew := fabric.Disk{UID: uid2, SizeBytes: 8 * mib, Image: "debian-12"}
	h.ensure(anew)
	h.poke(uid2, 'y', 4, 5)
	h.open() // an agent that died in between finds both
	h.ensure(anew)
	h.check(h.Remove(t.Context(), uid1))
	h.check(h.Remove(t.Context(), uid1))
	if got := string(h.content(uid2, 9)); got != "the yyyyy" {
		t.Errorf("content = %q", got)
	}
	if got := h.left(); !slices.Equal(got, []string{uid2}) {
		t.Errorf("left = %v, want the new disk only", got)
	}
}
