package template

import (
	"context"
	"time"

	"lazuli/internal/template/jsonc"
)

// Input is what a deployment gives its template. The same Input makes the same
// Plan, so that a plan need not be stored: whoever goes on with a deployment
// makes it again from the Input.
type Input struct {
	Name         string        // of the deployment
	Location     string        // of a deployment that is in no resource group
	Mode         string        // Incremental or Complete, for deployment()
	TemplateLink *jsonc.Object // where the template came from, for deployment()
	Scope        Scope

	// Parameters are the values for the template's parameters, each as
	// {"value": …} or {"reference": …}.
	Parameters *jsonc.Object

	// What the functions of these names return. One that is nil cannot be used.
	Subscription, ResourceGroup, ManagementGroup, Tenant, Environment, Deployer *jsonc.Object

	Now     time.Time     // utcNow() of this deployment
	NewGUID func() string // newGuid()

	// Secret reads the secret that a parameter refers to. Without it, such
	// parameters are refused.
	Secret func(ctx context.Context, reference *jsonc.Object) (string, error)
	// Zones are those of a type of resource in a location, for pickZones().
	Zones func(namespace, resourceType, location string) []string
	// Provider describes a namespace, for providers(). It may return nil.
	Provider func(namespace string) *jsonc.Object

	// Level is how many templates this one is nested in. A caller that deploys
	// nested templates as deployments of their own hands it on, or a template
	// that links to itself has no end.
	Level int

	planned *int // resources of all templates that were planned together
}

// Runtime is what is known only while a deployment runs: the resources that
// are there. Its errors are returned as they are, but for ErrUnknown.
type Runtime interface {
	// Get is what a GET of the resource answers.
	Get(ctx context.Context, id, apiVersion string) ([]byte, error)
	// Post is what an action of the resource answers: listKeys and the like.
	// body is nil or a JSON object.
	Post(ctx context.Context, id, action, apiVersion string, body []byte) ([]byte, error)
}
