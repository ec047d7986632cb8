package compute

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"lazuli/internal/arm"
	"lazuli/internal/fabric"
	"lazuli/internal/store"
)

// Command is something that was asked to be done once in a machine's guest: a
// script, or what carries out an extension. What it is has a key of its own, as
// Secrets have, and goes when the command has ended.
type Command struct {
	UID     string    `json:"uid"`
	AskedAt time.Time `json:"askedAt"`
	// Operation ends with the command.
	Operation string `json:"operation"`
	// Extension that the command is of, by name; "" for none.
	Extension string `json:"-"`
	// Lenient commands succeed even if they fail.
	Lenient bool `json:"lenient,omitempty"`
}

// commandTimeout is what Azure gives a script.
const commandTimeout = 90 * time.Minute

// commands are those of a machine, as they were asked for.
func (v *VM) commands() []Command {
	var all []Command
	if v.Command != nil {
		all = append(all, *v.Command)
	}
	for _, x := range v.Extensions {
		c := x.Command
		c.Extension = x.Name
		all = append(all, c)
	}
	slices.SortStableFunc(all, func(a, b Command) int { return a.AskedAt.Compare(b.AskedAt) })
	return all
}

// command is how a command ended; nil while it has not.
func (s *VMStatus) command(uid string) *fabric.CommandReport {
	i := slices.IndexFunc(s.Commands, func(r fabric.CommandReport) bool { return r.UID == uid })
	if i < 0 {
		return nil
	}
	return &s.Commands[i]
}

// PendingCommands are what the guest of the machine o is to do, in this order.
func PendingCommands(ctx context.Context, r store.Reader, o *arm.Object[VM, VMStatus]) ([]fabric.Command, error) {
	var all []fabric.Command
	for _, c := range o.Spec.commands() {
		if o.Status.command(c.UID) != nil {
			continue
		}
		e, err := r.Get(ctx, secretsKey(c.UID))
		if err != nil {
			return nil, fmt.Errorf("command %s: %w", c.UID, err)
		}
		var f fabric.Command
		if err := json.Unmarshal(e.Value, &f); err != nil {
			return nil, fmt.Errorf("read %s: %w", e.Key, err)
		}
		all = append(all, f)
	}
	return all, nil
}

// EndCommands notes in s, the status of the machine o to be written in the same
// transaction, which commands the reports say to have ended, and ends their
// operations.
func EndCommands(ctx context.Context, tx store.Tx, o *arm.Object[VM, VMStatus], s *VMStatus, reports []fabric.CommandReport, now time.Time) error {
	asked := o.Spec.commands()
	s.Commands = slices.DeleteFunc(slices.Clone(s.Commands), func(r fabric.CommandReport) bool {
		return !slices.ContainsFunc(asked, func(c Command) bool { return c.UID == r.UID })
	})
	for _, c := range asked {
		i := slices.IndexFunc(reports, func(r fabric.CommandReport) bool { return r.UID == c.UID })
		if i < 0 || s.command(c.UID) != nil {
			continue
		}
		r := reports[i]
		s.Commands = append(s.Commands, r)
		tx.Delete(secretsKey(c.UID))
		failure, result := o.Spec.outcome(&c, &r)
		if err := arm.FinishOperation(ctx, tx, c.Operation, failure, result, now); err != nil {
			return err
		}
	}
	if len(s.Commands) == 0 {
		s.Commands = nil
	}
	return nil
}

// outcome is what the operation of a command ends with.
func (v *VM) outcome(c *Command, r *fabric.CommandReport) (*arm.Error, any) {
	switch {
	case c.Extension != "":
		if failure := v.extension(c.Extension).failure(r); failure != nil && !c.Lenient {
			return failure, nil
		}
		return nil, nil
	case r.Problem != nil:
		return arm.Conflict(r.Problem.Code, "%s", r.Problem.Message), nil
	}
	return nil, page([]instanceStatus{viewResult(r)})
}

