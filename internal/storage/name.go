package storage

import (
	"context"
	"errors"
	"regexp"

	"lazuli/internal/arm"
	"lazuli/internal/store"
)

var names = arm.NameRule{
	Pattern: regexp.MustCompile(`^[a-z0-9]{3,24}$`),
	Hint:    "3 to 24 lower-case letters and digits",
}

// nameKey is where it is noted who has a name: one account in the whole cloud,
// since it is part of host names.
func nameKey(name string) string { return "/claim/storageaccount/" + name }

// holder is the id of the account with the name; "" when there is none.
func holder(ctx context.Context, r store.Reader, name string) (string, error) {
	e, err := r.Get(ctx, nameKey(name))
	if errors.Is(err, store.ErrNotFound) {
		return "", nil
	}
	return string(e.Value), err
}

func claimName(ctx context.Context, tx store.Tx, id arm.ID) error {
	other, err := holder(ctx, tx, id.Name())
	if err != nil {
		return err
	}
	if other != "" {
		return arm.Conflict("StorageAccountAlreadyTaken", "The storage account named %s is already taken.", id.Name())
	}
	tx.Put(nameKey(id.Name()), []byte(id.String()))
	return nil
}

// nameAvailability answers whether a name is free.
type nameAvailability struct {
	Available bool   `json:"nameAvailable"`
	Reason    string `json:"reason,omitempty"`
	Message   string `json:"message,omitempty"`
}

func checkName(ctx context.Context, c *arm.Call, _ map[string]string) (arm.Result, error) {
	var b struct {
		Name string `json:"name"`
		Type string `json:"type"`
	}
	if err := arm.Decode(c.Body, &b); err != nil {
		return arm.Result{}, err
	}
	if _, err := arm.Enum("type", b.Type, AccountType); err != nil {
		return arm.Result{}, err
	}
	if !names.Pattern.MatchString(b.Name) {
		return arm.Result{Body: nameAvailability{Reason: "AccountNameInvalid", Message: b.Name + " is not a valid storage account name. It must be " + names.Hint + "."}}, nil
	}
	other, err := holder(ctx, c.Reader(), b.Name)
	if err != nil || other == "" {
		return arm.Result{Body: nameAvailability{Available: true}}, err
	}
	return arm.Result{Body: nameAvailability{Reason: "AlreadyExists", Message: "The storage account named " + b.Name + " is already taken."}}, nil
}
