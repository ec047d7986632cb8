package control

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"

	"lazuli/internal/arm"
	"lazuli/internal/compute"
	"lazuli/internal/fabric"
	"lazuli/internal/place"
	"lazuli/internal/store"
)

type vm = arm.Object[compute.VM, compute.VMStatus]

// reconcileVM makes one step towards what a machine should be. It may run at
// any time, any number of times, and after a crash anywhere in itself.
func (c *Control) reconcileVM(ctx context.Context, id arm.ID) (time.Duration, error) {
	v, err := compute.VMs.Find(ctx, c.store, id)
	if err != nil || v == nil {
		return 0, err
	}
	switch {
	case v.Deleting():
		return 0, c.removeVM(ctx, v)
	case v.Status.Node == "":
		return c.placeVM(ctx, v)
	}
	if done, err := c.holdDisks(ctx, v); err != nil || !done {
		return lookAgain, err
	}
	return c.observeVM(ctx, v)
}

// diskIDs are the machine's disks, the OS disk first.
func diskIDs(v *vm) []arm.ID {
	ids := []arm.ID{v.Spec.OSDisk.ID}
	for _, d := range v.Spec.DataDisks {
		ids = append(ids, d.ID)
	}
	return ids
}

// placeVM chooses a node for the machine, and takes its disks there.
func (c *Control) placeVM(ctx context.Context, v *vm) (time.Duration, error) {
	_, err := c.store.Update(ctx, func(tx store.Tx) error {
		now, err := compute.VMs.Find(ctx, tx, v.ID)
		if err != nil || now == nil || now.UID != v.UID || now.Status.Node != "" || now.Deleting() {
			return err
		}
		if err := takeTurn(ctx, tx); err != nil {
			return err
		}
		if now.Status.Node, err = c.choose(ctx, now); err != nil {
			return err
		}
		for _, id := range diskIDs(now) {
			if _, err := c.holdDisk(ctx, tx, id, now); err != nil {
				return err
			}
		}
		return compute.VMs.PutStatus(tx, now.ID, &now.Status)
	})
	noFit, ok := errors.AsType[*place.NoFit](err)
	if !ok {
		return 0, err
	}
	return waitLong, c.updateVM(ctx, v, func(s *compute.VMStatus) bool {
		s.Failure = &fabric.Problem{Code: "AllocationFailed", Message: fmt.Sprintf("The virtual machine could not be placed: %s.", noFit)}
		return c.givesUp(noFit, v.ChangedAt)
	})
}

// turnKey is written by every placement, so that of two at the same time one
// is made again, and sees what the other took.
const turnKey = "/placement"

func takeTurn(ctx context.Context, tx store.Tx) error {
	e, err := tx.Get(ctx, turnKey)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	n, _ := strconv.ParseUint(string(e.Value), 10, 64) // none is 0
	tx.Put(turnKey, strconv.AppendUint(nil, n+1, 10))
	return nil
}

// choose picks a node for the machine. The error is a *place.NoFit when there
// is none.
func (c *Control) choose(ctx context.Context, v *vm) (string, error) {
	want, err := c.wants(ctx, v)
	if err != nil {
		return "", err
	}
	ns, err := c.placeable(ctx)
	if err != nil {
		return "", err
	}
	return place.Choose(ns, want)
}

// givesUp says whether to stop waiting for a node that fits, for something that
// was asked for at that time.
func (c *Control) givesUp(nf *place.NoFit, since time.Time) bool {
	return !nf.Waiting || c.Now().Sub(since) >= patience
}

// wants is what the machine needs of a node.
func (c *Control) wants(ctx context.Context, v *vm) (place.Want, error) {
	size, _ := compute.FindSize(v.Spec.Size)
	w := place.Want{CPUs: size.CPUs, MemoryMiB: size.MemoryMiB}
	for _, id := range diskIDs(v) {
		d, err := compute.Disks.Find(ctx, c.store, id)
		if err != nil {
			return w, err
		}
		if d == nil {
			continue
		}
		if d.Status.Node != "" {
			w.Node = d.Status.Node
		} else if d.Spec.Image != "" {
			w.Image = d.Spec.Image
		}
	}
	return w, nil
}

// placeable is what placement needs to know of the nodes.
func (c *Control) placeable(ctx context.Context) ([]place.Node, error) {
	known, err := Nodes(ctx, c.store)
	if err != nil {
		return nil, err
	}
	used, err := c.usedMemory(ctx)
	if err != nil {
		return nil, err
	}
	userImages, err := compute.Images.List(ctx, c.store, arm.ID{})
	if err != nil {
		return nil, err
	}
	var out []place.Node
	for _, n := range known {
		p := place.Node{
			Name: n.Name, CPUs: n.CPUs, MemoryMiB: n.MemoryMiB, FreeBytes: n.FreeBytes,
			UsedMiB: used[n.Name], Ready: c.linked(n.Name) != nil,
		}
		for _, img := range n.Images {
			p.Images = append(p.Images, img.Name)
		}
		for _, i := range userImages {
			if i.Status.Node == n.Name {
				p.Images = append(p.Images, i.Spec.NodeName(i.UID))
			}
		}
		out = append(out, p)
	}
	return out, nil
}

