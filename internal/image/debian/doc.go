// Package debian builds the platform image debian-12, from the packages that
// the host's own apt is set up to get, and registers it in the catalogue.
//
// What is in the image is in recipe.go (packages) and rootfs/ (files). It is
// made so that a guest answers on SSH soon: short lists of cloud-init modules,
// small keys, a small initrd, no boot menu, inode tables written beforehand.
//
// It must not know what a disk looks like inside (image/bootdisk).
package debian
