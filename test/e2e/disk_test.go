package e2e

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"lazuli/test/e2e/cloudtest"
)

// TestDisks is about data disks: what they keep, who may have them, and what
// happens to their guests when the host's disk is full. The cloud's data
// directory is a small file system of its own.
func TestDisks(t *testing.T) {
	t.Parallel()
	c := cloudtest.NewIn(t, smallFileSystem(t, 1<<30))
	cloudtest.AddTiny(t, c.Dir)
	c.Up()
	d := &disks{c: c, a: c.API()}
	cases := []struct {
		name string
		do   func(t *testing.T)
	}{
		{"a disk moves to another machine", d.moves},
		{"a disk has one machine", d.hasOneMachine},
		{"a disk has one writer", d.hasOneWriter},
		{"a disk grows under the guest", d.grows},
		{"the host's disk is full", d.full},
	}
	defer func() { c.T = t }()
	for _, tt := range cases {
		if !t.Run(tt.name, func(t *testing.T) { c.T = t; tt.do(t) }) {
			break
		}
	}
}

// disks is a test with a machine db2 that has the disk "data" with records.
type disks struct {
	c *cloudtest.Cloud
	a *cloudtest.API
	g *cloudtest.Guest
}

// smallFileSystem mounts an ext4 file system of that size.
func smallFileSystem(t *testing.T, sizeBytes int64) (dir string) {
	t.Helper()
	work, err := os.MkdirTemp("", "lazuli-e2e-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(work) })
	file, dir := filepath.Join(work, "disk"), filepath.Join(work, filepath.Base(work)+"-data")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(file, sizeBytes); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(work, 0o711); err != nil {
		t.Fatal(err)
	}
	command(t, "mkfs.ext4", "-q", "-m", "0", file)
	command(t, "mount", "-o", "loop", file, dir)
	t.Cleanup(func() {
		// A QEMU that is gone from the list of processes may still have files open.
		if err := cloudtest.Wait(func() error { return unix.Unmount(dir, 0) }); err != nil {
			t.Errorf("unmount %s: %v", dir, err)
		}
	})
	return dir
}

func command(t *testing.T, name string, args ...string) {
	t.Helper()
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		t.Errorf("%s: %v\n%s", name, err, out)
	}
}

func (d *disks) moves(t *testing.T) {
	db1 := d.c.Create("db1", "--size", "Standard_B1ls")
	d.c.Do("disk", "create", "data", "--size", "1G")
	d.c.Do("vm", "attach", "db1", "data")
	db1.Append("lun0")
	stop := db1.Listen()
	db1.AwaitMore(20, "lun0")
	db1.SSH("release lun0")
	stop()
	acked := db1.Acked("lun0")
	d.c.Do("vm", "detach", "db1", "data")
	if luns := db1.DataDisks(); len(luns) > 0 {
		t.Errorf("the guest still sees %v", luns)
	}
	d.c.Do("vm", "delete", "db1", "--yes")
	if state, err := d.a.State(d.a.ID(diskType, "data")); state != "Succeeded" || err != nil {
		t.Fatalf("after the machine is deleted the disk is %q, %v", state, err)
	}
	d.g = d.c.Create("db2", "--size", "Standard_B1ls")
	d.c.Do("vm", "attach", "db2", "data")
	d.g.SSH("datadisk lun0")
	var last int64
	if out := d.g.SSH("verify lun0"); parse(out, &last) != nil || last < acked {
		t.Errorf("the disk has records up to %s; %d was acknowledged", out, acked)
	}
	d.g.SSH("fsckstate")
	t.Logf("%d records outlived their machine and are on the next one", last)
}

func parse(s string, v *int64) error {
	_, err := fmt.Sscan(s, v)
	return err
}

func (d *disks) hasOneMachine(t *testing.T) {
	nic := makeNIC(d.a, "second")
	body := vmBody(d.c, d.a, "second", nic)
	body["properties"].(object)["storageProfile"].(object)["dataDisks"] = []object{
		{"lun": 0, "createOption": "Attach", "managedDisk": object{"id": d.a.ID(diskType, "data")}},
	}
	err := d.a.Ask(context.Background(), "PUT", d.a.ID(vmType, "second"), body, nil)
	if cloudtest.StatusOf(err) != http.StatusConflict || !strings.Contains(err.Error(), "db2") {
		t.Errorf("a second machine for the disk: %v, want a conflict that names the first", err)
	}
	if state, err := d.a.State(d.a.ID(vmType, "second")); state != "" || err != nil {
		t.Errorf("the refused machine is %q, %v", state, err)
	}
	t.Logf("the API refuses: %v", short(err))
}

func short(err error) string { return fmt.Sprintf("%.160s", err) }

