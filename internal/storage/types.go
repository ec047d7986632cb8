package storage

import (
	"context"

	"lazuli/internal/arm"
)

// AccountType is the full name of the type.
const AccountType = "Microsoft.Storage/storageAccounts"

// Accounts is where they are stored.
var Accounts = arm.Collection[Account, NoStatus]{Type: AccountType}

// Config is what a cloud's accounts have in common.
type Config struct {
	// Locations of the cloud; none means that any name is one.
	Locations []string
	// Domain is what the names of the endpoints end in.
	Domain string
}

// Types is the table of the resource types.
func Types(cfg Config) []arm.Type {
	const ok = 200 // clients take a new account for one that is still being made else
	return []arm.Type{{
		Name: AccountType, Names: names, Tracked: true, Provider: provider(cfg),
		APIVersions: []string{"2024-01-01", "2022-09-01", "2019-06-01"},
		Created:     ok, Updated: ok,
		Actions: map[string]arm.Action{
			"listKeys": storesNothing, "regenerateKey": storesNothing,
			"ListAccountSas": storesNothing, "ListServiceSas": storesNothing,
		},
	}}
}

// Endpoints answer whether a name is free.
func Endpoints(Config) []arm.Endpoint {
	return []arm.Endpoint{{
		Method: "POST", Path: "/subscriptions/{subscription}/providers/Microsoft.Storage/checkNameAvailability", Handle: checkName,
		Reach: arm.WithinScope,
	}}
}

// storesNothing is the answer to who wants to get at an account's content.
func storesNothing(ctx context.Context, c *arm.Call, _ []byte) (arm.Result, error) {
	o, err := Accounts.Get(ctx, c.Tx, c.ID)
	if err != nil {
		return arm.Result{}, err
	}
	return arm.Result{}, arm.Conflict("OperationNotAllowed", "The storage account '%s' has no keys: storage accounts are here for templates only, and store nothing in this cloud. The boot log of a virtual machine is had by retrieveBootDiagnosticsData.", o.ID.Name())
}
