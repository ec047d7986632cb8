package template

import (
	"strings"

	"lazuli/internal/template/expr"
)

// resourceID is resourceId([subscription], [resource group], type, names…).
func (s *scope) resourceID(args []any) (any, error) {
	before, rest, err := typeArg("resourceId", args)
	if err != nil {
		return nil, err
	}
	at := s.input.Scope
	switch {
	case at.ResourceGroup != "" || len(before) == 2:
		at, err = groupArgs(at, before)
	case at.Subscription != "" && len(before) < 2 || len(before) == 1:
		at, err = subscriptionArgs("resourceId", at, before)
	case len(before) != 0:
		err = tooManyBefore("resourceId")
	default:
		at = Scope{} // in a management group it is an id of the tenant, too
	}
	if err != nil {
		return nil, err
	}
	return typedID("resourceId", at.ID(), rest)
}

// groupArgs reads the arguments of resourceId in a resource group: one that is
// a GUID is a subscription, and any other the name of a group.
func groupArgs(at Scope, before []string) (Scope, error) {
	switch {
	case len(before) == 2:
		return Scope{Subscription: before[0], ResourceGroup: before[1]}, nil
	case len(before) == 1 && isGUID(before[0]):
		return Scope{Subscription: before[0], ResourceGroup: at.ResourceGroup}, nil
	case len(before) == 1:
		return Scope{Subscription: at.Subscription, ResourceGroup: before[0]}, nil
	case len(before) > 2:
		return at, tooManyBefore("resourceId")
	}
	return at, nil
}

func subscriptionArgs(fn string, at Scope, before []string) (Scope, error) {
	switch {
	case len(before) == 1:
		return Scope{Subscription: before[0]}, nil
	case len(before) > 1:
		return at, tooManyBefore(fn)
	case at.Subscription == "":
		return at, notHere(fn)
	}
	return at.subscription(), nil
}

func tooManyBefore(fn string) error {
	return expr.Errorf("Unable to evaluate template language function '%s': too many arguments are before the resource type. Please see https://aka.ms/arm-resource-functions/#%s for usage details.", fn, strings.ToLower(fn))
}

func (s *scope) subscriptionResourceID(args []any) (any, error) {
	before, rest, err := typeArg("subscriptionResourceId", args)
	if err != nil {
		return nil, err
	}
	at, err := subscriptionArgs("subscriptionResourceId", s.input.Scope, before)
	if err != nil {
		return nil, err
	}
	return typedID("subscriptionResourceId", at.ID(), rest)
}

func (s *scope) tenantResourceID(args []any) (any, error) {
	before, rest, err := typeArg("tenantResourceId", args)
	if err == nil && len(before) > 0 {
		err = tooManyBefore("tenantResourceId")
	}
	if err != nil {
		return nil, err
	}
	return typedID("tenantResourceId", "", rest)
}

func (s *scope) managementGroupResourceID(args []any) (any, error) {
	const fn = "managementGroupResourceId"
	before, rest, err := typeArg(fn, args)
	if err != nil {
		return nil, err
	}
	at := Scope{ManagementGroup: s.input.Scope.ManagementGroup}
	switch {
	case len(before) == 1:
		at.ManagementGroup = before[0]
	case len(before) > 1:
		return nil, tooManyBefore(fn)
	case at.ManagementGroup == "":
		return nil, notHere(fn)
	}
	return typedID(fn, at.ID(), rest)
}

func (s *scope) extensionResourceID(args []any) (any, error) {
	texts, err := textArgs("extensionResourceId", args)
	if err != nil {
		return nil, err
	}
	if !strings.HasPrefix(texts[0], "/") && texts[0] != "" {
		return nil, expr.Errorf("Unable to evaluate template language function 'extensionResourceId': the resource id '%s' is not valid. Please see https://aka.ms/arm-resource-functions/#extensionresourceid for usage details.", texts[0])
	}
	return typedID("extensionResourceId", strings.TrimSuffix(texts[0], "/"), texts[1:])
}

// typeArg finds the resource type, which is the one argument with a slash, and
// returns what is before it, and it with what is after.
func typeArg(fn string, args []any) (before, rest []string, err error) {
	texts, err := textArgs(fn, args)
	if err != nil {
		return nil, nil, err
	}
	found := -1
	for i, t := range texts {
		if !strings.Contains(t, "/") {
			continue
		}
		if found >= 0 {
			found = -1
			break
		}
		found = i
	}
	if found < 0 {
		return nil, nil, expr.Errorf("Unable to evaluate template language function '%s': function requires exactly one multi-segmented argument which must be resource id including resource provider namespace. Current function arguments '%s'. Please see https://aka.ms/arm-resource-functions/#%s for usage details.", fn, strings.Join(texts, ","), strings.ToLower(fn))
	}
	return texts[:found], texts[found:], nil
}

// typedID makes the id of a type and as many names as it has segments.
func typedID(fn, scope string, typeAndNames []string) (any, error) {
	resourceType, names := strings.Trim(typeAndNames[0], "/"), typeAndNames[1:]
	if want := strings.Count(resourceType, "/"); want != len(names) || want == 0 {
		return nil, expr.Errorf("Unable to evaluate template language function '%s': the type '%s' requires '%d' resource name argument(s). Please see https://aka.ms/arm-resource-functions/#%s for usage details.", fn, resourceType, want, strings.ToLower(fn))
	}
	return ResourceID(scope, resourceType, names), nil
}

func isGUID(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i, c := range s {
		dash := i == 8 || i == 13 || i == 18 || i == 23
		if dash != (c == '-') || !dash && !strings.ContainsRune("0123456789abcdefABCDEF", c) {
			return false
		}
	}
	return true
}
