package guestimage

import (
	"bytes"
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestLoadOrder(t *testing.T) {
	const dep = `kernel/drivers/virtio/virtio_pci.ko: kernel/drivers/virtio/virtio_pci_modern_dev.ko kernel/drivers/virtio/virtio.ko kernel/drivers/virtio/virtio_ring.ko
kernel/drivers/virtio/virtio_ring.ko:
kernel/drivers/char/hw_random/virtio-rng.ko: kernel/drivers/virtio/virtio.ko kernel/drivers/virtio/virtio_ring.ko
nonsense
`
	got, err := loadOrder(dep, []string{"virtio_pci", "virtio_rng"})
	want := []string{"kernel/drivers/virtio/virtio_ring.ko", "kernel/drivers/virtio/virtio.ko", "kernel/drivers/virtio/virtio_pci_modern_dev.ko",
		"kernel/drivers/virtio/virtio_pci.ko", "kernel/drivers/char/hw_random/virtio-rng.ko"}
	if d := cmp.Diff(want, got); d != "" || err != nil {
		t.Error(d, err)
	}
	if _, err := loadOrder(dep, []string{"nothing"}); err == nil {
		t.Error("a module that does not exist was found")
	}
}

func FuzzLoadOrder(f *testing.F) {
	f.Add("a/m.ko: b/n.ko\nb/n.ko:\n")
	f.Fuzz(func(t *testing.T, dep string) {
		order, err := loadOrder(dep, []string{"m"})
		if err == nil && len(order) == 0 {
			t.Error("nothing is to be loaded")
		}
	})
}

func TestKernelOf(t *testing.T) {
	for said, want := range map[string]string{
		"linux-image-cloud-amd64\n  Depends: linux-image-6.1.0-56-cloud-amd64\n": "linux-image-6.1.0-56-cloud-amd64",
		"linux-image-cloud-amd64\n  Depends: something\n":                        "",
		"": "",
	} {
		if got := kernelOf(said); got != want {
			t.Errorf("kernelOf(%q) = %q, want %q", said, got, want)
		}
	}
}

func TestFileNames(t *testing.T) {
	said := "'http://m/pool/b.deb' busybox-static_1%3a1.35_amd64.deb 928188 SHA256:00\nW: something\n'http://m/x' ../../evil_1_amd64.deb 1 SHA256:00\n"
	if d := cmp.Diff([]string{"busybox-static_1%3a1.35_amd64.deb", "evil_1_amd64.deb"}, fileNames(said)); d != "" {
		t.Error(d)
	}
}

func FuzzFileNames(f *testing.F) {
	f.Add("'u' a_1_amd64.deb 1 x\n")
	f.Fuzz(func(t *testing.T, said string) {
		for _, n := range fileNames(said) {
			if strings.Contains(n, "/") {
				t.Errorf("name %q", n)
			}
		}
	})
}

func TestArchiveIsReadByCpio(t *testing.T) {
	var b bytes.Buffer
	a := archive{w: &b}
	a.directory("dev")
	a.console("dev/console")
	a.file("init", []byte("five!"), 0o755)
	if err := a.close(); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("cpio", "-tv", "--numeric-uid-gid", "--quiet")
	cmd.Stdin = &b
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	for i, want := range []string{"drwxr-xr-x", "crw-------", "-rwxr-xr-x"} {
		if len(lines) != 3 || !strings.HasPrefix(lines[i], want) {
			t.Errorf("cpio says:\n%s", out)
		}
	}
	a = archive{w: &b}
	a.fromFile("x", "/no/such/file", 0o644)
	if a.close() == nil {
		t.Error("a file that does not exist was taken in")
	}
}
