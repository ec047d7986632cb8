package api_test

import (
	"slices"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"
	"golang.org/x/crypto/ssh"
)

func TestAvailabilitySet(t *testing.T) {
	s := newCloud(t).furnished().sdk()
	ctx, sets := t.Context(), s.compute.NewAvailabilitySetsClient()
	set := must(sets.CreateOrUpdate(ctx, "rg", "set", armcompute.AvailabilitySet{
		Location: ptr("local"), SKU: &armcompute.SKU{Name: ptr("Aligned")},
		Properties: &armcompute.AvailabilitySetProperties{PlatformFaultDomainCount: ptr[int32](2)},
	}, nil))(t)
	vm := s.machine("nic1")
	vm.Properties.AvailabilitySet = &armcompute.SubResource{ID: set.ID}
	made := finish(s.vms().BeginCreateOrUpdate(ctx, "rg", "vm", vm, nil))(t)
	if got := *made.Properties.AvailabilitySet.ID; got != *set.ID {
		t.Errorf("the machine is in %s, want %s", got, *set.ID)
	}
	view := must(s.vms().InstanceView(ctx, "rg", "vm", nil))(t)
	if view.PlatformFaultDomain == nil || *view.PlatformFaultDomain != 0 || view.PlatformUpdateDomain == nil {
		t.Errorf("its domains are %v and %v", view.PlatformFaultDomain, view.PlatformUpdateDomain)
	}
	got := must(sets.Update(ctx, "rg", "set", armcompute.AvailabilitySetUpdate{Tags: map[string]*string{"a": ptr("b")}}, nil))(t)
	if vms := got.Properties.VirtualMachines; len(vms) != 1 || *vms[0].ID != *made.ID || *got.Tags["a"] != "b" {
		t.Errorf("the set is %+v", got)
	}
	for name, sizes := range map[string]int{
		"of the set": len(all(t, sets.NewListAvailableSizesPager("rg", "set", nil), func(p armcompute.AvailabilitySetsClientListAvailableSizesResponse) []*armcompute.VirtualMachineSize {
			return p.Value
		})),
		"of the machine": len(all(t, s.vms().NewListAvailableSizesPager("rg", "vm", nil), func(p armcompute.VirtualMachinesClientListAvailableSizesResponse) []*armcompute.VirtualMachineSize {
			return p.Value
		})),
	} {
		if sizes == 0 {
			t.Errorf("there are no sizes %s", name)
		}
	}
	in := all(t, sets.NewListPager("rg", nil), func(p armcompute.AvailabilitySetsClientListResponse) []*armcompute.AvailabilitySet { return p.Value })
	everywhere := all(t, sets.NewListBySubscriptionPager(nil), func(p armcompute.AvailabilitySetsClientListBySubscriptionResponse) []*armcompute.AvailabilitySet {
		return p.Value
	})
	if len(in) != 1 || len(everywhere) != 1 {
		t.Errorf("listed %d and %d, want 1 and 1", len(in), len(everywhere))
	}
	s.refused(409, "OperationNotAllowed", "DELETE", s.cloud.compute("availabilitySets/set"), "")
	finish(s.vms().BeginDelete(ctx, "rg", "vm", nil))(t)
	must(sets.Delete(ctx, "rg", "set", nil))(t)
	s.empty()
}

