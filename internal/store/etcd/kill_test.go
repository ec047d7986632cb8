package etcd_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"lazuli/internal/store"
	"lazuli/internal/store/etcd"
)

// childDir says to the test binary, run again, that it is to write to the
// state in this directory until it is killed.
const childDir = "LAZULI_TEST_STORE_DIR"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		fmt.Fprintln(os.Stderr, writeForever(dir))
		os.Exit(1)
	}
	goleak.VerifyTestMain(m)
}

const writers = 8

// writeForever has several writers count up, each in two keys at once, and
// prints each number once it is acknowledged.
func writeForever(dir string) error {
	s, err := etcd.Open(context.Background(), etcd.Options{Dir: dir})
	if err != nil {
		return err
	}
	var mu sync.Mutex
	failed := make(chan error)
	for w := range writers {
		go func() {
			for n := 1; ; n++ {
				if err := count(s, w, n); err != nil {
					failed <- err
				}
				mu.Lock()
				fmt.Println(w, n)
				mu.Unlock()
			}
		}()
	}
	return <-failed
}

func count(s store.Store, w, n int) error {
	_, err := s.Update(context.Background(), func(tx store.Tx) error {
		tx.Put(fmt.Sprint("last/", w), fmt.Append(nil, n))
		tx.Put(fmt.Sprintf("each/%d/%d", w, n), []byte(strings.Repeat("x", 500)))
		return nil
	})
	return err
}

// TestKill kills a process amid its writes, again and again, and looks for
// each write that it acknowledged.
func TestKill(t *testing.T) {
	for _, acks := range []int{1, 50, 1000, 5000} {
		t.Run(fmt.Sprint("after ", acks), func(t *testing.T) {
			dir := t.TempDir()
			acked := killAfter(t, dir, acks)
			s := openDir(t, dir)
			for w, n := range acked {
				checkCount(t, s, w, n)
			}
		})
	}
}

// killAfter lets a child write until it has acknowledged n writes, kills it,
// and returns what each writer acknowledged last.
func killAfter(t *testing.T, dir string, n int) (acked [writers]int) {
	t.Helper()
	child := exec.CommandContext(t.Context(), os.Args[0])
	child.Env = append(os.Environ(), childDir+"="+dir)
	child.Stderr = t.Output()
	out, err := child.StdoutPipe()
	if err := errors.Join(err, child.Start()); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(out)
	for i := 0; ; i++ {
		if i == n {
			child.Process.Kill()
		}
		line, err := lines.ReadString('\n')
		if err == io.EOF { // a last line cut short was no acknowledgement
			break
		}
		var w, last int
		if _, err := fmt.Sscan(line, &w, &last); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		acked[w] = last
	}
	if err := child.Wait(); child.ProcessState.ExitCode() != -1 {
		t.Fatalf("child was not killed: %v", err)
	}
	return acked
}

// checkCount says that writer w has all its writes up to n, and in both keys.
func checkCount(t *testing.T, s store.Store, w, n int) {
	t.Helper()
	last := 0
	if e, err := s.Get(t.Context(), fmt.Sprint("last/", w)); err == nil {
		last, _ = strconv.Atoi(string(e.Value))
	}
	each, err := s.List(t.Context(), fmt.Sprintf("each/%d/", w))
	if err != nil || last < n || len(each) != last {
		t.Errorf("writer %d: %d acknowledged, %d counted, %d kept: %v", w, n, last, len(each), err)
	}
}
