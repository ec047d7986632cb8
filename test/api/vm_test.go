package api_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"
)

func (s *sdk) vms() *armcompute.VirtualMachinesClient { return s.compute.NewVirtualMachinesClient() }

func (c *cloud) machine(nic string) armcompute.VirtualMachine {
	return armcompute.VirtualMachine{Location: ptr("local"), Tags: map[string]*string{"a": ptr("b")}, Properties: &armcompute.VirtualMachineProperties{
		HardwareProfile: &armcompute.HardwareProfile{VMSize: ptr(armcompute.VirtualMachineSizeTypesStandardB1S)},
		StorageProfile: &armcompute.StorageProfile{
			ImageReference: &armcompute.ImageReference{Publisher: ptr("Debian"), Offer: ptr("debian-12"), SKU: ptr("12"), Version: ptr("latest")},
			OSDisk:         &armcompute.OSDisk{CreateOption: ptr(armcompute.DiskCreateOptionTypesFromImage), Name: ptr("osdisk")},
			DataDisks:      []*armcompute.DataDisk{{Lun: ptr[int32](3), CreateOption: ptr(armcompute.DiskCreateOptionTypesEmpty), DiskSizeGB: ptr[int32](4), Name: ptr("data")}},
		},
		OSProfile: &armcompute.OSProfile{
			ComputerName: ptr("vm"), AdminUsername: ptr("azureuser"),
			LinuxConfiguration: &armcompute.LinuxConfiguration{DisablePasswordAuthentication: ptr(true), SSH: &armcompute.SSHConfiguration{
				PublicKeys: []*armcompute.SSHPublicKey{{KeyData: ptr(publicKey), Path: ptr("/home/azureuser/.ssh/authorized_keys")}},
			}},
		},
		NetworkProfile:     &armcompute.NetworkProfile{NetworkInterfaces: []*armcompute.NetworkInterfaceReference{{ID: ptr(c.network("networkInterfaces/" + nic))}}},
		DiagnosticsProfile: &armcompute.DiagnosticsProfile{BootDiagnostics: &armcompute.BootDiagnostics{Enabled: ptr(true)}},
	}}
}

func TestMachine(t *testing.T) {
	s := newCloud(t).furnished().sdk()
	ctx := t.Context()
	made := finish(s.vms().BeginCreateOrUpdate(ctx, "rg", "vm", s.machine("nic1"), nil))(t)
	p := made.Properties
	if *p.ProvisioningState != "Succeeded" || *p.StorageProfile.OSDisk.DiskSizeGB != 2 || *p.StorageProfile.ImageReference.ExactVersion != "12.20260101.0" {
		t.Errorf("made: %s, %d GiB, %s", *p.ProvisioningState, *p.StorageProfile.OSDisk.DiskSizeGB, *p.StorageProfile.ImageReference.ExactVersion)
	}
	if p.OSProfile.AdminPassword != nil || p.OSProfile.CustomData != nil {
		t.Error("the machine tells its secrets")
	}
	got := must(s.vms().Get(ctx, "RG", "VM", &armcompute.VirtualMachinesClientGetOptions{Expand: ptr(armcompute.InstanceViewTypesInstanceView)}))(t)
	if *got.Name != "vm" || *got.Properties.InstanceView.ComputerName != "vm" || len(got.Properties.InstanceView.Disks) != 2 {
		t.Errorf("get = %s, with the view %+v", *got.Name, got.Properties.InstanceView)
	}
	tagged := finish(s.vms().BeginUpdate(ctx, "rg", "vm", armcompute.VirtualMachineUpdate{Tags: map[string]*string{"x": ptr("y")}}, nil))(t)
	if len(tagged.Tags) != 1 || *tagged.Tags["x"] != "y" {
		t.Errorf("tags = %v, want the new ones", tagged.Tags)
	}
	bootLog(t, s)
	power(t, s)
	finish(s.vms().BeginDelete(ctx, "rg", "vm", nil))(t)
	_, err := s.vms().Get(ctx, "rg", "vm", nil)
	if re, ok := errors.AsType[*azcore.ResponseError](err); !ok || re.StatusCode != 404 || re.ErrorCode != "ResourceNotFound" {
		t.Errorf("after its end the machine = %v", err)
	}
	for _, d := range []string{"osdisk", "data"} {
		if got := s.want(200, "GET", s.cloud.compute("disks/"+d), "").get("properties.diskState"); got != "Unattached" {
			t.Errorf("disk %s is %v, want it to outlive its machine", d, got)
		}
	}
	s.empty()
}

// bootLog: the log's URL works by itself, for this log only.
func bootLog(t *testing.T, s *sdk) {
	t.Helper()
	got := must(s.vms().RetrieveBootDiagnosticsData(t.Context(), "rg", "vm", nil))(t)
	url := *got.SerialConsoleLogBlobURI
	if r := s.want(200, "GET", url, "", "Authorization", ""); !strings.Contains(string(r.body), "boot 1") {
		t.Errorf("the log = %q", r.body)
	}
	s.refused(403, "AuthenticationFailed", "GET", strings.Replace(url, "sig=", "sig=A", 1), "", "Authorization", "")
	s.refused(403, "AuthenticationFailed", "GET", strings.Replace(url, "virtualMachines/vm/", "virtualMachines/other/", 1), "", "Authorization", "")
	s.refused(403, "AuthenticationFailed", "DELETE", url, "", "Authorization", "")
}

