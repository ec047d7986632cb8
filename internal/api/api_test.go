package api_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"lazuli/internal/arm"
)

func TestRefusals(t *testing.T) {
	c := withGroup(t)
	c.expect(201, "PUT", widgets+"/w1?"+version, `{"properties":{"size":0}}`)
	big := `{"properties":{"size":1},"tags":{"a":"` + strings.Repeat("x", 5<<20) + `"}}`
	deep := `{"properties":` + strings.Repeat(`{"a":`, 5000) + `1` + strings.Repeat(`}`, 5001)
	long := strings.Repeat("x", 300)
	tests := map[string]struct {
		method, path, body string
		header             []string
		status             int
		code               string
	}{
		"no token":               {"GET", "/subscriptions?" + version, "", []string{"Authorization", ""}, 401, "AuthenticationFailed"},
		"basic authentication":   {"GET", "/subscriptions?" + version, "", []string{"Authorization", "Basic eA=="}, 401, "AuthenticationFailedInvalidHeader"},
		"no bearer":              {"GET", "/subscriptions?" + version, "", []string{"Authorization", "Bearer "}, 401, "AuthenticationFailedInvalidHeader"},
		"nonsense for a token":   {"GET", "/subscriptions?" + version, "", []string{"Authorization", "Bearer x.y.z"}, 401, "InvalidAuthenticationToken"},
		"no token, unknown path": {"GET", "/subscriptions/x/y/z", "", []string{"Authorization", ""}, 401, "AuthenticationFailed"},
		"no version":             {"GET", widgets, "", nil, 400, "MissingApiVersionParameter"},
		"empty version":          {"GET", widgets + "?api-version=", "", nil, 400, "MissingApiVersionParameter"},
		"bad version":            {"GET", widgets + "?api-version=latest", "", nil, 400, "InvalidApiVersionParameter"},
		"version with more":      {"GET", widgets + "?api-version=2025-04-01x", "", nil, 400, "InvalidApiVersionParameter"},
		"bad query":              {"GET", widgets + "?api-version=%zz", "", nil, 400, "InvalidRequestUri"},
		"other tenant's":         {"GET", "/subscriptions/" + otherSub + "/resourceGroups?" + version, "", nil, 404, "SubscriptionNotFound"},
		"unknown subscription":   {"GET", "/subscriptions/nobody?" + version, "", nil, 400, "InvalidSubscriptionId"},
		"unknown group":          {"PUT", strings.ReplaceAll(widgets, "rg1", "rg2") + "/w?" + version, `{}`, nil, 404, "ResourceGroupNotFound"},
		"delete, unknown group":  {"DELETE", strings.ReplaceAll(widgets, "rg1", "rg2") + "/w?" + version, ``, nil, 404, "ResourceGroupNotFound"},
		"delete unknown group":   {"DELETE", "/subscriptions/" + testSub + "/resourceGroups/rg2?" + version, ``, nil, 404, "ResourceGroupNotFound"},
		"unknown namespace":      {"GET", group + "/providers/Microsoft.Nothing/widgets/w?" + version, "", nil, 404, "InvalidResourceNamespace"},
		"unknown type":           {"GET", group + "/providers/Microsoft.Fake/wonders/w?" + version, "", nil, 404, "InvalidResourceType"},
		"unknown list":           {"GET", group + "/providers/Microsoft.Fake/wonders?" + version, "", nil, 404, "InvalidResourceType"},
		"unknown action":         {"POST", widgets + "/w1/shove?" + version, "", nil, 404, "InvalidResourceType"},
		"unknown resource":       {"GET", widgets + "/w2?" + version, "", nil, 404, "ResourceNotFound"},
		"patch unknown":          {"PATCH", widgets + "/w2?" + version, "{}", nil, 404, "ResourceNotFound"},
		"children of nothing":    {"GET", widgets + "/w2/parts?" + version, "", nil, 404, "ResourceNotFound"},
		"resource without group": {"GET", "/subscriptions/" + testSub + "/providers/Microsoft.Fake/widgets/w1?" + version, "", nil, 404, "InvalidResourceType"},
		"unknown root":           {"GET", "/providers/x?" + version, "", nil, 404, "InvalidResourceNamespace"},
		"half a provider":        {"GET", group + "/providers?" + version, "", nil, 404, "NotFound"},
		"method on a list":       {"PUT", widgets + "?" + version, "{}", nil, 405, "HttpMethodNotSupported"},
		"method on a resource":   {"POST", widgets + "/w1?" + version, "{}", nil, 405, "HttpMethodNotSupported"},
		"method on an action":    {"GET", widgets + "/w1/poke?" + version, "", nil, 405, "HttpMethodNotSupported"},
		"method on an endpoint":  {"DELETE", "/subscriptions?" + version, "", nil, 405, "HttpMethodNotSupported"},
		"made-up method":         {"FROB", widgets + "/w1?" + version, "", nil, 405, "HttpMethodNotSupported"},
		"trace":                  {"TRACE", widgets + "/w1?" + version, "", nil, 405, "HttpMethodNotSupported"},
		"bad name":               {"PUT", widgets + "/w_1!?" + version, `{}`, nil, 400, "InvalidResourceName"},
		"bad group name":         {"PUT", "/subscriptions/" + testSub + "/resourceGroups/rg.?" + version, `{"location":"local"}`, nil, 400, "InvalidResourceGroup"},
		"long name":              {"PUT", widgets + "/" + long + "?" + version, `{}`, nil, 400, "InvalidRequestUri"},
		"empty segment":          {"GET", group + "//providers/Microsoft.Fake/widgets?" + version, "", nil, 400, "InvalidRequestUri"},
		"slash in a name":        {"GET", widgets + "/a%2Fb?" + version, "", nil, 400, "InvalidRequestUri"},
		"scope in a segment":     {"GET", "/" + url.PathEscape(group) + "/providers/Microsoft.Fake/widgets/w2?" + version, "", nil, 404, "ResourceNotFound"},
		"too much in a segment":  {"GET", "/" + url.PathEscape(group) + "%2F..?" + version, "", nil, 400, "InvalidRequestUri"},
		"zero byte":              {"GET", widgets + "/a%00?" + version, "", nil, 400, "InvalidRequestUri"},
		"not UTF-8":              {"GET", widgets + "/a%ff?" + version, "", nil, 400, "InvalidRequestUri"},
		"dots":                   {"GET", widgets + "/%2e%2e?" + version, "", nil, 400, "InvalidRequestUri"},
		"many segments":          {"GET", group + strings.Repeat("/x/y", 40) + "?" + version, "", nil, 400, "InvalidRequestUri"},
		"large body":             {"PUT", widgets + "/w2?" + version, big, nil, 413, "RequestContentTooLarge"},
		"deep body":              {"PUT", widgets + "/w2?" + version, deep, nil, 400, "InvalidRequestContent"},
		"empty body":             {"PUT", widgets + "/w2?" + version, "", nil, 400, "InvalidRequestContent"},
		"unknown property":       {"PUT", widgets + "/w2?" + version, `{"properties":{"colour":"red"}}`, nil, 400, "UnsupportedProperty"},
		"form":                   {"PUT", widgets + "/w2?" + version, "a=b", []string{"Content-Type", "application/x-www-form-urlencoded"}, 415, "UnsupportedMediaType"},
		"zipped":                 {"PUT", widgets + "/w2?" + version, "{}", []string{"Content-Encoding", "gzip"}, 415, "UnsupportedMediaType"},
		"other etag":             {"PUT", widgets + "/w1?" + version, "{}", []string{"If-Match", `"x"`}, 412, "PreconditionFailed"},
		"exists":                 {"PUT", widgets + "/w1?" + version, "{}", []string{"If-None-Match", "*"}, 412, "PreconditionFailed"},
		"panic":                  {"PUT", widgets + "/w2?" + version, `{"properties":{"size":-1}}`, nil, 500, "InternalServerError"},
		"inner error":            {"PUT", widgets + "/w2?" + version, `{"properties":{"size":-2}}`, nil, 500, "InternalServerError"},
		"bad top":                {"GET", widgets + "?$top=none&" + version, "", nil, 400, "InvalidTopParameter"},
		"negative top":           {"GET", widgets + "?$top=-1&" + version, "", nil, 400, "InvalidTopParameter"},
		"bad skip token":         {"GET", widgets + "?$skipToken=%21&" + version, "", nil, 400, "InvalidSkipToken"},
		"bad filter":             {"GET", "/subscriptions/" + testSub + "/resources?$filter=name&" + version, "", nil, 400, "InvalidFilterInQueryString"},
		"filter of a type":       {"GET", widgets + "?$filter=name%20eq%20'w'&" + version, "", nil, 400, "InvalidFilterInQueryString"},
		"filter of children":     {"GET", widgets + "/w1/parts?$filter=x&" + version, "", nil, 400, "InvalidFilterInQueryString"},
		"filter of an endpoint":  {"GET", "/subscriptions?$filter=x&" + version, "", nil, 400, "InvalidFilterInQueryString"},
		"any etag, among others": {"PUT", widgets + "/w1?" + version, "{}", []string{"If-None-Match", `"a", *`}, 412, "PreconditionFailed"},
		"unknown operation":      {"GET", "/subscriptions/" + testSub + "/operationresults/44444444-2222-3333-4444-555555555555?" + version, "", nil, 404, "NotFound"},
		"no operation id":        {"GET", "/subscriptions/" + testSub + "/operationresults/x?" + version, "", nil, 404, "NotFound"},
		"forged signature":       {"GET", widgets + "/w1/serialLog?se=99999999999&sig=eA", "", nil, 403, "AuthenticationFailed"},
		"bad signature":          {"GET", widgets + "/w1/serialLog?se=1&sig=%21", "", nil, 403, "AuthenticationFailed"},
		"log of no machine":      {"GET", widgets + "/w1/serialLog", "", nil, 404, "InvalidResourceType"},
		"metadata by POST":       {"POST", "/metadata/endpoints?" + version, "", nil, 405, "HttpMethodNotSupported"},
		"metadata of nothing":    {"GET", "/metadata/nothing?" + version, "", nil, 404, "NotFound"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c := *c
			c.t = t
			r := c.do(tt.method, tt.path, tt.body, tt.header...)
			if r.StatusCode != tt.status || r.code() != tt.code {
				t.Errorf("%s = %d %s (%s), want %d %s", tt.method, r.StatusCode, r.code(), r.body, tt.status, tt.code)
			}
			if r.Header.Get("X-Ms-Request-Id") == "" || r.Header.Get("X-Content-Type-Options") != "nosniff" {
				t.Errorf("headers = %v, want a request id and nosniff", r.Header)
			}
			if strings.Contains(string(r.body), "secret detail") {
				t.Errorf("body = %s, which tells inner errors", r.body)
			}
			if tt.status == 401 && !strings.Contains(r.Header.Get("Www-Authenticate"), c.URL+"/adfs") {
				t.Errorf("WWW-Authenticate = %q, want %s/adfs in it", r.Header.Get("Www-Authenticate"), c.URL)
			}
			if tt.status == 405 && r.Header.Get("Allow") == "" {
				t.Error("no Allow header")
			}
		})
	}
	if got := c.expect(200, "GET", widgets+"?"+version, "").json(t)["value"].([]any); len(got) != 1 {
		t.Errorf("after all refusals there are %d widgets, want the 1 of before", len(got))
	}
}

