package image

import (
	"context"
	"errors"
	"os"
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

func file(t *testing.T, content string) string {
	t.Helper()
	p := filepath.Join(t.TempDir(), "disk")
	if err := os.WriteFile(p, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return p
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
	b, err := os.ReadFile(c.DiskPath("tiny"))
	if err != nil || string(b) != "disk of tiny" {
		t.Errorf("disk = %q, %v", b, err)
	}
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
			if b, _ := os.ReadFile(c.DiskPath("tiny")); string(b) != "old" {
				t.Errorf("disk = %q, want what was there", b)
			}
		})
	}
}

func TestInstallRefuses(t *testing.T) {
	bad := errors.New("not a qcow2 file")
	for name, tc := range map[string]struct {
		change func(*fabric.NodeImage, *Catalogue)
		want   string
	}{
		"a name that leaves the directory": {func(i *fabric.NodeImage, _ *Catalogue) { i.Name = "../x" }, "not a name"},
		"no version":                       {func(i *fabric.NodeImage, _ *Catalogue) { i.Version = "" }, "no version"},
		"no OS type":                       {func(i *fabric.NodeImage, _ *Catalogue) { i.OSType = "" }, "no OS type"},
		"no firmware":                      {func(i *fabric.NodeImage, _ *Catalogue) { i.Firmware = nil }, "no firmware"},
		"no size":                          {func(i *fabric.NodeImage, _ *Catalogue) { i.SizeBytes = 0 }, "no size"},
		"a file that the check refuses": {func(_ *fabric.NodeImage, c *Catalogue) {
			c.Check = func(context.Context, string) error { return bad }
		}, "not a qcow2 file"},
	} {
		t.Run(name, func(t *testing.T) {
			c, img := open(t), describe("tiny", "1.0.0")
			tc.change(&img, c)
			err := c.Install(t.Context(), img, file(t, "x"))
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
	if err := os.WriteFile(src, []byte("far"), 0o600); err != nil {
		t.Fatal(err)
	}
	c := open(t)
	if err := c.Install(t.Context(), describe("tiny", "1"), src); err != nil {
		t.Fatal(err)
	}
	if b, err := os.ReadFile(c.DiskPath("tiny")); string(b) != "far" {
		t.Errorf("disk = %q, %v", b, err)
	}
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
