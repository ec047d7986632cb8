package cutfs

import (
	"context"
	"os"
	"syscall"
	"time"

	fusefs "github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
)

var (
	_ fusefs.NodeCreater   = (*node)(nil)
	_ fusefs.NodeMkdirer   = (*node)(nil)
	_ fusefs.NodeMknoder   = (*node)(nil)
	_ fusefs.NodeSymlinker = (*node)(nil)
	_ fusefs.NodeLinker    = (*node)(nil)
	_ fusefs.NodeUnlinker  = (*node)(nil)
	_ fusefs.NodeRmdirer   = (*node)(nil)
	_ fusefs.NodeRenamer   = (*node)(nil)
)

// add makes a new node with a name in the directory n. The caller holds the
// file system.
func (n *node) add(ctx context.Context, name string, mode uint32, link string, out *fuse.EntryOut) (*node, *fusefs.Inode, syscall.Errno) {
	f := n.fsys
	f.next++
	c := &node{fsys: f, id: f.next, mode: mode, link: link, mtime: time.Now()}
	if caller, ok := fuse.FromContext(ctx); ok {
		c.uid, c.gid = caller.Uid, caller.Gid
	}
	switch mode & syscall.S_IFMT {
	case syscall.S_IFDIR:
		c.dir = newDirectory()
	case syscall.S_IFREG:
		if e := c.create(); e != 0 {
			return nil, nil, e
		}
	}
	f.nodes[c.id] = c
	inode := n.NewPersistentInode(ctx, c, fusefs.StableAttr{Mode: mode & syscall.S_IFMT, Ino: c.id})
	f.names.do(n.dir, entry{n.dir, name, c})
	n.mtime = c.mtime
	return c, inode, c.attr(&out.Attr)
}

// create makes the backing file.
func (n *node) create() syscall.Errno {
	file, err := os.OpenFile(n.fsys.poolPath(n), os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		return errno(err)
	}
	n.content = &content{file: file}
	return n.setFile(true, n.uid, true, n.gid, true, n.mode, false, time.Time{})
}

// Create makes and opens a file.
func (n *node) Create(ctx context.Context, name string, flags, mode uint32, out *fuse.EntryOut) (*fusefs.Inode, fusefs.FileHandle, uint32, syscall.Errno) {
	done, e := n.naming()
	if e != 0 {
		return nil, nil, 0, e
	}
	defer done()
	c, inode, e := n.add(ctx, name, mode&0o7777|syscall.S_IFREG, "", out)
	if e != 0 {
		return nil, nil, 0, e
	}
	c.opens++
	return inode, &handle{flags}, 0, 0
}

// Mkdir makes a directory.
func (n *node) Mkdir(ctx context.Context, name string, mode uint32, out *fuse.EntryOut) (*fusefs.Inode, syscall.Errno) {
	return n.make(ctx, name, mode&0o7777|syscall.S_IFDIR, "", out)
}

// Mknod makes a file, socket or pipe.
func (n *node) Mknod(ctx context.Context, name string, mode, _ uint32, out *fuse.EntryOut) (*fusefs.Inode, syscall.Errno) {
	switch mode & syscall.S_IFMT {
	case syscall.S_IFREG, syscall.S_IFSOCK, syscall.S_IFIFO:
		return n.make(ctx, name, mode, "", out)
	}
	return nil, syscall.EPERM
}

// Symlink makes a symbolic link.
func (n *node) Symlink(ctx context.Context, target, name string, out *fuse.EntryOut) (*fusefs.Inode, syscall.Errno) {
	return n.make(ctx, name, 0o777|syscall.S_IFLNK, target, out)
}

func (n *node) make(ctx context.Context, name string, mode uint32, link string, out *fuse.EntryOut) (*fusefs.Inode, syscall.Errno) {
	done, e := n.naming()
	if e != 0 {
		return nil, e
	}
	defer done()
	_, inode, e := n.add(ctx, name, mode, link, out)
	return inode, e
}

// Link gives a file one more name.
func (n *node) Link(_ context.Context, target fusefs.InodeEmbedder, name string, out *fuse.EntryOut) (*fusefs.Inode, syscall.Errno) {
	done, e := n.naming()
	if e != 0 {
		return nil, e
	}
	defer done()
	t := target.(*node)
	n.fsys.names.do(n.dir, entry{n.dir, name, t})
	return t.EmbeddedInode(), t.attr(&out.Attr)
}

// Unlink removes a name.
func (n *node) Unlink(_ context.Context, name string) syscall.Errno { return n.remove(name) }

// Rmdir removes an empty directory.
func (n *node) Rmdir(_ context.Context, name string) syscall.Errno { return n.remove(name) }

func (n *node) remove(name string) syscall.Errno {
	done, e := n.naming()
	if e != 0 {
		return e
	}
	defer done()
	c := n.dir.live[name]
	if c == nil {
		return syscall.ENOENT
	}
	if c.dir != nil && len(c.dir.live) > 0 {
		return syscall.ENOTEMPTY
	}
	n.fsys.names.do(n.dir, entry{n.dir, name, nil})
	n.mtime = time.Now()
	n.fsys.collect(c)
	return 0
}

// Rename moves a name, over another one if need be.
func (n *node) Rename(_ context.Context, name string, newParent fusefs.InodeEmbedder, newName string, flags uint32) syscall.Errno {
	const noReplace = 1
	if flags&^noReplace != 0 {
		return syscall.EINVAL
	}
	done, e := n.naming()
	if e != 0 {
		return e
	}
	defer done()
	to := newParent.(*node)
	moved, over := n.dir.live[name], to.dir.live[newName]
	if over != nil && over.dir != nil && len(over.dir.live) > 0 {
		return syscall.ENOTEMPTY
	}
	if over == moved && over != nil {
		return 0
	}
	n.fsys.names.do(to.dir, entry{n.dir, name, nil}, entry{to.dir, newName, moved})
	n.mtime, to.mtime = time.Now(), time.Now()
	n.fsys.collect(over)
	return 0
}

// collect frees a file that nobody can come back to: it has no name, neither
// for the programs nor on storage, and is not open. The caller holds the file
// system.
func (f *volume) collect(n *node) {
	if n == nil || n.content == nil || n.opens > 0 || f.nodes[n.id] == nil {
		return
	}
	for _, d := range f.nodes {
		if d.dir == nil {
			continue
		}
		for _, m := range []map[string]*node{d.dir.live, d.dir.durable} {
			for _, c := range m {
				if c == n {
					return
				}
			}
		}
	}
	for _, c := range f.names.pending {
		for _, e := range c.entries {
			if e.node == n {
				return
			}
		}
	}
	if size, err := n.content.size(); err == nil {
		if missing, err := n.content.missing(0, size); err == nil {
			f.space.give(size - missing)
		}
	}
	delete(f.nodes, n.id)
	n.content.file.Close()
	os.Remove(f.poolPath(n)) //nolint:errcheck // it goes with the pool
	n.ForgetPersistent()
}

// collectAll frees what the last sync has made unreachable.
func (f *volume) collectAll() {
	for _, n := range f.nodes {
		f.collect(n)
	}
}
