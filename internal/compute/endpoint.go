package compute

import (
	"context"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"lazuli/internal/arm"
)

const (
	locationPath = "/subscriptions/{subscription}/providers/Microsoft.Compute/locations/{location}"
	groupPath    = "/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.Compute"
	vmPath       = groupPath + "/virtualMachines/{name}"
	avsetPath    = groupPath + "/availabilitySets/{name}"
)

// Endpoints are the lists of sizes, SKUs, usages and the platform's images,
// and the parts of a machine that are read by themselves.
func Endpoints(cfg Config) []arm.Endpoint {
	get := func(path string, handle handleFunc) arm.Endpoint {
		return arm.Endpoint{Method: "GET", Path: path, Handle: handle}
	}
	all := append(slices.Concat(imageEndpoints(cfg.Catalogue), commandEndpoints(), extensionEndpoints()),
		get(locationPath+"/vmSizes", func(context.Context, *arm.Call, map[string]string) (arm.Result, error) {
			return arm.Result{Body: page(viewSizes())}, nil
		}),
		get(vmPath+"/vmSizes", func(ctx context.Context, c *arm.Call, vars map[string]string) (arm.Result, error) {
			_, err := VMs.Get(ctx, c.Reader(), vmOf(vars))
			return arm.Result{Body: page(viewSizes())}, err
		}),
		get(avsetPath+"/vmSizes", func(ctx context.Context, c *arm.Call, vars map[string]string) (arm.Result, error) {
			_, err := AvailabilitySets.Get(ctx, c.Reader(), arm.Group(vars["subscription"], vars["group"]).Resource(AVSetType, vars["name"]))
			return arm.Result{Body: page(viewSizes())}, err
		}),
		get(vmPath+"/instanceView", func(ctx context.Context, c *arm.Call, vars map[string]string) (arm.Result, error) {
			o, err := VMs.Get(ctx, c.Reader(), vmOf(vars))
			if err != nil {
				return arm.Result{}, err
			}
			return arm.Result{Body: viewInstance(o)}, nil
		}),
		arm.Endpoint{
			Method: "GET", Path: "/subscriptions/{subscription}/providers/Microsoft.Compute/skus", Filters: true,
			Handle: func(_ context.Context, c *arm.Call, _ map[string]string) (arm.Result, error) {
				locations, err := filtered(cfg.Locations, c.Query.Get("$filter"))
				return arm.Result{Body: page(viewSKUs(locations))}, err
			},
		},
		get(locationPath+"/usages", func(ctx context.Context, c *arm.Call, vars map[string]string) (arm.Result, error) {
			usages, err := usagesOf(ctx, c, cfg, vars)
			return arm.Result{Body: page(usages)}, err
		}),
	)
	for i := range all {
		if !strings.Contains(all[i].Path, "/resourceGroups/") {
			all[i].Reach = arm.WithinScope // what the cloud has is the same for all
		}
		all[i].Handle = inLocation(cfg.Locations, all[i].Handle)
	}
	return all
}

type handleFunc = func(ctx context.Context, c *arm.Call, vars map[string]string) (arm.Result, error)

// inLocation is handle for the cloud's own locations.
func inLocation(locations []string, handle handleFunc) handleFunc {
	return func(ctx context.Context, c *arm.Call, vars map[string]string) (arm.Result, error) {
		if l, ok := vars["location"]; ok && len(locations) > 0 && !slices.Contains(locations, arm.NormalizeLocation(l)) {
			return arm.Result{}, arm.BadRequest("NoRegisteredProviderFound", "No registered resource provider found for location '%s'. The supported locations are '%s'.", l, strings.Join(locations, ", "))
		}
		return handle(ctx, c, vars)
	}
}

var locationFilter = regexp.MustCompile(`^\s*(?i:location)\s+(?i:eq)\s+'([^']*)'\s*$`)

// filtered is the locations that filter leaves: "location eq 'local'".
func filtered(locations []string, filter string) ([]string, error) {
	if strings.TrimSpace(filter) == "" {
		return locations, nil
	}
	m := locationFilter.FindStringSubmatch(filter)
	if m == nil {
		return nil, arm.BadRequest("InvalidFilterInQueryString", "Invalid $filter '%.200s': only location eq 'name' is supported.", filter)
	}
	wanted := arm.NormalizeLocation(m[1])
	return slices.DeleteFunc(slices.Clone(locations), func(l string) bool { return l != wanted }), nil
}

func vmOf(vars map[string]string) arm.ID {
	return arm.Group(vars["subscription"], vars["group"]).Resource(VMType, vars["name"])
}

// listBody is the body of a list that is one page.
type listBody[T any] struct {
	Value []T `json:"value"`
}

func page[T any](items []T) listBody[T] {
	if items == nil {
		items = []T{}
	}
	return listBody[T]{items}
}

type sizeItem struct {
	Name           string `json:"name"`
	Cores          int    `json:"numberOfCores"`
	OSDiskMB       int    `json:"osDiskSizeInMB"`
	ResourceDiskMB int    `json:"resourceDiskSizeInMB"`
	MemoryMB       int    `json:"memoryInMB"`
	MaxDataDisks   int    `json:"maxDataDiskCount"`
}

// maxOSDiskMB is what Azure shows as the largest OS disk of all sizes.
const maxOSDiskMB = 1047552

