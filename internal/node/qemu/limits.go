package qemu

import (
	"errors"
	"fmt"
	"os"

	"lazuli/internal/fabric"
)

// helperThreads is room for QEMU's threads besides those of the processors:
// its pool for I/O above all.
const helperThreads = 256

// openFiles is room for the disks, with all that is below them.
const openFiles = 4096

// oomScore makes the kernel end most other things before a machine: those can
// be started again without a loss.
const oomScore = "-200"

// limited is the command that becomes program after it has bounded what it can
// use up. A process may lower its own limits; to lower another's is a
// privilege that an agent in a container does not have.
func limited(program string, m fabric.Machine) []string {
	bound := func(name string, n int) string { return fmt.Sprintf("--%s=%d:%d", name, n, n) }
	return []string{
		"prlimit", bound("core", 0), bound("nofile", openFiles), bound("nproc", m.CPUs+helperThreads), "--", program,
	}
}

// spare asks the kernel to spare a process when memory runs out. Where the
// agent may not ask that, the process is as good as any other.
func spare(pid int) error {
	err := os.WriteFile(fmt.Sprintf("/proc/%d/oom_score_adj", pid), []byte(oomScore), 0)
	if errors.Is(err, os.ErrPermission) {
		return nil
	}
	return err
}
