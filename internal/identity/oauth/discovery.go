package oauth

import (
	"net/http"

	"lazuli/internal/identity"
)

// configuration is the OpenID Connect discovery document.
type configuration struct {
	Issuer                string   `json:"issuer"`
	AuthorizationEndpoint string   `json:"authorization_endpoint"`
	TokenEndpoint         string   `json:"token_endpoint"`
	DeviceEndpoint        string   `json:"device_authorization_endpoint"`
	KeysURI               string   `json:"jwks_uri"`
	ResponseTypes         []string `json:"response_types_supported"`
	SubjectTypes          []string `json:"subject_types_supported"`
	SigningAlgorithms     []string `json:"id_token_signing_alg_values_supported"`
	AuthMethods           []string `json:"token_endpoint_auth_methods_supported"`
	ChallengeMethods      []string `json:"code_challenge_methods_supported"`
	ResponseModes         []string `json:"response_modes_supported"`
	GrantTypes            []string `json:"grant_types_supported"`
	Scopes                []string `json:"scopes_supported"`
}

// discovery describes an authority. MSAL wants the issuer on the host that it
// asked, so it is.
func (h *Handler) discovery(r *http.Request, authority string) configuration {
	base := "https://" + r.Host + "/" + authority
	oauth := base + "/oauth2/v2.0"
	if authority == "adfs" || authority == "adfs/adfs" {
		oauth = base + "/oauth2"
	}
	return configuration{
		Issuer:                h.Identity.Issuer(r.Host),
		AuthorizationEndpoint: oauth + "/authorize",
		TokenEndpoint:         oauth + "/token",
		DeviceEndpoint:        oauth + "/devicecode",
		KeysURI:               base + "/discovery/keys",
		ResponseTypes:         []string{"code"},
		ResponseModes:         []string{queryMode, formMode},
		ChallengeMethods:      []string{"S256"},
		SubjectTypes:          []string{"pairwise"},
		SigningAlgorithms:     []string{"ES256"},
		AuthMethods:           []string{"client_secret_post", "client_secret_basic", "private_key_jwt", "none"},
		GrantTypes:            []string{clientCredentials, passwordGrant, refreshGrant, codeGrant, deviceGrant},
		Scopes:                []string{"openid", "profile", offlineAccess},
	}
}

// instance answers MSAL's question which hosts stand for one authority.
func (h *Handler) instance(r *http.Request) (any, error) {
	return map[string]any{
		"tenant_discovery_endpoint": "https://" + r.Host + "/" + h.Identity.TenantID + "/v2.0/.well-known/openid-configuration",
		"api-version":               "1.1",
		"metadata": []map[string]any{{
			"preferred_network": r.Host, "preferred_cache": r.Host, "aliases": []string{r.Host},
		}},
	}, nil
}

func (h *Handler) keys(*http.Request) (any, error) {
	keys, err := h.Identity.Keys()
	return map[string][]identity.JWK{"keys": keys}, err
}
