package expr

import (
	"errors"
	"fmt"
)

// Error is an expression that cannot be read or evaluated. Its message is the
// one that Azure has for it, where that is known.
type Error struct{ Message string }

func (e *Error) Error() string { return e.Message }

// Errorf makes an Error, for functions of a Scope.
func Errorf(format string, a ...any) *Error { return &Error{Message: fmt.Sprintf(format, a...)} }

// ErrNoFunction is what a Scope says of a function that it does not have.
var ErrNoFunction = errors.New("no such function")

// BudgetError ends an evaluation that costs too much.
type BudgetError struct{ Message string }

func (e *BudgetError) Error() string { return e.Message }

// usage ends a message as Azure's messages do.
func usage(name string) string {
	return fmt.Sprintf("Please see https://aka.ms/arm-functions#%s for usage details.", name)
}
