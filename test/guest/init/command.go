package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

const socket = "/run/guest.sock"

// reply is process 1's answer to a command.
type reply struct{ Out, Err string }

// command is the guest's programs. All but verify are carried out by process 1.
func command(name string, args []string, out io.Writer) error {
	if name == "verify" {
		return verifyCommand(args, out)
	}
	c, err := net.Dial("unix", socket)
	if err != nil {
		return err
	}
	defer c.Close()
	if err := json.NewEncoder(c).Encode(append([]string{name}, args...)); err != nil {
		return err
	}
	var r reply
	if err := json.NewDecoder(c).Decode(&r); err != nil {
		return err
	}
	io.WriteString(out, r.Out) //nolint:errcheck // nobody reads
	if r.Err != "" {
		return errors.New(r.Err)
	}
	return nil
}

// verifyCommand checks records, of a file or of a disk's workload, and prints
// the last one's number.
func verifyCommand(args []string, out io.Writer) error {
	if len(args) != 1 {
		return errors.New("usage: verify FILE | verify DISK (root, lun0, …)")
	}
	path := args[0]
	if !strings.Contains(path, "/") {
		path = logPath(path)
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	last, err := verify(f)
	fmt.Fprintln(out, last)
	return err
}

// serveCommands carries out what the guest's programs ask for.
func (g *guest) serveCommands() {
	l, err := net.Listen("unix", socket)
	must("commands", err)
	for {
		c, err := l.Accept()
		if err != nil {
			continue
		}
		go func() {
			defer c.Close()
			var args []string
			if json.NewDecoder(c).Decode(&args) != nil || len(args) == 0 {
				return
			}
			out, err := g.carryOut(args[0], args[1:])
			r := reply{Out: out}
			if err != nil {
				r.Err = err.Error()
			}
			json.NewEncoder(c).Encode(r) //nolint:errcheck // who asked has gone
		}()
	}
}

func (g *guest) carryOut(name string, args []string) (string, error) {
	switch {
	case name == "status" && len(args) == 0:
		b, err := json.MarshalIndent(g.status(), "", "  ")
		return string(b) + "\n", err
	case name == "datadisk" && len(args) == 1:
		return mountPoint(args[0]) + "\n", g.useDisk(args[0])
	case name == "release" && len(args) == 1:
		return "", g.release(args[0])
	case name == "append" && len(args) > 1 && args[0] == "start":
		for _, d := range args[1:] {
			if err := g.startAppending(d); err != nil {
				return "", fmt.Errorf("%s: %w", d, err)
			}
		}
		return "", nil
	case name == "append" && len(args) == 1 && args[0] == "stop":
		g.acks.stopAll()
		return "", g.change(func(s *state) { s.Workloads = nil })
	case name == "fsckstate" && len(args) == 0:
		return g.fsckState()
	case name == "crash" && len(args) == 0:
		return "", os.WriteFile("/proc/sysrq-trigger", []byte("c"), 0)
	}
	return "", errors.New("usage: status | datadisk DISK | release DISK | append start DISK… | append stop | fsckstate | crash; DISK is root, lun0, …")
}

// status is what the command status prints, as JSON.
type status struct {
	Hostname   string            `json:"hostname"`
	VMID       string            `json:"vmId"`
	User       string            `json:"user"`
	Boots      int               `json:"boots"` // of this disk
	Ready      bool              `json:"ready"`
	Addresses  []string          `json:"addresses"`
	DataDisks  map[string]string `json:"dataDisks"`   // "lun0" to its device
	Filesystem map[string]string `json:"fileSystems"` // disk to "clean", "recovered" or "errors: …"
	Acked      map[string]int64  `json:"acked"`       // disk to the last durable record
	Kernel     string            `json:"kernel"`
	Uptime     string            `json:"uptimeSeconds"`
}

func (g *guest) status() status {
	g.mu.Lock()
	s := status{VMID: g.state.VMID, User: g.state.User, Boots: g.boots, Ready: g.ready, Filesystem: map[string]string{}, Acked: map[string]int64{}}
	for d, st := range g.fs {
		s.Filesystem[d] = st
	}
	g.mu.Unlock()
	g.acks.mu.Lock()
	for d, n := range g.acks.last {
		s.Acked[d] = n
	}
	g.acks.mu.Unlock()
	s.Hostname, _ = os.Hostname()
	s.DataDisks, s.Uptime = dataDisks("/sys/class/block"), uptime()
	var u unix.Utsname
	if unix.Uname(&u) == nil {
		s.Kernel = unix.ByteSliceToString(u.Release[:])
	}
	addrs, _ := net.InterfaceAddrs()
	for _, a := range addrs {
		if ip, ok := a.(*net.IPNet); ok && !ip.IP.IsLoopback() && ip.IP.To4() != nil {
			s.Addresses = append(s.Addresses, ip.IP.String())
		}
	}
	return s
}

// fsckState prints in which state each file system was when it was mounted, and
// fails when one was broken.
func (g *guest) fsckState() (string, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	var lines []string
	var err error
	for d, st := range g.fs {
		lines = append(lines, d+" "+st+"\n")
		if strings.HasPrefix(st, "errors") {
			err = errors.New("a file system was broken")
		}
	}
	slices.Sort(lines)
	return strings.Join(lines, ""), err
}
