package activity

import (
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"time"

	"lazuli/internal/arm"
)

// word is a word with what people read for it.
type word struct {
	Value     string `json:"value"`
	Localized string `json:"localizedValue"`
}

func said(s string) word { return word{s, s} }

// body is an event as it is shown.
type body struct {
	Authorization        authorization     `json:"authorization"`
	Caller               string            `json:"caller"`
	Category             word              `json:"category"`
	Claims               map[string]string `json:"claims"`
	CorrelationID        string            `json:"correlationId"`
	Description          string            `json:"description"`
	EventDataID          string            `json:"eventDataId"`
	EventName            word              `json:"eventName"`
	EventTimestamp       time.Time         `json:"eventTimestamp"`
	HTTPRequest          *httpRequest      `json:"httpRequest,omitempty"`
	ID                   string            `json:"id"`
	Level                string            `json:"level"`
	OperationID          string            `json:"operationId"`
	OperationName        word              `json:"operationName"`
	Properties           map[string]string `json:"properties"`
	ResourceGroupName    string            `json:"resourceGroupName"`
	ResourceID           string            `json:"resourceId"`
	ResourceProviderName word              `json:"resourceProviderName"`
	ResourceType         word              `json:"resourceType"`
	Status               word              `json:"status"`
	SubStatus            word              `json:"subStatus"`
	SubmissionTimestamp  time.Time         `json:"submissionTimestamp"`
	SubscriptionID       string            `json:"subscriptionId"`
	TenantID             string            `json:"tenantId"`
}

type authorization struct {
	Action string `json:"action"`
	Scope  string `json:"scope"`
}

type httpRequest struct {
	ClientRequestID string `json:"clientRequestId"`
	ClientIPAddress string `json:"clientIpAddress"`
	Method          string `json:"method"`
	URI             string `json:"uri"`
}

// subStatuses are Azure's words for the statuses of replies.
var subStatuses = map[int]word{
	200: {"OK", "OK (HTTP Status Code: 200)"}, 201: {"Created", "Created (HTTP Status Code: 201)"},
	202: {"Accepted", "Accepted (HTTP Status Code: 202)"}, 204: {"NoContent", "No Content (HTTP Status Code: 204)"},
	400: {"BadRequest", "Bad Request (HTTP Status Code: 400)"}, 403: {"Forbidden", "Forbidden (HTTP Status Code: 403)"},
	404: {"NotFound", "Not Found (HTTP Status Code: 404)"}, 409: {"Conflict", "Conflict (HTTP Status Code: 409)"},
	412: {"PreconditionFailed", "Precondition Failed (HTTP Status Code: 412)"}, 429: {"TooManyRequests", "Too Many Requests (HTTP Status Code: 429)"},
	500: {"InternalServerError", "Internal Server Error (HTTP Status Code: 500)"}, 503: {"ServiceUnavailable", "Service Unavailable (HTTP Status Code: 503)"},
}

// show is what is shown of an event: how it ended and, before that, that it
// began.
func show(e *arm.Event) []body {
	end := showOne(e, e.At, "EndRequest", string(e.Status), e.ID)
	end.SubStatus = said("")
	if e.HTTP != 0 {
		end.SubStatus = said(fmt.Sprint(e.HTTP))
		if w, ok := subStatuses[e.HTTP]; ok {
			end.SubStatus = w
		}
		end.Properties["statusCode"] = end.SubStatus.Value
	}
	if e.Code != "" {
		end.Level, end.Properties["code"] = "Error", e.Code
	}
	if e.Began.IsZero() {
		return []body{end}
	}
	return []body{end, showOne(e, e.Began, "BeginRequest", "Started", e.ID+"-0")}
}

func showOne(e *arm.Event, at time.Time, name, status, id string) body {
	scope, _ := arm.ParseID(e.Scope) // "/" is no ID, and the zero one is right for it
	b := body{
		Authorization: authorization{e.Action, e.Scope}, Caller: e.Principal.Client(), Category: said("Administrative"), Claims: claims(e.Principal, e.Address),
		CorrelationID: e.Correlation, EventDataID: id, EventName: word{name, eventNames[name]}, EventTimestamp: at.UTC(),
		ID: strings.TrimSuffix(e.Scope, "/") + "/events/" + id + "/ticks/" + fmt.Sprint(ticks(at)), Level: "Informational",
		OperationID: e.Operation, OperationName: said(e.Action), Properties: maps.Clone(e.Details),
		ResourceGroupName: scope.ResourceGroup, ResourceID: e.Scope, Status: said(status), SubStatus: said(""),
		SubmissionTimestamp: at.UTC(), SubscriptionID: scope.Subscription, TenantID: e.Principal.TenantID,
	}
	if b.Properties == nil {
		b.Properties = map[string]string{}
	}
	typ := scope.Type()
	if typ == "" {
		typ = "Microsoft.Resources/subscriptions"
		if scope.ResourceGroup != "" {
			typ += "/resourceGroups"
		}
	}
	namespace, _, _ := strings.Cut(typ, "/")
	b.ResourceType, b.ResourceProviderName = said(typ), said(namespace)
	if e.Method != "" {
		b.HTTPRequest = &httpRequest{e.ClientRequest, e.Address, e.Method, e.URI}
	}
	return b
}

var eventNames = map[string]string{"BeginRequest": "Begin request", "EndRequest": "End request"}

// claims are what a token says of its bearer, under the names that they have
// there.
func claims(p arm.Principal, address string) map[string]string {
	m := map[string]string{
		"appid": p.AppID, "ipaddr": address, "name": p.Name,
		"http://schemas.microsoft.com/identity/claims/objectidentifier": p.ObjectID,
		"http://schemas.microsoft.com/identity/claims/tenantid":         p.TenantID,
		"http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn":     p.UserName,
	}
	maps.DeleteFunc(m, func(_, v string) bool { return v == "" })
	return m
}

// ticks are what .NET counts: tenths of microseconds since the year 1.
func ticks(t time.Time) int64 {
	const unixEpoch = 621355968000000000
	return t.UnixNano()/100 + unixEpoch
}

// choose is the body with only the fields of a $select, which has them between
// commas; "" is all.
func (b *body) choose(fields string) (any, error) {
	if strings.TrimSpace(fields) == "" {
		return b, nil
	}
	raw, err := json.Marshal(b)
	if err != nil {
		return nil, err
	}
	all, chosen := map[string]json.RawMessage{}, map[string]json.RawMessage{}
	if err := json.Unmarshal(raw, &all); err != nil {
		return nil, err
	}
	for name := range strings.SplitSeq(fields, ",") {
		for known, value := range all {
			if strings.EqualFold(strings.TrimSpace(name), known) {
				chosen[known] = value
			}
		}
	}
	return chosen, nil
}
