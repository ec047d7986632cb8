package control

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"lazuli/internal/arm"
	"lazuli/internal/compute"
	"lazuli/internal/fabric"
	"lazuli/internal/network"
	"lazuli/internal/store"
)

// plan makes a node's assignment from the copy of the state.
func (c *Control) plan(ctx context.Context, node string) (fabric.Assignment, error) {
	var a fabric.Assignment
	r := c.mirror.Still() // what goes together must not change between two reads
	plugs, err := c.planMachines(ctx, r, node, &a)
	if err != nil {
		return a, err
	}
	if err := planDisks(ctx, r, node, &a); err != nil {
		return a, err
	}
	if err := planImages(ctx, r, node, &a); err != nil {
		return a, err
	}
	if a.Networks, err = c.planNetworks(ctx, r, plugs); err != nil {
		return a, err
	}
	c.planUnusedNetworks(node, &a)
	return a, nil
}

func (c *Control) planMachines(ctx context.Context, r store.Reader, node string, a *fabric.Assignment) ([]plug, error) {
	vms, err := compute.VMs.List(ctx, r, arm.ID{})
	if err != nil {
		return nil, err
	}
	var plugs []plug
	for _, v := range vms {
		if v.Status.Node != node {
			continue
		}
		m, ok, err := machine(ctx, r, v)
		if err != nil {
			// One machine that cannot be understood must not stop the others.
			c.log.Error("machine left out of the assignment", "vm", v.ID.Name(), "err", err)
			continue
		}
		if !ok {
			continue
		}
		a.Machines = append(a.Machines, m)
		for i, n := range v.Spec.NICs {
			p := plug{nic: n.ID, machineUID: v.UID}
			if i == 0 {
				p.hostname = v.ID.Name()
				if v.Spec.OS != nil {
					p.hostname = v.Spec.OS.ComputerName
				}
			}
			plugs = append(plugs, p)
		}
	}
	return plugs, nil
}

// machine makes one machine's assignment; ok is false while it does not hold
// its disks yet.
func machine(ctx context.Context, r store.Reader, v *vm) (m fabric.Machine, ok bool, err error) {
	size, known := compute.FindSize(v.Spec.Size)
	if !known {
		return m, false, fmt.Errorf("unknown size %s", v.Spec.Size)
	}
	m = fabric.Machine{
		UID: v.UID, Name: v.ID.Name(), ResourceID: v.ID.String(), Generation: v.Generation,
		Presence: fabric.Present, Power: v.Spec.Power, PowerGeneration: v.Spec.PowerGeneration, Hard: v.Spec.Hard, Restarts: v.Spec.Restarts,
		CPUs: size.CPUs, MemoryMiB: size.MemoryMiB, Firmware: v.Spec.Firmware,
		Metadata: metadata(v),
	}
	if m.Provision, err = provision(ctx, r, v); err != nil {
		return m, false, err
	}
	if m.Commands, err = compute.PendingCommands(ctx, r, v); err != nil {
		return m, false, err
	}
	if v.Deleting() {
		m.Presence = fabric.Absent
	} else if waitsForMemory(v) {
		withhold(&m, &v.Status)
	}
	if ok, err = machineDisks(ctx, r, v, &m); err != nil || !ok && !v.Deleting() {
		return m, false, err
	}
	if v.Deleting() {
		m.Generation = v.Generation // it goes, whatever it was still waiting for
	}
	for _, n := range v.Spec.NICs {
		nic, err := network.NICs.Get(ctx, r, n.ID)
		if err != nil {
			return m, false, err
		}
		m.NICs = append(m.NICs, fabric.MachineNIC{UID: nic.UID, NetworkUID: nic.Spec.NetworkUID, MAC: linuxMAC(nic.Spec.MAC), Primary: n.Primary})
	}
	return m, true, nil
}

// withhold has a machine stay as it is until it is given the memory that was
// asked for.
func withhold(m *fabric.Machine, s *compute.VMStatus) {
	m.Generation--
	m.Restarts = min(m.Restarts, s.Restarts)
	switch {
	case s.Deallocated:
		m.Power = fabric.Deallocated
	case s.State == fabric.MachineStopped:
		m.Power = fabric.Stopped
	case s.MemoryMiB > 0:
		m.MemoryMiB = s.MemoryMiB
	}
}

