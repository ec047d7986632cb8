package nodetest

import (
	"context"
	"errors"
	"io/fs"
	"testing"

	"lazuli/internal/fabric"
	"lazuli/internal/node"
)

// DisksHost is an empty host with the disks under test.
type DisksHost struct {
	// Open starts an agent's driver; it is called again for the next agent.
	Open func(t *testing.T) node.Disks
	// AddImage puts an image into the host's catalogue.
	AddImage func(t *testing.T, name string, sizeBytes int64)
	// Use opens a disk as a running machine has it, until release is called.
	Use func(t *testing.T, d node.InstanceDisk) (release func())
}

// UIDs and sizes of the suite.
const (
	diskA, diskB = "66666666-0000-4000-8000-000000000001", "66666666-0000-4000-8000-000000000002"
	diskC        = "66666666-0000-4000-8000-000000000003"
	imageA       = "77777777-0000-4000-8000-000000000001"

	small, large = int64(8 << 20), int64(24 << 20)
)

// RunDisks runs the suite; each test gets a host of its own.
func RunDisks(t *testing.T, newHost func(*testing.T) DisksHost) {
	tests := map[string]func(*ds){
		"ensure is idempotent":          testEnsure,
		"disks grow and do not shrink":  testGrow,
		"remove is idempotent":          testRemoveDisk,
		"a disk in use stays":           testInUse,
		"a disk begins as an image":     testFromImage,
		"a disk begins as a disk":       testFromDisk,
		"sources must exist":            testMissing,
		"a lost disk is not begun anew": testLost,
		"an image is made of a disk":    testMakeImage,
		"open tells one place":          testOpen,
		"free space":                    testFree,
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			host := newHost(t)
			test(&ds{T: t, host: host, Disks: host.Open(t)})
		})
	}
}

// ds is one test's host and the driver that is open on it.
type ds struct {
	*testing.T
	host DisksHost
	node.Disks
}

func (d *ds) ctx() context.Context { return d.T.Context() }

func (d *ds) check(err error) {
	d.Helper()
	if err != nil {
		d.Fatal(err)
	}
}

func (d *ds) ensure(want fabric.Disk) fabric.DiskReport {
	d.Helper()
	r, err := d.Ensure(d.ctx(), want)
	d.check(err)
	return r
}

// has expects a disk of that size; 0 expects none.
func (d *ds) has(uid string, sizeBytes int64) {
	d.Helper()
	r, ok, err := d.Stat(d.ctx(), uid)
	d.check(err)
	if ok != (sizeBytes > 0) || r.SizeBytes != sizeBytes {
		d.Fatalf("disk %s: %v, %+v; want %d bytes", uid, ok, r, sizeBytes)
	}
}

func testEnsure(d *ds) {
	d.has(diskA, 0)
	for range 2 {
		r := d.ensure(fabric.Disk{UID: diskA, SizeBytes: small})
		if r.UID != diskA || r.SizeBytes != small || r.Presence != fabric.Present {
			d.Errorf("report = %+v", r)
		}
	}
	d.Disks = d.host.Open(d.T)
	d.has(diskA, small)
}

func testGrow(d *ds) {
	for _, step := range []struct{ ask, want int64 }{{small, small}, {large, large}, {small, large}} {
		if r := d.ensure(fabric.Disk{UID: diskA, SizeBytes: step.ask}); r.SizeBytes != step.want {
			d.Fatalf("asked for %d bytes, got %d, want %d", step.ask, r.SizeBytes, step.want)
		}
	}
	d.has(diskA, large)
}

func testRemoveDisk(d *ds) {
	d.ensure(fabric.Disk{UID: diskA, SizeBytes: small})
	for range 2 {
		d.check(d.Remove(d.ctx(), diskA))
		d.has(diskA, 0)
	}
	if _, err := d.Disks.Open(d.ctx(), diskA, owner1); err == nil {
		d.Error("a removed disk was opened")
	}
}

const owner1 = 70001

func testInUse(d *ds) {
	d.ensure(fabric.Disk{UID: diskA, SizeBytes: small})
	disk, err := d.Disks.Open(d.ctx(), diskA, owner1)
	d.check(err)
	release := d.host.Use(d.T, disk)
	if err := d.Remove(d.ctx(), diskA); err == nil {
		d.Error("a disk in use was removed")
	}
	d.has(diskA, small)
	release()
	d.check(d.Remove(d.ctx(), diskA))
	d.has(diskA, 0)
}

