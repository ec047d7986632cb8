// Package qemu runs machines as QEMU processes, spoken to over QMP: it is the
// real node.Hypervisor.
//
// A process outlives the agent that started it. All that is needed to find it
// again is in the machine's directory: a lock that the process holds while it
// lives, a handle that says which process it is, and the sockets of its
// monitor and serial port. Each machine runs as a user of its own, which can
// open its disks and nothing else.
//
// The package must not know where disks, taps and provisioning media come
// from, what a machine should be doing, or that there is a control plane.
package qemu
