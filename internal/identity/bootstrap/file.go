package bootstrap

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// leftover begins the names of files that are being written.
const leftover = ".writing-"

// lock makes the directory and keeps other starts out of it.
func (s *start) lock() (unlock func(), err error) {
	if err := os.MkdirAll(s.Dir, 0o700); err != nil {
		return nil, err
	}
	d, err := os.Open(s.Dir)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(d.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		d.Close()
		return nil, fmt.Errorf("%s is in use by another process: %w", s.Dir, err)
	}
	return func() { d.Close() }, nil
}

// removeLeftovers removes what starts that crashed were writing.
func (s *start) removeLeftovers() error {
	names, err := filepath.Glob(filepath.Join(s.Dir, leftover+"*"))
	if err != nil {
		return err
	}
	for _, n := range names {
		if err := os.Remove(n); err != nil {
			return err
		}
	}
	return nil
}

// read reads a file, and makes sure that nobody else can: nil without an error
// when there is none.
func (s *start) read(path string, perm os.FileMode) ([]byte, error) {
	b, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return b, os.Chmod(path, perm)
}

// write makes the file at path hold b and nothing else, durably, or leaves it
// as it was.
func (s *start) write(path string, b []byte, perm os.FileMode) error {
	was, err := s.read(path, perm)
	if err != nil || was != nil && bytes.Equal(was, b) {
		return err
	}
	if err := s.before("write " + filepath.Base(path)); err != nil {
		return err
	}
	temporary, err := s.writeTemporary(b, perm)
	if err != nil {
		return err
	}
	if err := s.before("rename " + filepath.Base(path)); err != nil {
		return err
	}
	if err := os.Rename(temporary, path); err != nil {
		return err
	}
	return syncDir(s.Dir)
}

func (s *start) writeTemporary(b []byte, perm os.FileMode) (string, error) {
	f, err := os.CreateTemp(s.Dir, leftover+"*")
	if err != nil {
		return "", err
	}
	_, err = f.Write(b)
	err = errors.Join(err, f.Chmod(perm), f.Sync(), f.Close())
	return f.Name(), err
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
