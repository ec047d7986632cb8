package api_test

import (
	"encoding/json"
	"strings"
	"testing"

	"lazuli/internal/arm"
)

const widget1 = widgets + "/w1?" + version

func TestAsyncPut(t *testing.T) {
	c := withGroup(t)
	r := c.expect(201, "PUT", widget1, `{"properties":{"size":5}}`)
	poll := r.Header.Get("Azure-Asyncoperation")
	if !strings.HasPrefix(poll, c.URL+"/subscriptions/"+testSub+"/providers/Microsoft.Fake/locations/local/operations/") {
		t.Fatalf("Azure-AsyncOperation = %q", poll)
	}
	if r.Header.Get("Location") != "" {
		t.Error("a PUT with 201 has a Location, which clients would follow")
	}
	checkPollHeaders(t, r)
	running := c.expect(200, "GET", poll, "")
	checkPollHeaders(t, running)
	if got := running.json(t)["status"]; got != "InProgress" {
		t.Errorf("status = %v, want InProgress", got)
	}
	if r := c.do("PUT", widget1, `{"properties":{"size":6}}`); r.StatusCode != 409 || r.code() != "OperationNotAllowed" {
		t.Errorf("a second PUT meanwhile = %d %s, want 409 OperationNotAllowed", r.StatusCode, r.body)
	}
	c.finish(nil, nil)
	if got := c.expect(200, "GET", poll, "").json(t); got["status"] != "Succeeded" || got["endTime"] == nil || got["error"] != nil {
		t.Errorf("at the end = %v, want Succeeded", got)
	}
	if got := c.expect(200, "GET", poll+"&monitor=true", "").json(t)["name"]; got != "w1" {
		t.Errorf("the result is %v, want the resource", got)
	}
	c.expect(200, "PUT", widget1, `{"properties":{"size":6}}`)
}

func checkPollHeaders(t *testing.T, r reply) {
	t.Helper()
	if r.Header.Get("Retry-After") != "1" || r.Header.Get("Retry-After-Ms") == "" {
		t.Errorf("headers = %v, want Retry-After: 1 and retry-after-ms", r.Header)
	}
}

func TestAsyncPutOfAccepted(t *testing.T) {
	c := withGroup(t)
	r := c.expect(202, "PUT", group+"/providers/Microsoft.Fake/tapes/t1?"+version, `{}`)
	if r.Header.Get("Location") == "" || r.Header.Get("Azure-Asyncoperation") == "" || len(r.body) == 0 {
		t.Errorf("202 = %v %s, want both headers and the resource", r.Header, r.body)
	}
}

func TestAsyncAction(t *testing.T) {
	c := withGroup(t)
	c.expect(201, "PUT", widget1, `{}`)
	r := c.expect(202, "POST", widgets+"/w1/poke?"+version, "")
	poll, location := r.Header.Get("Azure-Asyncoperation"), r.Header.Get("Location")
	checkPollHeaders(t, r)
	running := c.expect(202, "GET", location, "")
	checkPollHeaders(t, running)
	if running.Header.Get("Location") != location {
		t.Errorf("Location = %q, want the same again, %q", running.Header.Get("Location"), location)
	}
	c.finish(nil, map[string]string{"accessSAS": "x"})
	if got := c.expect(200, "GET", location, "").json(t)["accessSAS"]; got != "x" {
		t.Errorf("the result is %v, want x", got)
	}
	var b struct {
		Properties struct{ Output map[string]string }
	}
	if err := json.Unmarshal(c.expect(200, "GET", poll, "").body, &b); err != nil || b.Properties.Output["accessSAS"] != "x" {
		t.Errorf("properties.output = %v, %v; want the result", b, err)
	}
	location = c.expect(202, "POST", widgets+"/w1/poke?"+version, "").Header.Get("Location")
	c.finish(nil, nil)
	c.expect(204, "GET", location, "")
}

func TestAsyncFailure(t *testing.T) {
	c := withGroup(t)
	r := c.expect(201, "PUT", widget1, `{"properties":{"size":5}}`)
	poll := r.Header.Get("Azure-Asyncoperation")
	c.finish(arm.Conflict("AllocationFailed", "No node has room."), nil)
	var b struct {
		Status string
		Error  arm.Error
	}
	if err := json.Unmarshal(c.expect(200, "GET", poll, "").body, &b); err != nil || b.Status != "Failed" || b.Error.Code != "AllocationFailed" {
		t.Errorf("the operation = %+v, %v; want Failed with AllocationFailed", b, err)
	}
	if r := c.do("GET", poll+"&monitor=true", ""); r.StatusCode != 409 || r.code() != "AllocationFailed" {
		t.Errorf("Location = %d %s, want 409 AllocationFailed", r.StatusCode, r.body)
	}
}

func TestAsyncDelete(t *testing.T) {
	c := withGroup(t)
	created := c.expect(201, "PUT", widget1, `{"properties":{"size":5}}`).Header.Get("Azure-Asyncoperation")
	r := c.expect(202, "DELETE", widget1, "")
	location := r.Header.Get("Location")
	if got := c.expect(200, "GET", created, "").json(t)["status"]; got != "Canceled" {
		t.Errorf("the creation is %v, want Canceled", got)
	}
	if again := c.expect(202, "DELETE", widget1, "").Header.Get("Location"); again != location {
		t.Errorf("a second DELETE polls %q, want %q as the first", again, location)
	}
	c.expect(202, "GET", location, "")
	c.finish(nil, nil)
	c.expect(204, "GET", location, "")
	c.expect(404, "GET", widget1, "")
	c.expect(204, "DELETE", widget1, "")
}

func TestSyncDelete(t *testing.T) {
	c := withGroup(t)
	c.expect(201, "PUT", widget1, `{}`)
	if r := c.expect(200, "DELETE", widget1, ""); r.Header.Get("Azure-Asyncoperation") != "" {
		t.Error("a DELETE that is done promises an operation")
	}
	c.expect(404, "GET", widget1, "")
}

// A poll that waits sees the end of the operation in the same request.
func TestLongPoll(t *testing.T) {
	c := withGroup(t)
	poll := c.expect(201, "PUT", widget1, `{"properties":{"size":5}}`).Header.Get("Azure-Asyncoperation")
	done := make(chan string)
	go func() {
		for {
			var b struct{ Status string }
			if json.Unmarshal(c.do("GET", poll, "").body, &b) != nil || b.Status != "InProgress" {
				done <- b.Status
				return
			}
		}
	}()
	c.finish(nil, nil)
	if got := <-done; got != "Succeeded" {
		t.Errorf("the poll saw %q, want Succeeded", got)
	}
}

func TestOperationsOfOthersDoNotExist(t *testing.T) {
	c := withGroup(t)
	poll := c.expect(201, "PUT", widget1, `{"properties":{"size":5}}`).Header.Get("Azure-Asyncoperation")
	c.expect(404, "GET", strings.Replace(poll, testSub, otherSub, 1), "")
	c.expect(401, "GET", poll, "", "Authorization", "")
}

func TestGroupDeleteHasLocationOnly(t *testing.T) {
	c := withGroup(t)
	r := c.expect(202, "DELETE", group+"?"+version, "")
	location := r.Header.Get("Location")
	if r.Header.Get("Azure-Asyncoperation") != "" || !strings.Contains(location, "/operationresults/") {
		t.Errorf("headers = %v, want Location of operationresults only", r.Header)
	}
	c.expect(202, "GET", location, "")
	c.finish(nil, nil)
	c.expect(200, "GET", location, "")
}
