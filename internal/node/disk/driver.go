package disk

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"

	"golang.org/x/sys/unix"

	"lazuli/internal/image"
	"lazuli/internal/node"
)

// Config of a Driver.
type Config struct {
	// Root is the directory of the disks. Users other than root must be able to
	// pass through the directories above it.
	Root string
	// Images is the directory of the image catalogue. It must be on the file
	// system of Root.
	Images string
	// QEMUImg is the program; "qemu-img" from the path if empty.
	QEMUImg string
}

// Driver keeps disks. It is a node.Disks.
type Driver struct {
	c         Config
	catalogue *image.Catalogue

	mu    sync.Mutex
	gates map[string]chan struct{}
}

var _ node.Disks = (*Driver)(nil)

// Prefixes of directories that are on their way in or out.
const (
	making = ".making-"
	gone   = ".gone-"
)

// New opens the disks below c.Root and clears away what was left half made. No
// other process may have them open.
func New(c Config) (*Driver, error) {
	if c.QEMUImg == "" {
		c.QEMUImg = "qemu-img"
	}
	d := &Driver{c: c, gates: map[string]chan struct{}{}}
	if err := d.open(); err != nil {
		return nil, fmt.Errorf("disk: %w", err)
	}
	return d, nil
}

func (d *Driver) open() (err error) {
	if err := os.MkdirAll(d.c.Root, 0o711); err != nil {
		return err
	}
	if d.catalogue, err = image.Open(d.c.Images); err != nil {
		return err
	}
	if err := sameFileSystem(d.c.Root, d.c.Images); err != nil {
		return err
	}
	entries, err := os.ReadDir(d.c.Root)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), making) || strings.HasPrefix(e.Name(), gone) {
			if err := os.RemoveAll(filepath.Join(d.c.Root, e.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}

func sameFileSystem(a, b string) error {
	var sa, sb unix.Stat_t
	if err := errors.Join(unix.Stat(a, &sa), unix.Stat(b, &sb)); err != nil {
		return err
	}
	if sa.Dev != sb.Dev {
		return fmt.Errorf("%s and %s must be on one file system: disks share the files of images", a, b)
	}
	return nil
}

var uidPattern = regexp.MustCompile(`^[0-9A-Za-z][0-9A-Za-z-]{0,63}$`)

// enter lets one caller at a time work on a disk or image, and returns how to
// leave.
func (d *Driver) enter(ctx context.Context, uid string) (leave func(), err error) {
	if !uidPattern.MatchString(uid) {
		return nil, fmt.Errorf("uid %q is not letters, digits and hyphens", uid)
	}
	d.mu.Lock()
	gate, ok := d.gates[uid]
	if !ok {
		gate = make(chan struct{}, 1)
		d.gates[uid] = gate
	}
	d.mu.Unlock()
	select {
	case gate <- struct{}{}:
		return func() { <-gate }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Free says how many bytes the file system has, and has free.
func (d *Driver) Free() (total, free int64, err error) {
	var st unix.Statfs_t
	if err := unix.Statfs(d.c.Root, &st); err != nil {
		return 0, 0, fmt.Errorf("disk: free space of %s: %w", d.c.Root, err)
	}
	return int64(st.Blocks) * st.Bsize, int64(st.Bavail) * st.Bsize, nil
}

// spareBytes is what a copy leaves of the file system. What fills it pauses every
// guest of the host that writes.
const spareBytes = 64 << 20

// room refuses what would take the last of the file system.
func (d *Driver) room(bytes int64) error {
	_, free, err := d.Free()
	if err != nil {
		return err
	}
	if free-bytes < spareBytes {
		return fmt.Errorf("%w: the copy takes up to %d MiB, and of %d MiB that are free %d must stay so", unix.ENOSPC, bytes>>20, free>>20, spareBytes>>20)
	}
	return nil
}

// explain puts a full file system in words that a person can act on.
func explain(err error) error {
	if err != nil && (errors.Is(err, unix.ENOSPC) || strings.Contains(strings.ToLower(err.Error()), unix.ENOSPC.Error())) {
		return fmt.Errorf("the node's disk is full: %w", err)
	}
	return err
}
