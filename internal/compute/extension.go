package compute

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"lazuli/internal/arm"
	"lazuli/internal/fabric"
)

// ExtensionType is a child of a machine, and stored in its spec.
const ExtensionType = VMType + "/extensions"

// Extension is something that is done in a machine's guest by what Azure calls
// an extension. Nothing is installed: a command carries it out.
type Extension struct {
	Name           string            `json:"name"`
	Tags           map[string]string `json:"tags,omitempty"`
	Publisher      string            `json:"publisher"`
	Type           string            `json:"type"`
	Version        string            `json:"version"`
	AutoMinor      *bool             `json:"autoMinor,omitempty"`
	AutoUpgrade    *bool             `json:"autoUpgrade,omitempty"`
	ForceUpdateTag string            `json:"forceUpdateTag,omitempty"`
	Settings       json.RawMessage   `json:"settings,omitempty"`
	// Protected is of the settings that are not shown.
	Protected Digest `json:"protected,omitempty"`
	// Lenient is suppressFailures.
	Lenient bool `json:"lenient,omitempty"`
	// Command carries out what was last asked for; Repeated, that it is not the
	// first.
	Command  Command `json:"command"`
	Repeated bool    `json:"repeated,omitempty"`
}

// extension finds one by name; an empty one when there is none.
func (v *VM) extension(name string) *Extension {
	if i := v.extensionIndex(name); i >= 0 {
		return &v.Extensions[i]
	}
	return &Extension{Name: name}
}

func (v *VM) extensionIndex(name string) int {
	return slices.IndexFunc(v.Extensions, func(x Extension) bool { return strings.EqualFold(x.Name, name) })
}

// failure is what the operation of an extension failed with, or nil.
func (x *Extension) failure(r *fabric.CommandReport) *arm.Error {
	switch {
	case succeeded(r):
		return nil
	case r.Problem != nil:
		return arm.Conflict(r.Problem.Code, "%s", r.Problem.Message)
	}
	return arm.Conflict("VMExtensionProvisioningError", "VM has reported a failure when processing extension '%s' (publisher '%s' and type '%s'). Error message: %q.", x.Name, x.Publisher, x.Type, resultMessage(r))
}

// extensions is the Provider of the type.
type extensions struct{}

// Get answers with an extension.
func (extensions) Get(ctx context.Context, c *arm.Call) (arm.Result, error) {
	o, i, err := findExtension(ctx, c)
	if err != nil {
		return arm.Result{}, err
	}
	return arm.Result{Body: viewExtension(o, &o.Spec.Extensions[i], wantsInstanceView(c)), ETag: o.ETag()}, nil
}

// List answers with those of a machine; there are few enough for one page.
func (extensions) List(ctx context.Context, c *arm.Call, parent arm.ID, _ string, _ int) ([]any, string, error) {
	o, err := VMs.Get(ctx, c.Reader(), parent)
	if err != nil {
		return nil, "", err
	}
	items := []any{}
	for i := range o.Spec.Extensions {
		items = append(items, viewExtension(o, &o.Spec.Extensions[i], wantsInstanceView(c)))
	}
	return items, "", nil
}

// Put makes or changes an extension, and has it carried out.
func (extensions) Put(ctx context.Context, c *arm.Call, body []byte) (arm.Result, error) {
	o, err := VMs.Find(ctx, c.Tx, c.ID.Parent())
	if err != nil {
		return arm.Result{}, err
	}
	if o == nil {
		return arm.Result{}, arm.StatusError(404, "ParentResourceNotFound", "Can not perform requested operation on nested resource. Parent resource '%s' not found.", c.ID.Parent().Name())
	}
	i := o.Spec.extensionIndex(c.ID.Name())
	if err := arm.CheckPrecondition(c, extensionMeta(o, i)); err != nil {
		return arm.Result{}, err
	}
	return putExtension(ctx, c, o, i, body, false)
}

// Patch is a PUT of what the patch makes of the extension as it is. Protected
// settings that it does not mention stay.
func (extensions) Patch(ctx context.Context, c *arm.Call, patch []byte) (arm.Result, error) {
	o, i, err := findExtension(ctx, c)
	if err != nil {
		return arm.Result{}, err
	}
	if err := arm.CheckPrecondition(c, &o.Meta); err != nil {
		return arm.Result{}, err
	}
	body, err := arm.Merge(viewExtension(o, &o.Spec.Extensions[i], false), patch)
	if err != nil {
		return arm.Result{}, err
	}
	return putExtension(ctx, c, o, i, body, true)
}

// Delete forgets an extension. What it has done stays; a command that runs is
// ended.
func (extensions) Delete(ctx context.Context, c *arm.Call) (arm.Result, error) {
	o, i, err := findExtension(ctx, c)
	if err != nil {
		return arm.Result{}, err
	}
	if err := arm.CheckPrecondition(c, &o.Meta); err != nil {
		return arm.Result{}, err
	}
	why := arm.Conflict("OperationPreempted", "The operation was ended by a deletion.")
	if err := dropCommand(ctx, c.Tx, &o.Spec.Extensions[i].Command, why, c.Now); err != nil {
		return arm.Result{}, err
	}
	o.Spec.Extensions = slices.Delete(o.Spec.Extensions, i, i+1)
	return arm.Result{}, VMs.Put(ctx, c.Tx, o)
}

func findExtension(ctx context.Context, c *arm.Call) (*vmObject, int, error) {
	o, err := VMs.Get(ctx, c.Reader(), c.ID.Parent())
	if err != nil {
		return nil, -1, err
	}
	i := o.Spec.extensionIndex(c.ID.Name())
	if i < 0 {
		return nil, -1, arm.StatusError(404, "ResourceNotFound", "The Resource '%s/%s/extensions/%s' under resource group '%s' was not found.", VMType, o.ID.Name(), c.ID.Name(), o.ID.ResourceGroup)
	}
	return o, i, nil
}

