package qemu

import (
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// trimEvery is how often logs of running machines are brought back to size. A
// guest can write for that long, at the speed of its serial port.
const trimEvery = 5 * time.Second

// openLog opens a log to append to, after it was brought back to size.
func (d *Driver) openLog(m *machine, name string) (*os.File, error) {
	if err := d.compact(m.dir.file(name)); err != nil {
		return nil, err
	}
	return os.OpenFile(m.dir.file(name), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
}

// compact rewrites a log that nobody writes, without its hole.
func (d *Driver) compact(path string) error {
	st, err := os.Stat(path)
	if errors.Is(err, os.ErrNotExist) || err == nil && st.Size() <= d.c.SerialLogBytes {
		return nil
	}
	if err != nil {
		return err
	}
	old, err := d.openTail(path)
	if err != nil {
		return err
	}
	defer old.Close()
	temp := path + ".new"
	f, err := os.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, old)
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	return os.Rename(temp, path)
}

// openTail opens a log where the part that is kept begins.
func (d *Driver) openTail(path string) (*os.File, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	st, err := f.Stat()
	if err == nil {
		_, err = f.Seek(max(0, st.Size()-d.c.SerialLogBytes), io.SeekStart)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// SerialLog opens the boot log: the last SerialLogBytes of it. It can be read
// while it grows.
func (d *Driver) SerialLog(uid string) (io.ReadCloser, error) {
	m, err := d.machine(uid)
	if err != nil {
		return nil, fmt.Errorf("qemu: %w", err)
	}
	f, err := d.openTail(m.dir.file(serialLog))
	if err != nil {
		return nil, fmt.Errorf("qemu: boot log: %w", err)
	}
	return f, nil
}

// trimLogs keeps guests from filling the host's disk with their logs.
func (d *Driver) trimLogs() {
	tick := time.NewTicker(trimEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			for _, m := range d.all() {
				d.trim(m)
			}
		case <-d.closing:
			return
		}
	}
}

func (d *Driver) trim(m *machine) {
	if m.process() == nil {
		return
	}
	for _, name := range []string{serialLog, processLog} {
		if err := punch(m.dir.file(name), d.c.SerialLogBytes); err != nil {
			d.c.Log.Warn("log not trimmed, will retry", "vm", m.uid, "err", err)
		}
	}
}

// punch gives the space of all but the last keep bytes of a log back. The
// bytes that are kept stay where they are, and QEMU, which appends, does not
// notice.
func punch(path string, keep int64) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	var st unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &st); err != nil {
		return err
	}
	if st.Size <= 2*keep || st.Blocks*512 <= 2*keep {
		return nil
	}
	const punchHole = unix.FALLOC_FL_PUNCH_HOLE | unix.FALLOC_FL_KEEP_SIZE
	err = unix.Fallocate(int(f.Fd()), punchHole, 0, st.Size-keep)
	if errors.Is(err, unix.EOPNOTSUPP) {
		return f.Truncate(0)
	}
	return err
}