func viewSizes() []sizeItem {
	var items []sizeItem
	for _, s := range Sizes {
		items = append(items, sizeItem{Name: s.Name, Cores: s.CPUs, OSDiskMB: maxOSDiskMB, MemoryMB: s.MemoryMiB, MaxDataDisks: s.MaxDataDisks})
	}
	return items
}

type skuItem struct {
	ResourceType string          `json:"resourceType"`
	Name         string          `json:"name"`
	Tier         string          `json:"tier,omitempty"`
	Size         string          `json:"size,omitempty"`
	Family       string          `json:"family,omitempty"`
	Locations    []string        `json:"locations"`
	LocationInfo []skuLocation   `json:"locationInfo"`
	Capabilities []skuCapability `json:"capabilities"`
	Restrictions []struct{}      `json:"restrictions"`
}

type skuLocation struct {
	Location    string     `json:"location"`
	Zones       []string   `json:"zones"`
	ZoneDetails []struct{} `json:"zoneDetails"`
}

type skuCapability struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// viewSKUs lists sizes, and kinds of disks and availability sets, in the
// locations.
func viewSKUs(locations []string) []skuItem {
	if len(locations) == 0 {
		return nil
	}
	where := []skuLocation{}
	for _, l := range locations {
		where = append(where, skuLocation{Location: l, Zones: []string{"1", "2", "3"}, ZoneDetails: []struct{}{}})
	}
	var items []skuItem
	for _, s := range Sizes {
		_, short, _ := strings.Cut(s.Name, "_")
		items = append(items, skuItem{ResourceType: "virtualMachines", Name: s.Name, Tier: standard, Size: short, Family: s.Family, Capabilities: capabilities(s)})
	}
	for _, d := range diskSKUs {
		tier, _, _ := strings.Cut(d, "_")
		items = append(items, skuItem{ResourceType: "disks", Name: d, Tier: strings.TrimSuffix(tier, "SSD"), Capabilities: []skuCapability{}})
	}
	for _, name := range []string{classic, aligned} {
		items = append(items, skuItem{ResourceType: "availabilitySets", Name: name, Capabilities: []skuCapability{
			{"MaximumPlatformFaultDomainCount", strconv.Itoa(maxFaultDomains)},
		}})
	}
	for i := range items {
		items[i].Locations, items[i].LocationInfo, items[i].Restrictions = locations, where, []struct{}{}
	}
	return items
}

func capabilities(s Size) []skuCapability {
	title := func(b bool) string { // as Azure spells booleans here
		if b {
			return "True"
		}
		return "False"
	}
	return []skuCapability{
		{"vCPUs", strconv.Itoa(s.CPUs)}, {"vCPUsAvailable", strconv.Itoa(s.CPUs)},
		{"MemoryGB", strconv.FormatFloat(float64(s.MemoryMiB)/1024, 'f', -1, 64)},
		{"MaxDataDiskCount", strconv.Itoa(s.MaxDataDisks)}, {"MaxNetworkInterfaces", strconv.Itoa(s.MaxNICs)},
		{"OSVhdSizeMB", strconv.Itoa(maxOSDiskMB)}, {"MaxResourceVolumeMB", "0"},
		{"HyperVGenerations", generation1 + "," + generation2}, {"CpuArchitectureType", x64},
		{"PremiumIO", title(s.Premium)}, {"AcceleratedNetworkingEnabled", title(true)},
		{"EphemeralOSDiskSupported", title(false)}, {"EncryptionAtHostSupported", title(false)}, {"LowPriorityCapable", title(false)},
	}
}

type usage struct {
	Unit    string    `json:"unit"`
	Current int       `json:"currentValue"`
	Limit   int       `json:"limit"`
	Name    usageName `json:"name"`
}

type usageName struct {
	Value     string `json:"value"`
	Localized string `json:"localizedValue"`
}

// unlimited is shown where there is no limit.
const unlimited = 1_000_000

func usagesOf(ctx context.Context, c *arm.Call, cfg Config, vars map[string]string) ([]usage, error) {
	vms, err := VMs.List(ctx, c.Reader(), arm.ID{Subscription: vars["subscription"]})
	if err != nil {
		return nil, err
	}
	location := arm.NormalizeLocation(vars["location"])
	sets, err := AvailabilitySets.List(ctx, c.Reader(), arm.ID{Subscription: vars["subscription"]})
	if err != nil {
		return nil, err
	}
	sets = slices.DeleteFunc(sets, func(o *avsetObject) bool { return o.Location != location })
	count, cores, families := 0, 0, map[string]int{}
	for _, o := range vms {
		if o.Location != location {
			continue
		}
		size, _ := FindSize(o.Spec.Size)
		count, cores = count+1, cores+size.CPUs
		families[size.Family] += size.CPUs
	}
	limit := cfg.MaxCores
	if limit == 0 {
		limit = unlimited
	}
	usages := []usage{
		countOf("availabilitySets", "Availability Sets", len(sets), unlimited),
		countOf("cores", "Total Regional vCPUs", cores, limit),
		countOf("virtualMachines", "Virtual Machines", count, unlimited),
	}
	for _, s := range Sizes {
		if n, used := families[s.Family]; used {
			usages = append(usages, countOf(s.Family, s.Family, n, limit))
			delete(families, s.Family)
		}
	}
	return usages, nil
}

func countOf(name, shown string, n, limit int) usage {
	return usage{Unit: "Count", Current: n, Limit: limit, Name: usageName{name, shown}}
}
