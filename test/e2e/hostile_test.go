package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"lazuli/test/e2e/cloudtest"
)

// TestHostileImages puts images into the catalogue that are made to harm. None
// of them is opened by QEMU or its tools, and the others stay of use.
func TestHostileImages(t *testing.T) {
	t.Parallel()
	c := cloudtest.New(t)
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte(strings.Repeat("secret ", 10000)), 0o600); err != nil {
		t.Fatal(err)
	}
	cases := map[string]struct {
		args []string // of qemu-img create, without the file
		size int64    // that the catalogue is told
		want string   // in the error
	}{
		"backed": {[]string{"-f", "qcow2", "-u", "-F", "raw", "-b", secret, "256M"}, 256 << 20, "backing file"},
		"absurd": {[]string{"-f", "qcow2", "-o", "cluster_size=2M", "80T"}, 256 << 20, "64 TiB"},
		"other":  {[]string{"-f", "qcow2", "-o", "data_file=" + secret + ".data,data_file_raw=on", "256M"}, 256 << 20, "data file"},
	}
	for name, tt := range cases {
		dir := filepath.Join(c.Dir, "images", name)
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		args := append([]string{"create", "-q"}, tt.args[:len(tt.args)-1]...)
		command(t, "qemu-img", append(args, filepath.Join(dir, "disk.qcow2"), tt.args[len(tt.args)-1])...)
		describe(t, dir, name, tt.size)
	}
	broken := filepath.Join(c.Dir, "images", "broken")
	if err := os.MkdirAll(broken, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(broken, "image.json"), []byte("{"), 0o644); err != nil {
		t.Fatal(err)
	}
	c.Up()
	var names []string
	for name := range cases {
		names = append(names, name)
	}
	inParallel(t, names, func(name string) error {
		out, err := c.Run("vm", "create", name, "--image", name, "--size", "Standard_B1ls", "--ssh-key", c.PublicKey())
		if err == nil || !strings.Contains(err.Error(), cases[name].want) {
			t.Errorf("%s: %v %s; want an error about %q", name, err, out, cases[name].want)
			return nil
		}
		t.Logf("%-7s is refused: %s", name, line(err.Error(), cases[name].want))
		return nil
	})
	if p := c.Processes(); len(p) > 0 {
		t.Errorf("there are processes %v", p)
	}
	if files, _ := filepath.Glob(filepath.Join(c.Dir, "disks", "*", "disk.*")); len(files) > 0 {
		t.Errorf("there are disks %v", files)
	}
	inParallel(t, names, func(name string) error {
		_, err := c.Run("vm", "delete", name, "--yes")
		return err
	})
	c.Create("good", "--size", "Standard_B1ls")
	t.Log("a machine of a sound image boots beside them")
}