// power: each action leaves the machine as it says.
func power(t *testing.T, s *sdk) {
	t.Helper()
	ctx, vms := t.Context(), s.vms()
	steps := []struct {
		name string
		do   func()
		want string
	}{
		{"create", func() {}, "running"},
		{"restart", func() { finish(vms.BeginRestart(ctx, "rg", "vm", nil))(t) }, "running"},
		{"power off", func() { finish(vms.BeginPowerOff(ctx, "rg", "vm", nil))(t) }, "stopped"},
		{"start", func() { finish(vms.BeginStart(ctx, "rg", "vm", nil))(t) }, "running"},
		{"cut the power", func() {
			finish(vms.BeginPowerOff(ctx, "rg", "vm", &armcompute.VirtualMachinesClientBeginPowerOffOptions{SkipShutdown: ptr(true)}))(t)
		}, "stopped"},
		{"deallocate", func() { finish(vms.BeginDeallocate(ctx, "rg", "vm", nil))(t) }, "deallocated"},
		{"deallocate again", func() { finish(vms.BeginDeallocate(ctx, "rg", "vm", nil))(t) }, "deallocated"},
		{"start again", func() { finish(vms.BeginStart(ctx, "rg", "vm", nil))(t) }, "running"},
		{"redeploy", func() { finish(vms.BeginRedeploy(ctx, "rg", "vm", nil))(t) }, "running"},
		{"deallocate for good", func() { finish(vms.BeginDeallocate(ctx, "rg", "vm", nil))(t) }, "deallocated"},
		{"generalize", func() { must(vms.Generalize(ctx, "rg", "vm", nil))(t) }, "deallocated"},
	}
	for _, step := range steps {
		step.do()
		if got := s.power("vm"); got != step.want {
			t.Errorf("after %q the machine is %s, want %s", step.name, got, step.want)
		}
		if ran := len(s.host.Running()) == 1; ran != (step.want == "running") {
			t.Errorf("after %q it runs on the host: %t", step.name, ran)
		}
	}
	s.refused(409, "OperationNotAllowed", "POST", s.cloud.compute("virtualMachines/vm/start"), "")
	s.refused(409, "OperationNotAllowed", "POST", s.cloud.compute("virtualMachines/vm/restart"), "")
}

func TestLists(t *testing.T) {
	s := newCloud(t).furnished().sdk()
	for i := range 3 {
		vm := fmt.Sprintf("vm%d", i+1)
		s.done("PUT", s.cloud.compute("virtualMachines/"+vm), s.vmBody("nic"+vm[2:]).String())
	}
	names := func(vms []*armcompute.VirtualMachine) (names []string) {
		for _, v := range vms {
			names = append(names, *v.Name)
		}
		slices.Sort(names)
		return names
	}
	want := []string{"vm1", "vm2", "vm3"}
	if got := names(all(t, s.vms().NewListPager("rg", nil), func(p armcompute.VirtualMachinesClientListResponse) []*armcompute.VirtualMachine { return p.Value })); !slices.Equal(got, want) {
		t.Errorf("in the group: %v, want %v", got, want)
	}
	if got := names(all(t, s.vms().NewListAllPager(nil), func(p armcompute.VirtualMachinesClientListAllResponse) []*armcompute.VirtualMachine { return p.Value })); !slices.Equal(got, want) {
		t.Errorf("in the subscription: %v, want %v", got, want)
	}
	for name, first := range map[string]string{
		"of the subscription": s.provider("Compute", "virtualMachines"),
		"of the group":        s.cloud.compute("virtualMachines"),
		"in another case":     strings.ToUpper(s.cloud.compute("virtualMachines")),
	} {
		t.Run(name, func(t *testing.T) {
			c := s.in(t)
			var got []string
			pages := 0
			for next := first + "?$top=2&api-version=" + version; next != ""; pages++ {
				r := c.want(200, "GET", next, "")
				for _, v := range r.get("value").([]any) {
					got = append(got, at(v, "name").(string))
				}
				if next, _ = r.get("nextLink").(string); next != "" && !strings.HasPrefix(next, c.Endpoint+"/") {
					t.Fatalf("nextLink = %s, want it below %s", next, c.Endpoint)
				}
			}
			if slices.Sort(got); pages != 2 || !slices.Equal(got, want) {
				t.Errorf("%d pages = %v, want 2 with %v", pages, got, want)
			}
		})
	}
	c := s.cloud
	c.want(200, "GET", c.provider("Compute", "locations/local/usages"), "")
	c.want(201, "PUT", c.group("other"), `{"location":"local"}`)
	if got := c.want(200, "GET", c.group("other")+"/providers/Microsoft.Compute/virtualMachines", "").get("value"); len(got.([]any)) != 0 {
		t.Errorf("in another group there are %v", got)
	}
	c.refused(404, "ResourceGroupNotFound", "GET", c.group("nothing")+"/providers/Microsoft.Compute/virtualMachines", "")
}
