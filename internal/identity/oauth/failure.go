package oauth

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"

	"lazuli/internal/identity"
)

// failure is an error in the form that Active Directory gives it: clients look
// for the number in the description.
type failure struct {
	status      int
	Code        string `json:"error"`
	Description string `json:"error_description"`
	Codes       []int  `json:"error_codes"`
	Timestamp   string `json:"timestamp"`
	TraceID     string `json:"trace_id"`
	Correlation string `json:"correlation_id"`
}

func (f *failure) Error() string { return f.Code + ": " + f.Description }

func fail(w http.ResponseWriter, f *failure) {
	f.Description = fmt.Sprintf("AADSTS%d: %s", f.Codes[0], f.Description)
	f.Timestamp = time.Now().UTC().Format("2006-01-02 15:04:05Z")
	f.TraceID, f.Correlation = uuid.NewString(), uuid.NewString()
	if f.status == http.StatusTooManyRequests {
		w.Header().Set("Retry-After", "5")
	}
	reply(w, f.status, f)
}

func invalidRequest(format string, a ...any) *failure {
	return &failure{status: http.StatusBadRequest, Code: "invalid_request", Description: fmt.Sprintf(format, a...), Codes: []int{90100}}
}

func missing(parameter string) *failure {
	return &failure{status: http.StatusBadRequest, Code: "invalid_request", Description: fmt.Sprintf("The request body must contain the following parameter: '%s'.", parameter), Codes: []int{900144}}
}

func unsupportedGrant(kind string) *failure {
	return &failure{status: http.StatusBadRequest, Code: "unsupported_grant_type", Description: fmt.Sprintf("The grant type '%.100s' is not supported by this cloud.", kind), Codes: []int{70003}}
}

func unknownTenant(tenant string) *failure {
	return &failure{status: http.StatusBadRequest, Code: "invalid_tenant", Description: fmt.Sprintf("Tenant '%.100s' not found.", tenant), Codes: []int{90002}}
}

// refusal is how Active Directory words an error of a login. {client} and {audience} in
// its text are replaced.
type refusal struct {
	err    error
	status int
	code   string
	number int
	text   string
}

var refusals = []refusal{
	{identity.ErrUnknownClient, 400, "unauthorized_client", 700016, "Application with identifier '{client}' was not found in the directory."},
	{identity.ErrDisabledClient, 400, "unauthorized_client", 7000112, "Application '{client}' is disabled."},
	{identity.ErrWrongSecret, 401, "invalid_client", 7000215, "Invalid client secret provided for app '{client}'."},
	{identity.ErrExpiredSecret, 401, "invalid_client", 7000222, "The provided client secret keys for app '{client}' are expired. Create a new secret for the app and log in with that."},
	{identity.ErrBadAssertion, 401, "invalid_client", 700027, "The client assertion is not one that an issuer has signed which this cloud trusts. Certificates of clients are not supported."},
	{identity.ErrLateAssertion, 401, "invalid_client", 700024, "Client assertion is not within its valid time range."},
	{identity.ErrNoKeys, 401, "invalid_client", 50166, "The keys of the issuer of the client assertion could not be fetched; the server's log says more."},
	{identity.ErrForeignIssuer, 401, "invalid_client", 700211, "No matching federated identity record found for presented assertion issuer of app '{client}'."},
	{identity.ErrForeignAudience, 401, "invalid_client", 700212, "No matching federated identity record found for presented assertion audience of app '{client}'."},
	{identity.ErrForeignSubject, 401, "invalid_client", 700213, "No matching federated identity record found for presented assertion subject of app '{client}'."},
	{identity.ErrThrottled, 429, "temporarily_unavailable", 50053, "There were too many failed logins. Wait a little and try again."},
	{identity.ErrTooMany, 429, "temporarily_unavailable", 90055, "There are too many logins that wait for their code. Wait a little and try again."},
	{identity.ErrWrongAudience, 400, "invalid_resource", 500011, "The resource principal named '{audience}' was not found in the tenant."},
	{identity.ErrWrongPassword, 400, invalidGrant, 50126, "Error validating credentials due to invalid username or password."},
	{identity.ErrDisabledUser, 400, invalidGrant, 50057, "The user account is disabled."},
	{identity.ErrBadGrant, 400, invalidGrant, 70008, "The provided authorization code or refresh token has expired, was used already, or is another client's. Log in again."},
	{identity.ErrRevoked, 400, invalidGrant, 50173, "The provided grant has been revoked, and a fresh login is needed. The user may have changed or reset the password."},
	{identity.ErrBadPKCE, 400, invalidGrant, 501481, "The code_verifier does not match the code_challenge of the authorization request."},
	{identity.ErrBadRedirect, 400, "invalid_request", 50011, "The redirect URI '{client}' is not allowed: it must be http://localhost, with any port."},
	{identity.ErrPending, 400, "authorization_pending", 70016, "Authorization is pending. Continue polling."},
	{identity.ErrSlowDown, 400, "slow_down", 70016, "Polling is too quick. Wait as long as the interval says."},
	{identity.ErrExpiredCode, 400, "expired_token", 70019, "The device code has expired, or was used already. Log in again."},
}

const invalidGrant = "invalid_grant"

// refused is the failure for an error of a login.
func refused(err error, clientID, audience string) error {
	for _, r := range refusals {
		if errors.Is(err, r.err) {
			text := strings.NewReplacer("{client}", shorten(clientID), "{audience}", shorten(audience)).Replace(r.text)
			return &failure{status: r.status, Code: r.code, Description: text, Codes: []int{r.number}}
		}
	}
	return err
}

// shorten is as much as a message repeats of what a client sent.
func shorten(s string) string {
	const limit = 100
	if len(s) <= limit {
		return s
	}
	return strings.ToValidUTF8(s[:limit], "")
}
