package deploy

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"strings"

	"lazuli/internal/arm"
	"lazuli/internal/template"
	"lazuli/internal/template/jsonc"
)

// Put begins a deployment. One of the name that has ended is replaced.
func (d *Deployments) Put(ctx context.Context, c *arm.Call, body []byte) (arm.Result, error) {
	was, err := deployments.Find(ctx, c.Tx, c.ID)
	if err != nil {
		return arm.Result{}, err
	}
	if err := precondition(c, was); err != nil {
		return arm.Result{}, err
	}
	if n := nestingOf(c); was != nil && n.parent != "" && n.parent == was.Spec.Parent {
		op, err := arm.GetOperation(ctx, c.Tx, was.Operation)
		return arm.Result{Body: view(was), Operation: op}, err
	}
	if was != nil && !was.Status.ended() {
		return arm.Result{}, arm.Conflict("DeploymentActive", "The deployment with resource id '%s' cannot be saved, because this would overwrite an existing deployment which is still active. Wait until it has ended, or cancel it.", was.ID)
	}
	if err := d.checkQuota(ctx, c, was); err != nil {
		return arm.Result{}, err
	}
	p, err := d.prepare(ctx, c, body)
	if err != nil {
		return arm.Result{}, err
	}
	if n := nestingOf(c); n.parent == "" { // those that are nested were tried with their parents
		if _, err := d.rehearse(ctx, p); err != nil {
			return arm.Result{}, err
		}
	}
	if was != nil {
		if err := forget(ctx, c.Tx, was.UID); err != nil {
			return arm.Result{}, err
		}
		if err := deployments.Delete(ctx, c.Tx, was.ID); err != nil {
			return arm.Result{}, err
		}
	}
	op, err := d.begin(ctx, c, p)
	if err != nil {
		return arm.Result{}, err
	}
	b := view(p.object)
	b.Properties.ProvisioningState = accepted
	return arm.Result{Body: b, Created: was == nil, Operation: op}, nil
}

// begin stores a deployment that was found good.
func (d *Deployments) begin(ctx context.Context, c *arm.Call, p *prepared) (*arm.Operation, error) {
	p.object.Generation++
	op, err := arm.StartOperation(ctx, c.Tx, &p.object.Meta, c.NewID(), "create", c.Now)
	if err != nil {
		return nil, err
	}
	c.Tx.Put(underWayKey(p.object.UID), []byte(running))
	p.source.keep(c.Tx, p.object.UID, p.secret())
	return op, deployments.Put(ctx, c.Tx, p.object)
}

func precondition(c *arm.Call, was *object) error {
	if was == nil {
		return arm.CheckPrecondition(c, nil)
	}
	return arm.CheckPrecondition(c, &was.Meta)
}

// prepared is a deployment that was read and planned, and not stored.
type prepared struct {
	object *object
	source *source
	plan   *template.Plan
}

// secret says that the source must not be kept longer than needed.
func (p *prepared) secret() bool {
	return p.object.Spec.Opaque || len(p.object.Spec.Hidden) > 0 || len(p.plan.Secrets()) > 0
}

// prepare reads a request, and makes the plan of what it asks for.
func (d *Deployments) prepare(ctx context.Context, c *arm.Call, body []byte) (*prepared, error) {
	s, err := d.open(ctx, body)
	if err != nil {
		return nil, err
	}
	r, n := s.request, nestingOf(c)
	location, err := d.checkPlace(c.ID, r)
	if err != nil {
		return nil, err
	}
	o := &object{Meta: arm.Meta{
		ID: c.ID.Scope().Resource(Type, c.ID.Name()), UID: c.NewID(), Location: location, Tags: r.tags, CreatedAt: c.Now, ChangedAt: c.Now,
	}}
	o.Spec = Deployment{
		Mode: r.mode, Principal: c.Principal, Level: n.level, Parent: n.parent, Opaque: n.opaque, Hidden: n.hidden,
		CorrelationID: n.correlation, StartedAt: c.Now, DebugDetail: r.debugDetail, OnError: r.onError, Validation: r.validation,
		TemplateLink: r.templateLink.kept(), ParametersLink: r.parametersLink.kept(),
	}
	if o.Spec.CorrelationID == "" {
		o.Spec.CorrelationID = c.NewID()
	}
	if o.Spec.Facts, err = factsOf(ctx, c.Tx, c.ID); err != nil {
		return nil, err
	}
	p := &prepared{object: o, source: s}
	if p.plan, err = d.planOf(ctx, o, s); err != nil {
		return nil, err
	}
	p.describe(d.Location)
	return p, d.settleRollback(ctx, c, o)
}

