package compute

import (
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"

	"lazuli/internal/arm/armtest"
)

const locations = "/subscriptions/" + armtest.Subscription + "/providers/Microsoft.Compute/locations/local"

func TestImageLists(t *testing.T) {
	c := newCloud(t)
	const offers = locations + "/publishers/lazuli/artifacttypes/vmimage/offers"
	tests := map[string]struct {
		path, query string
		want        string // names
	}{
		"publishers":         {locations + "/publishers", "", "Canonical Microsoft.Azure.Extensions Microsoft.OSTCExtensions lazuli"},
		"offers":             {offers, "", "debian"},
		"skus":               {offers + "/Debian/skus", "", "12 12-gen2 13-gen2"},
		"versions":           {offers + "/debian/skus/12/versions", "", "12.9.0 12.10.0"},
		"the newest, as az":  {offers + "/debian/skus/12/versions", "$top=1&$orderby=name desc", "12.10.0"},
		"versions by UEFI":   {offers + "/debian/skus/12-gen2/versions", "", "12.9.0 12.10.0"},
		"versions, expanded": {offers + "/debian/skus/12/versions", "$expand=properties", "12.9.0 12.10.0"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			res, err := c.GetPath(Endpoints(testConfig), tt.path, tt.query)
			if err != nil {
				t.Fatal(err)
			}
			items, ok := armtest.Tree(t, res.Body).([]any)
			if !ok {
				t.Fatalf("the body is no array: %s", armtest.JSON(t, res.Body))
			}
			var names []string
			for _, i := range items {
				name := armtest.At(t, i, "name").(string)
				names = append(names, name)
				id := armtest.At(t, i, "id").(string)
				if !strings.EqualFold(id, tt.path+"/"+name) {
					t.Errorf("id = %s, want %s/%s", id, tt.path, name)
				}
				if has := armtest.At(t, i, "properties") != nil; has != strings.Contains(tt.query, "expand") {
					t.Errorf("properties are there: %t", has)
				}
				armtest.FitsSDK(t, i, &armcompute.VirtualMachineImage{})
			}
			if got := strings.Join(names, " "); got != tt.want {
				t.Errorf("names = %s, want %s", got, tt.want)
			}
		})
	}
	for _, version := range []string{"latest", "12.10.0"} {
		res, err := c.GetPath(Endpoints(testConfig), offers+"/debian/skus/12/versions/"+version, "")
		if err != nil {
			t.Fatal(err)
		}
		armtest.Golden(t, "version", res.Body)
		armtest.FitsSDK(t, res.Body, &armcompute.VirtualMachineImage{})
	}
}

// What there is no image of is told with what there is; what is asked for in a
// way that is not understood is not answered as if it had not been said.
func TestImageListsRefused(t *testing.T) {
	c := newCloud(t)
	offers := func(publisher string) string {
		return locations + "/publishers/" + publisher + "/artifacttypes/vmimage/offers"
	}
	tests := map[string]struct{ path, query, code string }{
		"nobody":          {offers("none"), "", "NotFound"},
		"no offer":        {offers("lazuli") + "/debian-10/skus", "", "NotFound"},
		"no SKU":          {offers("lazuli") + "/debian/skus/10/versions", "$top=1&$orderby=name desc", "NotFound"},
		"no version":      {offers("lazuli") + "/debian/skus/12/versions/1.2", "", "NotFound"},
		"no latest":       {offers("Debian") + "/debian-10/skus/10/versions/latest", "", "NotFound"},
		"top of nothing":  {offers("lazuli") + "/debian/skus/12/versions", "$top=0", "InvalidParameter"},
		"top of a word":   {offers("lazuli") + "/debian/skus/12/versions", "$top=x", "InvalidParameter"},
		"ordered by size": {offers("lazuli") + "/debian/skus/12/versions", "$orderby=size desc", "InvalidParameter"},
		"ordered by name": {offers("lazuli") + "/debian/skus/12/versions", "$orderby=name asc", ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := c.GetPath(Endpoints(testConfig), tt.path, tt.query)
			armtest.WantError(t, err, tt.code)
			if tt.code == "NotFound" && err != nil && !strings.Contains(err.Error(), "lazuli:debian:12") {
				t.Errorf("%v does not say what there is", err)
			}
		})
	}
}

func TestCompareVersions(t *testing.T) {
	tests := map[string]struct {
		a, b string
		want int
	}{
		"same":        {"1.2.3", "1.2.3", 0},
		"by number":   {"12.9.0", "12.10.0", -1},
		"longer":      {"1.2.1", "1.2", 1},
		"not numbers": {"1.b", "1.a", 1},
		"huge":        {"1.99999999999999999999999", "1.1", 1},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := compareVersions(tt.a, tt.b); got != tt.want {
				t.Errorf("compare(%s, %s) = %d, want %d", tt.a, tt.b, got, tt.want)
			}
		})
	}
}

