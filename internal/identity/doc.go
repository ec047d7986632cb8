// Package identity knows who may use the cloud: service principals with their
// secrets, and the signed tokens that stand for them.
//
// It knows no HTTP (package oauth speaks it) and nothing of what a principal
// may then do.
package identity
