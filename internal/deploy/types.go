package deploy

import (
	"encoding/json"
	"regexp"
	"time"

	"lazuli/internal/arm"
	"lazuli/internal/template"
)

// Type is the full name of the type.
const Type = "Microsoft.Resources/deployments"

var deployments = arm.Collection[Deployment, Status]{Type: Type}

// Deployment is what was asked for, but for the request itself, which is kept
// at a key of its own.
type Deployment struct {
	Mode      string        `json:"mode"`
	Principal arm.Principal `json:"principal"`
	// Level is how many deployments this one is nested in, and Parent the UID
	// of the one that it is a resource of.
	Level  int    `json:"level,omitempty"`
	Parent string `json:"parent,omitempty"`
	// Opaque says that the template has secrets of the parent written into it.
	Opaque bool `json:"opaque,omitempty"`
	// Hidden are parameters, by name in lower case, that have a secret of the
	// parent in them, whatever their type.
	Hidden         []string        `json:"hidden,omitempty"`
	CorrelationID  string          `json:"correlationId"`
	StartedAt      time.Time       `json:"startedAt"`
	TemplateHash   string          `json:"templateHash"`
	TemplateLink   *Link           `json:"templateLink,omitempty"`
	ParametersLink *Link           `json:"parametersLink,omitempty"`
	DebugDetail    string          `json:"debugDetail,omitempty"`
	Validation     string          `json:"validationLevel,omitempty"`
	OnError        *OnError        `json:"onError,omitempty"`
	Facts          facts           `json:"facts"`
	Parameters     json.RawMessage `json:"parameters,omitempty"` // as they are shown
	Providers      []provider      `json:"providers,omitempty"`
	Dependencies   []dependency    `json:"dependencies,omitempty"`
	// Canceled asks for its end.
	Canceled bool `json:"canceled,omitempty"`
}

// Link is where a template or parameters came from.
type Link struct {
	URI            string `json:"uri,omitempty"`
	ContentVersion string `json:"contentVersion,omitempty"`
}

// OnError says which earlier deployment is made again when this one fails.
type OnError struct {
	Type           string `json:"type"`
	DeploymentName string `json:"deploymentName,omitempty"`
}

// The states of a deployment, in Azure's words.
const (
	accepted  = "Accepted"
	running   = "Running"
	succeeded = "Succeeded"
	failed    = "Failed"
	canceled  = "Canceled"
)

// Status is what a deployment came to. One that has not ended has none.
type Status struct {
	State   string          `json:"state,omitempty"`
	Error   *arm.Error      `json:"error,omitempty"`
	Outputs json.RawMessage `json:"outputs,omitempty"`
	// Made are the ids of what it made.
	Made    []string   `json:"made,omitempty"`
	EndedAt *time.Time `json:"endedAt,omitempty"`
	// OnErrorState is how the deployment goes that OnError asked for.
	OnErrorState string `json:"onErrorState,omitempty"`
}

func (s *Status) ended() bool { return s.EndedAt != nil }

type object = arm.Object[Deployment, Status]

// state is that of the deployment as it is shown.
func state(o *object) string {
	if o.Status.ended() {
		return o.Status.State
	}
	return running
}

// Config is what deployments need of their cloud.
type Config struct {
	// Location is the name of the cloud's one location.
	Location string
	// Types is the table of all other types.
	Types []arm.Type
	// Load reads what links name; nil reads none.
	Load template.Loader
	// Environment is what the template function of this name returns.
	Environment json.RawMessage
	// Now is the time; nil is time.Now.
	Now func() time.Time
}

var versions = []string{"2025-04-01", "2024-03-01", "2022-09-01", "2021-04-01", "2019-10-01"}

// Types is the package's part of the table of types.
func (d *Deployments) Types() []arm.Type {
	return []arm.Type{{
		Name: Type,
		Names: arm.NameRule{
			Pattern: regexp.MustCompile(`^[-\pL\pN_.()]{1,64}$`),
			Hint:    "1 to 64 letters, digits, '_', '-', '.', '(' and ')'",
		},
		Scopes: arm.InGroup | arm.InSubscription, Created: 201, Updated: 200, Filters: true,
		Polled:      "operationStatuses",
		Verbs:       arm.CanPut | arm.CanDelete | arm.CanList,
		APIVersions: versions, Provider: d,
		Actions: map[string]arm.Action{
			"validate": d.validate, "whatIf": d.whatIf, "cancel": d.cancel, "exportTemplate": d.export,
		},
		Answers: map[string]int{"cancel": 204},
	}}
}
