package guestimage

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/sys/unix"
)

// machine is a QEMU with the guest in it.
type machine struct {
	t    *testing.T
	p    *platform
	dir  string
	cmd  *exec.Cmd
	gone chan struct{}
}

// machineSpec says how the machine is made. A disk is kept from one start to
// the next.
type machineSpec struct {
	uefi      bool
	image     string // of the OS disk
	iso       string
	dataDisks []string // qcow2 files, LUN by index
	memory    string   // MiB; 512 by default
	scsi      bool     // disks are SCSI's, not virtio-blk's
}

const bootDeadline = 240 * time.Second // emulation on a busy host; it is never waited for

func overlay(t *testing.T, image string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "os.qcow2")
	run(t, "qemu-img", "create", "-q", "-f", "qcow2", "-b", image, "-F", "qcow2", path)
	return path
}

func emptyDisk(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "data.qcow2")
	run(t, "qemu-img", "create", "-q", "-f", "qcow2", path, "64M")
	return path
}

func run(t *testing.T, name string, args ...string) {
	t.Helper()
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v: %s", name, err, out)
	}
}

func (s machineSpec) arguments(dir, vmID string) []string {
	args := []string{"-machine", "q35", "-accel", "tcg,thread=multi", "-cpu", "qemu64", "-smp", "2", "-m", cmp.Or(s.memory, "512"), "-uuid", vmID,
		"-smbios", "type=1,manufacturer=Microsoft Corporation,product=Virtual Machine,version=Hyper-V UEFI Release v4.1",
		"-smbios", "type=3,manufacturer=Microsoft Corporation,asset=7783-7084-3265-9085-8269-3286-77",
		"-nodefaults", "-display", "none", "-no-user-config", "-no-reboot", "-serial", "file:" + filepath.Join(dir, "serial.log"),
		"-qmp", "unix:" + filepath.Join(dir, "qmp.sock") + ",server=on,wait=off", "-device", "virtio-rng-pci",
		"-device", "virtio-scsi-pci,id=s0", "-netdev", "tap,id=n0,ifname=" + tapName + ",script=no,downscript=no",
		"-device", "virtio-net-pci,netdev=n0,mac=00:0d:3a:00:00:05,romfile="}
	disk := func(id, file, serial, more string) {
		kind := "virtio-blk-pci"
		if s.scsi {
			kind = "scsi-hd,bus=s0.0"
		}
		args = append(args, "-drive", "if=none,id="+id+",file="+file+",format=qcow2,cache=none,aio=io_uring,discard=unmap",
			"-device", kind+",drive="+id+",serial="+serial+more)
	}
	disk("os", s.image, "os", ",bootindex=0")
	for i, d := range s.dataDisks {
		disk(fmt.Sprint("d", i), d, fmt.Sprint("lun", i), "")
	}
	if s.iso != "" {
		args = append(args, "-drive", "if=none,id=cd,file="+s.iso+",format=raw,readonly=on", "-device", "scsi-cd,drive=cd,bus=s0.0")
	}
	if s.uefi {
		args = append(args, "-drive", "if=pflash,format=raw,unit=0,readonly=on,file=/usr/share/OVMF/OVMF_CODE_4M.fd",
			"-drive", "if=pflash,format=raw,unit=1,file="+filepath.Join(dir, "vars.fd"))
	}
	return args
}

// start starts the machine and waits for nothing.
func (s machineSpec) start(t *testing.T, p *platform) *machine {
	t.Helper()
	m := &machine{t: t, p: p, dir: t.TempDir(), gone: make(chan struct{})}
	if strings.Contains(m.dir, ",") {
		t.Fatal("QEMU's options do not like a comma in a path, nor in the name of a test")
	}
	if s.uefi {
		run(t, "cp", "/usr/share/OVMF/OVMF_VARS_4M.fd", filepath.Join(m.dir, "vars.fd"))
	}
	m.cmd = exec.Command("qemu-system-x86_64", s.arguments(m.dir, p.vmID)...)
	m.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: unix.SIGKILL}
	var said bytes.Buffer
	m.cmd.Stderr = &said
	if err := m.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		m.cmd.Wait() //nolint:errcheck // how it ended is not asked
		close(m.gone)
	}()
	t.Cleanup(func() {
		m.kill()
		if t.Failed() {
			t.Logf("qemu said: %s", said.String())
			t.Logf("serial log:\n%s", m.serial())
		}
	})
	return m
}

