package network

import (
	"context"
	"slices"

	"lazuli/internal/arm"
)

type nsgBody struct {
	arm.Header
	Properties nsgProperties `json:"properties"`
}

type nsgProperties struct {
	Rules             []ruleBody  `json:"securityRules"`
	DefaultRules      []ruleBody  `json:"defaultSecurityRules" arm:"readonly"`
	NICs              []reference `json:"networkInterfaces,omitempty" arm:"readonly"`
	Subnets           []reference `json:"subnets,omitempty" arm:"readonly"`
	ProvisioningState string      `json:"provisioningState,omitempty" arm:"readonly"`
	ResourceGUID      string      `json:"resourceGuid,omitempty" arm:"readonly"`
}

type ruleBody struct {
	ID         string         `json:"id,omitempty" arm:"readonly"`
	Name       string         `json:"name"`
	Type       string         `json:"type,omitempty" arm:"readonly"`
	Etag       string         `json:"etag,omitempty" arm:"readonly"`
	Properties ruleProperties `json:"properties"`
}

type ruleProperties struct {
	Description       string   `json:"description,omitempty"`
	Protocol          string   `json:"protocol"`
	SourcePort        string   `json:"sourcePortRange,omitempty"`
	SourcePorts       []string `json:"sourcePortRanges"`
	TargetPort        string   `json:"destinationPortRange,omitempty"`
	TargetPorts       []string `json:"destinationPortRanges"`
	SourcePrefix      string   `json:"sourceAddressPrefix,omitempty"`
	SourcePrefixes    []string `json:"sourceAddressPrefixes"`
	TargetPrefix      string   `json:"destinationAddressPrefix,omitempty"`
	TargetPrefixes    []string `json:"destinationAddressPrefixes"`
	Access            string   `json:"access"`
	Priority          int      `json:"priority"`
	Direction         string   `json:"direction"`
	ProvisioningState string   `json:"provisioningState,omitempty" arm:"readonly"`
}

func viewNSG(ctx context.Context, c *arm.Call, o *arm.Object[NSG, NoStatus], b *nsgBody) error {
	p := &b.Properties
	p.Rules = make([]ruleBody, 0, len(o.Spec.Rules))
	for i := range o.Spec.Rules {
		p.Rules = append(p.Rules, viewRule(o, &o.Spec.Rules[i]))
	}
	for i := range defaultRules {
		r := viewRule(o, &defaultRules[i])
		r.ID = o.ID.Child("defaultSecurityRules", r.Name).String()
		r.Type = NSGType + "/defaultSecurityRules"
		p.DefaultRules = append(p.DefaultRules, r)
	}
	nics, subnets, err := usersOf(ctx, c, o.ID)
	p.NICs, p.Subnets = referAll(nics), referAll(subnets)
	p.ProvisioningState, p.ResourceGUID = succeeded, o.UID
	return err
}

func referAll(ids []arm.ID) []reference {
	var rs []reference
	for _, id := range ids {
		rs = append(rs, reference{ID: id})
	}
	return rs
}

func viewRule(o *arm.Object[NSG, NoStatus], r *Rule) ruleBody {
	b := ruleBody{
		ID: o.ID.Child("securityRules", r.Name).String(), Name: r.Name, Type: RuleType, Etag: o.ETag(),
		Properties: ruleProperties{
			Description: r.Description, Protocol: r.Protocol, Access: r.Access, Priority: r.Priority, Direction: r.Direction,
			ProvisioningState: succeeded,
		},
	}
	p := &b.Properties
	p.SourcePrefix, p.SourcePrefixes = split(r.Source.Prefixes, r.Source.PluralPrefixes)
	p.TargetPrefix, p.TargetPrefixes = split(r.Target.Prefixes, r.Target.PluralPrefixes)
	p.SourcePort, p.SourcePorts = split(r.Source.Ports, r.Source.PluralPorts)
	p.TargetPort, p.TargetPorts = split(r.Target.Ports, r.Target.PluralPorts)
	return b
}

// split shows values in the property they came in: the one for one value, or
// the one for several.
func split(values []string, plural bool) (string, []string) {
	if plural {
		return "", slices.Clone(values)
	}
	return values[0], []string{}
}

func ruleProvider() arm.Provider {
	return &children[ruleBody, Rule, NSG]{
		parents: NSGs,
		list:    func(g *NSG) *[]Rule { return &g.Rules },
		name:    func(r *Rule) string { return r.Name },
		setName: func(b *ruleBody, name string) { b.Name = name },
		read: func(_ context.Context, _ *arm.Call, _ *arm.Meta, b *ruleBody) (Rule, error) {
			return readRule("", b)
		},
		check: checkNSG,
		view:  viewRule,
	}
}
