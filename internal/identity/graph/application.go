package graph

import (
	"strings"
	"time"

	"github.com/google/uuid"

	"lazuli/internal/arm"
	"lazuli/internal/identity"
	"lazuli/internal/store"
)

// applicationBody is an application as it is shown. In this cloud every
// application is of the one tenant, and has the secrets of its service
// principal.
type applicationBody struct {
	ID                  string         `json:"id"`
	AppID               string         `json:"appId"`
	DisplayName         string         `json:"displayName"`
	CreatedDateTime     time.Time      `json:"createdDateTime"`
	SignInAudience      string         `json:"signInAudience"`
	IdentifierURIs      []string       `json:"identifierUris"`
	KeyCredentials      []string       `json:"keyCredentials"`
	PasswordCredentials []passwordBody `json:"passwordCredentials"`
}

const signInAudience = "AzureADMyOrg"

func showApplication(p *identity.Principal) any {
	return applicationBody{
		ID: p.ApplicationID, AppID: p.ClientID, DisplayName: p.Name, CreatedDateTime: seconds(p.CreatedAt), SignInAudience: signInAudience,
		IdentifierURIs: []string{}, KeyCredentials: []string{}, PasswordCredentials: showPasswords(p),
	}
}

var applications = &kind{
	name: "applications",
	has:  func(p *identity.Principal) bool { return !p.IsUser() && p.ApplicationID != "" },
	show: showApplication,
	properties: map[string]func(*identity.Principal) []string{
		"id":             func(p *identity.Principal) []string { return []string{p.ApplicationID} },
		"appid":          func(p *identity.Principal) []string { return []string{p.ClientID} },
		"displayname":    func(p *identity.Principal) []string { return []string{p.Name} },
		"identifieruris": func(*identity.Principal) []string { return nil }, // nobody has any
	},
}

// applicationInput is what may be written of an application.
type applicationInput struct {
	DisplayName    *string `json:"displayName"`
	SignInAudience *string `json:"signInAudience"`
}

func (in *applicationInput) check() error {
	if in.DisplayName != nil && (strings.TrimSpace(*in.DisplayName) == "" || len(*in.DisplayName) > maxName) {
		return badRequest("Property displayName is invalid: it must have 1 to %d characters.", maxName)
	}
	if in.SignInAudience != nil && *in.SignInAudience != signInAudience {
		return badRequest("Property signInAudience is invalid: in this cloud it is '%s'.", signInAudience)
	}
	return nil
}

func (c *call) listApplications() (any, error) { return c.list(applications) }

// findApplication is the one whose object has that id.
func (c *call) findApplication(r store.Reader, id string) (*identity.Principal, error) {
	p, err := identity.FindObject(c.ctx, r, id)
	if err == nil && (p == nil || p.IsUser() || !strings.EqualFold(p.ApplicationID, id)) {
		return nil, notFound(id)
	}
	return p, err
}

func (c *call) getApplication() (any, error) {
	p, err := c.findApplication(c.Identity.Store, c.ids[0])
	if err != nil {
		return nil, err
	}
	return c.one("applications", showApplication(p))
}

func (c *call) createApplication() (any, error) {
	var in applicationInput
	if err := arm.Decode(c.body, &in); err != nil {
		return nil, err
	}
	if in.DisplayName == nil {
		return nil, badRequest("A value is required for property 'displayName' of resource 'Application'.")
	}
	if err := in.check(); err != nil {
		return nil, err
	}
	p := &identity.Principal{
		Kind: arm.KindServicePrincipal, ClientID: uuid.NewString(), ApplicationID: uuid.NewString(),
		TenantID: c.Identity.TenantID, Name: *in.DisplayName, CreatedAt: c.Identity.Now().UTC(),
	}
	if err := c.update(func(tx store.Tx) error { return identity.PutPrincipal(c.ctx, tx, p) }); err != nil {
		return nil, err
	}
	return c.one("applications", showApplication(p))
}

func (c *call) patchApplication() (any, error) {
	var in applicationInput
	if err := arm.Decode(c.body, &in); err != nil {
		return nil, err
	}
	if err := in.check(); err != nil {
		return nil, err
	}
	return nil, c.change(c.findApplication, func(p *identity.Principal) error {
		if in.DisplayName != nil {
			p.Name = *in.DisplayName
		}
		return nil
	})
}

// deleteApplication deletes the service principal with it, as Graph does.
func (c *call) deleteApplication() (any, error) {
	return nil, c.remove(c.findApplication, identity.DeletePrincipal)
}
