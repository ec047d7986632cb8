package routed

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"lazuli/internal/fabric"
	"lazuli/internal/node/nodetest"
)

// listing is all that a namespace has, in words that do not count or number.
func (l *lab) listing(space string) string {
	l.t.Helper()
	// What differs without meaning anything: numbers, their widths, the order of
	// lists, states that the kernel reports in its own time.
	noise := regexp.MustCompile(`^\d+: |@if\d+|,?(LOWER_UP|NO-CARRIER|M-DOWN),?| (UP|DOWN|UNKNOWN|LOWERLAYERDOWN) | linkdown|mtu .*|packets \d+ bytes \d+`)
	var out strings.Builder
	for _, args := range [][]string{
		{"ip", "-o", "link"}, {"ip", "-br", "-4", "addr"}, {"ip", "-4", "route", "show", "table", "all"}, {"ip", "neigh", "show", "nud", "permanent"}, {"nft", "list", "ruleset"},
	} {
		lines := strings.Split(l.inside(space, args...), "\n")
		for i, line := range lines {
			lines[i] = strings.Join(strings.Fields(noise.ReplaceAllString(line, " ")), " ")
			lines[i] = strings.ReplaceAll(strings.ReplaceAll(lines[i], "< ", "<"), " :", ":")
		}
		if args[0] == "ip" {
			slices.Sort(lines)
		}
		fmt.Fprintf(&out, "%s:\n%s\n", strings.Join(args, " "), strings.Join(lines, "\n"))
	}
	return out.String()
}

// all is what the host and the networks have.
func (l *lab) all(networks ...fabric.Network) string {
	out := l.listing(l.host)
	for _, n := range networks {
		out += networkName(n.UID) + "\n" + l.listing(networkName(n.UID))
	}
	return out
}

func fullNetwork(uid string) fabric.Network {
	n := nodetest.SampleNetwork(uid, 4, 5)
	for i := range n.Ports {
		n.Ports[i].Inbound = []fabric.RuleList{list(defaultIn...), list(append([]fabric.Rule{{Name: "ssh", Priority: 100, Allow: true, Protocol: "tcp", TargetPorts: ports(22, 2222)}}, defaultIn...)...)}
		n.Ports[i].Outbound = []fabric.RuleList{list(defaultOut...)}
	}
	sum := byte(len(uid))
	n.Ports[0].Addresses[0].Public = netip.AddrFrom4([4]byte{198, 18, 0, sum})
	n.Ports[1].Forwarding = true
	return n
}

func TestRemoveLeavesNothing(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	before, spaces := l.listing(l.host), netnsNames(t, "lz-")
	x, y := fullNetwork("leave-x"), fullNetwork("leave-yy")
	l.ensure(x)
	one := l.all(x)
	l.ensure(y)
	l.plug(y.UID, 4) // is still open when the network goes
	l.must(l.d.Remove(context.Background(), y.UID))
	if diff := cmp.Diff(one, l.all(x)); diff != "" {
		t.Errorf("after the second network (-before +after):\n%s", diff)
	}
	l.must(l.d.Remove(context.Background(), x.UID))
	if diff := cmp.Diff(before, l.listing(l.host)); diff != "" {
		t.Errorf("after the last network (-before +after):\n%s", diff)
	}
	for _, n := range []fabric.Network{x, y} {
		if names := netnsNames(t, networkName(n.UID)); len(names) > 0 {
			t.Errorf("namespaces left: %v, at first %v", names, spaces)
		}
	}
	if files, _ := os.ReadDir(l.dir); len(files) > 0 {
		t.Errorf("files left: %v", files)
	}
}

