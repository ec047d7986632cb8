package cutfs

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// disk is a backing directory with a place to mount it.
type disk struct {
	t               *testing.T
	backing, target string
	order           Order
	fs              *FS
}

func newDisk(t *testing.T, order Order) *disk {
	t.Helper()
	return &disk{t: t, backing: t.TempDir(), target: t.TempDir(), order: order}
}

// on mounts the disk and returns where.
func (d *disk) on() string {
	d.t.Helper()
	f, err := Mount(d.backing, d.target, Options{Order: d.order})
	if err != nil {
		d.t.Fatal(err)
	}
	d.fs = f
	d.t.Cleanup(func() { f.Close() })
	return d.target
}

// off unmounts the disk in good order.
func (d *disk) off() {
	d.t.Helper()
	if err := d.fs.Close(); err != nil {
		d.t.Fatal(err)
	}
}

// cut cuts the power and unmounts.
func (d *disk) cut(seed uint64, sector int64) Report {
	d.t.Helper()
	rep, err := d.fs.Cut(seed, sector)
	if err != nil {
		d.t.Fatal(err)
	}
	d.off()
	return rep
}

// tree shows what is in a directory: "a=content d/ d/b=content".
func tree(t *testing.T, dir string) string {
	t.Helper()
	var all []string
	err := filepath.WalkDir(dir, func(p string, e fs.DirEntry, err error) error {
		name := strings.TrimPrefix(p, dir+"/")
		switch {
		case err != nil || p == dir:
			return err
		case e.IsDir():
			all = append(all, name+"/")
		case e.Type()&fs.ModeSymlink != 0:
			to, err := os.Readlink(p)
			all = append(all, name+"->"+to)
			return err
		default:
			b, err := os.ReadFile(p)
			all = append(all, name+"="+strings.ReplaceAll(string(b), "\x00", "."))
			return err
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(all)
	return strings.Join(all, " ")
}

// steps are what a program does, in the directory it is given.
type steps []func(dir string) error

func (s steps) run(t *testing.T, dir string) {
	t.Helper()
	for i, step := range s {
		if err := step(dir); err != nil {
			t.Fatalf("step %d: %v", i, err)
		}
	}
}

func put(name, content string, flags int) func(string) error {
	return func(dir string) error {
		f, err := os.OpenFile(filepath.Join(dir, name), os.O_CREATE|os.O_WRONLY|flags, 0o644)
		if err != nil {
			return err
		}
		_, err = f.WriteString(content)
		return errors.Join(err, f.Close())
	}
}

func putAt(name, content string, off int64) func(string) error {
	return func(dir string) error {
		f, err := os.OpenFile(filepath.Join(dir, name), os.O_WRONLY, 0)
		if err != nil {
			return err
		}
		_, err = f.WriteAt([]byte(content), off)
		return errors.Join(err, f.Close())
	}
}

func syncPath(name string) func(string) error {
	return func(dir string) error {
		f, err := os.Open(filepath.Join(dir, name))
		if err != nil {
			return err
		}
		return errors.Join(f.Sync(), f.Close())
	}
}

func mkdir(name string) func(string) error {
	return func(dir string) error { return os.Mkdir(filepath.Join(dir, name), 0o755) }
}

func rename(from, to string) func(string) error {
	return func(dir string) error { return os.Rename(filepath.Join(dir, from), filepath.Join(dir, to)) }
}

func remove(name string) func(string) error {
	return func(dir string) error { return os.Remove(filepath.Join(dir, name)) }
}

func link(from, to string) func(string) error {
	return func(dir string) error { return os.Link(filepath.Join(dir, from), filepath.Join(dir, to)) }
}

func symlink(to, name string) func(string) error {
	return func(dir string) error { return os.Symlink(to, filepath.Join(dir, name)) }
}

func truncateTo(name string, size int64) func(string) error {
	return func(dir string) error { return os.Truncate(filepath.Join(dir, name), size) }
}

func fallocate(name string, mode uint32, off, length int64) func(string) error {
	return func(dir string) error {
		f, err := os.OpenFile(filepath.Join(dir, name), os.O_WRONLY, 0)
		if err != nil {
			return err
		}
		return errors.Join(unix.Fallocate(int(f.Fd()), mode, off, length), f.Close())
	}
}

// mapped writes through a shared mapping and syncs that.
func mapped(name, content string) func(string) error {
	return func(dir string) error {
		cmd := exec.Command("/proc/self/exe")
		cmd.Env = append(os.Environ(), programEnv+"=map "+filepath.Join(dir, name)+" "+content)
		return cmd.Run()
	}
}

// TestWhatACutLeaves cuts the power after some steps, with many seeds: what is
// left must be one of the outcomes, and each outcome must come about.
func TestWhatACutLeaves(t *testing.T) {
	const punch = unix.FALLOC_FL_PUNCH_HOLE | unix.FALLOC_FL_KEEP_SIZE
	for name, tc := range map[string]struct {
		order    Order
		before   steps // all of it is durable
		do       steps
		outcomes []string
	}{
		"file and directory synced": {Strict, nil,
			steps{put("a", "1", 0), syncPath("a"), syncPath(".")}, []string{"a=1"}},
		"file synced but not its directory": {Strict, nil,
			steps{put("a", "1", 0), syncPath("a")}, []string{"", "a=1"}},
		"file synced in a journal": {Journal, nil,
			steps{put("a", "1", 0), syncPath("a")}, []string{"a=1"}},
		"directory synced but not the file": {Strict, nil,
			steps{put("a", "1", 0), syncPath(".")}, []string{"a=", "a=1"}},
		"nothing synced": {Strict, nil,
			steps{put("a", "1", 0)}, []string{"", "a=", "a=1"}},
		"written with O_DSYNC": {Strict, steps{put("a", "1", 0)},
			steps{put("a", "2", unix.O_DSYNC)}, []string{"a=2"}},
		"written with O_SYNC": {Strict, steps{put("a", "1", 0)},
			steps{put("a", "2", unix.O_SYNC)}, []string{"a=2"}},
		"overwritten": {Strict, steps{put("a", "11", 0)},
			steps{putAt("a", "2", 1)}, []string{"a=11", "a=12"}},
		"two writes in any order": {Strict, steps{put("a", "1111", 0)},
			steps{putAt("a", "2", 0), putAt("a", "3", 2)}, []string{"a=1111", "a=2111", "a=1131", "a=2131"}},
		"a later append without an earlier one leaves zeros": {Strict, steps{put("a", "1", 0)},
			steps{putAt("a", "2", 1), putAt("a", "3", 2)}, []string{"a=1", "a=12", "a=1.3", "a=123"}},
		"what was synced stays under what was not": {Strict, nil,
			steps{put("a", "1", 0), syncPath("."), syncPath("a"), putAt("a", "2", 1)}, []string{"a=1", "a=12"}},
		"truncated": {Strict, steps{put("a", "1234", 0)},
			steps{truncateTo("a", 2)}, []string{"a=1234", "a=12"}},
		"truncated and written again": {Strict, steps{put("a", "1234", 0)},
			steps{put("a", "x", os.O_TRUNC)}, []string{"a=1234", "a=", "a=x234", "a=x"}},
		"grown": {Strict, steps{put("a", "12", 0)},
			steps{truncateTo("a", 4)}, []string{"a=12", "a=12.."}},
		"a punched hole": {Strict, steps{put("a", "1234", 0)},
			steps{fallocate("a", punch, 1, 2)}, []string{"a=1234", "a=1..4"}},
		"a zeroed range, synced": {Strict, steps{put("a", "1234", 0)},
			steps{fallocate("a", unix.FALLOC_FL_ZERO_RANGE, 2, 4), syncPath("a")}, []string{"a=12...."}},
		"preallocated": {Strict, steps{put("a", "1", 0)},
			steps{fallocate("a", 0, 0, 3)}, []string{"a=1", "a=1.."}},
		"mapped and synced": {Strict, steps{put("a", "1234", 0)},
			steps{mapped("a", "xy")}, []string{"a=xy34"}},
		"replaced by rename, all synced": {Strict, steps{put("a", "old", 0)},
			steps{put("b", "new", 0), syncPath("b"), rename("b", "a"), syncPath(".")}, []string{"a=new"}},
		"replaced by rename, directory not synced": {Strict, steps{put("a", "old", 0)},
			steps{put("b", "new", 0), syncPath("b"), rename("b", "a")}, []string{"a=old", "a=old b=new", "a=new"}},
		"replaced by rename, file not synced": {Strict, steps{put("a", "old", 0)},
			steps{put("b", "new", 0), rename("b", "a"), syncPath(".")}, []string{"a=", "a=new"}},
		"moved, target synced": {Strict, steps{mkdir("d"), put("a", "1", 0)},
			steps{rename("a", "d/b"), syncPath("d")}, []string{"d/ d/b=1"}},
		"moved, only the source synced": {Strict, steps{mkdir("d"), put("a", "1", 0)},
			steps{rename("a", "d/b"), syncPath(".")}, []string{"a=1 d/", "d/ d/b=1"}},
		"moved and the old name used again": {Strict, steps{mkdir("d"), put("a", "1", 0)},
			steps{rename("a", "d/b"), put("a", "2", unix.O_SYNC), syncPath(".")}, []string{"a=2 d/ d/b=1"}},
		"removed": {Strict, steps{put("a", "1", 0)},
			steps{remove("a")}, []string{"", "a=1"}},
		"removed and synced": {Strict, steps{put("a", "1", 0)},
			steps{remove("a"), syncPath(".")}, []string{""}},
		"removed and made again": {Strict, steps{put("a", "1", 0)},
			steps{remove("a"), put("a", "2", unix.O_SYNC)}, []string{"", "a=1", "a=2"}},
		"a new directory whose parent is not synced": {Strict, nil,
			steps{mkdir("d"), put("d/a", "1", unix.O_SYNC), syncPath("d")}, []string{"", "d/ d/a=1"}},
		"a new directory in a journal": {Journal, nil,
			steps{mkdir("d"), put("d/a", "1", 0), syncPath("d/a")}, []string{"d/ d/a=1"}},
		"a directory removed": {Strict, steps{mkdir("d"), put("d/a", "1", 0)},
			steps{remove("d/a"), syncPath("d"), remove("d")}, []string{"", "d/"}},
		"a hard link": {Strict, steps{put("a", "1", 0)},
			steps{link("a", "b"), remove("a"), syncPath(".")}, []string{"b=1"}},
		"two names of one file": {Strict, steps{put("a", "1", 0), link("a", "b")},
			steps{putAt("b", "2", 0), syncPath("a")}, []string{"a=2 b=2"}},
		"a symbolic link": {Strict, nil,
			steps{symlink("a", "l")}, []string{"", "l->a"}},
		"names survive in order in a journal": {Journal, steps{put("a", "1", 0)},
			steps{link("a", "b"), link("a", "c")}, []string{"a=1", "a=1 b=1", "a=1 b=1 c=1"}},
		"names survive in any order": {Strict, steps{put("a", "1", 0)},
			steps{link("a", "b"), link("a", "c")}, []string{"a=1", "a=1 b=1", "a=1 c=1", "a=1 b=1 c=1"}},
	} {
		t.Run(name, func(t *testing.T) {
			seen := map[string]bool{}
			for seed := range uint64(200) {
				d := newDisk(t, tc.order)
				tc.before.run(t, d.backing)
				tc.do.run(t, d.on())
				d.cut(seed, 0)
				got := tree(t, d.backing)
				if !slices.Contains(tc.outcomes, got) {
					t.Fatalf("seed %d left %q, want one of %q", seed, got, tc.outcomes)
				}
				if seen[got] = true; len(seen) == len(tc.outcomes) && seed >= 10 {
					return
				}
			}
			t.Errorf("of %q came about only %v", tc.outcomes, seen)
		})
	}
}

// sector is the smallest that storage has.
const sector = 512

func TestTearingLeavesWholeSectors(t *testing.T) {
	old, fresh := strings.Repeat("o", 4*sector), strings.Repeat("n", 4*sector)
	mixed := false
	for seed := range uint64(40) {
		d := newDisk(t, Strict)
		steps{put("a", old, 0)}.run(t, d.backing)
		steps{putAt("a", fresh, 0)}.run(t, d.on())
		rep := d.cut(seed, sector)
		b, err := os.ReadFile(filepath.Join(d.backing, "a"))
		if err != nil {
			t.Fatal(err)
		}
		for i := 0; i < len(b); i += sector {
			if s := string(b[i : i+sector]); s != old[:sector] && s != fresh[:sector] {
				t.Fatalf("sector %d is neither old nor new", i/sector)
			}
		}
		mixed = mixed || rep.Torn > 0 && string(b) != old && string(b) != fresh
	}
	if !mixed {
		t.Error("no write was torn")
	}
}

func TestTheSameSeedLeavesTheSame(t *testing.T) {
	var got []string
	for range 2 {
		d := newDisk(t, Strict)
		dir := d.on()
		for i := range 20 {
			steps{put(fmt.Sprint("f", i), "content", 0), putAt(fmt.Sprint("f", i), "more", 2)}.run(t, dir)
		}
		d.cut(7, sector)
		got = append(got, tree(t, d.backing))
	}
	if got[0] != got[1] {
		t.Errorf("left %q and then %q", got[0], got[1])
	}
}

func TestCloseKeepsEverything(t *testing.T) {
	d := newDisk(t, Strict)
	if err := os.WriteFile(filepath.Join(d.backing, "old"), []byte("1"), 0o640); err != nil {
		t.Fatal(err)
	}
	steps{mkdir("d"), put("d/a", "1", 0), link("old", "b"), symlink("b", "l"), rename("old", "d/old")}.run(t, d.on())
	if err := os.Chmod(filepath.Join(d.target, "d"), 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(filepath.Join(d.target, "b"), 1234, 5678); err != nil {
		t.Fatal(err)
	}
	want := tree(t, d.target)
	d.off()
	if got := tree(t, d.backing); got != want || got != "b=1 d/ d/a=1 d/old=1 l->b" {
		t.Errorf("left %q, was %q", got, want)
	}
	var dir, b syscall.Stat_t
	if err := errors.Join(syscall.Stat(d.backing+"/d", &dir), syscall.Stat(d.backing+"/b", &b)); err != nil {
		t.Fatal(err)
	}
	if dir.Mode&0o7777 != 0o750 || b.Uid != 1234 || b.Gid != 5678 || b.Mode&0o7777 != 0o640 || b.Nlink != 2 {
		t.Errorf("mode %o, owner %d:%d, mode %o, %d links", dir.Mode, b.Uid, b.Gid, b.Mode, b.Nlink)
	}
	steps{put("d/a", "2", os.O_TRUNC)}.run(t, d.on())
	d.off()
	if got := tree(t, d.backing); got != "b=1 d/ d/a=2 d/old=1 l->b" {
		t.Errorf("left %q after another mount", got)
	}
}
