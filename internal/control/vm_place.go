package control

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"lazuli/internal/arm"
	"lazuli/internal/compute"
	"lazuli/internal/fabric"
	"lazuli/internal/place"
	"lazuli/internal/store"
)

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
		mates, err := c.mates(ctx, now)
		if err != nil {
			return err
		}
		if now.Status.Node, err = c.choose(ctx, now, mates); err != nil {
			return err
		}
		if err := c.giveDomains(ctx, now, mates); err != nil {
			return err
		}
		now.Status.MemoryMiB = sizeOf(now).MemoryMiB
		held, _, err := c.holdAll(ctx, tx, now)
		if err != nil {
			return err
		}
		now.Status.OSDisk = held[arm.Key(now.Spec.OSDisk.ID)]
		return compute.VMs.PutStatus(tx, now.ID, &now.Status)
	})
	noFit, ok := errors.AsType[*place.NoFit](err)
	if !ok {
		return 0, err
	}
	return waitLong, c.updateVM(ctx, v, func(s *compute.VMStatus) bool {
		s.Failure = unplaced(noFit)
		return c.givesUp(noFit, v.ChangedAt)
	})
}

func unplaced(nf *place.NoFit) *fabric.Problem {
	return &fabric.Problem{Code: "AllocationFailed", Message: fmt.Sprintf("The virtual machine could not be placed: %s.", nf)}
}

// sizeOf is what the machine's size gives it.
func sizeOf(v *vm) compute.Size {
	size, _ := compute.FindSize(v.Spec.Size)
	return size
}

// waitsForMemory says that the machine is to run with more memory than it was
// given of its node's: it was deallocated, or had another size.
func waitsForMemory(v *vm) bool {
	return v.Spec.Power == fabric.Running && v.Status.MemoryMiB < sizeOf(v).MemoryMiB
}

// allocate gives the machine memory of its node, if it is to have more than it
// has.
func (c *Control) allocate(ctx context.Context, v *vm) (*lack, error) {
	if !waitsForMemory(v) {
		return nil, nil
	}
	status := v.Status
	_, err := c.store.Update(ctx, func(tx store.Tx) error {
		status = v.Status
		now, err := compute.VMs.Find(ctx, tx, v.ID)
		if err != nil || now == nil || now.UID != v.UID || now.Generation != v.Generation {
			return err
		}
		if err := takeTurn(ctx, tx); err != nil {
			return err
		}
		if err := c.roomFor(ctx, now); err != nil {
			return err
		}
		now.Status.MemoryMiB = sizeOf(now).MemoryMiB
		status = now.Status
		return compute.VMs.PutStatus(tx, now.ID, &status)
	})
	if noFit, ok := errors.AsType[*place.NoFit](err); ok {
		return &lack{unplaced(noFit), !c.givesUp(noFit, v.ChangedAt)}, nil
	}
	v.Status = status
	return nil, err
}

// roomFor is nil when the machine's node has what it is to have; else the error
// is a *place.NoFit.
func (c *Control) roomFor(ctx context.Context, v *vm) error {
	ns, err := c.placeable(ctx)
	if err != nil {
		return err
	}
	ns = slices.DeleteFunc(ns, func(n place.Node) bool { return n.Name != v.Status.Node })
	for i := range ns {
		ns[i].UsedMiB -= v.Status.MemoryMiB
	}
	size := sizeOf(v)
	_, err = place.Choose(ns, place.Want{CPUs: size.CPUs, MemoryMiB: size.MemoryMiB})
	return err
}

// needs is the memory that the machine needs of its node, which has carried out
// all that was asked for.
func needs(v *vm, r *fabric.MachineReport) (memoryMiB int) {
	if v.Spec.Power == fabric.Deallocated && r.Deallocated {
		return 0
	}
	return sizeOf(v).MemoryMiB
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

// choose picks a node for the machine, away from its mates. The error is a *place.NoFit when there
// is none.
func (c *Control) choose(ctx context.Context, v *vm, mates []*vm) (string, error) {
	want, err := c.wants(ctx, v)
	if err != nil {
		return "", err
	}
	want.Apart = crowd(mates)
	ns, err := c.placeable(ctx)
	if err != nil {
		return "", err
	}
	return place.Choose(ns, want)
}

// givesUp says whether to stop waiting for a node that fits, for something that
// was asked for at that time. Nodes have a while to link to a control plane that
// has only started.
func (c *Control) givesUp(nf *place.NoFit, since time.Time) bool {
	return !nf.Waiting || c.Now().Sub(since) >= patience && c.Now().Sub(c.startedAt) >= patience
}

// wants is what the machine needs of a node.
func (c *Control) wants(ctx context.Context, v *vm) (place.Want, error) {
	size := sizeOf(v)
	w := place.Want{CPUs: size.CPUs, MemoryMiB: size.MemoryMiB}
	for _, id := range v.Spec.DiskIDs() {
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

// usedMemory is the memory that the machines on each node were given, in MiB.
func (c *Control) usedMemory(ctx context.Context) (map[string]int, error) {
	vms, err := compute.VMs.List(ctx, c.store, arm.ID{})
	if err != nil {
		return nil, err
	}
	used := map[string]int{}
	for _, v := range vms {
		used[v.Status.Node] += v.Status.MemoryMiB
	}
	return used, nil
}