func TestRouting(t *testing.T) {
	c := withGroup(t)
	c.expect(201, "PUT", widgets+"/W1?"+version, `{"properties":{"size":0}}`)
	tests := map[string]struct {
		method, path string
		status       int
		has          string
	}{
		"get":                    {"GET", widgets + "/W1", 200, `"name":"W1"`},
		"first case is kept":     {"GET", widgets + "/w1", 200, widgets + "/W1"},
		"keywords in any case":   {"GET", strings.ToUpper(widgets) + "/W1", 200, widgets + "/W1"},
		"slash at the end":       {"GET", widgets + "/", 200, `"name":"W1"`},
		"two slashes in front":   {"GET", "/" + widgets, 200, `"name":"W1"`},
		"list in subscription":   {"GET", "/subscriptions/" + testSub + "/providers/microsoft.fake/WIDGETS", 200, `"name":"W1"`},
		"list of children":       {"GET", widgets + "/W1/parts", 200, `{"value":[]}`},
		"empty list":             {"GET", group + "/providers/Microsoft.Fake/tapes", 200, `{"value":[]}`},
		"head":                   {"HEAD", widgets + "/W1", 204, ""},
		"head of nothing":        {"HEAD", widgets + "/W2", 404, ""},
		"head of a group":        {"HEAD", group, 204, ""},
		"head of no group":       {"HEAD", group + "x", 404, ""},
		"delete nothing":         {"DELETE", widgets + "/W2", 204, ""},
		"action":                 {"POST", widgets + "/w1/PEEK", 200, `"location":"local"`},
		"group":                  {"GET", strings.ToLower(group), 200, `"id":"` + group + `"`},
		"groups":                 {"GET", "/subscriptions/" + testSub + "/resourcegroups", 200, `"name":"rg1"`},
		"subscriptions":          {"GET", "/SUBSCRIPTIONS", 200, testSub},
		"subscription":           {"GET", "/subscriptions/" + testSub, 200, `"state":"Enabled"`},
		"locations":              {"GET", "/subscriptions/" + testSub + "/locations", 200, `"displayName":"Local"`},
		"tenants":                {"GET", "/tenants", 200, testTenant},
		"providers":              {"GET", "/subscriptions/" + testSub + "/providers", 200, `"resourceType":"widgets/parts"`},
		"provider":               {"GET", "/subscriptions/" + testSub + "/providers/microsoft.resources", 200, `"resourceType":"resourceGroups"`},
		"register":               {"POST", "/subscriptions/" + testSub + "/providers/Microsoft.Fake/register", 200, `"registrationState":"Registered"`},
		"register the unknown":   {"POST", "/subscriptions/" + testSub + "/providers/Microsoft.Nothing/register", 404, "InvalidResourceNamespace"},
		"resources":              {"GET", "/subscriptions/" + testSub + "/resources", 200, `"type":"Microsoft.Fake/widgets"`},
		"resources of a group":   {"GET", group + "/resources", 200, `"name":"W1"`},
		"other tenant's is gone": {"HEAD", "/subscriptions/" + otherSub + "/resourceGroups/rg1", 404, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c := *c
			c.t = t
			r := c.expect(tt.status, tt.method, tt.path+"?Api-Version=2015-01-01-preview", "")
			if !strings.Contains(string(r.body), tt.has) {
				t.Errorf("body = %s, want %s in it", r.body, tt.has)
			}
			if strings.Contains(string(r.body), otherSub) {
				t.Errorf("body = %s, which shows another tenant's subscription", r.body)
			}
		})
	}
}

