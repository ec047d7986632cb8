package qemu

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
)

// varsFile is where the firmware variables of a machine with this OS disk are.
// They go with the disk: what a guest wrote there, like what to boot, is not for
// the guest of another.
func varsFile(osDisk string) string {
	if osDisk == "" {
		return "vars.fd"
	}
	return "vars-" + osDisk + ".fd"
}

// openVars opens the firmware variables of the machine with this OS disk, which
// begin as a copy of template. Those of another disk are removed.
func (d dir) openVars(template, osDisk string) (*os.File, error) {
	if osDisk != "" {
		if err := checkUID(osDisk); err != nil {
			return nil, err
		}
	}
	path := d.file(varsFile(osDisk))
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if !errors.Is(err, os.ErrNotExist) {
		return f, err
	}
	data, err := os.ReadFile(template)
	if err != nil {
		return nil, err
	}
	if err := d.write(filepath.Base(path), data); err != nil {
		return nil, err
	}
	others, err := filepath.Glob(d.file("vars*.fd"))
	if err != nil {
		return nil, err
	}
	for _, other := range slices.DeleteFunc(others, func(o string) bool { return o == path }) {
		if err := os.Remove(other); err != nil {
			return nil, err
		}
	}
	return os.OpenFile(path, os.O_RDWR, 0)
}
