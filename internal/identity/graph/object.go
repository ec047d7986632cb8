package graph

import (
	"strings"

	"lazuli/internal/arm"
	"lazuli/internal/identity"
)

// maxIDs is Graph's limit on ids in one question.
const maxIDs = 1000

// showObject is the user, service principal or application with that id, which
// says what it is; nil without an error when there is none.
func (c *call) showObject(id string) (object any, kind string, err error) {
	p, err := identity.FindObject(c.ctx, c.Identity.Store, id)
	if p == nil || err != nil {
		return nil, "", err
	}
	switch {
	case p.IsUser():
		object, kind = showUser(p), "user"
	case strings.EqualFold(p.ObjectID, id):
		object, kind = showServicePrincipal(p), "servicePrincipal"
	default:
		object, kind = showApplication(p), "application"
	}
	object, err = withProperty(object, "@odata.type", "#microsoft.graph."+kind)
	return object, kind, err
}

func (c *call) getObject() (any, error) {
	object, _, err := c.showObject(c.ids[0])
	if err != nil {
		return nil, err
	}
	if object == nil {
		return nil, notFound(c.ids[0])
	}
	return c.one("directoryObjects", object)
}

type idsInput struct {
	IDs   []string `json:"ids"`
	Types []string `json:"types"`
}

// getByIDs leaves out what there is not, as Graph does.
func (c *call) getByIDs() (any, error) {
	var in idsInput
	if err := arm.Decode(c.body, &in); err != nil {
		return nil, err
	}
	if len(in.IDs) == 0 || len(in.IDs) > maxIDs {
		return nil, badRequest("Property ids is invalid: there must be 1 to %d.", maxIDs)
	}
	wanted := map[string]bool{}
	for _, t := range in.Types {
		wanted[strings.ToLower(t)] = true
	}
	body := list{Context: c.base + "/$metadata#directoryObjects", Value: []any{}}
	for _, id := range in.IDs {
		object, kind, err := c.showObject(id)
		if err != nil {
			return nil, err
		}
		if object != nil && (len(wanted) == 0 || wanted["directoryobject"] || wanted[strings.ToLower(kind)]) {
			body.Value = append(body.Value, object)
		}
	}
	return body, nil
}

// There are no groups, and nobody is in one.

func (c *call) listGroups() (any, error) {
	return list{Context: c.base + "/$metadata#groups", Value: []any{}}, nil
}

func (c *call) memberGroups() (any, error) {
	return list{Context: c.base + "/$metadata#Collection(Edm.String)", Value: []any{}}, nil
}
