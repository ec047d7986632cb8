package qemu

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Host is what was found out about a host by trying.
type Host struct {
	BootID  string `json:"bootId"`
	Program string `json:"program"`
	Version string `json:"version"`
	// Accelerator is "kvm" or "tcg"; Why says why it is not kvm.
	Accelerator string `json:"accelerator"`
	Why         string `json:"why,omitempty"`
	// AIO is "io_uring" or "native".
	AIO string `json:"aio"`
}

const (
	hostFile  = "host.json"
	kvmDevice = "/dev/kvm"
)

// How long a guest of a few instructions may take. A KVM that needs longer is
// slower than TCG, or hangs, as some nested ones do.
const (
	kvmDeadline = 5 * time.Second
	tcgDeadline = 60 * time.Second
)

// probeGuest is a disk with a boot sector that says 42 to the debug-exit port:
// mov al,42; out 0xf4,al; hlt; jmp -3. The firmware boots from none that is
// smaller than a cylinder.
var probeGuest = func() []byte {
	sector := make([]byte, 1<<20)
	copy(sector, []byte{0xb0, 42, 0xe6, 0xf4, 0xf4, 0xeb, 0xfd})
	sector[510], sector[511] = 0x55, 0xaa
	return sector
}()

// probeExit is how QEMU exits when the guest has said 42.
const probeExit = 42<<1 | 1

// Probe finds out what machines would run on with this configuration, as New
// does. It may be called beside a Driver.
func Probe(ctx context.Context, c Config) (Host, error) {
	c = c.withDefaults()
	if err := os.MkdirAll(c.Root, 0o711); err != nil {
		return Host{}, fmt.Errorf("qemu: %w", err)
	}
	h, err := probeHost(ctx, c)
	if err != nil {
		return Host{}, fmt.Errorf("qemu: %w", err)
	}
	return h, nil
}

// probeHost returns what is known of the host. What it found it keeps in a
// file, for as long as the host does not boot and QEMU stays the same.
func probeHost(ctx context.Context, c Config) (Host, error) {
	version, err := version(ctx, c.QEMU)
	if err != nil {
		return Host{}, err
	}
	boot, err := bootID()
	if err != nil {
		return Host{}, err
	}
	h := Host{BootID: boot, Program: c.QEMU, Version: version, Accelerator: c.Accelerator, AIO: c.AIO}
	if h.Accelerator != "" && h.AIO != "" {
		return h, nil
	}
	if old, ok := rememberedHost(c.Root); ok && old.BootID == h.BootID && old.Program == h.Program && old.Version == h.Version {
		return old.override(c), nil
	}
	if err := h.try(ctx, c, kvmDevice); err != nil {
		return Host{}, err
	}
	data, err := json.MarshalIndent(h, "", "  ")
	if err != nil {
		return Host{}, err
	}
	return h.override(c), dir(c.Root).write(hostFile, append(data, '\n'))
}

func rememberedHost(root string) (h Host, ok bool) {
	data, err := os.ReadFile(filepath.Join(root, hostFile))
	return h, err == nil && json.Unmarshal(data, &h) == nil
}

// override puts what was configured over what was found.
func (h Host) override(c Config) Host {
	if c.Accelerator != "" {
		h.Accelerator, h.Why = c.Accelerator, "configured"
	}
	if c.AIO != "" {
		h.AIO = c.AIO
	}
	return h
}

func version(ctx context.Context, program string) (string, error) {
	out, err := exec.CommandContext(ctx, program, "--version").Output()
	if err != nil {
		return "", fmt.Errorf("%s --version: %w", program, err)
	}
	_, after, ok := strings.Cut(string(out), "version ")
	if fields := strings.Fields(after); ok && len(fields) > 0 {
		return fields[0], nil
	}
	return "", fmt.Errorf("%s --version says %q", program, out)
}

