package deploy

import (
	"cmp"
	"context"
	"fmt"
	"runtime/debug"
	"sync/atomic"
	"time"

	"lazuli/internal/arm"
	"lazuli/internal/template"
)

// parallel is how many requests of one deployment are made at a time.
const parallel = 8

// run is one look at a deployment.
type run struct {
	*Deployments
	*known
	object  *object
	records map[int]*record
	started map[int]bool // in this look
	again   time.Duration
	stop    atomic.Bool // the deployment was canceled meanwhile
}

// soon has the deployment looked at again after at most after.
func (r *run) soon(after time.Duration) {
	if r.again == 0 || after < r.again {
		r.again = after
	}
}

// advance does what can be done now: it sees what came to an end, makes what
// can be made, and ends the deployment when nothing is left.
func (r *run) advance(ctx context.Context) (again time.Duration, err error) {
	for _, rec := range r.records {
		if rec.State == running {
			if err := r.observe(ctx, rec); err != nil {
				return 0, err
			}
		}
	}
	if r.object.Spec.Canceled {
		return 0, r.end(ctx, canceled)
	}
	if err := r.makeAll(ctx); err != nil {
		return 0, err
	}
	switch {
	case r.any(running) || r.again > 0:
		return r.again, nil
	case r.any(failed):
		return r.fail(ctx)
	case !r.complete(): // it is to end, which the next look sees
		return time.Millisecond, nil
	case r.object.Spec.Mode == "Complete":
		if done, err := r.clean(ctx); err != nil || !done {
			return r.again, err
		}
	}
	return 0, r.succeed(ctx)
}

// any says whether any record is in the state.
func (r *run) any(state string) bool {
	for _, rec := range r.records {
		if rec.State == state {
			return true
		}
	}
	return false
}

// complete says whether everything is made.
func (r *run) complete() bool {
	for i, res := range r.plan.Resources {
		if res.Deployed() && (r.records[i] == nil || r.records[i].State != succeeded) {
			return false
		}
	}
	return true
}

// made is what came of one request.
type made struct {
	number int
	record *record
	err    error
}

// makeAll makes what waits for nothing, and then what that set free, until
// everything that is left waits for operations. After a failure nothing more
// is begun.
func (r *run) makeAll(ctx context.Context) error {
	results, active := make(chan made), 0
	var first error
	for {
		for first == nil && active < parallel && r.again != whileBusy && !r.stop.Load() && !r.any(failed) {
			res, number := r.next()
			if res == nil {
				break
			}
			r.started[number] = true
			active++
			go func() { results <- r.guarded(ctx, res, number) }()
		}
		if active == 0 {
			return first
		}
		m := <-results
		active--
		if busy(m.err) {
			r.soon(whileBusy)
			continue
		}
		if m.err == nil {
			r.records[m.number] = m.record
			if m.record.State == running { // what is quick is over by now
				m.err = r.observe(ctx, m.record)
			}
		}
		first = cmp.Or(first, m.err)
	}
}

// guarded keeps a panic in one request from ending the process.
func (r *run) guarded(ctx context.Context, res *template.Resource, number int) (m made) {
	m.number = number
	defer func() {
		if p := recover(); p != nil {
			m.err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	m.record, m.err = r.make(ctx, res, number)
	return m
}

// next is a resource that can be made now, or nil.
func (r *run) next() (*template.Resource, int) {
	for i, res := range r.plan.Resources {
		if r.started[i] || r.records[i] != nil || !res.Deployed() {
			continue
		}
		if r.ready(res) {
			return res, i
		}
	}
	return nil, 0
}

func (r *run) ready(res *template.Resource) bool {
	for _, i := range res.DependsOn {
		if !r.plan.Resources[i].Deployed() {
			continue
		}
		if rec := r.records[i]; rec == nil || rec.State != succeeded {
			return false
		}
	}
	return true
}

// observe sees how a request goes on that was answered with an operation.
func (r *run) observe(ctx context.Context, rec *record) error {
	if rec.Operation == "" {
		return r.ask(ctx, rec)
	}
	r.waits.Store(rec.Operation, r.object.ID) // before it is read: its end is not missed
	op, err := arm.GetOperation(ctx, r.Store, rec.Operation)
	switch {
	case err != nil:
		return err
	case op == nil: // ended so long ago that it is forgotten
		r.waits.Delete(rec.Operation)
		return r.ask(ctx, rec)
	case !op.Done():
		r.soon(whileWaiting)
		return nil
	case op.Status == arm.Succeeded:
		rec.State = succeeded
	default:
		rec.State, rec.Error, rec.Status = failed, r.failure(rec, op), 409
	}
	rec.ChangedAt = r.now()
	if err := r.write(ctx, rec); err != nil {
		return err
	}
	r.waits.Delete(rec.Operation)
	return nil
}

// failure is the error of a resource whose operation failed.
func (r *run) failure(rec *record, op *arm.Operation) *arm.Error {
	inner := op.Error
	if inner == nil {
		inner = arm.Conflict("OperationPreempted", "The operation was canceled.")
	}
	if isDeployment(rec.Type) {
		e := *inner
		e.Target = rec.ID
		return &e
	}
	e := arm.Conflict("ResourceDeploymentFailure", "The resource write operation failed to complete successfully, because it reached terminal provisioning state '%s'.", op.Status).At(rec.ID)
	e.Details = []*arm.Error{inner}
	return e
}

// ask has the resource itself say how it goes.
func (r *run) ask(ctx context.Context, rec *record) error {
	rt := &runtime{cloud: r.Cloud, principal: r.object.Spec.Principal}
	body, err := rt.Get(ctx, rec.ID, rec.APIVersion)
	if busy(err) {
		r.soon(whileBusy)
		return nil
	}
	ae := asRefusal(err)
	switch state := provisioning(body); {
	case err != nil && ae == nil:
		return err
	case rec.Action == actDelete && ae != nil && ae.Status == 404:
		rec.State = succeeded
	case ae != nil:
		rec.State, rec.Error, rec.Status = failed, ae, ae.Status
	case rec.Action == actDelete || !settled(state):
		r.soon(whileAsking)
		return nil
	case state == "Failed" || state == "Canceled":
		rec.State, rec.Status = failed, 409
		rec.Error = arm.Conflict("ResourceDeploymentFailure", "The resource write operation failed to complete successfully, because it reached terminal provisioning state '%s'.", state).At(rec.ID)
	default:
		rec.State = succeeded
	}
	rec.ChangedAt = r.now()
	return r.write(ctx, rec)
}
