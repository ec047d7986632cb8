package graph

import (
	"errors"
	"net/http"

	"lazuli/internal/arm"
	"lazuli/internal/identity"
	"lazuli/internal/store"
)

// errNoUser is for who has no /me.
var errNoUser = badRequest("/me request is only valid with delegated authentication flow: log in as a user.")

func (c *call) me() (any, error) {
	if c.who.Kind != arm.KindUser {
		return nil, errNoUser
	}
	p, err := c.findUser(c.Identity.Store, c.who.ObjectID)
	if err != nil {
		return nil, err
	}
	return c.one("users", showUser(p))
}

type passwordChange struct {
	CurrentPassword string `json:"currentPassword"`
	NewPassword     string `json:"newPassword"`
}

// changePassword is for users themselves, who show that they know the old one.
func (c *call) changePassword() (any, error) {
	if c.who.Kind != arm.KindUser {
		return nil, errNoUser
	}
	var in passwordChange
	if err := arm.Decode(c.body, &in); err != nil {
		return nil, err
	}
	p, err := c.Identity.LoginUser(c.ctx, c.who.UserName, in.CurrentPassword, "password of "+c.who.ObjectID)
	if errors.Is(err, identity.ErrThrottled) {
		return nil, arm.StatusError(http.StatusTooManyRequests, "TooManyRequests", "There were too many wrong passwords. Wait a little and try again.")
	}
	if errors.Is(err, identity.ErrWrongPassword) {
		return nil, badRequest("The specified password does not match the current one.")
	}
	if err != nil {
		return nil, err
	}
	hash, err := hashPassword(in.NewPassword, p.UserName)
	if err != nil {
		return nil, err
	}
	return nil, c.update(func(tx store.Tx) error {
		now, err := c.findUser(tx, c.who.ObjectID)
		if err != nil {
			return err
		}
		if now.Epoch != p.Epoch {
			return badRequest("The password has been changed meanwhile.")
		}
		now.SetPassword(hash, c.Identity.Now())
		return identity.PutPrincipal(c.ctx, tx, now)
	})
}
