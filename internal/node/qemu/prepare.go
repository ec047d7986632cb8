package qemu

import (
	"fmt"
	"os"

	"lazuli/internal/fabric"
	"lazuli/internal/node"
)

// files are the open files that a process starts with; a file's place is its
// descriptor there.
type files struct {
	open []*os.File
	own  []*os.File // those to close afterwards
}

// give adds a file of someone else's.
func (f *files) give(file *os.File) int {
	f.open = append(f.open, file)
	return len(f.open) - 1
}

// make adds a file that is the process's alone.
func (f *files) make(file *os.File, err error) (int, error) {
	if err != nil {
		return 0, err
	}
	f.own = append(f.own, file)
	return f.give(file), nil
}

func (f *files) close() {
	for _, file := range f.own {
		file.Close()
	}
}

// prepare opens all that the process will have open, the machine's lock among
// it, and describes it.
func (d *Driver) prepare(m *machine, spec node.InstanceSpec, f *files) (l launch, err error) {
	l = launch{spec: spec, accel: d.host.Accelerator, storage: d.storage(), code: d.c.FirmwareCode}
	if len(spec.Taps) != len(spec.Machine.NICs) {
		return l, fmt.Errorf("%d taps for %d network interfaces", len(spec.Taps), len(spec.Machine.NICs))
	}
	if err := d.prepareOutput(m, f); err != nil {
		return l, err
	}
	steps := []struct {
		fd   *int
		open func() (*os.File, error)
		skip bool
	}{
		{&l.monitor, func() (*os.File, error) { return m.dir.listen(monitorSock) }, false},
		{&l.serial, func() (*os.File, error) { return m.dir.listen(serialSock) }, false},
		{&l.agent, func() (*os.File, error) { return m.dir.listen(agentSock) }, false},
		{&l.log, func() (*os.File, error) { return d.openLog(m, serialLog) }, false},
		{&l.vars, func() (*os.File, error) { return m.dir.openVars(d.c.FirmwareVars, spec.Machine.OSDisk()) }, spec.Machine.Firmware != fabric.UEFI},
		{&l.medium, func() (*os.File, error) { return os.Open(spec.Medium) }, spec.Medium == ""},
	}
	for _, s := range steps {
		if s.skip {
			continue
		}
		if *s.fd, err = f.make(s.open()); err != nil {
			return l, err
		}
	}
	for _, tap := range spec.Taps {
		l.taps = append(l.taps, f.give(tap))
	}
	l.vhosts = d.vhosts(len(spec.Taps), f)
	return l, nil
}

// prepareOutput fills descriptors 0 to 3: nothing to read, a log for what QEMU
// says, and the lock.
func (d *Driver) prepareOutput(m *machine, f *files) error {
	if _, err := f.make(os.Open(os.DevNull)); err != nil {
		return err
	}
	log, err := f.make(d.openLog(m, processLog))
	if err != nil {
		return err
	}
	f.give(f.open[log])
	_, err = f.make(m.dir.lock())
	return err
}

// vhosts opens the kernel's half of a network device for each NIC, where there
// is one; else QEMU moves the packets itself.
func (d *Driver) vhosts(n int, f *files) []int {
	if d.host.Accelerator != kvm {
		return nil
	}
	var fds []int
	for range n {
		fd, err := f.make(os.OpenFile("/dev/vhost-net", os.O_RDWR, 0))
		if err != nil {
			return fds
		}
		fds = append(fds, fd)
	}
	return fds
}
