// Package resources is Microsoft.Resources: tenants, subscriptions, locations,
// resource groups, the list of all resources, and the list of providers.
//
// It knows the table of types, and of resources what all of them have; it
// knows no particular type.
package resources
