package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"lazuli/test/e2e/cloudtest"
)

// TestDebian is about the image that people use: Debian 12, built by the
// program under test, with cloud-init and Azure's agent. It takes the longest:
// what is declared last is among the first of the parallel tests to be let go.
func TestDebian(t *testing.T) {
	t.Parallel()
	c := cloudtest.New(t)
	installDebian(t, c)
	c.Up()
	script := filepath.Join(t.TempDir(), "custom.sh")
	if err := os.WriteFile(script, []byte("#!/bin/sh\necho \"$(hostname) ran it\" > /var/tmp/custom\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c.Do("vm", "create", "deb1", "--image", "debian-12", "--ssh-key", c.PublicKey(), "--data-disk", "1G", "--custom-data", script)
	d := &debian{c: c, g: c.Guest("deb1")}
	defer func() { c.T = t }()
	for _, tt := range []struct {
		name string
		do   func(t *testing.T)
	}{
		{"provisioned", d.provisioned},
		{"no password", d.noPassword},
		{"agent", d.agent},
		{"access", d.access},
		{"console", d.console},
		{"reboot", d.reboot},
		{"log", d.log},
	} {
		if !t.Run(tt.name, func(t *testing.T) { c.T = t; tt.do(t) }) {
			break
		}
	}
}

type debian struct {
	c *cloudtest.Cloud
	g *cloudtest.Guest
}

// installDebian puts Debian into the cloud's catalogue. The image is built once
// and then kept with the sources.
func installDebian(t *testing.T, c *cloudtest.Cloud) {
	t.Helper()
	cache := filepath.Join(cloudtest.Root(), ".cache", "debian")
	build := exec.Command(cloudtest.Program(t), "image", "build", "debian-12", "--data-dir", cache)
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build image: %v\n%s", err, out)
	}
	to := filepath.Join(c.Dir, "images", "debian-12")
	if err := os.MkdirAll(to, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"disk.qcow2", "image.json"} {
		command(t, "cp", "--reflink=auto", "--sparse=always", filepath.Join(cache, "images", "debian-12", name), filepath.Join(to, name))
	}
}

func (d *debian) provisioned(t *testing.T) {
	d.g.SSH("cloud-init status --wait >/dev/null; test -e /var/tmp/custom")
	got := d.g.SSH("hostname; whoami; sudo -n whoami; cat /var/tmp/custom; sudo -n blockdev --getsize64 /dev/disk/azure/scsi1/lun0")
	want := fmt.Sprintf("deb1\nazureuser\nroot\ndeb1 ran it\n%d", 1<<30)
	if got != want {
		t.Errorf("the guest says\n%s\nwant\n%s", got, want)
	}
	t.Log("host name, user, key, sudo, custom data and data disk are as asked for")
}

// noPassword asks the guest how one may log in.
func (d *debian) noPassword(t *testing.T) {
	conn, err := d.c.Host.DialContext(context.Background(), "tcp", d.g.IP+":22")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	asked := false
	_, _, _, err = ssh.NewClientConn(conn, d.g.IP, &ssh.ClientConfig{
		User: "azureuser", HostKeyCallback: ssh.InsecureIgnoreHostKey(),
		Auth: []ssh.AuthMethod{ssh.PasswordCallback(func() (string, error) { asked = true; return "secret", nil })},
	})
	if err == nil || asked {
		t.Errorf("the guest asks for a password (%v)", err)
	}
	t.Logf("a login by password is not offered: %v", err)
}

func (d *debian) agent(t *testing.T) {
	a := d.c.API()
	var said string
	d.c.Eventually("the guest's agent is ready", func() error {
		var view struct {
			VMAgent struct {
				VMAgentVersion string
				Statuses       []struct{ DisplayStatus string }
			}
		}
		if err := a.Ask(context.Background(), "GET", a.ID(vmType, "deb1")+"/instanceView", nil, &view); err != nil {
			return err
		}
		b, err := json.Marshal(view.VMAgent)
		if said = string(b); err == nil && (len(view.VMAgent.Statuses) == 0 || view.VMAgent.Statuses[0].DisplayStatus != "Ready") {
			err = errors.New(said)
		}
		return err
	})
	t.Logf("the instance view has %s", said)
}

// access is what "az vm user" does, as it asks for it.
func (d *debian) access(t *testing.T) {
	a := d.c.API()
	r := &runner{c: d.c, a: a, g: d.g}
	change := func(protected object) {
		t.Helper()
		op, err := a.Begin(context.Background(), "PUT", r.vm()+"/extensions/VMAccessForLinux", object{"location": a.Location(), "properties": object{
			"publisher": "Microsoft.OSTCExtensions", "type": "VMAccessForLinux", "typeHandlerVersion": "1.5", "settings": object{}, "protectedSettings": protected,
		}})
		if err != nil {
			t.Fatal(err)
		}
		if got := r.await(op); got.Status != "Succeeded" {
			t.Fatalf("%v: %+v", protected, got)
		}
	}
	change(object{"username": "bob", "ssh_key": d.c.PublicKey()})
	if got := d.g.SSH("sudo -u bob sudo -n whoami; sudo cat ~bob/.ssh/authorized_keys; sudo stat -c %U:%a ~bob/.ssh/authorized_keys"); got != "root\n"+d.c.PublicKey()+"\nbob:600" {
		t.Errorf("bob is %q", got)
	}
	change(object{"username": "bob", "password": "Correct-Horse-1"})
	if got := d.g.SSH("sudo passwd -S bob | cut -d' ' -f2; sudo sshd -T | grep -i ^passwordauthentication"); got != "P\npasswordauthentication yes" {
		t.Errorf("bob's password: %q", got)
	}
	change(object{"reset_ssh": true})
	change(object{"remove_user": "bob"})
	if got := d.g.SSH("id bob >/dev/null 2>&1 || echo gone; sudo ls /etc/sudoers.d | grep -c bob; true"); got != "gone\n0" {
		t.Errorf("bob is %q", got)
	}
	t.Log("a user comes, gets a password, and goes; the SSH server is reset")
}

// console types at the serial port and reads what comes back.
func (d *debian) console(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), cloudtest.Patience)
	defer cancel()
	cmd := d.c.Host.Command(ctx, cloudtest.Program(t), "--data-dir", d.c.Dir, "vm", "console", "deb1")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out := &screen{}
	cmd.Stdout = out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		in.Close()
		cancel()
		cmd.Wait() //nolint:errcheck // it was interrupted
	}()
	d.c.Eventually("the console has a prompt", func() error { return typed(in, out, "\n", "deb1 login:") })
	d.c.Eventually("the console takes a name", func() error { return typed(in, out, "nobody-here\n", "Password:") })
	t.Log("the console asks for a name, and for a password when it is given one")
}

