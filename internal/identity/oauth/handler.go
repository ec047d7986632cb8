package oauth

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"strings"

	"lazuli/internal/identity"
)

// Handler answers below
//
//	/adfs[/{tenant}]/…   what MSAL asks of an authority that ends in /adfs
//	/{tenant}/…          what it asks of others
//	/common/discovery/instance, /common/userrealm/{user}
//	/device              where a person enters a device code
//
// where … is .well-known/openid-configuration, v2.0/.well-known/…,
// discovery/keys, discovery/v2.0/keys, or token, devicecode or authorize below
// oauth2 or oauth2/v2.0.
type Handler struct {
	Identity *identity.Service
	Logger   *slog.Logger
}

func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !h.Identity.KnowsHost(r.Host) {
		fail(w, invalidRequest("The host '%.100s' is not one that this cloud is reached by.", r.Host))
		return
	}
	path := strings.ToLower(strings.Trim(r.URL.Path, "/"))
	if path == "common/discovery/instance" {
		h.get(w, r, h.instance)
		return
	}
	if path == devicePath {
		h.devicePage(w, r)
		return
	}
	if name, ok := strings.CutPrefix(path, "common/userrealm/"); ok {
		h.get(w, r, func(r *http.Request) (any, error) { return h.userRealm(r, name) })
		return
	}
	authority, tenant, rest := split(path)
	if !h.knowsTenant(tenant) {
		fail(w, unknownTenant(tenant))
		return
	}
	switch rest {
	case ".well-known/openid-configuration", "v2.0/.well-known/openid-configuration":
		h.get(w, r, func(r *http.Request) (any, error) { return h.discovery(r, authority), nil })
	case "discovery/keys", "discovery/v2.0/keys":
		h.get(w, r, h.keys)
	case "oauth2/token", "oauth2/v2.0/token":
		h.token(w, r)
	case "oauth2/devicecode", "oauth2/v2.0/devicecode":
		h.post(w, r, h.beginDevice)
	case "oauth2/authorize", "oauth2/v2.0/authorize":
		h.authorizePage(w, r)
	default:
		http.NotFound(w, r)
	}
}

// split takes a path apart: the authority's path, the tenant in it ("" for
// the bare /adfs), and what is asked of it.
func split(path string) (authority, tenant, rest string) {
	first, rest, _ := strings.Cut(path, "/")
	if first != "adfs" {
		return first, first, rest
	}
	second, below, _ := strings.Cut(rest, "/")
	switch second {
	case ".well-known", "oauth2", "discovery", "v2.0":
		return "adfs", "", rest
	}
	return "adfs/" + second, second, below
}

// knowsTenant accepts the words that clients use when they do not know the
// tenant's id, of which there is one.
func (h *Handler) knowsTenant(tenant string) bool {
	switch tenant {
	case "", "adfs", "common", "organizations":
		return true
	}
	return strings.EqualFold(tenant, h.Identity.TenantID)
}

func (h *Handler) get(w http.ResponseWriter, r *http.Request, f func(*http.Request) (any, error)) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		fail(w, &failure{status: http.StatusMethodNotAllowed, Code: "invalid_request", Description: "Only GET is answered here.", Codes: []int{900144}})
		return
	}
	body, err := f(r)
	if err != nil {
		h.broken(w, err)
		return
	}
	reply(w, http.StatusOK, body)
}

func (h *Handler) broken(w http.ResponseWriter, err error) {
	h.Logger.Error("login failed", "err", err)
	fail(w, &failure{status: http.StatusInternalServerError, Code: "server_error", Description: "Something went wrong; the server's log says more.", Codes: []int{90033}})
}

func reply(w http.ResponseWriter, status int, body any) {
	b, err := json.Marshal(body)
	if err != nil {
		panic(err) // plain structs always marshal
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	// A client that has gone away has nobody to be told.
	_, _ = w.Write(b)
}
