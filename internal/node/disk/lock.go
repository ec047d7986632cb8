package disk

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// QEMU locks single bytes of a disk's file by open file description locks: one
// byte for each right that it has, and one for each that it does not grant to
// others (block/file-posix.c).
const (
	hasRights    = 100
	deniesRights = 200
	rights       = 64

	consistentRead = 0
	write          = 1
	resize         = 3
)

// errInUse says that a process has the disk open so that it cannot be had.
var errInUse = errors.New("disk is in use by a running machine")

// inUse asks for any process that has the disk open.
func inUse(path string) (bool, error) {
	f, err := os.Open(path)
	if err != nil {
		return false, err
	}
	defer f.Close()
	return conflicts(f, unix.F_WRLCK, hasRights, deniesRights-hasRights+rights)
}

// conflicts asks whether a lock could not be had.
func conflicts(f *os.File, kind int16, at, n int64) (bool, error) {
	l := unix.Flock_t{Type: kind, Start: at, Len: n}
	if err := unix.FcntlFlock(f.Fd(), unix.F_OFD_GETLK, &l); err != nil {
		return false, fmt.Errorf("ask for locks of %s: %w", f.Name(), err)
	}
	return l.Type != unix.F_UNLCK, nil
}

// seize takes all that QEMU could have of the file, until it is closed. While
// it is held no QEMU can open the disk.
func seize(path string) (*os.File, error) {
	return locked(path, os.O_RDWR, unix.F_WRLCK, hasRights, deniesRights-hasRights+rights)
}

// hold opens the file to read, and keeps everyone from writing it until it is
// closed, as a QEMU does that reads a disk.
func hold(path string) (*os.File, error) {
	f, err := locked(path, os.O_RDONLY, unix.F_RDLCK, deniesRights+write, 1)
	if err != nil {
		return nil, err
	}
	for _, at := range []int64{deniesRights + resize, hasRights + consistentRead} {
		if err := lock(f, unix.F_RDLCK, at, 1); err != nil {
			f.Close()
			return nil, err
		}
	}
	writes, err := conflicts(f, unix.F_WRLCK, hasRights+write, 1)
	if err == nil && writes {
		err = errInUse
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

func locked(path string, flag int, kind int16, at, n int64) (*os.File, error) {
	f, err := os.OpenFile(path, flag, 0)
	if err != nil {
		return nil, err
	}
	if err := lock(f, kind, at, n); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

func lock(f *os.File, kind int16, at, n int64) error {
	err := unix.FcntlFlock(f.Fd(), unix.F_OFD_SETLK, &unix.Flock_t{Type: kind, Start: at, Len: n})
	if errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EACCES) {
		return errInUse
	}
	if err != nil {
		return fmt.Errorf("lock %s: %w", f.Name(), err)
	}
	return nil
}
