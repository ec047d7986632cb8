package e2e

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"lazuli/test/cutfs"
	"lazuli/test/e2e/cloudtest"
)

// TestPowerCuts cuts the power again and again, fifty times in all: while a
// guest writes, while the API is called, while the cloud starts. The data
// directory lies on a file system that then forgets what was not synced. Every
// record that the guest was told is durable must be there, and every call that
// was answered.
func TestPowerCuts(t *testing.T) {
	const worlds, cuts = 2, 25
	for world := range uint64(worlds) {
		t.Run(fmt.Sprint(world), func(t *testing.T) {
			t.Parallel()
			w := newCutWorld(t)
			for i := range uint64(cuts) {
				if err := w.round(world*cuts + i); err != nil {
					t.Fatalf("cut %d: %v\n%s", i, err, w.cloud.Situation())
				}
			}
			t.Logf("%d power cuts: every acknowledged record (%d on the OS disk, %d on the data disk) and every answered call (%d) is there",
				cuts, w.guest.Acked("root"), w.guest.Acked("lun0"), w.answered)
		})
	}
}

// TestPowerCutsShowUnsafeCache shows that the test above can fail: with flushes
// ignored, records are lost within a few cuts.
func TestPowerCutsShowUnsafeCache(t *testing.T) { wantLoss(t, "--unsafe-cache") }

// TestPowerCutsShowMissingFsync likewise: without fsync, etcd loses what it
// acknowledged.
func TestPowerCutsShowMissingFsync(t *testing.T) { wantLoss(t, "--unsafe-no-fsync") }

func wantLoss(t *testing.T, flag string) {
	t.Parallel()
	w := newCutWorld(t)
	w.cloud.Flags = append(w.cloud.Flags, flag)
	w.silence = time.Minute // a guest that cannot start is the loss looked for
	for seed := range uint64(10) {
		if err := w.round(seed); err != nil {
			t.Logf("with %s, cut %d is noticed: %v", flag, seed, err)
			return
		}
	}
	t.Errorf("with %s nothing was lost in 10 cuts: this test cannot fail", flag)
}

// sector is what the storage writes as a whole, in bytes, as drives of today do.
// Guests need it to be 1024 at least: that is the superblock of ext4, whose
// checksum lies in the second half; with half of it new the file system is not
// mounted again, on any machine.
const sector = 4096

// disksWritten are those that web1 writes records to.
var disksWritten = []string{"root", "lun0"}

// cutWorld is a cloud on a file system that plays power cuts.
type cutWorld struct {
	t       *testing.T
	backing string
	fs      *cutfs.FS
	cloud   *cloudtest.Cloud
	guest   *cloudtest.Guest
	silence time.Duration // after which a guest does not answer any more
	// disks are the data disks that must be there (true) or must not (false).
	// What was not answered is not in it.
	disks    map[string]bool
	attached map[string]bool
	// machines are, likewise, those besides web1.
	machines map[string]bool
	answered int
}

