package azurerm_test

import (
	"net/http"
	"testing"

	"github.com/hashicorp/go-azure-helpers/resourcemanager/commonids"
	"github.com/hashicorp/go-azure-sdk/resource-manager/compute/2021-07-01/sshpublickeys"
	"github.com/hashicorp/go-azure-sdk/resource-manager/compute/2022-03-01/images"
	"github.com/hashicorp/go-azure-sdk/resource-manager/compute/2023-04-02/disks"
	"github.com/hashicorp/go-azure-sdk/resource-manager/compute/2024-03-01/availabilitysets"
	"github.com/hashicorp/go-azure-sdk/resource-manager/compute/2024-03-01/virtualmachines"
)

func (p *provider) availabilitySet(t *testing.T) *resource {
	c, err := availabilitysets.NewAvailabilitySetsClientWithBaseURI(p.api)
	p.use(c.Client, err)
	id := commonids.NewAvailabilitySetID(p.SubscriptionID, "rg", "set")
	sent := model[availabilitysets.AvailabilitySet](t, `{"location":"local","sku":{"name":"Aligned"},"properties":{"platformFaultDomainCount":2,"platformUpdateDomainCount":5}}`)
	return &resource{
		name: "availability_set", sent: sent,
		get:    func() (*http.Response, any, error) { r, err := c.Get(p.ctx, id); return r.HttpResponse, r.Model, err },
		put:    func() error { _, err := c.CreateOrUpdate(p.ctx, id, sent); return err },
		remove: func() error { _, err := c.Delete(p.ctx, id); return err },
	}
}

func (p *provider) sshKey(t *testing.T) *resource {
	c, err := sshpublickeys.NewSshPublicKeysClientWithBaseURI(p.api)
	p.use(c.Client, err)
	id := sshpublickeys.NewSshPublicKeyID(p.SubscriptionID, "rg", "key")
	sent := model[sshpublickeys.SshPublicKeyResource](t, p.in(`{"location":"local","properties":{"publicKey":"KEY"}}`))
	return &resource{
		name: "ssh_public_key", sent: sent,
		get:    func() (*http.Response, any, error) { r, err := c.Get(p.ctx, id); return r.HttpResponse, r.Model, err },
		put:    func() error { _, err := c.Create(p.ctx, id, sent); return err },
		remove: func() error { _, err := c.Delete(p.ctx, id); return err },
	}
}

func (p *provider) machines() *virtualmachines.VirtualMachinesClient {
	c, err := virtualmachines.NewVirtualMachinesClientWithBaseURI(p.api)
	p.use(c.Client, err)
	return c
}

func (p *provider) machineID() virtualmachines.VirtualMachineId {
	return virtualmachines.NewVirtualMachineID(p.SubscriptionID, "rg", "vm")
}

// virtualMachine is a linux_virtual_machine, as azurerm sends it.
func (p *provider) virtualMachine(t *testing.T) *resource {
	c, id := p.machines(), p.machineID()
	sent := model[virtualmachines.VirtualMachine](t, p.in(`{"location":"local","tags":{"a":"b"},"properties":{
		"additionalCapabilities":{"hibernationEnabled":false,"ultraSSDEnabled":false},"extensionsTimeBudget":"PT1H30M",
		"availabilitySet":{"id":"ID:Microsoft.Compute/availabilitySets/set"},
		"diagnosticsProfile":{"bootDiagnostics":{"enabled":true}},"hardwareProfile":{"vmSize":"Standard_B1s"},
		"networkProfile":{"networkInterfaces":[{"id":"ID:Microsoft.Network/networkInterfaces/nic","properties":{"primary":true}}]},
		"osProfile":{"adminUsername":"azureuser","allowExtensionOperations":true,"computerName":"vm","secrets":[],
		 "linuxConfiguration":{"disablePasswordAuthentication":true,"patchSettings":{"assessmentMode":"ImageDefault","patchMode":"ImageDefault"},
		 "provisionVMAgent":true,"ssh":{"publicKeys":[{"keyData":"KEY","path":"/home/azureuser/.ssh/authorized_keys"}]}}},
		"priority":"Regular","storageProfile":{"dataDisks":[],"imageReference":{"publisher":"Debian","offer":"debian-12","sku":"12","version":"latest"},
		"osDisk":{"name":"vm_OsDisk","caching":"ReadWrite","createOption":"FromImage","managedDisk":{"storageAccountType":"Standard_LRS"},"osType":"Linux","writeAcceleratorEnabled":false}},
		"userData":"aGVsbG8="}}`))
	user := virtualmachines.InstanceViewTypesUserData
	read := func() (*http.Response, any, error) {
		r, err := c.Get(p.ctx, id, virtualmachines.GetOperationOptions{Expand: &user})
		if m := r.Model; m != nil && m.Properties.AdditionalCapabilities != nil {
			t.Errorf("additionalCapabilities are shown that nobody has: azurerm takes them for drift")
		}
		return r.HttpResponse, r.Model, err
	}
	compared, properties := sent, *sent.Properties
	properties.AdditionalCapabilities, properties.Priority = nil, nil // azurerm takes none for Regular
	compared.Properties = &properties
	return &resource{
		name: "virtual_machine", sent: compared, get: read,
		put: func() error {
			return c.CreateOrUpdateThenPoll(p.ctx, id, sent, virtualmachines.DefaultCreateOrUpdateOperationOptions())
		},
		remove: func() error { return c.DeleteThenPoll(p.ctx, id, virtualmachines.DefaultDeleteOperationOptions()) },
	}
}

