package network

import (
	"context"
	"net/netip"

	"lazuli/internal/arm"
)

const locationPath = "/subscriptions/{subscription}/providers/Microsoft.Network/locations/{location}"

// Endpoints are the questions whether a name or an address is free, the usages
// and the service tags.
func Endpoints(cfg Config) []arm.Endpoint {
	return []arm.Endpoint{
		{Method: "GET", Path: locationPath + "/CheckDnsNameAvailability", Reach: arm.WithinScope, Handle: cfg.checkName},
		{Method: "GET", Path: locationPath + "/usages", Reach: arm.WithinScope, Handle: cfg.usages},
		{Method: "GET", Path: locationPath + "/serviceTags", Reach: arm.WithinScope, Handle: cfg.serviceTags},
		{
			Method: "GET", Handle: checkAddress,
			Path: "/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.Network/virtualNetworks/{name}/CheckIPAddressAvailability",
		},
	}
}

type nameAvailability struct {
	Available bool `json:"available"`
}

func (cfg Config) checkName(ctx context.Context, c *arm.Call, vars map[string]string) (arm.Result, error) {
	if err := cfg.checkLocation(vars["location"]); err != nil {
		return arm.Result{}, err
	}
	label := c.Query.Get("domainNameLabel")
	if err := checkLabel("domainNameLabel", label); err != nil {
		return arm.Result{}, err
	}
	other, err := publicNames.holder(ctx, c.Reader(), arm.NormalizeLocation(vars["location"])+"/"+label)
	return arm.Result{Body: nameAvailability{Available: other.IsZero()}}, err
}

type addressAvailability struct {
	Available bool     `json:"available"`
	Others    []string `json:"availableIPAddresses"`
	Reserved  bool     `json:"isPlatformReserved"`
}

// maxOthers is how many free addresses are shown beside one that is not.
const maxOthers = 5

func checkAddress(ctx context.Context, c *arm.Call, vars map[string]string) (arm.Result, error) {
	const target = "ipAddress"
	a, err := readAddress(target, c.Query.Get(target))
	if err != nil {
		return arm.Result{}, err
	}
	o, err := VNets.Get(ctx, c.Reader(), arm.Group(vars["subscription"], vars["group"]).Resource(VNetType, vars["name"]))
	if err != nil {
		return arm.Result{}, err
	}
	for _, s := range o.Spec.Subnets {
		if !s.Prefix.Contains(a) {
			continue
		}
		taken, err := addressesOf(o.UID, s.Name).held(ctx, c.Reader())
		if err != nil {
			return arm.Result{}, err
		}
		return arm.Result{Body: availability(s.Prefix, a, taken)}, nil
	}
	return arm.Result{}, arm.BadRequest("PrivateIPAddressNotInAnySubnet", "Private static IP address %s does not belong to the range of any subnet of virtual network %s.", a, o.ID.Name()).At(target)
}

func availability(subnet netip.Prefix, a netip.Addr, taken map[netip.Addr]bool) addressAvailability {
	v := addressAvailability{Reserved: reserved(subnet, a), Others: []string{}}
	if v.Available = !v.Reserved && !taken[a]; v.Available {
		return v
	}
	for range maxOthers {
		other, ok := firstFree(subnet, taken)
		if !ok {
			break
		}
		taken[other] = true
		v.Others = append(v.Others, other.String())
	}
	return v
}
