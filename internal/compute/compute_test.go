package compute

import (
	"context"
	"net/netip"
	"strings"
	"testing"

	"lazuli/internal/arm"
	"lazuli/internal/arm/armtest"
	"lazuli/internal/fabric"
	"lazuli/internal/network"
	"lazuli/internal/store"
)

// shelf is a catalogue with a fixed content.
type shelf []fabric.NodeImage

func (s shelf) List(context.Context, store.Reader) ([]fabric.NodeImage, error) { return s, nil }

var images = shelf{
	{Name: "debian-12-9", Publisher: "lazuli", Offer: "debian", SKU: "12", Version: "12.9.0", OSType: "Linux", Firmware: []fabric.Firmware{fabric.BIOS, fabric.UEFI}, SizeBytes: 2 << 30},
	{Name: "debian-12-10", Publisher: "lazuli", Offer: "debian", SKU: "12", Version: "12.10.0", OSType: "Linux", Firmware: []fabric.Firmware{fabric.BIOS, fabric.UEFI}, SizeBytes: 2<<30 + 512},
	{Name: "debian-13", Publisher: "lazuli", Offer: "debian", SKU: "13-gen2", Version: "13.1.0", OSType: "Linux", Firmware: []fabric.Firmware{fabric.UEFI}, SizeBytes: 3 << 30},
	{Name: "ubuntu", Publisher: "Canonical", Offer: "ubuntu", SKU: "24_04", Version: "1.0.0", OSType: "Linux", Firmware: []fabric.Firmware{fabric.BIOS}, SizeBytes: 1 << 30},
	{Name: "broken", Publisher: "nobody", Offer: "x", SKU: "x", Version: "1.0.0"},
}

var testConfig = Config{Locations: []string{"local"}, Catalogue: images}

var (
	vnetID = armtest.ID("Microsoft.Network/virtualNetworks/net1")
	nicID  = armtest.ID("Microsoft.Network/networkInterfaces/nic1")
	vmID   = armtest.ID("Microsoft.Compute/virtualMachines/vm1")
	diskID = armtest.ID("Microsoft.Compute/disks/d1")
	imgID  = armtest.ID("Microsoft.Compute/images/img1")
)

const publicKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl someone\\n"

// newCloud has a network with the interfaces nic1 to nic4, and no machine.
func newCloud(t testing.TB) *armtest.Cloud {
	c := armtest.New(t, Types(testConfig), network.Types(network.Config{
		Locations: testConfig.Locations, PublicPool: []netip.Prefix{netip.MustParsePrefix("198.18.0.0/24")}, Domain: "cloudapp.example",
	}))
	c.Put(vnetID, `{"properties": {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}, "subnets": [{"name": "sn1", "properties": {"addressPrefix": "10.0.0.0/24"}}]}}`)
	for _, name := range []string{"nic1", "nic2", "nic3", "nic4"} {
		c.Put(nicNamed(name), nicBody(vnetID))
	}
	return c
}

func nicNamed(name string) arm.ID { return armtest.ID("Microsoft.Network/networkInterfaces/" + name) }

func diskNamed(name string) arm.ID { return armtest.ID("Microsoft.Compute/disks/" + name) }

func nicBody(vnet arm.ID) string {
	return `{"properties": {"ipConfigurations": [{"name": "x", "properties": {"subnet": {"id": "` + vnet.Child("subnets", "sn1").String() + `"}}}]}}`
}

// body is the body of a machine as az sends it, with the parts in changes
// replaced: "hardware", "image", "os", "osDisk", "dataDisks", "nics", "more".
// A part that is "-" is left out.
func body(changes ...string) string {
	parts := map[string]string{
		"hardware": `"hardwareProfile": {"vmSize": "Standard_B1s"}`,
		"image":    `"imageReference": {"publisher": "lazuli", "offer": "debian", "sku": "12", "version": "latest"}`,
		"osDisk":   `"osDisk": {"createOption": "fromImage", "name": null, "caching": "ReadWrite", "managedDisk": {"storageAccountType": null}}`,
		"os": `"osProfile": {"computerName": "vm1", "adminUsername": "azureuser", "linuxConfiguration": {"disablePasswordAuthentication": true,
			"ssh": {"publicKeys": [{"keyData": "` + publicKey + `", "path": "/home/azureuser/.ssh/authorized_keys"}]}}}`,
		"nics": `"networkInterfaces": [{"id": "` + nicID.String() + `", "properties": {"deleteOption": null}}]`,
	}
	for i := 0; i+1 < len(changes); i += 2 {
		parts[changes[i]] = changes[i+1]
	}
	join := func(names ...string) string {
		var all []string
		for _, n := range names {
			if parts[n] != "" && parts[n] != "-" {
				all = append(all, parts[n])
			}
		}
		return strings.Join(all, ", ")
	}
	props := []string{`"storageProfile": {` + join("image", "osDisk", "dataDisks") + `}`, `"networkProfile": {` + join("nics") + `}`}
	for _, n := range []string{"hardware", "os", "more"} {
		if s := join(n); s != "" {
			props = append(props, s)
		}
	}
	top := ""
	if parts["top"] != "" {
		top = parts["top"] + ", "
	}
	return `{"location": "local", ` + top + `"properties": {` + strings.Join(props, ", ") + `}}`
}

