package qemu

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"lazuli/internal/fabric"
	"lazuli/internal/node"
)

var update = flag.Bool("update", false, "write the golden files anew")

const (
	vmUID   = "0d6a43e5-5b6d-4b1f-9d5c-2f6f7c1f3a10"
	osUID   = "5e3c6f0e-7a4e-4a51-8a53-1c9be0a7a001"
	dataUID = "5e3c6f0e-7a4e-4a51-8a53-1c9be0a7a002"
	imgUID  = "5e3c6f0e-7a4e-4a51-8a53-1c9be0a7a003"
)

func smallest() launch {
	return launch{
		accel: tcg, storage: storage{aio: "io_uring"}, monitor: 4, serial: 5, log: 6, agent: 11,
		spec: node.InstanceSpec{
			Machine: fabric.Machine{UID: vmUID, CPUs: 1, MemoryMiB: 512, Firmware: fabric.BIOS},
			Disks: []node.InstanceDisk{{
				MachineDisk: fabric.MachineDisk{UID: osUID, OS: true},
				Path:        "/d/" + osUID + "/disk.raw", Format: "raw",
			}},
		},
	}
}

func dataDisk(lun int) node.InstanceDisk {
	return node.InstanceDisk{
		MachineDisk: fabric.MachineDisk{UID: dataUID, LUN: lun},
		Path:        "/d/a, b\"/disk.qcow2", Format: "qcow2", Backing: []string{"/i/upper.qcow2", "/i/lower.qcow2"},
	}
}

func TestArgv(t *testing.T) {
	tests := map[string]func(*launch){
		"bios": func(*launch) {},
		"uefi": func(l *launch) {
			l.spec.Machine.Firmware, l.code, l.vars = fabric.UEFI, "/usr/share/OVMF/OVMF_CODE_4M.fd", 7
		},
		"kvm": func(l *launch) { l.accel, l.spec.Machine.CPUs = kvm, 4 },
		"disks": func(l *launch) {
			l.storage.aio = "native"
			ro := dataDisk(63)
			ro.UID, ro.ReadOnly, ro.Backing = imgUID, true, nil
			l.spec.Disks = append(l.spec.Disks, dataDisk(0), ro)
		},
		"overlay": func(l *launch) {
			l.spec.Disks[0].Format, l.spec.Disks[0].Backing = "qcow2", []string{"/i/debian-12/disk.qcow2"}
		},
		"unsafe": func(l *launch) { l.storage.unsafe = true },
		"medium": func(l *launch) { l.medium = 8 },
		"nics": func(l *launch) {
			l.spec.Machine.NICs = []fabric.MachineNIC{{MAC: "00:0D:3A:00:00:05"}, {MAC: "00:0d:3a:00:00:06"}}
			l.taps, l.vhosts = []int{9, 10}, []int{11}
		},
	}
	for name, change := range tests {
		t.Run(name, func(t *testing.T) {
			l := smallest()
			change(&l)
			args, err := argv(l)
			if err != nil {
				t.Fatal(err)
			}
			golden(t, name, perLine(args))
		})
	}
}

// perLine puts each option on a line with its value.
func perLine(args []string) string {
	return strings.TrimPrefix(strings.ReplaceAll("\n"+strings.Join(args, " "), " -", "\n-"), "\n") + "\n"
}

func golden(t *testing.T, name, got string) {
	path := filepath.Join("testdata", "argv", name+".txt")
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Error(diff)
	}
}

func TestArgvRefuses(t *testing.T) {
	tests := map[string]struct {
		change func(*launch)
		want   string
	}{
		"uid that is no uuid":   {func(l *launch) { l.spec.Machine.UID = "vm1,smm=on" }, "no uuid"},
		"nic without a tap":     {func(l *launch) { l.spec.Machine.NICs = make([]fabric.MachineNIC, 1) }, "0 taps for 1"},
		"bad mac":               {func(l *launch) { l.spec.Machine.NICs, l.taps = []fabric.MachineNIC{{MAC: "x,y"}}, []int{9} }, "x,y"},
		"lun out of range":      {func(l *launch) { l.spec.Disks = append(l.spec.Disks, dataDisk(64)) }, "lun 64"},
		"two disks on one lun":  {func(l *launch) { l.spec.Disks = append(l.spec.Disks, dataDisk(1), dataDisk(1)) }, "lun1 is taken"},
		"format to be probed":   {func(l *launch) { l.spec.Disks[0].Format = "" }, "unknown format"},
		"disk with strange uid": {func(l *launch) { l.spec.Disks[0].UID = "../x" }, "uid"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			l := smallest()
			tt.change(&l)
			if _, err := argv(l); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("err = %v, want one with %q", err, tt.want)
			}
		})
	}
}
