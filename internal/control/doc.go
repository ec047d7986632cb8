// Package control is the control plane behind the API: reconcilers, one for
// each kind of thing, that see to it that what was asked for becomes so, and
// the end of the nodes' links.
//
// It remembers nothing that matters: what it decides is in the store, what
// nodes report they report again. It knows resource types and the contract
// with the nodes (package fabric); it knows no HTTP API and no QEMU.
package control
