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
	return &failure{status: http.StatusBadRequest, Code: "unsupported_grant_type", Description: fmt.Sprintf("The grant type '%.100s' is not supported by this cloud. Log in as a service principal.", kind), Codes: []int{70003}}
}

func unknownTenant(tenant string) *failure {
	return &failure{status: http.StatusBadRequest, Code: "invalid_tenant", Description: fmt.Sprintf("Tenant '%.100s' not found.", tenant), Codes: []int{90002}}
}

// refused is the failure for an error of a login.
func refused(err error, clientID, audience string) error {
	switch {
	case errors.Is(err, identity.ErrUnknownClient):
		return &failure{status: http.StatusBadRequest, Code: "unauthorized_client", Description: fmt.Sprintf("Application with identifier '%.100s' was not found in the directory.", clientID), Codes: []int{700016}}
	case errors.Is(err, identity.ErrWrongSecret):
		return &failure{status: http.StatusUnauthorized, Code: "invalid_client", Description: fmt.Sprintf("Invalid client secret provided for app '%.100s'.", strings.ToLower(clientID)), Codes: []int{7000215}}
	case errors.Is(err, identity.ErrThrottled):
		return &failure{status: http.StatusTooManyRequests, Code: "temporarily_unavailable", Description: "There were too many failed logins. Wait a little and try again.", Codes: []int{50053}}
	case errors.Is(err, identity.ErrWrongAudience):
		return &failure{status: http.StatusBadRequest, Code: "invalid_resource", Description: fmt.Sprintf("The resource principal named '%.100s' was not found in the tenant.", audience), Codes: []int{500011}}
	}
	return err
}
