package graph

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"lazuli/internal/arm"
	"lazuli/internal/identity"
	"lazuli/internal/store"
)

// servicePrincipalBody is a service principal as it is shown.
type servicePrincipalBody struct {
	ID                     string         `json:"id"`
	AppID                  string         `json:"appId"`
	DisplayName            string         `json:"displayName"`
	AppDisplayName         string         `json:"appDisplayName"`
	AppOwnerOrganizationID string         `json:"appOwnerOrganizationId"`
	AccountEnabled         bool           `json:"accountEnabled"`
	CreatedDateTime        time.Time      `json:"createdDateTime"`
	ServicePrincipalType   string         `json:"servicePrincipalType"`
	ServicePrincipalNames  []string       `json:"servicePrincipalNames"`
	SignInAudience         string         `json:"signInAudience"`
	KeyCredentials         []string       `json:"keyCredentials"`
	PasswordCredentials    []passwordBody `json:"passwordCredentials"`
}

func showServicePrincipal(p *identity.Principal) any {
	return servicePrincipalBody{
		ID: p.ObjectID, AppID: p.ClientID, DisplayName: p.Name, AppDisplayName: p.Name, AppOwnerOrganizationID: p.TenantID,
		AccountEnabled: !p.Disabled, CreatedDateTime: seconds(p.CreatedAt), ServicePrincipalType: "Application",
		ServicePrincipalNames: []string{p.ClientID}, SignInAudience: signInAudience,
		KeyCredentials: []string{}, PasswordCredentials: showPasswords(p),
	}
}

func isServicePrincipal(p *identity.Principal) bool { return !p.IsUser() && p.ObjectID != "" }

var servicePrincipals = &kind{
	name: "servicePrincipals",
	has:  isServicePrincipal,
	show: showServicePrincipal,
	properties: map[string]func(*identity.Principal) []string{
		"id":                    func(p *identity.Principal) []string { return []string{p.ObjectID} },
		"appid":                 func(p *identity.Principal) []string { return []string{p.ClientID} },
		"displayname":           func(p *identity.Principal) []string { return []string{p.Name} },
		"serviceprincipalnames": func(p *identity.Principal) []string { return []string{p.ClientID} },
		"serviceprincipaltype":  func(*identity.Principal) []string { return []string{"Application"} },
		"accountenabled":        func(p *identity.Principal) []string { return []string{strconv.FormatBool(!p.Disabled)} },
	},
}

// servicePrincipalInput is what may be written of a service principal.
type servicePrincipalInput struct {
	AppID          *string `json:"appId"`
	DisplayName    *string `json:"displayName"`
	AccountEnabled *bool   `json:"accountEnabled"`
}

func (c *call) listServicePrincipals() (any, error) { return c.list(servicePrincipals) }

// findServicePrincipal is the one whose object has that id.
func (c *call) findServicePrincipal(r store.Reader, id string) (*identity.Principal, error) {
	p, err := identity.FindObject(c.ctx, r, id)
	if err == nil && (p == nil || !isServicePrincipal(p) || !strings.EqualFold(p.ObjectID, id)) {
		return nil, notFound(id)
	}
	return p, err
}

func (c *call) getServicePrincipal() (any, error) {
	p, err := c.findServicePrincipal(c.Identity.Store, c.ids[0])
	if err != nil {
		return nil, err
	}
	return c.one("servicePrincipals", showServicePrincipal(p))
}

func (c *call) createServicePrincipal() (any, error) {
	var in servicePrincipalInput
	if err := arm.Decode(c.body, &in); err != nil {
		return nil, err
	}
	if in.AppID == nil {
		return nil, badRequest("A value is required for property 'appId' of resource 'ServicePrincipal'.")
	}
	id := uuid.NewString()
	var p *identity.Principal
	err := c.update(func(tx store.Tx) (err error) {
		p, err = identity.FindPrincipal(c.ctx, tx, *in.AppID)
		if err != nil {
			return err
		}
		if p == nil {
			return badRequest("The appId '%.100s' of the service principal does not reference a valid application object.", *in.AppID)
		}
		if p.ObjectID != "" {
			return arm.Conflict("Request_MultipleObjectsWithSameKeyValue", "The service principal cannot be created, updated, or restored because the service principal name %s is already in use.", p.ClientID)
		}
		if in.DisplayName != nil && *in.DisplayName != p.Name {
			return badRequest("Property displayName is invalid: it is that of the application, '%s'.", p.Name)
		}
		p.ObjectID, p.Disabled = id, in.AccountEnabled != nil && !*in.AccountEnabled
		return identity.PutPrincipal(c.ctx, tx, p)
	})
	if err != nil {
		return nil, err
	}
	return c.one("servicePrincipals", showServicePrincipal(p))
}

func (c *call) patchServicePrincipal() (any, error) {
	var in servicePrincipalInput
	if err := arm.Decode(c.body, &in); err != nil {
		return nil, err
	}
	if in.AppID != nil || in.DisplayName != nil {
		return nil, badRequest("Only the property accountEnabled of a service principal can be changed; the name is that of the application.")
	}
	return nil, c.change(c.findServicePrincipal, func(p *identity.Principal) error {
		if in.AccountEnabled == nil {
			return nil
		}
		p.Disabled = !*in.AccountEnabled
		if p.Disabled {
			return c.notSelf(p)
		}
		return nil
	})
}

// deleteServicePrincipal leaves the application, whose next service principal
// is another object: it does not inherit the rights of this one.
func (c *call) deleteServicePrincipal() (any, error) {
	return nil, c.remove(c.findServicePrincipal, func(ctx context.Context, tx store.Tx, p *identity.Principal) error {
		p.ObjectID, p.Disabled, p.Admin = "", false, false
		return identity.PutPrincipal(ctx, tx, p)
	})
}
