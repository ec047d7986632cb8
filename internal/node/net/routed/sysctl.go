package routed

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// sysctl is a setting below /proc/sys/net, which shows the namespace of the
// thread that opens it.
type sysctl struct{ path, value string }

// routerSysctls hold in a router namespace. A new namespace has the settings of
// the host, whatever they are, so all that matter are set. Of each pair the
// first setting resets others, so it comes first.
func routerSysctls() []sysctl {
	out := []sysctl{
		{"ipv4/ip_forward", "1"},
		{"ipv6/conf/all/disable_ipv6", "1"},
		{"ipv6/conf/default/disable_ipv6", "1"},
		{"ipv4/conf/default/rp_filter", "1"},
	}
	for _, conf := range []string{"all", "default"} {
		for _, off := range []string{"send_redirects", "accept_redirects", "accept_source_route", "accept_local", "route_localnet", "arp_ignore", "arp_filter", "arp_announce"} {
			out = append(out, sysctl{"ipv4/conf/" + conf + "/" + off, "0"})
		}
	}
	// The kernel takes the higher of "all" and the device's own.
	return append(out, sysctl{"ipv4/conf/all/rp_filter", "0"}, sysctl{"ipv4/conf/all/proxy_arp", "0"})
}

// portSysctls make a device answer ARP for what it routes, at once (the default
// delays by up to 0.8 s).
func portSysctls(p *port) []sysctl {
	strict := "1"
	if p.forwarding {
		strict = "0"
	}
	return []sysctl{
		{"ipv4/conf/" + p.dev + "/proxy_arp", "1"},
		{"ipv4/conf/" + p.dev + "/rp_filter", strict},
		{"ipv4/neigh/" + p.dev + "/proxy_delay", "0"},
	}
}

// hostSysctls hold on the host's end of a veth: a network sends from its own
// addresses only.
func hostSysctls(dev string) []sysctl {
	return []sysctl{
		{"ipv4/ip_forward", "1"},
		{"ipv6/conf/" + dev + "/disable_ipv6", "1"},
		{"ipv4/conf/" + dev + "/rp_filter", "1"},
		{"ipv4/conf/" + dev + "/send_redirects", "0"},
	}
}

// setSysctls writes those that differ. A kernel without IPv6 has nothing to
// turn off.
func (k *kernel) setSysctls(want []sysctl) error {
	begun := false
	for _, s := range want {
		path := filepath.Join("/proc/sys/net", s.path)
		value, err := readSysctl(path)
		if errors.Is(err, fs.ErrNotExist) && strings.HasPrefix(s.path, "ipv6/") {
			continue
		}
		if err == nil && value == s.value {
			continue
		}
		if !begun {
			if err := k.did("sysctl " + s.path + " and others"); err != nil {
				return err
			}
			begun = true
		}
		if err := os.WriteFile(path, []byte(s.value), 0o644); err != nil {
			return fmt.Errorf("set sysctl %s: %w", s.path, err)
		}
	}
	return nil
}

// readSysctl reads a short file. Package os would have the runtime watch each,
// which takes longer than to read it.
func readSysctl(path string) (string, error) {
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return "", err
	}
	defer unix.Close(fd)
	b := make([]byte, 64)
	n, err := unix.Read(fd, b)
	if err != nil {
		return "", err
	}
	return strings.TrimSpace(string(b[:n])), nil
}
