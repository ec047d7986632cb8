package network

import (
	"net/netip"
	"regexp"

	"lazuli/internal/arm"
)

// The full names of the types.
const (
	VNetType     = "Microsoft.Network/virtualNetworks"
	SubnetType   = VNetType + "/subnets"
	NICType      = "Microsoft.Network/networkInterfaces"
	PublicIPType = "Microsoft.Network/publicIPAddresses"
	NSGType      = "Microsoft.Network/networkSecurityGroups"
	RuleType     = NSGType + "/securityRules"
)

// NoStatus is the status of types that are what their spec says at once.
type NoStatus struct{}

// Where the resources are stored.
var (
	VNets     = arm.Collection[VNet, NoStatus]{Type: VNetType}
	NICs      = arm.Collection[NIC, NoStatus]{Type: NICType}
	PublicIPs = arm.Collection[PublicIP, NoStatus]{Type: PublicIPType}
	NSGs      = arm.Collection[NSG, NoStatus]{Type: NSGType}
)

// Config is what a cloud's networks have in common.
type Config struct {
	// Locations of the cloud; none means that any name is one.
	Locations []string
	// PublicPool are the prefixes that public addresses are taken from.
	PublicPool []netip.Prefix
	// Domain is what public names end in: "cloudapp.example".
	Domain string
}

// InternalDomain is the search domain of the guests of a virtual network.
func (c Config) InternalDomain(networkUID string) string {
	if len(networkUID) > 8 {
		networkUID = networkUID[:8]
	}
	return networkUID + ".internal." + c.Domain
}

var apiVersions = []string{"2025-03-01", "2025-01-01", "2023-09-01", "2022-07-01", "2022-05-01", "2022-01-01", "2018-11-01", "2015-06-15"}

func names(max string) arm.NameRule {
	return arm.NameRule{
		Pattern: regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9_.-]{0,` + max + `}[A-Za-z0-9_])?$`),
		Hint:    "letters, digits, '_', '.' and '-', beginning with a letter or digit and ending with a letter, digit or '_', of at most 80 characters (64 for a virtual network)",
	}
}

var (
	vnetNames = names("62")
	itemNames = names("78")
)

// Types is the table of the resource types.
func Types(cfg Config) []arm.Type {
	typ := func(name string, rule arm.NameRule, tracked bool, p arm.Provider) arm.Type {
		return arm.Type{
			Name: name, Names: rule, Tracked: tracked, Provider: p, APIVersions: apiVersions,
			Created: 201, Updated: 200,
		}
	}
	return []arm.Type{
		typ(VNetType, vnetNames, true, vnetProvider(cfg)),
		typ(SubnetType, itemNames, false, subnetProvider()),
		typ(NICType, itemNames, true, nicProvider(cfg)),
		typ(PublicIPType, itemNames, true, publicIPProvider(cfg)),
		typ(NSGType, itemNames, true, nsgProvider(cfg)),
		typ(RuleType, itemNames, false, ruleProvider()),
	}
}
