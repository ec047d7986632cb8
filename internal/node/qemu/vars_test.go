package qemu

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Firmware variables are kept as long as the OS disk is the same, and those of
// another are nowhere then.
func TestVarsGoWithTheOSDisk(t *testing.T) {
	template := filepath.Join(t.TempDir(), "template")
	if err := os.WriteFile(template, []byte("fresh"), 0o600); err != nil {
		t.Fatal(err)
	}
	d := dir(t.TempDir())
	steps := []struct {
		name, disk, want string
		files            []string
	}{
		{"first start", "os1", "fresh", []string{"vars-os1.fd"}},
		{"again", "os1", "used", []string{"vars-os1.fd"}},
		{"another disk", "os2", "fresh", []string{"vars-os2.fd"}},
		{"back", "os1", "fresh", []string{"vars-os1.fd"}},
		{"no disk", "", "fresh", []string{"vars.fd"}},
		{"a disk after all", "os1", "fresh", []string{"vars-os1.fd"}},
	}
	for _, s := range steps {
		t.Run(s.name, func(t *testing.T) {
			f, err := d.openVars(template, s.disk)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			if data, err := os.ReadFile(f.Name()); err != nil || string(data) != s.want {
				t.Errorf("variables = %q, %v, want %q", data, err, s.want)
			}
			if err := os.WriteFile(f.Name(), []byte("used"), 0o600); err != nil {
				t.Fatal(err)
			}
			var files []string
			entries, err := os.ReadDir(string(d))
			for _, e := range entries {
				files = append(files, e.Name())
			}
			if err != nil || !cmp.Equal(files, s.files) {
				t.Errorf("files = %v, %v, want %v", files, err, s.files)
			}
		})
	}
	for name, disk := range map[string]string{"a path": "../x", "a pattern": "*"} {
		t.Run(name, func(t *testing.T) {
			if f, err := d.openVars(template, disk); err == nil {
				f.Close()
				t.Errorf("the disk %q has variables", disk)
			}
		})
	}
}
