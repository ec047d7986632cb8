package fabric

import "net/netip"

// Network is a virtual network as its node is to make it.
type Network struct {
	UID        string   `json:"uid"`
	Name       string   `json:"name"`
	Generation int64    `json:"generation"` // a hash or count: differs when anything below does
	Presence   Presence `json:"presence"`
	// Prefixes is the address space, Subnets the parts that ports are in.
	Prefixes []netip.Prefix `json:"prefixes"`
	Subnets  []Subnet       `json:"subnets"`
	Ports    []Port         `json:"ports"`
	// DNS are the servers given to guests; none means the platform's
	// (168.63.129.16). Domain is the search domain.
	DNS    []netip.Addr `json:"dns,omitempty"`
	Domain string       `json:"domain"`
}

// Subnet is a part of a network. Its first address is the gateway's; the first
// four and the last are never a port's.
type Subnet struct {
	Name   string       `json:"name"`
	Prefix netip.Prefix `json:"prefix"`
}

// Port is one network interface, plugged or not.
type Port struct {
	UID        string `json:"uid"` // of the network interface
	MachineUID string `json:"machineUid,omitempty"`
	// Hostname is the name that the network's DNS answers with this address.
	Hostname string `json:"hostname,omitempty"`
	MAC      string `json:"mac"`
	// Addresses are the port's, the primary one first.
	Addresses []PortAddress `json:"addresses"`
	// DNS overrides the network's.
	DNS []netip.Addr `json:"dns,omitempty"`
	// Inbound and Outbound are lists of rules that a packet must pass all:
	// inbound the subnet's group and then the interface's, outbound the other
	// way round. No list: everything passes.
	Inbound  []RuleList `json:"inbound,omitempty"`
	Outbound []RuleList `json:"outbound,omitempty"`
	// Forwarding allows packets whose source is not the port's.
	Forwarding bool `json:"forwarding,omitempty"`
}

// PortAddress is one private address with its public one.
type PortAddress struct {
	Private netip.Addr   `json:"private"`
	Subnet  netip.Prefix `json:"subnet"`
	Public  netip.Addr   `json:"public,omitzero"` // zero: none
}

// RuleList is a security group: the rule with the lowest priority that matches
// decides. The default rules of Azure are in it, so something always matches.
type RuleList struct {
	Rules []Rule `json:"rules"` // sorted by priority
}

// Rule is one rule of a security group, with service tags already resolved.
// An empty list matches everything.
type Rule struct {
	Name     string `json:"name"`
	Priority int    `json:"priority"`
	Allow    bool   `json:"allow"`
	// Protocol is "tcp", "udp", "icmp", "esp", "ah" or "" for any.
	Protocol       string         `json:"protocol,omitempty"`
	SourcePrefixes []netip.Prefix `json:"sourcePrefixes,omitempty"`
	SourcePorts    []PortRange    `json:"sourcePorts,omitempty"`
	TargetPrefixes []netip.Prefix `json:"targetPrefixes,omitempty"`
	TargetPorts    []PortRange    `json:"targetPorts,omitempty"`
	// NotSource and NotTarget turn the prefixes round: the rule matches what is
	// outside them (the tag Internet is what is not in the virtual network).
	NotSource bool `json:"notSource,omitempty"`
	NotTarget bool `json:"notTarget,omitempty"`
}

// PortRange is a range of ports, both ends included.
type PortRange struct {
	First uint16 `json:"first"`
	Last  uint16 `json:"last"`
}

// NetworkReport is what the node says of a network.
type NetworkReport struct {
	UID        string   `json:"uid"`
	Generation int64    `json:"generation"`
	Presence   Presence `json:"presence"`
	Problem    *Problem `json:"problem,omitempty"`
}
