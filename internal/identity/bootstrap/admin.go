package bootstrap

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"lazuli/internal/arm"
	"lazuli/internal/identity"
	"lazuli/internal/store"
)

// Identity is what a cloud is for ever. It is in the store, so that all
// servers of the cloud agree.
type Identity struct {
	TenantID string `json:"tenantId"`
	// SubscriptionID is the first subscription.
	SubscriptionID string `json:"subscriptionId"`
	Location       string `json:"location"`
	AdminClientID  string `json:"adminClientId"`
	AdminObjectID  string `json:"adminObjectId"`
}

// Admin is the administrator's credential file.
type Admin struct {
	TenantID       string `json:"tenantId"`
	ClientID       string `json:"clientId"`
	ClientSecret   string `json:"clientSecret"`
	SubscriptionID string `json:"subscriptionId"`
	Endpoint       string `json:"endpoint"`
	CAFile         string `json:"caFile"`
	Location       string `json:"location"`
}

const identityKey = "/cloud"

// defaultLocation is the location of a cloud that is told none.
const defaultLocation = "local"

// ensureIdentity reads the cloud's identity, or makes it.
func (s *start) ensureIdentity(ctx context.Context) error {
	wanted := arm.NormalizeLocation(s.Config.Location)
	fresh := Identity{
		TenantID: uuid.NewString(), SubscriptionID: uuid.NewString(), Location: cmp.Or(wanted, defaultLocation),
		AdminClientID: uuid.NewString(), AdminObjectID: uuid.NewString(),
	}
	if err := s.before("store identity"); err != nil {
		return err
	}
	_, err := s.Store.Update(ctx, func(tx store.Tx) error {
		e, err := tx.Get(ctx, identityKey)
		if err == nil {
			return json.Unmarshal(e.Value, &s.Identity)
		}
		if !errors.Is(err, store.ErrNotFound) {
			return err
		}
		s.Identity = fresh
		return s.putIdentity(tx)
	})
	if err == nil && wanted != "" && wanted != s.Identity.Location {
		return fmt.Errorf("the cloud's location is %q since its first start; it cannot become %q", s.Identity.Location, wanted)
	}
	return err
}

func (s *start) putIdentity(tx store.Tx) error {
	b, err := json.Marshal(s.Identity)
	if err != nil {
		return err
	}
	tx.Put(identityKey, b)
	return arm.PutSubscription(tx, &arm.Subscription{
		ID: s.SubscriptionID, Name: "Lazuli", TenantID: s.TenantID, CreatedAt: s.Now(),
	})
}

// ensureAdminFile reads the credential file, or makes it with a new secret. It
// follows the endpoint.
func (s *start) ensureAdminFile() error {
	b, err := s.read(s.AdminFile, 0o600)
	if err != nil {
		return err
	}
	if b == nil {
		s.Admin = Admin{TenantID: s.TenantID, ClientID: s.AdminClientID, ClientSecret: identity.NewSecret()}
	} else if err := json.Unmarshal(b, &s.Admin); err != nil {
		return fmt.Errorf("read %s: %w", s.AdminFile, err)
	}
	if s.Admin.TenantID != s.TenantID || s.Admin.ClientID != s.AdminClientID || s.Admin.ClientSecret == "" {
		return fmt.Errorf("%s belongs to another cloud than the state does: move it away, and a new one is made", s.AdminFile)
	}
	s.Admin.SubscriptionID, s.Admin.Location = s.SubscriptionID, s.Identity.Location
	s.Admin.Endpoint, s.Admin.CAFile = s.Endpoint, s.CAFile
	if b, err = json.MarshalIndent(s.Admin, "", "  "); err != nil {
		return err
	}
	return s.write(s.AdminFile, append(b, '\n'), 0o600)
}

// ensureAdminPrincipal makes the cloud know the secret of the file: who has the
// data directory always has a way in. Secrets in the files of other servers stay
// good, and who is disabled stays so.
func (s *start) ensureAdminPrincipal(ctx context.Context) error {
	p, err := identity.FindPrincipal(ctx, s.Store, s.AdminClientID)
	if err != nil || p != nil && p.Admin && p.ObjectID != "" && p.ApplicationID != "" && p.Knows(s.Admin.ClientSecret) {
		return err
	}
	secret := identity.Secret{KeyID: uuid.NewString(), Name: "admin.json", Hash: identity.HashSecret(s.Admin.ClientSecret), CreatedAt: s.Now()}
	application := uuid.NewString()
	if err := s.before("store principal"); err != nil {
		return err
	}
	_, err = s.Store.Update(ctx, func(tx store.Tx) error {
		p, err := identity.FindPrincipal(ctx, tx, s.AdminClientID)
		if err != nil {
			return err
		}
		if p == nil {
			p = &identity.Principal{
				Kind: arm.KindServicePrincipal, ClientID: s.AdminClientID, ObjectID: s.AdminObjectID, TenantID: s.TenantID,
				Name: "admin", CreatedAt: s.Now(),
			}
		}
		p.Admin, p.ObjectID, p.ApplicationID = true, cmp.Or(p.ObjectID, s.AdminObjectID), cmp.Or(p.ApplicationID, application)
		if !p.Knows(s.Admin.ClientSecret) {
			p.Secrets = append(p.Secrets, secret)
		}
		return identity.PutPrincipal(ctx, tx, p)
	})
	return err
}
