package fabric

import "time"

// Assignment is everything that a node is to make true, or a part of it: see
// Message.
type Assignment struct {
	Machines []Machine `json:"machines,omitempty"`
	Disks    []Disk    `json:"disks,omitempty"`
	Images   []Image   `json:"images,omitempty"`
	Networks []Network `json:"networks,omitempty"`
}

// Report is what is so on a node. A report may be of a part: only the things
// that changed.
type Report struct {
	// Node is nil when nothing of it changed.
	Node     *NodeReport     `json:"node,omitempty"`
	Machines []MachineReport `json:"machines,omitempty"`
	Disks    []DiskReport    `json:"disks,omitempty"`
	Images   []ImageReport   `json:"images,omitempty"`
	Networks []NetworkReport `json:"networks,omitempty"`
}

// NodeReport is what a node is and has.
type NodeReport struct {
	Name        string      `json:"name"`
	Version     string      `json:"version"`
	CPUs        int         `json:"cpus"`
	MemoryMiB   int         `json:"memoryMiB"`
	DiskBytes   int64       `json:"diskBytes"`     // size of the file system of the disks
	FreeBytes   int64       `json:"diskFreeBytes"` // free on it
	Accelerator string      `json:"accelerator"`   // "kvm" or "tcg"
	QEMU        string      `json:"qemu"`          // version
	Images      []NodeImage `json:"images"`
	StartedAt   time.Time   `json:"startedAt"`
}

// NodeImage is a platform image in the node's catalogue.
type NodeImage struct {
	// Name on the node and in our CLI: "debian-12".
	Name      string     `json:"name"`
	Publisher string     `json:"publisher"`
	Offer     string     `json:"offer"`
	SKU       string     `json:"sku"`
	Version   string     `json:"version"` // "12.20261122.0"
	OSType    string     `json:"osType"`
	Firmware  []Firmware `json:"firmware"`  // that it boots with
	SizeBytes int64      `json:"sizeBytes"` // virtual
}
