package compute

import (
	"context"
	"maps"
	"strconv"
	"strings"
	"time"

	"lazuli/internal/arm"
	"lazuli/internal/fabric"
)

// vmActions are the POSTs on a machine.
func vmActions(cfg Config) map[string]arm.Action {
	all := map[string]arm.Action{
		"start":      power("start", start),
		"powerOff":   power("powerOff", powerOff),
		"deallocate": power("deallocate", deallocate),
		"restart":    power("restart", restart),
		"redeploy":   power("redeploy", redeploy),
		"reapply":    power("reapply", func(context.Context, *arm.Call, *vmObject) error { return nil }),
		"generalize": generalize,
		"reimage":    reimage(cfg.Catalogue),

		"attachDetachDataDisks":       attachDetachDataDisks,
		"runCommand":                  runCommand,
		"retrieveBootDiagnosticsData": retrieveBootDiagnostics,
	}
	maps.Copy(all, neverOnVM())
	return all
}

// power is an action that asks for something, as ask writes it in the spec.
func power(name string, ask func(ctx context.Context, c *arm.Call, o *vmObject) error) arm.Action {
	return func(ctx context.Context, c *arm.Call, _ []byte) (arm.Result, error) {
		o, err := livingVM(ctx, c)
		if err != nil {
			return arm.Result{}, err
		}
		o.Generation++
		if err := ask(ctx, c, o); err != nil {
			return arm.Result{}, err
		}
		op, err := arm.StartOperation(ctx, c.Tx, &o.Meta, c.NewID(), name, c.Now)
		if err != nil {
			return arm.Result{}, err
		}
		return arm.Result{Operation: op}, VMs.Put(ctx, c.Tx, o)
	}
}

// livingVM is the machine of the call, which is not being deleted.
func livingVM(ctx context.Context, c *arm.Call) (*vmObject, error) {
	o, err := VMs.Get(ctx, c.Tx, c.ID)
	if err != nil {
		return nil, err
	}
	if o.Deleting() {
		return nil, arm.Conflict("OperationNotAllowed", "VM '%s' is being deleted.", o.ID.Name())
	}
	return o, nil
}

func (v *VM) ask(p fabric.Power, generation int64, hard bool) {
	v.Power, v.PowerGeneration, v.Hard = p, generation, hard
}

// start refuses a machine whose disks are being copied: what it writes would
// be half in the copy.
func start(ctx context.Context, c *arm.Call, o *vmObject) error {
	if o.Spec.Generalized {
		return arm.Conflict("OperationNotAllowed", "VM '%s' was marked as generalized, so that it cannot be started. Make an image of it.", o.ID.Name())
	}
	for _, id := range o.Spec.DiskIDs() {
		if err := checkNotCopied(ctx, c.Tx, id); err != nil {
			return err
		}
	}
	o.Spec.ask(fabric.Running, o.Generation, false)
	return nil
}

// powerOff leaves a deallocated machine as it is: it holds nothing that it
// could hold on to.
func powerOff(_ context.Context, c *arm.Call, o *vmObject) error {
	skip, err := boolQuery(c, "skipShutdown")
	if err != nil || o.Spec.Power == fabric.Deallocated {
		return err
	}
	o.Spec.ask(fabric.Stopped, o.Generation, skip)
	return nil
}

func deallocate(_ context.Context, c *arm.Call, o *vmObject) error {
	hibernate, err := boolQuery(c, "hibernate")
	if err != nil {
		return err
	}
	if hibernate {
		return arm.Unsupported("hibernate")
	}
	o.Spec.ask(fabric.Deallocated, o.Generation, false)
	return nil
}

func restart(_ context.Context, _ *arm.Call, o *vmObject) error {
	if o.Spec.Power != fabric.Running {
		return arm.Conflict("OperationNotAllowed", "VM '%s' is not running, so that it cannot be restarted. Start it instead.", o.ID.Name())
	}
	o.Spec.ask(fabric.Running, o.Generation, false)
	o.Spec.Restarts++
	return nil
}

// redeploy restarts a machine that should run.
func redeploy(ctx context.Context, c *arm.Call, o *vmObject) error {
	if o.Spec.Power != fabric.Running {
		return nil
	}
	return restart(ctx, c, o)
}

func boolQuery(c *arm.Call, name string) (bool, error) {
	for k, values := range c.Query {
		if !strings.EqualFold(k, name) || len(values) == 0 || values[0] == "" {
			continue
		}
		b, err := strconv.ParseBool(strings.ToLower(values[0]))
		if err != nil {
			return false, arm.InvalidParameter(name, "The value '%s' of %s is neither true nor false.", values[0], name)
		}
		return b, nil
	}
	return false, nil
}

// generalize marks a machine that is down as good for images only. It is done
// at once: nothing on a node changes.
func generalize(ctx context.Context, c *arm.Call, _ []byte) (arm.Result, error) {
	o, err := livingVM(ctx, c)
	if err != nil {
		return arm.Result{}, err
	}
	if p := PowerState(o); p != Deallocated && p != Stopped {
		return arm.Result{}, arm.Conflict("OperationNotAllowed", "VM '%s' is %s. It must be powered off before it is marked as generalized.", o.ID.Name(), p)
	}
	if o.Spec.Generalized {
		return arm.Result{}, nil
	}
	o.Spec.Generalized = true
	return arm.Result{}, VMs.Put(ctx, c.Tx, o)
}

// bootDiagnosticsURIs is where the boot log is.
type bootDiagnosticsURIs struct {
	SerialLog string `json:"serialConsoleLogBlobUri"`
}

// How long the URL of a boot log works, in minutes.
const minSAS, defaultSAS, maxSAS = 1, 120, 1440

func retrieveBootDiagnostics(ctx context.Context, c *arm.Call, _ []byte) (arm.Result, error) {
	o, err := VMs.Get(ctx, c.Tx, c.ID)
	if err != nil {
		return arm.Result{}, err
	}
	minutes := defaultSAS
	for k, values := range c.Query {
		if !strings.EqualFold(k, "sasUriExpirationTimeInMinutes") || len(values) == 0 {
			continue
		}
		if minutes, err = strconv.Atoi(values[0]); err != nil || minutes < minSAS || minutes > maxSAS {
			return arm.Result{}, arm.InvalidParameter(k, "The value of %s must be from %d to %d.", k, minSAS, maxSAS)
		}
	}
	return arm.Result{Body: bootDiagnosticsURIs{
		SerialLog: c.SignURL(o.ID.String()+"/serialLog", o.UID, time.Duration(minutes)*time.Minute),
	}}, nil
}
