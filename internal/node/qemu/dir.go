package qemu

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"

	"golang.org/x/sys/unix"
)

// Files in a machine's directory. The directory is root's alone: QEMU gets
// what it needs of it as open files.
const (
	handleFile  = "handle.json"
	lockFile    = "lock" // held by the QEMU process
	monitorSock = "qmp.sock"
	serialSock  = "serial.sock"
	agentSock   = "agent.sock"
	serialLog   = "serial.log"
	processLog  = "qemu.log" // what QEMU itself has to say
)

var uidPattern = regexp.MustCompile(`^[0-9A-Za-z][0-9A-Za-z-]{0,63}$`)

// checkUID keeps strange uids out of paths and options.
func checkUID(uid string) error {
	if !uidPattern.MatchString(uid) {
		return fmt.Errorf("uid %q is not letters, digits and hyphens", uid)
	}
	return nil
}

// dir is the directory of one machine.
type dir string

func (d dir) file(name string) string { return filepath.Join(string(d), name) }

// inside calls f with a path to the directory that is short enough for the
// name of a socket, whatever the directory's own path is.
func (d dir) inside(f func(short string) error) error {
	fd, err := unix.Open(string(d), unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return &os.PathError{Op: "open", Path: string(d), Err: err}
	}
	defer unix.Close(fd)
	return f(fmt.Sprintf("/proc/self/fd/%d", fd))
}

// listen binds a socket for QEMU to accept on. Whoever dials it before QEMU
// does is kept waiting, not refused.
func (d dir) listen(name string) (f *os.File, err error) {
	if err := os.Remove(d.file(name)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	err = d.inside(func(short string) error {
		l, err := net.ListenUnix("unix", &net.UnixAddr{Name: filepath.Join(short, name)})
		if err != nil {
			return err
		}
		l.SetUnlinkOnClose(false)
		defer l.Close()
		f, err = l.File()
		return err
	})
	return f, err
}

func (d dir) dial(ctx context.Context, name string) (conn net.Conn, err error) {
	err = d.inside(func(short string) error {
		var dialer net.Dialer
		conn, err = dialer.DialContext(ctx, "unix", filepath.Join(short, name))
		return err
	})
	return conn, err
}

// errLocked says that a process of the machine is alive.
var errLocked = errors.New("a process of the machine is alive")

// lock takes the machine's lock, to be handed to its process. Locks of this
// kind belong to the open file: it is free when the last process that has the
// file is gone, however that came about.
func (d dir) lock() (*os.File, error) {
	f, err := os.OpenFile(d.file(lockFile), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		f.Close()
		if errors.Is(err, unix.EWOULDBLOCK) {
			return nil, errLocked
		}
		return nil, fmt.Errorf("lock: %w", err)
	}
	return f, nil
}

// write replaces a file so that after a crash either the old or the new
// content is there, and the new one once write has returned.
func (d dir) write(name string, data []byte) error {
	temp := d.file(name + ".new")
	f, err := os.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Rename(temp, d.file(name))
	}
	if err != nil {
		return err
	}
	return syncDir(string(d))
}

func syncDir(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Sync()
}
