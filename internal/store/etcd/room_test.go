package etcd_test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"lazuli/internal/store"
	"lazuli/internal/store/etcd"
)

// smallDisk is a file system of that size.
func smallDisk(t *testing.T, size string) string {
	t.Helper()
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "mode=700,size="+size); err != nil {
		t.Fatalf("mount a small file system: %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// fillDisk takes all that is free, as a guest's disk may.
func fillDisk(t *testing.T, dir string) (ballast string) {
	t.Helper()
	ballast = filepath.Join(dir, "ballast")
	f, err := os.OpenFile(ballast, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for size := 1 << 20; size > 0; size /= 2 {
		for err = nil; err == nil; {
			_, err = f.Write(make([]byte, size))
		}
		if !errors.Is(err, unix.ENOSPC) && !errors.Is(err, io.ErrShortWrite) {
			t.Fatal(err)
		}
	}
	return ballast
}

// On a full disk a store takes a few writes and then refuses them, and goes on
// as soon as there is room. What it acknowledged is there.
func TestFullDisk(t *testing.T) {
	disk := smallDisk(t, "200m")
	o := etcd.Options{Dir: filepath.Join(disk, "state")}
	s := openWith(t, o)
	put := func(key string, n int) error {
		_, err := s.Update(t.Context(), func(tx store.Tx) error { tx.Put(key, make([]byte, n)); return nil })
		return err
	}
	if err := put("before", 10); err != nil {
		t.Fatal(err)
	}
	ballast := fillDisk(t, disk)
	kept := 0
	var err error
	for ; err == nil && kept < 5000; kept++ {
		err = put(fmt.Sprint("full", kept), 10<<10)
		fillDisk(t, disk)
		if kept%100 == 0 {
			<-time.After(150 * time.Millisecond) // the database is written ten times a second
		}
	}
	kept--
	if !errors.Is(err, store.ErrNoSpace) || kept < 100 {
		t.Fatalf("after %d writes: %v, want more than 100 and then %v", kept, err, store.ErrNoSpace)
	}
	<-time.After(300 * time.Millisecond)
	if _, err := s.Get(t.Context(), "before"); err != nil {
		t.Errorf("reading: %v", err)
	}
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	if err := put("after", 10); err != nil {
		t.Errorf("with room again: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	s = openWith(t, o)
	for _, key := range []string{"before", "full0", fmt.Sprint("full", kept-1), "after"} {
		if _, err := s.Get(t.Context(), key); err != nil {
			t.Errorf("%s: %v", key, err)
		}
	}
}

// A disk that is full already when the store is opened keeps it from serving
// no longer than it is.
func TestOpenOnFullDisk(t *testing.T) {
	disk := smallDisk(t, "200m")
	o := etcd.Options{Dir: filepath.Join(disk, "state")}
	s := openWith(t, o)
	if _, err := s.Update(t.Context(), func(tx store.Tx) error { tx.Put("a", nil); return nil }); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	ballast := fillDisk(t, disk)
	full, err := etcd.Open(t.Context(), o)
	if err == nil {
		<-time.After(300 * time.Millisecond)
		if err := full.Close(); err != nil {
			t.Error(err)
		}
	} else if !errors.Is(err, store.ErrNoSpace) {
		t.Errorf("open on a full disk: %v, want %v", err, store.ErrNoSpace)
	}
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	if _, err := openWith(t, o).Get(t.Context(), "a"); err != nil {
		t.Error(err)
	}
}
