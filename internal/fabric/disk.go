package fabric

// Disk is a virtual disk that belongs on the node.
type Disk struct {
	UID        string   `json:"uid"`
	Name       string   `json:"name"`
	Generation int64    `json:"generation"`
	Presence   Presence `json:"presence"`
	SizeBytes  int64    `json:"sizeBytes"` // a multiple of 512; grows, never shrinks
	// Image is the name of the image on the node that the disk begins as; ""
	// for an empty disk.
	Image string `json:"image,omitempty"`
	// SourceDisk is the UID of the disk that this one begins as a copy of.
	SourceDisk string `json:"sourceDisk,omitempty"`
	// Made says that the disk has been there before. When it is not there now,
	// it is lost, and must not be begun anew.
	Made bool `json:"made,omitempty"`
}

// DiskReport is what the node says of a disk.
type DiskReport struct {
	UID        string   `json:"uid"`
	Generation int64    `json:"generation"`
	Presence   Presence `json:"presence"` // Absent when it is gone
	SizeBytes  int64    `json:"sizeBytes,omitempty"`
	// UsedBytes is what it takes of the host's disk.
	UsedBytes int64    `json:"usedBytes,omitempty"`
	Problem   *Problem `json:"problem,omitempty"`
}

// Image is an image that the node is to make from one of its disks, or to
// remove.
type Image struct {
	UID        string   `json:"uid"` // also its name on the node: "image-<uid>"
	Generation int64    `json:"generation"`
	Presence   Presence `json:"presence"`
	SourceDisk string   `json:"sourceDisk"` // UID
}

// ImageReport is what the node says of such an image.
type ImageReport struct {
	UID        string   `json:"uid"`
	Generation int64    `json:"generation"`
	Presence   Presence `json:"presence"`
	SizeBytes  int64    `json:"sizeBytes,omitempty"` // virtual
	Progress   int      `json:"progress,omitempty"`  // percent
	Problem    *Problem `json:"problem,omitempty"`
}
