package main

import (
	"bytes"
	"os"
	"os/signal"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// watchPower says when and how the guest is to end: "poweroff" or "reboot". The
// power button comes as an event of ACPI over generic netlink (the module
// "button"), the commands poweroff, halt and reboot as busybox's signals.
func watchPower() <-chan string {
	how := make(chan string, 4)
	go watchButton(how)
	sig := make(chan os.Signal, 4)
	signal.Notify(sig, unix.SIGUSR1, unix.SIGUSR2, unix.SIGTERM)
	go func() {
		for s := range sig {
			if s == unix.SIGTERM {
				how <- "reboot"
			} else {
				how <- "poweroff"
			}
		}
	}()
	return how
}

func watchButton(how chan<- string) {
	family, err := netlink.GenlFamilyGet("acpi_event")
	if err != nil || len(family.Groups) == 0 {
		logf("no power button err=%q", err)
		return
	}
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_GENERIC)
	must("power button", err)
	must("power button", unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}))
	must("power button", unix.SetsockoptInt(fd, unix.SOL_NETLINK, unix.NETLINK_ADD_MEMBERSHIP, int(family.Groups[0].ID)))
	b := make([]byte, 4096)
	for {
		n, _, err := unix.Recvfrom(fd, b, 0)
		if err == nil && bytes.Contains(b[:n], []byte("button/power")) {
			how <- "poweroff"
		}
	}
}

// halt ends the guest after all file systems are clean.
func halt(how string) {
	unix.Kill(-1, unix.SIGTERM) //nolint:errcheck // nobody may be there
	for range each(20*time.Millisecond, 300*time.Millisecond) {
		if unix.Kill(-1, 0) != nil {
			break
		}
	}
	unix.Kill(-1, unix.SIGKILL) //nolint:errcheck // likewise
	unix.Sync()
	for range each(20*time.Millisecond, 2*time.Second) {
		if unix.Mount("", "/", "", unix.MS_REMOUNT|unix.MS_RDONLY, "") == nil {
			break
		}
	}
	cmd := unix.LINUX_REBOOT_CMD_POWER_OFF
	if how == "reboot" {
		cmd = unix.LINUX_REBOOT_CMD_RESTART
	}
	must(how, unix.Reboot(cmd))
}
