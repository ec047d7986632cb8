// Package expr is the expression language of ARM templates: a parser, an
// evaluator, and every function that needs nothing but its arguments. What a
// function has to know of a template or a deployment it asks of a Scope, which
// the caller gives.
//
// Values are those of package jsonc. Evaluation is pure but for the Scope,
// charges a Budget for its steps and for the memory that it makes, and ends
// whatever the expression. The package knows neither templates nor resources.
package expr
