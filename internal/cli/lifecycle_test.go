package cli

import (
	"bytes"
	"context"
	"errors"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/network/armnetwork/v11"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armresources/v4"
	"github.com/google/go-cmp/cmp"
)

// testCloud is a cloud of its own and a client of it, with the default group.
func testCloud(t *testing.T) *cloud {
	t.Helper()
	dir := t.TempDir()
	stop, err := startCloud(dir)
	t.Cleanup(func() {
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	cred, err := readCredentials(filepath.Join(dir, "admin.json"))
	if err != nil {
		t.Fatal(err)
	}
	c, err := newCloud(cred)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.ensureGroup(t.Context(), defaultGroup); err != nil {
		t.Fatal(err)
	}
	return c
}

// things are the names of everything in the default group that is not on its
// way out: a disk goes after its machine.
func (c *cloud) things(t *testing.T) []string {
	t.Helper()
	expand := "provisioningState"
	list, err := all(t.Context(), c.resources.NewClient().NewListByResourceGroupPager(defaultGroup, &armresources.ClientListByResourceGroupOptions{Expand: &expand}),
		func(p armresources.ClientListByResourceGroupResponse) []*armresources.GenericResourceExpanded {
			return p.Value
		})
	if err != nil {
		t.Fatal(err)
	}
	list = slices.DeleteFunc(list, func(r *armresources.GenericResourceExpanded) bool { return value(r.ProvisioningState) == "Deleting" })
	names, err := namesOf(list, nil, func(r *armresources.GenericResourceExpanded) *string { return r.Name })
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(names)
	return names
}

// command runs a command line against the cloud.
func (c *cloud) command(ctx context.Context, args ...string) error {
	root := New(Config{})
	root.SetOut(io.Discard)
	root.SetErr(io.Discard)
	root.SetIn(new(bytes.Buffer))
	root.SetArgs(append(args, "--credentials", c.file))
	return root.ExecuteContext(ctx)
}

func testSpec(name string) *createSpec {
	return &createSpec{name: name, group: defaultGroup, image: imageName{name: "tiny"}, size: "Standard_B1s", admin: "me",
		sshKeys: []string{testKey}, vnet: "default-vnet", subnet: "default"}
}

var quiet = &progress{w: io.Discard}

// TestDeleteGoesOn deletes a machine whose deletion was cut short.
func TestDeleteGoesOn(t *testing.T) {
	c := testCloud(t)
	if err := c.create(t.Context(), quiet, testSpec("web1"), false); err != nil {
		t.Fatal(err)
	}
	m, err := c.machine(t.Context(), defaultGroup, "web1")
	if err != nil {
		t.Fatal(err)
	}
	if err := c.deleteVM(t.Context(), defaultGroup, "web1", m, &deleteOptions{}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"default-vnet", "web1-ip", "web1-nsg"}, c.things(t)); diff != "" {
		t.Errorf("left by the first half:\n%s", diff)
	}
	if err := c.command(t.Context(), "vm", "delete", "web1", "--yes"); err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff([]string{"default-vnet"}, c.things(t)); diff != "" {
		t.Errorf("left by the second half:\n%s", diff)
	}
	if f := explain(t.Context(), c.command(t.Context(), "vm", "delete", "web1", "--yes")); f.code != exitNotFound {
		t.Errorf("deleting nothing: %+v", f)
	}
}

// TestOwnThingsStay makes and deletes a machine that is given an address of the
// user's own.
func TestOwnThingsStay(t *testing.T) {
	c := testCloud(t)
	ips := c.network.NewPublicIPAddressesClient()
	p, err := ips.BeginCreateOrUpdate(t.Context(), defaultGroup, "web1-ip", armnetwork.PublicIPAddress{Location: &c.Location}, nil)
	own, err := wait(t.Context(), p, err)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.command(t.Context(), "vm", "create", "web1", "--image", "tiny", "--ssh-key", testKey); err != nil {
		t.Fatal(err)
	}
	m, err := c.machine(t.Context(), defaultGroup, "web1")
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{value(own.Properties.IPAddress)}; !slices.Equal(m.publicIPs, want) {
		t.Errorf("addresses %v, want %v", m.publicIPs, want)
	}
	if err := c.command(t.Context(), "vm", "delete", "web1", "--yes"); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"default-vnet", "web1-ip"}, c.things(t)); diff != "" {
		t.Error(diff)
	}
}

// TestRefusalLeavesNothing has machines refused at each step that can refuse
// one.
func TestRefusalLeavesNothing(t *testing.T) {
	c := testCloud(t)
	nics := c.network.NewInterfacesClient()
	m := &maker{cloud: c, createSpec: testSpec("other")}
	subnet, err := m.ensureSubnet(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ip := "ipconfig1"
	p, err := nics.BeginCreateOrUpdate(t.Context(), defaultGroup, "taken-nic", armnetwork.Interface{Location: &c.Location, Properties: &armnetwork.InterfacePropertiesFormat{
		IPConfigurations: []*armnetwork.InterfaceIPConfiguration{{Name: &ip, Properties: &armnetwork.InterfaceIPConfigurationPropertiesFormat{Subnet: &armnetwork.Subnet{ID: &subnet}}}},
	}}, nil)
	if _, err := wait(t.Context(), p, err); err != nil {
		t.Fatal(err)
	}
	before := c.things(t)
	for name, s := range map[string]struct {
		args []string
		want string
	}{
		"interface": {[]string{"taken"}, "taken-nic exists already"},
		"subnet":    {[]string{"a", "--subnet", "nope"}, `no subnet "nope"`},
		"size":      {[]string{"b", "--size", "nope"}, "InvalidParameter"},
		"name":      {[]string{"-"}, "InvalidResourceName"},
		"too many":  {[]string{"c", "--data-disk=1", "--data-disk=1", "--data-disk=1"}, "OperationNotAllowed"},
	} {
		err := c.command(t.Context(), append([]string{"vm", "create", "--image", "tiny", "--ssh-key", testKey}, s.args...)...)
		if err == nil || !strings.Contains(explain(t.Context(), err).message, s.want) {
			t.Errorf("%s: %v, want %q in it", name, err, s.want)
		}
		if diff := cmp.Diff(before, c.things(t)); diff != "" {
			t.Errorf("%s left something:\n%s", name, diff)
		}
	}
}

// TestInterruptedCreateIsTakenUp makes a machine of what an earlier attempt
// left.
func TestInterruptedCreateIsTakenUp(t *testing.T) {
	c := testCloud(t)
	image, err := c.findImage(t.Context(), defaultGroup, imageName{name: "tiny"}, "")
	if err != nil {
		t.Fatal(err)
	}
	m := &maker{cloud: c, createSpec: testSpec("web1"), imageRef: image}
	if _, err := m.prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := m.undo(t.Context(), errors.New("the connection was lost")); err == nil {
		t.Error("undo swallowed the error")
	}
	if err := c.create(t.Context(), quiet, testSpec("web1"), false); err != nil {
		t.Fatal(err)
	}
	if err := c.command(t.Context(), "vm", "delete", "web1", "--yes"); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"default-vnet"}, c.things(t)); diff != "" {
		t.Error(diff)
	}
}
