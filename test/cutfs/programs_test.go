package cutfs

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	bolt "go.etcd.io/bbolt"
	"go.etcd.io/etcd/server/v3/storage/wal"
	"go.etcd.io/etcd/server/v3/storage/wal/walpb"
	"go.uber.org/zap"
	"golang.org/x/sys/unix"
)

// TestAppender is the torture of the smallest durable program: it appends
// numbers, and says that one is safe when fsync has returned.
func TestAppender(t *testing.T) {
	const seeds, records = 100, 20
	run := func(t *testing.T, sync bool) (lost int) {
		for seed := range uint64(seeds) {
			d := newDisk(t, Strict)
			f, err := os.Create(filepath.Join(d.on(), "log"))
			if err != nil {
				t.Fatal(err)
			}
			steps{syncPath(".")}.run(t, d.target)
			for i := range uint64(records) {
				if _, err := f.Write(binary.BigEndian.AppendUint64(nil, i)); err != nil {
					t.Fatal(err)
				}
				if sync {
					if err := f.Sync(); err != nil {
						t.Fatal(err)
					}
				}
			}
			d.cut(seed, sector)
			f.Close() // after the cut: what is answered now does not matter
			b, err := os.ReadFile(filepath.Join(d.backing, "log"))
			if err != nil {
				t.Fatal(err)
			}
			for i := range uint64(records) {
				if at := i * 8; uint64(len(b)) < at+8 || binary.BigEndian.Uint64(b[at:]) != i {
					lost++
					break
				}
			}
		}
		return lost
	}
	if lost := run(t, true); lost != 0 {
		t.Errorf("with fsync, records were lost in %d of %d cuts", lost, seeds)
	}
	if lost := run(t, false); lost < seeds/2 {
		t.Errorf("without fsync, records were lost in only %d of %d cuts", lost, seeds)
	}
}

func TestBoltKeepsWhatItCommitted(t *testing.T) {
	for seed := range uint64(30) {
		d := newDisk(t, Journal) // bbolt does not sync the directory of a new file
		stop := apart(t, "bolt", filepath.Join(d.on(), "db"))
		rep := d.cutUnder(seed, stop)
		checkBolt(t, filepath.Join(d.backing, "db"), seed, rep)
	}
}

func checkBolt(t *testing.T, path string, seed uint64, rep Report) {
	t.Helper()
	db, err := bolt.Open(path, 0o600, nil)
	if err != nil {
		t.Fatalf("seed %d: %v (%+v)", seed, err, rep)
	}
	defer db.Close()
	err = db.View(func(tx *bolt.Tx) error {
		for i := range transactions {
			if got := tx.Bucket([]byte("b")).Get(fmt.Append(nil, i)); !bytes.Equal(got, bytes.Repeat([]byte{byte(i)}, 3000)) {
				return fmt.Errorf("transaction %d is lost", i)
			}
		}
		return nil
	})
	if err != nil {
		t.Errorf("seed %d: %v (%+v)", seed, err, rep)
	}
}

func TestEtcdWALKeepsWhatItSaved(t *testing.T) {
	for seed := range uint64(20) {
		d := newDisk(t, Journal) // etcd syncs a new file and the parent of its directory, not that itself
		stop := apart(t, "wal", filepath.Join(d.on(), "wal"))
		rep := d.cutUnder(seed, stop)
		w, err := wal.Open(zap.NewNop(), filepath.Join(d.backing, "wal"), &walpb.Snapshot{})
		if err != nil {
			t.Fatalf("seed %d: %v (%+v)", seed, err, rep)
		}
		_, _, got, err := w.ReadAll()
		if err != nil || len(got) != entries {
			t.Errorf("seed %d: %d entries, %v (%+v), want %d", seed, len(got), err, rep, entries)
		}
		w.Close()
	}
}

func qemuIO(t *testing.T, file, format, aio string, commands ...string) string {
	t.Helper()
	args := []string{"-f", format, "-t", "none", "-i", aio}
	for _, c := range commands {
		args = append(args, "-c", c)
	}
	out, err := exec.Command("qemu-io", append(args, file)...).CombinedOutput()
	if err != nil || strings.Contains(string(out), "failed") {
		t.Fatalf("qemu-io: %v: %s", err, out)
	}
	return string(out)
}

// TestQEMUKeepsWhatItFlushed writes as QEMU does with cache=none.
func TestQEMUKeepsWhatItFlushed(t *testing.T) {
	for _, aio := range []string{"threads", "native", "io_uring"} {
		for _, format := range []string{"raw", "qcow2"} {
			t.Run(aio+" "+format, func(t *testing.T) {
				for seed := range uint64(5) {
					d := newDisk(t, Journal)
					file := filepath.Join(d.on(), "disk")
					if out, err := exec.Command("qemu-img", "create", "-q", "-f", format, file, "16M").CombinedOutput(); err != nil {
						t.Fatalf("qemu-img: %v: %s", err, out)
					}
					qemuIO(t, file, format, aio, "write -P 1 0 64k", "write -P 2 1M 128k", "flush",
						"write -P 3 2M 64k", "discard 1M 64k", "write -z 3M 64k", "flush")
					// What qemu-io writes when it ends, it also flushes; this is written after that.
					steps{putAt("disk", strings.Repeat("junk", 256), 20<<20)}.run(t, d.target)
					d.cut(seed, sector)
					left := filepath.Join(d.backing, "disk")
					if err := os.Truncate(left, min(size(t, left), 20<<20)); err != nil {
						t.Fatal(err)
					}
					qemuIO(t, left, format, "threads", "read -P 1 0 64k", "read -P 2 1088k 64k", "read -P 3 2M 64k", "read -P 0 3M 64k")
				}
			})
		}
	}
}

