package arm

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
)

// Error is what a client sees when a request or operation fails, in ARM's
// form. Message is a sentence that tells the user what to do.
type Error struct {
	Status  int      `json:"-"` // HTTP status of the reply
	Code    string   `json:"code"`
	Message string   `json:"message"`
	Target  string   `json:"target,omitempty"` // the property or resource at fault
	Details []*Error `json:"details,omitempty"`
	// AdditionalInfo says more for programs: where in a template the error is.
	AdditionalInfo []ErrorInfo `json:"additionalInfo,omitempty"`
}

// ErrorInfo is something more about an error.
type ErrorInfo struct {
	Type string `json:"type"`
	Info any    `json:"info"`
}

func (e *Error) Error() string { return e.Code + ": " + e.Message }

// At returns e with its target set.
func (e *Error) At(target string) *Error { e.Target = shorten(target, maxTarget); return e }

// Messages repeat what a client sent, which may be as long as a body. Nobody
// reads more than so many bytes of it.
const (
	maxMessage = 4 << 10
	maxTarget  = 512
)

func newError(status int, code, format string, a ...any) *Error {
	return &Error{Status: status, Code: code, Message: shorten(fmt.Sprintf(format, a...), maxMessage)}
}

// shorten is s, cut to at most limit bytes and a sign that it is.
func shorten(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	return strings.ToValidUTF8(s[:limit], "") + "…"
}

// BadRequest is a 400 with a code of the caller's choice.
func BadRequest(code, format string, a ...any) *Error {
	return newError(http.StatusBadRequest, code, format, a...)
}

// InvalidParameter is the 400 for a property that is wrong; target is its path
// from the body's top: "properties.hardwareProfile.vmSize".
func InvalidParameter(target, format string, a ...any) *Error {
	return BadRequest("InvalidParameter", format, a...).At(target)
}

// Unsupported is the 400 for a property that Lazuli does not carry out.
func Unsupported(target string) *Error {
	return BadRequest("UnsupportedProperty", "The property '%s' is not supported by this cloud. Leave it out.", target).At(target)
}

var subscriptionPattern = regexp.MustCompile(`(?i)^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

// NotFound is the 404 for a resource. Of a subscription whose ID can be none's
// it is a 400.
func NotFound(id ID) *Error {
	if id.Is(GroupType) {
		id = Group(id.Subscription, id.Name())
	}
	if id.Namespace == "" && id.ResourceGroup != "" {
		return newError(http.StatusNotFound, "ResourceGroupNotFound", "Resource group '%s' could not be found.", id.ResourceGroup)
	}
	if id.Namespace == "" && !subscriptionPattern.MatchString(id.Subscription) {
		return BadRequest("InvalidSubscriptionId", "The provided subscription identifier '%s' is malformed or invalid. It is a GUID.", id.Subscription)
	}
	if id.Namespace == "" {
		return newError(http.StatusNotFound, "SubscriptionNotFound", "The subscription '%s' could not be found.", id.Subscription)
	}
	code := "ResourceNotFound"
	if len(id.Names) > 1 {
		code = "NotFound" // what Microsoft.Network says of a subnet or rule
	}
	return newError(http.StatusNotFound, code, "The Resource '%s/%s' under resource group '%s' was not found.", id.Type(), id.Name(), id.ResourceGroup)
}

// Conflict is a 409 with a code of the caller's choice.
func Conflict(code, format string, a ...any) *Error {
	return newError(http.StatusConflict, code, format, a...)
}

// PreconditionFailed is the 412 of a failed If-Match or If-None-Match.
func PreconditionFailed(format string, a ...any) *Error {
	return newError(http.StatusPreconditionFailed, "PreconditionFailed", format, a...)
}

// StatusError is an error with any status.
func StatusError(status int, code, format string, a ...any) *Error {
	return newError(status, code, format, a...)
}
