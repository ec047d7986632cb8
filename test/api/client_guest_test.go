package api_test

import (
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armresources/v4"
)

// Extensions are put on a machine, changed, listed and taken off, and there
// are lists of which there are.
func TestExtensions(t *testing.T) {
	s := newCloud(t).withVM().sdk()
	ctx, x := t.Context(), s.compute.NewVirtualMachineExtensionsClient()
	made := finish(x.BeginCreateOrUpdate(ctx, "rg", "vm", "script", armcompute.VirtualMachineExtension{Location: ptr("local"), Properties: &armcompute.VirtualMachineExtensionProperties{
		Publisher: ptr("Microsoft.Azure.Extensions"), Type: ptr("CustomScript"), TypeHandlerVersion: ptr("2.1"), AutoUpgradeMinorVersion: ptr(true),
		Settings: map[string]any{"commandToExecute": "true"},
	}}, nil))(t)
	if *made.Properties.ProvisioningState != "Succeeded" || *made.Properties.Type != "CustomScript" {
		t.Errorf("the extension %s is %s", *made.Properties.Type, *made.Properties.ProvisioningState)
	}
	finish(x.BeginUpdate(ctx, "rg", "vm", "script", armcompute.VirtualMachineExtensionUpdate{Tags: tags}, nil))(t)
	finish(s.resources.NewClient().BeginUpdate(ctx, "rg", "Microsoft.Compute", "virtualMachines/vm", "extensions", "script", version, armresources.GenericResource{Tags: tags}, nil))(t)
	if got := must(x.Get(ctx, "rg", "vm", "script", nil))(t); *got.Tags["a"] != "b" {
		t.Errorf("the extension has the tags %v", got.Tags)
	}
	if got := must(x.List(ctx, "rg", "vm", nil))(t).Value; len(got) != 1 {
		t.Errorf("%d extensions are listed, want 1", len(got))
	}
	finish(x.BeginDelete(ctx, "rg", "vm", "script", nil))(t)
	if got := must(x.List(ctx, "rg", "vm", nil))(t).Value; len(got) != 0 {
		t.Errorf("%d extensions are listed, want none", len(got))
	}
	kinds := s.compute.NewVirtualMachineExtensionImagesClient()
	const publisher, kind = "Microsoft.Azure.Extensions", "CustomScript"
	types := must(kinds.ListTypes(ctx, "local", publisher, nil))(t).VirtualMachineExtensionImageArray
	versions := must(kinds.ListVersions(ctx, "local", publisher, kind, nil))(t).VirtualMachineExtensionImageArray
	if len(types) != 1 || *types[0].Name != kind || len(versions) != 1 {
		t.Fatalf("there are %d types and %d versions", len(types), len(versions))
	}
	if got := must(kinds.Get(ctx, "local", publisher, kind, *versions[0].Name, nil))(t); *got.Properties.OperatingSystem != "Linux" {
		t.Errorf("the extension is for %s", *got.Properties.OperatingSystem)
	}
	s.empty()
}

// A command is run in the guest, and says what came of it.
func TestRunCommand(t *testing.T) {
	s := newCloud(t).withVM().sdk()
	got := finish(s.vms().BeginRunCommand(t.Context(), "rg", "vm", armcompute.RunCommandInput{CommandID: ptr("RunShellScript"), Script: []*string{ptr("true")}}, nil))(t)
	if len(got.Value) == 0 || *got.Value[0].Code != "ProvisioningState/succeeded" {
		t.Errorf("the command came to %+v", got.Value)
	}
	commands := s.compute.NewVirtualMachineRunCommandsClient()
	wantListed(t, listed(t, commands.NewListPager("local", nil)), map[string]int{"kinds of commands": len(shells(t, s))})
	if got := must(commands.Get(t.Context(), "local", "RunShellScript", nil))(t); *got.OSType != armcompute.OperatingSystemTypesLinux {
		t.Errorf("it is for %s", *got.OSType)
	}
	s.empty()
}

// shells are the commands that there are, all for Linux.
func shells(t *testing.T, s *sdk) (all []any) {
	t.Helper()
	list := s.want(200, "GET", s.provider("Compute", "locations/local/runCommands"), "").get("value").([]any)
	for _, c := range list {
		if at(c, "osType") == "Linux" {
			all = append(all, c)
		}
	}
	return all
}
