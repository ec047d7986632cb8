package api_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"testing"

	"lazuli/internal/api"
	"lazuli/internal/arm"
)

// What the cloud asks of itself is answered as what a client asks.
func TestDo(t *testing.T) {
	c := withGroup(t)
	path := group + "/providers/Microsoft.Fake/widgets/w"
	do := func(method, path, body string) (*api.Response, error) {
		return c.server.Do(t.Context(), api.Request{
			Principal: arm.Principal{TenantID: testTenant, ObjectID: "o"},
			Method:    method, Path: path, APIVersion: "2024-01-01", Body: []byte(body),
		})
	}
	made, err := do("PUT", path, `{"location":"local","properties":{"size":1}}`)
	if err != nil {
		t.Fatal(err)
	}
	if made.Status != http.StatusCreated || !json.Valid(made.Body) || made.Operation == "" {
		t.Errorf("PUT = %+v", made)
	}
	for name, tt := range map[string]struct{ method, path, body, code string }{
		"missing":   {"GET", path + "2", "", "ResourceNotFound"},
		"no such":   {"GET", group + "/providers/Microsoft.Fake/none/w", "", "InvalidResourceType"},
		"bad body":  {"PUT", path, "{", "InvalidRequestContent"},
		"bad verb":  {"POST", path, "", "HttpMethodNotSupported"},
		"bad path":  {"GET", "/subscriptions//x", "", "InvalidRequestUri"},
		"not ARM's": {"GET", "/metadata/endpoints", "", "NotFound"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := do(tt.method, tt.path, tt.body)
			if ae, ok := errors.AsType[*arm.Error](err); !ok || ae.Code != tt.code {
				t.Errorf("err = %v, want %s", err, tt.code)
			}
		})
	}
}
