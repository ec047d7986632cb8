package guest

import (
	"errors"
	"fmt"
	"net/netip"

	"lazuli/internal/fabric"
	"lazuli/internal/node/guest/dhcp"
	"lazuli/internal/node/guest/nameserver"
)

// view is a network as its services look at it. It is never changed, only
// replaced by another.
type view struct {
	zone   *nameserver.Zone
	ports  map[string]fabric.Port
	leases map[string]dhcp.Lease // by port; none for a port without an address
}

func newView(n fabric.Network) (*view, error) {
	v := &view{zone: nameserver.NewZone(n), ports: map[string]fabric.Port{}, leases: map[string]dhcp.Lease{}}
	var errs []error
	for _, p := range n.Ports {
		v.ports[p.UID] = p
		lease, err := dhcp.LeaseOf(n, p)
		if err != nil {
			errs = append(errs, fmt.Errorf("lease of port %s: %w", p.UID, err))
			continue
		}
		v.leases[p.UID] = lease
	}
	return v, errors.Join(errs...)
}

// key is whom an address's share of the services is counted for: a port,
// whatever address of its own it asks from. All strangers are one.
func (v *view) key(a netip.Addr) string {
	uid, _ := v.zone.Port(a)
	return uid
}

// machine says whose the address is; ok is false if it is no port's.
func (v *view) machine(a netip.Addr) (uid string, ok bool) {
	port, ok := v.zone.Port(a)
	return v.ports[port].MachineUID, ok
}

// portsOf are the ports of a machine on this network.
func (v *view) portsOf(m fabric.Machine) []fabric.Port {
	var ports []fabric.Port
	for _, nic := range m.NICs {
		if p, ok := v.ports[nic.UID]; ok && p.MachineUID == m.UID {
			ports = append(ports, p)
		}
	}
	return ports
}
