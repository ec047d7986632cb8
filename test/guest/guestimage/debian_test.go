package guestimage

import (
	"os"
	"strings"
	"testing"
	"time"
)

// TestDebianOnTheSamePlatform boots the image of internal/image/debian where
// the tiny guest is tried, and looks at what the two should have in common. It
// is for people who change that image: LAZULI_DEBIAN_DISK names its disk.
func TestDebianOnTheSamePlatform(t *testing.T) {
	disk := os.Getenv("LAZULI_DEBIAN_DISK")
	if disk == "" {
		t.Skip("LAZULI_DEBIAN_DISK names no disk")
	}
	for name, spec := range map[string]machineSpec{
		"BIOS and virtio-blk": {},
		"UEFI and SCSI":       {uefi: true, scsi: true},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlatform(t, vmID1)
			spec.image, spec.iso, spec.memory = overlay(t, disk), p.medium(t, ""), "1024"
			spec.dataDisks = []string{emptyDisk(t), emptyDisk(t)}
			begun := time.Now()
			m := spec.start(t, p)
			m.waitReady()
			t.Logf("ready after %.1f s", time.Since(begun).Seconds())
			for range each(t, 500*time.Millisecond) {
				if c, err := m.tryDial(); err == nil {
					c.Close()
					break
				}
			}
			t.Logf("SSH after %.1f s", time.Since(begun).Seconds())
			out, _ := m.ssh("hostname; whoami; ls /dev/disk/azure /dev/disk/azure/scsi1; cloud-init status --wait; systemctl is-active walinuxagent ssh; systemctl list-units --failed --no-legend; systemd-analyze; systemd-analyze blame | head -8")
			t.Log(out)
			for _, want := range []string{"web1", userName, "lun0", "lun1", "root-part3", "status: done", "active"} {
				if !strings.Contains(out, want) {
					t.Errorf("there is no %q", want)
				}
			}
			down := time.Now()
			m.qmp("system_powerdown")
			m.waitGone()
			t.Logf("powered off in %.1f s", time.Since(down).Seconds())
			p.mu.Lock()
			t.Logf("asked: %s", strings.Join(p.asks, "\n"))
			p.mu.Unlock()
		})
	}
}

// each yields at once, and then every interval until the deadline of a boot.
func each(t *testing.T, interval time.Duration) func(func(int) bool) {
	return func(yield func(int) bool) {
		tick := time.NewTicker(interval)
		defer tick.Stop()
		for i := range int(bootDeadline / interval) {
			if !yield(i) {
				return
			}
			<-tick.C
		}
		t.Fatal("it did not come about")
	}
}
