package routed

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	"golang.org/x/sys/unix"
)

// spaceDir is where `ip netns` looks for namespaces.
const spaceDir = "/run/netns"

const threadSpace = "/proc/thread-self/ns/net"

// space is an open network namespace.
type space struct{ file *os.File }

// openSpace opens the namespace at a path; fs.ErrNotExist when there is none,
// also when only the file for it is left.
func openSpace(path string) (*space, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	var st unix.Statfs_t
	if err := unix.Fstatfs(int(f.Fd()), &st); err != nil {
		f.Close()
		return nil, err
	}
	if st.Type != unix.NSFS_MAGIC {
		f.Close()
		return nil, fmt.Errorf("%s is no namespace: %w", path, fs.ErrNotExist)
	}
	return &space{f}, nil
}

func namedSpace(name string) (*space, error) { return openSpace(filepath.Join(spaceDir, name)) }

func (s *space) Close() error { return s.file.Close() }

func (s *space) fd() int { return int(s.file.Fd()) }

// do calls f on a thread that is in the namespace. Sockets and devices that f
// makes belong to the namespace.
func (s *space) do(f func() error) error {
	return onThread(func() error { return unix.Setns(s.fd(), unix.CLONE_NEWNET) }, f)
}

// onThread calls enter and then f on a thread of its own, which afterwards goes
// back to the namespace it came from. If it cannot, it ends with its goroutine:
// no other code ever runs on a thread that is in the wrong namespace.
func onThread(enter, f func() error) error {
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		home, err := os.Open(threadSpace)
		if err != nil {
			runtime.UnlockOSThread()
			done <- err
			return
		}
		defer home.Close()
		if err = enter(); err == nil {
			err = f()
		}
		if unix.Setns(int(home.Fd()), unix.CLONE_NEWNET) == nil {
			runtime.UnlockOSThread()
		}
		done <- err
	}()
	return <-done
}

// createSpace makes a namespace that outlives the process.
func createSpace(name string) error {
	if err := shareSpaceDir(); err != nil {
		return err
	}
	path := filepath.Join(spaceDir, name)
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDONLY, 0o444)
	if err != nil {
		return err
	}
	f.Close()
	return onThread(
		func() error { return unix.Unshare(unix.CLONE_NEWNET) },
		func() error { return unix.Mount(threadSpace, path, "none", unix.MS_BIND, "") },
	)
}

// removeSpace takes the name away; the kernel ends the namespace when nothing
// uses it any more.
func removeSpace(name string) error {
	path := filepath.Join(spaceDir, name)
	err := unix.Unmount(path, unix.MNT_DETACH)
	if err != nil && !errors.Is(err, unix.EINVAL) && !errors.Is(err, unix.ENOENT) {
		return fmt.Errorf("unmount %s: %w", path, err)
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// shareSpaceDir makes the directory as `ip netns` does: shared, so that what is
// removed here is gone in every mount namespace and not kept alive by one.
func shareSpaceDir() error {
	if err := os.MkdirAll(spaceDir, 0o755); err != nil {
		return err
	}
	err := unix.Mount("", spaceDir, "none", unix.MS_SHARED|unix.MS_REC, "")
	if !errors.Is(err, unix.EINVAL) {
		return err
	}
	if err := unix.Mount(spaceDir, spaceDir, "none", unix.MS_BIND|unix.MS_REC, ""); err != nil {
		return fmt.Errorf("mount %s: %w", spaceDir, err)
	}
	return unix.Mount("", spaceDir, "none", unix.MS_SHARED|unix.MS_REC, "")
}
