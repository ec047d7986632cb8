package deploy

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"lazuli/internal/arm"
	"lazuli/internal/template"
)

// body is a deployment as it is shown.
type body struct {
	ID         string            `json:"id"`
	Name       string            `json:"name"`
	Type       string            `json:"type"`
	Location   string            `json:"location,omitempty"`
	Tags       map[string]string `json:"tags,omitempty"`
	Properties properties        `json:"properties"`
}

type properties struct {
	TemplateLink       *Link           `json:"templateLink,omitempty"`
	TemplateHash       string          `json:"templateHash,omitempty"`
	Parameters         json.RawMessage `json:"parameters,omitempty"`
	ParametersLink     *Link           `json:"parametersLink,omitempty"`
	Mode               string          `json:"mode"`
	DebugSetting       *debugSetting   `json:"debugSetting,omitempty"`
	OnErrorDeployment  *onErrorView    `json:"onErrorDeployment,omitempty"`
	ValidationLevel    string          `json:"validationLevel,omitempty"`
	ProvisioningState  string          `json:"provisioningState"`
	Timestamp          time.Time       `json:"timestamp"`
	Duration           string          `json:"duration"`
	CorrelationID      string          `json:"correlationId"`
	Providers          []provider      `json:"providers"`
	Dependencies       []dependency    `json:"dependencies"`
	Outputs            json.RawMessage `json:"outputs,omitempty"`
	OutputResources    []resourceID    `json:"outputResources,omitempty"`
	ValidatedResources []resourceID    `json:"validatedResources,omitempty"`
	Error              *arm.Error      `json:"error,omitempty"`
}

type debugSetting struct {
	DetailLevel string `json:"detailLevel"`
}

type onErrorView struct {
	ProvisioningState string `json:"provisioningState,omitempty"`
	OnError
}

type resourceID struct {
	ID string `json:"id"`
}

type provider struct {
	Namespace     string         `json:"namespace"`
	ResourceTypes []providerType `json:"resourceTypes"`
}

type providerType struct {
	ResourceType string   `json:"resourceType"`
	Locations    []string `json:"locations"`
}

type dependency struct {
	DependsOn    []basicDependency `json:"dependsOn"`
	ID           string            `json:"id"`
	ResourceType string            `json:"resourceType"`
	ResourceName string            `json:"resourceName"`
}

type basicDependency struct {
	ID           string `json:"id"`
	ResourceType string `json:"resourceType"`
	ResourceName string `json:"resourceName"`
}

// view shows a deployment.
func view(o *object) *body {
	s := &o.Spec
	b := &body{ID: o.ID.String(), Name: o.ID.Name(), Type: Type, Location: o.Location, Tags: o.Tags}
	b.Properties = properties{
		TemplateLink: s.TemplateLink, TemplateHash: s.TemplateHash, Parameters: s.Parameters, ParametersLink: s.ParametersLink,
		Mode: s.Mode, ValidationLevel: s.Validation, ProvisioningState: state(o), Timestamp: s.StartedAt, Duration: "PT0S",
		CorrelationID: s.CorrelationID, Providers: s.Providers, Dependencies: append([]dependency{}, s.Dependencies...),
		Outputs: o.Status.Outputs, Error: o.Status.Error,
	}
	if at := o.Status.EndedAt; at != nil {
		b.Properties.Timestamp, b.Properties.Duration = *at, duration(at.Sub(s.StartedAt))
	}
	if s.DebugDetail != "" {
		b.Properties.DebugSetting = &debugSetting{s.DebugDetail}
	}
	if s.OnError != nil {
		b.Properties.OnErrorDeployment = &onErrorView{o.Status.OnErrorState, *s.OnError}
	}
	for _, id := range o.Status.Made {
		b.Properties.OutputResources = append(b.Properties.OutputResources, resourceID{id})
	}
	return b
}

// duration is d as ISO 8601 has it: "PT1M2.5S".
func duration(d time.Duration) string {
	d = max(d, 0).Round(time.Microsecond)
	var b strings.Builder
	b.WriteString("PT")
	if h := d / time.Hour; h > 0 {
		fmt.Fprintf(&b, "%dH", h)
	}
	if m := d % time.Hour / time.Minute; m > 0 {
		fmt.Fprintf(&b, "%dM", m)
	}
	if s := d % time.Minute; s > 0 || b.Len() == len("PT") {
		b.WriteString(strconv.FormatFloat(s.Seconds(), 'f', -1, 64) + "S")
	}
	return b.String()
}

// providersOf lists the types of what a plan deploys, by namespace, and where.
func providersOf(p *template.Plan, location string) []provider {
	list, seen := []provider{}, map[string]bool{}
	for _, r := range p.Resources {
		ns, name, _ := strings.Cut(r.Type, "/")
		if !r.Deployed() || seen[strings.ToLower(r.Type)] {
			continue
		}
		seen[strings.ToLower(r.Type)] = true
		at := -1
		for i := range list {
			if strings.EqualFold(list[i].Namespace, ns) {
				at = i
			}
		}
		if at < 0 {
			list, at = append(list, provider{Namespace: ns}), len(list)
		}
		list[at].ResourceTypes = append(list[at].ResourceTypes, providerType{name, []string{location}})
	}
	return list
}

// dependenciesOf lists what waits for what.
func dependenciesOf(p *template.Plan) []dependency {
	list := []dependency{}
	for _, r := range p.Resources {
		if !r.Deployed() || len(r.DependsOn) == 0 {
			continue
		}
		d := dependency{ID: r.ID, ResourceType: r.Type, ResourceName: r.Name}
		for _, i := range r.DependsOn {
			on := p.Resources[i]
			d.DependsOn = append(d.DependsOn, basicDependency{on.ID, on.Type, on.Name})
		}
		list = append(list, d)
	}
	return list
}
