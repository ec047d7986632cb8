package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
)

// Exit codes. The help of the root command has them too.
const (
	exitOK          = 0
	exitError       = 1
	exitUsage       = 2
	exitNotFound    = 3
	exitConflict    = 4
	exitAccess      = 5
	exitInterrupted = 130
)

// usageError is a command that was not used as its help says.
type usageError struct{ text string }

func (e usageError) Error() string { return e.text }

// accessError is why we cannot ask the cloud anything.
type accessError struct{ text, next string }

func (e *accessError) Error() string { return e.text }

// problem is an error that we found ourselves, with the exit code and the
// advice that go with it.
type problem struct {
	code       int
	text, next string
}

func (p *problem) Error() string { return p.text }

// advised is err with advice on what to do next.
type advised struct {
	error
	next string
}

func (a *advised) Unwrap() error { return a.error }

// failure is an error as the user is told it.
type failure struct {
	code    int
	message string
	next    string
	usage   bool
}

func (f *failure) print(w io.Writer, command string) {
	note(w, "error: %s", f.message)
	if f.usage {
		note(w, "See: %s --help", command)
	}
	if f.next != "" {
		note(w, "%s", f.next)
	}
}

// failures are what went wrong with several things, each for itself.
type failures []error

func (f failures) Error() string   { return errors.Join(f...).Error() }
func (f failures) Unwrap() []error { return f }

// joined is nil without errors.
func joined(errs []error) error {
	if len(errs) == 0 {
		return nil
	}
	return failures(errs)
}

// report tells the user of err, and is the exit code: that of the first of
// several failures.
func report(ctx context.Context, w io.Writer, command string, err error) int {
	several, ok := errors.AsType[failures](err)
	if !ok || ctx.Err() != nil {
		several = failures{err}
	}
	code := exitOK
	for i, err := range several {
		f := explain(ctx, err)
		f.print(w, command)
		if i == 0 {
			code = f.code
		}
	}
	return code
}

// explain says what err means to the user.
func explain(ctx context.Context, err error) *failure {
	f := classify(ctx, err)
	if a, ok := errors.AsType[*advised](err); ok {
		f.next = a.next
	}
	return f
}

func classify(ctx context.Context, err error) *failure {
	if ctx.Err() != nil {
		return &failure{code: exitInterrupted, message: "interrupted", next: "What was begun goes on in the cloud."}
	}
	if e, ok := errors.AsType[usageError](err); ok {
		return &failure{code: exitUsage, message: e.text, usage: true}
	}
	if e, ok := errors.AsType[*accessError](err); ok {
		return &failure{code: exitAccess, message: e.text, next: e.next}
	}
	if e, ok := errors.AsType[*problem](err); ok {
		return &failure{code: e.code, message: plain(err), next: e.next}
	}
	if e, ok := errors.AsType[*unreachable](err); ok {
		return &failure{code: exitAccess, message: e.Error(), next: "Is it running? On its own machine, look with: lazuli doctor\nOr start it with: lazuli up"}
	}
	if e, ok := errors.AsType[*azidentity.AuthenticationFailedError](err); ok {
		return &failure{code: exitAccess, message: "the cloud does not accept the credentials" + loginReason(e.RawResponse),
			next: "They may be those of another cloud, or have been replaced. See --credentials and --data-dir."}
	}
	if e, ok := errors.AsType[*azcore.ResponseError](err); ok {
		return &failure{code: exitCode(e.StatusCode), message: plain(err)}
	}
	return &failure{code: exitError, message: err.Error()}
}

// plain is the text of err with what the cloud said in the place of the bytes
// of its replies.
func plain(err error) string {
	text := err.Error()
	for _, e := range answersIn(err) {
		text = strings.ReplaceAll(text, e.Error(), answerOf(e))
	}
	return text
}

// answersIn are all replies of the cloud's that err is made of.
func answersIn(err error) []*azcore.ResponseError {
	if e, ok := err.(*azcore.ResponseError); ok {
		return []*azcore.ResponseError{e}
	}
	switch u := err.(type) {
	case interface{ Unwrap() error }:
		return answersIn(u.Unwrap())
	case interface{ Unwrap() []error }:
		var found []*azcore.ResponseError
		for _, inner := range u.Unwrap() {
			found = append(found, answersIn(inner)...)
		}
		return found
	}
	return nil
}

func exitCode(status int) int {
	switch status {
	case http.StatusNotFound:
		return exitNotFound
	case http.StatusConflict, http.StatusPreconditionFailed:
		return exitConflict
	case http.StatusUnauthorized, http.StatusForbidden:
		return exitAccess
	}
	return exitError
}

// armError is the error in a reply of ARM's.
type armError struct {
	Code    string     `json:"code"`
	Message string     `json:"message"`
	Target  string     `json:"target"`
	Details []armError `json:"details"`
}

func (e *armError) text() string {
	t := e.Message
	if e.Code != "" {
		t += " (" + e.Code + ")"
	}
	for _, d := range e.Details {
		t += "\n  " + d.text()
	}
	return t
}

// answerOf is what the cloud said, without the request and the bytes around it.
func answerOf(e *azcore.ResponseError) string {
	if body := payload(e.RawResponse); body != nil {
		if ae := parseARMError(body); ae != nil {
			return ae.text()
		}
	}
	if e.ErrorCode != "" {
		return e.ErrorCode
	}
	return fmt.Sprintf("the cloud answered %d %s", e.StatusCode, http.StatusText(e.StatusCode))
}

func payload(r *http.Response) []byte {
	if r == nil || r.Body == nil {
		return nil
	}
	b, err := runtime.Payload(r)
	if err != nil {
		return nil
	}
	return bytes.TrimSpace(b)
}

// parseARMError reads {"error":{…}}, which operations that failed have too, or
// the error alone; nil when body is neither.
func parseARMError(body []byte) *armError {
	var outer struct {
		Error json.RawMessage `json:"error"`
	}
	if json.Unmarshal(body, &outer) == nil && outer.Error != nil {
		body = outer.Error
	}
	var e armError
	if json.Unmarshal(body, &e) != nil || e.Message == "" {
		return nil
	}
	return &e
}

// loginReason is what the token endpoint said.
func loginReason(r *http.Response) string {
	var oauth struct {
		Description string `json:"error_description"`
	}
	if json.Unmarshal(payload(r), &oauth) != nil || oauth.Description == "" {
		return ""
	}
	first, _, _ := strings.Cut(oauth.Description, "\n")
	return ": " + strings.TrimSpace(first)
}

// isStatus says whether err is an answer of the cloud's with that status.
func isStatus(err error, status int) bool {
	e, ok := errors.AsType[*azcore.ResponseError](err)
	return ok && e.StatusCode == status
}

func isNotFound(err error) bool { return isStatus(err, http.StatusNotFound) }

// refused says whether the cloud has turned a request down, so that it has
// changed nothing.
func refused(err error) bool {
	e, ok := errors.AsType[*azcore.ResponseError](err)
	return ok && e.StatusCode >= 400 && e.StatusCode < 500
}
