package routed

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
)

// Remove takes away everything of the network. It works from any state, also
// for a network that was never heard of.
func (d *Driver) Remove(ctx context.Context, uid string) error {
	if err := d.remove(ctx, uid); err != nil {
		return fmt.Errorf("network %s: %w", uid, err)
	}
	return nil
}

func (d *Driver) remove(ctx context.Context, uid string) error {
	if err := checkUID(uid); err != nil {
		return err
	}
	nw, release, err := d.hold(ctx, uid)
	if err != nil {
		return err
	}
	defer release()
	d.stopServing(nw)
	nw.program = programState{}
	name := networkName(uid)
	if err := d.removeLinks(name); err != nil {
		return err
	}
	if err := d.in(d.host, func(k *kernel) error { return k.deleteNamed(name) }); err != nil {
		return err
	}
	if err := d.did("remove namespace"); err != nil {
		return err
	}
	if err := removeSpace(name); err != nil {
		return fmt.Errorf("remove namespace: %w", err)
	}
	last, _ := nw.current()
	nw.set(state{Network: last.Network}, true)
	if err := d.hosts.ensure(ctx, d); err != nil {
		return fmt.Errorf("host rules: %w", err)
	}
	if err := d.did("remove state"); err != nil {
		return err
	}
	if err := d.states.remove(uid); err != nil {
		return err
	}
	d.forget(uid)
	return nil
}

// removeLinks cuts the guests off at once; their QEMUs, which have the taps
// open, would else keep the namespace alive. The end of the veth on the host
// goes with the one in here.
func (d *Driver) removeLinks(name string) error {
	s, err := namedSpace(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer s.Close()
	return d.in(s, func(k *kernel) error {
		links, err := k.links()
		if err != nil {
			return err
		}
		delete(links, "lo")
		return k.deleteLinks(slices.Collect(maps.Values(links))...)
	})
}

// deleteNamed deletes a device if it is there.
func (k *kernel) deleteNamed(name string) error {
	l, err := k.findLink(name)
	if l == nil || err != nil {
		return err
	}
	return k.deleteLinks(l)
}
