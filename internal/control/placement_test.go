package control

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"lazuli/internal/arm"
	"lazuli/internal/compute"
	"lazuli/internal/fabric"
	"lazuli/internal/store"
	"lazuli/internal/store/memory"
)

// interrupted has something happen once, in the middle of a transaction that
// writes a status.
type interrupted struct {
	store.Store
	meanwhile func()
}

func (s *interrupted) Update(ctx context.Context, f func(store.Tx) error) (int64, error) {
	return s.Store.Update(ctx, func(tx store.Tx) error { return f(&interruptedTx{tx, s}) })
}

type interruptedTx struct {
	store.Tx
	s *interrupted
}

func (tx *interruptedTx) Put(key string, value []byte) {
	tx.Tx.Put(key, value)
	if f := tx.s.meanwhile; f != nil && strings.HasPrefix(key, "/status/") {
		tx.s.meanwhile = nil
		f()
	}
}

// Of two machines that are placed at the same time, one gets the memory that
// there is for one.
func TestPlacementTakesTurns(t *testing.T) {
	ctx := t.Context()
	st := &interrupted{Store: memory.New(memory.Options{})}
	t.Cleanup(func() { st.Close() })
	c := New(Config{Store: st, Log: slog.New(slog.DiscardHandler)})
	c.nodes.m["node1"] = newLinked(nil)
	node, err := json.Marshal(fabric.NodeReport{Name: "node1", CPUs: 4, MemoryMiB: 512 + 1024})
	if err != nil {
		t.Fatal(err)
	}
	var vms []*vm
	_, err = st.Update(ctx, func(tx store.Tx) error {
		tx.Put(nodePrefix+"node1", node)
		vms = nil
		for i := range 2 {
			v := &vm{Meta: arm.Meta{ID: arm.Group("s", "g").Resource(compute.VMType, fmt.Sprint("vm", i)), UID: fmt.Sprint("uid", i), Generation: 1}}
			v.Spec.Size, v.Spec.Power = "Standard_B1s", fabric.Running
			vms = append(vms, v)
			if err := compute.VMs.Put(ctx, tx, v); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	st.meanwhile = func() {
		if _, err := c.placeVM(ctx, vms[1]); err != nil {
			t.Error(err)
		}
	}
	if _, err := c.placeVM(ctx, vms[0]); err != nil {
		t.Fatal(err)
	}
	used, err := c.usedMemory(ctx)
	if err != nil || used["node1"] != 1024 {
		t.Errorf("on the node machines have %d MiB, %v; want the 1024 that there are", used["node1"], err)
	}
}
