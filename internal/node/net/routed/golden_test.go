package routed

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/google/go-cmp/cmp"

	"lazuli/internal/fabric"
)

var update = flag.Bool("update", false, "write the golden files")

// TestRules keeps the programs for people to read, and shows that `nft` can
// read them back: an operator can save and restore them.
func TestRules(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	n := fullNetwork("golden")
	n.Ports[0].Inbound = append(n.Ports[0].Inbound, list(
		fabric.Rule{Name: `odd " name`, Priority: 1, Protocol: "udp", SourcePrefixes: prefixes("10.0.0.0/8", "192.0.2.0/24"), SourcePorts: []fabric.PortRange{{First: 1, Last: 9}, {First: 5, Last: 20}}},
		fabric.Rule{Name: "not", Priority: 2, Allow: true, Protocol: "icmp", TargetPrefixes: prefixes("10.0.0.0/24", "255.255.255.0/24"), NotTarget: true},
		fabric.Rule{Name: "never", Priority: 3, Allow: true, SourcePrefixes: prefixes("0.0.0.0/0"), NotSource: true},
		fabric.Rule{Name: "two", Priority: 4, Allow: true, TargetPorts: ports(80, 443)},
	))
	l.ensure(n)
	for file, space := range map[string]string{"network.nft": networkName(n.UID), "host.nft": l.host} {
		t.Run(file, func(t *testing.T) {
			got := l.inside(space, "nft", "list", "ruleset")
			back := filepath.Join(t.TempDir(), file)
			l.must(os.WriteFile(back, []byte("flush ruleset\n"+got), 0o600))
			l.inside(space, "nft", "-f", back)
			if diff := cmp.Diff(got, l.inside(space, "nft", "list", "ruleset")); diff != "" {
				t.Errorf("read back (-before +after):\n%s", diff)
			}
			golden := filepath.Join("testdata", file)
			if *update {
				l.must(os.MkdirAll("testdata", 0o755))
				l.must(os.WriteFile(golden, []byte(got), 0o644))
			}
			want, err := os.ReadFile(golden)
			l.must(err)
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	if regexp.MustCompile(`@(nh|th|ll),`).MatchString(l.inside(networkName(n.UID), "nft", "list", "ruleset")) {
		t.Error("nft does not understand all of the rules")
	}
}
