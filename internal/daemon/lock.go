package daemon

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Files that are locked, below the data directory, by the process that is the
// control plane of it or the node. They stay; a lock ends with its process.
const (
	serverLock = "server.lock"
	nodeLock   = "node.lock"
)

// InUseError says that another process works on the data directory.
type InUseError struct {
	Dir string
	PID int
}

func (e *InUseError) Error() string {
	return fmt.Sprintf("another lazuli works on %s: process %d. End it first ('lazuli down', if 'lazuli up' started it), or name another --data-dir", e.Dir, e.PID)
}

// lock is held as long as the file is open. It names its process.
func lock(dir, name string) (_ *os.File, err error) {
	f, err := os.OpenFile(filepath.Join(dir, name), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock data directory: %w", err)
	}
	defer func() {
		if err != nil {
			f.Close()
		}
	}()
	whole := unix.Flock_t{Type: unix.F_WRLCK}
	err = unix.FcntlFlock(f.Fd(), unix.F_OFD_SETLK, &whole)
	if errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EACCES) {
		pid, _ := holder(f) // 0: it has only begun
		return nil, &InUseError{dir, pid}
	}
	if err == nil {
		err = f.Truncate(0)
	}
	if err == nil {
		_, err = f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	}
	if err != nil {
		return nil, fmt.Errorf("lock data directory: %w", err)
	}
	return f, nil
}

func holder(f *os.File) (pid int, err error) {
	b, err := io.ReadAll(io.NewSectionReader(f, 0, 32))
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(strings.TrimSpace(string(b)))
}

// Holder is the process that is the control plane of a data directory; 0 when
// none is. It does not go by the number that somebody wrote down: that may be
// another's by now.
func Holder(dataDir string) (pid int, err error) {
	f, err := os.Open(filepath.Join(dataDir, serverLock))
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	defer f.Close()
	whole := unix.Flock_t{Type: unix.F_RDLCK}
	if err := unix.FcntlFlock(f.Fd(), unix.F_OFD_GETLK, &whole); err != nil {
		return 0, fmt.Errorf("look at lock: %w", err)
	}
	if whole.Type == unix.F_UNLCK {
		return 0, nil
	}
	return holder(f)
}
