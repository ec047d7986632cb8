package api_test

import (
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"
)

func (c *cloud) disk(option armcompute.DiskCreateOption, sizeGB int32, source string) armcompute.Disk {
	d := armcompute.Disk{Location: ptr("local"), Properties: &armcompute.DiskProperties{CreationData: &armcompute.CreationData{CreateOption: &option}}}
	if sizeGB != 0 {
		d.Properties.DiskSizeGB = &sizeGB
	}
	switch option {
	case armcompute.DiskCreateOptionCopy:
		d.Properties.CreationData.SourceResourceID = &source
	case armcompute.DiskCreateOptionFromImage:
		d.Properties.CreationData.ImageReference = &armcompute.ImageDiskReference{ID: &source}
	}
	return d
}

func TestDisks(t *testing.T) {
	s := newCloud(t).withVM().sdk()
	ctx, disks := t.Context(), s.compute.NewDisksClient()
	image := s.provider("Compute", "locations/local/publishers/Debian/artifacttypes/vmimage/offers/debian-12/skus/12/versions/12.20260101.0")
	tests := map[string]struct {
		disk armcompute.Disk
		size int32
	}{
		"empty":  {s.disk(armcompute.DiskCreateOptionEmpty, 8, ""), 8},
		"image":  {s.disk(armcompute.DiskCreateOptionFromImage, 0, image), 2},
		"larger": {s.disk(armcompute.DiskCreateOptionFromImage, 30, image), 30},
	}
	for name, tt := range tests {
		got := finish(disks.BeginCreateOrUpdate(ctx, "rg", name, tt.disk, nil))(t)
		if p := got.Properties; *p.DiskSizeGB != tt.size || *p.DiskState != armcompute.DiskStateUnattached || *p.ProvisioningState != "Succeeded" {
			t.Errorf("%s = %d GiB, %s, %s; want %d GiB, Unattached, Succeeded", name, *p.DiskSizeGB, *p.DiskState, *p.ProvisioningState, tt.size)
		}
	}
	copied := finish(disks.BeginCreateOrUpdate(ctx, "rg", "copy", s.disk(armcompute.DiskCreateOptionCopy, 0, s.cloud.compute("disks/empty")), nil))(t)
	if *copied.Properties.DiskSizeGB != 8 {
		t.Errorf("the copy has %d GiB, want 8", *copied.Properties.DiskSizeGB)
	}
	grown := finish(disks.BeginUpdate(ctx, "rg", "copy", armcompute.DiskUpdate{Tags: map[string]*string{"a": ptr("b")}, Properties: &armcompute.DiskUpdateProperties{DiskSizeGB: ptr[int32](9)}}, nil))(t)
	if *grown.Properties.DiskSizeGB != 9 || *grown.Tags["a"] != "b" {
		t.Errorf("grown = %d GiB with the tags %v", *grown.Properties.DiskSizeGB, grown.Tags)
	}
	attachAndDetach(t, s)
	if n := len(all(t, disks.NewListPager(nil), func(p armcompute.DisksClientListResponse) []*armcompute.Disk { return p.Value })); n != 5 {
		t.Errorf("%d disks are listed, want 5", n)
	}
	finish(disks.BeginDelete(ctx, "rg", "empty", nil))(t)
	s.refused(404, "ResourceNotFound", "GET", s.cloud.compute("disks/empty"), "")
	s.empty()
}

// attachAndDetach changes the data disks of a running machine as az does: it
// reads the machine and writes it whole.
func attachAndDetach(t *testing.T, s *sdk) {
	t.Helper()
	ctx, vms := t.Context(), s.vms()
	vm := must(vms.Get(ctx, "rg", "vm", nil))(t).VirtualMachine
	vm.Properties.StorageProfile.DataDisks = []*armcompute.DataDisk{{
		Lun: ptr[int32](0), CreateOption: ptr(armcompute.DiskCreateOptionTypesAttach),
		ManagedDisk: &armcompute.ManagedDiskParameters{ID: ptr(s.cloud.compute("disks/empty"))},
	}}
	got := finish(vms.BeginCreateOrUpdate(ctx, "rg", "vm", vm, nil))(t)
	if d := got.Properties.StorageProfile.DataDisks; len(d) != 1 || *d[0].Name != "empty" || *d[0].DiskSizeGB != 8 {
		t.Errorf("data disks = %v, want the one with its name and size", d)
	}
	state := func() any {
		return s.want(200, "GET", s.cloud.compute("disks/empty"), "").get("properties.diskState")
	}
	if state() != "Attached" {
		t.Errorf("the disk is %v, want Attached", state())
	}
	s.refused(409, "OperationNotAllowed", "DELETE", s.cloud.compute("disks/empty"), "")
	second := s.vmBody("nic2").with("properties.storageProfile.dataDisks", []any{map[string]any{"lun": 0, "createOption": "Attach", "name": "empty"}})
	s.refused(409, "ConflictingUserInput", "PUT", s.cloud.compute("virtualMachines/second"), second.String())
	s.refused(404, "ResourceNotFound", "GET", s.cloud.compute("virtualMachines/second"), "")
	vm.Properties.StorageProfile.DataDisks = []*armcompute.DataDisk{}
	finish(vms.BeginCreateOrUpdate(ctx, "rg", "vm", vm, nil))(t)
	if state() != "Unattached" {
		t.Errorf("after it was detached the disk is %v", state())
	}
}