// viewResult shows how a script ended, in the words of Azure's extension that
// runs scripts.
func viewResult(r *fabric.CommandReport) instanceStatus {
	s := instanceStatus{Code: "ProvisioningState/succeeded", Level: levelInfo, Display: "Provisioning succeeded", Message: resultMessage(r)}
	if !succeeded(r) {
		s.Code, s.Level, s.Display = "ProvisioningState/failed/"+strconv.Itoa(r.ExitCode), levelError, "Provisioning failed"
	}
	return s
}

func succeeded(r *fabric.CommandReport) bool { return r.Problem == nil && r.ExitCode == 0 }

func resultMessage(r *fabric.CommandReport) string {
	head := "Enable succeeded: "
	if r.ExitCode != 0 {
		head = fmt.Sprintf("Enable failed: failed to execute command: command terminated with exit status=%d", r.ExitCode)
	}
	return head + "\n[stdout]\n" + r.Stdout + "\n[stderr]\n" + r.Stderr
}

// keepCommand stores what the guest is to do.
func keepCommand(tx store.Tx, f fabric.Command) error {
	f.TimeoutSeconds = int(commandTimeout / time.Second)
	b, err := json.Marshal(f)
	if err != nil {
		return err
	}
	tx.Put(secretsKey(f.UID), b)
	return nil
}

// dropCommand forgets a command, and cancels its operation.
func dropCommand(ctx context.Context, tx store.Tx, c *Command, why *arm.Error, now time.Time) error {
	tx.Delete(secretsKey(c.UID))
	return arm.FinishOperation(ctx, tx, c.Operation, why, nil, now)
}

// CancelCommands ends the operations of the machine o, which goes.
func CancelCommands(ctx context.Context, tx store.Tx, o *arm.Object[VM, VMStatus], now time.Time) error {
	for _, c := range o.Spec.commands() {
		why := arm.Conflict("OperationPreempted", "VM '%s' was deleted before the operation had ended.", o.ID.Name())
		if err := dropCommand(ctx, tx, &c, why, now); err != nil {
			return err
		}
	}
	return nil
}

// checkGuest says whether something can be done in the guest of o. down is the
// refusal of a machine that does not run.
func checkGuest(o *vmObject, down *arm.Error) error {
	if o.Deleting() {
		return arm.Conflict("OperationNotAllowed", "VM '%s' is being deleted.", o.ID.Name())
	}
	if os := o.Spec.OS; os != nil && os.RefuseExtensions {
		return arm.Conflict("OperationNotAllowed", "This operation cannot be performed when extension operations are disallowed. To allow, please ensure VM Agent is installed on the VM and the osProfile.allowExtensionOperations property is true.")
	}
	if p := PowerState(o); p != Running && p != Starting {
		return down
	}
	return nil
}

// scriptBody is the body of runCommand.
type scriptBody struct {
	ID         string          `json:"commandId"`
	Script     []string        `json:"script,omitempty"`
	Parameters []parameterBody `json:"parameters,omitempty"`
}

type parameterBody struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Bounds of what is run.
const (
	maxScript     = 256 << 10
	maxParameters = 100
)

// runCommand has the guest run a script, once, as root. It answers when that
// has ended.
func runCommand(ctx context.Context, c *arm.Call, body []byte) (arm.Result, error) {
	o, err := VMs.Get(ctx, c.Tx, c.ID)
	if err != nil {
		return arm.Result{}, err
	}
	if err := checkGuest(o, arm.Conflict("OperationNotAllowed", "The operation requires the VM to be running (or set to run).")); err != nil {
		return arm.Result{}, err
	}
	if was := o.Spec.Command; was != nil && o.Status.command(was.UID) == nil {
		return arm.Result{}, arm.Conflict("Conflict", "Run command extension execution is in progress. Please wait for completion before invoking a run command.")
	}
	f, err := readScript(body)
	if err != nil {
		return arm.Result{}, err
	}
	f.UID = c.NewID()
	op, err := arm.StartOperation(ctx, c.Tx, &arm.Meta{ID: o.ID}, c.NewID(), "runCommand", c.Now)
	if err != nil {
		return arm.Result{}, err
	}
	o.Spec.Command = &Command{UID: f.UID, AskedAt: c.Now, Operation: op.ID}
	return arm.Result{Operation: op}, errors.Join(keepCommand(c.Tx, f), VMs.Put(ctx, c.Tx, o))
}
