package cli

import (
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/network/armnetwork/v11"
)

func TestParsePorts(t *testing.T) {
	for s, want := range map[string]portRange{
		"80": {"80", "Tcp"}, "80/tcp": {"80", "Tcp"}, "53/UDP": {"53", "Udp"}, "8000-8010": {"8000-8010", "Tcp"}, "1-65535/udp": {"1-65535", "Udp"},
	} {
		if got, err := parsePorts(s); got != want || err != nil {
			t.Errorf("parsePorts(%q) = %v, %v; want %v", s, got, err, want)
		}
	}
	for _, s := range []string{"", "0", "65536", "http", "80/icmp", "90-80", "80-", "-80", "80-90-100", "80,81", " 80"} {
		if got, err := parsePorts(s); err == nil {
			t.Errorf("parsePorts(%q) = %v, want an error", s, got)
		}
	}
}

func FuzzParsePorts(f *testing.F) {
	for _, s := range []string{"80", "53/udp", "1-2"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		r, err := parsePorts(s)
		if err != nil {
			return
		}
		if again, err := parsePorts(r.ports + "/" + r.protocol); again != r || err != nil {
			t.Errorf("parsePorts(%q) = %v, and that again %v, %v", s, r, again, err)
		}
	})
}

func TestRuleName(t *testing.T) {
	for want, r := range map[string]portRange{"open-port-80": {"80", "Tcp"}, "open-port-53-udp": {"53", "Udp"}} {
		if got := r.ruleName(); got != want {
			t.Errorf("name of %v = %q, want %q", r, got, want)
		}
	}
}

func TestFreePriority(t *testing.T) {
	rule := func(name string, priority int32, d armnetwork.SecurityRuleDirection) *armnetwork.SecurityRule {
		return &armnetwork.SecurityRule{Name: &name, Properties: &armnetwork.SecurityRulePropertiesFormat{Priority: &priority, Direction: to.Ptr(d)}}
	}
	full := make([]*armnetwork.SecurityRule, 0, lastPriority)
	for p := int32(firstPriority); p <= lastPriority; p++ {
		full = append(full, rule("r", p, armnetwork.SecurityRuleDirectionInbound))
	}
	for name, c := range map[string]struct {
		rules []*armnetwork.SecurityRule
		want  int32
		ok    bool
	}{
		"none":               {nil, 1000, true},
		"first taken":        {[]*armnetwork.SecurityRule{rule("allow-ssh", 1000, "Inbound")}, 1001, true},
		"other direction":    {[]*armnetwork.SecurityRule{rule("out", 1000, "Outbound")}, 1000, true},
		"the rule is there":  {[]*armnetwork.SecurityRule{rule("a", 1000, "Inbound"), rule("OPEN-port-80", 300, "Inbound")}, 300, true},
		"without properties": {[]*armnetwork.SecurityRule{{}}, 1000, true},
		"full":               {full, 0, false},
	} {
		if got, ok := freePriority(c.rules, "open-port-80"); got != c.want || ok != c.ok {
			t.Errorf("%s: %d, %v; want %d, %v", name, got, ok, c.want, c.ok)
		}
	}
}
