// Package arm holds the values of Azure Resource Manager: resource ids,
// errors, the stored form of a resource, long-running operations, strict
// reading of bodies, and the table that says how each resource type behaves.
//
// It knows what a resource is, not what any particular one means; it opens no
// socket (package api does) and knows no virtual machine.
package arm
