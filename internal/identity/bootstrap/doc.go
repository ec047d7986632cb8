// Package bootstrap makes a cloud out of an empty data directory and an empty
// store, and finds it again at every later start: its certificates, its tenant,
// its first subscription, its administrator.
//
// Every step may be the last before a crash; the next start goes on from there.
// What once was handed out never changes.
package bootstrap
