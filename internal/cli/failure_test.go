package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
)

// answer is the SDK's error for a reply.
func answer(status int, body string) error {
	r := &http.Response{StatusCode: status, Status: http.StatusText(status), Body: io.NopCloser(strings.NewReader(body)), Header: http.Header{},
		Request: httptest.NewRequest(http.MethodGet, "https://cloud.example/x", nil)}
	return runtime.NewResponseError(r)
}

func TestExplain(t *testing.T) {
	for name, c := range map[string]struct {
		err  error
		code int
		want string
	}{
		"not found": {fmt.Errorf("show web1: %w", answer(404, `{"error":{"code":"ResourceNotFound","message":"It was not found."}}`)), 3,
			"error: show web1: It was not found. (ResourceNotFound)\n"},
		"conflict":     {answer(409, `{"error":{"code":"OperationNotAllowed","message":"Wait."}}`), 4, "error: Wait. (OperationNotAllowed)\n"},
		"precondition": {answer(412, `{"error":{"code":"PreconditionFailed","message":"Changed."}}`), 4, "error: Changed. (PreconditionFailed)\n"},
		"bare":         {answer(403, `{"code":"Forbidden","message":"No."}`), 5, "error: No. (Forbidden)\n"},
		"operation": {answer(200, `{"status":"Failed","error":{"code":"DeploymentFailed","message":"At least one failed.","details":[{"code":"Conflict","message":"In use."}]}}`), 1,
			"error: At least one failed. (DeploymentFailed)\n  In use. (Conflict)\n"},
		"no message": {answer(500, ``), 1, "error: the cloud answered 500 Internal Server Error\n"},
		"not ARM's":  {answer(502, `<html>`), 1, "error: the cloud answered 502 Bad Gateway\n"},
		"usage":      {fmt.Errorf("x: %w", usageError{"do not"}), 2, "error: do not\nSee: lazuli vm --help\n"},
		"problem":    {fmt.Errorf("create web1: %w", &problem{exitConflict, "it exists", "Look."}), 4, "error: create web1: it exists\nLook.\n"},
		"advised":    {&advised{answer(404, `{"error":{"code":"A","message":"B."}}`), "Try."}, 3, "error: B. (A)\nTry.\n"},
		"other":      {errors.New("disk full"), 1, "error: disk full\n"},
		"access":     {&accessError{"no file", "Make one."}, 5, "error: no file\nMake one.\n"},
		"unreachable": {&unreachable{"https://h", fmt.Errorf("dial: %w", errors.New("refused"))}, 5,
			"error: the cloud at https://h does not answer: refused\nIs it running? On its own machine, look with: lazuli doctor\nOr start it with: lazuli up\n"},
	} {
		f := explain(context.Background(), c.err)
		var b bytes.Buffer
		f.print(&b, "lazuli vm")
		if f.code != c.code || b.String() != c.want {
			t.Errorf("%s: %d\n%s\nwant %d\n%s", name, f.code, b.String(), c.code, c.want)
		}
	}
}

func TestReportOfSeveral(t *testing.T) {
	err := joined([]error{
		fmt.Errorf("stop a: %w", answer(404, `{"error":{"code":"A","message":"Not there."}}`)),
		fmt.Errorf("stop b: %w", &problem{exitConflict, "it is busy", "Wait."}),
		errors.Join(answer(409, `{"error":{"code":"B","message":"In use."}}`), fmt.Errorf("clear: %w", answer(400, `{"error":{"code":"C","message":"Bad."}}`))),
	})
	const want = "error: stop a: Not there. (A)\nerror: stop b: it is busy\nWait.\nerror: In use. (B)\nclear: Bad. (C)\n"
	var b bytes.Buffer
	if code := report(t.Context(), &b, "lazuli", err); code != exitNotFound || b.String() != want {
		t.Errorf("%d\n%s\nwant %d\n%s", code, b.String(), exitNotFound, want)
	}
	if joined(nil) != nil {
		t.Error("nothing is a failure")
	}
}

func TestExplainInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if f := explain(ctx, ctx.Err()); f.code != exitInterrupted || !strings.Contains(f.next, "goes on") {
		t.Errorf("%+v", f)
	}
}

func TestRefused(t *testing.T) {
	for name, c := range map[string]struct {
		err  error
		want bool
	}{
		"bad request":  {answer(400, ""), true},
		"conflict":     {fmt.Errorf("nic: %w", answer(409, "")), true},
		"server error": {answer(500, ""), false},
		"failed later": {answer(200, ""), false},
		"no answer":    {io.ErrUnexpectedEOF, false},
	} {
		if got := refused(c.err); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func FuzzParseARMError(f *testing.F) {
	for _, s := range []string{`{"error":{"code":"A","message":"B","details":[{}]}}`, `{"code":"A","message":"B"}`, `[]`, `{"error":null}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if e := parseARMError(b); e != nil && e.text() == "" {
			t.Errorf("%q says nothing", b)
		}
	})
}