func TestHeaders(t *testing.T) {
	c := withGroup(t)
	r := c.expect(201, "PUT", widgets+"/w1?"+version, `{"properties":{"size":0}}`, "X-Ms-Correlation-Request-Id", "abc", "X-Ms-Client-Request-Id", "def", "X-Ms-Return-Client-Request-Id", "true")
	etag := r.Header.Get("Etag")
	if etag == "" || etag != r.json(t)["etag"] {
		t.Errorf("ETag = %q, in the body %q; want the same", etag, r.json(t)["etag"])
	}
	for name, want := range map[string]string{
		"X-Ms-Correlation-Request-Id": "abc", "X-Ms-Client-Request-Id": "def", "Cache-Control": "no-cache",
		"Content-Type": "application/json; charset=utf-8",
	} {
		if got := r.Header.Get(name); got != want {
			t.Errorf("%s = %q, want %q", name, got, want)
		}
	}
	if got := c.expect(200, "GET", widgets+"/w1?"+version, "").Header.Get("Etag"); got != etag {
		t.Errorf("ETag of the GET = %q, want that of the PUT, %q", got, etag)
	}
	c.expect(200, "PUT", widgets+"/w1?"+version, `{"tags":{"a":"b"}}`, "If-Match", etag)
	c.expect(412, "PUT", widgets+"/w1?"+version, `{"tags":{"a":"c"}}`, "If-Match", etag)
	c.expect(412, "DELETE", widgets+"/w1?"+version, ``, "If-Match", etag)
}

