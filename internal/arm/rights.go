package arm

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"

	"lazuli/internal/store"
)

// Rights says what principals may do. A scope is an ID; the zero ID is the
// whole cloud.
type Rights interface {
	// May says whether p has the right to do the action at the scope:
	// "Microsoft.Compute/disks/write".
	May(p Principal, action string, at ID) bool
	// MayWithin says whether p has it at the scope, or somewhere in it.
	MayWithin(p Principal, action string, in ID) bool
	// Sees says whether p has any right at the scope, in it or above it.
	Sees(p Principal, in ID) bool
	// CheckLocks says which locks keep the action from what has the ID.
	CheckLocks(ctx context.Context, tx store.Reader, action string, id ID) error
	// Drop lets go of what is assigned and locked on what has the ID. Of what is
	// stored under a key of its own that happens by itself.
	Drop(ctx context.Context, tx store.Tx, id ID) error
}

// Client is what errors call the principal.
func (p Principal) Client() string {
	switch {
	case p.UserName != "":
		return p.UserName
	case p.AppID != "":
		return p.AppID
	}
	return p.ObjectID
}

// Forbidden is the 403 for an action that p may not do at the scope.
func Forbidden(p Principal, action string, at ID) *Error {
	return newError(http.StatusForbidden, "AuthorizationFailed", "The client '%s' with object id '%s' does not have authorization to perform action '%s' over scope '%s' or the scope is invalid. If access was recently granted, please refresh your credentials.",
		p.Client(), p.ObjectID, action, shown(at))
}

// shown is an ID as clients see it.
func shown(id ID) string {
	if id.IsZero() {
		return "/"
	}
	if id.Is(GroupType) {
		id = Group(id.Subscription, id.Name())
	}
	return id.String()
}

// May says whether who calls has the right to do the action at the scope. The
// cloud itself, whose Calls have no Rights, may do everything.
func (c *Call) May(action string, at ID) bool {
	return c.Rights == nil || c.Rights.May(c.Principal, action, at)
}

// Sees says whether who calls has any right at the scope, in it or above it.
func (c *Call) Sees(in ID) bool { return c.Rights == nil || c.Rights.Sees(c.Principal, in) }

// CheckMay is May as an error.
func (c *Call) CheckMay(action string, at ID) error {
	if c.May(action, at) {
		return nil
	}
	return Forbidden(c.Principal, action, at)
}

// CheckUnlocked says which locks keep the action from what has the ID, which is
// done to it beside what was asked for: a disk that is deleted with its machine.
func (c *Call) CheckUnlocked(ctx context.Context, action string, id ID) error {
	if c.Rights == nil {
		return nil
	}
	return c.Rights.CheckLocks(ctx, c.Tx, action, id)
}

// linkActions are the rights that who makes a resource refer to another needs
// at that. Of the types that are not here it is to read it.
var linkActions = map[string]string{
	"microsoft.network/virtualnetworks/subnets": "Microsoft.Network/virtualNetworks/subnets/join/action",
	"microsoft.network/networkinterfaces":       "Microsoft.Network/networkInterfaces/join/action",
	"microsoft.network/networksecuritygroups":   "Microsoft.Network/networkSecurityGroups/join/action",
	"microsoft.network/publicipaddresses":       "Microsoft.Network/publicIPAddresses/join/action",
}

// linkAction is the right that it takes to make the resource from refer to
// target. Who may only look at a disk can neither have it written to by a
// machine of his, nor copy what is on it.
func linkAction(from, target ID) string {
	switch typ := fold(target.Type()); {
	case linkActions[typ] != "":
		return linkActions[typ]
	case typ == "microsoft.compute/disks" && from.Is("Microsoft.Compute/virtualMachines"):
		return "Microsoft.Compute/disks/write"
	case typ == "microsoft.compute/disks" || typ == "microsoft.compute/snapshots":
		return target.Type() + "/beginGetAccess/action"
	}
	return target.Type() + "/read"
}

// CheckLink says whether who calls may make the resource from refer to target.
func (c *Call) CheckLink(from, target ID) error {
	if target.IsZero() {
		return nil
	}
	action := linkAction(from, target)
	if c.May(action, target) {
		return nil
	}
	return newError(http.StatusForbidden, "LinkedAuthorizationFailed", "The client '%s' with object id '%s' has permission to perform action '%s' on scope '%s'; however, it does not have permission to perform action(s) '%s' on the linked scope(s) '%s' (respectively) or the linked scope(s) are invalid.",
		c.Principal.Client(), c.Principal.ObjectID, c.Action, shown(from), action, shown(target))
}

// checkLinks is CheckLink of all that now refers to and was did not. What the
// request itself makes, like a machine's disk, needs no right.
func (c *Call) checkLinks(ctx context.Context, from ID, was, now map[string]ID) error {
	for k, target := range now {
		if _, had := was[k]; had {
			continue
		}
		denied := c.CheckLink(from, target)
		if denied == nil {
			continue
		}
		made, err := c.made(ctx, target)
		if err != nil {
			return err
		}
		if !made {
			return denied
		}
	}
	return nil
}

// CheckNewLinks is CheckLink of all that o, which was read in the transaction,
// refers to now and did not before. It is for those who put o by themselves.
func CheckNewLinks[S, T any](ctx context.Context, c *Call, o *Object[S, T]) error {
	return c.checkLinks(ctx, c.ID, o.referred, references(&o.Spec))
}

// DropRights lets go of what is assigned and locked on what has the ID, which
// has no key of its own and is being deleted.
func (c *Call) DropRights(ctx context.Context, id ID) error {
	if c.Rights == nil {
		return nil
	}
	return c.Rights.Drop(ctx, c.Tx, id)
}

// made says whether the request itself made the resource.
func (c *Call) made(ctx context.Context, id ID) (bool, error) {
	o, err := Collection[json.RawMessage, json.RawMessage]{}.Find(ctx, c.Tx, id)
	return o != nil && o.CreatedAt.Equal(c.Now), err
}

// ActionOf is the action that a method does to what is of the type.
func ActionOf(method, typ string) string {
	if strings.HasPrefix(fold(typ)+"/", fold(GroupType)+"/") {
		typ = "Microsoft.Resources/subscriptions/resourceGroups" + typ[len(GroupType):]
	}
	switch method {
	case http.MethodGet, http.MethodHead:
		return typ + "/read"
	case http.MethodDelete:
		return typ + "/delete"
	case http.MethodPost:
		return typ + "/action"
	}
	return typ + "/write"
}

// ActionAt is the action that a method does at an endpoint's path: its words
// after the last namespace.
//
//	GET  /subscriptions/{s}/providers/Microsoft.Compute/locations/{l}/vmSizes  Microsoft.Compute/locations/vmSizes/read
//	GET  /subscriptions/{s}/locations                                          Microsoft.Resources/subscriptions/locations/read
func ActionAt(method, path string) string {
	words := []string{"Microsoft.Resources"}
	segments := strings.Split(strings.Trim(path, "/"), "/")
	for i := 0; i < len(segments); i++ {
		switch s := segments[i]; {
		case s == "providers" && i+1 < len(segments) && !strings.HasPrefix(segments[i+1], "{"):
			words = []string{segments[i+1]}
			i++
		case !strings.HasPrefix(s, "{"):
			words = append(words, s)
		}
	}
	return ActionOf(method, strings.Join(words, "/"))
}
