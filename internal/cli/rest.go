package cli

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
)

// ask makes a request that none of the SDK's clients makes. Path is below the
// endpoint; body and into may be nil. What the cloud refuses is a
// *azcore.ResponseError, as the SDK's clients have it.
func (c *cloud) ask(ctx context.Context, method, path string, body, into any) error {
	pipeline := runtime.NewPipeline("lazuli", "", runtime.PipelineOptions{
		PerRetry: []policy.Policy{runtime.NewBearerTokenPolicy(c.token, []string{c.Endpoint + "//.default"}, nil)},
	}, &azcore.ClientOptions{Transport: c.transport, Retry: retries, Telemetry: policy.TelemetryOptions{ApplicationID: "lazuli"}})
	r, err := runtime.NewRequest(ctx, method, c.Endpoint+path)
	if err != nil {
		return err
	}
	if body != nil {
		if err := runtime.MarshalAsJSON(r, body); err != nil {
			return err
		}
	}
	resp, err := pipeline.Do(r)
	if err != nil {
		return err
	}
	if resp.StatusCode >= http.StatusBadRequest {
		return runtime.NewResponseError(resp)
	}
	if into == nil || resp.StatusCode == http.StatusNoContent {
		return nil
	}
	return runtime.UnmarshalAsJSON(resp, into)
}

// graph is ask of the directory.
func (c *cloud) graph(ctx context.Context, method, path string, body, into any) error {
	return c.ask(ctx, method, "/v1.0/"+path, body, into)
}

// listGraph reads all pages of a list of the directory, of those objects that
// the filter holds for.
func listGraph[T any](ctx context.Context, c *cloud, path, filter string) ([]*T, error) {
	next := "/v1.0/" + path
	if filter != "" {
		next += "?" + url.Values{"$filter": {filter}}.Encode()
	}
	var all []*T
	for next != "" {
		var page struct {
			Value []*T   `json:"value"`
			Next  string `json:"@odata.nextLink"`
		}
		if err := c.ask(ctx, http.MethodGet, next, nil, &page); err != nil {
			return nil, err
		}
		all = append(all, page.Value...)
		next = strings.TrimPrefix(page.Next, c.Endpoint)
	}
	return all, nil
}

// equals is the filter for objects with a property of that value.
func equals(property, value string) string {
	return property + " eq '" + strings.ReplaceAll(value, "'", "''") + "'"
}
