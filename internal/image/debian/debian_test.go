package debian

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"lazuli/internal/fabric"
	"lazuli/internal/image"
)

func TestSourcesListHasDebianOnly(t *testing.T) {
	line := func(uri, release, component string) string {
		return "deb [arch=amd64 signed-by=" + keyring + "] " + uri + " " + release + " " + component + "\n"
	}
	for name, tc := range map[string]struct {
		targets []string
		want    string
	}{
		"a release with its updates": {
			[]string{"Debian|bookworm|main|http://m/debian/|Packages", "Debian|bookworm-updates|main|http://m/debian/|Packages",
				"Debian|bookworm-security|main|http://m/sec/|Packages"},
			line("http://m/debian/", "bookworm", "main") + line("http://m/debian/", "bookworm-updates", "main") + line("http://m/sec/", "bookworm-security", "main"),
		},
		"vendors, other releases, other indexes and repetitions are left out": {
			[]string{"Debian|bookworm|main|http://m/debian/|Packages", "Debian|bookworm|main|http://m/debian/|Packages",
				"Debian|bookworm|main|http://m/debian/|DEP-11", "Debian|trixie|main|http://m/debian/|Packages",
				"Some Vendor|bookworm|main|http://v/|Packages", "Debian|bookwormish|main|http://m/|Packages", "nonsense", ""},
			line("http://m/debian/", "bookworm", "main"),
		},
		"updates without the release are nothing": {[]string{"Debian|bookworm-updates|main|http://m/debian/|Packages"}, ""},
		"nothing": {nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			if d := cmp.Diff(tc.want, sourcesList(strings.Join(tc.targets, "\n"), "bookworm")); d != "" {
				t.Error(d)
			}
		})
	}
}

func FuzzSourcesList(f *testing.F) {
	f.Add("Debian|bookworm|main|http://m/debian/|Packages\n")
	f.Fuzz(func(t *testing.T, targets string) {
		for l := range strings.Lines(sourcesList(targets, "bookworm")) {
			if !strings.HasPrefix(l, "deb [") {
				t.Errorf("line %q", l)
			}
		}
	})
}

func TestSourcesOfThisHost(t *testing.T) {
	list, err := sources(t.Context(), "bookworm")
	if err != nil || !strings.Contains(list, " bookworm main\n") {
		t.Errorf("sources = %q, %v", list, err)
	}
	if _, err := sources(t.Context(), "no-such-release"); !errors.Is(err, ErrSources) {
		t.Errorf("err = %v, want %v", err, ErrSources)
	}
}

