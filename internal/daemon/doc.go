// Package daemon makes the processes of a cloud out of its parts: the control
// plane (Server), a node's agent (Node), and both in one (Up).
//
// It decides where files lie below the data directory and which listeners
// there are; what the parts do is theirs.
package daemon
