package oauth

import (
	"errors"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"lazuli/internal/identity"
)

// Grants that are given.
const (
	clientCredentials = "client_credentials"
	passwordGrant     = "password"
	refreshGrant      = "refresh_token"
	codeGrant         = "authorization_code"
	deviceGrant       = "urn:ietf:params:oauth:grant-type:device_code"
	// shortDeviceGrant is what MSAL for Go and version 1 call it.
	shortDeviceGrant = "device_code"
)

// maxForm bounds the body of a token request.
const maxForm = 64 << 10

// grant is the answer to a good token request.
type grant struct {
	TokenType    string `json:"token_type"`
	Scope        string `json:"scope,omitempty"`
	ExpiresIn    int    `json:"expires_in"`
	ExtExpiresIn int    `json:"ext_expires_in"`
	ExpiresOn    string `json:"expires_on"`
	AccessToken  string `json:"access_token"`
	Resource     string `json:"resource,omitempty"`
	// The rest is for users only.
	RefreshToken string `json:"refresh_token,omitempty"`
	IDToken      string `json:"id_token,omitempty"`
	ClientInfo   string `json:"client_info,omitempty"`
}

func newGrant(t identity.Token, form url.Values) *grant {
	seconds := int(identity.TokenTime / time.Second)
	return &grant{
		TokenType: "Bearer", ExpiresIn: seconds, ExtExpiresIn: seconds, ExpiresOn: strconv.FormatInt(t.ExpiresAt.Unix(), 10),
		AccessToken: t.Raw, Resource: form.Get("resource"),
	}
}

// token answers a token request.
func (h *Handler) token(w http.ResponseWriter, r *http.Request) {
	h.post(w, r, h.grant)
}

// post answers a form with JSON.
func (h *Handler) post(w http.ResponseWriter, r *http.Request, f func(*http.Request, url.Values) (any, error)) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", "POST")
		fail(w, &failure{status: http.StatusMethodNotAllowed, Code: "invalid_request", Description: "This is asked for by POST.", Codes: []int{900561}})
		return
	}
	form, err := readForm(w, r)
	var body any
	if err == nil {
		body, err = f(r, form)
	}
	if f, ok := errors.AsType[*failure](err); ok {
		fail(w, f)
		return
	}
	if err != nil {
		h.broken(w, err)
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	reply(w, http.StatusOK, body)
}

func (h *Handler) grant(r *http.Request, form url.Values) (any, error) {
	switch kind := form.Get("grant_type"); kind {
	case clientCredentials:
		return h.clientGrant(r, form)
	case passwordGrant, refreshGrant, codeGrant, deviceGrant:
		return h.userGrant(r, form, kind)
	case shortDeviceGrant:
		return h.userGrant(r, form, deviceGrant)
	case "":
		return nil, missing("grant_type")
	default:
		return nil, unsupportedGrant(kind)
	}
}

func readForm(w http.ResponseWriter, r *http.Request) (url.Values, error) {
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || media != "application/x-www-form-urlencoded" {
		return nil, invalidRequest("The body must be application/x-www-form-urlencoded.")
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		return nil, invalidRequest("The body could not be read as a form.")
	}
	return r.PostForm, nil
}

// audience is what the token is for: a scope that ends in /.default, which the
// audience's own slash may double, or version 1's resource.
func audience(form url.Values) (string, error) {
	if r := form.Get("resource"); r != "" {
		return strings.TrimRight(r, "/"), nil
	}
	for _, s := range strings.Fields(form.Get("scope")) {
		switch s {
		case "openid", "profile", offlineAccess, "email":
			continue
		}
		a, ok := strings.CutSuffix(s, "/.default")
		if !ok {
			a, ok = strings.CutSuffix(s, "/user_impersonation")
		}
		if !ok {
			return "", &failure{status: http.StatusBadRequest, Code: "invalid_scope", Description: "The scope '" + s + "' is not valid: it must end in '/.default'.", Codes: []int{1002012}}
		}
		return strings.TrimRight(a, "/"), nil
	}
	return "", missing("scope")
}

func remoteAddress(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}
