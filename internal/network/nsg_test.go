package network

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"lazuli/internal/arm/armtest"
	"lazuli/internal/fabric"
)

// rule is the body of a rule that lets everything in on port 22, but for what
// changes says.
func rule(name string, changes ...string) string {
	props := map[string]string{
		"protocol": `"Tcp"`, "sourcePortRange": `"*"`, "destinationPortRange": `"22"`, "sourceAddressPrefix": `"*"`,
		"destinationAddressPrefix": `"*"`, "access": `"Allow"`, "priority": "1000", "direction": `"Inbound"`,
	}
	for _, c := range changes {
		k, v, _ := strings.Cut(c, ":")
		props[strings.Trim(k, `" `)] = v
	}
	var all []string
	for k, v := range props {
		all = append(all, `"`+k+`": `+v)
	}
	return `{"name": "` + name + `", "properties": {` + strings.Join(all, ",") + `}}`
}

func TestRuleRules(t *testing.T) {
	tests := map[string]struct {
		changes []string
		code    string
	}{
		"plain":                    {nil, ""},
		"odd case":                 {[]string{`"protocol": "TCP"`, `"access": "allow"`, `"direction": "INBOUND"`}, ""},
		"plural":                   {[]string{`"sourceAddressPrefix": null`, `"sourceAddressPrefixes": ["10.0.0.0/8", "192.0.2.1"]`, `"destinationPortRange": ""`, `"destinationPortRanges": ["80", "443-445"]`}, ""},
		"both":                     {[]string{`"sourceAddressPrefixes": ["10.0.0.0/8"]`}, "SecurityRuleParameterConflict"},
		"neither":                  {[]string{`"sourceAddressPrefix": null`}, "SecurityRuleParameterMissing"},
		"tag":                      {[]string{`"sourceAddressPrefix": "virtualnetwork"`}, ""},
		"any":                      {[]string{`"sourceAddressPrefix": "Any"`}, ""},
		"unknown tag":              {[]string{`"sourceAddressPrefix": "Storage"`}, "SecurityRuleInvalidAddressPrefix"},
		"version 6":                {[]string{`"sourceAddressPrefix": "fd00::/8"`}, "SecurityRuleInvalidAddressPrefix"},
		"bad plural prefix":        {[]string{`"sourceAddressPrefix": null`, `"sourceAddressPrefixes": ["x"]`}, "SecurityRuleInvalidAddressPrefix"},
		"port too high":            {[]string{`"destinationPortRange": "70000"`}, "SecurityRuleInvalidPortRange"},
		"ports backwards":          {[]string{`"destinationPortRange": "90-80"`}, "SecurityRuleInvalidPortRange"},
		"not a port":               {[]string{`"destinationPortRange": "ssh"`}, "SecurityRuleInvalidPortRange"},
		"ports of ICMP":            {[]string{`"protocol": "Icmp"`}, "SecurityRuleInvalidPortRange"},
		"ICMP":                     {[]string{`"protocol": "Icmp"`, `"destinationPortRange": "*"`}, ""},
		"protocol number":          {[]string{`"protocol": "47"`}, "InvalidParameter"},
		"no protocol":              {[]string{`"protocol": null`}, "SecurityRuleParameterMissing"},
		"no access":                {[]string{`"access": null`}, "SecurityRuleParameterMissing"},
		"unknown direction":        {[]string{`"direction": "Up"`}, "InvalidParameter"},
		"priority too low":         {[]string{`"priority": 99`}, "SecurityRuleInvalidPriority"},
		"priority too high":        {[]string{`"priority": 4097`}, "SecurityRuleInvalidPriority"},
		"no priority":              {[]string{`"priority": null`}, "SecurityRuleInvalidPriority"},
		"long description":         {[]string{`"description": "` + strings.Repeat("x", 141) + `"`}, "InvalidParameter"},
		"application groups":       {[]string{`"sourceApplicationSecurityGroups": [{"id": "/x"}]`}, "UnsupportedProperty"},
		"application groups, none": {[]string{`"sourceApplicationSecurityGroups": []`}, ""},
		"many prefixes":            {[]string{`"sourceAddressPrefix": ""`, `"sourceAddressPrefixes": [` + strings.TrimSuffix(strings.Repeat(`"10.0.0.0/8",`, 4001), ",") + `]`}, "InvalidParameter"},
		"priority taken":           {[]string{`"priority": 100`}, "SecurityRuleConflict"},
		"priority taken outwards":  {[]string{`"priority": 100`, `"direction": "Outbound"`}, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := furnished(t).Do(armtest.Request{Method: "PUT", ID: nsgID.Child("securityRules", "r1"), Body: rule("r1", tt.changes...)})
			armtest.WantError(t, err, tt.code)
		})
	}
}

