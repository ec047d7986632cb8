package armtest

import (
	"context"

	"lazuli/internal/arm"
	"lazuli/internal/store"
)

// Everyone may do everything.
type Everyone struct{}

// May says yes.
func (Everyone) May(arm.Principal, string, arm.ID) bool { return true }

// MayWithin says yes.
func (Everyone) MayWithin(arm.Principal, string, arm.ID) bool { return true }

// Sees says yes.
func (Everyone) Sees(arm.Principal, arm.ID) bool { return true }

// CheckLocks finds none.
func (Everyone) CheckLocks(context.Context, store.Reader, string, arm.ID) error { return nil }

// Drop has nothing to let go of.
func (Everyone) Drop(context.Context, store.Tx, arm.ID) error { return nil }
