package ovf

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"lazuli/internal/fabric"
)

func run(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.Command(name, args...).Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			t.Fatalf("%s: %v\n%s", name, err, exit.Stderr)
		}
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

// Another implementation reads the image: by its Joliet names, as Linux and
// Windows do, and by the primary ones.
func TestImageIsReadByOthers(t *testing.T) {
	sizes := map[string]int{"empty": 0, "small": 1800, "one sector": 2048, "64 KiB of custom data": 90_001}
	for name, size := range sizes {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			content := bytes.Repeat([]byte("x"), size)
			iso := filepath.Join(dir, "m.iso")
			if err := os.WriteFile(iso, Image(content), 0o600); err != nil {
				t.Fatal(err)
			}
			if got := run(t, "blkid", "-p", "-s", "LABEL", "-o", "value", iso); got != Label {
				t.Errorf("label = %q, want %q", got, Label)
			}
			for tree, want := range map[string]string{"norock": FileName, "nojoliet": "OVF-ENV.XML"} {
				out := filepath.Join(dir, tree)
				run(t, "xorriso", "-no_rc", "-report_about", "FAILURE", "-abort_on", "FAILURE", "-read_fs", tree, "-osirrox", "on", "-indev", iso, "-extract", "/", out)
				entries, err := os.ReadDir(out)
				if err != nil || len(entries) != 1 || entries[0].Name() != want {
					t.Fatalf("%s: entries = %v, %v, want exactly %s", tree, entries, err, want)
				}
				got, err := os.ReadFile(filepath.Join(out, want))
				if err != nil || !bytes.Equal(got, content) {
					t.Errorf("%s: content of %d bytes differs (%v)", tree, len(got), err)
				}
			}
		})
	}
}

func TestImageIsDeterministic(t *testing.T) {
	if !bytes.Equal(Image([]byte("a")), Image([]byte("a"))) {
		t.Error("two images of one content differ")
	}
}

func TestWriteMedium(t *testing.T) {
	path := filepath.Join(t.TempDir(), "medium.iso")
	p := fabric.Provision{ComputerName: "web1", AdminUsername: "u", AdminPassword: "secret"}
	// What a crash left must neither stay nor be written through.
	if err := os.WriteFile(unfinished(path), []byte("old"), 0o666); err != nil {
		t.Fatal(err)
	}
	const owner = 54321
	for range 2 {
		if err := WriteMedium(path, p, owner); err != nil {
			t.Fatal(err)
		}
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode() != 0o600 || info.Sys().(*syscall.Stat_t).Uid != owner {
		t.Errorf("mode %v, uid %d", info.Mode(), info.Sys().(*syscall.Stat_t).Uid)
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	env, err := Environment(p)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, Image(env)) {
		t.Error("the medium is not the image of its environment")
	}
	for range 2 {
		if err := RemoveMedium(path); err != nil {
			t.Fatal(err)
		}
	}
	if left, _ := filepath.Glob(path + "*"); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestWriteMediumOfTheUnprovisioned(t *testing.T) {
	path := filepath.Join(t.TempDir(), "medium.iso")
	if err := WriteMedium(path, fabric.Provision{}, os.Getuid()); !errors.Is(err, ErrNotProvisioned) {
		t.Errorf("err = %v", err)
	}
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a medium was made: %v", err)
	}
}
