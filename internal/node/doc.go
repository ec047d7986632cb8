// Package node is the agent of one host: it makes true what the control plane
// assigned to the host, and reports what is so.
//
// Machines outlive it. It keeps no state in memory that it cannot find again:
// its handles lie in the data directory, its machines answer on their
// monitors. What drives QEMU, disks, networks and guests is in the packages
// below it (qemu, disk, net, guest); a fake of each is in node/fake, good
// enough to run the whole API on.
package node