func TestPublicKeys(t *testing.T) {
	s := newCloud(t).furnished().sdk()
	ctx, keys := t.Context(), s.compute.NewSSHPublicKeysClient()
	must(keys.Create(ctx, "rg", "key", armcompute.SSHPublicKeyResource{Location: ptr("local")}, nil))(t)
	pair := must(keys.GenerateKeyPair(ctx, "rg", "key", &armcompute.SSHPublicKeysClientGenerateKeyPairOptions{
		Parameters: &armcompute.SSHGenerateKeyPairInputParameters{EncryptionType: ptr(armcompute.SSHEncryptionTypesEd25519)},
	}))(t)
	if _, err := ssh.ParsePrivateKey([]byte(*pair.PrivateKey)); err != nil {
		t.Errorf("the private key: %v", err)
	}
	key := must(keys.Get(ctx, "rg", "key", nil))(t)
	if *key.Properties.PublicKey != *pair.PublicKey {
		t.Errorf("the key is %s, want %s", *key.Properties.PublicKey, *pair.PublicKey)
	}
	vm := s.machine("nic1")
	vm.Properties.OSProfile.LinuxConfiguration.SSH.PublicKeys[0].KeyData = key.Properties.PublicKey
	finish(s.vms().BeginCreateOrUpdate(ctx, "rg", "vm", vm, nil))(t)
	must(keys.Update(ctx, "rg", "key", armcompute.SSHPublicKeyUpdateResource{Tags: map[string]*string{"a": ptr("b")}}, nil))(t)
	in := all(t, keys.NewListByResourceGroupPager("rg", nil), func(p armcompute.SSHPublicKeysClientListByResourceGroupResponse) []*armcompute.SSHPublicKeyResource {
		return p.Value
	})
	everywhere := all(t, keys.NewListBySubscriptionPager(nil), func(p armcompute.SSHPublicKeysClientListBySubscriptionResponse) []*armcompute.SSHPublicKeyResource {
		return p.Value
	})
	if len(in) != 1 || len(everywhere) != 1 || *in[0].Tags["a"] != "b" {
		t.Errorf("listed %d and %d, want 1 and 1", len(in), len(everywhere))
	}
	must(keys.Delete(ctx, "rg", "key", nil))(t)
	s.empty()
}

func TestAttachDetach(t *testing.T) {
	s := newCloud(t).withVM().sdk()
	for _, name := range []string{"a", "b"} {
		s.done("PUT", s.cloud.compute("disks/"+name), s.diskBody().String())
	}
	change := func(attach, detach []string) (luns []int32) {
		t.Helper()
		var r armcompute.AttachDetachDataDisksRequest
		for _, name := range attach {
			r.DataDisksToAttach = append(r.DataDisksToAttach, &armcompute.DataDisksToAttach{DiskID: ptr(s.cloud.compute("disks/" + name))})
		}
		for _, name := range detach {
			r.DataDisksToDetach = append(r.DataDisksToDetach, &armcompute.DataDisksToDetach{DiskID: ptr(s.cloud.compute("disks/" + name))})
		}
		got := finish(s.vms().BeginAttachDetachDataDisks(t.Context(), "rg", "vm", r, nil))(t)
		for _, d := range got.DataDisks {
			luns = append(luns, *d.Lun)
		}
		return luns
	}
	if got := change([]string{"a", "b"}, nil); !slices.Equal(got, []int32{0, 1}) {
		t.Errorf("attached at %v, want 0 and 1", got)
	}
	if got := change(nil, []string{"a"}); !slices.Equal(got, []int32{1}) {
		t.Errorf("left at %v, want 1", got)
	}
	for name, state := range map[string]string{"a": "Unattached", "b": "Attached"} {
		if got := s.want(200, "GET", s.cloud.compute("disks/"+name), "").get("properties.diskState"); got != state {
			t.Errorf("disk %s is %v, want %s", name, got, state)
		}
	}
	s.empty()
}

func TestReimage(t *testing.T) {
	s := newCloud(t).furnished().sdk()
	ctx := t.Context()
	vm := s.machine("nic1")
	vm.Properties.StorageProfile.OSDisk.DeleteOption = ptr(armcompute.DiskDeleteOptionTypesDelete)
	before := finish(s.vms().BeginCreateOrUpdate(ctx, "rg", "vm", vm, nil))(t)
	finish(s.vms().BeginReimage(ctx, "rg", "vm", nil))(t)
	after := must(s.vms().Get(ctx, "rg", "vm", nil))(t)
	if was, is := *before.Properties.StorageProfile.OSDisk.ManagedDisk.ID, *after.Properties.StorageProfile.OSDisk.ManagedDisk.ID; was == is {
		t.Errorf("the OS disk is still %s", is)
	}
	if got := after.Properties.StorageProfile.DataDisks; len(got) != 1 || *got[0].Name != "data" {
		t.Errorf("its data disks are %v", got)
	}
	if s.power("vm") != "running" || len(s.host.Running()) != 1 {
		t.Errorf("the machine is %s", s.power("vm"))
	}
	s.until("the old disk is gone", func() bool {
		return s.do("GET", s.cloud.compute("disks/osdisk"), "").StatusCode == 404
	})
	s.empty()
}
