package graph

import (
	"slices"
	"strings"

	"github.com/google/uuid"

	"lazuli/internal/arm"
	"lazuli/internal/identity"
)

// maxFederated is Graph's limit.
const maxFederated = 20

type federatedInput struct {
	ID          string    `json:"id" arm:"readonly"`
	Name        *string   `json:"name"`
	Issuer      *string   `json:"issuer"`
	Subject     *string   `json:"subject"`
	Audiences   *[]string `json:"audiences"`
	Description *string   `json:"description"`
}

func (c *call) listFederated() (any, error) {
	p, err := c.findApplication(c.Identity.Store, c.ids[0])
	if err != nil {
		return nil, err
	}
	body := list{Context: c.base + "/$metadata#applications('" + p.ApplicationID + "')/federatedIdentityCredentials", Value: []any{}}
	for _, f := range p.Federated {
		body.Value = append(body.Value, f)
	}
	return body, nil
}

// findFederated is where the credential with that id or name is.
func findFederated(p *identity.Principal, id string) (int, error) {
	i := slices.IndexFunc(p.Federated, func(f identity.FederatedCredential) bool {
		return strings.EqualFold(f.ID, id) || f.Name == id
	})
	if i < 0 {
		return 0, notFound(id)
	}
	return i, nil
}

func (c *call) getFederated() (any, error) {
	p, err := c.findApplication(c.Identity.Store, c.ids[0])
	if err != nil {
		return nil, err
	}
	i, err := findFederated(p, c.ids[1])
	if err != nil {
		return nil, err
	}
	return c.one("applications/federatedIdentityCredentials", p.Federated[i])
}

func (c *call) createFederated() (any, error) {
	var in federatedInput
	if err := arm.Decode(c.body, &in); err != nil {
		return nil, err
	}
	f := identity.FederatedCredential{ID: uuid.NewString()}
	err := c.change(c.findApplication, func(p *identity.Principal) error {
		if len(p.Federated) >= maxFederated {
			return badRequest("'%s' has %d federated credentials, and may have no more.", p.Name, len(p.Federated))
		}
		if err := c.applyFederated(p, &f, &in); err != nil {
			return err
		}
		p.Federated = append(p.Federated, f)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return c.one("applications/federatedIdentityCredentials", f)
}

func (c *call) patchFederated() (any, error) {
	var in federatedInput
	if err := arm.Decode(c.body, &in); err != nil {
		return nil, err
	}
	return nil, c.change(c.findApplication, func(p *identity.Principal) error {
		i, err := findFederated(p, c.ids[1])
		if err != nil {
			return err
		}
		if in.Name != nil && *in.Name != p.Federated[i].Name {
			return badRequest("Property name of a federated credential cannot be changed.")
		}
		return c.applyFederated(p, &p.Federated[i], &in)
	})
}

// applyFederated makes f, which is p's or becomes so, what in says.
func (c *call) applyFederated(p *identity.Principal, f *identity.FederatedCredential, in *federatedInput) error {
	for into, from := range map[*string]*string{&f.Name: in.Name, &f.Issuer: in.Issuer, &f.Subject: in.Subject, &f.Description: in.Description} {
		if from != nil {
			*into = *from
		}
	}
	if in.Audiences != nil {
		f.Audiences = *in.Audiences
	}
	if f.Name == "" || f.Subject == "" || len(f.Audiences) != 1 || f.Audiences[0] == "" {
		return badRequest("A federated credential needs the properties name, issuer, subject, and audiences with one audience.")
	}
	if len(f.Name)+len(f.Subject)+len(f.Audiences[0])+len(f.Description) > 4<<10 {
		return badRequest("The federated credential is too long.")
	}
	if !c.Identity.Trusts(f.Issuer) {
		return badRequest("Property issuer is invalid: '%.200s' is none of the issuers that this cloud is configured to trust (--oidc-issuer).", f.Issuer)
	}
	for _, other := range p.Federated {
		if other.ID != f.ID && (other.Name == f.Name || other.Issuer == f.Issuer && other.Subject == f.Subject) {
			return arm.Conflict("Request_MultipleObjectsWithSameKeyValue", "'%s' has a federated credential of that name, or for that issuer and subject, already.", p.Name)
		}
	}
	return nil
}

func (c *call) deleteFederated() (any, error) {
	return nil, c.change(c.findApplication, func(p *identity.Principal) error {
		i, err := findFederated(p, c.ids[1])
		if err != nil {
			return err
		}
		p.Federated = slices.Delete(p.Federated, i, i+1)
		return nil
	})
}
