// Package guest is what is run in guests to do commands there: shell scripts,
// and how they are called and read.
//
// A command has a directory in the guest, named by its UID, which is made before
// it is started and outlives the guest's boot: by that it is started once only,
// and found again by whoever asks for it. It knows no agent and no machine.
package guest
