package cutfs

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"time"

	fusefs "github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"
)

// pool is where the files are while the file system is mounted, each under its
// number: a name may come back that nobody has any more.
const pool = ".cutfs"

// volume is a mounted file system, in the process that serves it.
type volume struct {
	backing, target string
	server          *fuse.Server
	space           space

	mu    sync.RWMutex // held to write for changes of names, and for the cut
	dead  bool
	root  *node
	names names
	nodes map[uint64]*node
	next  uint64
}

func mount(backing, target string, order Order) (*volume, error) {
	f := &volume{backing: backing, target: target, nodes: map[uint64]*node{}, names: names{order: order}}
	if err := os.Mkdir(filepath.Join(backing, pool), 0o700); err != nil {
		return nil, fmt.Errorf("%w: was %s not closed by the one who had it mounted?", err, backing)
	}
	st, err := os.Stat(backing)
	if err != nil {
		return nil, err
	}
	f.root = f.newNode(st.Mode(), st.Sys().(*syscall.Stat_t))
	second := time.Second
	options := &fusefs.Options{
		AttrTimeout: &second, EntryTimeout: &second, NullPermissions: true,
		MountOptions: fuse.MountOptions{AllowOther: true, DirectMount: true, FsName: "cutfs", Name: "cutfs",
			MaxWrite: 1 << 20, DisableSplice: true, Options: []string{"default_permissions"}},
		OnAdd: func(ctx context.Context) { err = f.take(ctx, f.root, backing, map[uint64]*node{}) },
	}
	server, mountErr := fusefs.Mount(target, f.root, options)
	if err := errors.Join(mountErr, err); err != nil {
		if mountErr == nil {
			server.Unmount() //nolint:errcheck // there is an error already
		}
		return nil, errors.Join(err, f.settle(func(d *directory) map[string]*node { return d.live }))
	}
	f.server = server
	return f, closeOnExec()
}

// closeOnExec keeps the connection to the kernel out of the programs that the
// test starts. One that had it would, when it is killed, wait for an answer
// that only it could let fail.
func closeOnExec() error {
	fds, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return err
	}
	for _, fd := range fds {
		if to, err := os.Readlink("/proc/self/fd/" + fd.Name()); err != nil || to != "/dev/fuse" {
			continue
		}
		n, err := strconv.Atoi(fd.Name())
		if err != nil {
			return err
		}
		unix.CloseOnExec(n)
	}
	return nil
}

func (f *volume) newNode(mode fs.FileMode, st *syscall.Stat_t) *node {
	f.next++
	n := &node{fsys: f, id: f.next, mode: st.Mode, uid: st.Uid, gid: st.Gid, mtime: time.Unix(st.Mtim.Unix())}
	if mode.IsDir() {
		n.dir = newDirectory()
	}
	f.nodes[n.id] = n
	return n
}

// take takes in what is in the directory path, as durable content of parent.
// linked has the files by their number there, for those with several names.
func (f *volume) take(ctx context.Context, parent *node, path string, linked map[uint64]*node) error {
	entries, err := os.ReadDir(path)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if parent == f.root && e.Name() == pool {
			continue
		}
		full := filepath.Join(path, e.Name())
		info, err := os.Lstat(full)
		if err != nil {
			return err
		}
		st := info.Sys().(*syscall.Stat_t)
		n, again := linked[st.Ino]
		if !again {
			n = f.newNode(info.Mode(), st)
			linked[st.Ino] = n
			parent.NewPersistentInode(ctx, n, fusefs.StableAttr{Mode: st.Mode & syscall.S_IFMT, Ino: n.id})
		}
		parent.AddChild(e.Name(), n.EmbeddedInode(), true)
		parent.dir.live[e.Name()], parent.dir.durable[e.Name()] = n, n
		if err := f.takeOne(ctx, n, info, full, linked); err != nil {
			return err
		}
	}
	return nil
}

func (f *volume) takeOne(ctx context.Context, n *node, info fs.FileInfo, path string, linked map[uint64]*node) error {
	switch {
	case info.IsDir():
		if err := f.take(ctx, n, path, linked); err != nil {
			return err
		}
		return os.Remove(path)
	case info.Mode().IsRegular():
		if n.content != nil {
			return os.Remove(path) // one more name
		}
		if err := os.Rename(path, f.poolPath(n)); err != nil {
			return err
		}
		file, err := os.OpenFile(f.poolPath(n), os.O_RDWR, 0)
		n.content = &content{file: file}
		return err
	case info.Mode()&fs.ModeSymlink != 0:
		link, err := os.Readlink(path)
		n.link = link
		return errors.Join(err, os.Remove(path))
	}
	return os.Remove(path) // a socket or pipe has no content
}

func (f *volume) poolPath(n *node) string {
	return filepath.Join(f.backing, pool, strconv.FormatUint(n.id, 10))
}

// cut is FS.Cut.
func (f *volume) cut(seed uint64, sector int64) (Report, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var rep Report
	if f.dead {
		return rep, errors.New("the power is off already")
	}
	f.dead = true
	r := newRand(seed)
	for id := uint64(1); id <= f.next; id++ {
		if n := f.nodes[id]; n != nil && n.content != nil {
			if err := n.content.cut(r, sector, &rep); err != nil {
				return rep, err
			}
		}
	}
	f.names.cut(r, &rep)
	if err := f.settle(func(d *directory) map[string]*node { return d.durable }); err != nil {
		return rep, err
	}
	return rep, nil
}

// close is FS.Close.
func (f *volume) close() error {
	err := unix.Unmount(f.target, 0)
	if err != nil {
		err = unix.Unmount(f.target, unix.MNT_DETACH)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.dead {
		f.dead = true
		err = errors.Join(err, f.settle(func(d *directory) map[string]*node { return d.live }))
	}
	for _, n := range f.nodes {
		if n.content != nil {
			n.content.file.Close()
		}
	}
	return err
}
