package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// superblock is what of an ext4 superblock says who it is and how it fares.
type superblock struct {
	uuid string
	// dirty: not unmounted since it was last written; the journal is to be
	// replayed. errored: the kernel has found it broken.
	dirty, errored bool
}

// parseSuperblock reads the 1024 bytes at offset 1024 of an ext4 file system
// (kernel: Documentation/filesystems/ext4/super.rst).
func parseSuperblock(b []byte) (superblock, bool) {
	const (
		magic, state, incompat, uuid = 0x38, 0x3a, 0x60, 0x68
		stateValid, stateErrors      = 1, 2
		needsRecovery                = 4
	)
	le := binary.LittleEndian
	if len(b) < 1024 || le.Uint16(b[magic:]) != 0xef53 {
		return superblock{}, false
	}
	u, s := b[uuid:uuid+16], le.Uint16(b[state:])
	return superblock{
		uuid:    fmt.Sprintf("%x-%x-%x-%x-%x", u[:4], u[4:6], u[6:8], u[8:10], u[10:]),
		dirty:   le.Uint32(b[incompat:])&needsRecovery != 0 || s&stateValid == 0,
		errored: s&stateErrors != 0,
	}, true
}

func readSuperblock(dev string) (superblock, bool) {
	f, err := os.Open(dev)
	if err != nil {
		return superblock{}, false
	}
	defer f.Close()
	b := make([]byte, 1024)
	if _, err := f.ReadAt(b, 1024); err != nil {
		return superblock{}, false
	}
	return parseSuperblock(b)
}

// findExt4 returns the block device with the file system id, or "".
func findExt4(id string) string {
	devs, _ := filepath.Glob("/sys/class/block/*")
	slices.Sort(devs)
	for _, d := range devs {
		dev := "/dev/" + filepath.Base(d)
		if sb, ok := readSuperblock(dev); ok && sb.uuid == id {
			return dev
		}
	}
	return ""
}

// mountChecked mounts an ext4 file system and says in which state it was:
// "clean"; "recovered", when its journal was replayed and a full check has found
// nothing wrong; else "errors: " and what was found. tools is where the root
// file system with e2fsck is.
func mountChecked(dev, target, tools string) (string, error) {
	sb, ok := readSuperblock(dev)
	if !ok {
		return "", fmt.Errorf("%s has no ext4 file system", dev)
	}
	flags := uintptr(unix.MS_NOATIME)
	if sb.dirty || sb.errored {
		flags |= unix.MS_RDONLY
	}
	if err := unix.Mount(dev, target, "ext4", flags, ""); err != nil {
		return "", fmt.Errorf("mount %s: %w", dev, err)
	}
	if flags&unix.MS_RDONLY == 0 {
		return "clean", nil
	}
	state := check(dev, tools)
	return state, unix.Mount("", target, "", unix.MS_REMOUNT|unix.MS_NOATIME, "")
}

// check runs a full check without writing.
func check(dev, tools string) string {
	if tools != "/" {
		// e2fsck runs on the new root, which has no devices of its own yet.
		for _, m := range []string{"/dev", "/proc"} {
			unix.Mount(m, tools+m, "", unix.MS_BIND, "") //nolint:errcheck // the check fails then
			defer unix.Unmount(tools+m, unix.MNT_DETACH) //nolint:errcheck // likewise
		}
	}
	cmd := exec.Command("/sbin/e2fsck", "-fn", dev)
	cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: tools}
	cmd.Dir = "/"
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return "recovered"
	case errors.As(err, &exit):
		return "errors: " + strings.Join(strings.Split(strings.TrimSpace(string(out)), "\n"), "; ")
	default:
		return "errors: cannot check: " + err.Error()
	}
}
