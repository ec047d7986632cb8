// Package deploy is Microsoft.Resources/deployments: it takes templates, keeps
// what is to be done, and does it.
//
// What a deployment makes, it makes by requests to the cloud (the interface
// Cloud), as the principal who asked for it could by hand: rights, locks and
// rules are those of the requests. A nested deployment is a request like others.
//
// The package knows no HTTP, no etcd and no resource type; what a template
// means is package template's to say.
package deploy
