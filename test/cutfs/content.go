package cutfs

import (
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

// maxUnsynced bounds the bytes that are remembered for one file.
const maxUnsynced = 64 << 20

// content is the data of one file: the file has all changes, the log those that
// are not durable, with what is needed to take each back and to make it again.
type content struct {
	mu       sync.Mutex
	file     *os.File
	log      []change
	unsynced int64 // bytes held by the log
}

type changeKind int

const (
	write changeKind = iota
	truncate
	punch // the range reads as zeros
)

// change is one change of content.
type change struct {
	kind    changeKind
	off     int64 // of a truncation: the new size
	length  int64
	data    []byte // of a write
	oldSize int64
	old     []extent // what was there, without holes
	oldFrom int64    // the range that old is of
	oldTo   int64
}

type extent struct {
	off  int64
	data []byte
}

func (c *content) size() (int64, error) {
	st, err := c.file.Stat()
	if err != nil {
		return 0, err
	}
	return st.Size(), nil
}

// do carries out a change and remembers it.
func (c *content) do(ch change) error {
	var err error
	if ch.oldSize, err = c.size(); err != nil {
		return err
	}
	ch.oldFrom, ch.oldTo = ch.off, ch.off+ch.length
	if ch.kind == truncate {
		ch.oldTo = max(ch.oldSize, ch.off)
	}
	if ch.old, err = extents(c.file, ch.oldFrom, min(ch.oldTo, ch.oldSize)); err != nil {
		return err
	}
	if err := ch.redo(c.file); err != nil {
		return err
	}
	c.log = append(c.log, ch)
	c.unsynced += ch.weight()
	for c.unsynced > maxUnsynced {
		c.unsynced -= c.log[0].weight()
		c.log = c.log[1:]
	}
	return nil
}

func (ch change) weight() int64 {
	n := int64(len(ch.data)) + 64
	for _, e := range ch.old {
		n += int64(len(e.data))
	}
	return n
}

// sync makes all changes so far durable.
func (c *content) sync() {
	c.log, c.unsynced = nil, 0
}

func (ch change) redo(f *os.File) error {
	switch ch.kind {
	case write:
		_, err := f.WriteAt(ch.data, ch.off)
		return err
	case truncate:
		return f.Truncate(ch.off)
	default:
		return zero(f, ch.off, ch.length)
	}
}

// undo takes the change back; it was the last one.
func (ch change) undo(f *os.File) error {
	if ch.oldTo > ch.oldFrom {
		if err := zero(f, ch.oldFrom, ch.oldTo-ch.oldFrom); err != nil {
			return err
		}
	}
	if err := f.Truncate(ch.oldSize); err != nil {
		return err
	}
	for _, e := range ch.old {
		if _, err := f.WriteAt(e.data, e.off); err != nil {
			return err
		}
	}
	return nil
}

func zero(f *os.File, off, length int64) error {
	return unix.Fallocate(int(f.Fd()), unix.FALLOC_FL_PUNCH_HOLE|unix.FALLOC_FL_KEEP_SIZE, off, length)
}

// extents reads what is in a range of f, but for the holes.
func extents(f *os.File, from, to int64) ([]extent, error) {
	var es []extent
	err := eachExtent(f, from, to, func(off, end int64) error {
		b := make([]byte, end-off)
		n, err := f.ReadAt(b, off)
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		es = append(es, extent{off, b[:n]})
		return nil
	})
	return es, err
}

// eachExtent calls do with each part of the range from..to that is no hole.
func eachExtent(f *os.File, from, to int64, do func(off, end int64) error) error {
	for off := from; off < to; {
		data, err := unix.Seek(int(f.Fd()), off, unix.SEEK_DATA)
		if errors.Is(err, unix.ENXIO) || err == nil && data >= to {
			return nil
		}
		if err != nil {
			return err
		}
		hole, err := unix.Seek(int(f.Fd()), data, unix.SEEK_HOLE)
		if err != nil {
			return err
		}
		if err := do(data, min(hole, to)); err != nil {
			return err
		}
		off = hole
	}
	return nil
}

// cut leaves of the changes that are not durable what chance keeps.
func (c *content) cut(r *rand.Rand, sector int64, rep *Report) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	log := c.log
	c.sync()
	for i := len(log) - 1; i >= 0; i-- {
		if err := log[i].undo(c.file); err != nil {
			return err
		}
	}
	keep := chance(r, len(log))
	for i, ch := range log {
		switch torn := sector > 0 && ch.kind == write && r.IntN(2) == 0; {
		case torn:
			rep.Torn++
			if err := ch.redoSome(c.file, r, sector); err != nil {
				return err
			}
		case keep(i):
			rep.Kept++
			if err := ch.redo(c.file); err != nil {
				return err
			}
		default:
			rep.Dropped++
		}
	}
	return nil
}

// redoSome writes some sectors of a write.
func (ch change) redoSome(f *os.File, r *rand.Rand, sector int64) error {
	for at := ch.off; at < ch.off+ch.length; {
		end := min(at/sector*sector+sector, ch.off+ch.length)
		if r.IntN(2) == 0 {
			if _, err := f.WriteAt(ch.data[at-ch.off:end-ch.off], at); err != nil {
				return err
			}
		}
		at = end
	}
	return nil
}

// chance says which of n changes survive: none, a prefix, or any of them.
func chance(r *rand.Rand, n int) func(i int) bool {
	switch r.IntN(4) {
	case 0:
		return func(int) bool { return false }
	case 1:
		last := r.IntN(n + 1)
		return func(i int) bool { return i < last }
	default:
		return func(int) bool { return r.IntN(2) == 0 }
	}
}
