// Package cutfs is a file system that plays power cuts. It is mounted over a
// directory by FUSE; programs see everything they wrote, and when the power is
// cut, the directory has what storage is allowed to have kept.
//
// # What is promised
//
// File data. A change of content (write, truncate, punched hole) is durable
// when fsync, fdatasync or a write with O_SYNC or O_DSYNC on that file has
// returned. Until then it may survive or not, each change for itself: a later
// one may survive where an earlier one is lost. With tearing, a write may
// survive in some of its sectors, of the size that is asked for.
//
// Names. In the order Strict, which is the default and all that POSIX promises,
// creating, linking, renaming and removing a name is durable when the directory
// that has the name was synced, and a new directory only when its parent was.
// Syncing a file does not make its name durable. A rename is atomic, and durable
// with the directory that it leads to. In the order Journal, as in ext4, xfs
// and btrfs in practice, syncing anything makes all changes of names so far
// durable, and a cut keeps a prefix of the others. etcd and bbolt need Journal:
// neither syncs the directory of a new file.
//
// # What is not modelled
//
// Modes, owners, times and extended attributes are durable at once. What is
// kept for a power cut to lose is bounded (see maxUnsynced): beyond that the
// oldest changes of a file become durable by themselves, as under a kernel that
// writes back. sync(2) and syncfs(2) do nothing. A read-only mapping of a file
// keeps what the kernel has cached of it after a cut.
//
// # Use
//
// Mount starts the program that calls it once more, to serve the mount from a
// process of its own: one that serves itself would stop for good when it maps a
// file, or starts a program, while its runtime collects garbage. When the
// caller ends without Close, the mount is closed for it. If the serving process
// itself is killed, the directory is left in pieces.
package cutfs
