// Package graph is the directory over HTTP, as a small and true subset of
// Microsoft Graph v1.0: users, applications, service principals, their
// passwords and federated credentials, and who administers them.
//
// az finds out by it who a name stands for, and our own command line manages
// identities with it. It knows nothing of the rights that roles give.
package graph
