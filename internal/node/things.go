package node

import (
	"context"
	"fmt"
	"slices"
	"time"

	"lazuli/internal/fabric"
)

// reconcileDisk makes, grows or removes a disk.
func (a *Agent) reconcileDisk(ctx context.Context, uid string) (time.Duration, error) {
	d, ok := a.disk(uid)
	if !ok {
		return 0, nil
	}
	if d.Presence == fabric.Absent {
		if err := a.c.Disks.Remove(ctx, uid); err != nil {
			a.out.disk(fabric.DiskReport{UID: uid, Generation: d.Generation - 1, Presence: fabric.Present, Problem: problem(err)})
			return 0, fmt.Errorf("remove disk: %w", err)
		}
		a.out.disk(fabric.DiskReport{UID: uid, Generation: d.Generation, Presence: fabric.Absent})
		return 0, nil
	}
	r, err := a.c.Disks.Ensure(ctx, d)
	if err == nil {
		err = a.growInGuest(ctx, d)
	}
	r.UID, r.Generation, r.Presence = uid, d.Generation, fabric.Present
	if err != nil {
		r.Generation, r.Problem = d.Generation-1, problem(err)
	}
	a.out.disk(r)
	if err != nil {
		return 0, fmt.Errorf("make disk: %w", err)
	}
	a.lookAgain(func(m fabric.Machine) bool {
		return slices.ContainsFunc(m.Disks, func(x fabric.MachineDisk) bool { return x.UID == uid })
	})
	return 0, nil
}

// growInGuest tells the machine that has the disk about its size.
func (a *Agent) growInGuest(ctx context.Context, d fabric.Disk) error {
	for _, uid := range a.machinesWith(func(m fabric.Machine) bool {
		return slices.ContainsFunc(m.Disks, func(x fabric.MachineDisk) bool { return x.UID == d.UID })
	}) {
		inst, runs, err := a.c.Hypervisor.Find(ctx, uid)
		if err != nil {
			return err
		}
		if runs && inst.State == InstanceSilent {
			return fmt.Errorf("tell guest: process %d does not answer", inst.PID)
		}
		if runs && slices.Contains(inst.Disks, d.UID) {
			if err := a.c.Hypervisor.Grow(ctx, uid, d.UID, d.SizeBytes); err != nil {
				return fmt.Errorf("tell guest: %w", err)
			}
		}
	}
	return nil
}

// lookAgain is for what machines wait for. One that is to go waits for nothing:
// it and its disks would call each other without end.
func (a *Agent) lookAgain(needs func(fabric.Machine) bool) {
	for _, uid := range a.machinesWith(func(m fabric.Machine) bool { return m.Presence != fabric.Absent && needs(m) }) {
		a.machines.Add(uid)
	}
}

// reconcileImage makes or removes an image. The copy takes as long as the disk
// is large; after a crash it begins again under the same name.
func (a *Agent) reconcileImage(ctx context.Context, uid string) (time.Duration, error) {
	img, ok := a.image(uid)
	if !ok {
		return 0, nil
	}
	if img.Presence == fabric.Absent {
		if err := a.c.Disks.RemoveImage(ctx, uid); err != nil {
			a.out.image(fabric.ImageReport{UID: uid, Generation: img.Generation - 1, Presence: fabric.Present, Problem: problem(err)})
			return 0, fmt.Errorf("remove image: %w", err)
		}
		a.out.image(fabric.ImageReport{UID: uid, Generation: img.Generation, Presence: fabric.Absent})
		return 0, nil
	}
	r, err := a.c.Disks.MakeImage(ctx, img, func(percent int) {
		a.out.image(fabric.ImageReport{UID: uid, Generation: img.Generation - 1, Presence: fabric.Present, Progress: percent})
	})
	r.UID, r.Generation, r.Presence = uid, img.Generation, fabric.Present
	if err != nil {
		r.Generation, r.Problem = img.Generation-1, problem(err)
	}
	a.out.image(r)
	if err != nil {
		return 0, fmt.Errorf("make image: %w", err)
	}
	return 0, nil
}

// reconcileNetwork makes, changes or removes a network.
func (a *Agent) reconcileNetwork(ctx context.Context, uid string) (time.Duration, error) {
	n, ok := a.network(uid)
	if !ok {
		return 0, nil
	}
	if n.Presence == fabric.Absent {
		if err := a.c.Networks.Remove(ctx, uid); err != nil {
			a.out.network(fabric.NetworkReport{UID: uid, Generation: n.Generation - 1, Presence: fabric.Present, Problem: problem(err)})
			return 0, fmt.Errorf("remove network: %w", err)
		}
		a.out.network(fabric.NetworkReport{UID: uid, Generation: n.Generation, Presence: fabric.Absent})
		return 0, nil
	}
	r := fabric.NetworkReport{UID: uid, Generation: n.Generation, Presence: fabric.Present}
	err := a.c.Networks.Ensure(ctx, n)
	if err != nil {
		r.Generation, r.Problem = n.Generation-1, problem(err)
	}
	a.out.network(r)
	if err != nil {
		return 0, fmt.Errorf("make network: %w", err)
	}
	a.lookAgain(func(m fabric.Machine) bool {
		return slices.ContainsFunc(m.NICs, func(x fabric.MachineNIC) bool { return x.NetworkUID == uid })
	})
	return 0, nil
}
