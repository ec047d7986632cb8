package cli

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/network/armnetwork/v11"
	"github.com/google/go-cmp/cmp"
)

// readMachine is a machine as the SDK reads it.
func readMachine(t *testing.T, body string) *machine {
	t.Helper()
	m := &machine{VirtualMachine: &armcompute.VirtualMachine{}}
	if err := json.Unmarshal([]byte(body), m.VirtualMachine); err != nil {
		t.Fatal(err)
	}
	return m
}

func TestState(t *testing.T) {
	const running = `,"instanceView":{"statuses":[{"code":"ProvisioningState/succeeded"},{"code":"powerstate/Running","displayStatus":"VM running"}]}`
	for name, c := range map[string]struct{ body, want string }{
		"running":  {`{"properties":{"provisioningState":"Succeeded"` + running + `}}`, "running"},
		"creating": {`{"properties":{"provisioningState":"Creating"` + running + `}}`, "creating"},
		"updating": {`{"properties":{"provisioningState":"Updating"` + running + `}}`, "running"},
		"failed":   {`{"properties":{"provisioningState":"Failed"` + running + `}}`, "failed"},
		"no view":  {`{"properties":{"provisioningState":"Succeeded"}}`, "succeeded"},
		"nothing":  {`{}`, ""},
	} {
		if got := readMachine(t, c.body).state(); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestMachineOfNothing(t *testing.T) {
	m := readMachine(t, `{"properties":{"storageProfile":{"dataDisks":[{"lun":3}]},"osProfile":{}}}`)
	if got := m.describe(); len(*got) == 0 {
		t.Error("nothing to tell of it")
	}
	if m.size()+m.image()+m.power()+m.name()+m.alias() != "" || m.publicKeys() != nil || m.nicIDs() != nil {
		t.Error("something was made up")
	}
}

func TestImageName(t *testing.T) {
	for name, c := range map[string]struct{ body, want string }{
		"offer":   {`{"offer":"debian-12","sku":"12"}`, "debian-12"},
		"managed": {`{"id":"/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/images/gold"}`, "gold"},
	} {
		if got := readMachine(t, `{"properties":{"storageProfile":{"imageReference":`+c.body+`}}}`).image(); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestAddress(t *testing.T) {
	m := readMachine(t, `{"properties":{"networkProfile":{"networkInterfaces":[{"id":"/b"},{"id":"/A","properties":{"primary":true}},{"id":"/gone"}]}}}`)
	nic := func(id, private, public string) *armnetwork.Interface {
		config := &armnetwork.InterfaceIPConfigurationPropertiesFormat{PrivateIPAddress: &private}
		if public != "" {
			config.PublicIPAddress = &armnetwork.PublicIPAddress{ID: &public}
		}
		return &armnetwork.Interface{ID: &id, Properties: &armnetwork.InterfacePropertiesFormat{IPConfigurations: []*armnetwork.InterfaceIPConfiguration{{Properties: config}}}}
	}
	nics := byID([]*armnetwork.Interface{nic("/a", "10.0.0.4", "/IP"), nic("/B", "10.0.0.5", "/gone")}, func(n *armnetwork.Interface) *string { return n.ID })
	ips := byID([]*armnetwork.PublicIPAddress{{ID: to.Ptr("/ip"), Properties: &armnetwork.PublicIPAddressPropertiesFormat{IPAddress: to.Ptr("198.18.0.5")}}},
		func(p *armnetwork.PublicIPAddress) *string { return p.ID })
	if err := m.address(nics, ips); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"10.0.0.4", "10.0.0.5"}, m.privateIPs); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"198.18.0.5"}, m.publicIPs); diff != "" {
		t.Error(diff)
	}
	b, err := json.Marshal([]*machine{m})
	if err != nil || !strings.Contains(string(b), `"publicIps":"198.18.0.5"`) || !strings.Contains(string(b), `"networkProfile"`) {
		t.Errorf("%s, %v", b, err)
	}
}

func TestFreeLUN(t *testing.T) {
	disk := func(lun int32) *armcompute.DataDisk { return &armcompute.DataDisk{Lun: &lun} }
	full := make([]*armcompute.DataDisk, 0, maxLUN+1)
	for i := range int32(maxLUN + 1) {
		full = append(full, disk(i))
	}
	for want, disks := range map[int32][]*armcompute.DataDisk{0: {disk(1), disk(2)}, 1: {disk(0), disk(2)}, 64: full} {
		if got := freeLUN(disks); got != want {
			t.Errorf("freeLUN = %d, want %d", got, want)
		}
	}
}

func TestDeletionSaysWhatGoes(t *testing.T) {
	const body = `{"name":"web1","properties":{"storageProfile":{"osDisk":{"name":"os","deleteOption":"Delete"},
		"dataDisks":[{"name":"d1","deleteOption":"Detach"},{"name":"d2","deleteOption":"Delete"},{"name":"d3"}]}}}`
	for want, o := range map[string]deleteOptions{
		"This deletes the virtual machine web1 with the disks os, d2; the disks d1, d3 are kept.": {},
		"This deletes the virtual machine web1; the disks os, d1, d2, d3 are kept.":               {keepDisks: true},
		"This deletes the virtual machine web1 with the disks os, d1, d2, d3.":                    {deleteDisks: true},
	} {
		m := readMachine(t, body)
		setDeleteOptions(m.storage(), &o)
		if got := m.deletion(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestQuoted(t *testing.T) {
	if got, want := quoted([]string{"ssh", "-o", "A=b", "it's", "", "a b"}), `ssh -o A=b 'it'\''s' '' 'a b'`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
