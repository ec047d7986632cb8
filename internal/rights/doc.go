// Package rights is Microsoft.Authorization: roles, their assignments to
// principals, and locks. It says who may do what where, from a copy in memory
// that is never behind a write of this process.
//
// It knows no HTTP, no particular resource type, and not how a principal logs
// in.
package rights
