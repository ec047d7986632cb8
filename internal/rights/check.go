package rights

import (
	"context"
	"slices"
	"strings"

	"lazuli/internal/arm"
	"lazuli/internal/store"
)

// May says whether the principal has the right to do the action,
// "Microsoft.Compute/virtualMachines/read", at the scope that id is.
func (s *Store) May(p arm.Principal, action string, id arm.ID) bool {
	return s.x.may(strings.ToLower(p.ObjectID), strings.ToLower(action), ScopeOf(id))
}

// MayWithin says whether the principal has the right to do the action at the
// scope, or somewhere in it.
func (s *Store) MayWithin(p arm.Principal, action string, id arm.ID) bool {
	return s.x.mayWithin(strings.ToLower(p.ObjectID), strings.ToLower(action), ScopeOf(id))
}

// Sees says whether the principal has any role at the scope, in it or above it.
func (s *Store) Sees(p arm.Principal, id arm.ID) bool {
	return s.x.sees(strings.ToLower(p.ObjectID), ScopeOf(id))
}

// IsAdministrator says whether a principal is an Owner of the whole cloud.
func (s *Store) IsAdministrator(objectID string) bool {
	s.x.mu.RLock()
	defer s.x.mu.RUnlock()
	return slices.ContainsFunc(s.x.of[strings.ToLower(objectID)][""], func(a *Assignment) bool { return a.RoleID == OwnerID })
}

// CheckLocks says which locks keep the action from what has the ID: those on it,
// on what it lies in and, for a deletion, on what lies in it. That is looked up
// in tx, so that no lock is overtaken. Locks themselves are not locked.
func (s *Store) CheckLocks(ctx context.Context, tx store.Reader, action string, id arm.ID) error {
	verb := action[strings.LastIndexByte(action, '/')+1:]
	if verb == "action" {
		verb = "write" // what they do is not known, so they are held to do that
	}
	if verb != "write" && verb != "delete" || id.Is(LockType) {
		return nil
	}
	at := ScopeOf(id)
	var locked []string
	for _, l := range s.x.locksOver(at) {
		if verb == "delete" || l.Level == ReadOnly {
			locked = append(locked, l.At)
		}
	}
	if len(locked) == 0 && verb == "delete" {
		inside, err := list[Lock](ctx, tx, lockPrefix+string(at)+"/")
		if err != nil {
			return err
		}
		for _, l := range inside {
			locked = append(locked, l.At)
		}
	}
	if len(locked) == 0 {
		return nil
	}
	return arm.Conflict("ScopeLocked", "The scope '%s' cannot perform %s operation because following scope(s) are locked: '%s'. Please remove the lock and try again.",
		shownScope(id), verb, strings.Join(slices.Compact(locked), "', '"))
}

// Drop is the function of that name.
func (*Store) Drop(ctx context.Context, tx store.Tx, id arm.ID) error { return Drop(ctx, tx, id) }

// EnsureAdministrator makes the principal of a an Owner of the whole cloud, if no
// one is: of a new cloud, and of one from before there were roles.
func EnsureAdministrator(ctx context.Context, s store.Store, a Assignment) error {
	_, err := s.Update(ctx, func(tx store.Tx) error {
		all, err := assignmentsAt(ctx, tx, "")
		if err != nil || slices.ContainsFunc(all, func(a *Assignment) bool { return a.RoleID == OwnerID }) {
			return err
		}
		a.At, a.RoleID, a.PrincipalID = "/", OwnerID, strings.ToLower(a.PrincipalID)
		return putAssignment(tx, &a)
	})
	return err
}

// checkNotLast refuses to let go of the last Owner of the whole cloud: of the
// assignment of the name, or of all those of the principal.
func checkNotLast(ctx context.Context, tx store.Reader, name, objectID string) error {
	all, err := assignmentsAt(ctx, tx, "")
	if err != nil {
		return err
	}
	for _, a := range all {
		if a.RoleID == OwnerID && a.Name != name && a.PrincipalID != objectID {
			return nil
		}
	}
	return arm.BadRequest("CannotDeleteLastRbacAdminAssignment", "The last RBAC admin assignment cannot be deleted: nobody would be Owner of the cloud any more. Make somebody else Owner at '/' first.")
}

// ForgetPrincipal lets go of all that is assigned to a principal that is being
// deleted. It refuses if nobody else is Owner of the whole cloud.
func ForgetPrincipal(ctx context.Context, tx store.Tx, objectID string) error {
	objectID = strings.ToLower(objectID)
	all, err := list[Assignment](ctx, tx, assignmentPrefix+"/")
	if err != nil {
		return err
	}
	for _, a := range all {
		if a.PrincipalID != objectID {
			continue
		}
		if a.At == "/" && a.RoleID == OwnerID {
			if err := checkNotLast(ctx, tx, "", objectID); err != nil {
				return err
			}
		}
		dropAssignment(tx, a)
	}
	return nil
}
