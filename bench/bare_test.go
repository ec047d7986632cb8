package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestByHand replaces what a node passes to QEMU open, and nothing else.
func TestByHand(t *testing.T) {
	r := replaced{monitor: "/b/qmp", serial: "/b/log", medium: "/b/medium.iso", os: "/b/disk.qcow2", oldOS: "/d/os/disk.qcow2"}
	tests := map[string]struct{ args, want []string }{
		"monitor": {
			[]string{"qemu", "-S", "-chardev", "socket,id=monitor,fd=4,server=on,wait=off", "-mon", "chardev=monitor,mode=control"},
			[]string{"qemu", "-S", "-chardev", "socket,id=monitor,path=/b/qmp,server=on,wait=off", "-mon", "chardev=monitor,mode=control"},
		},
		"serial port": {
			[]string{"-add-fd", "fd=6,set=1", "-chardev", "socket,id=serial,fd=5,server=on,wait=off,logfile=/dev/fdset/1,logappend=on"},
			[]string{"-chardev", "file,id=serial,path=/b/log"},
		},
		"agent": {
			[]string{"-chardev", "socket,id=agent,fd=6,server=on,wait=off", "-device", "virtserialport,chardev=agent"},
			[]string{"-chardev", "null,id=agent", "-device", "virtserialport,chardev=agent"},
		},
		"network": {
			[]string{"-netdev", "tap,id=net0,fd=8,vhost=on,vhostfd=9", "-device", "virtio-net-pci,id=nic0,netdev=net0"},
			[]string{"-netdev", "user,id=net0,restrict=on", "-device", "virtio-net-pci,id=nic0,netdev=net0"},
		},
		"disk": {
			[]string{"-blockdev", `{"backing":{"file":{"filename":"/d/os/base.qcow2"}},"file":{"filename":"/d/os/disk.qcow2"}}`},
			[]string{"-blockdev", `{"backing":{"file":{"filename":"/b/base.qcow2"}},"file":{"filename":"/b/disk.qcow2"}}`},
		},
		"medium": {
			[]string{"-add-fd", "fd=7,set=3", "-blockdev", `{"file":{"filename":"/dev/fdset/3"}}`},
			[]string{"-blockdev", `{"file":{"filename":"/b/medium.iso"}}`},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, byHand(test.args, r)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestByHandTakesAll says that no file of any machine of the driver's is left to
// be passed open. One of UEFI has its variables besides, and is not measured.
func TestByHandTakesAll(t *testing.T) {
	files, err := filepath.Glob("../internal/node/qemu/testdata/argv/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("command lines: %q, %v", files, err)
	}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(f, "uefi.txt") {
			continue
		}
		var args []string
		for line := range strings.Lines(string(b)) {
			args = append(args, strings.SplitN(strings.TrimSpace(line), " ", 2)...)
		}
		for _, a := range byHand(args, replaced{}) {
			if strings.Contains(a, "fd=") || strings.Contains(a, "/dev/fdset/") {
				t.Errorf("%s: %s is left", filepath.Base(f), a)
			}
		}
	}
}

func TestOSDisk(t *testing.T) {
	args := []string{"qemu", "-blockdev", `{"node-name":"lun0","file":{"filename":"/no"}}`, "-blockdev", `{"node-name":"os","file":{"filename":"/yes"}}`}
	if got, err := osDisk(args); err != nil || got != "/yes" {
		t.Errorf("osDisk = %q, %v", got, err)
	}
	if got, err := osDisk(args[:3]); err == nil {
		t.Errorf("osDisk without one = %q", got)
	}
}

func TestPairs(t *testing.T) {
	var p pairs[time.Duration]
	if got := p.ratio(); got != "-" {
		t.Errorf("ratio of nothing = %s", got)
	}
	for _, x := range [][2]time.Duration{{10, 10}, {30, 10}, {20, 10}} {
		p.add(x[0], x[1])
	}
	if got := p.ratio(); got != "2.00" {
		t.Errorf("ratio = %s", got)
	}
	if got := p.difference(); got != 10 {
		t.Errorf("difference = %d", got)
	}
	if got := quantile(p.ours, 0.99); got != 30 {
		t.Errorf("quantile = %d", got)
	}
}

// TestAttempt ends one part by Fatal and goes on with what is next.
func TestAttempt(t *testing.T) {
	b, done := newTB(t.Context()), 0
	b.Cleanup(func() { done++ })
	b.attempt("part", func() { b.Fatal("no"); done += 10 })
	b.cleanUp()
	if done != 1 || !b.Failed() {
		t.Errorf("done = %d, failed = %v", done, b.Failed())
	}
}
