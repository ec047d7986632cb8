package oauth

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"lazuli/internal/identity"
)

const offlineAccess = "offline_access"

// userGrant logs a user in, with a program that keeps no secret.
func (h *Handler) userGrant(r *http.Request, form url.Values, kind string) (*grant, error) {
	a, err := newAsk(r, form)
	if err != nil {
		return nil, err
	}
	if kind != deviceGrant { // which has said before what it is for
		if a.Audience, err = audience(form); err != nil {
			return nil, err
		}
	}
	var g *identity.Grant
	switch kind {
	case passwordGrant:
		g, err = h.passwordGrant(r, form, a)
	case refreshGrant:
		g, err = h.refreshGrant(r, form, a)
	case codeGrant:
		g, err = h.codeGrant(r, form, a)
	case deviceGrant:
		g, err = h.deviceGrant(r, form, a)
	}
	if err != nil {
		return nil, refused(err, a.ClientID, a.Audience)
	}
	return showUser(g, form), nil
}

func newAsk(r *http.Request, form url.Values) (identity.Ask, error) {
	a := identity.Ask{ClientID: form.Get("client_id"), Host: r.Host, Remote: remoteAddress(r)}
	if a.ClientID == "" {
		return a, missing("client_id")
	}
	// Version 1 has no scopes, and always gives a refresh token.
	a.Offline = !form.Has("scope") || slices.Contains(strings.Fields(form.Get("scope")), offlineAccess)
	return a, nil
}

func (h *Handler) passwordGrant(r *http.Request, form url.Values, a identity.Ask) (*identity.Grant, error) {
	if form.Get("username") == "" {
		return nil, missing("username")
	}
	if form.Get("password") == "" {
		return nil, missing("password")
	}
	return h.Identity.Password(r.Context(), a, form.Get("username"), form.Get("password"))
}

func (h *Handler) refreshGrant(r *http.Request, form url.Values, a identity.Ask) (*identity.Grant, error) {
	if form.Get("refresh_token") == "" {
		return nil, missing("refresh_token")
	}
	return h.Identity.Refresh(r.Context(), a, form.Get("refresh_token"))
}

func (h *Handler) codeGrant(r *http.Request, form url.Values, a identity.Ask) (*identity.Grant, error) {
	for _, name := range []string{"code", "redirect_uri", "code_verifier"} {
		if form.Get(name) == "" {
			return nil, missing(name)
		}
	}
	return h.Identity.Redeem(r.Context(), a, form.Get("code"), form.Get("redirect_uri"), form.Get("code_verifier"))
}

func (h *Handler) deviceGrant(r *http.Request, form url.Values, a identity.Ask) (*identity.Grant, error) {
	code := form.Get("device_code")
	if code == "" {
		code = form.Get("code") // version 1
	}
	if code == "" {
		return nil, missing("device_code")
	}
	return h.Identity.PollDevice(r.Context(), a, code)
}

// showUser is the answer for a user. The scope is what was asked for: MSAL
// takes what is missing of it for declined.
func showUser(g *identity.Grant, form url.Values) *grant {
	out := newGrant(g.Token, form)
	out.Scope = strings.Join(strings.Fields(form.Get("scope")), " ")
	out.RefreshToken, out.IDToken = g.Refresh, g.IDToken
	out.ClientInfo = clientInfo(g.User)
	return out
}

// clientInfo is how MSAL tells accounts apart.
func clientInfo(p *identity.Principal) string {
	b, err := json.Marshal(map[string]string{"uid": p.ObjectID, "utid": p.TenantID})
	if err != nil {
		panic(err) // strings always marshal
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

// userRealm answers MSAL's question where a user's password is checked: here.
// It does not say whether there is such a user.
func (h *Handler) userRealm(r *http.Request, name string) (any, error) {
	_, domain, _ := strings.Cut(name, "@")
	return map[string]string{
		"ver": "1.0", "account_type": "Managed", "domain_name": domain,
		"cloud_instance_name": r.Host, "cloud_audience_urn": "urn:federation:" + h.Identity.TenantID,
	}, nil
}