// usedMemory is the memory of the machines on each node that are not
// deallocated, in MiB.
func (c *Control) usedMemory(ctx context.Context) (map[string]int, error) {
	vms, err := compute.VMs.List(ctx, c.store, arm.ID{})
	if err != nil {
		return nil, err
	}
	used := map[string]int{}
	for _, v := range vms {
		if v.Status.Node == "" || v.Status.Deallocated && v.Spec.Power == fabric.Deallocated {
			continue
		}
		size, _ := compute.FindSize(v.Spec.Size)
		used[v.Status.Node] += size.MemoryMiB
	}
	return used, nil
}

// holdDisks sees to it that the machine holds all its disks. Until it does, its
// node is not told of them: a disk has one writer.
func (c *Control) holdDisks(ctx context.Context, v *vm) (done bool, err error) {
	_, err = c.store.Update(ctx, func(tx store.Tx) error {
		done = true
		for _, id := range diskIDs(v) {
			held, err := c.holdDisk(ctx, tx, id, v)
			if err != nil {
				return err
			}
			done = done && held
		}
		return nil
	})
	return done, err
}

// holdDisk has the machine hold a disk if nobody else does.
func (c *Control) holdDisk(ctx context.Context, tx store.Tx, id arm.ID, v *vm) (held bool, err error) {
	d, err := compute.Disks.Find(ctx, tx, id)
	if err != nil || d == nil {
		return false, err
	}
	s := d.Status
	switch {
	case !d.Spec.ManagedBy.Equal(v.ID):
		return false, nil
	case s.HeldBy.Equal(v.ID) && s.Node == v.Status.Node:
		return true, nil
	case !s.HeldBy.IsZero() && !s.HeldBy.Equal(v.ID), s.Node != "" && s.Node != v.Status.Node:
		return false, nil
	}
	s.HeldBy, s.Node = v.ID, v.Status.Node
	return true, compute.Disks.PutStatus(tx, d.ID, &s)
}

// observeVM writes down what the machine's node says of it.
func (c *Control) observeVM(ctx context.Context, v *vm) (time.Duration, error) {
	if c.linked(v.Status.Node) == nil {
		return waitLong, c.updateVM(ctx, v, func(s *compute.VMStatus) bool {
			s.Problem = &fabric.Problem{Code: "NodeNotConnected", Message: fmt.Sprintf("The node %s is not connected. What it runs goes on, and is seen again when the node is back.", v.Status.Node)}
			return false
		})
	}
	r, ok := reported(c, v.Status.Node, v.UID, func(l *linked) map[string]fabric.MachineReport { return l.machines })
	if !ok {
		return 0, nil
	}
	var again time.Duration
	if r.Generation >= v.Generation {
		// Before the operation ends: a disk that was detached is free then.
		if err := c.letGoOfDisks(ctx, v); err != nil {
			return 0, err
		}
	}
	err := c.updateVM(ctx, v, func(s *compute.VMStatus) bool {
		copyReport(s, &r, c.Now())
		var settled bool
		settled, again, s.Failure = c.judge(v, &r)
		if !settled && v.Status.ObservedGeneration == v.Generation {
			s.Failure = v.Status.Failure
		}
		return settled
	})
	return again, err
}

