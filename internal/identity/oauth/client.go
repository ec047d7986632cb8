package oauth

import (
	"errors"
	"net/http"
	"net/url"

	"lazuli/internal/identity"
)

// assertionType is RFC 7523's for a token that a client shows for a secret.
const assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

// clientGrant logs a service principal in.
func (h *Handler) clientGrant(r *http.Request, form url.Values) (*grant, error) {
	id, secret, err := credentials(r, form)
	if err != nil {
		return nil, err
	}
	audience, err := audience(form)
	if err != nil {
		return nil, err
	}
	var t identity.Token
	if form.Has("client_assertion") {
		t, err = h.Identity.LoginAssertion(r.Context(), id, form.Get("client_assertion"), audience, r.Host)
	} else {
		t, err = h.Identity.Login(r.Context(), id, secret, audience, r.Host, remoteAddress(r))
	}
	if errors.Is(err, identity.ErrNoKeys) {
		h.Logger.Warn("no keys of an issuer", "client", id, "err", err)
	}
	if err != nil {
		return nil, refused(err, id, audience)
	}
	return newGrant(t, form), nil
}

// credentials come in the form, or by basic authentication.
func credentials(r *http.Request, form url.Values) (id, secret string, err error) {
	id, secret = form.Get("client_id"), form.Get("client_secret")
	if user, password, ok := r.BasicAuth(); ok && secret == "" {
		// RFC 6749, 2.3.1: both are form-encoded first.
		if id, err = url.QueryUnescape(user); err != nil {
			return "", "", invalidRequest("The Authorization header is not valid.")
		}
		if secret, err = url.QueryUnescape(password); err != nil {
			return "", "", invalidRequest("The Authorization header is not valid.")
		}
	}
	if id == "" {
		return "", "", missing("client_id")
	}
	if form.Has("client_assertion") {
		if t := form.Get("client_assertion_type"); t != assertionType {
			return "", "", invalidRequest("The client_assertion_type must be '%s'.", assertionType)
		}
		return id, "", nil
	}
	if secret == "" {
		return "", "", &failure{status: http.StatusUnauthorized, Code: "invalid_client", Description: "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.", Codes: []int{7000218}}
	}
	return id, secret, nil
}
