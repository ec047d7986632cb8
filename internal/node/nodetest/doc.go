// Package nodetest holds the conformance suites of the interfaces that a
// node's agent drives: what every Hypervisor and every Disks must do, real or
// fake. It knows the interfaces and no driver.
package nodetest

import _ "embed"

// Guest is a bootable disk of 512 bytes, for drivers that run real machines.
// What it does is at the top of guest.asm.
//
//go:embed guest.bin
var Guest []byte
