package daemon

import (
	"cmp"
	"context"
	"encoding/json"

	"lazuli/internal/api"
	"lazuli/internal/arm"
	"lazuli/internal/deploy"
	"lazuli/internal/links"
)

// deployments makes the reconciler of deployments of resources of the types.
func (s *Server) deployments(c ServerConfig, types []arm.Type) (*deploy.Deployments, error) {
	reader, err := links.New(c.TemplateSources)
	if err != nil {
		return nil, err
	}
	environment, err := json.Marshal(map[string]any{
		"name": api.CloudName, "resourceManager": s.Cloud.Admin.Endpoint + "/", "portal": s.Cloud.Admin.Endpoint + "/portal",
		"authentication": map[string]any{"loginEndpoint": s.Cloud.Admin.Endpoint + "/adfs", "audiences": []string{s.Cloud.Admin.Endpoint + "/"}, "tenant": "common", "identityProvider": "AAD"},
		"suffixes":       map[string]string{"storage": "storage." + cmp.Or(c.Domain, DefaultDomain), "keyvaultDns": ".vault." + cmp.Or(c.Domain, DefaultDomain)},
	})
	return &deploy.Deployments{Store: s.store, Config: deploy.Config{
		Location: s.Cloud.Identity.Location, Types: types, Load: reader.Read, Environment: environment,
	}}, err
}

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