// planOf makes the plan of a deployment; errors are *arm.Error.
func (d *Deployments) planOf(ctx context.Context, o *object, s *source) (*template.Plan, error) {
	t, err := s.parse()
	if err != nil {
		return nil, requestError(err)
	}
	in, err := d.input(o, s)
	if err != nil {
		return nil, err
	}
	p, err := t.Plan(ctx, in)
	return p, requestError(err)
}

// requestError is err with a template's errors as ARM's.
func requestError(err error) error {
	if te, ok := errors.AsType[*template.Error](err); ok {
		return refusal(te)
	}
	return err
}

// checkPlace holds the location and mode to the scope.
func (d *Deployments) checkPlace(id arm.ID, r *request) (location string, err error) {
	if id.ResourceGroup != "" {
		if r.location != "" {
			return "", arm.BadRequest("InvalidDeployment", "The 'location' property is not allowed for '%s' at resource group scope. Leave it out.", id.Name()).At("location")
		}
		return "", nil
	}
	if r.location == "" {
		return "", arm.BadRequest("LocationRequired", "The 'location' property is required for the deployment '%s' at subscription scope. The location is '%s'.", id.Name(), d.Location).At("location")
	}
	location = arm.NormalizeLocation(r.location)
	if location != arm.NormalizeLocation(d.Location) {
		return "", arm.BadRequest("LocationNotAvailableForResourceType", "The provided location '%s' is not available for deployments. The available location is '%s'.", r.location, d.Location).At("location")
	}
	if r.mode == "Complete" {
		return "", arm.BadRequest("InvalidDeployment", "The mode 'Complete' is not supported for the deployment '%s' at subscription scope. Use 'Incremental'.", id.Name()).At("properties.mode")
	}
	return location, nil
}

// nesting is what a deployment tells those that it makes as its resources.
type nesting struct {
	level               int
	parent, correlation string
	opaque              bool
	hidden              []string
}

// The query of a request for a nested deployment. Who sends it by hand can
// harm no deployment but the own.
const (
	queryLevel       = "deploymentLevel"
	queryParent      = "deploymentParent"
	queryCorrelation = "deploymentCorrelationId"
	queryOpaque      = "deploymentOpaque"
	queryHidden      = "deploymentHidden"
)

func nestingOf(c *arm.Call) nesting {
	level, err := strconv.Atoi(c.Query.Get(queryLevel))
	if err != nil || level < 0 {
		level = 0
	}
	n := nesting{
		level: min(level, template.MaxLevels+1), parent: clip(c.Query.Get(queryParent)), correlation: clip(c.Query.Get(queryCorrelation)),
		opaque: c.Query.Get(queryOpaque) == "true",
	}
	if hidden := c.Query.Get(queryHidden); hidden != "" {
		n.hidden = strings.Split(hidden, ",")
	}
	return n
}

func clip(id string) string { return id[:min(len(id), 64)] }

func (n nesting) query() map[string]string {
	q := map[string]string{queryLevel: strconv.Itoa(n.level), queryParent: n.parent, queryCorrelation: n.correlation}
	if n.opaque {
		q[queryOpaque] = "true"
	}
	if len(n.hidden) > 0 {
		q[queryHidden] = strings.Join(n.hidden, ",")
	}
	return q
}

// describe fills in what a deployment shows of its plan.
func (p *prepared) describe(location string) {
	shown := p.plan.Parameters()
	if len(p.object.Spec.Hidden) > 0 {
		for m := range shown.All() {
			if o, ok := m.Value.(*jsonc.Object); ok && slices.Contains(p.object.Spec.Hidden, jsonc.Fold(m.Name)) {
				typ, _ := o.Get("type")
				shown.Set(m.Name, jsonc.NewObject("type", typ))
			}
		}
	}
	p.object.Spec.Parameters = json.RawMessage(jsonc.Append(nil, shown))
	p.object.Spec.TemplateHash = hash(p.plan.Template())
	p.object.Spec.Providers = providersOf(p.plan, location)
	p.object.Spec.Dependencies = dependenciesOf(p.plan)
}
