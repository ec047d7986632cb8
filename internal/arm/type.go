package arm

import (
	"cmp"
	"context"
	"net/url"
	"regexp"
	"time"

	"lazuli/internal/store"
)

// Type says how one resource type behaves. The router, the providers API and
// the tests are all made from the table of these.
type Type struct {
	Name  string // "Microsoft.Network/virtualNetworks/subnets"
	Names NameRule
	// Scopes says where resources of the type lie; zero is in a group.
	Scopes Scopes
	// Tracked resources have a location and tags. Others are children.
	Tracked bool
	// Created and Updated are the statuses of PUT: what Azure's clients accept
	// differs by type (201 is an error for a disk). Zero: the type has no PUT.
	Created, Updated int
	// Verbs are what can be done to its resources; zero is everything.
	Verbs Verbs
	// Polling is how clients follow operations on its resources.
	Polling Polling
	// Provider carries out the verbs.
	Provider Provider
	// Filters says that List honours the query's $filter. Of other types the API
	// refuses it: a list with more in it than was asked for would be taken for
	// what was asked for.
	Filters bool
	// Expands are the values of $expand that Get and List honour, or that ask
	// for what is shown always. Others are refused, for the same reason.
	Expands []string
	// Actions are the POSTs on a resource, by name: "powerOff".
	Actions map[string]Action
	// Polled is the name below a resource under which its operations are asked
	// for, where Azure has them there: "operationStatuses". They are Running
	// then, where others are InProgress.
	Polled string
	// Answers are the statuses of actions that are done at once and do not
	// answer 200.
	Answers map[string]int
	// APIVersions are listed by the providers API, newest first. Requests with
	// others are served all the same.
	APIVersions []string
}

// Scopes is a set of places that resources of a type lie in or are on.
type Scopes uint8

// The places. Extension resources, like locks, are on what has an ID of its own.
const (
	InGroup Scopes = 1 << iota
	InSubscription
	OnResource
)

// Lies says whether a resource of the type may have the ID, as to its place.
func (t *Type) Lies(id ID) bool {
	place := InSubscription
	switch {
	case id.On != nil:
		place = OnResource
	case id.ResourceGroup != "":
		place = InGroup
	}
	if t.Scopes == 0 {
		return place == InGroup
	}
	return t.Scopes&place != 0
}

// NameRule says which names a type takes.
type NameRule struct {
	Pattern *regexp.Regexp
	Hint    string // "1 to 80 letters, digits, '_', '.' and '-', …"
	// Code is that of the error for other names; "" for InvalidResourceName.
	Code string
}

// Call is one request to a provider. Everything that a provider does, it does
// in Tx, which may be run more than once: it must have no effect beyond it.
type Call struct {
	Tx store.Tx
	// Store is for Page only.
	Store store.Store
	// ID of the resource. Its case is the client's.
	ID ID
	// Group is the resource group's location, for defaults.
	GroupLocation string
	Query         url.Values // without api-version
	// Body is the client's, for Endpoints; others have it as an argument.
	Body []byte
	// After and Limit say which Page an Endpoint that lists is asked for.
	After string
	Limit int
	// IfMatch and IfNoneMatch are the headers, "" when absent.
	IfMatch, IfNoneMatch string
	Principal            Principal
	// Rights are what the principal's are looked up in; nil for the cloud
	// itself. Action is what it does: "Microsoft.Compute/disks/write".
	Rights Rights
	Action string
	Now    time.Time
	// NewID makes a GUID. It gives the same ones when the transaction is run
	// again.
	NewID func() string
	// SignURL makes an absolute URL, for a path below the API's endpoint, that
	// works without a token for ttl. It is about the resource with the UID: not
	// about one that is made later under the same name.
	SignURL func(path, uid string, ttl time.Duration) string
}

// Kinds of principals, in the words of a role assignment's principalType.
const (
	KindUser             = "User"
	KindServicePrincipal = "ServicePrincipal"
)

// Principal is who makes a request.
type Principal struct {
	Kind     string `json:"kind,omitempty"`     // KindUser or KindServicePrincipal
	ObjectID string `json:"objectId,omitempty"` // GUID; what rights are given to
	// AppID is the client: of a service principal its own, of a user the
	// program that the user logged in with.
	AppID    string `json:"appId,omitempty"`
	TenantID string `json:"tenantId,omitempty"`
	Name     string `json:"name,omitempty"` // for people to read
	// UserName is what a user logs in as, "alice@example.org"; "" for others.
	UserName string `json:"userName,omitempty"`
	// Admin principals administer the directory: users, service principals,
	// subscriptions.
	Admin bool `json:"admin,omitempty"`
}

// Result is the answer to a request. With an operation the reply is
// asynchronous.
type Result struct {
	// Body is the reply's JSON; nil for none.
	Body      any
	ETag      string
	Created   bool // a PUT that made the resource
	Operation *Operation
	// Account is what the activity log tells beside who did what; no secrets.
	Account map[string]string
}

// Page is the Body of a list that an Endpoint answers in pages: up to the
// call's Limit items after its After, and the token of what follows, "" at the
// end.
type Page struct {
	Items []any
	Next  string
}

// Provider carries out the verbs of one resource type. Bodies are the
// client's bytes, at most the API's limit long: read them with Decode. Errors
// are *Error; others become a 500.
type Provider interface {
	Get(ctx context.Context, c *Call) (Result, error)
	// List returns a page of the resources in scope: a group, a subscription,
	// or for children their parent. It begins after the token after and
	// returns the next page's token, "" at the end.
	List(ctx context.Context, c *Call, scope ID, after string, limit int) (items []any, next string, err error)
	Put(ctx context.Context, c *Call, body []byte) (Result, error)
	Patch(ctx context.Context, c *Call, body []byte) (Result, error)
	// Delete of what does not exist returns NotFound; the API makes a 204 of it.
	Delete(ctx context.Context, c *Call) (Result, error)
}

// Action is a POST on a resource.
type Action func(ctx context.Context, c *Call, body []byte) (Result, error)

// Endpoint is something that is not a resource: the list of sizes of a
// location, say.
type Endpoint struct {
	Method string
	// Path is below the API's root, with {names}; it matches without regard to
	// case: "/subscriptions/{subscription}/providers/Microsoft.Compute/locations/{location}/vmSizes".
	Path string
	// Action is the right that it takes to call the endpoint; "" is that of
	// ActionAt. Reach says where one has to have it.
	Action string
	Reach  Reach
	// Filters says that the endpoint honours the query's $filter.
	Filters bool
	Handle  func(ctx context.Context, c *Call, vars map[string]string) (Result, error)
}

// Reach says where one needs the right to call an endpoint.
type Reach uint8

// The reaches. What tells the same to everybody, like the list of sizes, is for
// all who have the right somewhere in the subscription. What is for anyone shows
// everyone what he has a right to see.
const (
	AtScope Reach = iota
	WithinScope
	Anyone
)

// Check says whether name is a good one for the type.
func (r NameRule) Check(name string) error {
	if r.Pattern != nil && !r.Pattern.MatchString(name) {
		return BadRequest(cmp.Or(r.Code, "InvalidResourceName"), "The name '%s' is not valid: it must be %s.", name, r.Hint)
	}
	return nil
}
