// Package compute holds the resource types of Microsoft.Compute: virtual
// machines, disks and images, with the sizes and images that there are. It
// says what their bodies look like, what may be asked for, and what is shown
// of what was made of it.
//
// It knows no HTTP, no store's engine and no hypervisor: what is asked for is
// written as a spec, and who makes it true writes the status.
package compute
