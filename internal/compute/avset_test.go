package compute

import (
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"
	"github.com/google/go-cmp/cmp"

	"lazuli/internal/arm/armtest"
)

var setID = armtest.ID("Microsoft.Compute/availabilitySets/set1")

const alignedSet = `{"location": "local", "sku": {"name": "aligned"}, "properties": {"platformFaultDomainCount": 2}}`

// inSet is the part of a machine's body that puts it into the set.
func inSet() string { return `"availabilitySet": {"id": "` + setID.String() + `"}` }

func TestAvailabilitySet(t *testing.T) {
	c := newCloud(t)
	res := c.Put(setID, alignedSet)
	armtest.FitsSDK(t, res.Body, &armcompute.AvailabilitySet{})
	if res.Operation != nil {
		t.Error("making one takes time")
	}
	for path, want := range map[string]any{
		"sku.name": "Aligned", "properties.platformFaultDomainCount": 2.0, "properties.platformUpdateDomainCount": 5.0,
		"properties.virtualMachines.0": nil,
	} {
		if got := armtest.At(t, res.Body, path); got != want {
			t.Errorf("%s = %v, want %v", path, got, want)
		}
	}
	c.Put(vmID, body("more", inSet()))
	settleVM(t, c, vmID, func(s *VMStatus) { fault, update := 1, 3; s.FaultDomain, s.UpdateDomain = &fault, &update })
	for path, want := range map[string]any{
		"properties.availabilitySet.id":                setID.String(),
		"properties.instanceView.platformFaultDomain":  1.0,
		"properties.instanceView.platformUpdateDomain": 3.0,
	} {
		got, err := c.Do(armtest.Request{Method: "GET", ID: vmID, Query: map[string][]string{"$expand": {"instanceView"}}})
		if err != nil || armtest.At(t, got.Body, path) != want {
			t.Errorf("%s = %v, %v, want %v", path, armtest.At(t, got.Body, path), err, want)
		}
	}
	if got := armtest.At(t, c.Get(setID).Body, "properties.virtualMachines"); !cmp.Equal(got, []any{map[string]any{"id": vmID.String()}}) {
		t.Errorf("its machines are %v", got)
	}
	c.Put(setID, armtest.JSON(t, c.Get(setID).Body)) // what is read can be sent back
	_, err := c.Do(armtest.Request{Method: "DELETE", ID: setID})
	armtest.WantError(t, err, "OperationNotAllowed")
	deleteVM(t, c)
	c.Delete(setID)
	if got := len(c.List(AVSetType, setID.Scope())); got != 0 {
		t.Errorf("%d sets are left", got)
	}
}

func TestAvailabilitySetRefused(t *testing.T) {
	tests := map[string]struct{ was, body, code string }{
		"Classic when nothing is said": {"", `{"location": "local"}`, ""},
		"three fault domains":          {"", `{"location": "local", "properties": {"platformFaultDomainCount": 3}}`, ""},
		"four fault domains":           {"", `{"location": "local", "properties": {"platformFaultDomainCount": 4}}`, "InvalidParameter"},
		"no fault domain":              {"", `{"location": "local", "properties": {"platformFaultDomainCount": 0}}`, "InvalidParameter"},
		"twenty-one update domains":    {"", `{"location": "local", "properties": {"platformUpdateDomainCount": 21}}`, "InvalidParameter"},
		"another SKU":                  {"", `{"location": "local", "sku": {"name": "Golden"}}`, "InvalidParameter"},
		"near to something":            {"", `{"location": "local", "properties": {"proximityPlacementGroup": {"id": "/subscriptions/x"}}}`, "UnsupportedProperty"},
		"the same again":               {alignedSet, alignedSet, ""},
		"nothing again":                {alignedSet, `{"location": "local"}`, ""},
		"other fault domains":          {alignedSet, `{"location": "local", "properties": {"platformFaultDomainCount": 3}}`, "PropertyChangeNotAllowed"},
		"other update domains":         {alignedSet, `{"location": "local", "properties": {"platformUpdateDomainCount": 6}}`, "PropertyChangeNotAllowed"},
		"Aligned to Classic":           {alignedSet, `{"location": "local", "sku": {"name": "Classic"}}`, "OperationNotAllowed"},
		"Classic to Aligned":           {`{"location": "local"}`, alignedSet, "PropertyChangeNotAllowed"}, // of the fault domains
		"Classic to Aligned only":      {`{"location": "local"}`, `{"location": "local", "sku": {"name": "Aligned"}}`, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c := newCloud(t)
			if tt.was != "" {
				c.Put(setID, tt.was)
			}
			_, err := c.Do(armtest.Request{Method: "PUT", ID: setID, Body: tt.body})
			armtest.WantError(t, err, tt.code)
		})
	}
}

func TestMachinesInAvailabilitySets(t *testing.T) {
	zone := `"zones": ["1"]`
	tests := map[string]struct {
		set    string // "" for none
		vm     []string
		change []string
		code   string
	}{
		"none there":      {"", []string{"more", inSet()}, nil, "InvalidResourceReference"},
		"not a set":       {"", []string{"more", `"availabilitySet": {"id": "` + nicID.String() + `"}`}, nil, "LinkedInvalidPropertyId"},
		"null":            {"", []string{"more", `"availabilitySet": null`}, nil, ""},
		"a Classic one":   {`{"location": "local"}`, []string{"more", inSet()}, nil, "BadRequest"},
		"with a zone":     {alignedSet, []string{"more", inSet(), "top", zone}, nil, "BadRequest"},
		"kept":            {alignedSet, []string{"more", inSet()}, []string{"more", inSet()}, ""},
		"not named again": {alignedSet, []string{"more", inSet()}, []string{}, ""},
		"put in later":    {alignedSet, []string{}, []string{"more", inSet()}, "PropertyChangeNotAllowed"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c := newCloud(t)
			if tt.set != "" {
				c.Put(setID, tt.set)
			}
			_, err := c.Do(armtest.Request{Method: "PUT", ID: vmID, Body: body(tt.vm...)})
			if tt.change == nil {
				armtest.WantError(t, err, tt.code)
				return
			}
			settleVM(t, c, vmID)
			_, err = c.Do(armtest.Request{Method: "PUT", ID: vmID, Body: body(tt.change...)})
			armtest.WantError(t, err, tt.code)
		})
	}
	t.Run("of another group", func(t *testing.T) {
		c := newCloud(t)
		other := setID
		other.ResourceGroup = "rg2"
		c.Put(other, alignedSet)
		_, err := c.Do(armtest.Request{Method: "PUT", ID: vmID, Body: body("more", `"availabilitySet": {"id": "`+other.String()+`"}`)})
		armtest.WantError(t, err, "InvalidParameter")
	})
}
