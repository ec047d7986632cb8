package network

import (
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/network/armnetwork/v11"
	"github.com/google/go-cmp/cmp"

	"lazuli/internal/arm/armtest"
)

func TestAddressIsFree(t *testing.T) {
	tests := map[string]struct {
		address, code       string
		available, reserved bool
		other               any
	}{
		"free":           {"10.1.1.9", "", true, false, nil},
		"taken":          {"10.1.1.4", "", false, false, "10.1.1.5"},
		"reserved":       {"10.1.1.1", "", false, true, "10.1.1.5"},
		"in no subnet":   {"10.1.9.9", "PrivateIPAddressNotInAnySubnet", false, false, nil},
		"not an address": {"x", "InvalidIPAddressFormat", false, false, nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			res, err := furnished(t).GetPath(Endpoints(testConfig), vnetID.String()+"/CheckIPAddressAvailability", "ipAddress="+tt.address)
			armtest.WantError(t, err, tt.code)
			if err != nil {
				return
			}
			armtest.FitsSDK(t, res.Body, &armnetwork.IPAddressAvailabilityResult{})
			if armtest.At(t, res.Body, "available") != tt.available || armtest.At(t, res.Body, "isPlatformReserved") != tt.reserved || armtest.At(t, res.Body, "availableIPAddresses.0") != tt.other {
				t.Errorf("got %s", armtest.JSON(t, res.Body))
			}
		})
	}
	_, err := newCloud(t).GetPath(Endpoints(testConfig), vnetID.String()+"/CheckIPAddressAvailability", "ipAddress=10.0.0.9")
	armtest.WantError(t, err, "ResourceNotFound")
}

func TestNameIsFree(t *testing.T) {
	c := newCloud(t)
	c.Put(pipID, `{"properties": {"dnsSettings": {"domainNameLabel": "taken"}}}`)
	path := "/subscriptions/" + armtest.Subscription + "/providers/Microsoft.Network/locations/LOCATION/CheckDnsNameAvailability"
	tests := map[string]struct {
		location, label, code string
		available             bool
	}{
		"free":            {"local", "fresh", "", true},
		"taken":           {"Local", "taken", "", false},
		"taken elsewhere": {"north", "taken", "", true},
		"no place":        {"moon", "fresh", "NoRegisteredProviderFound", false},
		"no name":         {"local", "A", "InvalidDomainNameLabel", false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			res, err := c.GetPath(Endpoints(testConfig), strings.Replace(path, "LOCATION", tt.location, 1), "domainNameLabel="+tt.label)
			armtest.WantError(t, err, tt.code)
			if err == nil && armtest.At(t, res.Body, "available") != tt.available {
				t.Errorf("got %s", armtest.JSON(t, res.Body))
			}
		})
	}
}

func TestUsages(t *testing.T) {
	c := furnished(t)
	path := "/subscriptions/" + armtest.Subscription + "/providers/Microsoft.Network/locations/"
	res, err := c.GetPath(Endpoints(testConfig), path+"Local/usages", "")
	if err != nil {
		t.Fatal(err)
	}
	armtest.FitsSDK(t, res.Body, &armnetwork.UsagesListResult{})
	tree := armtest.Tree(t, res.Body)
	got := map[any]any{}
	for _, item := range tree.(map[string]any)["value"].([]any) {
		got[item.(map[string]any)["name"].(map[string]any)["value"]] = item.(map[string]any)["currentValue"]
	}
	want := map[any]any{
		"VirtualNetworks": float64(len(c.List(VNetType, vnetID.Scope()))), "NetworkInterfaces": float64(len(c.List(NICType, vnetID.Scope()))),
		"NetworkSecurityGroups": float64(len(c.List(NSGType, vnetID.Scope()))), "PublicIPAddresses": float64(len(c.List(PublicIPType, vnetID.Scope()))),
	}
	if diff := cmp.Diff(want, got); diff != "" || want["VirtualNetworks"] == 0.0 {
		t.Errorf("-want +got:\n%s", diff)
	}
	if got := armtest.At(t, res.Body, "value.3.limit"); got != 256.0 {
		t.Errorf("there are to be %v public addresses, want those of the pool", got)
	}
	_, err = c.GetPath(Endpoints(testConfig), path+"moon/usages", "")
	armtest.WantError(t, err, "NoRegisteredProviderFound")
}

func TestServiceTags(t *testing.T) {
	c := newCloud(t)
	path := "/subscriptions/" + armtest.Subscription + "/providers/Microsoft.Network/locations/"
	res, err := c.GetPath(Endpoints(testConfig), path+"local/serviceTags", "")
	if err != nil {
		t.Fatal(err)
	}
	armtest.FitsSDK(t, res.Body, &armnetwork.ServiceTagsListResult{})
	if got, ok := armtest.At(t, res.Body, "values").([]any); !ok || len(got) != 0 {
		t.Errorf("values: %v", got)
	}
	_, err = c.GetPath(Endpoints(testConfig), path+"moon/serviceTags", "")
	armtest.WantError(t, err, "NoRegisteredProviderFound")
}