// file is where the disk is on the host.
func (d *disks) file(t *testing.T, name string) string {
	t.Helper()
	var r struct {
		Properties struct {
			UniqueID string `json:"uniqueId"`
		} `json:"properties"`
	}
	d.a.Must("GET", d.a.ID(diskType, name), nil, &r)
	files, err := filepath.Glob(filepath.Join(d.c.Dir, "disks", r.Properties.UniqueID, "disk.*"))
	if err != nil || len(files) != 1 {
		t.Fatalf("files of disk %s: %v (%v)", name, files, err)
	}
	return files[0]
}

func (d *disks) hasOneWriter(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), cloudtest.Patience)
	defer cancel()
	out, err := exec.CommandContext(ctx, "qemu-system-x86_64", "-nodefaults", "-display", "none", "-accel", "tcg", "-S",
		"-blockdev", `{"driver": "raw", "node-name": "stolen", "file": {"driver": "file", "filename": "`+d.file(t, "data")+`"}}`,
		"-device", "virtio-blk-pci,drive=stolen").CombinedOutput()
	if err == nil || !strings.Contains(string(out), `Failed to get "write" lock`) {
		t.Errorf("a second QEMU on the disk: %v: %s", err, out)
	}
	t.Logf("a second QEMU is refused: %s", strings.TrimSpace(string(out)))
}

func (d *disks) grows(t *testing.T) {
	d.a.Must("PATCH", d.a.ID(diskType, "data"), object{"properties": object{"diskSizeGB": 2}}, nil)
	d.a.Await(d.a.ID(diskType, "data"), "Succeeded")
	const sectors = 2 << 30 / 512
	d.c.Eventually("the guest sees the size", func() error {
		out, err := d.g.Try("cat /sys/class/block/$(basename $(readlink /dev/disk/azure/scsi1/lun0))/size")
		if err == nil && strings.TrimSpace(out) != fmt.Sprint(sectors) {
			err = fmt.Errorf("%s sectors", out)
		}
		return err
	})
	d.g.SSH("verify lun0")
	t.Logf("the guest sees a disk of 2 GiB")
}

// full fills the host's disk under a guest that writes.
func (d *disks) full(t *testing.T) {
	d.g.Append("root", "lun0")
	stop := d.g.Listen()
	defer stop()
	d.g.AwaitMore(5, "root", "lun0")
	boots := d.g.Status().Boots
	filler := filepath.Join(d.c.Dir, "filler")
	fill(t, filler, 8<<20)
	go d.g.Try("dd if=/dev/zero of=/mnt/lun0/big bs=1M count=64; sync") //nolint:errcheck // the guest is paused meanwhile
	d.c.Eventually("the machine's trouble is shown", func() error {
		out, err := d.c.Run("vm", "show", "db2")
		if err == nil && (!strings.Contains(out, "disk is full") || !strings.Contains(out, "Free space")) {
			err = fmt.Errorf("vm show says\n%s", out)
		}
		return err
	})
	if code := d.problem(t); code != "HostDiskFull" {
		t.Errorf("the problem's code is %s", code)
	}
	t.Logf("vm show: %s", line(d.c.Do("vm", "show", "db2"), "full"))
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	d.c.Eventually("the guest goes on", func() error {
		if code := d.problem(t); code != "" {
			return fmt.Errorf("the problem is still %s", code)
		}
		_, err := d.g.Try("status")
		return err
	})
	d.g.AwaitMore(5, "root", "lun0")
	d.g.WantAcked("lun0")
	d.g.WantAcked("root")
	if now := d.g.Status().Boots; now != boots {
		t.Errorf("the guest has booted %d times meanwhile", now-boots)
	}
	t.Logf("with room again the guest goes on; every one of %d records on the data disk and %d on the OS disk is there", d.g.Acked("lun0"), d.g.Acked("root"))
}

// fill makes a file that leaves no more than that many bytes free.
func fill(t *testing.T, path string, leave int64) {
	t.Helper()
	var st unix.Statfs_t
	if err := unix.Statfs(filepath.Dir(path), &st); err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := unix.Fallocate(int(f.Fd()), 0, 0, int64(st.Bavail)*st.Bsize-leave); err != nil {
		t.Fatal(err)
	}
}

// problem is the code of what is wrong with the machine; "" for nothing.
func (d *disks) problem(t *testing.T) string {
	t.Helper()
	var view struct {
		Statuses []struct{ Code string } `json:"statuses"`
	}
	if err := d.a.Ask(context.Background(), "GET", d.a.ID(vmType, "db2")+"/instanceView", nil, &view); err != nil {
		t.Fatal(err)
	}
	for _, s := range view.Statuses {
		if code, ok := strings.CutPrefix(s.Code, "Problem/"); ok {
			return code
		}
	}
	return ""
}

// line is the first line of text with the word in it.
func line(text, word string) string {
	for l := range strings.Lines(text) {
		if strings.Contains(l, word) {
			return strings.TrimSpace(l)
		}
	}
	return ""
}
