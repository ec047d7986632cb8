package expr

import (
	"context"
	"fmt"
)

// Budget is what evaluations may cost together. Both counts go down.
type Budget struct {
	Steps int // calls, elements looked at, and the like
	Bytes int // of values made
	Ctx   context.Context
	tick  int
}

// DefaultBudget is enough for the largest honest template many times over, and
// is used up in seconds.
func DefaultBudget(ctx context.Context) *Budget {
	return &Budget{Steps: 3_000_000, Bytes: 64 << 20, Ctx: ctx}
}

// ctxEvery is how many steps pass between two looks at the context.
const ctxEvery = 4096

func (b *Budget) step(n int) error {
	if b.Steps -= n; b.Steps < 0 {
		return &BudgetError{Message: "The template language expressions take too many steps to evaluate."}
	}
	if b.tick += n; b.tick >= ctxEvery && b.Ctx != nil {
		b.tick = 0
		if err := b.Ctx.Err(); err != nil {
			return err
		}
	}
	return nil
}

// Make charges for a value of n bytes, and for making it. A caller that builds
// values from those of expressions charges for them too.
func (b *Budget) Make(n int) error {
	if b.Bytes -= n; b.Bytes < 0 {
		return &BudgetError{Message: "The template language expressions make values of too many bytes."}
	}
	return b.step(1 + n/64)
}

// LiteralLimit is the longest string that a function may return.
const LiteralLimit = 1 << 20

// text charges for a string that a function made.
func (b *Budget) text(s string) (any, error) {
	if len(s) > LiteralLimit {
		return nil, &Error{Message: fmt.Sprintf("The template language literal limit exceeded. Limit: '%d' and actual: '%d'. Please see https://aka.ms/arm-functions for usage details.", LiteralLimit, len(s))}
	}
	return s, b.Make(len(s) + 16)
}

// textOf refuses a string before it is made.
func (b *Budget) textOf(n int) error {
	if n > LiteralLimit || n < 0 {
		return &Error{Message: fmt.Sprintf("The template language literal limit exceeded. Limit: '%d' and actual: '%d'. Please see https://aka.ms/arm-functions for usage details.", LiteralLimit, n)}
	}
	return nil
}

// list charges for an array that a function made.
func (b *Budget) list(a []any) (any, error) { return a, b.Make(16*len(a) + 24) }
