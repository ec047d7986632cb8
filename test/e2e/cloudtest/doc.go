// Package cloudtest runs a whole cloud for a test: the lazuli program itself in
// a network namespace of the test's own, with real machines in it, and the
// means to kill any part of it and to look at what is left.
package cloudtest
