package api

import (
	"net"
	"net/http"
	"strings"

	"lazuli/internal/arm"
)

// CloudName is what clients call this cloud.
const CloudName = "Lazuli"

// authentication tells clients where to log in. The path /adfs keeps MSAL from
// asking Microsoft's servers about us; identityProvider and tenant are what
// Terraform insists on.
type authentication struct {
	LoginEndpoint    string   `json:"loginEndpoint"`
	Audiences        []string `json:"audiences"`
	Tenant           string   `json:"tenant,omitempty"`
	IdentityProvider string   `json:"identityProvider,omitempty"`
}

// flatMetadata is the answer to api-version 2015-01-01.
type flatMetadata struct {
	GalleryEndpoint string         `json:"galleryEndpoint"`
	GraphEndpoint   string         `json:"graphEndpoint"`
	PortalEndpoint  string         `json:"portalEndpoint"`
	Authentication  authentication `json:"authentication"`
}

// cloudMetadata is the answer to 2019-05-01, in a list, and 2022-09-01.
type cloudMetadata struct {
	Name             string            `json:"name"`
	ImageAliases     string            `json:"vmImageAliasDoc,omitempty"`
	Portal           string            `json:"portal"`
	Gallery          string            `json:"gallery"`
	Graph            string            `json:"graph"`
	GraphAudience    string            `json:"graphAudience"`
	MicrosoftGraphID string            `json:"microsoftGraphResourceId"`
	ResourceManager  string            `json:"resourceManager"`
	Authentication   authentication    `json:"authentication"`
	Suffixes         map[string]string `json:"suffixes"`
}

// aliasesName is the name below /metadata of the document with the well-known
// names of images.
const aliasesName = "vmImageAliases"

// metadata answers GET /metadata/endpoints, which needs no token: it is how
// clients learn where to get one. So does the document of aliases, which az
// reads without any version.
func (s *Server) metadata(w http.ResponseWriter, q *request, segments []string) error {
	name := ""
	if len(segments) == 2 {
		name = segments[1]
	}
	aliases := strings.EqualFold(name, aliasesName) && s.Aliases != nil
	if !aliases && !strings.EqualFold(name, "endpoints") {
		return nothingAt(segments)
	}
	if q.Method != http.MethodGet && q.Method != http.MethodHead {
		return (&target{verbs: map[string]handler{http.MethodGet: {}, http.MethodHead: {}}}).notAllowed(w, q.Method)
	}
	if aliases {
		body, err := s.Aliases(q.Context(), s.Store)
		if err != nil {
			return err
		}
		return q.reply(w, http.StatusOK, arm.Result{Body: body})
	}
	if err := q.parseQuery(); err != nil {
		return err
	}
	if err := q.checkVersion(); err != nil {
		return err
	}
	return q.reply(w, http.StatusOK, arm.Result{Body: q.metadataBody()})
}

func (q *request) metadataBody() any {
	root := q.base + "/"
	auth := authentication{LoginEndpoint: q.base + "/adfs", Audiences: []string{root}}
	if q.version < "2018" {
		return flatMetadata{GalleryEndpoint: root, GraphEndpoint: root, PortalEndpoint: q.base + "/portal", Authentication: auth}
	}
	auth.Tenant, auth.IdentityProvider = "common", "AAD"
	host := strings.ToLower(q.Host)
	if h, _, err := net.SplitHostPort(q.Host); err == nil {
		host = h
	}
	cloud := cloudMetadata{
		Name: CloudName, Portal: q.base + "/portal", Gallery: root, Graph: root, GraphAudience: root,
		MicrosoftGraphID: root, ResourceManager: root, Authentication: auth,
		Suffixes: map[string]string{"storage": "storage." + host, "keyVaultDns": "vault." + host},
	}
	if q.s.Aliases != nil {
		cloud.ImageAliases = q.base + "/metadata/" + aliasesName
	}
	if q.version < "2022" {
		return []cloudMetadata{cloud}
	}
	return cloud
}