func (m *machine) serial() string {
	b, _ := os.ReadFile(filepath.Join(m.dir, "serial.log"))
	return string(b)
}

// kill cuts the power.
func (m *machine) kill() {
	m.cmd.Process.Kill() //nolint:errcheck // it may be gone
	<-m.gone
}

// waitGone waits until the guest has powered itself off.
func (m *machine) waitGone() {
	m.t.Helper()
	select {
	case <-m.gone:
	case <-time.After(bootDeadline):
		m.t.Fatal("the machine has not ended")
	}
}

// waitHealth waits for the guest's next report.
func (m *machine) waitHealth() string {
	m.t.Helper()
	select {
	case h := <-m.p.health:
		return h
	case <-m.gone:
		m.t.Fatal("the machine has ended")
	case <-time.After(bootDeadline):
		m.t.Fatal("no report from the guest")
	}
	return ""
}

func (m *machine) waitReady() {
	m.t.Helper()
	if h := m.waitHealth(); h != "Ready" {
		m.t.Fatalf("health = %q, want Ready", h)
	}
}

func (m *machine) dial() *ssh.Client {
	m.t.Helper()
	c, err := m.tryDial()
	if err != nil {
		m.t.Fatal(err)
	}
	return c
}

func (m *machine) tryDial() (*ssh.Client, error) {
	return ssh.Dial("tcp", guestIP+":22", &ssh.ClientConfig{User: userName, Auth: []ssh.AuthMethod{ssh.PublicKeys(m.p.signer)},
		HostKeyCallback: ssh.InsecureIgnoreHostKey(), Timeout: time.Minute})
}

// ssh runs a command in the guest and returns what it printed.
func (m *machine) ssh(command string) (string, error) {
	m.t.Helper()
	c := m.dial()
	defer c.Close()
	s, err := c.NewSession()
	if err != nil {
		m.t.Fatal(err)
	}
	defer s.Close()
	out, err := s.CombinedOutput(command)
	return string(out), err
}

// must is ssh for a command that succeeds.
func (m *machine) must(command string) string {
	m.t.Helper()
	out, err := m.ssh(command)
	if err != nil {
		m.t.Fatalf("%s: %v: %s", command, err, out)
	}
	return strings.TrimSpace(out)
}

// qmp carries out one command.
func (m *machine) qmp(command string) json.RawMessage {
	m.t.Helper()
	var d net.Dialer
	ctx, cancel := context.WithTimeout(m.t.Context(), time.Minute)
	defer cancel()
	c, err := d.DialContext(ctx, "unix", filepath.Join(m.dir, "qmp.sock"))
	if err != nil {
		m.t.Fatal(err)
	}
	defer c.Close()
	r := bufio.NewReader(c)
	for _, cmd := range []string{`{"execute":"qmp_capabilities"}`, `{"execute":"` + command + `"}`} {
		fmt.Fprintln(c, cmd)
	}
	returns := 0
	for {
		l, err := r.ReadBytes('\n')
		if err != nil {
			m.t.Fatal(errors.Join(errors.New("qmp "+command), err))
		}
		var v struct{ Return, Error json.RawMessage }
		if json.Unmarshal(l, &v) == nil && v.Return != nil {
			if returns++; returns == 2 {
				return v.Return
			}
		}
		if v.Error != nil {
			m.t.Fatalf("qmp %s: %s", command, v.Error)
		}
	}
}
