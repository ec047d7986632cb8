package fake

import (
	"slices"
	"testing"

	"lazuli/internal/fabric"
	"lazuli/internal/node"
	"lazuli/internal/node/nodetest"
)

func keep(t *testing.T, h *Host, dir string) Kept {
	t.Helper()
	k, err := Keep(h, dir)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestKeptDisks(t *testing.T) {
	nodetest.RunDisks(t, func(t *testing.T) nodetest.DisksHost {
		h, dir := New(), t.TempDir()
		return nodetest.DisksHost{
			Open:     func(t *testing.T) node.Disks { return keep(t, h, dir) },
			AddImage: func(*testing.T, string, int64) {},
			Use: func(t *testing.T, d node.InstanceDisk) (release func()) {
				spec := node.InstanceSpec{Machine: fabric.Machine{UID: "user"}, Disks: []node.InstanceDisk{d}}
				if err := (Hypervisor{h}).Start(t.Context(), spec); err != nil {
					t.Fatal(err)
				}
				return func() { h.Crash("user") }
			},
		}
	})
}

// A host of another process has what was made and not removed.
func TestKept(t *testing.T) {
	ctx, dir := t.Context(), t.TempDir()
	k := keep(t, New(), dir)
	for _, uid := range []string{"a", "b", "c"} {
		if _, err := k.Ensure(ctx, fabric.Disk{UID: uid, SizeBytes: 1 << 20}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := k.Ensure(ctx, fabric.Disk{UID: "a", SizeBytes: 2 << 20}); err != nil {
		t.Fatal(err)
	}
	for _, uid := range []string{"i", "j"} {
		if _, err := k.MakeImage(ctx, fabric.Image{UID: uid, SourceDisk: "a"}, func(int) {}); err != nil {
			t.Fatal(err)
		}
	}
	if err := k.Remove(ctx, "c"); err != nil {
		t.Fatal(err)
	}
	if err := k.RemoveImage(ctx, "j"); err != nil {
		t.Fatal(err)
	}
	again := keep(t, New(), dir)
	if got, want := again.Left(), []string{"disk a", "disk b", "image i"}; !slices.Equal(got, want) {
		t.Errorf("left = %v, want %v", got, want)
	}
	if r, ok, err := again.Stat(ctx, "a"); err != nil || !ok || r.SizeBytes != 2<<20 {
		t.Errorf("a = %+v %t, %v; want it grown", r, ok, err)
	}
}
