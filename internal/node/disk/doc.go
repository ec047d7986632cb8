// Package disk keeps disks as files of the node's own file system: it is the
// real node.Disks of a single machine.
//
// A disk is a directory that appears whole and vanishes whole. An empty disk
// is a sparse raw file. A disk that begins as an image is a qcow2 overlay, made
// in constant time; it holds the image by a hard link, so that an image can be
// removed whatever was made from it.
//
// Who may write a disk is decided by the locks that QEMU itself takes on the
// file; the package respects them and never forces its way. It must not know
// of machines, nor why a disk should exist.
package disk
