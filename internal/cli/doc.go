// Package cli is the client side of the lazuli command: virtual machines,
// disks, images, groups and addresses, for people and for scripts.
//
// It is a client of the cloud's public API like any other, through Azure's own
// SDK, and must know nothing of what is behind that API: no store, no node, no
// file of the server's but its credentials.
package cli
