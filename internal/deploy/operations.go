package deploy

import (
	"context"
	"encoding/json"
	"fmt"

	"strconv"
	"strings"
	"time"

	"lazuli/internal/arm"
)

// operation is what was done about one resource, as it is shown.
type operation struct {
	ID          string              `json:"id"`
	OperationID string              `json:"operationId"`
	Properties  operationProperties `json:"properties"`
}

type operationProperties struct {
	ProvisioningOperation string          `json:"provisioningOperation"`
	ProvisioningState     string          `json:"provisioningState"`
	Timestamp             time.Time       `json:"timestamp"`
	Duration              string          `json:"duration"`
	StatusCode            string          `json:"statusCode,omitempty"`
	StatusMessage         *statusMessage  `json:"statusMessage,omitempty"`
	TargetResource        *targetResource `json:"targetResource,omitempty"`
}

type statusMessage struct {
	Status string     `json:"status,omitempty"`
	Error  *arm.Error `json:"error,omitempty"`
}

type targetResource struct {
	ID           string `json:"id"`
	ResourceType string `json:"resourceType"`
	ResourceName string `json:"resourceName"`
	SymbolicName string `json:"symbolicName,omitempty"`
	APIVersion   string `json:"apiVersion,omitempty"`
}

var actionWords = map[string]string{actCreate: "Create", actDelete: "Delete", actOutputs: "EvaluateDeploymentOutput", actRollback: "Create"}

// operationID is the name of a record: part of the deployment's UID, and the
// number.
func operationID(uid string, number int) string {
	return strings.ToUpper(strings.ReplaceAll(uid, "-", "")[:10]) + fmt.Sprintf("%06X", number)
}

func showOperation(o *object, rec *record) operation {
	id := operationID(o.UID, rec.Number)
	p := operationProperties{
		ProvisioningOperation: actionWords[rec.Action], ProvisioningState: rec.State,
		Timestamp: rec.ChangedAt, Duration: duration(rec.ChangedAt.Sub(rec.StartedAt)),
		StatusCode: statusWord(rec.Status),
	}
	if rec.Error != nil {
		p.StatusMessage = &statusMessage{Status: failed, Error: rec.Error}
	}
	if rec.ID != "" {
		p.TargetResource = &targetResource{rec.ID, rec.Type, rec.Name, rec.Symbol, rec.APIVersion}
	}
	return operation{ID: o.ID.String() + "/operations/" + id, OperationID: id, Properties: p}
}

// statusWords are the statuses as Azure writes them here.
var statusWords = map[int]string{
	200: "OK", 201: "Created", 202: "Accepted", 204: "NoContent", 400: "BadRequest", 401: "Unauthorized", 403: "Forbidden",
	404: "NotFound", 405: "MethodNotAllowed", 409: "Conflict", 412: "PreconditionFailed", 413: "RequestEntityTooLarge",
}

func statusWord(status int) string {
	if w, ok := statusWords[status]; ok || status == 0 {
		return w
	}
	return strconv.Itoa(status)
}

// named is the call for the deployment of an endpoint's path.
func named(c *arm.Call, vars map[string]string) *arm.Call {
	n := *c
	n.ID = c.ID.Scope().Resource(Type, vars["deployment"])
	return &n
}

// listOperations lists what was done about the resources of a deployment.
func (d *Deployments) listOperations(ctx context.Context, c *arm.Call, vars map[string]string) (arm.Result, error) {
	o, err := get(ctx, named(c, vars))
	if err != nil {
		return arm.Result{}, err
	}
	es, more, err := c.Store.Page(ctx, plainKey(o.UID, "operation/"), c.After, c.Limit)
	if err != nil {
		return arm.Result{}, err
	}
	page := arm.Page{Items: []any{}}
	for _, e := range es {
		var rec record
		if err := json.Unmarshal(e.Value, &rec); err != nil {
			return arm.Result{}, fmt.Errorf("read %s: %w", e.Key, err)
		}
		page.Items = append(page.Items, showOperation(o, &rec))
		page.Next = e.Key
	}
	if !more {
		page.Next = ""
	}
	return arm.Result{Body: page}, nil
}

// getOperation shows one.
func (d *Deployments) getOperation(ctx context.Context, c *arm.Call, vars map[string]string) (arm.Result, error) {
	o, err := get(ctx, named(c, vars))
	if err != nil {
		return arm.Result{}, err
	}
	all, err := records(ctx, c.Reader(), o.UID)
	if err != nil {
		return arm.Result{}, err
	}
	id := vars["operation"]
	if len(id) == len(operationID(o.UID, 0)) {
		number, err := strconv.ParseInt(id[len(id)-6:], 16, 32)
		if rec := all[int(number)]; err == nil && rec != nil && strings.EqualFold(id, operationID(o.UID, rec.Number)) {
			return arm.Result{Body: showOperation(o, rec)}, nil
		}
	}
	return arm.Result{}, arm.StatusError(404, "DeploymentOperationNotFound", "The deployment operation '%s' of the deployment '%s' could not be found.", id, o.ID.Name())
}

// Endpoints is everything of the package that is not a resource.
func (d *Deployments) Endpoints() []arm.Endpoint {
	all := []arm.Endpoint{
		{Method: "POST", Path: "/providers/Microsoft.Resources/calculateTemplateHash", Handle: d.calculateHash},
		{Method: "POST", Path: "/subscriptions/{subscription}/resourceGroups/{group}/exportTemplate", Handle: d.exportGroup},
	}
	for _, at := range []string{
		"/subscriptions/{subscription}/providers/Microsoft.Resources/deployments/{deployment}",
		"/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.Resources/deployments/{deployment}",
		"/subscriptions/{subscription}/resourceGroups/{group}/deployments/{deployment}",
	} {
		all = append(all,
			arm.Endpoint{Method: "GET", Path: at + "/operations", Handle: d.listOperations},
			arm.Endpoint{Method: "GET", Path: at + "/operations/{operation}", Handle: d.getOperation},
		)
	}
	return all
}
