// Package bootdisk makes a bootable disk of a directory tree: GPT, an ext4 root
// file system, and boot loaders for BIOS and UEFI. It mounts nothing, uses no
// loop device and needs no network: every tool writes into plain files.
//
// It must not know what is in the tree, beyond where the kernel and the initrd
// are, nor where the disk goes.
package bootdisk