func TestPatch(t *testing.T) {
	c := withGroup(t)
	c.expect(201, "PUT", widgets+"/w1?"+version, `{"tags":{"a":"1","b":"2"}}`)
	r := c.expect(200, "PATCH", widgets+"/w1?"+version, `{"Tags":{"c":"3"}}`)
	if tags := r.json(t)["tags"].(map[string]any); len(tags) != 1 || tags["c"] != "3" {
		t.Errorf("tags = %v, want the patch's only", tags)
	}
	r = c.expect(200, "PATCH", group+"?"+version, `{"tags":{"x":"y"}}`)
	if got := r.json(t); got["location"] != "local" || got["id"] != group {
		t.Errorf("group = %v, want its location and id kept", got)
	}
	if r := c.do("PATCH", group+"?"+version, `{"location":"elsewhere"}`); r.StatusCode != 409 {
		t.Errorf("moving a group = %d %s, want 409", r.StatusCode, r.body)
	}
}

func TestPaging(t *testing.T) {
	c := withGroup(t)
	want := []string{"w1", "w2", "w3", "w4", "w5"}
	for _, n := range want {
		c.expect(201, "PUT", widgets+"/"+n+"?"+version, `{}`)
	}
	for name, first := range map[string]string{
		"of a type": widgets + "?$top=2&" + version,
		"of all":    group + "/resources?$top=2&$expand=provisioningState,createdTime&" + version,
	} {
		t.Run(name, func(t *testing.T) {
			c := *c
			c.t = t
			var got []string
			pages := 0
			for next := first; next != ""; pages++ {
				var p struct {
					Value    []struct{ Name string }
					NextLink string
				}
				if err := json.Unmarshal(c.expect(200, "GET", next, "").body, &p); err != nil {
					t.Fatal(err)
				}
				for _, v := range p.Value {
					got = append(got, v.Name)
				}
				if next = p.NextLink; next != "" && !strings.HasPrefix(next, c.URL) {
					t.Fatalf("nextLink = %s, want it to begin with %s", next, c.URL)
				}
			}
			if strings.Join(got, " ") != strings.Join(want, " ") || pages < 3 {
				t.Errorf("%d pages with %v, want 3 with %v", pages, got, want)
			}
		})
	}
	forged := base64.RawURLEncoding.EncodeToString([]byte("../../../operation"))
	next := c.expect(200, "GET", widgets+"?$top=2&"+version, "").json(t)["nextLink"].(string)
	_, elsewhere, _ := strings.Cut(next, "?")
	for name, path := range map[string]string{
		"forged":            widgets + "?$skipToken=" + forged + "&" + version,
		"forged, of all":    group + "/resources?$skipToken=" + forged + "&" + version,
		"forged, one page":  "/subscriptions?$skipToken=" + forged + "&" + version,
		"of another list":   group + "/resources?" + elsewhere,
		"of another widget": strings.Replace(next, "skiptoken=", "skiptoken=A", 1),
	} {
		if r := c.do("GET", path, ""); r.StatusCode != 400 || r.code() != "InvalidSkipToken" {
			t.Errorf("a token that is %s = %d %s, want 400 InvalidSkipToken", name, r.StatusCode, r.body)
		}
	}
	c.expect(200, "GET", strings.Replace(next, "/widgets", "/Widgets", 1), "")
}

