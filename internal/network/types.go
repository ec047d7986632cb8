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

const nameHint = " letters, digits, '_', '.' and '-', beginning with a letter or digit and ending with a letter, digit or '_'"

var (
	vnetNames = arm.NameRule{
		Pattern: regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}[A-Za-z0-9_]$`),
		Hint:    "2 to 64" + nameHint,
	}
	itemNames = arm.NameRule{
		Pattern: regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9_.-]{0,78}[A-Za-z0-9_])?$`),
		Hint:    "1 to 80" + nameHint,
	}
)

// Types is the table of the resource types.
func Types(cfg Config) []arm.Type {
	tracked := func(name string, rule arm.NameRule, p arm.Provider) arm.Type {
		return arm.Type{
			Name: name, Names: rule, Tracked: true, Provider: p, APIVersions: apiVersions,
			Created: 201, Updated: 200,
		}
	}
	child := func(name string, p arm.Provider) arm.Type {
		return arm.Type{
			Name: name, Names: itemNames, Provider: p, APIVersions: apiVersions,
			Created: 201, Updated: 200, Verbs: arm.CanPut | arm.CanDelete | arm.CanList,
		}
	}
	return []arm.Type{
		tracked(VNetType, vnetNames, vnetProvider(cfg)),
		child(SubnetType, subnetProvider()),
		tracked(NICType, itemNames, nicProvider(cfg)),
		tracked(PublicIPType, itemNames, publicIPProvider(cfg)),
		tracked(NSGType, itemNames, nsgProvider(cfg)),
		child(RuleType, ruleProvider()),
	}
}
