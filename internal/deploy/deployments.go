package deploy

import (
	"context"
	"errors"
	"sync"
	"time"

	"lazuli/internal/arm"
	"lazuli/internal/store"
	"lazuli/internal/template"
)

// Deployments is the provider of the type, and what carries deployments out.
type Deployments struct {
	Config
	Store store.Store
	// Cloud may be set later than the rest, but before the first request.
	Cloud Cloud

	mu    sync.Mutex
	plans map[string]*known // by UID; what is lost of it is made again
	// waits has the deployment that waits for an operation, by its id.
	waits sync.Map
}

// known is what follows from what a deployment was asked for with.
type known struct {
	plan    *template.Plan
	secrets secrets // the values of its secure parameters
	secret  bool    // its source has secrets
	source  *source
}

func (d *Deployments) now() time.Time {
	if d.Now == nil {
		return time.Now()
	}
	return d.Now()
}

// Waiting is the deployment that waits for the operation, if there is one: it
// is to be looked at when the operation has ended.
func (d *Deployments) Waiting(operation string) (arm.ID, bool) {
	id, ok := d.waits.Load(operation)
	if !ok {
		return arm.ID{}, false
	}
	return id.(arm.ID), true
}

// How soon a deployment is looked at again that waits for an operation, whose
// end wakes it anyway; for a resource that says itself how it goes; and for
// one that is refused for now.
const (
	whileWaiting = 5 * time.Second
	whileAsking  = 100 * time.Millisecond
	whileBusy    = 500 * time.Millisecond
)

// Reconcile takes a deployment as far as it goes now. It may run at any time,
// any number of times, and after a crash anywhere in itself.
func (d *Deployments) Reconcile(ctx context.Context, id arm.ID) (again time.Duration, err error) {
	o, err := deployments.Find(ctx, d.Store, id)
	if err != nil || o == nil || o.Status.ended() {
		return 0, err
	}
	again, err = d.step(ctx, o)
	if errors.Is(err, errOver) {
		d.drop(o.UID)
		return 0, nil
	}
	return again, err
}

func (d *Deployments) step(ctx context.Context, o *object) (again time.Duration, err error) {
	k, err := d.know(ctx, o)
	if ae, ok := errors.AsType[*arm.Error](err); ok {
		return 0, d.finish(ctx, o, nil, &Status{State: failed, Error: ae})
	}
	if err != nil {
		return 0, err
	}
	r := &run{Deployments: d, object: o, known: k, started: map[int]bool{}}
	if r.records, err = records(ctx, d.Store, o.UID); err != nil {
		return 0, err
	}
	return r.advance(ctx)
}

// know makes the plan of a deployment, or has it still.
func (d *Deployments) know(ctx context.Context, o *object) (*known, error) {
	d.mu.Lock()
	k := d.plans[o.UID]
	d.mu.Unlock()
	if k != nil {
		return k, nil
	}
	s, secret, err := sourceOf(ctx, d.Store, o.UID)
	if err != nil {
		return nil, err
	}
	p, err := d.planOf(ctx, o, s)
	if err != nil {
		return nil, err
	}
	k = &known{plan: p, secrets: p.Secrets(), secret: secret, source: s}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.plans == nil {
		d.plans = map[string]*known{}
	}
	d.plans[o.UID] = k
	return k, nil
}

// drop forgets what is known of a deployment that has ended.
func (d *Deployments) drop(uid string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.plans, uid)
}