func TestFilters(t *testing.T) {
	c := withGroup(t)
	c.expect(201, "PUT", strings.Replace(group, "rg1", "rg2", 1)+"?"+version, `{"location":"local","tags":{"env":"prod"}}`)
	c.expect(201, "PUT", widgets+"/w1?"+version, `{"tags":{"env":"prod"}}`)
	c.expect(202, "PUT", group+"/providers/Microsoft.Fake/tapes/t1?"+version, `{"tags":{"env":"test"}}`)
	all := "/subscriptions/" + testSub + "/resources"
	groups := "/subscriptions/" + testSub + "/resourcegroups"
	tests := map[string]struct{ path, filter, want string }{
		"none":                {all, "", "w1 t1"},
		"group":               {all, "resourceGroup eq 'RG1'", "w1 t1"},
		"empty group":         {all, "resourceGroup eq 'rg2'", ""},
		"type":                {all, "resourceType eq 'microsoft.fake/Tapes'", "t1"},
		"name and type":       {all, "name eq 'w1' and resourceType eq 'Microsoft.Fake/widgets'", "w1"},
		"name of other type":  {all, "name eq 'w1' AND resourceType eq 'Microsoft.Fake/tapes'", ""},
		"tag":                 {all, "tagName eq 'ENV'", "w1 t1"},
		"tag and value":       {all, "tagName eq 'env' and tagValue eq 'test'", "t1"},
		"value":               {all, "tagValue eq 'prod'", "w1"},
		"location":            {all, "location eq 'Local'", "w1 t1"},
		"quote":               {all, "name eq 'it''s'", ""},
		"groups by tag":       {groups, "tagName eq 'env' and tagValue eq 'prod'", "rg2"},
		"groups by other tag": {groups, "tagName eq 'env' and tagValue eq 'x'", ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c := *c
			c.t = t
			var p struct{ Value []struct{ Name string } }
			path := tt.path + "?" + version + "&$filter=" + url.QueryEscape(tt.filter)
			if err := json.Unmarshal(c.expect(200, "GET", path, "").body, &p); err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, v := range p.Value {
				got = append(got, v.Name)
			}
			if strings.Join(got, " ") != tt.want {
				t.Errorf("found %v, want %s", got, tt.want)
			}
		})
	}
}

