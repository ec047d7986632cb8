// Package network holds the resource types of Microsoft.Network: virtual
// networks with their subnets, network interfaces, public addresses and
// security groups. It says what their bodies look like, what is allowed, and
// which addresses they get.
//
// It knows no HTTP and no host: every change is done with the transaction that
// writes it, and the fabric carries it out by itself.
package network
