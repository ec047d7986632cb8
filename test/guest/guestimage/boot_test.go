package guestimage

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const (
	vmID1 = "3f2504e0-4f89-41d3-9a0c-0305e82c3301"
	vmID2 = "3f2504e0-4f89-41d3-9a0c-0305e82c3302"
)

func tinyDisk() string { return filepath.Join(os.Getenv(imageEnv), "disk.qcow2") }

func TestGuestIsProvisionedAndPowersOff(t *testing.T) {
	for name, spec := range map[string]machineSpec{
		"BIOS and virtio-blk": {},
		"UEFI and SCSI":       {uefi: true, scsi: true},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlatform(t, vmID1)
			spec.image = overlay(t, tinyDisk())
			spec.dataDisks = []string{emptyDisk(t)}
			spec.iso = p.medium(t, base64.StdEncoding.EncodeToString([]byte("#!/bin/sh\necho hello >/custom\n")))
			begun := time.Now()
			m := spec.start(t, p)
			m.waitReady()
			t.Logf("ready %.1f s after the start of QEMU", time.Since(begun).Seconds())
			if d := cmp.Diff("web1\nazureuser\nhello", m.must("hostname; whoami; cat /custom")); d != "" {
				t.Error(d)
			}
			checkStatus(t, m)
			if b := m.qmp("query-block"); !strings.Contains(string(b), `"tray_open": true`) && !strings.Contains(string(b), `"tray_open":true`) {
				t.Errorf("the medium is still in: %s", b)
			}
			if got := m.must("ip route show default"); !strings.Contains(got, "via 10.7.0.1") {
				t.Errorf("routes: %s", got)
			}
			down := time.Now()
			m.qmp("system_powerdown")
			m.waitGone()
			t.Logf("powered off in %.1f s", time.Since(down).Seconds())
			checkAsks(t, p)
		})
	}
}

func checkStatus(t *testing.T, m *machine) {
	t.Helper()
	var st struct {
		Hostname, VMID, User   string
		Boots                  int
		Ready                  bool
		Addresses              []string
		DataDisks, FileSystems map[string]string
	}
	if err := json.Unmarshal([]byte(m.must("status")), &st); err != nil {
		t.Fatal(err)
	}
	if st.Hostname != "web1" || st.VMID != vmID1 || st.User != userName || st.Boots != 1 {
		t.Errorf("status = %+v", st)
	}
	if d := cmp.Diff([]string{guestIP}, st.Addresses); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff(map[string]string{"root": "clean"}, st.FileSystems); d != "" {
		t.Error(d)
	}
	if st.DataDisks["lun0"] == "" {
		t.Errorf("data disks = %v, want lun0", st.DataDisks)
	}
}

// checkAsks wants cloud-init's order: IMDS, the goal state, the report.
func checkAsks(t *testing.T, p *platform) {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	want := []string{"GET /metadata/instance?api-version=2021-08-01&extended=true", "GET /machine/?comp=goalstate", "POST /machine?comp=health"}
	if d := cmp.Diff(want, p.asks); d != "" {
		t.Error(d)
	}
}

func TestGuestKeepsItsStateAndKnowsWhenItIsAnother(t *testing.T) {
	disk := overlay(t, tinyDisk())
	fingerprint := func(m *machine) string { return m.must("md5sum /etc/ssh/ssh_host_ed25519_key; status | grep boots") }
	boot := func(t *testing.T, vmID string, medium bool, f func(m *machine)) {
		t.Helper()
		p := newPlatform(t, vmID)
		spec := machineSpec{image: disk}
		if medium {
			spec.iso = p.medium(t, "")
		}
		m := spec.start(t, p)
		f(m)
	}
	var first string
	// Each boot needs what the one before has left on the disk.
	t.Run("first boot ends by poweroff", func(t *testing.T) {
		boot(t, vmID1, true, func(m *machine) {
			m.waitReady()
			first = fingerprint(m)
			m.ssh("cp /home/azureuser/.ssh/authorized_keys /tmp/k; poweroff") //nolint:errcheck // the connection ends with the guest
			m.waitGone()
		})
	})
	t.Run("second boot needs no medium", func(t *testing.T) {
		boot(t, vmID1, false, func(m *machine) {
			m.waitReady()
			if !strings.Contains(m.serial(), "boots=2") {
				t.Error("this is not the second boot of the disk")
			}
			m.qmp("system_powerdown")
			m.waitGone()
		})
	})
	t.Run("as another machine it is provisioned anew", func(t *testing.T) {
		boot(t, vmID2, true, func(m *machine) {
			m.waitReady()
			if again := fingerprint(m); strings.Fields(again)[0] == strings.Fields(first)[0] {
				t.Error("the host key is the same as before")
			}
			m.ssh("reboot") //nolint:errcheck // likewise
			m.waitGone()    // by -no-reboot
		})
	})
	t.Run("without a medium it says that provisioning failed", func(t *testing.T) {
		boot(t, vmID1, false, func(m *machine) {
			if h := m.waitHealth(); !strings.HasPrefix(h, "NotReady ProvisioningFailed provisioning medium") {
				t.Errorf("health = %q", h)
			}
		})
	})
}

func TestAcknowledgedRecordsSurviveAKill(t *testing.T) {
	p := newPlatform(t, vmID1)
	spec := machineSpec{image: overlay(t, tinyDisk()), dataDisks: []string{emptyDisk(t)}, iso: p.medium(t, "")}
	m := spec.start(t, p)
	m.waitReady()
	m.must("append start root lun0")
	acked := map[string]int64{}
	for range 2 {
		readAcks(t, acked, 50)
		m.kill()
		spec.iso = ""
		m = spec.start(t, p)
		m.waitReady()
		for disk, n := range acked {
			last, err := strconv.ParseInt(m.must("verify "+disk), 10, 64)
			if err != nil || last < n {
				t.Errorf("%s: last record %d (%v), but %d was acknowledged", disk, last, err, n)
			}
		}
		if got := m.must("fsckstate"); got != "lun0 recovered\nroot recovered" {
			t.Errorf("fsckstate = %q", got)
		}
	}
	m.must("append stop")
	m.must("release lun0")
	if out, err := m.ssh("verify lun0"); err == nil {
		t.Errorf("verify of a released disk = %q", out)
	}
}

// readAcks takes in what the guest has acknowledged, until each disk has
// acknowledged more records more than before.
func readAcks(t *testing.T, acked map[string]int64, more int64) {
	t.Helper()
	c, err := net.Dial("tcp", guestIP+":7")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(bootDeadline)) //nolint:errcheck // the scan says it
	goal := map[string]int64{"root": acked["root"] + more, "lun0": acked["lun0"] + more}
	for s := bufio.NewScanner(c); acked["root"] < goal["root"] || acked["lun0"] < goal["lun0"]; {
		if !s.Scan() {
			t.Fatalf("acks ended: %v", s.Err())
		}
		var disk string
		var n int64
		if _, err := fmt.Sscanf(s.Text(), "ack %s %d", &disk, &n); err != nil {
			t.Fatal(err)
		}
		acked[disk] = n
	}
}
