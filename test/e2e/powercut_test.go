package e2e

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"lazuli/test/cutfs"
	"lazuli/test/e2e/cloudtest"
)

// cuts is how many power cuts are played.
const cuts = 50

// TestPowerCuts cuts the power again and again: while a guest writes, while the
// API is called, while the cloud starts. The data directory lies on a file
// system that then forgets what was not synced. Every record that the guest was
// told is durable must be there, and every call that was answered.
func TestPowerCuts(t *testing.T) {
	w := newCutWorld(t)
	for seed := range uint64(cuts) {
		if err := w.round(seed); err != nil {
			t.Fatalf("cut %d: %v", seed, err)
		}
	}
	t.Logf("%d power cuts: every acknowledged record (%d on the OS disk, %d on the data disk) and every answered call (%d) is there",
		cuts, w.guest.Acked("root"), w.guest.Acked("lun0"), w.answered)
}

// TestPowerCutsShowUnsafeCache shows that the test above can fail: with flushes
// ignored, records are lost within a few cuts.
func TestPowerCutsShowUnsafeCache(t *testing.T) { wantLoss(t, "--unsafe-cache") }

// TestPowerCutsShowMissingFsync likewise: without fsync, etcd loses what it
// acknowledged.
func TestPowerCutsShowMissingFsync(t *testing.T) { wantLoss(t, "--unsafe-no-fsync") }

func wantLoss(t *testing.T, flag string) {
	w := newCutWorld(t)
	w.cloud.Flags = append(w.cloud.Flags, flag)
	for seed := range uint64(10) {
		if err := w.round(seed); err != nil {
			t.Logf("with %s, cut %d is noticed: %v", flag, seed, err)
			return
		}
	}
	t.Errorf("with %s nothing was lost in 10 cuts: this test cannot fail", flag)
}

// cutWorld is a cloud on a file system that plays power cuts.
type cutWorld struct {
	t       *testing.T
	backing string
	fs      *cutfs.FS
	cloud   *cloudtest.Cloud
	guest   *cloudtest.Guest
	// disks are the data disks that must be there (true) or must not (false).
	// What was not answered is not in it.
	disks    map[string]bool
	attached map[string]bool
	answered int
}

