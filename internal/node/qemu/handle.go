package qemu

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// handle is what outlives the agent of what it knew of a machine.
type handle struct {
	UID string `json:"uid"`
	// Owner is the user that runs the machine's process.
	Owner int `json:"owner"`
	// Process is the last one that was started; nil when it was stopped, or its
	// end was told.
	Process *identity `json:"process,omitempty"`
	// Ended is how the last process ended by itself. It stays until the machine
	// is started or stopped, and is told again after each Attach.
	Ended *ending `json:"ended,omitempty"`
}

// ending is a process's end that nobody asked for.
type ending struct {
	Kind   string    `json:"kind"` // node.EventShutdown or node.EventExited
	At     time.Time `json:"at"`
	Detail string    `json:"detail,omitempty"`
}

// identity tells a process from all others, also from a later one of the same
// number.
type identity struct {
	PID        int       `json:"pid"`
	StartTicks uint64    `json:"startTicks"` // since the host's boot
	BootID     string    `json:"bootId"`
	StartedAt  time.Time `json:"startedAt"`
}

// load reads a handle; a machine without one has an empty one.
func (d dir) load() (handle, error) {
	data, err := os.ReadFile(d.file(handleFile))
	if errors.Is(err, os.ErrNotExist) {
		return handle{}, nil
	}
	if err != nil {
		return handle{}, err
	}
	var h handle
	if err := json.Unmarshal(data, &h); err != nil {
		return handle{}, fmt.Errorf("%s: %w", d.file(handleFile), err)
	}
	return h, nil
}

func (d dir) save(h handle) error {
	data, err := json.MarshalIndent(h, "", "  ")
	if err != nil {
		return err
	}
	return d.write(handleFile, append(data, '\n'))
}

// identify reads the identity of a process that runs now.
func identify(pid int) (identity, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return identity{}, err
	}
	ticks, err := startTicks(string(stat))
	if err != nil {
		return identity{}, fmt.Errorf("process %d: %w", pid, err)
	}
	boot, err := bootID()
	if err != nil {
		return identity{}, err
	}
	return identity{PID: pid, StartTicks: ticks, BootID: boot, StartedAt: time.Now().UTC()}, nil
}

// startTicks takes field 22 of /proc/PID/stat. Field 2 is the program's name
// in parentheses, which may hold anything.
func startTicks(stat string) (uint64, error) {
	i := strings.LastIndexByte(stat, ')')
	if i < 0 {
		return 0, errors.New("stat without a name")
	}
	fields := strings.Fields(stat[i+1:])
	if len(fields) < 20 {
		return 0, errors.New("stat is too short")
	}
	var ticks uint64
	if _, err := fmt.Sscan(fields[19], &ticks); err != nil {
		return 0, fmt.Errorf("stat: start time %q: %w", fields[19], err)
	}
	return ticks, nil
}

func bootID() (string, error) {
	data, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	return strings.TrimSpace(string(data)), err
}

// alive opens the process if it is still the one that id names. ok is false
// when it is gone for certain: one that cannot be looked at may run a guest.
func (id identity) alive() (pidfd *os.File, ok bool, err error) {
	pidfd, err = openPID(id.PID)
	if errors.Is(err, unix.ESRCH) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	now, err := identify(id.PID) // after it was opened, so the number is held
	if err == nil && now.StartTicks == id.StartTicks && now.BootID == id.BootID {
		return pidfd, true, nil
	}
	pidfd.Close()
	if err == nil || errors.Is(err, os.ErrNotExist) || errors.Is(err, unix.ESRCH) {
		return nil, false, nil
	}
	return nil, false, err
}

// openPID refers to a process by descriptor: it never names another one, and
// is readable when the process has ended.
func openPID(pid int) (*os.File, error) {
	fd, err := unix.PidfdOpen(pid, unix.PIDFD_NONBLOCK)
	if err != nil {
		return nil, fmt.Errorf("process %d: %w", pid, err)
	}
	return os.NewFile(uintptr(fd), "pidfd"), nil
}
