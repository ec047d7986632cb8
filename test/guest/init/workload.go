package main

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// acks are the numbers up to which each disk has acknowledged its records.
type acks struct {
	mu      sync.Mutex
	last    map[string]int64
	changed chan struct{} // closed at each change
	stop    map[string]chan struct{}
	running sync.WaitGroup
}

func newAcks() *acks {
	return &acks{last: map[string]int64{}, changed: make(chan struct{}), stop: map[string]chan struct{}{}}
}

func (a *acks) set(disk string, n int64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.last[disk] = n
	close(a.changed)
	a.changed = make(chan struct{})
}

// wait returns what has changed since seen, once something has.
func (a *acks) wait(seen map[string]int64) map[string]int64 {
	for {
		a.mu.Lock()
		diff := map[string]int64{}
		for d, n := range a.last {
			if old, ok := seen[d]; !ok || old != n {
				diff[d] = n
			}
		}
		changed := a.changed
		a.mu.Unlock()
		if len(diff) > 0 {
			return diff
		}
		<-changed
	}
}

func (a *acks) stopAll() {
	a.mu.Lock()
	for d, c := range a.stop {
		close(c)
		delete(a.stop, d)
	}
	a.mu.Unlock()
	a.running.Wait()
}

func logPath(disk string) string { return filepath.Join(mountPoint(disk), "var/lib/guest/records") }

// startAppending appends records to a file on the disk as fast as the disk
// makes them durable, now and after each boot. It is idempotent.
func (g *guest) startAppending(disk string) error {
	if err := g.useDisk(disk); err != nil {
		return err
	}
	if err := g.change(func(s *state) { s.Workloads = with(s.Workloads, disk) }); err != nil {
		return err
	}
	a := g.acks
	a.mu.Lock()
	if a.stop[disk] != nil {
		a.mu.Unlock()
		return nil
	}
	stop := make(chan struct{})
	a.stop[disk] = stop
	a.mu.Unlock()
	l, err := openDurableLog(logPath(disk))
	if err != nil {
		a.mu.Lock()
		delete(a.stop, disk)
		a.mu.Unlock()
		return err
	}
	logf("appending disk=%s last=%d", disk, l.last)
	a.set(disk, l.last)
	a.running.Go(func() {
		defer l.file.Close()
		for {
			select {
			case <-stop:
				return
			default:
			}
			if err := l.append(); err != nil {
				logf("append disk=%s after=%d err=%q", disk, l.last, err)
				return
			}
			a.set(disk, l.last)
		}
	})
	return nil
}

// openDurableLog makes sure that the file itself, with the directories it is
// in, survives before the first record is acknowledged.
func openDurableLog(path string) (*log, error) {
	if _, err := os.Stat(path); err != nil {
		if err := writeSynced(path, nil); err != nil {
			return nil, err
		}
	}
	return openLog(path)
}

func (g *guest) stopAppending(disk string) {
	a := g.acks
	a.mu.Lock()
	if c := a.stop[disk]; c != nil {
		close(c)
		delete(a.stop, disk)
	}
	a.mu.Unlock()
	a.running.Wait()
}

// serveAcks tells whoever connects to port 7 what has been acknowledged, one
// line "ack <disk> <n>" for each change: all records up to n are durable. A slow
// reader is told of fewer numbers, never of a number too late to matter.
func (g *guest) serveAcks() {
	l, err := net.Listen("tcp", ":7")
	must("acks", err)
	for {
		c, err := l.Accept()
		if err != nil {
			continue
		}
		go func() {
			defer c.Close()
			seen := map[string]int64{}
			w := bufio.NewWriter(c)
			for {
				for d, n := range g.acks.wait(seen) {
					seen[d] = n
					fmt.Fprintf(w, "ack %s %d\n", d, n)
				}
				c.SetWriteDeadline(time.Now().Add(time.Minute)) //nolint:errcheck // the write says it
				if w.Flush() != nil {
					return
				}
			}
		}()
	}
}
