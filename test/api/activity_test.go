package api_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
)

// activity is the subscription's activity log: of each event "<operation>
// <status>", the newest first.
func (c *cloud) activity(filter string) (all []string) {
	c.t.Helper()
	for _, e := range c.activityEvents(filter) {
		all = append(all, at(e, "operationName.value").(string)+" "+at(e, "status.value").(string))
	}
	return all
}

func (c *cloud) activityEvents(filter string) (all []any) {
	c.t.Helper()
	since := "eventTimestamp ge '" + time.Now().Add(-time.Hour).UTC().Format(time.RFC3339) + "'"
	if filter != "" {
		since += " and " + filter
	}
	path := c.subscription("providers/Microsoft.Insights/eventtypes/management/values") + "?" + url.Values{"api-version": {"2015-04-01"}, "$filter": {since}}.Encode()
	for path != "" {
		r := c.want(200, "GET", path, "")
		var b struct {
			Value    []any
			NextLink string
		}
		if err := json.Unmarshal(r.body, &b); err != nil {
			c.t.Fatal(err)
		}
		all, path = append(all, b.Value...), b.NextLink
	}
	return all
}

func TestActivityOfAMachine(t *testing.T) {
	c := newCloud(t).withVM()
	c.done("POST", c.compute("virtualMachines/vm/powerOff"), "")
	vm := c.compute("virtualMachines/vm")
	got := c.activity("resourceId eq '" + strings.ToUpper(vm) + "'")
	const write, off = "Microsoft.Compute/virtualMachines/write ", "Microsoft.Compute/virtualMachines/powerOff/action "
	want := []string{off + "Succeeded", off + "Accepted", off + "Started", write + "Succeeded", write + "Accepted", write + "Started"}
	if !slices.Equal(got, want) {
		t.Errorf("the machine's activity is %q, want %q", got, want)
	}
	events := c.activityEvents("")
	raw, err := json.Marshal(events)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(raw), "Str0ng!Passw0rd") {
		t.Error("the password is in the activity log")
	}
	e := events[0]
	if at(e, "caller") != c.ClientID || at(e, "resourceGroupName") != "rg" || at(e, "claims.ipaddr") != "127.0.0.1" || at(e, "resourceId") != vm {
		t.Errorf("the newest event is %v", e)
	}
	ids := map[any]bool{}
	for _, e := range events {
		ids[at(e, "eventDataId")] = true
	}
	if len(ids) != len(events) {
		t.Errorf("%d events have %d ids", len(events), len(ids))
	}
}

// What was refused is in the account too, a moment later.
func TestActivityOfWhatWasRefused(t *testing.T) {
	c := newCloud(t)
	c.want(201, "PUT", c.group("rg"), `{"location":"local"}`)
	m := c.member("mallory")
	m.refused(403, "AuthorizationFailed", "DELETE", c.group("rg"), "")
	m.refused(403, "AuthorizationFailed", "GET", c.group("rg"), "")
	c.refused(400, "UnsupportedProperty", "PUT", c.group("rg"), `{"location":"local","secret":"hush"}`, "X-Ms-Correlation-Request-Id", "mine")
	const groups = "Microsoft.Resources/subscriptions/resourceGroups/"
	c.until("the denial is told of", func() bool {
		return slices.Equal(c.activity("caller eq '"+m.ClientID+"'"), []string{groups + "delete Failed", groups + "delete Started"})
	})
	c.until("the refusal is told of", func() bool {
		return slices.Equal(c.activity("correlationId eq 'mine' and status eq 'Failed'"), []string{groups + "write Failed"})
	})
	e := c.activityEvents("caller eq '" + m.ClientID + "'")[0]
	if at(e, "subStatus.value") != "Forbidden" || at(e, "properties.code") != "AuthorizationFailed" || at(e, "httpRequest.method") != "DELETE" || at(e, "level") != "Error" {
		t.Errorf("the denial is %v", e)
	}
	if got := m.do("GET", c.subscription("providers/Microsoft.Insights/eventtypes/management/values"), ""); got.StatusCode != 403 {
		t.Errorf("who may nothing reads the account: %d", got.StatusCode)
	}
}

// One sees the account of what one may see.
func TestActivityOfOneGroup(t *testing.T) {
	c := newCloud(t)
	for _, g := range []string{"rg", "other"} {
		c.want(201, "PUT", c.group(g), `{"location":"local"}`)
	}
	m := c.member("m")
	c.give(m, reader, c.group("rg"))
	all, own := c.activity(""), m.activity("")
	if len(own) == 0 || len(own) >= len(all) {
		t.Errorf("he sees %d events of %d", len(own), len(all))
	}
	for _, e := range m.activityEvents("") {
		if at(e, "resourceGroupName") != "rg" {
			t.Errorf("he sees %v", e)
		}
	}
}

// What az shows of who was given which role comes out of the account.
func TestActivityOfRoles(t *testing.T) {
	c := newCloud(t)
	m := c.member("m")
	c.give(m, reader, c.subscription(""))
	e := c.activityEvents("resourceProvider eq Microsoft.Authorization")
	if len(e) != 2 || !strings.Contains(fmt.Sprint(at(e[1], "properties.requestbody")), m.id) {
		t.Errorf("the events are %v", e)
	}
}
