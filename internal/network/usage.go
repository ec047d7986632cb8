package network

import (
	"context"
	"slices"
	"strings"

	"lazuli/internal/arm"
)

type usageItem struct {
	ID           string    `json:"id"`
	Unit         string    `json:"unit"`
	CurrentValue int       `json:"currentValue"`
	Limit        int       `json:"limit"`
	Name         usageName `json:"name"`
}

type usageName struct {
	Value          string `json:"value"`
	LocalizedValue string `json:"localizedValue"`
}

// noLimit stands for that there is none: clients take a limit for granted.
const noLimit = 1<<31 - 1

// usages counts what a subscription has of each type. How many public addresses
// there can be is as many as the pool has.
func (cfg Config) usages(ctx context.Context, c *arm.Call, vars map[string]string) (arm.Result, error) {
	if err := cfg.checkLocation(vars["location"]); err != nil {
		return arm.Result{}, err
	}
	items := []usageItem{}
	for _, kind := range []struct {
		typ, name, shown string
		limit            int
	}{
		{VNetType, "VirtualNetworks", "Virtual Networks", noLimit},
		{NICType, "NetworkInterfaces", "Network Interfaces", noLimit},
		{NSGType, "NetworkSecurityGroups", "Network Security Groups", noLimit},
		{PublicIPType, "PublicIPAddresses", "Public IP Addresses", cfg.poolSize()},
	} {
		n, err := count(ctx, c, kind.typ)
		if err != nil {
			return arm.Result{}, err
		}
		items = append(items, usageItem{
			ID:   "/subscriptions/" + c.ID.Subscription + "/providers/Microsoft.Network/locations/" + arm.NormalizeLocation(vars["location"]) + "/usages/" + kind.name,
			Unit: "Count", CurrentValue: n, Limit: kind.limit, Name: usageName{kind.name, kind.shown},
		})
	}
	return arm.Result{Body: map[string]any{"value": items}}, nil
}

func count(ctx context.Context, c *arm.Call, typ string) (n int, err error) {
	for after, more := "", true; more; {
		es, m, err := c.Store.Page(ctx, arm.SpecPrefix(typ, arm.ID{Subscription: c.ID.Subscription}), after, countPage)
		if err != nil {
			return 0, err
		}
		if n, more = n+len(es), m; more {
			after = es[len(es)-1].Key
		}
	}
	return n, nil
}

// countPage is how many resources are counted at a time.
const countPage = 1000

// poolSize is how many public addresses there are to be had.
func (cfg Config) poolSize() int {
	n := 0
	for _, p := range cfg.PublicPool {
		n += 1 << min(30, p.Addr().BitLen()-p.Bits())
	}
	return min(n, noLimit)
}

func (cfg Config) checkLocation(name string) error {
	if len(cfg.Locations) > 0 && !slices.Contains(cfg.Locations, arm.NormalizeLocation(name)) {
		return arm.BadRequest("NoRegisteredProviderFound", "No registered resource provider found for location '%s'. The supported locations are '%s'.", name, strings.Join(cfg.Locations, ", "))
	}
	return nil
}

type serviceTags struct {
	Name         string     `json:"name"`
	ID           string     `json:"id"`
	Type         string     `json:"type"`
	ChangeNumber string     `json:"changeNumber"`
	Cloud        string     `json:"cloud"`
	Values       []struct{} `json:"values"`
}

// serviceTags lists the service tags that stand for public prefixes: there are
// none. Those that rules take are what the rule's network makes of them.
func (cfg Config) serviceTags(_ context.Context, c *arm.Call, vars map[string]string) (arm.Result, error) {
	return arm.Result{Body: serviceTags{
		Name: "Public", ID: "/subscriptions/" + c.ID.Subscription + "/providers/Microsoft.Network/serviceTags/Public",
		Type: "Microsoft.Network/serviceTags", ChangeNumber: "1", Cloud: "Public", Values: []struct{}{},
	}}, cfg.checkLocation(vars["location"])
}