// try finds out Accelerator and AIO.
func (h *Host) try(ctx context.Context, c Config, kvmDev string) error {
	image, err := writeProbe(c.Root)
	if err != nil {
		return err
	}
	defer os.Remove(image)
	var errs error
	for _, aio := range []string{"io_uring", "native"} {
		err := tryGuest(ctx, c, image, tcg, aio, nil, tcgDeadline)
		if err == nil {
			h.AIO, h.Accelerator, errs = aio, tcg, nil
			break
		}
		errs = errors.Join(errs, fmt.Errorf("try a guest under tcg with %s: %w", aio, err))
	}
	if errs != nil {
		return errs
	}
	groups, err := kvmGroups(kvmDev)
	if err == nil {
		err = tryGuest(ctx, c, image, kvm, h.AIO, groups, kvmDeadline)
	}
	if err != nil {
		h.Why = err.Error()
		return nil
	}
	h.Accelerator = kvm
	return nil
}

// probeFiles is the pattern of the names of probes' disks.
const probeFiles = "probe-*.img"

// writeProbe writes the probe's disk under a name of its own, and removes those
// of probes that were cut short.
func writeProbe(root string) (string, error) {
	if err := clearProbes(root, time.Now().Add(-10*tcgDeadline)); err != nil {
		return "", err
	}
	f, err := os.CreateTemp(root, probeFiles)
	if err != nil {
		return "", err
	}
	_, err = f.Write(probeGuest)
	if err := errors.Join(err, f.Chmod(0o444), f.Close()); err != nil {
		return "", errors.Join(err, os.Remove(f.Name()))
	}
	return f.Name(), nil
}

// clearProbes removes what is older than any probe that goes on.
func clearProbes(root string, before time.Time) error {
	left, err := filepath.Glob(filepath.Join(root, probeFiles))
	for _, path := range left {
		if st, serr := os.Stat(path); serr == nil && st.ModTime().Before(before) {
			err = errors.Join(err, os.Remove(path))
		}
	}
	return err
}

// kvmGroups are the groups that a user must be in to use the device.
func kvmGroups(device string) ([]uint32, error) {
	var st unix.Stat_t
	if err := unix.Stat(device, &st); err != nil {
		return nil, &fs.PathError{Op: "stat", Path: device, Err: err}
	}
	switch {
	case st.Mode&0o006 == 0o006:
		return nil, nil
	case st.Mode&0o060 == 0o060:
		return []uint32{st.Gid}, nil
	default:
		return nil, fmt.Errorf("%s is open to its owner only, with mode %#o: chgrp kvm and chmod 660 would open it", device, st.Mode&0o777)
	}
}

// tryGuest boots the probe's guest as an unprivileged user, with the options
// that machines have. It ends with the agent: a guest that hangs would do so
// for ever.
func tryGuest(ctx context.Context, c Config, image, accel, aio string, groups []uint32, deadline time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, deadline)
	defer cancel()
	runtime.LockOSThread() // it is this thread whose end ends the process
	defer runtime.UnlockOSThread()
	by := storage{aio: aio}
	args := append([]string{
		"-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
		"-machine", "type=" + machineType, "-m", "size=64M",
		"-device", "isa-debug-exit,iobase=0xf4,iosize=1",
		"-blockdev", encode(block{"driver": "raw", "node-name": "os", "read-only": true, "cache": by.cache(), "file": by.file(image, true)}),
		"-device", "virtio-blk-pci,drive=os,bootindex=1",
	}, accelerator(accel)...)
	cmd := exec.CommandContext(ctx, c.QEMU, args...)
	cmd.WaitDelay = time.Second
	user := uint32(c.FirstUser)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: user, Gid: user, Groups: groups}, Pdeathsig: syscall.SIGKILL}
	out, err := cmd.CombinedOutput()
	if ctx.Err() != nil {
		return fmt.Errorf("a guest of 4 instructions was not done within %v", deadline)
	}
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) && exit.ExitCode() == probeExit {
		return nil
	}
	return fmt.Errorf("ended with %v: %s", err, lastLine(string(out)))
}

func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.TrimSpace(lines[len(lines)-1])
}
