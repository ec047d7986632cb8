package image

import (
	"errors"
	"fmt"
)

// ErrName is wrapped by the error for a name that cannot be an image's.
var ErrName = errors.New("not a name for an image")

const maxNameLength = 80

// CheckName says whether name can be an image's: up to 80 of a-z, 0-9, '.' and
// '-', beginning and ending with a letter or digit. Such a name is also a safe
// name for a directory.
func CheckName(name string) error {
	if name == "" || len(name) > maxNameLength {
		return fmt.Errorf("%q is %w: it must have 1 to %d characters", name, ErrName, maxNameLength)
	}
	for i, r := range name {
		alnum := r >= 'a' && r <= 'z' || r >= '0' && r <= '9'
		inner := (r == '.' || r == '-') && i > 0 && i < len(name)-1
		if !alnum && !inner {
			return fmt.Errorf("%q is %w: use a-z, 0-9, '.' and '-', and begin and end with a letter or digit", name, ErrName)
		}
	}
	return nil
}