func TestNSGRules(t *testing.T) {
	tests := map[string]struct {
		rules string
		code  string
		left  int
	}{
		"replaced":      {`[` + rule("a") + `,` + rule("b", `"priority": 101`) + `]`, "", 2},
		"same name":     {`[` + rule("a") + `,` + rule("A", `"priority": 101`) + `]`, "DuplicateResourceName", 1},
		"same priority": {`[` + rule("a") + `,` + rule("b") + `]`, "SecurityRuleConflict", 1},
		"bad rule":      {`[` + rule("a", `"priority": 1`) + `]`, "SecurityRuleInvalidPriority", 1},
		"bad name":      {`[` + rule("") + `]`, "InvalidResourceName", 1},
		"none":          {`[]`, "", 0},
		"null":          {`null`, "", 1},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c := furnished(t)
			_, err := c.Do(armtest.Request{Method: "PUT", ID: nsgID, Body: `{"properties": {"securityRules": ` + tt.rules + `}}`})
			armtest.WantError(t, err, tt.code)
			if got := len(c.List(RuleType, nsgID)); got != tt.left {
				t.Errorf("the group has %d rules, want %d", got, tt.left)
			}
		})
	}
}

func TestEffectiveRules(t *testing.T) {
	prefixes := func(ss ...string) (ps []netip.Prefix) {
		for _, s := range ss {
			ps = append(ps, netip.MustParsePrefix(s))
		}
		return ps
	}
	space := prefixes("10.1.0.0/16")
	world := prefixes("10.1.0.0/16", "168.63.129.16/32")
	defaultsIn := []fabric.Rule{
		{Name: "AllowVnetInBound", Priority: 65000, Allow: true, SourcePrefixes: space, TargetPrefixes: space},
		{Name: "AllowAzureLoadBalancerInBound", Priority: 65001, Allow: true, SourcePrefixes: prefixes("168.63.129.16/32")},
		{Name: "DenyAllInBound", Priority: 65500},
	}
	defaultsOut := []fabric.Rule{
		{Name: "AllowVnetOutBound", Priority: 65000, Allow: true, SourcePrefixes: space, TargetPrefixes: space},
		{Name: "AllowInternetOutBound", Priority: 65001, Allow: true, TargetPrefixes: world, NotTarget: true},
		{Name: "DenyAllOutBound", Priority: 65500},
	}
	any1 := Side{Prefixes: []string{"*"}, Ports: []string{"*"}}
	tests := map[string]struct {
		rules   []Rule
		in, out []fabric.Rule // beside the defaults
	}{
		"none": {},
		"a port of any protocol": {
			rules: []Rule{{Name: "r", Protocol: "*", Access: "Allow", Direction: "Inbound", Priority: 100, Source: any1, Target: Side{Prefixes: []string{"*"}, Ports: []string{"22"}}}},
			in: []fabric.Rule{
				{Name: "r", Priority: 100, Allow: true, Protocol: "tcp", TargetPorts: []fabric.PortRange{{First: 22, Last: 22}}},
				{Name: "r", Priority: 100, Allow: true, Protocol: "udp", TargetPorts: []fabric.PortRange{{First: 22, Last: 22}}},
			},
		},
		"sorted by priority": {
			rules: []Rule{
				{Name: "b", Protocol: "Tcp", Access: "Deny", Direction: "Outbound", Priority: 200, Source: any1, Target: any1},
				{Name: "a", Protocol: "Icmp", Access: "Allow", Direction: "Outbound", Priority: 100, Source: any1, Target: any1},
			},
			out: []fabric.Rule{{Name: "a", Priority: 100, Allow: true, Protocol: "icmp"}, {Name: "b", Priority: 200, Protocol: "tcp"}},
		},
		"a tag beside prefixes": {
			rules: []Rule{{Name: "r", Protocol: "Udp", Access: "Allow", Direction: "Inbound", Priority: 100, Target: any1,
				Source: Side{Prefixes: []string{"Internet", "10.9.9.9", "10.8.0.1/16"}, Ports: []string{"1-2", "5"}, PluralPrefixes: true}}},
			in: []fabric.Rule{
				{Name: "r", Priority: 100, Allow: true, Protocol: "udp", SourcePrefixes: prefixes("10.9.9.9/32", "10.8.0.0/16"), SourcePorts: []fabric.PortRange{{First: 1, Last: 2}, {First: 5, Last: 5}}},
				{Name: "r", Priority: 100, Allow: true, Protocol: "udp", SourcePrefixes: world, NotSource: true, SourcePorts: []fabric.PortRange{{First: 1, Last: 2}, {First: 5, Last: 5}}},
			},
		},
	}
	opts := cmp.Options{cmpopts.EquateEmpty(), cmp.Comparer(func(a, b netip.Prefix) bool { return a == b })}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			in, out := EffectiveRules(&NSG{Rules: tt.rules}, space)
			if diff := cmp.Diff(append(tt.in, defaultsIn...), in.Rules, opts); diff != "" {
				t.Errorf("inbound (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(append(tt.out, defaultsOut...), out.Rules, opts); diff != "" {
				t.Errorf("outbound (-want +got):\n%s", diff)
			}
		})
	}
}

func FuzzRulePrefixesAndPorts(f *testing.F) {
	for _, s := range []string{"*", "10.0.0.0/8", "10.0.0.1", "80-90", "80", "-", "Internet", "::1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if r, ok := parsePorts(s); ok && r.First > r.Last {
			t.Errorf("ports %q = %v", s, r)
		}
		if p, ok := parsePrefixOrAddress(s); ok && (!p.Addr().Is4() || p != p.Masked()) {
			t.Errorf("prefix %q = %v", s, p)
		}
		v, err := readPrefixOrTag("t", s)
		if err == nil && len(meaning([]string{v}, []netip.Prefix{platform})) == 0 {
			t.Errorf("%q is allowed and means nothing", s)
		}
	})
}
