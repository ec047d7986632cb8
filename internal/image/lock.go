package image

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

var errLocked = errors.New("locked")

// ErrBuilding says that somebody else is building the image.
var ErrBuilding = errors.New("the image is being built already")

// BuildLock makes its holder the only one who builds the image name for this
// catalogue, until it is closed or its process ends. It does not wait: when
// there is a holder, the error is ErrBuilding.
func (c *Catalogue) BuildLock(name string) (io.Closer, error) {
	if err := CheckName(name); err != nil {
		return nil, err
	}
	l, err := tryLock(c.root + "/.building-" + name)
	if errors.Is(err, errLocked) {
		return nil, fmt.Errorf("build image %s: %w", name, ErrBuilding)
	}
	return l, err
}

// tryLock takes a lock that other processes, and other opens in this one,
// respect. It ends with the file that is returned.
func tryLock(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if err == nil {
		return f, nil
	}
	f.Close()
	if errors.Is(err, unix.EWOULDBLOCK) {
		return nil, errLocked
	}
	return nil, fmt.Errorf("lock %s: %w", path, err)
}

// lock waits for the lock until ctx ends.
func lock(ctx context.Context, path string) (*os.File, error) {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		f, err := tryLock(path)
		if !errors.Is(err, errLocked) {
			return f, err
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-tick.C:
		}
	}
}
