// Package whatif tells the difference between resources as they are and as a
// template wants them, property by property, in the form of Azure's what-if
// answer. It compares values of package jsonc and knows nothing of what they
// mean: which properties a server fills in or ignores, the caller says.
package whatif