// typed types keys once a second until the words come back.
func typed(in io.Writer, out *screen, keys, words string) error {
	if _, err := io.WriteString(in, keys); err != nil {
		return err
	}
	for range 20 {
		if out.has(words) {
			return nil
		}
		<-time.After(50 * time.Millisecond)
	}
	return fmt.Errorf("it shows %q", out)
}

// screen is what was written to it, for several goroutines.
type screen struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *screen) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

func (s *screen) has(words string) bool { return strings.Contains(s.String(), words) }

func (d *debian) reboot(t *testing.T) {
	key, id := d.g.HostKey, d.g.SSH("cat /proc/sys/kernel/random/boot_id")
	d.g.Try("sudo reboot") //nolint:errcheck // the connection ends with the guest
	d.c.Eventually("the guest boots anew", func() error {
		now, err := d.g.Try("cat /proc/sys/kernel/random/boot_id")
		if err == nil && now == id {
			err = errors.New("it has not yet")
		}
		return err
	})
	if d.g.HostKey != key {
		t.Errorf("the host key was %s and is %s", key, d.g.HostKey)
	}
	if got := d.g.SSH("hostname; cat /var/tmp/custom"); got != "deb1\ndeb1 ran it" {
		t.Errorf("after the reboot: %q", got)
	}
	t.Logf("after a reboot the guest is who it was, host key %s", key)
}

func (d *debian) log(t *testing.T) {
	var out string
	d.c.Eventually("the log has two boots", func() error {
		out = d.c.Do("vm", "log", "deb1")
		if n := strings.Count(out, "deb1 login:"); n < 2 {
			return fmt.Errorf("%d times a prompt", n)
		}
		return nil
	})
	if !regexp.MustCompile(`(?i)debian gnu/linux 12`).MatchString(out) {
		t.Errorf("the log does not say what booted:\n%.2000s", out)
	}
	t.Logf("vm log has both boots, %d bytes", len(out))
}

// TestFirmware boots the tiny guest by UEFI, and a disk that does not boot.
func TestFirmware(t *testing.T) {
	t.Parallel()
	c := cloudtest.New(t)
	installBlank(t, c)
	c.Up()
	t.Run("uefi", func(t *testing.T) {
		c.T = t
		g := c.Create("uefi1", "--firmware", "uefi")
		if out := g.SSH("ls /sys/firmware"); !strings.Contains(out, "efi") {
			t.Errorf("the guest's firmware is not UEFI: %s", out)
		}
		a := c.API()
		var view struct{ HyperVGeneration string }
		a.Must("GET", a.ID(vmType, "uefi1")+"/instanceView", nil, &view)
		if view.HyperVGeneration != "V2" {
			t.Errorf("the machine's generation is %q, want V2", view.HyperVGeneration)
		}
		g.SSH("reboot || true")
		c.Eventually("it boots again", func() error { return booted(g, 1) })
		t.Log("a machine of generation 2 boots by UEFI, and boots again")
	})
	t.Run("never ready", func(t *testing.T) {
		c.T = t
		c.Down()
		c.Flags = []string{"--provision-timeout", "5s"}
		c.Up()
		out, err := c.Run("vm", "create", "blank1", "--image", "blank", "--ssh-key", c.PublicKey())
		if err == nil || !strings.Contains(err.Error(), "OSProvisioningTimedOut") || !strings.Contains(err.Error(), "lazuli vm log blank1") {
			t.Errorf("vm create of a disk that does not boot: %v %s", err, out)
		}
		t.Logf("vm create ends with: %v", err)
	})
	c.T = t
}

// installBlank puts an image with nothing on it into the catalogue.
func installBlank(t *testing.T, c *cloudtest.Cloud) {
	t.Helper()
	dir := filepath.Join(c.Dir, "images", "blank")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	command(t, "qemu-img", "create", "-q", "-f", "qcow2", filepath.Join(dir, "disk.qcow2"), "256M")
	describe(t, dir, "blank", 256<<20)
}

// describe writes the catalogue's entry for an image.
func describe(t *testing.T, dir, name string, sizeBytes int64) {
	t.Helper()
	b, err := json.Marshal(object{"name": name, "publisher": "Test", "offer": name, "sku": "1", "version": "1.0.0",
		"osType": "Linux", "firmware": []string{"bios"}, "sizeBytes": sizeBytes})
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "image.json"), b, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}
