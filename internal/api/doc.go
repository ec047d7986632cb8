// Package api is the HTTPS front of the cloud: it authenticates requests,
// finds what they are for in the table of resource types and endpoints, runs
// the provider in a transaction, and answers as Azure Resource Manager does.
//
// It knows the protocol and no particular resource type, but for what streams:
// the serial log and the console of a virtual machine.
package api
