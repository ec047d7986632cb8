// Package activity is Microsoft.Insights as far as the activity log goes: it
// keeps events within bounds of time and size, and shows them.
//
// It knows no HTTP. What an event is and where it lies is package arm's, and
// those that belong to a change are written in its transaction; the rest, what
// was refused or changed nothing, is written here, many at once.
package activity
