package cli

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/network/armnetwork/v11"
	"github.com/spf13/cobra"
)

// The priorities that our rules have.
const (
	firstPriority = 1000
	lastPriority  = 4096
)

// portRange is one port or several, "8000-8010", of a protocol in ARM's
// spelling.
type portRange struct{ ports, protocol string }

func parsePorts(s string) (portRange, error) {
	bad := usageError{fmt.Sprintf("%q is not a port: give it like 80, 8000-8010 or 53/udp", s)}
	ports, protocol, _ := strings.Cut(s, "/")
	r := portRange{ports: ports}
	switch strings.ToLower(protocol) {
	case "", "tcp":
		r.protocol = "Tcp"
	case "udp":
		r.protocol = "Udp"
	default:
		return r, bad
	}
	first, last, isRange := strings.Cut(ports, "-")
	if !isRange {
		last = first
	}
	from, errFrom := strconv.ParseUint(first, 10, 16)
	to, errTo := strconv.ParseUint(last, 10, 16)
	if errFrom != nil || errTo != nil || from == 0 || from > to {
		return r, bad
	}
	return r, nil
}

func (r portRange) ruleName() string {
	name := "open-port-" + r.ports
	if r.protocol != "Tcp" {
		name += "-" + strings.ToLower(r.protocol)
	}
	return name
}

// allowRule lets a port range in from source.
func allowRule(name string, r portRange, priority int32, source string) *armnetwork.SecurityRule {
	return &armnetwork.SecurityRule{Name: &name, Properties: &armnetwork.SecurityRulePropertiesFormat{
		Access: to.Ptr(armnetwork.SecurityRuleAccessAllow), Direction: to.Ptr(armnetwork.SecurityRuleDirectionInbound),
		Priority: &priority, Protocol: to.Ptr(armnetwork.SecurityRuleProtocol(r.protocol)),
		SourceAddressPrefix: &source, SourcePortRange: to.Ptr("*"),
		DestinationAddressPrefix: to.Ptr("*"), DestinationPortRange: &r.ports,
	}}
}

// freePriority is the first priority from ours on that no rule has. A rule of
// the same name keeps its own.
func freePriority(rules []*armnetwork.SecurityRule, name string) (int32, bool) {
	var taken []int32
	for _, r := range rules {
		if r.Properties == nil || value(r.Properties.Direction) != armnetwork.SecurityRuleDirectionInbound {
			continue
		}
		p := value(r.Properties.Priority)
		if strings.EqualFold(value(r.Name), name) {
			return p, true
		}
		taken = append(taken, p)
	}
	for p := int32(firstPriority); p <= lastPriority; p++ {
		if !slices.Contains(taken, p) {
			return p, true
		}
	}
	return 0, false
}

func openPortCommand(a *app) *cobra.Command {
	var source string
	cmd := &cobra.Command{
		Use: "open-port VM PORT…", Short: "Let a port of a virtual machine in",
		Example:           example("lazuli open-port web1 80 443", "lazuli open-port dns1 53/udp --source 203.0.113.0/24"),
		Args:              Args(2, -1, "VM and PORT"),
		ValidArgsFunction: a.completeVMs,
		RunE: a.run(func(ctx context.Context, c *cloud, cmd *cobra.Command, args []string) error {
			var ports []portRange
			for _, arg := range args[1:] {
				p, err := parsePorts(arg)
				if err != nil {
					return err
				}
				ports = append(ports, p)
			}
			m, err := a.findMachine(ctx, c, args[0])
			if err != nil {
				return err
			}
			for _, p := range ports {
				if err := c.openPort(ctx, m, p, source); err != nil {
					return fmt.Errorf("open port %s of %s: %w", p.ports, m.name(), err)
				}
			}
			return nil
		}),
	}
	cmd.Flags().StringVar(&source, "source", "*", "addresses from which it may be reached, as a `prefix`")
	return cmd
}

// openPort adds a rule to the security group of the machine's first interface.
func (c *cloud) openPort(ctx context.Context, m *machine, r portRange, source string) error {
	if len(m.nics) == 0 || m.nics[0].Properties == nil || m.nics[0].Properties.NetworkSecurityGroup == nil {
		return &problem{code: exitError, text: "its network interface has no security group", next: "Every port is open then, unless its subnet has one."}
	}
	id := m.nics[0].Properties.NetworkSecurityGroup.ID
	group, name := groupOf(id), nameOf(id)
	nsg, err := c.network.NewSecurityGroupsClient().Get(ctx, group, name, nil)
	if err != nil {
		return err
	}
	var rules []*armnetwork.SecurityRule
	if nsg.Properties != nil {
		rules = nsg.Properties.SecurityRules
	}
	priority, ok := freePriority(rules, r.ruleName())
	if !ok {
		return &problem{code: exitConflict, text: "the security group " + name + " has no priority left for a rule"}
	}
	p, err := c.network.NewSecurityRulesClient().BeginCreateOrUpdate(ctx, group, name, r.ruleName(), *allowRule(r.ruleName(), r, priority, source), nil)
	_, err = wait(ctx, p, err)
	return err
}