func TestLists(t *testing.T) {
	c := withVM(t)
	skus := "/subscriptions/" + armtest.Subscription + "/providers/Microsoft.Compute/skus"
	tests := map[string]struct {
		path, query string
		sdk         any
		first       string // path and value of something in it
		value       any
		count       int // of elements; 0: as many as there are
	}{
		"sizes":          {locations + "/vmSizes", "", &armcompute.VirtualMachineSizeListResult{}, "value.1.memoryInMB", 1024.0, len(Sizes)},
		"sizes of a VM":  {vmID.String() + "/vmSizes", "", &armcompute.VirtualMachineSizeListResult{}, "value.1.name", "Standard_B1s", len(Sizes)},
		"SKUs":           {skus, "", &armcompute.ResourceSKUsResult{}, "value.0.locations.0", "local", len(Sizes) + len(diskSKUs) + 2},
		"SKUs here":      {skus, "$filter=location eq 'Local'&includeExtendedLocations=true", &armcompute.ResourceSKUsResult{}, "value.0.capabilities.0.name", "vCPUs", len(Sizes) + len(diskSKUs) + 2},
		"zones":          {skus, "", &armcompute.ResourceSKUsResult{}, "value.0.locationInfo.0.zones.2", "3", len(Sizes) + len(diskSKUs) + 2},
		"SKUs elsewhere": {skus, "$filter=location eq 'moon'", &armcompute.ResourceSKUsResult{}, "value.0", nil, 0},
		"usages":         {locations + "/usages", "", &armcompute.ListUsagesResult{}, "value.1.currentValue", 1.0, 4},
		"sets in use":    {locations + "/usages", "", &armcompute.ListUsagesResult{}, "value.0.currentValue", 0.0, 4},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			res, err := c.GetPath(Endpoints(testConfig), tt.path, tt.query)
			if err != nil {
				t.Fatal(err)
			}
			armtest.FitsSDK(t, res.Body, tt.sdk)
			if got := armtest.At(t, res.Body, tt.first); got != tt.value {
				t.Errorf("%s = %v, want %v", tt.first, got, tt.value)
			}
			if got := len(armtest.At(t, res.Body, "value").([]any)); got != tt.count {
				t.Errorf("%d elements, want %d", got, tt.count)
			}
		})
	}
	if got := len(c.List(VMType, vmID.Scope())); got != 1 {
		t.Errorf("listed %d machines, want 1", got)
	}
}

// What is asked of a place that is not the cloud's, or by a filter that is not
// understood, is not answered as if that had not been said.
func TestListsThatAreRefused(t *testing.T) {
	c := newCloud(t)
	const skus = "/subscriptions/" + armtest.Subscription + "/providers/Microsoft.Compute/skus"
	moon := strings.Replace(locations, "local", "moon", 1)
	tests := map[string]struct{ path, query, code string }{
		"sizes elsewhere":      {moon + "/vmSizes", "", "NoRegisteredProviderFound"},
		"usages elsewhere":     {moon + "/usages", "", "NoRegisteredProviderFound"},
		"publishers elsewhere": {moon + "/publishers", "", "NoRegisteredProviderFound"},
		"version elsewhere":    {moon + "/publishers/lazuli/artifacttypes/vmimage/offers/debian/skus/12/versions/latest", "", "NoRegisteredProviderFound"},
		"sizes here":           {strings.Replace(locations, "local", "LOCAL", 1) + "/vmSizes", "", ""},
		"SKUs by name":         {skus, "$filter=name eq 'local'", "InvalidFilterInQueryString"},
		"SKUs by nonsense":     {skus, "$filter=local", "InvalidFilterInQueryString"},
		"SKUs by two":          {skus, "$filter=location eq 'local' and name eq 'a'", "InvalidFilterInQueryString"},
		"SKUs by nothing":      {skus, "$filter=", ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := c.GetPath(Endpoints(testConfig), tt.path, tt.query)
			armtest.WantError(t, err, tt.code)
		})
	}
}

func TestSizesAreWhole(t *testing.T) {
	seen := map[string]bool{}
	for _, s := range Sizes {
		if seen[strings.ToLower(s.Name)] || s.CPUs < 1 || s.MemoryMiB < 512 || s.MaxDataDisks < 2 || s.MaxDataDisks > maxLUN+1 || s.MaxNICs < 2 || s.Family == "" {
			t.Errorf("size %+v", s)
		}
		seen[strings.ToLower(s.Name)] = true
	}
}
