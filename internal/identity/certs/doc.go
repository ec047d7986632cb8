// Package certs is the cloud's own certificate authority: the certificate of
// its HTTPS front, and those by which control plane and nodes know each other.
//
// It knows certificates, not where they are kept.
package certs
