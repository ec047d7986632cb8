package compute

import (
	"context"
	"encoding/json"
	"slices"

	"lazuli/internal/arm"
)

// attachDetach is the body of attachDetachDataDisks, which names only what is
// to change; a PUT names all disks.
type attachDetach struct {
	Attach []diskToAttach `json:"dataDisksToAttach"`
	Detach []diskToDetach `json:"dataDisksToDetach"`
}

type diskToAttach struct {
	ID           arm.ID `json:"diskId"`
	LUN          *int   `json:"lun"`
	Caching      string `json:"caching"`
	DeleteOption string `json:"deleteOption"`
}

type diskToDetach struct {
	ID     arm.ID `json:"diskId"`
	Option string `json:"detachOption"`
}

// attachDetachDataDisks changes the machine's data disks as a PUT would. What
// its operation comes to is the machine's storage profile.
func attachDetachDataDisks(ctx context.Context, c *arm.Call, body []byte) (arm.Result, error) {
	var b attachDetach
	if err := arm.Decode(body, &b); err != nil {
		return arm.Result{}, err
	}
	o, err := livingVM(ctx, c)
	if err != nil {
		return arm.Result{}, err
	}
	was, err := VMs.Get(ctx, c.Tx, c.ID)
	if err != nil {
		return arm.Result{}, err
	}
	bodies, err := b.apply(o)
	if err != nil {
		return arm.Result{}, err
	}
	if err := applyDataDisks(ctx, c, &vmEdit{Object: o, Was: was}, bodies); err != nil {
		return arm.Result{}, err
	}
	size, err := readSize(o.Spec.Size)
	if err != nil {
		return arm.Result{}, err
	}
	if err := checkSizeFits(&o.Spec, size); err != nil {
		return arm.Result{}, err
	}
	return begin(ctx, c, o, "attachDetachDataDisks", func() (any, error) {
		var s storage
		err := viewStorage(ctx, c, &o.Spec, &s)
		return s, err
	})
}

// begin writes the machine o with a new generation and starts the operation,
// which comes to what result says.
func begin(ctx context.Context, c *arm.Call, o *vmObject, action string, result func() (any, error)) (arm.Result, error) {
	o.Generation++
	op, err := arm.StartOperation(ctx, c.Tx, &o.Meta, c.NewID(), action, c.Now)
	if err != nil {
		return arm.Result{}, err
	}
	body, err := result()
	if err != nil {
		return arm.Result{}, err
	}
	if op.Result, err = json.Marshal(body); err != nil {
		return arm.Result{}, err
	}
	if err := arm.PutOperation(c.Tx, op); err != nil {
		return arm.Result{}, err
	}
	return arm.Result{Operation: op}, VMs.Put(ctx, c.Tx, o)
}

// apply is all data disks of the machine o, as b changes them.
func (b *attachDetach) apply(o *vmObject) ([]dataDisk, error) {
	if len(b.Attach)+len(b.Detach) == 0 {
		return nil, arm.InvalidParameter("dataDisksToAttach", "Nothing is asked for: dataDisksToAttach or dataDisksToDetach is to name a disk.")
	}
	left := slices.Clone(o.Spec.DataDisks)
	for i, d := range b.Detach {
		target := elementOf("dataDisksToDetach", i)
		at := slices.IndexFunc(left, func(x VMDisk) bool { return x.ID.Equal(d.ID) })
		switch {
		case d.Option != "":
			return nil, arm.Unsupported(target + ".detachOption")
		case at < 0:
			return nil, arm.InvalidParameter(target+".diskId", "Disk '%s' is not a data disk of VM '%s', so that it cannot be detached.", d.ID.Name(), o.ID.Name())
		}
		left = slices.Delete(left, at, at+1)
	}
	var bodies []dataDisk
	for i := range left {
		bodies = append(bodies, dataDisk{LUN: &left[i].LUN, aDisk: aDisk{Disk: &managedDisk{ID: left[i].ID}}})
	}
	for i := range b.Attach {
		d := &b.Attach[i]
		if d.ID.IsZero() {
			return nil, arm.InvalidParameter(elementOf("dataDisksToAttach", i)+".diskId", "A disk to attach needs its id.")
		}
		if d.LUN == nil {
			d.LUN = freeLUN(bodies, b.Attach)
		}
		bodies = append(bodies, dataDisk{LUN: d.LUN, aDisk: aDisk{
			CreateOption: attached, Caching: d.Caching, DeleteOption: d.DeleteOption, Disk: &managedDisk{ID: d.ID},
		}})
	}
	return bodies, nil
}

// freeLUN is the lowest that neither disks have nor those to come ask for.
func freeLUN(disks []dataDisk, coming []diskToAttach) *int {
	for n := 0; ; n++ {
		taken := slices.ContainsFunc(disks, func(d dataDisk) bool { return *d.LUN == n }) ||
			slices.ContainsFunc(coming, func(d diskToAttach) bool { return d.LUN != nil && *d.LUN == n })
		if !taken {
			return &n
		}
	}
}
