package qemu

import (
	"encoding/json"
	"fmt"

	"lazuli/internal/node"
)

// block is an argument of blockdev-add or device_add, or the same on the
// command line. Its JSON has sorted keys.
type block map[string]any

func encode(b block) string {
	text, err := json.Marshal(b)
	if err != nil {
		panic(err) // a block holds strings, numbers and blocks
	}
	return string(text)
}

// deviceID of a disk, by which the monitor names it.
func deviceID(diskUID string) string { return devicePrefix + diskUID }

const devicePrefix = "disk-"

// nodeName of a disk's block node. Names are bounded to 31 bytes, so it is not
// the UID.
func nodeName(d node.InstanceDisk) string {
	if d.OS {
		return "os"
	}
	return fmt.Sprintf("lun%d", d.LUN)
}

// blockdev is the block node of a disk. Formats are said all the way down:
// QEMU neither probes nor follows what a file says of its backing.
//
// cache.direct keeps the host's page cache out of the way of what is written;
// a flush of the guest reaches the host's disk. The lock refuses a second QEMU.
func blockdev(d node.InstanceDisk, by storage) block {
	b := block{
		"driver": d.Format, "node-name": nodeName(d), "read-only": d.ReadOnly, "discard": "unmap",
		"cache": by.cache(), "file": by.file(d.Path, d.ReadOnly),
	}
	if d.Format == "qcow2" {
		b["backing"] = by.shared().backing(d.Backing)
	}
	return b
}

// storage is how files are read and written.
type storage struct {
	aio    string
	paged  bool // through the host's page cache
	unsafe bool // flushes are not passed on
}

// shared is how files are read that never change and that many machines have:
// the host's page cache is of use, where the kind of I/O can go through it.
func (s storage) shared() storage {
	s.paged = s.aio != "native"
	return s
}

// backing is the chain below a qcow2 file; all of it is qcow2.
func (s storage) backing(paths []string) any {
	if len(paths) == 0 {
		return nil
	}
	return block{
		"driver": "qcow2", "read-only": true, "cache": s.cache(),
		"file": s.file(paths[0], true), "backing": s.backing(paths[1:]),
	}
}

func (s storage) file(path string, readOnly bool) block {
	return block{
		"driver": "file", "filename": path, "aio": s.aio, "locking": "on", "read-only": readOnly,
		"discard": "unmap", "cache": s.cache(),
	}
}

func (s storage) cache() block { return block{"direct": !s.paged, "no-flush": s.unsafe} }

// disks are the OS disk on a virtio-blk of its own, and a SCSI controller each
// for the provisioning medium and the data disks. A SCSI disk is taken out at
// once, whatever the guest does, and its LUN is the one that was asked for.
func (l launch) disks() ([]string, error) {
	args := []string{
		"-object", "iothread,id=iothread0",
		"-device", "virtio-scsi-pci,id=scsi0," + slot(slotMedium),
		"-device", "virtio-scsi-pci,id=scsi1," + slot(slotData),
	}
	seen := map[string]bool{}
	for _, d := range l.spec.Disks {
		if err := checkDisk(d); err != nil {
			return nil, err
		}
		if seen[nodeName(d)] {
			return nil, fmt.Errorf("disk %s: %s is taken", d.UID, nodeName(d))
		}
		seen[nodeName(d)] = true
		args = append(args, "-blockdev", encode(blockdev(d, l.storage)), "-device", encode(device(d)))
	}
	if l.medium != 0 {
		args = append(args,
			"-add-fd", fmt.Sprintf("fd=%d,set=%d", l.medium, mediumSet),
			"-blockdev", encode(block{"driver": "raw", "node-name": mediumID, "read-only": true,
				"file": block{"driver": "file", "filename": fdset(mediumSet), "read-only": true, "locking": "off"}}),
			"-device", encode(block{"driver": "scsi-cd", "id": mediumID, "bus": "scsi0.0", "drive": mediumID}),
		)
	}
	return args, nil
}

// mediumID names the drive of the provisioning medium, and its node.
const mediumID = "medium"

func checkDisk(d node.InstanceDisk) error {
	if d.Format != "raw" && d.Format != "qcow2" {
		return fmt.Errorf("disk %s: unknown format %q", d.UID, d.Format)
	}
	if !d.OS && (d.LUN < 0 || d.LUN > 63) {
		return fmt.Errorf("disk %s: lun %d is not between 0 and 63", d.UID, d.LUN)
	}
	return checkUID(d.UID)
}

// device is what the guest sees of a disk. An I/O error stops the guest, which
// then waits, rather than be told and lose what it wrote.
func device(d node.InstanceDisk) block {
	b := block{
		"id": deviceID(d.UID), "drive": nodeName(d), "serial": nodeName(d),
		"werror": "stop", "rerror": "stop", "write-cache": "on",
	}
	if d.OS {
		b["driver"], b["bus"], b["addr"] = "virtio-blk-pci", "pcie.0", fmt.Sprintf("0x%x", slotOS)
		b["iothread"], b["bootindex"] = "iothread0", 1
		return b
	}
	b["driver"], b["bus"], b["channel"], b["scsi-id"], b["lun"] = "scsi-hd", "scsi1.0", 0, 0, d.LUN
	b["vendor"], b["product"] = "Msft", "Virtual Disk"
	return b
}
