package daemon

import (
	"context"

	"lazuli/internal/api"
	"lazuli/internal/deploy"
)

// inside is the API as deployments see it.
type inside struct {
	server *api.Server
	do     func(context.Context, api.Request) (*api.Response, error)
}

func (i inside) Do(ctx context.Context, r deploy.Request) (*deploy.Response, error) {
	resp, err := i.do(ctx, api.Request(r))
	if err != nil {
		return nil, err
	}
	return &deploy.Response{Status: resp.Status, Body: resp.Body, Operation: resp.Operation}, nil
}

func (i inside) Try(ctx context.Context, f func(deploy.Cloud) error) error {
	return i.server.Try(ctx, func(do func(context.Context, api.Request) (*api.Response, error)) error {
		return f(inside{i.server, do})
	})
}