// A machine is made from an image of another, and both are what they were.
func TestImages(t *testing.T) {
	s := newCloud(t).withVM().sdk()
	ctx, images := t.Context(), s.compute.NewImagesClient()
	image := armcompute.Image{Location: ptr("local"), Properties: &armcompute.ImageProperties{SourceVirtualMachine: &armcompute.SubResource{ID: ptr(s.cloud.compute("virtualMachines/vm"))}}}
	s.refused(409, "OperationNotAllowed", "POST", s.cloud.compute("virtualMachines/vm/generalize"), "")
	s.refused(409, "OperationNotAllowed", "PUT", s.cloud.compute("images/img"), `{"location":"local","properties":{"sourceVirtualMachine":{"id":"`+s.cloud.compute("virtualMachines/vm")+`"}}}`)
	finish(s.vms().BeginDeallocate(ctx, "rg", "vm", nil))(t)
	must(s.vms().Generalize(ctx, "rg", "vm", nil))(t)
	made := finish(images.BeginCreateOrUpdate(ctx, "rg", "img", image, nil))(t)
	if os := made.Properties.StorageProfile.OSDisk; *os.OSState != armcompute.OperatingSystemStateTypesGeneralized || *os.DiskSizeGB != 2 {
		t.Errorf("the image = %s, %d GiB", *os.OSState, *os.DiskSizeGB)
	}
	clone := s.machine("nic2")
	clone.Properties.StorageProfile = &armcompute.StorageProfile{ImageReference: &armcompute.ImageReference{ID: made.ID}}
	got := finish(s.vms().BeginCreateOrUpdate(ctx, "rg", "clone", clone, nil))(t)
	if *got.Properties.StorageProfile.ImageReference.ID != *made.ID || s.power("clone") != "running" {
		t.Errorf("the clone is of %s and %s", *got.Properties.StorageProfile.ImageReference.ID, s.power("clone"))
	}
	if n := len(all(t, images.NewListByResourceGroupPager("rg", nil), func(p armcompute.ImagesClientListByResourceGroupResponse) []*armcompute.Image { return p.Value })); n != 1 {
		t.Errorf("%d images are listed, want 1", n)
	}
	finish(images.BeginDelete(ctx, "rg", "img", nil))(t)
	if s.power("clone") != "running" {
		t.Error("the clone ended with its image")
	}
	s.empty()
}

func TestCatalogue(t *testing.T) {
	s := newCloud(t).sdk()
	ctx, images := t.Context(), s.compute.NewVirtualMachineImagesClient()
	if got := must(images.ListPublishers(ctx, "local", nil))(t).VirtualMachineImageResourceArray; len(got) != 4 || *got[0].Name != "Debian" {
		t.Errorf("publishers = %v", got)
	}
	offers := must(images.ListOffers(ctx, "local", "debian", nil))(t).VirtualMachineImageResourceArray
	skus := must(images.ListSKUs(ctx, "local", "Debian", *offers[0].Name, nil))(t).VirtualMachineImageResourceArray
	versions := must(images.List(ctx, "local", "Debian", *offers[0].Name, *skus[0].Name, &armcompute.VirtualMachineImagesClientListOptions{Top: ptr[int32](1), Orderby: ptr("name desc")}))(t).VirtualMachineImageResourceArray
	got := must(images.Get(ctx, "local", "Debian", *offers[0].Name, *skus[0].Name, *versions[0].Name, nil))(t)
	if *got.Name != "12.20260101.0" || *got.Properties.OSDiskImage.OperatingSystem != armcompute.OperatingSystemTypesLinux {
		t.Errorf("image = %s %s", *got.Name, *got.Properties.OSDiskImage.OperatingSystem)
	}
	s.refused(404, "NotFound", "GET", s.provider("Compute", "locations/local/publishers/Debian/artifacttypes/vmimage/offers/debian-12/skus/12/versions/9.9.9"), "")
	sizes := all(t, s.compute.NewVirtualMachineSizesClient().NewListPager("local", nil), func(p armcompute.VirtualMachineSizesClientListResponse) []*armcompute.VirtualMachineSize {
		return p.Value
	})
	known := map[string]bool{}
	for _, z := range sizes {
		known[*z.Name] = true
	}
	for _, want := range []string{"Standard_B1s", "Standard_DS1_v2", "Standard_D2s_v5"} {
		if !known[want] {
			t.Errorf("the size %s is not listed", want)
		}
	}
	machines := 0
	for _, k := range all(t, s.compute.NewResourceSKUsClient().NewListPager(&armcompute.ResourceSKUsClientListOptions{Filter: ptr("location eq 'local'")}), func(p armcompute.ResourceSKUsClientListResponse) []*armcompute.ResourceSKU { return p.Value }) {
		if *k.ResourceType == "virtualMachines" {
			machines++
		}
	}
	if machines != len(sizes) {
		t.Errorf("there are %d SKUs of machines and %d sizes", machines, len(sizes))
	}
}