func (p *provider) disks() *disks.DisksClient {
	c, err := disks.NewDisksClientWithBaseURI(p.api)
	p.use(c.Client, err)
	return c
}

func (p *provider) disk(t *testing.T) *resource {
	c, id := p.disks(), commonids.NewManagedDiskID(p.SubscriptionID, "rg", "data")
	sent := model[disks.Disk](t, `{"location":"local","sku":{"name":"Standard_LRS"},"properties":{"creationData":{"createOption":"Empty"},"diskSizeGB":4,
		"networkAccessPolicy":"AllowAll","publicNetworkAccess":"Enabled"}}`)
	return &resource{
		name: "managed_disk", sent: sent,
		get:    func() (*http.Response, any, error) { r, err := c.Get(p.ctx, id); return r.HttpResponse, r.Model, err },
		put:    func() error { return c.CreateOrUpdateThenPoll(p.ctx, id, sent) },
		remove: func() error { return c.DeleteThenPoll(p.ctx, id) },
	}
}

// image is one of the disk: what azurerm makes with os_disk blocks.
func (p *provider) image(t *testing.T) *resource {
	c, err := images.NewImagesClientWithBaseURI(p.api)
	p.use(c.Client, err)
	id := images.NewImageID(p.SubscriptionID, "rg", "img")
	sent := model[images.Image](t, p.in(`{"location":"local","properties":{"hyperVGeneration":"V1","storageProfile":{"osDisk":{"osType":"Linux","osState":"Generalized",
		"caching":"None","managedDisk":{"id":"ID:Microsoft.Compute/disks/data"}}}}}`))
	return &resource{
		name: "image", sent: sent,
		get: func() (*http.Response, any, error) {
			r, err := c.Get(p.ctx, id, images.DefaultGetOperationOptions())
			return r.HttpResponse, r.Model, err
		},
		put:    func() error { return c.CreateOrUpdateThenPoll(p.ctx, id, sent) },
		remove: func() error { return c.DeleteThenPoll(p.ctx, id) },
	}
}

// attach does what virtual_machine_data_disk_attachment does, there and back:
// it reads the machine, and writes all of it with other disks.
func (p *provider) attach(t *testing.T) {
	t.Helper()
	c, id := p.machines(), p.machineID()
	disk := model[virtualmachines.DataDisk](t, p.in(`{"caching":"ReadOnly","createOption":"Attach","lun":10,"name":"data",
		"managedDisk":{"id":"ID:Microsoft.Compute/disks/data","storageAccountType":"Standard_LRS"}}`))
	for _, want := range [][]virtualmachines.DataDisk{{disk}, {}} {
		got, err := c.Get(p.ctx, id, virtualmachines.DefaultGetOperationOptions())
		if err != nil {
			t.Fatal(err)
		}
		got.Model.Properties.StorageProfile.DataDisks, got.Model.Identity, got.Model.Resources = &want, nil, nil
		if err := c.CreateOrUpdateThenPoll(p.ctx, id, *got.Model, virtualmachines.DefaultCreateOrUpdateOperationOptions()); err != nil {
			t.Fatalf("attach %d disks: %v", len(want), err)
		}
		after, err := c.Get(p.ctx, id, virtualmachines.DefaultGetOperationOptions())
		if err != nil {
			t.Fatal(err)
		}
		if has := *after.Model.Properties.StorageProfile.DataDisks; len(has) != len(want) {
			t.Errorf("the machine has %d data disks, want %d", len(has), len(want))
		} else if len(want) > 0 {
			contains(t, "data disk", tree(t, want), tree(t, has))
		}
	}
}

// reads does what azurerm reads besides: the disk of the system, as a disk.
func (p *provider) reads(t *testing.T) {
	t.Helper()
	got, err := p.disks().Get(p.ctx, commonids.NewManagedDiskID(p.SubscriptionID, "rg", "vm_OsDisk"))
	if err != nil || *got.Model.ManagedBy != p.machineID().ID() {
		t.Errorf("the system's disk is %+v: %v", got.Model, err)
	}
}

// removesOSDisk: azurerm deletes the disk itself once the machine is gone.
func (p *provider) removesOSDisk(t *testing.T) {
	t.Helper()
	if err := p.disks().DeleteThenPoll(p.ctx, commonids.NewManagedDiskID(p.SubscriptionID, "rg", "vm_OsDisk")); err != nil {
		t.Error(err)
	}
}
