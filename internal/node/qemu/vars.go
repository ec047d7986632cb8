package qemu

import (
	"errors"
	"os"
)

// openVars opens the machine's firmware variables, which begin as a copy of
// template.
func (d dir) openVars(template string) (*os.File, error) {
	f, err := os.OpenFile(d.file(varsFile), os.O_RDWR, 0)
	if !errors.Is(err, os.ErrNotExist) {
		return f, err
	}
	data, err := os.ReadFile(template)
	if err != nil {
		return nil, err
	}
	if err := d.write(varsFile, data); err != nil {
		return nil, err
	}
	return os.OpenFile(d.file(varsFile), os.O_RDWR, 0)
}
