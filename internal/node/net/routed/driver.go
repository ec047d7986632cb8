package routed

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"reflect"
	"slices"
	"sync"

	"lazuli/internal/fabric"
	"lazuli/internal/node"
)

// Options of a driver. Dir must be given.
type Options struct {
	// Dir keeps the driver's state files; it is made if need be.
	Dir string
	// Instance tells several lazulis on one host apart: their tables are
	// "lazuli-<instance>". The zero value is "default".
	Instance string
	// Transit is the range that the links between networks and the host are
	// numbered from. The zero value is 100.64.0.0/10.
	Transit netip.Prefix
	// PublicNAT says which public addresses the world cannot answer, so that
	// what leaves the host from them takes the host's own address.
	PublicNAT PublicNAT
	// Host is the path of the host's network namespace. The zero value is that
	// of the process.
	Host string
	Log  *slog.Logger
}

// PublicNAT says which public addresses are masqueraded on the way out of the
// host.
type PublicNAT int

// NATPrivate is for addresses that are routed nowhere (RFC 1918, 6598 and 2544).
const (
	NATPrivate PublicNAT = iota
	NATAlways
	NATNever
)

// Driver makes virtual networks. It implements node.Networks.
type Driver struct {
	opts     Options
	log      *slog.Logger
	services node.Services
	states   stateDir
	host     *space
	hosts    hostTable
	// did is the hook of kernel.did.
	did func(change string) error

	mu       sync.Mutex // guards networks, not what they hold
	networks map[string]*network
}

var _ node.Networks = (*Driver)(nil)

// network is what the driver remembers of a network. What turn guards can all
// be found again.
type network struct {
	turn    turn
	program programState
	served  *fabric.Network // what the services know; nil if they do not run
	sockets sockets

	mu     sync.Mutex
	state  state
	exists bool // it has a state file
}

// New makes a driver and starts the services of the networks that are there
// since before. Close gives back what it holds; the networks stay.
func New(ctx context.Context, opts Options, services node.Services) (*Driver, error) {
	d := &Driver{opts: withDefaults(opts), services: services, states: stateDir(opts.Dir), networks: map[string]*network{}}
	d.log = d.opts.Log
	d.did = func(string) error { return nil }
	d.hosts.turn = newTurn()
	if err := os.MkdirAll(opts.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("make directory of networks: %w", err)
	}
	host, err := openSpace(d.opts.Host)
	if err != nil {
		return nil, fmt.Errorf("open host namespace: %w", err)
	}
	d.host = host
	states, err := d.states.read()
	if err != nil {
		host.Close()
		return nil, err
	}
	for uid, s := range states {
		nw := newNetwork(s)
		nw.exists = true
		d.networks[uid] = nw
		if err := d.adopt(ctx, nw); err != nil {
			d.log.Warn("services of network wait for it to be made", "network", uid, "err", err)
		}
	}
	return d, nil
}

func withDefaults(o Options) Options {
	if o.Instance == "" {
		o.Instance = "default"
	}
	if !o.Transit.IsValid() {
		o.Transit = netip.MustParsePrefix("100.64.0.0/10")
	}
	if o.Host == "" {
		o.Host = threadSpace
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o
}

func newNetwork(s state) *network {
	return &network{turn: newTurn(), state: s}
}

// adopt lets the services of a network that exists go on.
func (d *Driver) adopt(ctx context.Context, nw *network) error {
	if !nw.state.Transit.Host.IsValid() {
		return nil
	}
	s, err := namedSpace(networkName(nw.state.Network.UID))
	if err != nil {
		return err
	}
	defer s.Close()
	return d.serve(ctx, nw, nw.state.Network)
}

// List says which networks exist, whole or in part.
func (d *Driver) List(context.Context) ([]string, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	out := []string{}
	for uid, nw := range d.networks {
		if _, exists := nw.current(); exists {
			out = append(out, uid)
		}
	}
	slices.Sort(out)
	return out, nil
}

// Close ends the services and leaves the networks as they are.
func (d *Driver) Close() error {
	d.mu.Lock()
	nets := d.networks
	d.networks = map[string]*network{}
	d.mu.Unlock()
	for uid, nw := range nets {
		if nw.turn.take(context.Background()) == nil && nw.served != nil {
			d.services.Stop(uid)
		}
	}
	return d.host.Close()
}

// hold gives the caller the network alone until it calls release.
func (d *Driver) hold(ctx context.Context, uid string) (nw *network, release func(), err error) {
	for {
		d.mu.Lock()
		nw, ok := d.networks[uid]
		if !ok {
			nw = newNetwork(state{Network: fabric.Network{UID: uid}})
			d.networks[uid] = nw
		}
		d.mu.Unlock()
		if err := nw.turn.take(ctx); err != nil {
			return nil, nil, err
		}
		d.mu.Lock()
		same := d.networks[uid] == nw
		d.mu.Unlock()
		if same {
			return nw, nw.turn.release, nil
		}
		nw.turn.release()
	}
}

func (d *Driver) forget(uid string) {
	d.mu.Lock()
	delete(d.networks, uid)
	d.mu.Unlock()
}

func (nw *network) current() (s state, exists bool) {
	nw.mu.Lock()
	defer nw.mu.Unlock()
	return nw.state, nw.exists
}

func (nw *network) set(s state, exists bool) {
	nw.mu.Lock()
	nw.state, nw.exists = s, exists
	nw.mu.Unlock()
}

// all are the states of the networks that have a transit.
func (d *Driver) all() []state {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.allLocked()
}

func (d *Driver) allLocked() []state {
	var out []state
	for _, nw := range d.networks {
		if s, _ := nw.current(); s.Transit.Host.IsValid() {
			out = append(out, s)
		}
	}
	return out
}

// serve tells the services what n is, unless they know.
func (d *Driver) serve(ctx context.Context, nw *network, n fabric.Network) error {
	if nw.served != nil && reflect.DeepEqual(*nw.served, n) {
		return nil
	}
	if err := d.services.Serve(ctx, n, &namespace{driver: d, network: nw, uid: n.UID}); err != nil {
		return fmt.Errorf("serve: %w", err)
	}
	nw.served = &n
	return nil
}

// turn is a lock that a context can stop waiting for, to be held during I/O.
type turn chan struct{}

func newTurn() turn { return make(turn, 1) }

func (t turn) take(ctx context.Context) error {
	select {
	case t <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (t turn) release() { <-t }
