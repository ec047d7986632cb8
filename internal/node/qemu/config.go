package qemu

import "log/slog"

// Config of a Driver. Only Root is needed.
type Config struct {
	// Root is the directory of the machines. Users other than root must be able
	// to pass through the directories above it.
	Root string
	// QEMU is the program; "qemu-system-x86_64" from the path if empty.
	QEMU string
	// FirstUser and Users are the range of user ids that processes run as.
	FirstUser, Users int
	// Accelerator and AIO are found by trying when empty.
	Accelerator, AIO string
	// CacheUnsafe has QEMU not pass flushes on. It exists so that a test of
	// durability can be seen to fail.
	CacheUnsafe bool
	// FirmwareCode and FirmwareVars are OVMF's; Debian's if empty.
	FirmwareCode, FirmwareVars string
	// Cgroup is the parent of the machines' control groups; "lazuli" if empty.
	Cgroup string
	// SerialLogBytes bounds the boot log that is kept of a machine.
	SerialLogBytes int64
	Log            *slog.Logger
}

func (c Config) withDefaults() Config {
	for p, def := range map[*string]string{
		&c.QEMU: "qemu-system-x86_64", &c.Cgroup: "lazuli",
		&c.FirmwareCode: "/usr/share/OVMF/OVMF_CODE_4M.fd",
		&c.FirmwareVars: "/usr/share/OVMF/OVMF_VARS_4M.fd",
	} {
		if *p == "" {
			*p = def
		}
	}
	if c.FirstUser == 0 {
		c.FirstUser, c.Users = 700000, 100000
	}
	if c.SerialLogBytes == 0 {
		c.SerialLogBytes = 1 << 20
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return c
}
