package e2e

import (
	"lazuli/test/e2e/cloudtest"
)

// Types of resources, as they are in ids.
const (
	vmType       = "Microsoft.Compute/virtualMachines"
	diskType     = "Microsoft.Compute/disks"
	nicType      = "Microsoft.Network/networkInterfaces"
	publicIPType = "Microsoft.Network/publicIPAddresses"
	vnetType     = "Microsoft.Network/virtualNetworks"
)

// object is a part of a body.
type object = map[string]any

// makeNIC makes an interface with a public address in the network "net", which
// is made when it is not there. No security group is on it.
func makeNIC(a *cloudtest.API, name string) (id string) {
	a.Must("PUT", a.Group("default"), object{"location": a.Location()}, nil)
	vnet := a.ID(vnetType, "net")
	a.Must("PUT", vnet, object{"location": a.Location(), "properties": object{
		"addressSpace": object{"addressPrefixes": []string{"10.0.0.0/16"}},
		"subnets":      []object{{"name": "default", "properties": object{"addressPrefix": "10.0.0.0/24"}}},
	}}, nil)
	ip := a.ID(publicIPType, name)
	a.Must("PUT", ip, object{"location": a.Location(), "sku": object{"name": "Standard"},
		"properties": object{"publicIPAllocationMethod": "Static"}}, nil)
	id = a.ID(nicType, name)
	a.Must("PUT", id, object{"location": a.Location(), "properties": object{"ipConfigurations": []object{{
		"name": "main", "properties": object{"subnet": object{"id": vnet + "/subnets/default"}, "publicIPAddress": object{"id": ip}},
	}}}}, nil)
	return id
}

// vmBody is a small machine of the tiny guest. Its disk has the machine's name.
func vmBody(c *cloudtest.Cloud, a *cloudtest.API, name, nic string) object {
	return object{"location": a.Location(), "properties": object{
		"hardwareProfile": object{"vmSize": "Standard_B1ls"},
		"storageProfile": object{
			"imageReference": object{"publisher": "Lazuli", "offer": "tiny", "sku": "1", "version": "latest"},
			"osDisk":         object{"name": name, "createOption": "FromImage", "deleteOption": "Delete"},
		},
		"osProfile": object{"computerName": name, "adminUsername": "azureuser", "linuxConfiguration": object{
			"disablePasswordAuthentication": true,
			"ssh": object{"publicKeys": []object{{
				"path": "/home/azureuser/.ssh/authorized_keys", "keyData": c.PublicKey(),
			}}},
		}},
		"networkProfile": object{"networkInterfaces": []object{{"id": nic, "properties": object{"deleteOption": "Delete"}}}},
	}}
}

// dataDisks is the body that gives a machine these data disks, at LUN 0 and up,
// and no others.
func dataDisks(ids ...string) object {
	disks := []object{}
	for lun, id := range ids {
		disks = append(disks, object{"lun": lun, "createOption": "Attach", "managedDisk": object{"id": id}})
	}
	return object{"properties": object{"storageProfile": object{"dataDisks": disks}}}
}

// emptyDisk is the body of a disk.
func emptyDisk(a *cloudtest.API, gib int) object {
	return object{"location": a.Location(), "properties": object{"diskSizeGB": gib, "creationData": object{"createOption": "Empty"}}}
}