func testFromImage(d *ds) {
	d.host.AddImage(d.T, "debian-12", small)
	d.ensure(fabric.Disk{UID: diskA, SizeBytes: small, Image: "debian-12"})
	d.ensure(fabric.Disk{UID: diskB, SizeBytes: large, Image: "debian-12"})
	d.has(diskA, small)
	d.has(diskB, large)
	if r := d.ensure(fabric.Disk{UID: diskA, SizeBytes: large, Image: "debian-12"}); r.SizeBytes != large {
		d.Errorf("report = %+v after growing", r)
	}
}

func testFromDisk(d *ds) {
	d.ensure(fabric.Disk{UID: diskA, SizeBytes: small})
	d.ensure(fabric.Disk{UID: diskB, SizeBytes: large, SourceDisk: diskA})
	d.has(diskB, large)
	d.check(d.Remove(d.ctx(), diskA))
	d.ensure(fabric.Disk{UID: diskB, SizeBytes: large, SourceDisk: diskA}) // was made, and needs it no more
	d.has(diskB, large)
}

func testMissing(d *ds) {
	for name, want := range map[string]fabric.Disk{
		"no such disk": {UID: diskA, SizeBytes: small, SourceDisk: diskB},
	} {
		if _, err := d.Ensure(d.ctx(), want); !errors.Is(err, fs.ErrNotExist) {
			d.Errorf("%s: err = %v, want one that says it does not exist", name, err)
		}
		d.has(diskA, 0)
	}
	if _, err := d.MakeImage(d.ctx(), fabric.Image{UID: imageA, SourceDisk: diskB}, func(int) {}); !errors.Is(err, fs.ErrNotExist) {
		d.Errorf("image of no disk: err = %v", err)
	}
	d.check(d.RemoveImage(d.ctx(), imageA))
}

func testMakeImage(d *ds) {
	d.ensure(fabric.Disk{UID: diskA, SizeBytes: small})
	img := fabric.Image{UID: imageA, SourceDisk: diskA}
	last := 0
	for range 2 {
		r, err := d.MakeImage(d.ctx(), img, func(percent int) {
			if percent < last || percent > 100 {
				d.Errorf("progress went from %d to %d", last, percent)
			}
			last = percent
		})
		d.check(err)
		if r.UID != imageA || r.Presence != fabric.Present {
			d.Errorf("report = %+v", r)
		}
		last = 0
	}
	d.ensure(fabric.Disk{UID: diskC, SizeBytes: large, Image: "image-" + imageA})
	d.check(d.Remove(d.ctx(), diskA))
	_, err := d.MakeImage(d.ctx(), img, func(int) {}) // was made, and needs the disk no more
	d.check(err)
	for range 2 {
		d.check(d.RemoveImage(d.ctx(), imageA))
	}
	d.has(diskC, large)
}

func testOpen(d *ds) {
	d.ensure(fabric.Disk{UID: diskA, SizeBytes: small})
	first, err := d.Disks.Open(d.ctx(), diskA, owner1)
	d.check(err)
	if first.UID != diskA || first.Path == "" || first.Format != "raw" && first.Format != "qcow2" {
		d.Errorf("disk = %+v", first)
	}
	again, err := d.Disks.Open(d.ctx(), diskA, owner1)
	d.check(err)
	diff(d.T, "opened again", first, again)
}

func testFree(d *ds) {
	total, free, err := d.Free()
	d.check(err)
	if total <= 0 || free < 0 || free > total {
		d.Errorf("total = %d, free = %d", total, free)
	}
}

func testLost(d *ds) {
	if _, err := d.Ensure(d.ctx(), fabric.Disk{UID: diskA, SizeBytes: small, Made: true}); !errors.Is(err, node.ErrLost) {
		d.Errorf("a disk that was made and is gone: %v, want ErrLost", err)
	}
	if _, ok, err := d.Stat(d.ctx(), diskA); ok || err != nil {
		d.Errorf("it is there again: %v, %v", ok, err)
	}
}