func netnsNames(t *testing.T, prefix string) (out []string) {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(spaceDir, prefix+"*"))
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func TestDamageIsPutRight(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	n := fullNetwork("damage")
	l.ensure(n)
	whole := l.all(n)
	ns, dev := networkName(n.UID), portName(n.Ports[0].UID)
	public := n.Ports[0].Addresses[0].Public.String()
	for name, breakIt := range map[string][][]string{
		"nothing":          {{"true"}},
		"tap deleted":      {{"ip", "-n", ns, "link", "del", dev}},
		"tap down":         {{"ip", "-n", ns, "link", "set", dev, "down"}},
		"tap's mac":        {{"ip", "-n", ns, "link", "set", dev, "address", "02:00:00:00:00:01"}},
		"tap's address":    {{"ip", "-n", ns, "addr", "flush", "dev", dev}},
		"more addresses":   {{"ip", "-n", ns, "addr", "add", "10.7.7.7/24", "dev", dev}},
		"port's route":     {{"ip", "-n", ns, "route", "del", "10.0.0.4"}},
		"port's neighbour": {{"ip", "-n", ns, "neigh", "del", "10.0.0.4", "dev", dev}},
		"wrong neighbour":  {{"ip", "-n", ns, "neigh", "replace", "10.0.0.4", "lladdr", "02:00:00:00:00:01", "nud", "permanent", "dev", dev}},
		"more neighbours":  {{"ip", "-n", ns, "neigh", "add", "10.0.0.77", "lladdr", "02:00:00:00:00:01", "nud", "permanent", "dev", dev}},
		"unreachable":      {{"ip", "-n", ns, "route", "del", "unreachable", "10.0.0.0/24"}},
		"default route":    {{"ip", "-n", ns, "route", "del", "default"}},
		"more routes":      {{"ip", "-n", ns, "route", "add", "10.0.0.9", "dev", dev}},
		"platform address": {{"ip", "-n", ns, "addr", "del", "168.63.129.16/32", "dev", "lo"}},
		"loopback down":    {{"ip", "-n", ns, "link", "set", "lo", "down"}},
		"a rule":           {{"ip", "netns", "exec", ns, "nft", "flush", "chain", "ip", "lazuli", "spoof"}},
		"all rules":        {{"ip", "netns", "exec", ns, "nft", "flush", "ruleset"}},
		"uplink deleted":   {{"ip", "-n", ns, "link", "del", "uplink"}},
		"uplink down":      {{"ip", "-n", ns, "link", "set", "uplink", "down"}},
		"veth deleted":     {{"ip", "-n", l.host, "link", "del", ns}},
		"veth renamed":     {{"ip", "-n", l.host, "link", "set", ns, "down"}, {"ip", "-n", l.host, "link", "set", ns, "name", "other"}},
		"veth's address":   {{"ip", "-n", l.host, "addr", "flush", "dev", ns}},
		"public route":     {{"ip", "-n", l.host, "route", "del", public}},
		"wrong route":      {{"ip", "-n", l.host, "route", "replace", public, "dev", "ext"}},
		"host's rules":     {{"ip", "netns", "exec", l.host, "nft", "delete", "table", "inet", "lazuli-default"}},
		"namespace":        {{"ip", "netns", "del", ns}},
		"namespace's name": {{"umount", filepath.Join(spaceDir, ns)}},
		"everything":       {{"ip", "netns", "del", ns}, {"ip", "netns", "exec", l.host, "nft", "flush", "ruleset"}},
	} {
		t.Run(name, func(t *testing.T) {
			for _, cmd := range breakIt {
				l.run(cmd[0], cmd[1:]...)
			}
			l.must(l.d.Ensure(context.Background(), n))
			if diff := cmp.Diff(whole, l.all(n)); diff != "" {
				t.Errorf("(-before +after):\n%s", diff)
			}
		})
	}
	for name, s := range map[string]struct{ space, path, bad string }{
		"forwarding":      {ns, "net/ipv4/ip_forward", "0"},
		"host forwarding": {l.host, "net/ipv4/ip_forward", "0"},
		"proxy arp":       {ns, "net/ipv4/conf/" + dev + "/proxy_arp", "0"},
		"source check":    {ns, "net/ipv4/conf/" + dev + "/rp_filter", "0"},
		"redirects":       {ns, "net/ipv4/conf/all/send_redirects", "1"},
	} {
		t.Run(name, func(t *testing.T) {
			key := strings.ReplaceAll(s.path[len("net/"):], "/", ".")
			read := func() string { return l.inside(s.space, "cat", "/proc/sys/"+s.path) }
			good := read()
			l.inside(s.space, "sysctl", "-qw", "net."+key+"="+s.bad)
			l.must(l.d.Ensure(context.Background(), n))
			if got := read(); got != good {
				t.Errorf("%s = %q, want %q", key, got, good)
			}
		})
	}
}