func TestTellerGoesForward(t *testing.T) {
	var got []Progress
	te := &teller{tell: func(p Progress) { got = append(got, p) }}
	te.at("prepare", 1)
	for _, part := range []string{"I: running apt-get upd", "ate...\nSetting up base-files (12) ...\nI: installing remaining packages inside the chroot...\n",
		"Setting up sudo (1) ...\r\nnoise\nSetting up ssh (1) ...\n", "I: running apt-get update...\n"} {
		if n, err := te.Write([]byte(part)); n != len(part) || err != nil {
			t.Fatal(n, err)
		}
	}
	want := []Progress{{"prepare", 1}, {"fetch package lists", 2}, {"install packages", 30},
		{"install packages: sudo", 30}, {"install packages: ssh", 30}, {"fetch package lists", 30}}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestTellerKnowsWhenTheMirrorIsAway(t *testing.T) {
	for said, want := range map[string]bool{
		"W: Failed to fetch http://m/InRelease  Temporary failure resolving 'm'":            true,
		"Could not connect to 127.0.0.1:9 (127.0.0.1). - connect (111: Connection refused)": true,
		"E: Unable to locate package nonsense":                                              false,
	} {
		te := &teller{tell: func(Progress) {}}
		te.Write([]byte(said + "\nE: apt-get update failed\n")) //nolint:errcheck // never fails
		if got := te.sawOffline(); got != want {
			t.Errorf("%q: offline = %v, want %v", said, got, want)
		}
	}
}

func TestDescribe(t *testing.T) {
	want := fabric.NodeImage{Name: "debian-12", Publisher: "Debian", Offer: "debian-12", SKU: "12", Version: "12.20261122.0",
		OSType: "Linux", Firmware: []fabric.Firmware{fabric.BIOS, fabric.UEFI}, SizeBytes: 30 << 30}
	at := time.Date(2026, 11, 23, 0, 30, 0, 0, time.FixedZone("", 3600))
	if d := cmp.Diff(want, Debian12().Describe(at)); d != "" {
		t.Error(d)
	}
}

func TestArguments(t *testing.T) {
	r := Recipe{Codename: "bookworm", Packages: []string{"a", "b"}}
	want := []string{"--mode=root", "--format=directory", "--variant=apt", "--verbose", "--architectures=amd64", "--include=a,b",
		"--dpkgopt=force-unsafe-io", "--dpkgopt=force-confold", "--aptopt=/w/acquire.conf",
		`--essential-hook=cp -R "$LAZULI_ROOTFS/." "$1/"`, `--customize-hook=sh /w/finish.sh "$1"`,
		"--dpkgopt=path-exclude=/usr/share/doc/*", "--dpkgopt=path-exclude=/usr/share/man/*", "--dpkgopt=path-exclude=/usr/share/locale/*",
		"--dpkgopt=path-exclude=/usr/share/info/*", "--dpkgopt=path-exclude=/usr/share/lintian/*",
		"--dpkgopt=path-include=/usr/share/doc/*/copyright", "bookworm", "/t", "/w/sources.list"}
	if d := cmp.Diff(want, r.arguments("/w", "/t")); d != "" {
		t.Error(d)
	}
}

func TestUnpackFilesWritesAllThatIsEmbedded(t *testing.T) {
	dir := t.TempDir()
	if err := unpackFiles(dir, map[string]string{"rootfs/etc/fstab": "x"}); err != nil {
		t.Fatal(err)
	}
	var got []string
	err := filepath.WalkDir(dir, func(p string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			got = append(got, strings.TrimPrefix(p, dir+"/"))
		}
		return err
	})
	want := []string{"finish.sh", "rootfs/etc/cloud/cloud.cfg.d/90-lazuli.cfg", "rootfs/etc/default/grub", "rootfs/etc/fstab",
		"rootfs/etc/initramfs-tools/conf.d/lazuli", "rootfs/etc/systemd/network/10-cloud-init-eth0.network.d/domains.conf",
		"rootfs/etc/systemd/system/walinuxagent.service.d/lazuli.conf",
		"rootfs/etc/udev/rules.d/67-lazuli-storage.rules", "rootfs/usr/share/initramfs-tools/modules.d/lazuli"}
	if d := cmp.Diff(want, got); d != "" || err != nil {
		t.Error(d, err)
	}
}

func catalogue(t *testing.T) *image.Catalogue {
	t.Helper()
	c, err := image.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// nothingLeft says that a build has left neither files nor mounts.
func nothingLeft(t *testing.T, c *image.Catalogue) {
	t.Helper()
	entries, err := os.ReadDir(c.Root())
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.IsDir() {
			t.Errorf("left behind: %s", e.Name())
		}
	}
	if b, err := os.ReadFile("/proc/self/mounts"); err != nil || strings.Contains(string(b), c.Root()) {
		t.Errorf("left mounted (%v):\n%s", err, b)
	}
}

func TestBuildThatIsCancelledLeavesNothing(t *testing.T) {
	c := catalogue(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	_, err := Build(ctx, c, Debian12(), func(p Progress) {
		if p.Phase == "install the base system" { // things are mounted and running in the tree
			cancel()
		}
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("err = %v, want %v", err, context.Canceled)
	}
	nothingLeft(t, c)
}

func TestBuildSaysThatTheMirrorIsAway(t *testing.T) {
	for _, scheme := range []string{"http", "https"} {
		t.Setenv(scheme+"_proxy", "http://127.0.0.1:9")
	}
	c := catalogue(t)
	_, err := Build(t.Context(), c, Debian12(), func(Progress) {})
	if !errors.Is(err, ErrOffline) {
		t.Errorf("err = %v, want %v", err, ErrOffline)
	}
	nothingLeft(t, c)
}

func TestBuildIsDoneByOneAtATime(t *testing.T) {
	c := catalogue(t)
	l, err := c.BuildLock("debian-12")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if _, err := Build(t.Context(), c, Debian12(), func(Progress) {}); !errors.Is(err, image.ErrBuilding) {
		t.Errorf("err = %v, want %v", err, image.ErrBuilding)
	}
}

func TestBuildOfWhatIsThereReturnsIt(t *testing.T) {
	c := catalogue(t)
	want := Debian12().Describe(time.Unix(0, 0))
	disk := filepath.Join(t.TempDir(), "d")
	if out, err := exec.Command("qemu-img", "create", "-q", "-f", "qcow2", disk, "30G").CombinedOutput(); err != nil {
		t.Fatalf("qemu-img: %v: %s", err, out)
	}
	if err := c.Install(t.Context(), want, disk); err != nil {
		t.Fatal(err)
	}
	got, err := Build(t.Context(), c, Debian12(), func(Progress) {})
	if d := cmp.Diff(want, got); d != "" || err != nil {
		t.Error(d, err)
	}
}
