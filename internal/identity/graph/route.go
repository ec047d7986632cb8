package graph

import (
	"net/http"
	"net/url"
	"strings"

	"lazuli/internal/arm"
)

// route is one thing that can be asked for. A body of nil is answered by 204.
type route struct {
	method, path string
	// manages routes are for who may change the directory.
	manages bool
	status  int // of a good answer with a body; zero is 200
	serve   func(c *call) (any, error)
}

var routes = []route{
	{"GET", "me", false, 0, (*call).me},
	{"POST", "me/changePassword", false, 0, (*call).changePassword},

	{"GET", "users", false, 0, (*call).listUsers},
	{"POST", "users", true, 201, (*call).createUser},
	{"GET", "users/{}", false, 0, (*call).getUser},
	{"PATCH", "users/{}", true, 0, (*call).patchUser},
	{"DELETE", "users/{}", true, 0, (*call).deleteUser},

	{"GET", "applications", false, 0, (*call).listApplications},
	{"POST", "applications", true, 201, (*call).createApplication},
	{"GET", "applications/{}", false, 0, (*call).getApplication},
	{"PATCH", "applications/{}", true, 0, (*call).patchApplication},
	{"DELETE", "applications/{}", true, 0, (*call).deleteApplication},
	{"POST", "applications/{}/addPassword", true, 0, (*call).addApplicationPassword},
	{"POST", "applications/{}/removePassword", true, 0, (*call).removeApplicationPassword},
	{"GET", "applications/{}/federatedIdentityCredentials", false, 0, (*call).listFederated},
	{"POST", "applications/{}/federatedIdentityCredentials", true, 201, (*call).createFederated},
	{"GET", "applications/{}/federatedIdentityCredentials/{}", false, 0, (*call).getFederated},
	{"PATCH", "applications/{}/federatedIdentityCredentials/{}", true, 0, (*call).patchFederated},
	{"DELETE", "applications/{}/federatedIdentityCredentials/{}", true, 0, (*call).deleteFederated},

	{"GET", "servicePrincipals", false, 0, (*call).listServicePrincipals},
	{"POST", "servicePrincipals", true, 201, (*call).createServicePrincipal},
	{"GET", "servicePrincipals/{}", false, 0, (*call).getServicePrincipal},
	{"PATCH", "servicePrincipals/{}", true, 0, (*call).patchServicePrincipal},
	{"DELETE", "servicePrincipals/{}", true, 0, (*call).deleteServicePrincipal},
	{"POST", "servicePrincipals/{}/addPassword", true, 0, (*call).addServicePrincipalPassword},
	{"POST", "servicePrincipals/{}/removePassword", true, 0, (*call).removeServicePrincipalPassword},

	{"POST", "directoryObjects/getByIds", false, 0, (*call).getByIDs},
	{"GET", "directoryObjects/{}", false, 0, (*call).getObject},

	{"GET", "groups", false, 0, (*call).listGroups},
	{"POST", "users/{}/getMemberGroups", false, 0, (*call).memberGroups},
	{"POST", "servicePrincipals/{}/getMemberGroups", false, 0, (*call).memberGroups},

	{"GET", "roleManagement/directory/roleAssignments", false, 0, (*call).listAdmins},
	{"POST", "roleManagement/directory/roleAssignments", true, 201, (*call).createAdmin},
	{"DELETE", "roleManagement/directory/roleAssignments/{}", true, 0, (*call).deleteAdmin},
}

// find is the route of a path, with its ids in c.
func (c *call) find(method, path string) (*route, error) {
	segments, err := splitPath(path)
	if err != nil {
		return nil, err
	}
	var allow []string
	for i := range routes {
		ids, ok := routes[i].match(segments)
		if !ok {
			continue
		}
		if routes[i].method == method {
			c.ids = ids
			return &routes[i], nil
		}
		allow = append(allow, routes[i].method)
	}
	if len(allow) > 0 {
		return nil, arm.StatusError(http.StatusMethodNotAllowed, "Request_BadRequest", "Specified HTTP method is not allowed for the request target. What is: %s.", strings.Join(allow, ", "))
	}
	return nil, arm.StatusError(http.StatusNotFound, "ResourceNotFound", "Resource not found for the segment '%.100s'. This cloud serves a part of Microsoft Graph only.", path)
}

// splitPath is the segments of an escaped path. users('x') is users/x.
func splitPath(path string) ([]string, error) {
	var segments []string
	for s := range strings.SplitSeq(strings.Trim(path, "/"), "/") {
		plain, err := url.PathUnescape(s)
		if err != nil {
			return nil, badRequest("The request's path is not valid.")
		}
		name, key, ok := strings.Cut(plain, "('")
		if key, closed := strings.CutSuffix(key, "')"); ok && closed {
			segments = append(segments, name, key)
			continue
		}
		segments = append(segments, plain)
	}
	return segments, nil
}

func (r *route) match(segments []string) (ids []string, ok bool) {
	pattern := strings.Split(r.path, "/")
	if len(pattern) != len(segments) {
		return nil, false
	}
	for i, p := range pattern {
		if p == "{}" && segments[i] != "" {
			ids = append(ids, segments[i])
		} else if !strings.EqualFold(p, segments[i]) {
			return nil, false
		}
	}
	return ids, true
}
