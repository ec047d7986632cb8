package debian

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"lazuli/internal/fabric"
	"lazuli/internal/image"
	"lazuli/internal/image/bootdisk"
)

// ErrOffline says that the package mirror did not answer.
var ErrOffline = errors.New("the package mirror cannot be reached")

//go:embed all:rootfs finish.sh
var files embed.FS

// needBytes is what a build takes of the catalogue's file system at its worst.
const needBytes = 3 << 30

// Tools is what Build needs on the host.
func Tools() []bootdisk.Tool {
	return append(bootdisk.Tools(), bootdisk.Tool{Path: "mmdebstrap", Package: "mmdebstrap"}, bootdisk.Tool{Path: "apt-get", Package: "apt"})
}

// Build builds the image and installs it in the catalogue. It takes one to two
// minutes, needs root, and leaves nothing behind but the image, however it
// ends. tell is called as it goes on, from one goroutine at a time. Only one
// process builds an image at a time: a second one is told image.ErrBuilding.
// If the image is there already, it is returned as it is.
func Build(ctx context.Context, c *image.Catalogue, r Recipe, tell func(Progress)) (fabric.NodeImage, error) {
	img, err := build(ctx, c, r, tell)
	if err != nil {
		return img, fmt.Errorf("build image %s: %w", r.Name, err)
	}
	return img, nil
}

func build(ctx context.Context, c *image.Catalogue, r Recipe, tell func(Progress)) (fabric.NodeImage, error) {
	img := r.Describe(time.Now())
	l, err := c.BuildLock(r.Name)
	if err != nil {
		return img, err
	}
	defer l.Close()
	if have, err := c.Get(r.Name); err == nil {
		return have, nil
	}
	if err := prepared(c.Root()); err != nil {
		return img, err
	}
	work, err := workDir(c.Root(), r.Name)
	if err != nil {
		return img, err
	}
	defer os.RemoveAll(work)
	t := &teller{tell: tell}
	disk, err := r.make(ctx, work, t)
	if err != nil {
		return img, err
	}
	t.at("register", 98)
	if err := c.Install(ctx, img, disk); err != nil {
		return img, err
	}
	t.at("done", 100)
	return img, nil
}

// prepared says whether a build can succeed here.
func prepared(root string) error {
	if os.Geteuid() != 0 {
		return errors.New("only root can build an image: its files belong to root")
	}
	if err := bootdisk.Require(Tools()...); err != nil {
		return err
	}
	var st unix.Statfs_t
	if err := unix.Statfs(root, &st); err != nil {
		return err
	}
	if free := int64(st.Bavail) * st.Bsize; free < needBytes {
		return fmt.Errorf("%w: %s has %d MiB free, and building takes %d", syscall.ENOSPC, root, free>>20, needBytes>>20)
	}
	return nil
}

// workDir makes the directory for a build, beside where its result goes. What
// an earlier build that was killed has left there is removed: the caller holds
// the lock of the build.
func workDir(root, name string) (string, error) {
	dir := filepath.Join(root, ".work-"+name)
	if err := os.RemoveAll(dir); err != nil {
		return "", err
	}
	return dir, os.Mkdir(dir, 0o700)
}

// make makes the disk in work and says where.
func (r Recipe) make(ctx context.Context, work string, t *teller) (string, error) {
	t.at("prepare", 1)
	tree, diskDir := filepath.Join(work, "tree"), filepath.Join(work, "disk")
	d := bootdisk.Disk{Tree: tree, RootUUID: bootdisk.NewUUID(), SizeBytes: r.SizeBytes,
		Kernel: "/vmlinuz", Initrd: "/initrd.img", Cmdline: r.Cmdline, SignedUEFI: true}
	if err := os.Mkdir(diskDir, 0o700); err != nil {
		return "", err
	}
	if err := r.bootstrap(ctx, work, d.RootUUID, tree, t); err != nil {
		return "", err
	}
	steps := map[string]int{bootdisk.StepRoot: 84, bootdisk.StepLoaders: 90, bootdisk.StepConvert: 92}
	out := filepath.Join(work, "disk.qcow2")
	err := bootdisk.Write(ctx, d, diskDir, out, func(s string) { t.at("write the disk: "+s, steps[s]) })
	return out, err
}

// bootstrap installs the packages and files into tree.
func (r Recipe) bootstrap(ctx context.Context, work, rootUUID, tree string, t *teller) error {
	list, err := sources(ctx, r.Codename)
	if err != nil {
		return err
	}
	options, err := acquire(ctx)
	if err != nil {
		return err
	}
	if err := unpackFiles(work, map[string]string{
		"sources.list":     list,
		"acquire.conf":     options,
		"rootfs/etc/fstab": "UUID=" + rootUUID + " / ext4 rw,discard,errors=remount-ro 0 1\n",
	}); err != nil {
		return err
	}
	path, err := bootdisk.Find("mmdebstrap")
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, path, r.arguments(work, tree)...)
	cmd.Env = append(os.Environ(), "LC_ALL=C", "LAZULI_ROOTFS="+filepath.Join(work, "rootfs"), "TMPDIR="+work)
	cmd.Stdout, cmd.Stderr = t, t
	// What it mounts and starts ends with it, even when it is killed: else the
	// removal of the tree would reach through a mount into the host's /dev.
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWPID, Unshareflags: unix.CLONE_NEWNS}
	err = cmd.Run()
	switch {
	case err == nil:
		return nil
	case ctx.Err() == nil && t.sawOffline():
		return fmt.Errorf("%w: %w", ErrOffline, bootdisk.Failure(ctx, "mmdebstrap", err, strings.Join(t.tail, "\n")))
	default:
		return bootdisk.Failure(ctx, "mmdebstrap", err, strings.Join(t.tail, "\n"))
	}
}

// arguments of mmdebstrap. The files of rootfs go in before the packages, so
// that the initrd is made right the first time, and once more afterwards over
// what packages made of them.
func (r Recipe) arguments(work, tree string) []string {
	args := []string{"--mode=root", "--format=directory", "--variant=apt", "--verbose", "--architectures=amd64",
		"--include=" + strings.Join(r.Packages, ","),
		"--dpkgopt=force-unsafe-io", "--dpkgopt=force-confold",
		"--aptopt=" + filepath.Join(work, "acquire.conf"),
		`--essential-hook=cp -R "$LAZULI_ROOTFS/." "$1/"`,
		"--customize-hook=sh " + filepath.Join(work, "finish.sh") + ` "$1"`,
	}
	for _, dir := range []string{"doc", "man", "locale", "info", "lintian"} {
		args = append(args, "--dpkgopt=path-exclude=/usr/share/"+dir+"/*")
	}
	args = append(args, "--dpkgopt=path-include=/usr/share/doc/*/copyright")
	return append(args, r.Codename, tree, filepath.Join(work, "sources.list"))
}

// unpackFiles writes the embedded files, and more, below dir.
func unpackFiles(dir string, more map[string]string) error {
	err := fs.WalkDir(files, ".", func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		b, err := files.ReadFile(path)
		if err != nil {
			return err
		}
		more[path] = string(b)
		return nil
	})
	if err != nil {
		return err
	}
	for path, content := range more {
		path = filepath.Join(dir, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			return err
		}
	}
	return nil
}
