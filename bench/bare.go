package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"lazuli/internal/fabric"
	"lazuli/internal/node/disk"
	"lazuli/internal/node/qemu/qmp"
)

// bare runs the QEMU of a machine of the cloud by hand: nothing but a process,
// a monitor and a disk.
type bare struct {
	dir    string
	args   []string // of the cloud's machine, with the program
	os     string   // its OS disk
	medium string   // a copy of its provisioning medium
	image  string
	disks  *disk.Driver
	n      int
}

// learn takes over the command line of a running machine.
func (b *bench) learn(m *machine, image string) *bare {
	p, err := m.process()
	b.must(err)
	line, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", p.PID))
	b.must(err)
	x := &bare{dir: b.t.TempDir(), image: image, args: strings.Split(strings.TrimSuffix(string(line), "\x00"), "\x00")}
	x.os, err = osDisk(x.args)
	b.must(err)
	x.medium = filepath.Join(x.dir, "medium.iso")
	b.must(command(b.ctx, "cp", filepath.Join(b.cloud.Dir, "media", m.uid+".iso"), x.medium))
	x.disks, err = disk.New(disk.Config{Root: filepath.Join(x.dir, "disks"), Images: filepath.Join(b.cloud.Dir, "images")})
	b.must(err)
	return x
}

// osDisk is the path of the OS disk on a command line.
func osDisk(args []string) (string, error) {
	for i, a := range args {
		var node struct {
			Name string `json:"node-name"`
			File struct{ Filename string }
		}
		if i == 0 || args[i-1] != "-blockdev" || json.Unmarshal([]byte(a), &node) != nil {
			continue
		}
		if node.Name == "os" {
			return node.File.Filename, nil
		}
	}
	return "", fmt.Errorf("no OS disk in %q", args)
}

// replaced are the files of a process by hand, in place of those that a node
// passes to QEMU open.
type replaced struct {
	monitor, serial, medium string
	os, oldOS               string // what is below a disk lies beside it
}

// byHand is a command line of the cloud with files by name, and the network of
// each interface replaced by QEMU's own one, cut off: until a guest's init runs
// it sends nothing. All else is as it was.
func byHand(args []string, r replaced) []string {
	var out []string
	for i := 0; i < len(args); i++ {
		a := args[i]
		last := ""
		if len(out) > 0 {
			last = out[len(out)-1]
		}
		switch {
		case a == "-add-fd":
			i++ // and its value
			continue
		case last == "-chardev" && strings.HasPrefix(a, "socket,id=monitor,"):
			a = "socket,id=monitor,path=" + r.monitor + ",server=on,wait=off"
		case last == "-chardev" && strings.HasPrefix(a, "socket,id=serial,"):
			a = "file,id=serial,path=" + r.serial
		case last == "-chardev" && strings.HasPrefix(a, "socket,"): // nobody speaks to the guest's agent
			_, rest, _ := strings.Cut(a, "id=")
			id, _, _ := strings.Cut(rest, ",")
			a = "null,id=" + id
		case last == "-netdev":
			_, rest, _ := strings.Cut(a, ",id=")
			id, _, _ := strings.Cut(rest, ",")
			a = "user,id=" + id + ",restrict=on"
		case last == "-blockdev":
			a = strings.ReplaceAll(a, `"/dev/fdset/3"`, `"`+r.medium+`"`)
			a = strings.ReplaceAll(a, `"`+filepath.Dir(r.oldOS)+`/`, `"`+filepath.Dir(r.os)+`/`)
		}
		out = append(out, a)
	}
	return out
}

// life is what one process by hand took from its start.
type life struct {
	runs time.Duration // until its processors run
	up   time.Duration // until its serial port said what is awaited
	used time.Duration // of the processors, until then
	gone time.Duration // from its kill until it had ended
}

// live starts QEMU on a disk of its own, as the node makes it, and kills it.
func (x *bare) live(b *bench, awaited string) life {
	x.n++
	uid := fmt.Sprintf("bare-%d", x.n)
	_, err := x.disks.Ensure(b.ctx, fabric.Disk{UID: uid, SizeBytes: x.size(b), Image: x.image})
	b.must(err)
	d, err := x.disks.Open(b.ctx, uid, 0)
	b.must(err)
	r := replaced{
		monitor: filepath.Join(x.dir, uid+".qmp"), serial: filepath.Join(x.dir, uid+".log"),
		medium: x.medium, os: d.Path, oldOS: x.os,
	}
	args := byHand(x.args, r)
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Stderr = os.Stderr
	from := time.Now()
	b.must(cmd.Start())
	ended := make(chan struct{})
	go func() { cmd.Wait(); close(ended) }() //nolint:errcheck // it is killed
	end := func() time.Duration {
		at := time.Now()
		cmd.Process.Kill() //nolint:errcheck // it may have ended
		<-ended
		return time.Since(at)
	}
	defer end()
	var l life
	b.must(b.await(func() error {
		select {
		case <-ended:
			b.t.Fatal("QEMU by hand has ended")
		default:
		}
		return letRun(b.ctx, r.monitor)
	}))
	l.runs = time.Since(from)
	if awaited != "" {
		b.must(b.await(func() error { return hasText(r.serial, awaited) }))
		l.up = time.Since(from)
		l.used, err = processorTime(cmd.Process.Pid)
		b.must(err)
	}
	l.gone = end()
	return l
}

// size is that of the OS disk of the cloud's machine.
func (x *bare) size(b *bench) int64 {
	images, err := os.ReadFile(filepath.Join(b.cloud.Dir, "images", x.image, "image.json"))
	b.must(err)
	var img fabric.NodeImage
	b.must(json.Unmarshal(images, &img))
	return img.SizeBytes
}

// letRun has QEMU run its guest, which it was started to wait with.
func letRun(ctx context.Context, monitor string) error {
	conn, err := (&net.Dialer{}).DialContext(ctx, "unix", monitor)
	if err != nil {
		return err
	}
	c, err := qmp.New(ctx, conn)
	if err != nil {
		return err
	}
	defer c.Close()
	return c.Do(ctx, "cont", nil, nil)
}

func command(ctx context.Context, name string, args ...string) error {
	out, err := exec.CommandContext(ctx, name, args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s %s: %w: %s", name, strings.Join(args, " "), err, out)
	}
	return nil
}
