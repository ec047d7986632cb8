package guest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"

	"lazuli/internal/fabric"
	"lazuli/internal/node"
	"lazuli/internal/node/guest/dhcp"
	"lazuli/internal/node/guest/imds"
	"lazuli/internal/node/guest/nameserver"
	"lazuli/internal/node/guest/quota"
	"lazuli/internal/node/guest/wireserver"
)

// What one port may ask for. An agent asks some twenty things in the second
// that it starts, and then one every few seconds.
const (
	requestsPerSecond, requestsBurst, requestsAtOnce = 20, 100, 4
	connections                                      = 16 // open at once, per port
	queriesPerSecond, queriesBurst, queriesAtOnce    = 100, 200, 16
	leasesPerSecond, leasesBurst                     = 5, 20
	// Of a machine, what the node writes down and tells the control plane.
	reportsPerSecond, reportsBurst = 0.5, 30
)

const portPrefix = "port/"

// network is the services of one network: one task for each socket.
type network struct {
	uid  string
	conf Config
	view atomic.Pointer[view]

	requests, queries, leases, streams *quota.Quota // by port
	reports                            *quota.Quota // by machine

	dns  nameserver.Server
	imds http.Handler
	wire wireserver.Server

	mu      sync.Mutex // held while tasks are started and stopped
	tasks   map[string]*task
	stopped bool
}

func newNetwork(n fabric.Network, c Config, f *nameserver.Forwarder) *network {
	nw := &network{
		uid: n.UID, conf: c, tasks: map[string]*task{},
		requests: quota.New(requestsPerSecond, requestsBurst, requestsAtOnce),
		queries:  quota.New(queriesPerSecond, queriesBurst, queriesAtOnce),
		leases:   quota.New(leasesPerSecond, leasesBurst, 1),
		streams:  quota.New(requestsPerSecond, requestsBurst, connections),
		reports:  quota.New(reportsPerSecond, reportsBurst, 1),
	}
	nw.view.Store(&view{zone: nameserver.NewZone(fabric.Network{})})
	nw.dns = nameserver.Server{Zone: func() *nameserver.Zone { return nw.view.Load().zone }, Forward: f, Quota: nw.queries}
	nw.imds = imds.Server{Find: nw.findGuest}
	nw.wire = wireserver.Server{Find: nw.findMachine, Report: c.Report, Quota: nw.reports}
	return nw
}

var errStopped = errors.New("network was stopped")

func (nw *network) update(n fabric.Network, ns node.Namespace) error {
	nw.mu.Lock()
	defer nw.mu.Unlock()
	if nw.stopped {
		return errStopped
	}
	v, viewErr := newView(n)
	nw.view.Store(v)
	nw.forget(v)
	errs := []error{viewErr}
	for uid := range v.leases {
		errs = append(errs, nw.ensure(portPrefix+uid, func() (run, error) { return nw.openPort(ns, uid) }))
	}
	for name, open := range nw.sockets(ns) {
		errs = append(errs, nw.ensure(name, open))
	}
	return errors.Join(errs...)
}

// forget ends what belongs to ports that are no more.
func (nw *network) forget(v *view) {
	for name, t := range nw.tasks {
		if uid, ok := cutPort(name); ok {
			if _, stays := v.leases[uid]; !stays {
				t.stop()
				delete(nw.tasks, name)
			}
		}
	}
	keep := func(key string) bool { _, ok := v.ports[key]; return ok || key == "" }
	for _, q := range []*quota.Quota{nw.requests, nw.queries, nw.leases, nw.streams} {
		q.Keep(keep)
	}
	machines := map[string]bool{}
	for _, p := range v.ports {
		machines[p.MachineUID] = true
	}
	nw.reports.Keep(func(uid string) bool { return machines[uid] })
}

func (nw *network) stop() {
	nw.mu.Lock()
	defer nw.mu.Unlock()
	nw.stopped = true
	for _, t := range nw.tasks {
		t.cancel() // all at once, then wait for each
	}
	for _, t := range nw.tasks {
		t.stop()
	}
	nw.tasks = nil
}

// ensure keeps the task name running.
func (nw *network) ensure(name string, open func() (run, error)) error {
	if t, ok := nw.tasks[name]; ok && t.running() {
		return nil
	}
	r, err := open()
	if err != nil {
		return fmt.Errorf("serve %s: %w", name, err)
	}
	nw.tasks[name] = start(r, func(err error) {
		nw.conf.Logger.Warn("guest service ended", "network", nw.uid, "service", name, "err", err)
	})
	return nil
}

// sockets are those that the network has once.
func (nw *network) sockets(ns node.Namespace) map[string]func() (run, error) {
	stream := func(address string, serve func(context.Context, net.Listener) error) func() (run, error) {
		return func() (run, error) {
			l, err := ns.Listen("tcp4", address)
			if err != nil {
				return nil, err
			}
			return func(ctx context.Context) error { return serve(ctx, newListener(l, nw.enter)) }, nil
		}
	}
	return map[string]func() (run, error){
		"metadata":   stream("169.254.169.254:80", nw.http(nw.imds)),
		"wireserver": stream(wireserver.Address+":80", nw.http(nw.wire.Wire())),
		"plugin":     stream(wireserver.Address+":32526", nw.http(nw.wire.Plugin())),
		"dns/tcp":    stream(wireserver.Address+":53", nw.dns.Streams),
		"dns/udp": func() (run, error) {
			c, err := ns.ListenPacket("udp4", wireserver.Address+":53")
			if err != nil {
				return nil, err
			}
			c = paced(c, queriesReadPerSecond, queriesReadBurst)
			return func(ctx context.Context) error { return nw.dns.Packets(ctx, c) }, nil
		},
	}
}

func (nw *network) openPort(ns node.Namespace, uid string) (run, error) {
	conn, err := ns.ListenPort(uid)
	if err != nil {
		return nil, err
	}
	conn = paced(conn, leasesReadPerSecond, leasesReadBurst)
	return func(ctx context.Context) error {
		stop := context.AfterFunc(ctx, func() { conn.Close() })
		defer conn.Close()
		defer stop()
		lease := func() dhcp.Lease { return nw.view.Load().leases[uid] }
		return dhcp.Serve(conn, lease, func() bool { return nw.leases.Allow(uid) })
	}, nil
}

func (nw *network) findMachine(a netip.Addr) (fabric.Machine, bool) {
	uid, ok := nw.view.Load().machine(a)
	if !ok {
		return fabric.Machine{}, false
	}
	m, _ := nw.conf.Machine(uid)
	return m, true
}

func (nw *network) findGuest(a netip.Addr) (imds.Guest, bool) {
	m, ok := nw.findMachine(a)
	return imds.Guest{Machine: m, Ports: nw.view.Load().portsOf(m)}, ok
}

func (nw *network) enter(a netip.Addr) (leave func(), ok bool) {
	return nw.streams.Enter(nw.view.Load().key(a))
}
