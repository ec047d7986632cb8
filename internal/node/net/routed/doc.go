// Package routed makes virtual networks of what one Linux kernel has: a router
// namespace per network, a routed tap device per port, nftables between them.
//
//	guest ── tap ─┐                             ┌─ the world
//	guest ── tap ─┤ router namespace  uplink ── veth  host namespace
//	guest ── tap ─┘ lz-<network>                └─ veth ── other networks
//
// No two ports share a wire: every port is a routed /32 behind proxy ARP, so
// what is not allowed here has no way round. Everything is named after UIDs and
// is found again by its name; what the kernel has is compared with what should
// be, and only the difference is made. Nothing here runs in the data path, so
// guests talk on when the agent is gone.
//
// The package must not know machines, the control plane, or what the services
// of a network answer.
package routed
