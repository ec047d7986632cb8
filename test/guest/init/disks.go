package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

const lunDir = "/dev/disk/azure/scsi1"

// watchDisks keeps /dev/disk/azure/scsi1/lunN up to date: at first, and when
// the kernel says that a block device came or went.
func (g *guest) watchDisks() {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_KOBJECT_UEVENT)
	must("uevents", err)
	must("uevents", unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: 1}))
	b := make([]byte, 64<<10)
	for {
		linkDisks()
		for {
			n, _, err := unix.Recvfrom(fd, b, 0)
			if err == nil && strings.Contains(string(b[:n]), "SUBSYSTEM=block\x00") {
				break
			}
		}
	}
}

func linkDisks() {
	want := dataDisks("/sys/class/block")
	os.MkdirAll(lunDir, 0o755) //nolint:errcheck // the links fail then
	old, _ := os.ReadDir(lunDir)
	for _, e := range old {
		if _, ok := want[e.Name()]; !ok {
			os.Remove(filepath.Join(lunDir, e.Name())) //nolint:errcheck // it stays, and leads nowhere
		}
	}
	for lun, dev := range want {
		link := filepath.Join(lunDir, lun)
		if to, _ := os.Readlink(link); to == dev {
			continue
		}
		os.Remove(link) //nolint:errcheck // the next line fails then
		if err := os.Symlink(dev, link); err != nil {
			logf("disk lun=%s err=%q", lun, err)
		}
	}
}

// dataDisks finds the data disks: "lun0" to its device. The platform gives a
// disk the serial "lunN"; virtio-blk shows it as it is, SCSI in a VPD page.
func dataDisks(sys string) map[string]string {
	found := map[string]string{}
	devs, _ := filepath.Glob(sys + "/*")
	for _, d := range devs {
		serial, err := os.ReadFile(d + "/serial")
		if err != nil {
			page, _ := os.ReadFile(d + "/device/vpd_pg80")
			serial = page[min(4, len(page)):]
		}
		if s := strings.TrimSpace(string(serial)); strings.HasPrefix(s, "lun") {
			found[s] = "/dev/" + filepath.Base(d)
		}
	}
	return found
}

// mountPoint of a disk by its name: "root" or "lunN".
func mountPoint(disk string) string {
	if disk == "root" {
		return "/"
	}
	return "/mnt/" + disk
}

// useDisk formats a data disk unless it has a file system, and mounts it now
// and at each boot.
func (g *guest) useDisk(disk string) error {
	if disk == "root" {
		return nil
	}
	if _, ok := dataDisks("/sys/class/block")[disk]; !ok {
		for range each(20*time.Millisecond, 10*time.Second) {
			if _, ok = dataDisks("/sys/class/block")[disk]; ok {
				break
			}
		}
	}
	dev, ok := dataDisks("/sys/class/block")[disk]
	if !ok {
		return fmt.Errorf("no disk has the serial %q", disk)
	}
	if _, ok := readSuperblock(dev); !ok {
		if out, err := exec.Command("/sbin/mke2fs", "-q", "-t", "ext4", dev).CombinedOutput(); err != nil {
			return fmt.Errorf("mke2fs: %w: %s", err, out)
		}
	}
	if err := g.mount(disk, dev); err != nil {
		return err
	}
	return g.change(func(s *state) { s.Mounts = with(s.Mounts, disk) })
}

func (g *guest) mount(disk, dev string) error {
	g.mu.Lock()
	_, mounted := g.fs[disk]
	g.mu.Unlock()
	if mounted {
		return nil
	}
	target := mountPoint(disk)
	if err := os.MkdirAll(target, 0o755); err != nil {
		return err
	}
	st, err := mountChecked(dev, target, "/")
	if err != nil {
		return err
	}
	logf("mounted disk=%s state=%q", disk, st)
	g.mu.Lock()
	defer g.mu.Unlock()
	g.fs[disk] = st
	return nil
}

// release unmounts a data disk, now and for the boots to come.
func (g *guest) release(disk string) error {
	g.stopAppending(disk)
	if err := unix.Unmount(mountPoint(disk), 0); err != nil {
		return err
	}
	g.mu.Lock()
	delete(g.fs, disk)
	g.mu.Unlock()
	return g.change(func(s *state) { s.Mounts, s.Workloads = without(s.Mounts, disk), without(s.Workloads, disk) })
}

// mountAgain mounts the data disks that were in use before the boot.
func (g *guest) mountAgain() {
	for _, disk := range g.now().Mounts {
		var err error = fmt.Errorf("no such disk")
		for range each(20*time.Millisecond, 5*time.Second) {
			if dev, ok := dataDisks("/sys/class/block")[disk]; ok {
				err = g.mount(disk, dev)
				break
			}
		}
		if err != nil {
			logf("mount disk=%s err=%q", disk, err)
		}
	}
}

// stop lets go of everything on the disks.
func (g *guest) stop() {
	g.acks.stopAll()
	for _, disk := range g.now().Mounts {
		if err := unix.Unmount(mountPoint(disk), 0); err != nil {
			logf("unmount disk=%s err=%q", disk, err)
		}
	}
}

func with(s []string, x string) []string { return append(without(s, x), x) }

func without(s []string, x string) []string {
	var r []string
	for _, e := range s {
		if e != x {
			r = append(r, e)
		}
	}
	return r
}
