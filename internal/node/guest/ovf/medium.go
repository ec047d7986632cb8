package ovf

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"lazuli/internal/fabric"
)

// WriteMedium makes the medium of a machine at path. It holds secrets, so only
// the user owner can read it. It is whole or not there, whatever happens, and
// may be written again.
func WriteMedium(path string, p fabric.Provision, owner int) error {
	env, err := Environment(p)
	if err != nil {
		return err
	}
	if err := replace(path, Image(env), owner); err != nil {
		return fmt.Errorf("write medium: %w", err)
	}
	return nil
}

// RemoveMedium removes it, and what an interrupted WriteMedium left. It is no
// error if there is nothing.
func RemoveMedium(path string) error {
	for _, p := range []string{path, unfinished(path)} {
		if err := os.Remove(p); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("remove medium: %w", err)
		}
	}
	return nil
}

func unfinished(path string) string { return path + ".new" }

func replace(path string, content []byte, owner int) error {
	tmp := unfinished(path)
	if err := os.Remove(tmp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	f, err := os.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	if err := errors.Join(fill(f, content, owner), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(tmp, path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

func fill(f *os.File, content []byte, owner int) error {
	if err := f.Chown(owner, -1); err != nil {
		return err
	}
	if _, err := f.Write(content); err != nil {
		return err
	}
	return f.Sync()
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
