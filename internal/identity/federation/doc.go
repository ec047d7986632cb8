// Package federation knows tokens of OpenID Connect issuers outside of the
// cloud, that of a CI system for example: it fetches their keys, and checks
// signatures and times.
//
// It knows nothing of principals: who may log in by a token is identity's.
package federation
