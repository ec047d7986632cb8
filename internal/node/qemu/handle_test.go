package qemu

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

func TestStartTicks(t *testing.T) {
	tail := " S 1 1 1 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 %d 5 6"
	tests := map[string]struct {
		stat string
		want uint64
		ok   bool
	}{
		"plain":                  {"12 (qemu)" + fmt.Sprintf(tail, 777), 777, true},
		"name with parentheses":  {"12 (a) (b) 1 2)" + fmt.Sprintf(tail, 778), 778, true},
		"name with a line break": {"12 (a\nb)" + fmt.Sprintf(tail, 779), 779, true},
		"empty":                  {"", 0, false},
		"short":                  {"12 (qemu) S 1", 0, false},
		"not a number":           {"12 (qemu)" + strings.ReplaceAll(fmt.Sprintf(tail, 777), "777", "x"), 0, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := startTicks(tt.stat)
			if got != tt.want || (err == nil) != tt.ok {
				t.Errorf("startTicks = %d, %v", got, err)
			}
		})
	}
}

func FuzzStartTicks(f *testing.F) {
	f.Add("12 (qemu) S 1 1 1 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 777 5 6")
	f.Add(") ")
	f.Fuzz(func(t *testing.T, stat string) { startTicks(stat) })
}

func TestIdentityOfThisProcess(t *testing.T) {
	id, err := identify(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	pidfd, ok, err := id.alive()
	if !ok || err != nil {
		t.Fatalf("alive = %v, %v", ok, err)
	}
	pidfd.Close()
}

// TestIdentityThatCannotBeRead is an agent without a descriptor to spare: what
// it cannot look at is not gone.
func TestIdentityThatCannotBeRead(t *testing.T) {
	id, err := identify(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	oneDescriptorLeft(t)
	if pidfd, ok, err := id.alive(); ok || err == nil {
		pidfd.Close()
		t.Errorf("alive = %v, %v, want an error", ok, err)
	}
}

func oneDescriptorLeft(t *testing.T) {
	r, w, err := os.Pipe() // the runtime has what it needs of its own
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close(); w.Close() })
	free, err := unix.Dup(int(r.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	unix.Close(free)
	var old unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &old); err != nil {
		t.Fatal(err)
	}
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: uint64(free) + 1, Max: old.Max}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Setrlimit(unix.RLIMIT_NOFILE, &old) })
}

func TestWriteReplacesWhole(t *testing.T) {
	d := dir(t.TempDir())
	for _, text := range []string{"a longer text", "short"} {
		if err := d.write("x", []byte(text)); err != nil {
			t.Fatal(err)
		}
		if got := readFile(t, d.file("x")); got != text {
			t.Errorf("file = %q, want %q", got, text)
		}
	}
	entries, err := os.ReadDir(string(d))
	if err != nil || len(entries) != 1 {
		t.Errorf("entries = %v, %v", entries, err)
	}
}

func TestSocketsInDeepDirectories(t *testing.T) {
	d := dir(filepath.Join(t.TempDir(), strings.Repeat("deep/", 40)))
	if err := os.MkdirAll(string(d), 0o700); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second replaces the first
		l, err := d.listen(serialSock)
		if err != nil {
			t.Fatal(err)
		}
		conn, err := d.dial(t.Context(), serialSock)
		if err != nil {
			t.Fatal(err)
		}
		conn.Close()
		l.Close()
	}
}

func TestOwners(t *testing.T) {
	path := filepath.Join(t.TempDir(), "next")
	o, err := newOwners(100, 3, path)
	if err != nil {
		t.Fatal(err)
	}
	take := func(uid string) int {
		t.Helper()
		if owner, ok := o.of(uid); ok {
			return owner
		}
		owner, err := o.take(t.Context(), uid)
		if err != nil {
			t.Fatal(err)
		}
		return owner
	}
	got := []int{take("a"), take("b"), take("a")}
	o.release("a")
	got = append(got, take("c")) // not a's, as long as there is another
	if o, err = newOwners(100, 3, path); err != nil {
		t.Fatal(err)
	}
	o.keep("b", 101)
	o.keep("c", 102)
	got = append(got, take("d"))
	if diff := cmp.Diff([]int{100, 101, 100, 102, 100}, got); diff != "" {
		t.Error(diff)
	}
	if _, err := o.take(t.Context(), "e"); err == nil {
		t.Error("a fourth of three ids was handed out")
	}
}

// TestOwnersAreNewAfterEveryCrash hands out ids and forgets whom they were given
// to, as a crash before the handle is written does, all the way around.
func TestOwnersAreNewAfterEveryCrash(t *testing.T) {
	const first, count = 1000, 4096
	path := filepath.Join(t.TempDir(), "next")
	last, writes, content := first-1, 0, ""
	for life := range 40 {
		o, err := newOwners(first, count, path)
		if err != nil {
			t.Fatal(err)
		}
		for i := range life {
			owner, err := o.take(t.Context(), fmt.Sprint(life, "-", i))
			if err != nil {
				t.Fatal(err)
			}
			if owner <= last || owner > last+1+o.lead() {
				t.Fatalf("after id %d, id %d was handed out", last, owner)
			}
			last = owner
			if now := readFile(t, path); now != content {
				content = now
				writes++
			}
		}
	}
	if writes > 300 { // of 780 ids
		t.Errorf("the file was written %d times", writes)
	}
}

func TestStrangeUIDs(t *testing.T) {
	r := newRig(t)
	for _, uid := range []string{"", ".", "..", "a/b", "-x", strings.Repeat("a", 65)} {
		if _, err := r.d.Owner(uid); err == nil {
			t.Errorf("uid %q was accepted", uid)
		}
	}
}
