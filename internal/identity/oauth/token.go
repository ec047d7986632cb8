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

const clientCredentials = "client_credentials"

// maxForm bounds the body of a token request.
const maxForm = 64 << 10

// grant is the answer to a good token request.
type grant struct {
	TokenType    string `json:"token_type"`
	ExpiresIn    int    `json:"expires_in"`
	ExtExpiresIn int    `json:"ext_expires_in"`
	ExpiresOn    string `json:"expires_on"`
	AccessToken  string `json:"access_token"`
	Resource     string `json:"resource,omitempty"`
}

// token answers a token request.
func (h *Handler) token(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", "POST")
		fail(w, &failure{status: http.StatusMethodNotAllowed, Code: "invalid_request", Description: "Tokens are asked for by POST.", Codes: []int{900561}})
		return
	}
	g, err := h.grant(w, r)
	if f, ok := errors.AsType[*failure](err); ok {
		fail(w, f)
		return
	}
	if err != nil {
		h.broken(w, err)
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	reply(w, http.StatusOK, g)
}

func (h *Handler) grant(w http.ResponseWriter, r *http.Request) (*grant, error) {
	form, err := readForm(w, r)
	if err != nil {
		return nil, err
	}
	switch kind := form.Get("grant_type"); kind {
	case clientCredentials:
	case "":
		return nil, missing("grant_type")
	default:
		return nil, unsupportedGrant(kind)
	}
	id, secret, err := credentials(r, form)
	if err != nil {
		return nil, err
	}
	audience, err := audience(form)
	if err != nil {
		return nil, err
	}
	t, err := h.Identity.Login(r.Context(), id, secret, audience, r.Host, remoteAddress(r))
	if err != nil {
		return nil, refused(err, id, audience)
	}
	seconds := int(identity.TokenTime / time.Second)
	return &grant{
		TokenType: "Bearer", ExpiresIn: seconds, ExtExpiresIn: seconds, ExpiresOn: strconv.FormatInt(t.ExpiresAt.Unix(), 10),
		AccessToken: t.Raw, Resource: form.Get("resource"),
	}, nil
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
		return "", "", &failure{status: http.StatusUnauthorized, Code: "invalid_client", Description: "Client assertions are not supported by this cloud. Use a client secret.", Codes: []int{700027}}
	}
	if secret == "" {
		return "", "", &failure{status: http.StatusUnauthorized, Code: "invalid_client", Description: "The request body must contain the following parameter: 'client_secret'.", Codes: []int{7000218}}
	}
	return id, secret, nil
}

// audience is what the token is for: a scope that ends in /.default, which the
// audience's own slash may double, or version 1's resource.
func audience(form url.Values) (string, error) {
	if r := form.Get("resource"); r != "" {
		return strings.TrimRight(r, "/"), nil
	}
	for _, s := range strings.Fields(form.Get("scope")) {
		switch s {
		case "openid", "profile", "offline_access", "email":
			continue
		}
		a, ok := strings.CutSuffix(s, "/.default")
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
