package control

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"lazuli/internal/arm"
	"lazuli/internal/compute"
	"lazuli/internal/fabric"
	"lazuli/internal/store"
	"lazuli/internal/store/memory"
)

// put stores a disk of that name.
func putDisk(t *testing.T, st store.Store, name string) *disk {
	t.Helper()
	d := &disk{Meta: arm.Meta{ID: arm.Group("s", "g").Resource(compute.DiskType, name), UID: "uid-" + name, Generation: 1}}
	d.Status.Node, d.Status.ObservedGeneration = "n1", 1
	_, err := st.Update(t.Context(), func(tx store.Tx) error {
		if err := compute.Disks.PutStatus(tx, d.ID, &d.Status); err != nil {
			return err
		}
		return compute.Disks.Put(t.Context(), tx, d)
	})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// What comes and goes for weeks leaves nothing in the control plane's memory.
func TestNothingIsRememberedOfWhatIsGone(t *testing.T) {
	st := memory.New(memory.Options{})
	t.Cleanup(func() { st.Close() })
	c := New(Config{Store: st, Log: slog.New(slog.DiscardHandler)})
	ctx, cancel := context.WithCancel(t.Context())
	followed := make(chan struct{}, 1000)
	done := make(chan struct{})
	go func() {
		defer close(done)
		c.mirror.Follow(ctx, st, c.log, func(es []store.Event) { c.changed(es); followed <- struct{}{} }) //nolint:errcheck // ends with ctx
	}()
	<-followed
	linkCtx, unlink := context.WithCancel(ctx)
	c.Linked(linkCtx, "n1", nil)
	sent := make(chan fabric.Message, 100)
	go c.Assignments(linkCtx, "n1", func(m fabric.Message) error { sent <- m; return nil }) //nolint:errcheck // ends with ctx
	<-sent
	for i := range 3 {
		d := putDisk(t, st, fmt.Sprint("d", i))
		<-sent
		if err := c.Report(ctx, "n1", &fabric.Report{Disks: []fabric.DiskReport{{UID: d.UID, Generation: 1, Presence: fabric.Present}}}); err != nil {
			t.Fatal(err)
		}
		if _, err := st.Update(ctx, func(tx store.Tx) error { return compute.Disks.Delete(ctx, tx, d.ID) }); err != nil {
			t.Fatal(err)
		}
		for m := range sent {
			if len(m.Forget) > 0 {
				break
			}
		}
	}
	// The reports are dropped after the message that says so was sent.
	putDisk(t, st, "last")
	<-sent
	c.nodes.mu.Lock()
	if n := len(c.nodes.m["n1"].disks); n != 0 {
		t.Errorf("reports of %d disks that are gone are kept", n)
	}
	c.nodes.mu.Unlock()
	c.mu.Lock()
	if len(c.keyOf) != 1 || len(c.known) != 1 {
		t.Errorf("kept of resources: %v, %v; want the one that is there", c.keyOf, c.known)
	}
	c.mu.Unlock()
	unlink()
	cancel()
	<-done
}

// Operations that ended long ago go, whatever else lies among them.
func TestSweep(t *testing.T) {
	st := memory.New(memory.Options{})
	t.Cleanup(func() { st.Close() })
	now := time.Now()
	c := New(Config{Store: st, Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return now }})
	ended := func(ago time.Duration) *time.Time { at := now.Add(-ago); return &at }
	want := []string{arm.OperationPrefix + "!unreadable", arm.OperationPrefix + "new", arm.OperationPrefix + "running"}
	_, err := st.Update(t.Context(), func(tx store.Tx) error {
		tx.Put(arm.OperationPrefix+"!unreadable", []byte("{"))
		ops := []arm.Operation{{ID: "new", EndedAt: ended(time.Hour)}, {ID: "running"}}
		for i := range 2*sweepAtOnce + 1 {
			ops = append(ops, arm.Operation{ID: fmt.Sprint("old", i), EndedAt: ended(25 * time.Hour)})
		}
		for _, op := range ops {
			if err := arm.PutOperation(tx, &op); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	followed := make(chan struct{}, 100)
	go c.mirror.Follow(ctx, st, c.log, func([]store.Event) { followed <- struct{}{} }) //nolint:errcheck // ends with ctx
	<-followed
	if err := c.sweepOnce(ctx); err != nil {
		t.Error(err)
	}
	cancel()
	es, err := st.List(t.Context(), arm.OperationPrefix)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range es {
		got = append(got, e.Key)
	}
	if a, b := mustJSON(t, got), mustJSON(t, want); a != b {
		t.Errorf("left = %s, want %s", a, b)
	}
}

func mustJSON(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
