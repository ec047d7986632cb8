package api_test

import (
	"context"
	"errors"
	"testing"

	"lazuli/internal/api"
	"lazuli/internal/arm"
)

// What a trial does is seen by what follows in it, and by nobody else.
func TestTry(t *testing.T) {
	c := withGroup(t)
	request := func(method, name, body string) api.Request {
		return api.Request{
			Principal: arm.Principal{TenantID: testTenant, ObjectID: "o"},
			Method:    method, Path: group + "/providers/Microsoft.Fake/widgets/" + name, APIVersion: "2024-01-01", Body: []byte(body),
		}
	}
	err := c.server.Try(t.Context(), func(do func(context.Context, api.Request) (*api.Response, error)) error {
		for _, step := range []struct {
			request api.Request
			status  int
		}{
			{request("PUT", "w", `{"location":"local","properties":{"size":1}}`), 201},
			{request("GET", "w", ""), 200},
			{request("PUT", "v", `{"location":"local","properties":{"bogus":1}}`), 400},
			{request("GET", "v", ""), 404},
			{request("PUT", "v", `{"location":"local"}`), 201},
			{request("DELETE", "v", ""), 200},
			{request("GET", "v", ""), 404},
			{request("PUT", "v", `{"location":"local"}`), 201},
		} {
			status := 0
			r, err := do(t.Context(), step.request)
			if ae, ok := errors.AsType[*arm.Error](err); ok {
				status = ae.Status
			} else if err == nil {
				status = r.Status
			}
			if status != step.status {
				t.Errorf("%s %s = %d %v, want %d", step.request.Method, step.request.Path, status, err, step.status)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"w", "v"} {
		if _, err := c.server.Do(t.Context(), request("GET", name, "")); err == nil {
			t.Errorf("the widget %s of the trial is there", name)
		}
	}
	failure := errors.New("enough")
	if err := c.server.Try(t.Context(), func(func(context.Context, api.Request) (*api.Response, error)) error { return failure }); !errors.Is(err, failure) {
		t.Errorf("a trial that was given up came to %v", err)
	}
}
