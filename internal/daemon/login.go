package daemon

import (
	"context"
	"net/http"

	"lazuli/internal/arm"
	"lazuli/internal/identity"
	"lazuli/internal/identity/federation"
	"lazuli/internal/identity/graph"
	"lazuli/internal/identity/oauth"
	"lazuli/internal/rights"
)

// openIdentity makes what knows principals and their tokens.
func (s *Server) openIdentity(ctx context.Context, c ServerConfig) (err error) {
	issuers, err := federation.New(federation.Config{URLs: c.Issuers, Transport: c.IssuerTransport, Now: c.Now})
	if err != nil {
		return err
	}
	s.who, err = identity.New(ctx, identity.Config{
		Store: s.store, TenantID: s.Cloud.TenantID, Hosts: s.Cloud.Hosts, Issuers: issuers, Now: c.Now, Log: c.Log,
	})
	return err
}

// login answers what is neither ARM's nor the metadata: the directory, and the
// ways to log in.
func (s *Server) login() http.Handler {
	return &graph.Handler{
		Identity: s.who, Logger: s.log, Next: &oauth.Handler{Identity: s.who, Logger: s.log},
		// Who owns the whole cloud could make himself an administrator anyway.
		MayManage: func(p arm.Principal) bool { return s.rights.IsAdministrator(p.ObjectID) },
		Forget:    rights.ForgetPrincipal,
	}
}
