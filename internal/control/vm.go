package control

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"lazuli/internal/arm"
	"lazuli/internal/compute"
	"lazuli/internal/fabric"
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
		return c.removeVM(ctx, v)
	case v.Status.Node == "":
		return c.placeVM(ctx, v)
	}
	lacks, err := c.allocate(ctx, v)
	if lacks == nil && err == nil {
		lacks, err = c.holdDisks(ctx, v)
	}
	if err != nil {
		return 0, err
	}
	again, err := c.observeVM(ctx, v, lacks)
	if lacks != nil && err == nil {
		again = lacks.again(again)
	}
	return again, err
}

// lack is what a machine waits for before its node is told all of what was
// asked for.
type lack struct {
	problem *fabric.Problem
	// patient says that it may well come yet.
	patient bool
}

// again is when to look again, if not before. Nothing tells when what lacks is
// there.
func (l *lack) again(before time.Duration) time.Duration {
	d := waitLong
	if l.patient {
		d = lookAgain
	}
	if before > 0 {
		d = min(d, before)
	}
	return d
}

// failed is what to end the operation with, or nil.
func (l *lack) failed() *fabric.Problem {
	if l == nil || l.patient {
		return nil
	}
	return l.problem
}

// observeVM writes down what the machine's node says of it.
func (c *Control) observeVM(ctx context.Context, v *vm, lacks *lack) (time.Duration, error) {
	if since, away := c.away(v.Status.Node); away {
		return c.missVM(ctx, v, since)
	}
	r, ok := reported(c, v.Status.Node, v.UID, func(l *linked) map[string]fabric.MachineReport { return l.machines })
	if !ok {
		p := lacks.failed()
		if p == nil {
			return 0, nil
		}
		return 0, c.updateVM(ctx, v, func(s *compute.VMStatus) bool { s.Failure = p; return true })
	}
	if r.OSDisk != "" && r.OSDisk != v.Status.OSDisk {
		r.ReadyAt, r.Provisioning = nil, nil // of a guest that is no more
	}
	var again time.Duration
	if r.Generation >= v.Generation && (v.Status.ObservedGeneration < v.Generation || v.Status.Failure != nil) {
		// Before the operation ends: a disk that was detached is free then.
		if err := c.letGoOfDisks(ctx, v); err != nil {
			return 0, err
		}
		// One that was made with the machine is shown as made.
		if err := c.observeDisks(ctx, v); err != nil {
			return 0, err
		}
	}
	err := c.updateVM(ctx, v, func(s *compute.VMStatus) bool {
		copyReport(s, &r, c.Now())
		if r.Generation >= v.Generation {
			s.MemoryMiB = min(s.MemoryMiB, needs(v, &r)) // allocate gives more
		}
		var settled bool
		settled, again, s.Failure = c.judge(v, &r, lacks)
		if !settled && v.Status.ObservedGeneration == v.Generation {
			s.Failure = v.Status.Failure
		}
		return settled
	}, r.Commands...)
	return again, err
}

// missVM is about a machine whose node has been away for so long.
func (c *Control) missVM(ctx context.Context, v *vm, since time.Duration) (time.Duration, error) {
	if since < brief {
		return brief - since, nil
	}
	return waitLong, c.updateVM(ctx, v, func(s *compute.VMStatus) bool {
		s.Problem = notConnected(v.Status.Node)
		if s.ObservedGeneration >= v.Generation {
			return false
		}
		s.Failure = c.missing(v.Status.Node)
		return s.Failure != nil && c.Now().Sub(v.ChangedAt) >= patience
	})
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
func (c *Control) judge(v *vm, r *fabric.MachineReport, lacks *lack) (settled bool, again time.Duration, p *fabric.Problem) {
	if r.Generation < v.Generation {
		if p := lacks.failed(); p != nil {
			return true, waitLong, p
		}
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
// settled, with s.Failure or without; that ends the operation. The reports end
// the operations of what was asked for in its guest.
func (c *Control) updateVM(ctx context.Context, v *vm, f func(*compute.VMStatus) (settled bool), ended ...fabric.CommandReport) error {
	_, err := c.store.Update(ctx, func(tx store.Tx) error {
		now, err := compute.VMs.Find(ctx, tx, v.ID)
		if err != nil || now == nil || now.UID != v.UID || now.Generation != v.Generation {
			return err
		}
		s := now.Status
		s.Events = slices.Clone(s.Events)
		settled := f(&s)
		if err := compute.EndCommands(ctx, tx, now, &s, ended, c.Now()); err != nil {
			return err
		}
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

// removeVM forgets the machine when its node has nothing of it any more, nor of
// the disks that go with it.
func (c *Control) removeVM(ctx context.Context, v *vm) (time.Duration, error) {
	if v.Status.Node != "" {
		r, ok := reported(c, v.Status.Node, v.UID, func(l *linked) map[string]fabric.MachineReport { return l.machines })
		if !ok || r.State != fabric.MachineGone || r.Generation < v.Generation {
			return unremoved(ctx, c, compute.VMs, v, v.Status.Node, r.Problem)
		}
	}
	for _, d := range v.Spec.AllDisks() {
		c.goesAfter.Store(d.ID.String(), v.ID)
	}
	var again time.Duration
	_, err := c.store.Update(ctx, func(tx store.Tx) error {
		again = 0
		now, err := compute.VMs.Find(ctx, tx, v.ID)
		if err != nil || now == nil || now.UID != v.UID {
			return err
		}
		left, err := compute.DeleteDisks(ctx, tx, &arm.Call{Now: c.Now(), NewID: uuid.NewString}, now)
		if err != nil {
			return err
		}
		if left {
			again = waitLong // a disk that is gone calls before that
			return nil
		}
		if err := c.finish(ctx, tx, &now.Meta, nil); err != nil {
			return err
		}
		if err := compute.CancelCommands(ctx, tx, now, c.Now()); err != nil {
			return err
		}
		return compute.Forget(ctx, tx, now)
	})
	if err == nil && again == 0 {
		for _, d := range v.Spec.AllDisks() {
			c.goesAfter.Delete(d.ID.String())
		}
	}
	return again, err
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
