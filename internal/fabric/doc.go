// Package fabric is the contract between the control plane and the nodes: what
// a node is assigned, what it reports, and the connection that carries both.
//
// Assignments are the whole of what should be so on a node, in the node's
// terms: no resource has to be looked up to carry them out. Reports are what is
// so. What is not mentioned in an assignment is left alone: a node ends or
// deletes a thing only when it is told to by name (Absent).
package fabric