// settleVM lets the machine be what was asked for.
func settleVM(t testing.TB, c *armtest.Cloud, id arm.ID, changes ...func(*VMStatus)) {
	t.Helper()
	settle(t, c, VMs, id, func(o *vmObject, s *VMStatus) {
		s.Node, s.ObservedGeneration = "node1", o.Generation
		s.CreatedAt, s.ChangedAt = &o.CreatedAt, &o.ChangedAt
		s.State = map[fabric.Power]fabric.MachineState{fabric.Running: fabric.MachineRunning}[o.Spec.Power]
		if s.State == "" {
			s.State = fabric.MachineStopped
		}
		s.Deallocated = o.Spec.Power == fabric.Deallocated
		s.Restarts = o.Spec.Restarts
		for _, change := range changes {
			change(s)
		}
	})
}

// behind is a machine whose node has not done all that was asked for.
func behind(s *VMStatus) { s.ObservedGeneration-- }

func settleDisk(t testing.TB, c *armtest.Cloud, id arm.ID, changes ...func(*DiskStatus)) {
	t.Helper()
	settle(t, c, Disks, id, func(o *diskObject, s *DiskStatus) {
		s.ObservedGeneration = o.Generation
		for _, change := range changes {
			change(s)
		}
	})
}

func settleImage(t testing.TB, c *armtest.Cloud, id arm.ID) {
	t.Helper()
	settle(t, c, Images, id, func(o *arm.Object[Image, ImageStatus], s *ImageStatus) { s.ObservedGeneration = o.Generation })
}

// settle does what the reconciler does at the end: it writes the status and
// ends the operation.
func settle[S, T any](t testing.TB, c *armtest.Cloud, in arm.Collection[S, T], id arm.ID, f func(o *arm.Object[S, T], s *T)) {
	t.Helper()
	err := c.Update(func(call *arm.Call) error {
		ctx := context.Background()
		o, err := in.Get(ctx, call.Tx, id)
		if err != nil {
			return err
		}
		f(o, &o.Status)
		if err := in.PutStatus(call.Tx, o.ID, &o.Status); err != nil {
			return err
		}
		return arm.FinishOperation(ctx, call.Tx, o.Operation, nil, nil, call.Now)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// withVM has the machine vm1, which runs, and the free disk d1 of 8 GiB.
func withVM(t testing.TB, changes ...string) *armtest.Cloud {
	t.Helper()
	c := newCloud(t)
	c.Put(vmID, body(changes...))
	settleVM(t, c, vmID)
	vm, err := VMs.Get(t.Context(), c.Store, vmID)
	if err != nil {
		t.Fatal(err)
	}
	settleDisk(t, c, vm.Spec.OSDisk.ID)
	for _, d := range vm.Spec.DataDisks {
		settleDisk(t, c, d.ID)
	}
	c.Put(diskID, `{"location": "local", "tags": {}, "sku": {"name": "Premium_LRS"}, "properties": {"hyperVGeneration": "V1", "creationData": {"createOption": "Empty"}, "diskSizeGB": 8}}`)
	settleDisk(t, c, diskID)
	return c
}

func getVM(t testing.TB, c *armtest.Cloud) *vmObject {
	t.Helper()
	o, err := VMs.Get(t.Context(), c.Store, vmID)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func getDisk(t testing.TB, c *armtest.Cloud, id arm.ID) *diskObject {
	t.Helper()
	o, err := Disks.Get(t.Context(), c.Store, id)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// deleteVM deletes the machine to the end.
func deleteVM(t testing.TB, c *armtest.Cloud) {
	t.Helper()
	c.Delete(vmID)
	for deleteDisks(t, c) {
		for _, d := range getVM(t, c).Spec.AllDisks() {
			settleDeletion(t, c, d.ID)
		}
	}
	forgetVM(t, c)
}

// deleteDisks begins the deletion of what goes with the machine.
func deleteDisks(t testing.TB, c *armtest.Cloud) (left bool) {
	t.Helper()
	if err := c.Update(func(call *arm.Call) (err error) {
		left, err = DeleteDisks(t.Context(), call.Tx, call, getVM(t, c))
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return left
}

// settleDeletion ends the deletion of a disk, if there is one.
func settleDeletion(t testing.TB, c *armtest.Cloud, id arm.ID) {
	t.Helper()
	if err := c.Update(func(call *arm.Call) error {
		d, err := Disks.Find(t.Context(), call.Tx, id)
		if err != nil || d == nil || !d.Deleting() {
			return err
		}
		return Disks.Delete(t.Context(), call.Tx, id)
	}); err != nil {
		t.Fatal(err)
	}
}

func forgetVM(t testing.TB, c *armtest.Cloud) {
	t.Helper()
	if err := c.Update(func(call *arm.Call) error { return Forget(t.Context(), call.Tx, getVM(t, c)) }); err != nil {
		t.Fatal(err)
	}
}
