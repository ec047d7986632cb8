package qemu

import (
	"fmt"
	"os/exec"
	"syscall"

	"lazuli/internal/fabric"
)

// spawn starts the process: in a session of its own, so that nothing which
// ends the agent ends it, as the machine's user, with no other group and no
// capability.
func (d *Driver) spawn(owner int, machine fabric.Machine, args []string, f *files) (*process, error) {
	program, err := exec.LookPath(d.c.QEMU)
	if err != nil {
		return nil, err
	}
	command := append(limited(program, machine), args...)
	first, err := exec.LookPath(command[0])
	if err != nil {
		return nil, err
	}
	var groups []uint32
	if d.host.Accelerator == kvm {
		if groups, err = kvmGroups(kvmDevice); err != nil {
			return nil, err
		}
	}
	attr := &syscall.ProcAttr{
		Dir: "/",
		Env: []string{"PATH=/usr/bin:/bin", "LC_ALL=C"},
		Sys: &syscall.SysProcAttr{
			Setsid:     true,
			Credential: &syscall.Credential{Uid: uint32(owner), Gid: uint32(owner), Groups: groups},
		},
	}
	for _, file := range f.open {
		attr.Files = append(attr.Files, file.Fd())
	}
	pid, _, err := syscall.StartProcess(first, command, attr)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", first, err)
	}
	pidfd, err := openPID(pid)
	if err != nil {
		return nil, abandon(pid, err)
	}
	id, err := identify(pid)
	if err != nil {
		pidfd.Close()
		return nil, abandon(pid, err)
	}
	return newProcess(id, pidfd), nil
}

// abandon ends a child that cannot be held on to.
func abandon(pid int, err error) error {
	syscall.Kill(pid, syscall.SIGKILL)
	var ws syscall.WaitStatus
	syscall.Wait4(pid, &ws, 0, nil)
	return err
}
