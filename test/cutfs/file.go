package cutfs

import (
	"bytes"
	"context"
	"errors"
	"io"
	"syscall"

	fusefs "github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"
)

var (
	_ fusefs.NodeOpener    = (*node)(nil)
	_ fusefs.NodeReader    = (*node)(nil)
	_ fusefs.NodeWriter    = (*node)(nil)
	_ fusefs.NodeFsyncer   = (*node)(nil)
	_ fusefs.NodeFlusher   = (*node)(nil)
	_ fusefs.NodeReleaser  = (*node)(nil)
	_ fusefs.NodeAllocater = (*node)(nil)
	_ fusefs.NodeLseeker   = (*node)(nil)
)

// handle is an open file.
type handle struct{ flags uint32 }

// Open opens a file.
func (n *node) Open(_ context.Context, flags uint32) (fusefs.FileHandle, uint32, syscall.Errno) {
	done, e := n.naming()
	if e != 0 {
		return nil, 0, e
	}
	defer done()
	if n.content == nil {
		return nil, 0, syscall.ENOTSUP
	}
	if flags&unix.O_TRUNC != 0 {
		if e := n.truncate(0); e != 0 {
			return nil, 0, e
		}
	}
	n.opens++
	return &handle{flags}, 0, 0
}

// Release ends an open.
func (n *node) Release(context.Context, fusefs.FileHandle) syscall.Errno {
	done, e := n.naming()
	if e != 0 {
		return e
	}
	defer done()
	n.opens--
	n.fsys.collect(n)
	return 0
}

// Flush is close(2), which makes nothing durable.
func (n *node) Flush(context.Context, fusefs.FileHandle) syscall.Errno {
	done, e := n.reading()
	if e == 0 {
		done()
	}
	return e
}

// Read reads what the programs wrote, durable or not.
func (n *node) Read(_ context.Context, _ fusefs.FileHandle, dest []byte, off int64) (fuse.ReadResult, syscall.Errno) {
	done, e := n.reading()
	if e != 0 {
		return nil, e
	}
	defer done()
	got, err := n.content.file.ReadAt(dest, off)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, errno(err)
	}
	return fuse.ReadResultData(dest[:got]), 0
}

// Write writes, durably if the file was opened so.
func (n *node) Write(_ context.Context, h fusefs.FileHandle, data []byte, off int64) (uint32, syscall.Errno) {
	done, e := n.reading()
	if e != 0 {
		return 0, e
	}
	e = n.change(change{kind: write, off: off, length: int64(len(data)), data: bytes.Clone(data)})
	done()
	if e != 0 {
		return 0, e
	}
	if h, ok := h.(*handle); ok && h.flags&(unix.O_SYNC|unix.O_DSYNC) != 0 {
		e = n.sync()
	}
	return uint32(len(data)), e
}

// change changes the content, if there is room. The caller holds the file
// system.
func (n *node) change(ch change) syscall.Errno {
	c := n.content
	c.mu.Lock()
	defer c.mu.Unlock()
	need := int64(0)
	if ch.kind == write {
		var err error
		if need, err = c.missing(ch.off, ch.length); err != nil {
			return errno(err)
		}
	}
	if e := n.fsys.space.take(need); e != 0 {
		return e
	}
	if err := c.do(ch); err != nil {
		n.fsys.space.give(need)
		return errno(err)
	}
	freed := int64(0)
	if ch.kind != write {
		for _, e := range c.log[len(c.log)-1].old {
			freed += int64(len(e.data))
		}
	}
	n.fsys.space.give(freed)
	return 0
}

func (n *node) truncate(size int64) syscall.Errno {
	if n.content == nil {
		return syscall.EINVAL
	}
	return n.change(change{kind: truncate, off: size})
}

// Fsync makes a file's content, or a directory's names, durable.
func (n *node) Fsync(context.Context, fusefs.FileHandle, uint32) syscall.Errno { return n.sync() }

func (n *node) sync() syscall.Errno {
	done, e := n.naming()
	if e != 0 {
		return e
	}
	defer done()
	before := len(n.fsys.names.pending)
	if n.dir != nil {
		n.fsys.names.syncDir(n.dir)
	} else {
		n.content.mu.Lock()
		n.content.sync()
		n.content.mu.Unlock()
		n.fsys.names.syncFile()
	}
	if len(n.fsys.names.pending) != before {
		n.fsys.collectAll()
	}
	return 0
}

// Allocate is fallocate(2).
func (n *node) Allocate(_ context.Context, _ fusefs.FileHandle, off, size uint64, mode uint32) syscall.Errno {
	done, e := n.reading()
	if e != 0 {
		return e
	}
	defer done()
	end := int64(off + size)
	grow := func() syscall.Errno {
		if now, err := n.content.size(); err != nil || mode&unix.FALLOC_FL_KEEP_SIZE != 0 || end <= now {
			return errno(err)
		}
		return n.truncate(end)
	}
	switch mode &^ unix.FALLOC_FL_KEEP_SIZE {
	case 0:
		return grow()
	case unix.FALLOC_FL_PUNCH_HOLE, unix.FALLOC_FL_ZERO_RANGE:
		if e := grow(); e != 0 {
			return e
		}
		return n.change(change{kind: punch, off: int64(off), length: int64(size)})
	}
	return syscall.EOPNOTSUPP
}

// Lseek finds data and holes.
func (n *node) Lseek(_ context.Context, _ fusefs.FileHandle, off uint64, whence uint32) (uint64, syscall.Errno) {
	done, e := n.reading()
	if e != 0 {
		return 0, e
	}
	defer done()
	at, err := unix.Seek(int(n.content.file.Fd()), int64(off), int(whence))
	return uint64(max(at, 0)), errno(err)
}
