package deploy

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"strings"

	"lazuli/internal/arm"
	"lazuli/internal/template"
)

// Cloud is what deployments make their resources in: it answers requests as it
// does those of clients. What it refuses is an *arm.Error.
type Cloud interface {
	Do(ctx context.Context, r Request) (*Response, error)
	// Try has f make requests that are answered as if those before them had
	// been carried out, and undoes them. It may call f more than once.
	Try(ctx context.Context, f func(Cloud) error) error
}

// Request is one of a principal's.
type Request struct {
	Principal  arm.Principal
	Method     string
	Path       string // an id, or what lies below one
	APIVersion string
	Query      map[string]string
	Body       []byte
}

// Response is the answer to a Request.
type Response struct {
	Status int
	Body   []byte
	// Operation is the id of the long-running operation that was begun.
	Operation string
}

// DefaultVersion is the api-version of requests for which no template says one.
const DefaultVersion = "2025-04-01"

// runtime answers what templates ask while they are deployed.
type runtime struct {
	cloud     Cloud
	principal arm.Principal
	// preview says that what is not there is not there yet.
	preview bool
}

func (r *runtime) do(ctx context.Context, method, path, version string, body []byte) ([]byte, error) {
	if version == "" {
		version = DefaultVersion
	}
	resp, err := r.cloud.Do(ctx, Request{Principal: r.principal, Method: method, Path: path, APIVersion: version, Body: body})
	if ae, ok := errors.AsType[*arm.Error](err); ok && ae.Status == 404 && r.preview {
		return nil, template.ErrUnknown
	}
	if err != nil {
		return nil, err
	}
	return resp.Body, nil
}

func (r *runtime) Get(ctx context.Context, id, apiVersion string) ([]byte, error) {
	return r.do(ctx, "GET", id, apiVersion, nil)
}

func (r *runtime) Post(ctx context.Context, id, action, apiVersion string, body []byte) ([]byte, error) {
	return r.do(ctx, "POST", id+"/"+action, apiVersion, body)
}

// provisioning is the state that a resource says it is in; "" for none.
func provisioning(body []byte) string {
	var b struct {
		Properties struct {
			ProvisioningState string `json:"provisioningState"`
		} `json:"properties"`
	}
	if json.Unmarshal(body, &b) != nil {
		return ""
	}
	return b.Properties.ProvisioningState
}

// settled says whether a provisioning state is final.
func settled(state string) bool {
	switch strings.ToLower(state) {
	case "", "succeeded", "failed", "canceled":
		return true
	}
	return false
}

// busy says that the request was refused for now only.
func busy(err error) bool {
	ae, ok := errors.AsType[*arm.Error](err)
	return ok && (ae.Status == 429 || ae.Status == 503)
}

// skipToken is where the page goes on that a link leads to.
func skipToken(nextLink string) string {
	u, err := url.Parse(nextLink)
	if err != nil {
		return ""
	}
	for name, values := range u.Query() {
		if strings.EqualFold(name, "$skiptoken") {
			return values[0]
		}
	}
	return ""
}