func TestUnchangedIsNotTouched(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	n := fullNetwork("untouched")
	l.ensure(n)
	index := l.linkIndex(networkName(n.UID), portName(n.Ports[0].UID))
	var changes []string
	var mu sync.Mutex
	l.d.did = func(change string) error {
		mu.Lock()
		defer mu.Unlock()
		changes = append(changes, change)
		return nil
	}
	l.ensure(n)
	if len(changes) > 0 {
		t.Errorf("changes for an unchanged network: %v", changes)
	}
	if got := l.services.Served(n.UID); got != 1 {
		t.Errorf("served %d times, want once", got)
	}
	n.Ports[1].Hostname = "renamed"
	l.ensure(n)
	if diff := cmp.Diff([]string{"write state"}, changes); diff != "" {
		t.Errorf("changes for a name (-want +got):\n%s", diff)
	}
	if got := l.services.Served(n.UID); got != 2 {
		t.Errorf("served %d times, want twice", got)
	}
	n.Ports = n.Ports[:1]
	l.ensure(n)
	if got := l.linkIndex(networkName(n.UID), portName(n.Ports[0].UID)); got != index {
		t.Errorf("the tap that stays has become another")
	}
}

var errKilled = errors.New("killed")

// TestCrashAnywhere kills the driver before each change that it makes, and lets
// a new one finish.
func TestCrashAnywhere(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	second := func(n fabric.Network) fabric.Network {
		n = nodetest.SampleNetwork(n.UID, 5, 6)
		n.Ports[1].Addresses[0].Public = netip.MustParseAddr("198.18.0.66")
		n.Ports[0].Inbound = []fabric.RuleList{list(defaultIn...)}
		return n
	}
	for name, c := range map[string]struct {
		start, try, finish func(d *Driver, n fabric.Network) error
	}{
		"make": {
			nothing,
			func(d *Driver, n fabric.Network) error { return d.Ensure(ctx, n) },
			func(d *Driver, n fabric.Network) error { return d.Ensure(ctx, n) },
		},
		"change": {
			func(d *Driver, n fabric.Network) error { return d.Ensure(ctx, n) },
			func(d *Driver, n fabric.Network) error { return d.Ensure(ctx, second(n)) },
			func(d *Driver, n fabric.Network) error { return d.Ensure(ctx, second(n)) },
		},
		"remove": {
			func(d *Driver, n fabric.Network) error { return d.Ensure(ctx, n) },
			func(d *Driver, n fabric.Network) error { return d.Remove(ctx, n.UID) },
			func(d *Driver, n fabric.Network) error { return d.Remove(ctx, n.UID) },
		},
		"make, then remove": {
			nothing,
			func(d *Driver, n fabric.Network) error { return d.Ensure(ctx, n) },
			func(d *Driver, n fabric.Network) error { return d.Remove(ctx, n.UID) },
		},
		"remove, then make": {
			func(d *Driver, n fabric.Network) error { return d.Ensure(ctx, n) },
			func(d *Driver, n fabric.Network) error { return d.Remove(ctx, n.UID) },
			func(d *Driver, n fabric.Network) error { return d.Ensure(ctx, n) },
		},
	} {
		t.Run(name, func(t *testing.T) {
			uid := "crash-" + strings.ReplaceAll(strings.ReplaceAll(name, ",", ""), " ", "-")
			l := newLab(t)
			l.t = t
			n := fullNetwork(uid)
			look := func() string {
				if len(netnsNames(t, networkName(uid))) == 0 {
					return l.listing(l.host)
				}
				return l.all(n)
			}
			l.must(c.start(l.d, n))
			l.must(c.try(l.d, n))
			l.must(c.finish(l.d, n))
			want := look()
			l.must(l.d.Remove(ctx, uid))
			for kill := 0; ; kill++ {
				l.must(c.start(l.d, n))
				calls := 0
				killed := ""
				var mu sync.Mutex
				l.d.did = func(change string) error {
					mu.Lock()
					defer mu.Unlock()
					if calls++; calls > kill {
						if killed == "" {
							killed = change
						}
						return errKilled
					}
					return nil
				}
				err := c.try(l.d, n)
				l.start()
				l.must(c.finish(l.d, n))
				if diff := cmp.Diff(want, look()); diff != "" {
					t.Fatalf("killed before %q (-want +got):\n%s", killed, diff)
				}
				l.must(l.d.Remove(ctx, uid))
				if killed == "" {
					l.must(err)
					t.Logf("killed at %d changes", kill)
					return
				}
				if !errors.Is(err, errKilled) {
					t.Fatalf("killed before %q: error = %v", killed, err)
				}
			}
		})
	}
}

func nothing(*Driver, fabric.Network) error { return nil }
