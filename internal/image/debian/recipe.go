package debian

import (
	"fmt"
	"time"

	"lazuli/internal/fabric"
)

// Recipe says what to build.
type Recipe struct {
	Name      string // of the image
	Codename  string // of the release
	Major     int    // version of the release
	Packages  []string
	SizeBytes int64
	Cmdline   string
}

// Debian12 is bookworm with cloud-init and Azure's agent. Its disk is as large
// as that of Azure's image, so that a disk of the usual size need not be grown
// in the guest.
func Debian12() Recipe {
	return Recipe{
		Name:      "debian-12",
		Codename:  "bookworm",
		Major:     12,
		SizeBytes: 30 << 30,
		Cmdline:   "ro console=tty0 console=ttyS0,115200n8 net.ifnames=0 quiet",
		Packages: []string{
			"linux-image-cloud-amd64", "initramfs-tools", "zstd", "kmod", "udev", "dbus",
			"systemd-sysv", "systemd-resolved", "systemd-timesyncd", "libpam-systemd",
			"grub-cloud-amd64", "shim-signed", "grub-efi-amd64-signed", "mokutil",
			"cloud-init", "cloud-guest-utils", "isc-dhcp-client",
			"waagent", "python3-distutils", "qemu-guest-agent",
			"openssh-server", "sudo", "ca-certificates", "iproute2", "iptables", "iputils-ping",
			"e2fsprogs", "fdisk", "parted", "procps", "less", "nano",
		},
	}
}

// Describe is the catalogue's entry for an image that is built at the time at.
func (r Recipe) Describe(at time.Time) fabric.NodeImage {
	return fabric.NodeImage{
		Name:      r.Name,
		Publisher: "Debian",
		Offer:     fmt.Sprintf("debian-%d", r.Major),
		SKU:       fmt.Sprint(r.Major),
		Version:   fmt.Sprintf("%d.%s.0", r.Major, at.UTC().Format("20060102")),
		OSType:    "Linux",
		Firmware:  []fabric.Firmware{fabric.BIOS, fabric.UEFI},
		SizeBytes: r.SizeBytes,
	}
}
