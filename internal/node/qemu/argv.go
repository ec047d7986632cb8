package qemu

import (
	"fmt"
	"net"

	"github.com/google/uuid"

	"lazuli/internal/fabric"
	"lazuli/internal/node"
)

// Accelerators.
const (
	kvm = "kvm"
	tcg = "tcg"
)

// machineType is pinned: a guest sees the same hardware after QEMU is upgraded.
const machineType = "pc-q35-7.2"

// launch is everything that a command line is made of. Files that QEMU gets
// open are given by their descriptor in the new process; 0 is none.
type launch struct {
	spec    node.InstanceSpec
	accel   string
	storage storage
	code    string // firmware, for UEFI

	monitor, serial int   // listening sockets
	agent           int   // likewise, of the guest's agent
	log             int   // of the serial port
	vars            int   // firmware variables, for UEFI
	medium          int   // provisioning medium
	taps            []int // in the order of spec.Taps
	vhosts          []int // likewise; empty without vhost
}

// Descriptor sets, by which options name files that are already open.
const (
	logSet    = 1
	varsSet   = 2
	mediumSet = 3
)

func fdset(set int) string { return fmt.Sprintf("/dev/fdset/%d", set) }

// argv is the command line, without the program. It depends on l alone.
func argv(l launch) ([]string, error) {
	if _, err := uuid.Parse(l.spec.Machine.UID); err != nil {
		return nil, fmt.Errorf("machine's uid %q is no uuid", l.spec.Machine.UID)
	}
	if len(l.taps) != len(l.spec.Machine.NICs) {
		return nil, fmt.Errorf("%d taps for %d network interfaces", len(l.taps), len(l.spec.Machine.NICs))
	}
	args := l.process()
	args = append(args, l.board()...)
	args = append(args, l.channels()...)
	disks, err := l.disks()
	if err != nil {
		return nil, err
	}
	nics, err := l.nics()
	if err != nil {
		return nil, err
	}
	args = append(args, disks...)
	return append(args, nics...), nil
}

// process is about the process, not the guest. It starts paused, so that it is
// confined and written down before the guest's first instruction; and it stays
// when the guest powers off, so that this is seen even if no agent runs then.
func (l launch) process() []string {
	return []string{
		"-name", "lazuli-" + l.spec.Machine.UID + ",debug-threads=on",
		"-nodefaults", "-no-user-config",
		"-display", "none",
		"-sandbox", "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny",
		"-msg", "timestamp=on",
		"-S", "-no-shutdown",
	}
}

// board is the machine without its disks and networks. The SMBIOS strings are
// Azure's: by them cloud-init and the Azure agent know where they are.
func (l launch) board() []string {
	m := l.spec.Machine
	args := []string{"-machine", "type=" + machineType + l.firmware() + ",smm=off,vmport=off,usb=off,dump-guest-core=off"}
	args = append(args, accelerator(l.accel)...)
	args = append(args,
		"-smp", fmt.Sprintf("cpus=%d,sockets=1,cores=%d,threads=1", m.CPUs, m.CPUs),
		"-m", fmt.Sprintf("size=%dM", m.MemoryMiB),
		"-uuid", m.UID,
		"-smbios", "type=1,manufacturer=Microsoft Corporation,product=Virtual Machine,version=Hyper-V UEFI Release v4.1",
		"-smbios", "type=3,manufacturer=Microsoft Corporation,asset=7783-7084-3265-9085-8269-3286-77",
		"-rtc", "base=utc,driftfix=slew",
		"-boot", "strict=on",
		"-global", "ICH9-LPC.disable_s3=1", "-global", "ICH9-LPC.disable_s4=1",
		"-object", "rng-builtin,id=rng0", "-device", "virtio-rng-pci,rng=rng0,"+slot(slotRNG),
	)
	if m.Firmware == fabric.UEFI {
		args = append(args, l.flash()...)
	}
	return args
}

// accelerator chooses the processor. Hiding the hypervisor bit makes a guest
// under TCG take the SMBIOS strings' word for where it is; under KVM the
// Hyper-V leaves say the same. qemu64 is the fastest model under TCG.
func accelerator(accel string) []string {
	if accel == kvm {
		return []string{"-accel", "kvm", "-cpu", "host,hv_relaxed,hv_vapic,hv_spinlocks=0x1fff,hv_time,hv_vpindex,hv_synic,hv_stimer"}
	}
	return []string{"-accel", "tcg,thread=multi,tb-size=256", "-cpu", "qemu64,-hypervisor"}
}

func (l launch) firmware() string {
	if l.spec.Machine.Firmware == fabric.UEFI {
		return ",pflash0=code,pflash1=vars"
	}
	return ""
}

func (l launch) flash() []string {
	return []string{
		"-blockdev", encode(block{"driver": "raw", "node-name": "code", "read-only": true,
			"file": block{"driver": "file", "filename": l.code, "read-only": true}}),
		"-add-fd", fmt.Sprintf("fd=%d,set=%d", l.vars, varsSet),
		"-blockdev", encode(block{"driver": "raw", "node-name": "vars",
			"file": block{"driver": "file", "filename": fdset(varsSet), "locking": "off"}}),
	}
}

// channels are the monitor, the serial port and that of the guest's agent. They
// listen on sockets that were bound for QEMU, so it needs no right in any
// directory.
func (l launch) channels() []string {
	return []string{
		"-chardev", fmt.Sprintf("socket,id=monitor,fd=%d,server=on,wait=off", l.monitor),
		"-mon", "chardev=monitor,mode=control",
		"-add-fd", fmt.Sprintf("fd=%d,set=%d", l.log, logSet),
		"-chardev", fmt.Sprintf("socket,id=serial,fd=%d,server=on,wait=off,logfile=%s,logappend=on", l.serial, fdset(logSet)),
		"-device", "isa-serial,chardev=serial,index=0",
		"-chardev", fmt.Sprintf("socket,id=%s,fd=%d,server=on,wait=off", agentID, l.agent),
		"-device", "virtio-serial-pci,id=ports,max_ports=2," + slot(slotPorts),
		"-device", "virtserialport,bus=ports.0,nr=1,chardev=" + agentID + ",name=org.qemu.guest_agent.0",
	}
}

func (l launch) nics() ([]string, error) {
	var args []string
	for i, nic := range l.spec.Machine.NICs {
		mac, err := net.ParseMAC(nic.MAC)
		if err != nil {
			return nil, fmt.Errorf("network interface %s: %w", nic.UID, err)
		}
		vhost := ""
		if i < len(l.vhosts) {
			vhost = fmt.Sprintf(",vhost=on,vhostfd=%d", l.vhosts[i])
		}
		args = append(args,
			"-netdev", fmt.Sprintf("tap,id=net%d,fd=%d%s", i, l.taps[i], vhost),
			"-device", fmt.Sprintf("virtio-net-pci,id=nic%d,netdev=net%d,mac=%s,romfile=,%s", i, i, mac, slot(slotNICs+i)),
		)
	}
	return args, nil
}

// Slots on the root bus, fixed so that no device moves when another is added.
const (
	slotOS     = 2
	slotMedium = 3 // the controller that Azure calls scsi0
	slotData   = 4 // scsi1
	slotRNG    = 5
	slotNICs   = 6 // and up
	slotPorts  = 0x1e
)

func slot(n int) string { return fmt.Sprintf("bus=pcie.0,addr=0x%x", n) }