func newCutWorld(t *testing.T) *cutWorld {
	base, err := os.MkdirTemp("", "lazuli-cut-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(base) })
	w := &cutWorld{t: t, backing: filepath.Join(base, "backing"), disks: map[string]bool{}, attached: map[string]bool{}}
	target := filepath.Join(base, "data")
	for _, dir := range []string{w.backing, target} {
		if err := os.Mkdir(dir, 0o711); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(base, 0o711); err != nil {
		t.Fatal(err)
	}
	cloudtest.AddTiny(t, w.backing)
	w.mount(target)
	t.Cleanup(func() { w.fs.Close() })
	w.cloud = cloudtest.NewIn(t, target)
	return w
}

// mount mounts with the order of ext4 and xfs: etcd does not sync the directory
// of a new file and relies on it.
func (w *cutWorld) mount(target string) {
	w.t.Helper()
	var err error
	if w.fs, err = cutfs.Mount(w.backing, target, cutfs.Options{Order: cutfs.Journal}); err != nil {
		w.t.Fatal(err)
	}
}

// round starts the cloud, checks that all is there, works, and cuts the power.
// Its error is a loss.
func (w *cutWorld) round(seed uint64) error {
	r := rand.New(rand.NewPCG(seed, 1))
	if seed%7 == 6 { // in the middle of a start
		if err := w.cloud.Start(); err != nil {
			return err
		}
		time.Sleep(time.Duration(r.IntN(400)) * time.Millisecond)
		w.cut(seed, r.IntN(2) == 0)
	}
	if err := w.cloud.TryUp(); err != nil {
		return err
	}
	if err := w.check(); err != nil {
		return err
	}
	stop := w.guest.Listen()
	defer stop()
	if err := cloudtest.Wait(func() error { return w.more(3) }); err != nil {
		return fmt.Errorf("the guest does not go on: %w", err)
	}
	calls := make(chan struct{})
	go func() { defer close(calls); w.call(seed, r) }()
	time.Sleep(time.Duration(50+r.IntN(700)) * time.Millisecond)
	w.cut(seed, r.IntN(2) == 0)
	<-calls
	return nil
}

func (w *cutWorld) more(n int64) error {
	for _, d := range []string{"root", "lun0"} {
		if w.guest.Acked(d) < n {
			return fmt.Errorf("%d records on %s", w.guest.Acked(d), d)
		}
	}
	return nil
}

// cut cuts the power: the file system first, and with it all that runs.
func (w *cutWorld) cut(seed uint64, tear bool) {
	w.t.Helper()
	if _, err := w.fs.Cut(seed, tear); err != nil {
		w.t.Fatal(err)
	}
	w.cloud.Kill()
	w.cloud.KillMachines()
	if err := w.fs.Close(); err != nil {
		w.t.Fatal(err)
	}
	w.mount(w.cloud.Dir)
}

// check looks for everything that was acknowledged.
func (w *cutWorld) check() error {
	if w.guest == nil {
		w.guest = w.cloud.Create("web1", "--size", "Standard_B1ls", "--data-disk", "1G")
		w.guest.Append("root", "lun0")
		return nil
	}
	if err := w.checkDisks(); err != nil {
		return err
	}
	if err := w.detachOthers(); err != nil {
		return err
	}
	for _, d := range []string{"root", "lun0"} {
		acked, out := w.guest.Acked(d), ""
		if err := cloudtest.Wait(func() (err error) { out, err = w.guest.Try("verify " + d); return err }); err != nil {
			return fmt.Errorf("records on %s cannot be read: %w", d, err)
		}
		var last int64
		if _, err := fmt.Sscan(out, &last); err != nil || last < acked {
			return fmt.Errorf("%s has records up to %s; %d was acknowledged", d, out, acked)
		}
	}
	if out, err := w.guest.Try("fsckstate"); err != nil {
		return fmt.Errorf("file systems: %s: %w", out, err)
	}
	return nil
}

// listed are the disks that the API tells of, with the machines that they
// belong to.
func (w *cutWorld) listed() map[string]string {
	var list []struct {
		Name      string `json:"name"`
		ManagedBy string `json:"managedBy"`
	}
	w.cloud.JSON(&list, "disk", "list")
	there := map[string]string{}
	for _, d := range list {
		there[d.Name] = d.ManagedBy
	}
	return there
}

// detachOthers makes room for the disks of this round.
func (w *cutWorld) detachOthers() error {
	for name, owner := range w.listed() {
		if owner == "" || strings.HasPrefix(name, "web1") {
			continue
		}
		if err := cloudtest.Wait(func() error { _, err := w.cloud.Run("vm", "detach", "web1", name); return err }); err != nil {
			return err
		}
		delete(w.attached, name)
	}
	return nil
}

func (w *cutWorld) checkDisks() error {
	there := w.listed()
	for name, want := range w.disks {
		owner, ok := there[name]
		if ok != want {
			return fmt.Errorf("disk %s is there: %v; the call that was answered says %v", name, ok, want)
		}
		if at, known := w.attached[name]; ok && known && at != (owner != "") {
			return fmt.Errorf("disk %s is attached to %q; the call that was answered says %v", name, owner, at)
		}
	}
	return nil
}

// call makes calls until one fails, as the last one does when the power goes.
func (w *cutWorld) call(seed uint64, r *rand.Rand) {
	for i := 0; ; i++ {
		name := fmt.Sprintf("d%d-%d", seed, i)
		if err := w.lifeOf(name, r.IntN(3)); err != nil {
			if !off(err) {
				w.t.Errorf("a call failed with the power on: %v", err)
			}
			return
		}
	}
}

// lifeOf makes a disk and brings it so far: 0 leaves it, 1 deletes it, 2
// attaches it, detaches it and deletes it.
func (w *cutWorld) lifeOf(name string, how int) error {
	steps := [][]string{{"disk", "create", name, "--size", "1G"}}
	if how == 2 {
		steps = append(steps, []string{"vm", "attach", "web1", name, "--lun", "5"}, []string{"vm", "detach", "web1", name})
	}
	if how > 0 {
		steps = append(steps, []string{"disk", "delete", name, "--yes"})
	}
	for _, s := range steps {
		// From here until the answer, either is right.
		delete(w.disks, name)
		delete(w.attached, name)
		if _, err := w.cloud.Run(s...); err != nil {
			return err
		}
		w.answered++
		w.disks[name] = s[1] != "delete"
		if s[0] == "vm" {
			w.attached[name] = s[1] == "attach"
		}
	}
	return nil
}

// off says whether a call failed because the cloud was switched off.
func off(err error) bool {
	for _, sign := range []string{"does not answer", "EOF", "connection re", "input/output error", "no credentials", "admin.json", "timeout", "being shut down", "500"} {
		if strings.Contains(err.Error(), sign) {
			return true
		}
	}
	return errors.Is(err, os.ErrNotExist)
}
