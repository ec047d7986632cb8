package qemu

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
)

// endStrays ends a process that holds the machine's lock and is in no handle:
// an agent ended between starting it and writing it down, so its guest never
// ran.
func (m *machine) endStrays(ctx context.Context) error {
	lock, err := m.dir.lock()
	if err == nil {
		return lock.Close()
	}
	if !errors.Is(err, errLocked) {
		return err
	}
	pids, err := processesOf(m.uid)
	if err != nil {
		return err
	}
	for _, pid := range pids {
		if err := endStray(ctx, pid); err != nil {
			return err
		}
	}
	lock, err = m.dir.lock()
	if err != nil {
		return err
	}
	return lock.Close()
}

func endStray(ctx context.Context, pid int) error {
	pidfd, err := openPID(pid)
	if err != nil {
		return nil // gone by itself
	}
	defer pidfd.Close()
	p := newProcess(identity{PID: pid}, pidfd)
	if err := p.kill(); err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { pidfd.Close() })
	defer stop()
	p.await()
	return ctx.Err()
}

// processesOf lists the processes that were started as the machine's QEMU.
func processesOf(uid string) ([]int, error) {
	paths, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		return nil, err
	}
	name := []byte("\x00-name\x00lazuli-" + uid + ",")
	var pids []int
	for _, path := range paths {
		cmdline, err := os.ReadFile(path)
		if err != nil || !bytes.Contains(cmdline, name) {
			continue
		}
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		if err != nil {
			return nil, err
		}
		pids = append(pids, pid)
	}
	return pids, nil
}