// machineDisks lists the disks that the machine holds. Without its OS disk, or
// any disk on its first start, it is not for its node to begin with.
func machineDisks(ctx context.Context, r store.Reader, v *vm, m *fabric.Machine) (ok bool, err error) {
	for i, vd := range v.Spec.AllDisks() {
		d, err := compute.Disks.Find(ctx, r, vd.ID)
		switch {
		case err != nil:
			return false, err
		case d == nil && v.Deleting():
			continue // it has gone first
		case d == nil:
			return false, arm.NotFound(vd.ID)
		}
		if had := v.Status.OSDisk; i == 0 && had != "" && had != d.UID && !v.Deleting() {
			// Until its new OS disk is there it goes on with the one it has.
			withhold(m, &v.Status)
			m.Generation, m.Disks = v.Generation-1, []fabric.MachineDisk{{UID: had, OS: true}}
			m.Metadata.OSDiskName = d.ID.Name()
			continue
		}
		if !d.Status.HeldBy.Equal(v.ID) || d.Status.Node != v.Status.Node {
			if i == 0 || v.Status.ObservedGeneration == 0 {
				return false, nil
			}
			m.Generation = v.Generation - 1 // it is not all of it yet
			continue
		}
		if i == 0 {
			m.Metadata.OSDiskName = d.ID.Name()
		} else {
			m.Metadata.DataDisks = append(m.Metadata.DataDisks, fabric.MetadataDisk{Name: d.ID.Name(), LUN: vd.LUN, SizeGB: int(d.Spec.SizeGiB)})
		}
		m.Disks = append(m.Disks, fabric.MachineDisk{UID: d.UID, OS: i == 0, LUN: vd.LUN})
	}
	return true, nil
}

// provision is what the guest is told. Secrets that it has had are gone.
func provision(ctx context.Context, r store.Reader, v *vm) (fabric.Provision, error) {
	os := v.Spec.OS
	if os == nil {
		return fabric.Provision{UserData: v.Spec.UserData}, nil
	}
	secrets, err := compute.FindSecrets(ctx, r, v.UID)
	return fabric.Provision{
		ComputerName: os.ComputerName, AdminUsername: os.AdminUsername, DisablePasswordAuth: os.DisablePassword,
		AdminPassword: secrets.AdminPassword, CustomData: secrets.CustomData, HasCustomData: os.CustomDataDigest != "",
		SSHKeys: os.SSHKeys, UserData: v.Spec.UserData, ProvisionVMAgent: os.ProvisionVMAgent,
	}, err
}

func metadata(v *vm) fabric.Metadata {
	md := fabric.Metadata{
		SubscriptionID: v.ID.Subscription, ResourceGroup: v.ID.ResourceGroup, Location: v.Location,
		VMSize: v.Spec.Size, OSType: v.Spec.OSType, Tags: v.Tags, Zone: strings.Join(v.Spec.Zones, ""),
	}
	if img := v.Spec.Image; img != nil {
		md.Publisher, md.Offer, md.SKU, md.Version, md.ImageID = img.Publisher, img.Offer, img.SKU, img.ExactVersion, img.ID.String()
	}
	return md
}

func planDisks(ctx context.Context, r store.Reader, node string, a *fabric.Assignment) error {
	disks, err := compute.Disks.List(ctx, r, arm.ID{})
	if err != nil {
		return err
	}
	for _, d := range disks {
		if d.Status.Node != node {
			continue
		}
		x := fabric.Disk{
			UID: d.UID, Name: d.ID.Name(), Generation: d.Generation, Presence: fabric.Present,
			SizeBytes: d.Spec.SizeBytes(), Image: d.Spec.Image, SourceDisk: d.Spec.SourceUID,
			Made: d.Status.SizeBytes > 0,
		}
		if d.Deleting() && d.Status.HeldBy.IsZero() && d.Spec.ManagedBy.IsZero() {
			x.Presence = fabric.Absent
		}
		a.Disks = append(a.Disks, x)
	}
	return nil
}

func planImages(ctx context.Context, r store.Reader, node string, a *fabric.Assignment) error {
	images, err := compute.Images.List(ctx, r, arm.ID{})
	if err != nil {
		return err
	}
	for _, i := range images {
		if i.Status.Node != node {
			continue
		}
		x := fabric.Image{UID: i.UID, Generation: i.Generation, Presence: fabric.Present, SourceDisk: i.Spec.SourceDiskUID}
		if i.Deleting() {
			x.Presence = fabric.Absent
		}
		a.Images = append(a.Images, x)
	}
	return nil
}

// planUnusedNetworks has the node remove the networks that it has and no
// machine of it is in. Networks hold no state that could be lost.
func (c *Control) planUnusedNetworks(node string, a *fabric.Assignment) {
	l := c.linked(node)
	if l == nil {
		return
	}
	c.nodes.mu.Lock()
	defer c.nodes.mu.Unlock()
	for uid, r := range l.networks {
		used := slices.ContainsFunc(a.Networks, func(n fabric.Network) bool { return n.UID == uid })
		if !used && r.Presence == fabric.Present {
			a.Networks = append(a.Networks, fabric.Network{UID: uid, Generation: 1, Presence: fabric.Absent})
		}
	}
}
