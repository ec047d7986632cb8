package routed

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// ErrPlugged is when something has the tap of a port open already. Unplug takes
// it from whoever that is.
var ErrPlugged = errors.New("the port is in use")

var errNoNetwork = fmt.Errorf("find network: %w", os.ErrNotExist)

// Plug opens the tap device of a port. The file may be handed to a process in
// any namespace; the device stays when it is closed.
func (d *Driver) Plug(ctx context.Context, networkUID, portUID string) (f *os.File, err error) {
	err = d.withPort(ctx, networkUID, portUID, func(nw *network, p *plan, dev string) error {
		if p.port(dev) == nil {
			return fmt.Errorf("find port: %w", os.ErrNotExist)
		}
		if err := d.build(ctx, nw, p); err != nil {
			return err
		}
		f, err = d.openPort(ctx, p, dev)
		return err
	})
	return f, err
}

// A process that this one is starting holds all of its files for a moment, also
// those of taps that were made and closed.
const (
	passingTries = 20
	passingPause = 5 * time.Millisecond
)

func (d *Driver) openPort(ctx context.Context, p *plan, dev string) (f *os.File, err error) {
	s, err := namedSpace(p.name)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	for range passingTries {
		err = s.do(func() error {
			f, err = openTap(dev)
			return err
		})
		if !errors.Is(err, unix.EBUSY) {
			return f, err
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(passingPause):
		}
	}
	return nil, ErrPlugged
}

// Unplug removes the tap of a port, whoever has it open. Plug makes it again.
func (d *Driver) Unplug(ctx context.Context, networkUID, portUID string) error {
	err := d.withPort(ctx, networkUID, portUID, func(_ *network, p *plan, dev string) error {
		s, err := namedSpace(p.name)
		if errors.Is(err, os.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		defer s.Close()
		return d.in(s, func(k *kernel) error { return k.deleteNamed(dev) })
	})
	if errors.Is(err, errNoNetwork) {
		return nil
	}
	return err
}

// withPort calls f alone with a network that exists.
func (d *Driver) withPort(ctx context.Context, networkUID, portUID string, f func(nw *network, p *plan, dev string) error) error {
	err := func() error {
		nw, release, err := d.hold(ctx, networkUID)
		if err != nil {
			return err
		}
		defer release()
		s, exists := nw.current()
		if !exists || !s.Transit.Host.IsValid() {
			if !exists {
				d.forget(networkUID)
			}
			return errNoNetwork
		}
		p, err := d.plan(s.Network, s.Transit)
		if err != nil {
			return err
		}
		return f(nw, p, portName(portUID))
	}()
	if err != nil {
		return fmt.Errorf("network %s: port %s: %w", networkUID, portUID, err)
	}
	return nil
}
