// Package ovf makes the provisioning medium: the small CD that a guest reads on
// its first boot, with its name, its user and its user's secrets in
// ovf-env.xml, as Azure gives it.
//
// It knows what a guest is told (fabric.Provision) and how that is written; it
// must not know who attaches the medium, or when.
package ovf
