package image

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"lazuli/internal/fabric"
)

func describe(name, version string) fabric.NodeImage {
	return fabric.NodeImage{Name: name, Publisher: "Debian", Offer: "debian-12", SKU: "12", Version: version,
		OSType: "Linux", Firmware: []fabric.Firmware{fabric.BIOS, fabric.UEFI}, SizeBytes: 1 << 30}
}

func open(t *testing.T) *Catalogue {
	t.Helper()
	c, err := Open(filepath.Join(t.TempDir(), "images"))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// file makes a qcow2 file, which mark tells from others.
func file(t *testing.T, mark string) string {
	t.Helper()
	p := filepath.Join(t.TempDir(), "disk")
	qemuImg(t, "create", "-q", "-f", "qcow2", p, "1G")
	f, err := os.OpenFile(p, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString(mark); err != nil {
		t.Fatal(err)
	}
	return p
}

func qemuImg(t *testing.T, args ...string) {
	t.Helper()
	if out, err := exec.Command("qemu-img", args...).CombinedOutput(); err != nil {
		t.Fatalf("qemu-img: %v: %s", err, out)
	}
}

// checkMark says whether the disk of the image tiny is the one made with mark.
func checkMark(t *testing.T, c *Catalogue, mark string) {
	t.Helper()
	if b, err := os.ReadFile(c.DiskPath("tiny")); err != nil || !bytes.HasSuffix(b, []byte(mark)) {
		t.Errorf("the disk is not the one marked %q (%v)", mark, err)
	}
}

func nobody(string) (string, error) { return "", nil }

func TestInstallMakesAnImageThatListGetAndDiskPathFind(t *testing.T) {
	c := open(t)
	want := []fabric.NodeImage{describe("debian-12", "12.1.0"), describe("tiny", "1.0.0")}
	for _, img := range []fabric.NodeImage{want[1], want[0]} {
		if err := c.Install(t.Context(), img, file(t, "disk of "+img.Name)); err != nil {
			t.Fatal(err)
		}
	}
	got, err := c.List()
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	one, err := c.Get("tiny")
	if err != nil || one.Version != "1.0.0" {
		t.Errorf("Get = %v, %v", one, err)
	}
	checkMark(t, c, "disk of tiny")
	st, err := os.Stat(c.DiskPath("tiny"))
	if err != nil || st.Mode().Perm() != 0o444 {
		t.Errorf("mode = %v, %v, want 0444", st.Mode(), err)
	}
}

func TestInstallOfWhatIsThere(t *testing.T) {
	for name, tc := range map[string]struct {
		version string
		want    error
	}{
		"the same version is no change":  {"1.0.0", nil},
		"another version is not allowed": {"1.0.1", ErrExists},
	} {
		t.Run(name, func(t *testing.T) {
			c := open(t)
			if err := c.Install(t.Context(), describe("tiny", "1.0.0"), file(t, "old")); err != nil {
				t.Fatal(err)
			}
			if err := c.Install(t.Context(), describe("tiny", tc.version), file(t, "new")); !errors.Is(err, tc.want) {
				t.Errorf("err = %v, want %v", err, tc.want)
			}
			checkMark(t, c, "old")
		})
	}
}

func TestInstallRefuses(t *testing.T) {
	raw, overlay, small := filepath.Join(t.TempDir(), "raw"), filepath.Join(t.TempDir(), "overlay"), filepath.Join(t.TempDir(), "small")
	qemuImg(t, "create", "-q", "-f", "raw", raw, "1G")
	qemuImg(t, "create", "-q", "-f", "qcow2", "-b", raw, "-F", "raw", overlay)
	qemuImg(t, "create", "-q", "-f", "qcow2", small, "1M")
	whole := file(t, "")
	for name, tc := range map[string]struct {
		change func(*fabric.NodeImage)
		disk   string
		want   string
	}{
		"a name that leaves the directory": {func(i *fabric.NodeImage) { i.Name = "../x" }, whole, "not a name"},
		"no version":                       {func(i *fabric.NodeImage) { i.Version = "" }, whole, "no version"},
		"no OS type":                       {func(i *fabric.NodeImage) { i.OSType = "" }, whole, "no OS type"},
		"no firmware":                      {func(i *fabric.NodeImage) { i.Firmware = nil }, whole, "no firmware"},
		"no size":                          {func(i *fabric.NodeImage) { i.SizeBytes = 0 }, whole, "no size"},
		"no file":                          {func(*fabric.NodeImage) {}, "/no/such/file", "no such file"},
		"another format":                   {func(*fabric.NodeImage) {}, raw, "the disk is raw"},
		"another size":                     {func(*fabric.NodeImage) {}, small, "of 1048576 bytes"},
		"a disk that needs another":        {func(*fabric.NodeImage) {}, overlay, "image"},
	} {
		t.Run(name, func(t *testing.T) {
			c, img := open(t), describe("tiny", "1.0.0")
			tc.change(&img)
			err := c.Install(t.Context(), img, tc.disk)
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("err = %v, want %q", err, tc.want)
			}
			if got, err := c.List(); len(got) != 0 || err != nil {
				t.Errorf("List = %v, %v, want nothing", got, err)
			}
		})
	}
}

func TestInstallFromAnotherFileSystemCopies(t *testing.T) {
	dir, err := os.MkdirTemp("/dev/shm", "image")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	src := filepath.Join(dir, "disk")
	if err := exec.Command("cp", file(t, "far"), src).Run(); err != nil {
		t.Fatal(err)
	}
	c := open(t)
	if err := c.Install(t.Context(), describe("tiny", "1"), src); err != nil {
		t.Fatal(err)
	}
	checkMark(t, c, "far")
}

func TestManyInstallAtOnceAndOneWins(t *testing.T) {
	c := open(t)
	var wg sync.WaitGroup
	errs := make([]error, 8)
	for i := range errs {
		disk := file(t, "same")
		wg.Go(func() { errs[i] = c.Install(t.Context(), describe("tiny", "1"), disk) })
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Error(err)
	}
	if left, _ := filepath.Glob(filepath.Join(c.root, unsettled+"*")); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestOpenClearsWhatWasCutShort(t *testing.T) {
	c := open(t)
	left := filepath.Join(c.root, unsettled+"1")
	if err := os.MkdirAll(filepath.Join(left, "tiny"), 0o755); err != nil {
		t.Fatal(err)
	}
	l, err := lock(t.Context(), filepath.Join(c.root, lockFile))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Open(c.root); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(left); err != nil {
		t.Errorf("what another holder of the lock is making was taken away: %v", err)
	}
	l.Close()
	if _, err := Open(c.root); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(left); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("stat = %v, want it gone", err)
	}
}

func TestListLeavesOutWhatIsBrokenAndSaysSo(t *testing.T) {
	for name, desc := range map[string]string{
		"not JSON":     "{",
		"another name": `{"name":"other"}`,
		"no disk":      `{"name":"broken"}`,
	} {
		t.Run(name, func(t *testing.T) {
			c := open(t)
			if err := c.Install(t.Context(), describe("tiny", "1"), file(t, "x")); err != nil {
				t.Fatal(err)
			}
			dir := filepath.Join(c.root, "broken")
			if err := os.Mkdir(dir, 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, descFile), []byte(desc), 0o644); err != nil {
				t.Fatal(err)
			}
			got, err := c.List()
			if len(got) != 1 || err == nil || !strings.Contains(err.Error(), "image broken") {
				t.Errorf("List = %v, %v", got, err)
			}
		})
	}
}

