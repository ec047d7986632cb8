package qemu

import (
	"errors"
	"testing"

	"lazuli/internal/fabric"
	"lazuli/internal/node"
)

// A guest without an agent is told from one that does not run, and nothing is
// said to it that a later one could hear.
func TestNoAgent(t *testing.T) {
	h := newTestHost(t)
	d := h.driver(t)
	defer d.Close()
	if _, err := d.Attach(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := d.GuestAgent(t.Context(), vmUID); !errors.Is(err, node.ErrNoAgent) {
		t.Errorf("not started: %v", err)
	}
	owner, err := d.Owner(vmUID)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Remove(background(t), vmUID) //nolint:errcheck // it is gone with the test
	spec := node.InstanceSpec{Machine: fabric.Machine{UID: vmUID, CPUs: 1, MemoryMiB: 64, Firmware: fabric.BIOS}}
	disk := h.disk(t, osUID, owner)
	disk.MachineDisk = fabric.MachineDisk{UID: osUID, OS: true}
	spec.Disks = append(spec.Disks, disk)
	if err := d.Start(t.Context(), spec); err != nil {
		t.Fatal(err)
	}
	h.started(t, vmUID)
	for name, err := range map[string]error{
		"agent":  errorOf(d.GuestAgent(t.Context(), vmUID)),
		"begin":  d.BeginCommand(t.Context(), vmUID, "b", fabric.Command{UID: dataUID}),
		"look":   errorOf(d.LookAtCommand(t.Context(), vmUID, "b", dataUID)),
		"kill":   d.KillCommand(t.Context(), vmUID, "b", dataUID),
		"forget": d.ForgetCommand(t.Context(), vmUID, "b", dataUID),
	} {
		if !errors.Is(err, node.ErrNoAgent) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := d.ForgetCommand(t.Context(), vmUID, "b", "../x"); err == nil || errors.Is(err, node.ErrNoAgent) {
		t.Errorf("a path for a name: %v", err)
	}
}

func errorOf[T any](_ T, err error) error { return err }
