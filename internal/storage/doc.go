// Package storage has the storage accounts that templates for machines make,
// because Azure wants one for boot diagnostics. They are names with endpoints:
// nothing is stored in them, and nobody answers at their endpoints.
//
// It knows no HTTP and no store's engine, and no other resource type.
package storage