func size(t *testing.T, path string) int64 {
	t.Helper()
	st, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return st.Size()
}

func TestOverlaysAndConversionsWork(t *testing.T) {
	d := newDisk(t, Strict)
	dir := d.on()
	for _, args := range [][]string{
		{"create", "-q", "-f", "qcow2", dir + "/base", "64M"},
		{"create", "-q", "-f", "qcow2", "-b", dir + "/base", "-F", "qcow2", dir + "/over"},
		{"bench", "-q", "-f", "qcow2", "-w", "-c", "200", "-t", "none", "-i", "io_uring", "-d", "8", "--flush-interval=10", dir + "/over"},
		{"convert", "-t", "none", "-O", "raw", dir + "/over", dir + "/raw"},
		{"compare", "-q", "-f", "qcow2", "-F", "raw", dir + "/over", dir + "/raw"},
		{"check", "-q", dir + "/over"},
	} {
		if out, err := exec.Command("qemu-img", args...).CombinedOutput(); err != nil && !strings.Contains(string(out), "nvalid option") {
			t.Errorf("qemu-img %v: %v: %s", args, err, out)
		}
	}
}

func TestDirectIO(t *testing.T) {
	d := newDisk(t, Strict)
	f, err := os.OpenFile(filepath.Join(d.on(), "a"), os.O_CREATE|os.O_RDWR|unix.O_DIRECT, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	b, err := unix.Mmap(-1, 0, 8192, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		t.Fatal(err)
	}
	copy(b, "direct")
	if _, err := f.WriteAt(b, 4096); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, 6)
	plain, err := os.Open(f.Name())
	if err != nil {
		t.Fatal(err)
	}
	defer plain.Close()
	if _, err := plain.ReadAt(got, 4096); err != nil || string(got) != "direct" {
		t.Errorf("read %q, %v", got, err)
	}
}

func TestOpenFileDescriptionLocks(t *testing.T) {
	d := newDisk(t, Strict)
	path := filepath.Join(d.on(), "a")
	lock := func() (*os.File, error) {
		f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		return f, unix.FcntlFlock(f.Fd(), unix.F_OFD_SETLK, &unix.Flock_t{Type: unix.F_WRLCK})
	}
	first, err := lock()
	if err != nil {
		t.Fatal(err)
	}
	second, err := lock()
	if !errors.Is(err, unix.EAGAIN) {
		t.Errorf("the second lock: %v, want %v", err, unix.EAGAIN)
	}
	second.Close()
	first.Close()
	third, err := lock()
	if err != nil {
		t.Errorf("after the first has gone: %v", err)
	}
	third.Close()
}

func TestOtherUsers(t *testing.T) {
	d := newDisk(t, Strict)
	dir := d.on()
	for _, p := range []string{filepath.Dir(dir), dir} {
		if err := os.Chmod(p, 0o777); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(dir+"/secret", []byte("s"), 0o600); err != nil {
		t.Fatal(err)
	}
	as := func(script string) error {
		cmd := exec.Command("sh", "-c", script)
		cmd.Dir = dir
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 4242, Gid: 4242}}
		return cmd.Run()
	}
	if err := as("echo mine >mine && cat mine"); err != nil {
		t.Errorf("a user's own file: %v", err)
	}
	if err := as("cat secret"); err == nil {
		t.Error("a user reads root's file")
	}
	if err := os.Chown(dir+"/secret", 4242, 4242); err != nil {
		t.Fatal(err)
	}
	if err := as("cat secret && chmod 400 secret"); err != nil {
		t.Errorf("after chown: %v", err)
	}
	d.off()
	var st syscall.Stat_t
	if err := syscall.Stat(d.backing+"/mine", &st); err != nil || st.Uid != 4242 {
		t.Errorf("owner %d, %v", st.Uid, err)
	}
}

func TestExtendedAttributes(t *testing.T) {
	d := newDisk(t, Strict)
	path := filepath.Join(d.on(), "a")
	steps{put("a", "1", 0)}.run(t, d.target)
	if err := unix.Setxattr(path, "user.k", []byte("v"), 0); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 8)
	n, err := unix.Getxattr(path, "user.k", b)
	if err != nil || string(b[:n]) != "v" {
		t.Errorf("got %q, %v", b[:max(n, 0)], err)
	}
	if err := unix.Removexattr(path, "user.k"); err != nil {
		t.Error(err)
	}
	if _, err := unix.Getxattr(path, "user.k", b); !errors.Is(err, unix.ENODATA) {
		t.Errorf("after removal: %v", err)
	}
}