// letGoOfDisks clears HeldBy of the disks that the machine was to be without at
// v's generation, which its node has reached.
func (c *Control) letGoOfDisks(ctx context.Context, v *vm) error {
	disks, err := compute.Disks.List(ctx, c.mirror, arm.ID{})
	if err != nil {
		return err
	}
	for _, d := range disks {
		if !d.Status.HeldBy.Equal(v.ID) || d.Spec.ManagedBy.Equal(v.ID) {
			continue
		}
		_, err := c.store.Update(ctx, func(tx store.Tx) error {
			now, err := compute.VMs.Find(ctx, tx, v.ID)
			if err != nil || now == nil || now.UID != v.UID || now.Generation != v.Generation {
				return err
			}
			disk, err := compute.Disks.Find(ctx, tx, d.ID)
			if err != nil || disk == nil || disk.UID != d.UID || !disk.Status.HeldBy.Equal(v.ID) || disk.Spec.ManagedBy.Equal(v.ID) {
				return err
			}
			disk.Status.HeldBy = arm.ID{}
			return compute.Disks.PutStatus(tx, disk.ID, &disk.Status)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func copyReport(s *compute.VMStatus, r *fabric.MachineReport, now time.Time) {
	if s.State != r.State || s.Deallocated != r.Deallocated {
		s.ChangedAt = &now
	}
	s.State, s.Deallocated, s.Restarts = r.State, r.Deallocated, r.Restarts
	s.StartedAt, s.BootedAt = r.StartedAt, r.BootedAt
	if r.ReadyAt != nil { // it stays: there are no secrets to provision with again
		s.ReadyAt = r.ReadyAt
	}
	s.Agent, s.Problem, s.Events = r.Agent, r.Problem, r.Events
	if r.Accelerator != "" {
		s.Accelerator = r.Accelerator
	}
}

// judge says whether what was asked for is so, or has failed for good, or when
// to look again.
func (c *Control) judge(v *vm, r *fabric.MachineReport) (settled bool, again time.Duration, p *fabric.Problem) {
	if r.Generation < v.Generation {
		// What the node tells of may be of another time; it is what it says now
		// that counts, after a while.
		since := c.Now().Sub(v.ChangedAt)
		if r.Problem != nil && since >= patience {
			return true, waitLong, r.Problem
		}
		return false, waitLong, nil
	}
	if v.Spec.Power != fabric.Running || v.Spec.OS == nil || r.ReadyAt != nil || v.Status.CreatedAt != nil {
		return true, 0, nil
	}
	return c.judgeProvisioning(v, r)
}

// judgeProvisioning is about a guest that is to report that it is ready.
func (c *Control) judgeProvisioning(v *vm, r *fabric.MachineReport) (bool, time.Duration, *fabric.Problem) {
	name := v.ID.Name()
	if r.Provisioning != nil {
		return true, 0, &fabric.Problem{Code: "OSProvisioningClientError", Message: fmt.Sprintf("OS provisioning for VM '%s' failed. The guest says: %s. See its boot log: lazuli vm log %s", name, r.Provisioning.Message, name)}
	}
	if r.State == fabric.MachineStopped {
		return true, 0, &fabric.Problem{Code: "OSProvisioningClientError", Message: fmt.Sprintf("The guest of VM '%s' powered itself off before it was ready. See its boot log: lazuli vm log %s", name, name)}
	}
	if r.StartedAt == nil {
		return false, waitLong, nil
	}
	left := c.ProvisionTimeout - c.Now().Sub(*r.StartedAt)
	if left > 0 {
		return false, left, nil
	}
	return true, 0, &fabric.Problem{Code: "OSProvisioningTimedOut", Message: fmt.Sprintf("OS Provisioning for VM '%s' did not finish in the allotted time (%s). The VM may still finish provisioning successfully. See its boot log: lazuli vm log %s", name, c.ProvisionTimeout, name)}
}

// updateVM changes the machine's status. f says whether its generation is
// settled, with s.Failure or without; that ends the operation.
func (c *Control) updateVM(ctx context.Context, v *vm, f func(*compute.VMStatus) (settled bool)) error {
	_, err := c.store.Update(ctx, func(tx store.Tx) error {
		now, err := compute.VMs.Find(ctx, tx, v.ID)
		if err != nil || now == nil || now.UID != v.UID || now.Generation != v.Generation {
			return err
		}
		s := now.Status
		s.Events = slices.Clone(s.Events)
		settled := f(&s)
		if settled {
			s.ObservedGeneration = v.Generation
			if s.Failure == nil && s.CreatedAt == nil {
				at := c.Now()
				s.CreatedAt = &at
			}
		} else if s.ObservedGeneration < v.Generation {
			s.Failure = nil
		}
		if settled {
			var failed *arm.Error
			if s.Failure != nil {
				failed = failure(s.Failure)
			}
			if err := c.finish(ctx, tx, &now.Meta, failed); err != nil {
				return err
			}
		}
		if equal(s, now.Status) {
			return nil
		}
		if s.ReadyAt != nil && now.Status.ReadyAt == nil {
			// The node has it on stable storage that the guest is ready, and
			// provisions it no more.
			compute.DropSecrets(tx, now.UID)
		}
		return compute.VMs.PutStatus(tx, now.ID, &s)
	})
	return err
}

// removeVM forgets the machine when its node has nothing of it any more.
func (c *Control) removeVM(ctx context.Context, v *vm) error {
	if v.Status.Node != "" {
		r, ok := reported(c, v.Status.Node, v.UID, func(l *linked) map[string]fabric.MachineReport { return l.machines })
		if !ok || r.State != fabric.MachineGone || r.Generation < v.Generation {
			return nil
		}
	}
	_, err := c.store.Update(ctx, func(tx store.Tx) error {
		now, err := compute.VMs.Find(ctx, tx, v.ID)
		if err != nil || now == nil || now.UID != v.UID {
			return err
		}
		if err := c.finish(ctx, tx, &now.Meta, nil); err != nil {
			return err
		}
		return compute.Forget(ctx, tx, &arm.Call{Now: c.Now(), NewID: uuid.NewString}, now)
	})
	return err
}

// equal says that both are the same when they are stored.
func equal(a, b any) bool {
	x, err := json.Marshal(a)
	if err != nil {
		return false
	}
	y, err := json.Marshal(b)
	return err == nil && bytes.Equal(x, y)
}
