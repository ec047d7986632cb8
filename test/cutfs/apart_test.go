package cutfs

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"

	bolt "go.etcd.io/bbolt"
	"go.etcd.io/etcd/server/v3/storage/wal"
	"go.etcd.io/raft/v3/raftpb"
	"go.uber.org/zap"
	"golang.org/x/sys/unix"
)

// programEnv makes the test's binary a program that uses the mount, and can be
// ended when the power is cut.
const programEnv = "CUTFS_PROGRAM"

func TestMain(m *testing.M) {
	program := os.Getenv(programEnv)
	if program == "" {
		os.Exit(m.Run())
	}
	args := strings.Fields(program)
	if err := programs[args[0]](args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

var programs = map[string]func(args []string) error{"map": mapProgram, "bolt": boltProgram, "wal": walProgram, "mount": mountProgram}

// apart runs a program until it says that it has done its part, and returns
// what ends it.
func apart(t *testing.T, name, path string) (stop func()) {
	t.Helper()
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), programEnv+"="+name+" "+path)
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.StdoutPipe()
	if err == nil {
		_, err = cmd.StdinPipe() // open for as long as the program is to live
	}
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	stop = func() {
		cmd.Process.Kill() //nolint:errcheck // it may be gone
		cmd.Wait()         //nolint:errcheck // it was killed
	}
	t.Cleanup(stop)
	if l, err := bufio.NewReader(out).ReadString('\n'); l != "done\n" {
		t.Fatalf("%s: %q, %v: %s", name, l, err, said.String())
	}
	return stop
}

// cutUnder cuts the power under a running program, which goes with it.
func (d *disk) cutUnder(seed uint64, stop func()) Report {
	d.t.Helper()
	rep, err := d.fs.Cut(seed, sector)
	stop()
	if err != nil {
		d.t.Fatal(err)
	}
	d.off()
	return rep
}

// done says so, and waits for the end.
func done() error {
	fmt.Println("done")
	_, err := io.Copy(io.Discard, os.Stdin)
	return err
}

func mountProgram(args []string) error {
	if _, err := Mount(args[0], args[1], Options{}); err != nil {
		return err
	}
	return done()
}

func mapProgram(args []string) error {
	f, err := os.OpenFile(args[0], os.O_RDWR, 0)
	if err != nil {
		return err
	}
	m, err := unix.Mmap(int(f.Fd()), 0, len(args[1]), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return err
	}
	copy(m, args[1])
	return unix.Msync(m, unix.MS_SYNC)
}

const transactions = 10

// boltProgram commits transactions, and is in the middle of one more.
func boltProgram(args []string) error {
	db, err := bolt.Open(args[0], 0o600, nil)
	if err != nil {
		return err
	}
	for i := range transactions {
		err := db.Update(func(tx *bolt.Tx) error {
			b, err := tx.CreateBucketIfNotExists([]byte("b"))
			if err != nil {
				return err
			}
			return b.Put(fmt.Append(nil, i), bytes.Repeat([]byte{byte(i)}, 3000))
		})
		if err != nil {
			return err
		}
	}
	// What bbolt does first of all in a commit is to write pages that nothing
	// refers to yet: here they are written where the file is free, and not synced.
	f, err := os.OpenFile(args[0], os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return err
	}
	if _, err := f.Write(bytes.Repeat([]byte("page"), 4096)); err != nil {
		return err
	}
	return done()
}

const entries = 20

func walProgram(args []string) error {
	w, err := wal.Create(zap.NewNop(), args[0], []byte("meta"))
	if err != nil {
		return err
	}
	for i := uint64(1); i <= entries; i++ {
		state := &raftpb.HardState{Term: new(uint64(1)), Commit: new(i)}
		entry := &raftpb.Entry{Term: new(uint64(1)), Index: new(i), Data: bytes.Repeat([]byte{byte(i)}, 700)}
		if err := w.Save(state, []*raftpb.Entry{entry}); err != nil {
			return err
		}
	}
	return done()
}
