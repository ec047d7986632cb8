package control

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"testing"

	"github.com/google/go-cmp/cmp"

	"lazuli/internal/arm"
	"lazuli/internal/compute"
	"lazuli/internal/fabric"
	"lazuli/internal/store"
	"lazuli/internal/store/memory"
)

// placedSet places machines of one availability set, with two fault domains and
// three update domains, one after the other on nodes of so much memory. It says
// where each is: "node fault update".
func placedSet(t *testing.T, machines int, nodes map[string]int) (placed []string) {
	ctx := t.Context()
	st := memory.New(memory.Options{})
	t.Cleanup(func() { st.Close() })
	c := New(Config{Store: st, Log: slog.New(slog.DiscardHandler)})
	group := arm.Group("s", "g")
	set := &arm.Object[compute.AvailabilitySet, compute.NoStatus]{Meta: arm.Meta{ID: group.Resource(compute.AVSetType, "set")}}
	set.Spec = compute.AvailabilitySet{FaultDomains: 2, UpdateDomains: 3}
	var vms []*vm
	_, err := st.Update(ctx, func(tx store.Tx) error {
		for name, memoryMiB := range nodes {
			c.nodes.m[name] = newLinked(nil)
			b, err := json.Marshal(fabric.NodeReport{Name: name, CPUs: 4, MemoryMiB: memoryMiB})
			if err != nil {
				return err
			}
			tx.Put(nodePrefix+name, b)
		}
		for i := range machines {
			v := &vm{Meta: arm.Meta{ID: group.Resource(compute.VMType, fmt.Sprint("vm", i)), UID: fmt.Sprint("uid", i), Generation: 1}}
			v.Spec = compute.VM{Size: "Standard_B1s", Power: fabric.Running, AvailabilitySet: set.ID}
			vms = append(vms, v)
			if err := compute.VMs.Put(ctx, tx, v); err != nil {
				return err
			}
		}
		return compute.AvailabilitySets.Put(ctx, tx, set)
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range vms {
		if _, err := c.placeVM(ctx, v); err != nil {
			t.Fatal(err)
		}
		placed = append(placed, whereIs(t, st, v.ID))
	}
	return placed
}

func whereIs(t *testing.T, st store.Store, id arm.ID) string {
	v, err := compute.VMs.Get(context.WithoutCancel(t.Context()), st, id)
	if err != nil {
		t.Fatal(err)
	}
	if v.Status.FaultDomain == nil || v.Status.UpdateDomain == nil {
		return v.Status.Node
	}
	return fmt.Sprint(v.Status.Node, " ", *v.Status.FaultDomain, " ", *v.Status.UpdateDomain)
}

func TestAvailabilitySetSpreads(t *testing.T) {
	tests := map[string]struct {
		nodes map[string]int
		want  []string
	}{
		"one node is one fault domain": {map[string]int{"a": 16384}, []string{"a 0 0", "a 0 1", "a 0 2", "a 0 0"}},
		"two nodes":                    {map[string]int{"a": 16384, "b": 8192}, []string{"a 0 0", "b 1 1", "a 0 2", "b 1 0"}},
		"more nodes than domains":      {map[string]int{"a": 16384, "b": 8192, "c": 4096}, []string{"a 0 0", "b 1 1", "c 0 2", "a 0 0"}},
		"where there is room":          {map[string]int{"a": 16384, "b": 512 + 1024}, []string{"a 0 0", "b 1 1", "a 0 2", "a 0 0"}},
		"nowhere":                      {map[string]int{"a": 1024}, []string{"", "", "", ""}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, placedSet(t, 4, tt.nodes)); diff != "" {
				t.Errorf("placed (-want +got):\n%s", diff)
			}
		})
	}
}
