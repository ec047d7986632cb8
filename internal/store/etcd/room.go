package etcd

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"golang.org/x/sys/unix"

	"lazuli/internal/store"
)

// etcd ends the process when it cannot write, and a full disk is nothing to
// die of: guests fill it, and somebody has to be there to see that there is room
// again, and to delete what is not needed. So the database is given blocks that
// it will need, and once others have taken the rest, few transactions are
// taken before they are refused.
const (
	// lowBytes free is when the disk counts as full.
	lowBytes = 64 << 20
	// reserveBytes are given to the database file beyond its end, and cover its
	// next growth.
	reserveBytes = 32 << 20
	// spareBytes and spareCommits bound what is written while the disk is full.
	// The log has a file at hand of four times as much.
	spareBytes   = 4 << 20
	spareCommits = 1000
)

// room says whether there is room for a transaction.
type room struct {
	dir string

	mu      sync.Mutex
	bytes   int // written since the disk was full
	commits int
}

// take takes room for n bytes.
func (r *room) take(n int) error {
	free, err := freeBytes(r.dir)
	if err != nil {
		return nil // writing will tell
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if free >= lowBytes {
		r.bytes, r.commits = 0, 0
		return nil
	}
	if r.bytes+n > spareBytes || r.commits >= spareCommits {
		return fmt.Errorf("%w: %d MiB free on the disk of %s", store.ErrNoSpace, free>>20, r.dir)
	}
	r.bytes += n
	r.commits++
	return nil
}

// freeBytes counts what is kept for root: we are root.
func freeBytes(dir string) (int64, error) {
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return 0, err
	}
	return int64(st.Bfree) * st.Bsize, nil
}

// reserve gives the database in dir the blocks of all of its file and of its
// next growth. The file's length stays as it is.
func reserve(dir string) (err error) {
	f, err := os.OpenFile(filepath.Join(dir, memberDir, "snap", "db"), os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	fi, err := f.Stat()
	if err != nil {
		return err
	}
	err = unix.Fallocate(int(f.Fd()), unix.FALLOC_FL_KEEP_SIZE, 0, fi.Size()+reserveBytes)
	if errors.Is(err, unix.EOPNOTSUPP) || errors.Is(err, unix.ENOSYS) {
		return nil // there are file systems that cannot
	}
	return err
}

// keepReserve is reserve from time to time; what fails is tried again.
func (s *Store) keepReserve(dir string) {
	if err := reserve(dir); err != nil {
		s.log.Warn("no room kept for the state store, will retry", "err", err)
	}
}
