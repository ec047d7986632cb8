package daemon

import (
	"context"
	"time"

	"github.com/google/uuid"

	"lazuli/internal/arm"
	"lazuli/internal/identity"
	"lazuli/internal/rights"
	"lazuli/internal/store"
)

// openRights has the state read and written by way of the rights in it.
func (s *Server) openRights(ctx context.Context) (err error) {
	if s.rights, err = rights.Open(ctx, s.store, s.log); err == nil {
		s.store = s.rights
	}
	return err
}

// ensureOwner makes the administrator Owner of the cloud, unless somebody is.
func (s *Server) ensureOwner(ctx context.Context) error {
	now := time.Now().UTC()
	return rights.EnsureAdministrator(ctx, s.store, rights.Assignment{
		Name: uuid.NewString(), PrincipalID: s.Cloud.AdminObjectID, PrincipalType: arm.KindServicePrincipal,
		Description: "The cloud's first administrator.", CreatedAt: now, UpdatedAt: now,
	})
}

// principalKind is the kind of the principal that has the object id, "" when
// nobody can log in as that.
func principalKind(ctx context.Context, r store.Reader, objectID string) (string, error) {
	p, err := identity.FindObject(ctx, r, objectID)
	switch {
	case err != nil || p == nil || p.ObjectID == "":
		return "", err
	case p.IsUser():
		return arm.KindUser, nil
	}
	return arm.KindServicePrincipal, nil
}
