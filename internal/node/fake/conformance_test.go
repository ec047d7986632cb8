package fake

import (
	"testing"

	"lazuli/internal/fabric"
	"lazuli/internal/node"
	"lazuli/internal/node/nodetest"
)

func TestHypervisor(t *testing.T) {
	nodetest.RunHypervisor(t, func(t *testing.T) nodetest.HypervisorHost {
		h := New()
		return nodetest.HypervisorHost{
			Open: func(*testing.T) node.Hypervisor { return Hypervisor{h} },
			Disk: func(t *testing.T, uid string, owner int) node.InstanceDisk {
				if _, err := (Disks{h}).Ensure(t.Context(), fabric.Disk{UID: uid, SizeBytes: 1 << 20}); err != nil {
					t.Fatal(err)
				}
				d, err := Disks{h}.Open(t.Context(), uid, owner)
				if err != nil {
					t.Fatal(err)
				}
				return d
			},
			Kill:     func(_ *testing.T, inst node.Instance) { h.Crash(inst.UID) },
			PowerOff: func(_ *testing.T, uid string) { h.PowerOff(uid) },
			Reboot:   func(_ *testing.T, uid string) { h.Reboot(uid) },
			Started:  func(*testing.T, string) {},
		}
	})
}

func TestDisks(t *testing.T) {
	nodetest.RunDisks(t, func(t *testing.T) nodetest.DisksHost {
		h := New()
		return nodetest.DisksHost{
			Open: func(*testing.T) node.Disks { return Disks{h} },
			AddImage: func(*testing.T, string, int64) {
				// Every image is on a fake host.
			},
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
