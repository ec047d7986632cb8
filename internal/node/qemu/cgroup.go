package qemu

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"lazuli/internal/fabric"
)

const cgroupRoot = "/sys/fs/cgroup"

// overheadMiB is what a QEMU may take besides its guest's memory: translated
// code, page tables, buffers. A guest that makes it take more is ended rather
// than the host's other machines.
func overheadMiB(m fabric.Machine) int { return 1024 + m.MemoryMiB/8 }

// setting is one file of a control group.
type setting struct{ controller, file, value string }

// settings bound a machine in each version of control groups. Processors are
// shared in proportion, not capped.
func settings(m fabric.Machine) (v1, v2 []setting) {
	memory := strconv.Itoa((m.MemoryMiB + overheadMiB(m)) << 20)
	threads := strconv.Itoa(m.CPUs + helperThreads)
	v1 = []setting{
		{"cpu", "cpu.shares", strconv.Itoa(1024 * m.CPUs)},
		{"memory", "memory.limit_in_bytes", memory},
		{"pids", "pids.max", threads},
	}
	v2 = []setting{
		{"", "cpu.weight", strconv.Itoa(min(100*m.CPUs, 10000))},
		{"", "memory.max", memory},
		{"", "pids.max", threads},
	}
	return v1, v2
}

// together is what all machines of a host weigh against the rest of it, in each
// version: on each processor as much as one thread. A group that is told
// nothing weighs as one thread in all, whatever runs in it.
func together(processors int) (v1, v2 setting) {
	return setting{"cpu", "cpu.shares", strconv.Itoa(min(1024*processors, 1<<18))},
		setting{"", "cpu.weight", strconv.Itoa(min(100*processors, 10000))}
}

// joinCgroups puts a process into control groups of its own, outside of the
// agent's service, with which it must not end. A host where that cannot be
// done runs machines without.
func joinCgroups(c Config, pid int, m fabric.Machine) {
	v1, v2 := settings(m)
	all, all2 := together(runtime.NumCPU())
	use := v1
	if unified() {
		use, all = v2, all2
		for _, dir := range []string{cgroupRoot, filepath.Join(cgroupRoot, c.Cgroup)} {
			if err := errors.Join(makeDir(dir), enable(dir, "cpu", "memory", "pids")); err != nil {
				c.Log.Debug("control group without controllers", "err", err)
			}
		}
	}
	for _, s := range use {
		dir := filepath.Join(cgroupRoot, s.controller, c.Cgroup, m.UID)
		err := os.MkdirAll(dir, 0o755)
		if err == nil {
			err = errors.Join(put(dir, s.file, s.value), put(dir, "cgroup.procs", strconv.Itoa(pid)))
		}
		if err != nil {
			c.Log.Debug("machine without control group", "vm", m.UID, "err", err)
		}
	}
	if err := put(filepath.Join(cgroupRoot, all.controller, c.Cgroup), all.file, all.value); err != nil {
		c.Log.Debug("machines together have no weight", "err", err)
	}
}

// enable gives the groups below dir each controller by itself: asked for all at
// once, a host that lacks one gives none.
func enable(dir string, controllers ...string) (err error) {
	for _, name := range controllers {
		err = errors.Join(err, put(dir, "cgroup.subtree_control", "+"+name))
	}
	return err
}

// leaveCgroups removes the control groups of a machine that has ended.
func leaveCgroups(c Config, uid string) {
	v1, _ := settings(fabric.Machine{})
	dirs := []string{filepath.Join(cgroupRoot, c.Cgroup, uid)}
	for _, s := range v1 {
		dirs = append(dirs, filepath.Join(cgroupRoot, s.controller, c.Cgroup, uid))
	}
	for _, dir := range dirs {
		if err := removeGroup(dir); err != nil {
			c.Log.Debug("control group stays", "vm", uid, "err", err)
		}
	}
}

// A kernel tells of a process's end before the last of it has left its group.
const (
	groupPoll = 2 * time.Millisecond
	groupWait = 2 * time.Second
)

// removeGroup removes a control group that nobody is in, or is just leaving.
func removeGroup(dir string) error {
	late := time.After(groupWait)
	for {
		err := unix.Rmdir(dir)
		if err == nil || errors.Is(err, os.ErrNotExist) {
			return nil
		}
		if !errors.Is(err, unix.EBUSY) {
			return err
		}
		select {
		case <-time.After(groupPoll):
		case <-late:
			return err
		}
	}
}

func unified() bool {
	_, err := os.Stat(filepath.Join(cgroupRoot, "cgroup.controllers"))
	return err == nil
}

func makeDir(dir string) error {
	if err := os.Mkdir(dir, 0o755); err != nil && !errors.Is(err, os.ErrExist) {
		return err
	}
	return nil
}

func put(dir, file, value string) error {
	if err := os.WriteFile(filepath.Join(dir, file), []byte(value), 0o644); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	return nil
}
