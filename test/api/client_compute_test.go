package api_test

import (
	"reflect"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"
)

// listed is how many items the pages of a list have together.
func listed[P any](t testing.TB, pager *runtime.Pager[P]) (n int) {
	t.Helper()
	for pager.More() {
		page := must(pager.NextPage(t.Context()))(t)
		n += reflect.ValueOf(page).FieldByName("Value").Len()
	}
	return n
}

// wantListed holds lists to how much they have.
func wantListed(t testing.TB, want int, lists map[string]int) {
	t.Helper()
	for what, n := range lists {
		if n != want {
			t.Errorf("%s: %d are listed, want %d", what, n, want)
		}
	}
}

var tags = map[string]*string{"a": ptr("b")}

// What the clients of compute can read, they read: each thing by its name and
// in its lists.
func TestComputeIsRead(t *testing.T) {
	s := newCloud(t).withVM().sdk()
	ctx, c := t.Context(), s.compute
	sets, disks, images := c.NewAvailabilitySetsClient(), c.NewDisksClient(), c.NewImagesClient()
	must(sets.CreateOrUpdate(ctx, "rg", "set", armcompute.AvailabilitySet{Location: ptr("local")}, nil))(t)
	if got := must(sets.Get(ctx, "rg", "set", nil))(t); *got.SKU.Name != "Classic" {
		t.Errorf("the set is %s, want Classic, as none was said", *got.SKU.Name)
	}
	if got := must(disks.Get(ctx, "rg", "osdisk", nil))(t); *got.ManagedBy != s.cloud.compute("virtualMachines/vm") {
		t.Errorf("the disk is managed by %s", *got.ManagedBy)
	}
	disk := finish(disks.BeginCreateOrUpdate(ctx, "rg", "disk", s.disk(armcompute.DiskCreateOptionEmpty, 4, ""), nil))(t)
	finish(images.BeginCreateOrUpdate(ctx, "rg", "img", armcompute.Image{Location: ptr("local"), Properties: &armcompute.ImageProperties{
		StorageProfile: &armcompute.ImageStorageProfile{OSDisk: &armcompute.ImageOSDisk{
			OSType: ptr(armcompute.OperatingSystemTypesLinux), OSState: ptr(armcompute.OperatingSystemStateTypesGeneralized), ManagedDisk: &armcompute.SubResource{ID: disk.ID},
		}},
	}}, nil))(t)
	finish(images.BeginUpdate(ctx, "rg", "img", armcompute.ImageUpdate{Tags: tags}, nil))(t)
	if got := must(images.Get(ctx, "rg", "img", nil))(t); *got.Tags["a"] != "b" || *got.Properties.StorageProfile.OSDisk.ManagedDisk.ID != *disk.ID {
		t.Errorf("the image is %+v", got)
	}
	wantListed(t, 1, map[string]int{"images": listed(t, images.NewListPager(nil))})
	wantListed(t, 2, map[string]int{"disks": listed(t, disks.NewListByResourceGroupPager("rg", nil))})
	finish(s.vms().BeginReapply(ctx, "rg", "vm", nil))(t)
	if got := s.power("vm"); got != "running" {
		t.Errorf("after it was applied again the machine is %s", got)
	}
	s.empty()
}

// The lists of the place have what machines can be made of, and how much of it
// is used.
func TestComputeOfThePlace(t *testing.T) {
	s := newCloud(t).withVM().sdk()
	used := map[string]int32{}
	for _, u := range all(t, s.compute.NewUsageClient().NewListPager("local", nil), func(p armcompute.UsageClientListResponse) []*armcompute.Usage { return p.Value }) {
		used[*u.Name.Value] = *u.CurrentValue
	}
	if used["virtualMachines"] != 1 || used["cores"] != 1 {
		t.Errorf("used: %v, want one machine with one core", used)
	}
	images := must(s.compute.NewVirtualMachineImagesClient().ListWithProperties(t.Context(), "local", "Debian", "debian-12", "12", "properties", nil))(t)
	for _, i := range images.VirtualMachineImageArray {
		if i.Properties == nil || *i.Properties.OSDiskImage.OperatingSystem != armcompute.OperatingSystemTypesLinux {
			t.Errorf("%s has no properties", *i.Name)
		}
	}
	if len(images.VirtualMachineImageArray) == 0 {
		t.Error("there are no images")
	}
}
