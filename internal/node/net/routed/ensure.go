package routed

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"

	"lazuli/internal/fabric"
)

// Ensure makes the network as n says. What is as it should be is not touched:
// guests do not notice.
func (d *Driver) Ensure(ctx context.Context, n fabric.Network) error {
	if err := d.ensure(ctx, n); err != nil {
		return fmt.Errorf("network %s: %w", n.UID, err)
	}
	return nil
}

func (d *Driver) ensure(ctx context.Context, n fabric.Network) error {
	n, err := clone(n)
	if err != nil {
		return err
	}
	if _, err := planOf(n, transit{}); err != nil {
		return err
	}
	nw, release, err := d.hold(ctx, n.UID)
	if err != nil {
		return err
	}
	defer release()
	t, err := d.remember(nw, n)
	if err != nil {
		return err
	}
	p, err := d.plan(n, t)
	if err != nil {
		return err
	}
	if err := d.build(ctx, nw, p); err != nil {
		return err
	}
	return d.serve(ctx, nw, n)
}

func (d *Driver) plan(n fabric.Network, t transit) (*plan, error) {
	p, err := planOf(n, t)
	if err != nil {
		return nil, err
	}
	p.pool = d.opts.Transit.Masked()
	return p, nil
}

// build makes the data path. Each part is safe to be the last one done: the
// rules are there before the first packet can come.
func (d *Driver) build(ctx context.Context, nw *network, p *plan) error {
	s, made, err := d.space(p.name)
	if err != nil {
		return err
	}
	defer s.Close()
	if made {
		// Sockets of an older namespace of that name hear nobody.
		d.stopServing(nw)
		nw.program = programState{}
	}
	// The rules of the host and those inside take as long as each other, and
	// nothing passes before both are there: the host's end is down till then.
	hostRules := make(chan error, 1)
	go func() { hostRules <- d.hosts.ensure(ctx, d) }()
	err = d.in(s, func(k *kernel) error { return d.router(k, nw, p, made) })
	if hostErr := <-hostRules; hostErr != nil {
		return errors.Join(err, fmt.Errorf("host rules: %w", hostErr))
	}
	if err != nil {
		return err
	}
	return d.in(d.host, func(k *kernel) error { return k.hostEnd(p) })
}

// clone keeps what the caller may yet change apart from what is remembered.
func clone(n fabric.Network) (out fabric.Network, err error) {
	b, err := json.Marshal(n)
	if err != nil {
		return out, err
	}
	return out, json.Unmarshal(b, &out)
}

// remember writes what was asked for, and chooses the network's transit if it
// has none yet.
func (d *Driver) remember(nw *network, n fabric.Network) (transit, error) {
	last, exists := nw.current()
	t := last.Transit
	if !t.Host.IsValid() {
		var err error
		if t, err = d.claimTransit(nw, n); err != nil {
			return t, err
		}
	}
	if exists && sameJSON(last.Network, n) && last.Transit == t {
		return t, nil
	}
	s := state{Network: n, Transit: t}
	if err := d.did("write state"); err != nil {
		return t, err
	}
	if err := d.states.write(s); err != nil {
		return t, fmt.Errorf("write state: %w", err)
	}
	nw.set(s, true)
	return t, nil
}

func sameJSON(a, b any) bool {
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	return errX == nil && errY == nil && string(x) == string(y)
}

// claimTransit finds a free pair of addresses and keeps it from other networks.
func (d *Driver) claimTransit(nw *network, n fabric.Network) (t transit, err error) {
	var used func(transit) bool
	err = d.in(d.host, func(k *kernel) (err error) {
		used, err = k.hostUses()
		return err
	})
	if err != nil {
		return t, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	ours := map[transit]bool{}
	for _, s := range d.allLocked() {
		ours[s.Transit] = true
	}
	t, err = chooseTransit(d.opts.Transit, n.UID, func(t transit) bool { return ours[t] || used(t) })
	if err != nil {
		return t, err
	}
	last, exists := nw.current()
	nw.set(state{Network: last.Network, Transit: t}, exists)
	return t, nil
}

// space opens the namespace of a network; made says that it had to be made.
func (d *Driver) space(name string) (s *space, made bool, err error) {
	s, err = namedSpace(name)
	if err == nil || !errors.Is(err, fs.ErrNotExist) {
		return s, false, err
	}
	if err := d.did("create namespace"); err != nil {
		return nil, false, err
	}
	if err := createSpace(name); err != nil {
		return nil, false, fmt.Errorf("create namespace: %w", err)
	}
	s, err = namedSpace(name)
	return s, true, err
}

func (d *Driver) stopServing(nw *network) {
	if nw.served != nil {
		d.services.Stop(nw.served.UID)
		nw.served = nil
	}
}
