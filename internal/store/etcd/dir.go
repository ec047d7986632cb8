package etcd

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"go.etcd.io/etcd/server/v3/embed"
	"golang.org/x/sys/unix"
)

// Files of the state directory beside member, which is etcd's.
const (
	lockFile   = "lock"
	markFile   = "store.json"
	memberDir  = "member"
	markFormat = 1
)

// mark says how far the directory is. It is what tells a first start that
// was cut short, which has promised nothing and begins again, from state that
// is incomplete, which must not be touched.
type mark struct {
	Format int `json:"format"`
	// Cluster is etcd's id of the cluster; empty until the first start is over.
	Cluster string `json:"cluster,omitempty"`
}

// directory is a state directory that this process has locked.
type directory struct {
	path string
	lock *os.File
	mark mark
}

// openDir locks path and checks that etcd may be started on it.
func openDir(path string) (*directory, error) {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, err
	}
	lock, err := lockDir(path)
	if err != nil {
		return nil, err
	}
	d := &directory{path: path, lock: lock}
	if err := d.prepare(); err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	return d, nil
}

func lockDir(path string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(path, lockFile), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		err = ErrLocked
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// ErrLocked says that another process has the state directory open.
var ErrLocked = errors.New("another process is using it")

// prepare leaves either nothing or a whole member for etcd to start on.
func (d *directory) prepare() error {
	found, err := d.readMark()
	switch {
	case err != nil:
		return err
	case !found:
		if _, err := os.Lstat(filepath.Join(d.path, memberDir)); err == nil {
			return fmt.Errorf("incomplete: %s is there, %s is missing", memberDir, markFile)
		}
		return d.writeMark()
	case d.mark.Cluster == "":
		return os.RemoveAll(filepath.Join(d.path, memberDir))
	default:
		return checkMember(filepath.Join(d.path, memberDir))
	}
}

// begun records that the member's first start is over. From here on its state
// is never begun anew.
func (d *directory) begun(member *embed.Etcd) error {
	cluster := member.Server.Cluster().ID().String()
	if d.mark.Cluster != "" {
		if d.mark.Cluster != cluster {
			return fmt.Errorf("damaged: etcd holds cluster %s, %s says %s", cluster, markFile, d.mark.Cluster)
		}
		return nil
	}
	for _, sub := range []string{"member/snap", "member/wal", "member"} {
		if err := syncDir(filepath.Join(d.path, sub)); err != nil {
			return err
		}
	}
	d.mark.Cluster = cluster
	return d.writeMark()
}

func (d *directory) readMark() (found bool, err error) {
	b, err := os.ReadFile(filepath.Join(d.path, markFile))
	if errors.Is(err, os.ErrNotExist) {
		d.mark = mark{Format: markFormat}
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if err := json.Unmarshal(b, &d.mark); err != nil {
		return false, fmt.Errorf("damaged: %s: %w", markFile, err)
	}
	if d.mark.Format != markFormat {
		return false, fmt.Errorf("%s has format %d, this version knows %d", markFile, d.mark.Format, markFormat)
	}
	return true, nil
}