// extensionMeta is what a precondition is held against: the machine's etag is
// the extension's too.
func extensionMeta(o *vmObject, i int) *arm.Meta {
	if i < 0 {
		return nil
	}
	return &o.Meta
}

func putExtension(ctx context.Context, c *arm.Call, o *vmObject, i int, body []byte, keepProtected bool) (arm.Result, error) {
	var b extensionBody
	if err := arm.Decode(body, &b); err != nil {
		return arm.Result{}, err
	}
	x, f, err := readExtension(o, i, c.ID.Name(), &b, keepProtected)
	if err != nil {
		return arm.Result{}, err
	}
	var op *arm.Operation
	if f != nil {
		if op, err = startExtension(ctx, c, o, &x, f, i < 0); err != nil {
			return arm.Result{}, err
		}
	}
	at := i
	if i < 0 {
		at = len(o.Spec.Extensions)
		o.Spec.Extensions = append(o.Spec.Extensions, x)
	} else {
		o.Spec.Extensions[i] = x
	}
	if err := VMs.Put(ctx, c.Tx, o); err != nil {
		return arm.Result{}, err
	}
	return arm.Result{Body: viewExtension(o, &o.Spec.Extensions[at], false), ETag: o.ETag(), Created: i < 0, Operation: op}, nil
}

// startExtension begins to carry out x, which has the command of the time
// before.
func startExtension(ctx context.Context, c *arm.Call, o *vmObject, x *Extension, f *fabric.Command, isNew bool) (*arm.Operation, error) {
	down := arm.Conflict("OperationNotAllowed", "Cannot modify extensions in the VM when the VM is not running.")
	if err := checkGuest(o, down); err != nil {
		return nil, err
	}
	if len(o.Spec.Extensions) >= maxExtensions && isNew {
		return nil, arm.Conflict("OperationNotAllowed", "VM '%s' has %d extensions already. Delete one of them.", o.ID.Name(), maxExtensions)
	}
	action := "update"
	if isNew {
		action = "create"
	}
	m := arm.Meta{ID: o.ID.Child("extensions", x.Name), Operation: x.Command.Operation}
	op, err := arm.StartOperation(ctx, c.Tx, &m, c.NewID(), action, c.Now)
	if err != nil {
		return nil, err
	}
	f.UID = c.NewID()
	x.Repeated = !isNew
	x.Command = Command{UID: f.UID, AskedAt: c.Now, Operation: op.ID, Lenient: x.Lenient}
	return op, keepCommand(c.Tx, *f)
}

// maxExtensions of one machine.
const maxExtensions = 25

func viewExtension(o *vmObject, x *Extension, withView bool) extensionBody {
	id := o.ID.Child("extensions", x.Name)
	b := extensionBody{Header: arm.Header{ID: id.String(), Name: x.Name, Type: ExtensionType, Location: o.Location, Tags: maps.Clone(x.Tags)}}
	p := &b.Properties
	p.Publisher, p.Type, p.Version = x.Publisher, x.Type, x.Version
	p.AutoMinor, p.AutoUpgrade, p.ForceUpdateTag = x.AutoMinor, x.AutoUpgrade, x.ForceUpdateTag
	if len(x.Settings) > 0 {
		p.Settings = x.Settings
	}
	if x.Lenient {
		p.SuppressFailures = &x.Lenient
	}
	p.ProvisioningState = x.state(o)
	if withView {
		p.InstanceView = viewExtensionInstance(o, x)
	}
	return b
}

// state is how far an extension is.
func (x *Extension) state(o *vmObject) string {
	r := o.Status.command(x.Command.UID)
	switch {
	case r == nil && x.Repeated:
		return "Updating"
	case r == nil:
		return "Creating"
	case x.failure(r) != nil && !x.Lenient:
		return "Failed"
	}
	return "Succeeded"
}

// extensionView is what an extension came to.
type extensionView struct {
	Name     string           `json:"name"`
	Type     string           `json:"type"`
	Version  string           `json:"typeHandlerVersion"`
	Statuses []instanceStatus `json:"statuses"`
}

func viewExtensionInstance(o *vmObject, x *Extension) *extensionView {
	v := &extensionView{Name: x.Name, Type: x.Publisher + "." + x.Type, Version: x.Version, Statuses: []instanceStatus{}}
	r := o.Status.command(x.Command.UID)
	if r == nil {
		v.Statuses = append(v.Statuses, instanceStatus{Code: "ProvisioningState/transitioning", Level: levelInfo, Display: "Transitioning", Time: &x.Command.AskedAt})
		return v
	}
	s := viewResult(r)
	s.Time = &r.EndedAt
	if r.Problem != nil {
		s.Message = fmt.Sprintf("%s: %s", r.Problem.Code, r.Problem.Message)
	}
	v.Statuses = append(v.Statuses, s)
	return v
}

// viewExtensions are those of a machine, nil for none.
func viewExtensions(o *vmObject) (all []extensionBody) {
	for i := range o.Spec.Extensions {
		all = append(all, viewExtension(o, &o.Spec.Extensions[i], false))
	}
	return all
}

func viewExtensionInstances(o *vmObject) (all []extensionView) {
	for i := range o.Spec.Extensions {
		all = append(all, *viewExtensionInstance(o, &o.Spec.Extensions[i]))
	}
	return all
}

func wantsInstanceView(c *arm.Call) bool {
	return strings.EqualFold(c.Query.Get("$expand"), "instanceView")
}
