package daemon

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	"golang.org/x/sys/unix"

	"lazuli/internal/image"
	"lazuli/internal/node/qemu"
)

// Level says how much a finding matters.
type Level int

// A Bad finding keeps the host from running machines.
const (
	OK Level = iota
	Warn
	Bad
)

func (l Level) String() string { return [...]string{"ok", "warn", "bad"}[l] }

// MarshalText is the word for the level.
func (l Level) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

// Finding is one thing that was looked at.
type Finding struct {
	About   string `json:"about"`
	Finding string `json:"finding"`
	Advice  string `json:"advice,omitempty"`
	Level   Level  `json:"level"`
}

// Doctor looks at whether this host can run machines. It changes nothing but
// the memory of what QEMU can do here.
func Doctor(ctx context.Context, dataDir string) []Finding {
	out := []Finding{user(), ram(), space(dataDir), passage(dataDir)}
	for _, p := range []struct{ program, pkg string }{
		{"qemu-system-x86_64", "qemu-system-x86"}, {"qemu-img", "qemu-utils"}, {"prlimit", "util-linux"},
	} {
		out = append(out, program(p.program, p.pkg))
	}
	out = append(out, file("/usr/share/OVMF/OVMF_CODE_4M.fd", "UEFI firmware", "ovmf"), device("/dev/net/tun", "tap devices"))
	out = append(out, accelerator(ctx, dataDir), images(dataDir))
	return out
}

func user() Finding {
	if os.Geteuid() != 0 {
		return Finding{"user", "not root", "run lazuli up and this command as root: they make networks and users' processes", Bad}
	}
	return Finding{About: "user", Finding: "root"}
}

func ram() Finding {
	var si unix.Sysinfo_t
	if err := unix.Sysinfo(&si); err != nil {
		return Finding{"memory", err.Error(), "", Bad}
	}
	mib := int(si.Totalram * uint64(si.Unit) >> 20)
	f := Finding{About: "memory", Finding: fmt.Sprintf("%d MiB, %d processors", mib, runtime.NumCPU())}
	if mib < 2048 {
		f.Level, f.Advice = Warn, "machines of 1 GiB need about 1.4 GiB each"
	}
	return f
}

// passage is whether machines' users get to their disks.
func passage(dataDir string) Finding {
	dir := dataDir
	if there := existing(dir); there != dir {
		dir = filepath.Join(there, "made") // by us, as it has to be
	}
	if err := checkPassage(dir); err != nil {
		return Finding{"data directory", dataDir, err.Error(), Bad}
	}
	return Finding{About: "data directory", Finding: dataDir}
}

// existing is the path, or the nearest one above it that exists.
func existing(path string) string {
	for {
		if _, err := os.Stat(path); err == nil || path == "/" {
			return path
		}
		path = filepath.Dir(path)
	}
}

func space(dataDir string) Finding {
	var st unix.Statfs_t
	if err := unix.Statfs(existing(dataDir), &st); err != nil {
		return Finding{"disk", err.Error(), "", Bad}
	}
	free := st.Bavail * uint64(st.Bsize) >> 30
	f := Finding{About: "disk", Finding: fmt.Sprintf("%d GiB free for %s", free, dataDir)}
	if free < 5 {
		f.Level, f.Advice = Warn, "when the disk is full, machines pause until there is room: free some, or choose another --data-dir"
	}
	return f
}

func program(name, pkg string) Finding {
	path, err := exec.LookPath(name)
	if err != nil {
		return Finding{name, "missing", "apt-get install " + pkg, Bad}
	}
	return Finding{About: name, Finding: path}
}

func file(path, about, pkg string) Finding {
	if _, err := os.Stat(path); err != nil {
		return Finding{about, "missing: machines of generation V2 will not start", "apt-get install " + pkg, Warn}
	}
	return Finding{About: about, Finding: path}
}

func device(path, about string) Finding {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return Finding{about, err.Error(), "load the kernel's module tun: modprobe tun", Bad}
	}
	f.Close()
	return Finding{About: about, Finding: path}
}

// accelerator tells what machines run on here. KVM that is there is not
// always KVM that works: it is tried.
func accelerator(ctx context.Context, dataDir string) Finding {
	if err := errors.Join(MakeDataDir(dataDir), checkPassage(dataDir)); err != nil {
		return Finding{"data directory", err.Error(), "", Bad}
	}
	h, err := qemu.Probe(ctx, qemu.Config{Root: filepath.Join(dataDir, "machines"), Log: slog.New(slog.NewTextHandler(io.Discard, nil))})
	if err != nil {
		return Finding{"accelerator", err.Error(), "see what QEMU says above: a guest of a few instructions did not run", Bad}
	}
	f := Finding{About: "accelerator", Finding: fmt.Sprintf("%s, QEMU %s, %s", h.Accelerator, h.Version, h.AIO)}
	if h.Accelerator != "kvm" {
		f.Level = Warn
		f.Finding += " (" + strings.TrimSpace("no KVM: "+h.Why) + ")"
		f.Advice = "machines run, many times slower than with KVM. Without /dev/kvm: enable virtualisation in the firmware, or nested virtualisation on the host above"
	}
	return f
}

func images(dataDir string) Finding {
	c, err := image.Open(ImagesDir(dataDir))
	if err != nil {
		return Finding{"images", err.Error(), "", Warn}
	}
	list, err := c.List()
	if err != nil {
		return Finding{"images", err.Error(), "", Warn}
	}
	var names []string
	for _, i := range list {
		names = append(names, i.Name)
	}
	if len(names) == 0 {
		return Finding{"images", "none", "lazuli image build debian-12", Warn}
	}
	return Finding{About: "images", Finding: strings.Join(names, ", ")}
}