func TestRemove(t *testing.T) {
	unknown := errors.New("cannot tell")
	for name, tc := range map[string]struct {
		image string
		inUse func(string) (string, error)
		want  error
		stays bool
	}{
		"unused":              {"tiny", nobody, nil, false},
		"used":                {"tiny", func(string) (string, error) { return "disk web1_os", nil }, ErrInUse, true},
		"use cannot be known": {"tiny", func(string) (string, error) { return "", unknown }, unknown, true},
		"not there":           {"other", nobody, nil, true},
		"not a name":          {"..", nobody, ErrName, true},
	} {
		t.Run(name, func(t *testing.T) {
			c := open(t)
			if err := c.Install(t.Context(), describe("tiny", "1"), file(t, "x")); err != nil {
				t.Fatal(err)
			}
			if err := c.Remove(t.Context(), tc.image, tc.inUse); !errors.Is(err, tc.want) {
				t.Errorf("err = %v, want %v", err, tc.want)
			}
			_, err := c.Get("tiny")
			if stays := err == nil; stays != tc.stays {
				t.Errorf("stays = %v, want %v (%v)", stays, tc.stays, err)
			}
			if !tc.stays && !errors.Is(err, ErrNotFound) {
				t.Errorf("Get = %v, want %v", err, ErrNotFound)
			}
		})
	}
}

func TestBuildLockHasOneHolder(t *testing.T) {
	c := open(t)
	l, err := c.BuildLock("debian-12")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.BuildLock("debian-12"); !errors.Is(err, ErrBuilding) {
		t.Errorf("err = %v, want %v", err, ErrBuilding)
	}
	other, err := c.BuildLock("debian-13")
	if err != nil {
		t.Errorf("another image: %v", err)
	}
	other.Close()
	l.Close()
	again, err := c.BuildLock("debian-12")
	if err != nil {
		t.Errorf("after the first is done: %v", err)
	}
	again.Close()
}

func TestLockEndsWithItsContext(t *testing.T) {
	c := open(t)
	l, err := lock(t.Context(), filepath.Join(c.root, lockFile))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := c.Install(ctx, describe("tiny", "1"), file(t, "x")); !errors.Is(err, context.Canceled) {
		t.Errorf("err = %v, want %v", err, context.Canceled)
	}
}

func TestCheckName(t *testing.T) {
	for name, ok := range map[string]bool{
		"debian-12": true, "a": true, "image-0f": true, "win.2022": true,
		"": false, ".": false, "..": false, "a/b": false, "-a": false, "a-": false, "A": false, "a b": false,
		".hidden": false, "é": false, strings.Repeat("a", 80): true, strings.Repeat("a", 81): false,
	} {
		if err := CheckName(name); (err == nil) != ok || err != nil && !errors.Is(err, ErrName) {
			t.Errorf("CheckName(%q) = %v, want ok = %v", name, err, ok)
		}
	}
}

func FuzzCheckName(f *testing.F) {
	f.Add("debian-12")
	f.Add("../etc")
	f.Fuzz(func(t *testing.T, name string) {
		if CheckName(name) == nil && (filepath.Base(name) != name || name == "." || name == ".." || strings.HasPrefix(name, ".")) {
			t.Errorf("%q is taken for a name", name)
		}
	})
}