func TestMetadata(t *testing.T) {
	c := newCloud(t)
	get := func(v string) []byte {
		return c.expect(200, "GET", "/metadata/endpoints?api-version="+v, "", "Authorization", "").body
	}
	var flat struct {
		Authentication struct {
			LoginEndpoint string
			Audiences     []string
		}
	}
	if err := json.Unmarshal(get("2015-01-01"), &flat); err != nil || flat.Authentication.LoginEndpoint != c.URL+"/adfs" || flat.Authentication.Audiences[0] != c.URL+"/" {
		t.Errorf("2015-01-01 = %+v, %v", flat, err)
	}
	var object map[string]any
	if err := json.Unmarshal(get("2022-09-01"), &object); err != nil {
		t.Fatal(err)
	}
	auth := object["authentication"].(map[string]any)
	if object["resourceManager"] != c.URL+"/" || object["name"] == "" || auth["identityProvider"] != "AAD" || auth["tenant"] != "common" || object["suffixes"] == nil {
		t.Errorf("2022-09-01 = %v", object)
	}
	var list []map[string]any
	if err := json.Unmarshal(get("2019-05-01"), &list); err != nil || len(list) != 1 {
		t.Errorf("2019-05-01 = %v, %v; want a list of one", list, err)
	}
	if r := c.do("GET", "/metadata/endpoints", ""); r.code() != "MissingApiVersionParameter" {
		t.Errorf("without a version = %s", r.body)
	}
}

func TestBadHost(t *testing.T) {
	c := newCloud(t)
	r, err := http.NewRequestWithContext(t.Context(), "GET", c.URL+"/metadata/endpoints?"+version, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Host = `evil" host`
	resp, err := c.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != 400 {
		t.Errorf("a bad Host = %d, want 400", resp.StatusCode)
	}
}

func TestDeletingGroupTakesNothingNew(t *testing.T) {
	c := withGroup(t)
	c.expect(201, "PUT", widgets+"/w1?"+version, `{}`)
	c.expect(202, "DELETE", group+"?"+version, "")
	for name, r := range map[string]reply{
		"put":        c.do("PUT", widgets+"/w2?"+version, `{}`),
		"patch":      c.do("PATCH", widgets+"/w1?"+version, `{}`),
		"action":     c.do("POST", widgets+"/w1/poke?"+version, ``),
		"group":      c.do("PUT", group+"?"+version, `{"location":"local"}`),
		"with a typ": c.do("PUT", strings.ToUpper(widgets)+"/w3?"+version, `{}`),
	} {
		if r.StatusCode != 409 {
			t.Errorf("%s in a group that is being deleted = %d %s, want 409", name, r.StatusCode, r.body)
		}
	}
	if got := c.expect(200, "GET", group+"?"+version, "").json(t)["properties"].(map[string]any)["provisioningState"]; got != "Deleting" {
		t.Errorf("provisioningState = %v, want Deleting", got)
	}
	c.expect(200, "GET", widgets+"/w1?"+version, "")
	c.finish(arm.Conflict("X", "over"), nil)
}
