package main

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// run is the life of the guest.
func run() {
	mountKernel()
	loadModules("/modules")
	rootState, err := enterRoot()
	must("root", err)
	g := &guest{boots: countBoot(), fs: map[string]string{"root": rootState}, acks: newAcks()}
	logf("up seconds=%s boots=%d root=%q", uptime(), g.boots, rootState)
	power := watchPower()
	g.loadState()
	g.mountAgain()
	go g.watchDisks()
	go g.serveCommands()
	go g.serveAcks()
	go serveAgent()
	go serialShell()
	go func() {
		if err := g.join(); err != nil {
			logf("failed err=%q", err)
		}
	}()
	how := <-power
	logf("%s seconds=%s", how, uptime())
	g.stop()
	halt(how)
}

func mountKernel() {
	for _, m := range []struct{ source, target, kind string }{
		{"devtmpfs", "/dev", "devtmpfs"}, {"proc", "/proc", "proc"}, {"sysfs", "/sys", "sysfs"}, {"tmpfs", "/run", "tmpfs"},
	} {
		os.MkdirAll(m.target, 0o755)                  //nolint:errcheck // the mount says it
		unix.Mount(m.source, m.target, m.kind, 0, "") //nolint:errcheck // devtmpfs may be there already
	}
	os.MkdirAll("/dev/pts", 0o755)                                 //nolint:errcheck // likewise
	unix.Mount("devpts", "/dev/pts", "devpts", 0, "ptmxmode=0666") //nolint:errcheck // no terminals, then
	console, err := os.OpenFile("/dev/console", os.O_RDWR, 0)
	if err != nil {
		return
	}
	for fd := range 3 {
		unix.Dup3(int(console.Fd()), fd, 0) //nolint:errcheck // nowhere to say it
	}
}

// loadModules loads the modules that dir/order names, in that order: each
// after the ones it needs.
func loadModules(dir string) {
	order, err := os.ReadFile(filepath.Join(dir, "order"))
	must("modules", err)
	for _, name := range strings.Fields(string(order)) {
		f, err := os.Open(filepath.Join(dir, name))
		must("modules", err)
		err = unix.FinitModule(int(f.Fd()), "", 0)
		f.Close()
		if err != nil && !errors.Is(err, unix.EEXIST) && !errors.Is(err, unix.ENODEV) {
			logf("module name=%s err=%q", name, err)
		}
	}
}

// enterRoot mounts the root file system over everything, and says what state it
// was found in.
func enterRoot() (state string, err error) {
	id := cmdline("root")
	id = strings.TrimPrefix(id, "UUID=")
	var dev string
	for range each(10*time.Millisecond, 20*time.Second) {
		if dev = findExt4(id); dev != "" {
			break
		}
	}
	if dev == "" {
		return "", errors.New("no block device has the file system " + id)
	}
	if err := os.MkdirAll("/root", 0o755); err != nil {
		return "", err
	}
	// What is in the initrd has no tools to check with: those are on the root
	// itself, which the kernel recovers by mounting it to read.
	state, err = mountChecked(dev, "/root", "/root")
	if err != nil {
		return state, err
	}
	for _, m := range []string{"/dev", "/proc", "/sys", "/run"} {
		if err := unix.Mount(m, "/root"+m, "", unix.MS_MOVE, ""); err != nil {
			return state, err
		}
	}
	if err := os.Chdir("/root"); err != nil {
		return state, err
	}
	if err := unix.Mount(".", "/", "", unix.MS_MOVE, ""); err != nil {
		return state, err
	}
	if err := unix.Chroot("."); err != nil {
		return state, err
	}
	return state, os.Chdir("/")
}

// cmdline returns a parameter of the kernel's command line.
func cmdline(key string) string {
	b, _ := os.ReadFile("/proc/cmdline")
	for _, f := range strings.Fields(string(b)) {
		if v, ok := strings.CutPrefix(f, key+"="); ok {
			return v
		}
	}
	return ""
}

// uptime in seconds, as the kernel has it.
func uptime() string {
	b, _ := os.ReadFile("/proc/uptime")
	s, _, _ := strings.Cut(string(b), " ")
	return s
}

// each yields at once, and then every interval until limit has gone.
func each(interval, limit time.Duration) func(func(int, time.Duration) bool) {
	return func(yield func(int, time.Duration) bool) {
		tick := time.NewTicker(interval)
		defer tick.Stop()
		begun := time.Now()
		for i := 0; ; i++ {
			gone := time.Since(begun)
			if gone > limit || !yield(i, gone) {
				return
			}
			<-tick.C
		}
	}
}

const stateDir = "/var/lib/guest"

// countBoot counts the boots that this disk has seen.
func countBoot() int {
	b, _ := os.ReadFile(stateDir + "/boots")
	n, _ := strconv.Atoi(strings.TrimSpace(string(b)))
	if err := writeSynced(stateDir+"/boots", []byte(strconv.Itoa(n+1))); err != nil {
		logf("state err=%q", err)
	}
	return n + 1
}

// writeSynced replaces a file, durably and at once.
func writeSynced(path string, b []byte) error {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	f, err := os.Create(path + ".new")
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(path+".new", path); err != nil {
		return err
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