func newCutWorld(t *testing.T) *cutWorld {
	base, err := os.MkdirTemp("", "lazuli-cut-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(base) })
	w := &cutWorld{
		t: t, backing: filepath.Join(base, "backing"), silence: cloudtest.Patience,
		disks: map[string]bool{}, attached: map[string]bool{}, machines: map[string]bool{},
	}
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
	begun := time.Now()
	if err := w.cloud.TryUp(); err != nil {
		return err
	}
	up := time.Since(begun)
	if err := w.check(); err != nil {
		return err
	}
	w.t.Logf("cut %d: the API was back after %.1f s, and all was found after %.1f s", seed, up.Seconds(), time.Since(begun).Seconds())
	stop := w.guest.Listen()
	defer stop()
	if err := w.more(3); err != nil {
		return fmt.Errorf("the guest does not go on: %w", err)
	}
	ctx, off := context.WithCancel(context.Background())
	calls := make(chan struct{})
	go func() { defer close(calls); w.call(ctx, seed, r) }()
	time.Sleep(time.Duration(50+r.IntN(700)) * time.Millisecond)
	off()
	w.cut(seed, r.IntN(2) == 0)
	<-calls
	return nil
}

// more waits until the guest has acknowledged n records more on each disk.
func (w *cutWorld) more(n int64) error {
	for _, d := range disksWritten {
		from := w.guest.Acked(d)
		if err := cloudtest.Wait(func() error {
			if now := w.guest.Acked(d); now < from+n {
				return fmt.Errorf("%d records on %s, of which %d are new", now, d, now-from)
			}
			return nil
		}); err != nil {
			return err
		}
	}
	return nil
}

// cut cuts the power: the file system first, and with it all that runs.
func (w *cutWorld) cut(seed uint64, tear bool) {
	w.t.Helper()
	var whole int64
	if tear {
		whole = sector
	}
	if _, err := w.fs.Cut(seed, whole); err != nil {
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
		w.guest.Append(disksWritten...)
		return nil
	}
	if err := w.checkDisks(); err != nil {
		return err
	}
	if err := w.checkMachines(); err != nil {
		return err
	}
	if err := w.detachOthers(); err != nil {
		return err
	}
	for _, d := range disksWritten {
		acked := w.guest.Acked(d)
		out, err := w.verify(d)
		if err != nil {
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

// mounting is how long a guest that answers may take to find its disks.
const mounting = 20 * time.Second

// verify has the guest read its records on a disk. It waits for a guest that
// does not answer; what one says again and again is so.
func (w *cutWorld) verify(disk string) (out string, err error) {
	var since time.Time
	never := cloudtest.WaitFor(w.silence, func() error {
		out, err = w.guest.Try("verify " + disk)
		if _, says := errors.AsType[*ssh.ExitError](err); !says {
			since = time.Time{}
			return err
		}
		if since.IsZero() {
			since = time.Now()
		}
		if time.Since(since) < mounting {
			return err
		}
		return nil
	})
	return out, cmp.Or(err, never)
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
		if !strings.HasSuffix(owner, "/web1") || strings.HasPrefix(name, "web1") {
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

// checkMachines waits until the machines whose creation was answered have a
// running guest, and deletes them and what is left of others.
func (w *cutWorld) checkMachines() error {
	var list []cloudtest.VM
	w.cloud.JSON(&list, "vm", "list")
	there := map[string]cloudtest.VM{}
	for _, m := range list {
		there[m.Name] = m
	}
	for name, want := range w.machines {
		if _, ok := there[name]; ok != want {
			return fmt.Errorf("machine %s is there: %v; the call that was answered says %v", name, ok, want)
		}
	}
	for name, m := range there {
		if name == "web1" {
			continue
		}
		if err := cloudtest.Wait(func() error { return w.started(m) }); err != nil {
			return err
		}
		if _, err := w.cloud.Run("vm", "delete", name, "--yes"); err != nil {
			return err
		}
		w.machines[name] = false
	}
	return nil
}

func (w *cutWorld) started(m cloudtest.VM) error {
	if _, ok := w.cloud.Machines()[m.Properties.VMID]; !ok && w.machines[m.Name] {
		return fmt.Errorf("machine %s is not started:\n%s", m.Name, w.cloud.Do("vm", "show", m.Name))
	}
	return nil
}

// call makes calls until the power is off. Then the client is off too.
func (w *cutWorld) call(ctx context.Context, seed uint64, r *rand.Rand) {
	for i := 0; ; i++ {
		err := w.make(ctx, w.life(fmt.Sprintf("x%d-%d", seed, i), r.IntN(5)))
		switch {
		case err != nil && ctx.Err() == nil:
			w.t.Errorf("a call failed with the power on: %v", err)
			return
		case err != nil:
			return
		}
	}
}

// life is what is done with a thing of that name: a disk is made and left (0),
// or deleted (1), or attached, detached and deleted (2); a machine is made and
// left (3) or deleted while it is being made (4).
func (w *cutWorld) life(name string, how int) [][]string {
	if how > 2 {
		return [][]string{
			w.cloud.CreateArgs(name, "--size", "Standard_B1ls", "--no-wait"),
			{"vm", "delete", name, "--yes"},
		}[:how-2]
	}
	steps := [][]string{{"disk", "create", name, "--size", "1G"}}
	if how == 2 {
		steps = append(steps, []string{"vm", "attach", "web1", name, "--lun", "5"}, []string{"vm", "detach", "web1", name})
	}
	if how > 0 {
		steps = append(steps, []string{"disk", "delete", name, "--yes"})
	}
	return steps
}

// make makes the calls and notes what then must be.
func (w *cutWorld) make(ctx context.Context, calls [][]string) error {
	for _, c := range calls {
		verb, name := c[1], c[2]
		things, is := w.disks, verb == "create"
		switch {
		case verb == "attach" || verb == "detach":
			things, name, is = w.attached, c[3], verb == "attach"
		case c[0] == "vm":
			things = w.machines
		}
		// From here until the answer, either is right.
		delete(things, name)
		if _, err := w.cloud.RunContext(ctx, c...); err != nil {
			return err
		}
		w.answered++
		things[name] = is
	}
	return nil
}
