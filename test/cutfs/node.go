package cutfs

import (
	"context"
	"errors"
	"syscall"
	"time"

	fusefs "github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"
)

// node is a file, directory, symbolic link, or special file.
type node struct {
	fusefs.Inode
	fsys *volume
	id   uint64

	content *content   // of a file; mode and the like are its own, too
	dir     *directory // of a directory
	link    string     // of a symbolic link

	mode     uint32
	uid, gid uint32
	mtime    time.Time
	opens    int // of a file
}

// errno of an error of the backing file system.
func errno(err error) syscall.Errno {
	if err == nil {
		return 0
	}
	var e syscall.Errno
	if errors.As(err, &e) {
		return e
	}
	return syscall.EIO
}

// reading holds the file system for something that changes no names. It fails
// when the power is off.
func (n *node) reading() (done func(), e syscall.Errno) {
	n.fsys.mu.RLock()
	if n.fsys.dead {
		n.fsys.mu.RUnlock()
		return nil, syscall.EIO
	}
	return n.fsys.mu.RUnlock, 0
}

// naming holds the file system for a change of names.
func (n *node) naming() (done func(), e syscall.Errno) {
	n.fsys.mu.Lock()
	if n.fsys.dead {
		n.fsys.mu.Unlock()
		return nil, syscall.EIO
	}
	return n.fsys.mu.Unlock, 0
}

var (
	_ fusefs.NodeGetattrer     = (*node)(nil)
	_ fusefs.NodeSetattrer     = (*node)(nil)
	_ fusefs.NodeStatfser      = (*node)(nil)
	_ fusefs.NodeReadlinker    = (*node)(nil)
	_ fusefs.NodeGetxattrer    = (*node)(nil)
	_ fusefs.NodeSetxattrer    = (*node)(nil)
	_ fusefs.NodeRemovexattrer = (*node)(nil)
	_ fusefs.NodeListxattrer   = (*node)(nil)
)

func (n *node) Getattr(_ context.Context, _ fusefs.FileHandle, out *fuse.AttrOut) syscall.Errno {
	done, e := n.reading()
	if e != 0 {
		return e
	}
	defer done()
	return n.attr(&out.Attr)
}

func (n *node) attr(out *fuse.Attr) syscall.Errno {
	if n.content != nil {
		var st syscall.Stat_t
		if err := syscall.Fstat(int(n.content.file.Fd()), &st); err != nil {
			return errno(err)
		}
		out.FromStat(&st)
	} else {
		out.Mode, out.Owner = n.mode, fuse.Owner{Uid: n.uid, Gid: n.gid}
		out.Size = uint64(len(n.link))
		out.SetTimes(&n.mtime, &n.mtime, &n.mtime)
		out.Nlink, out.Blksize = 1, 4096
	}
	out.Ino = n.id
	if n.content != nil {
		out.Nlink = n.fsys.links(n)
	}
	return 0
}

// links counts a file's names.
func (f *volume) links(n *node) uint32 {
	count := uint32(0)
	for _, d := range f.nodes {
		if d.dir == nil {
			continue
		}
		for _, m := range d.dir.live {
			if m == n {
				count++
			}
		}
	}
	return count
}

func (n *node) Setattr(_ context.Context, _ fusefs.FileHandle, in *fuse.SetAttrIn, out *fuse.AttrOut) syscall.Errno {
	done, e := n.naming()
	if e != 0 {
		return e
	}
	defer done()
	if size, ok := in.GetSize(); ok {
		if e := n.truncate(int64(size)); e != 0 {
			return e
		}
	}
	uid, setUID := in.GetUID()
	gid, setGID := in.GetGID()
	mode, setMode := in.GetMode()
	mtime, setTime := in.GetMTime()
	if n.content != nil {
		if e := n.setFile(setUID, uid, setGID, gid, setMode, mode, setTime, mtime); e != 0 {
			return e
		}
		return n.attr(&out.Attr)
	}
	if setUID {
		n.uid = uid
	}
	if setGID {
		n.gid = gid
	}
	if setMode {
		n.mode = n.mode&^0o7777 | mode&0o7777
	}
	if setTime {
		n.mtime = mtime
	}
	return n.attr(&out.Attr)
}

func (n *node) setFile(setUID bool, uid uint32, setGID bool, gid uint32, setMode bool, mode uint32, setTime bool, mtime time.Time) syscall.Errno {
	f := n.content.file
	if setUID || setGID {
		u, g := -1, -1
		if setUID {
			u = int(uid)
		}
		if setGID {
			g = int(gid)
		}
		if err := f.Chown(u, g); err != nil {
			return errno(err)
		}
	}
	if setMode {
		if err := unix.Fchmod(int(f.Fd()), mode&0o7777); err != nil {
			return errno(err)
		}
	}
	if setTime {
		tv := []unix.Timeval{unix.NsecToTimeval(mtime.UnixNano()), unix.NsecToTimeval(mtime.UnixNano())}
		return errno(unix.Futimes(int(f.Fd()), tv))
	}
	return 0
}

func (n *node) Statfs(_ context.Context, out *fuse.StatfsOut) syscall.Errno {
	var st syscall.Statfs_t
	if err := syscall.Statfs(n.fsys.backing, &st); err != nil {
		return errno(err)
	}
	out.FromStatfsT(&st)
	if free, limited := n.fsys.space.left(); limited {
		out.Bfree = uint64(max(free, 0)) / uint64(st.Bsize)
		out.Bavail = out.Bfree
	}
	return 0
}

func (n *node) Readlink(context.Context) ([]byte, syscall.Errno) { return []byte(n.link), 0 }

// Extended attributes are those of the backing file; nothing else has any.

func (n *node) Getxattr(_ context.Context, name string, dest []byte) (uint32, syscall.Errno) {
	if n.content == nil {
		return 0, syscall.ENODATA
	}
	size, err := unix.Fgetxattr(int(n.content.file.Fd()), name, dest)
	return uint32(max(size, 0)), errno(err)
}

func (n *node) Setxattr(_ context.Context, name string, data []byte, flags uint32) syscall.Errno {
	if n.content == nil {
		return syscall.ENOTSUP
	}
	return errno(unix.Fsetxattr(int(n.content.file.Fd()), name, data, int(flags)))
}

func (n *node) Removexattr(_ context.Context, name string) syscall.Errno {
	if n.content == nil {
		return syscall.ENODATA
	}
	return errno(unix.Fremovexattr(int(n.content.file.Fd()), name))
}

func (n *node) Listxattr(_ context.Context, dest []byte) (uint32, syscall.Errno) {
	if n.content == nil {
		return 0, 0
	}
	size, err := unix.Flistxattr(int(n.content.file.Fd()), dest)
	return uint32(max(size, 0)), errno(err)
}
