// Package imds is the Instance Metadata Service: what a machine can ask about
// itself at 169.254.169.254, as Azure documents it.
//
// It knows the shape of the answers; it must not know how the one who asks was
// recognised, beyond that it was never by anything in the request.
package imds

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// versions are Azure's, oldest first. 2021-08-01 is not in its documentation,
// but is what cloud-init asks for.
var versions = []string{
	"2017-03-01", "2017-04-02", "2017-08-01", "2017-10-01", "2017-12-01", "2018-02-01", "2018-04-02", "2018-10-01",
	"2019-02-01", "2019-03-11", "2019-04-30", "2019-06-01", "2019-06-04", "2019-08-01", "2019-08-15", "2019-11-01",
	"2020-06-01", "2020-07-15", "2020-09-01", "2020-10-01", "2020-12-01", "2021-01-01", "2021-02-01", "2021-03-01",
	"2021-05-01", "2021-08-01", "2021-10-01", "2021-11-01", "2021-11-15", "2021-12-13", "2023-07-01", "2023-11-15",
	"2024-03-15", "2024-07-17", "2025-04-07",
}

// eventVersions are those of scheduled events, which Azure counts apart.
var eventVersions = []string{"2017-03-01", "2017-08-01", "2017-11-01", "2019-01-01", "2019-04-01", "2019-08-01", "2020-07-01"}

// Server answers the machines of one network.
type Server struct {
	// Find says whose the address is that a request came from; ok is false if
	// it is nobody's. A Guest without a machine is a port whose machine the
	// node does not know (yet).
	Find func(netip.Addr) (g Guest, ok bool)
}

// ServeHTTP answers one request.
func (s Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path, ok := cut(strings.ToLower(r.URL.Path), "/metadata")
	from, err := netip.ParseAddrPort(r.RemoteAddr)
	guest, found := s.Find(from.Addr().Unmap())
	switch {
	case err != nil || !found:
		fail(w, http.StatusForbidden, "Forbidden. The source address is not a virtual machine's")
	case !ok:
		fail(w, http.StatusNotFound, "Not found")
	case !strings.EqualFold(r.Header.Get("Metadata"), "true"):
		// A request that a machine was tricked into does not have it.
		fail(w, http.StatusBadRequest, "Bad request. Required metadata header not specified")
	case len(r.Header.Values("X-Forwarded-For")) > 0:
		// It went through a proxy: the machine that has the answer is not the
		// one that asked.
		fail(w, http.StatusBadRequest, "Bad request. Requests with the header X-Forwarded-For are not answered")
	case r.Method != http.MethodGet:
		w.Header().Set("Allow", http.MethodGet)
		fail(w, http.StatusMethodNotAllowed, "Method not allowed")
	case guest.Machine.UID == "":
		// Guests ask again after 404.
		fail(w, http.StatusNotFound, "Not found. The virtual machine at this address is not known yet")
	default:
		s.route(w, r, guest, path)
	}
}

func (s Server) route(w http.ResponseWriter, r *http.Request, g Guest, path string) {
	if strings.Trim(path, "/") == "versions" {
		write(w, http.StatusOK, object{"apiVersions": versions})
		return
	}
	known := versions
	if strings.HasPrefix(path, "/scheduledevents") {
		known = eventVersions
	}
	if !supported(w, r, known) {
		return
	}
	if rest, ok := cut(path, "/instance"); ok {
		s.instance(w, r, g, rest)
		return
	}
	switch strings.TrimSuffix(path, "/") {
	case "/scheduledevents":
		write(w, http.StatusOK, object{"DocumentIncarnation": 1, "Events": list{}})
	case "/identity/info", "/identity/oauth2/token":
		write(w, http.StatusBadRequest, object{"error": "invalid_request", "error_description": "Identity not found"})
	case "/attested/document":
		fail(w, http.StatusNotFound, "Not found. This platform does not offer attested data")
	default: // among them reprovisiondata: no machine is made in advance
		fail(w, http.StatusNotFound, "Not found")
	}
}

func (s Server) instance(w http.ResponseWriter, r *http.Request, g Guest, path string) {
	doc, ok := walk(instance(g, r.URL.Query().Get("extended") == "true"), path)
	if !ok {
		fail(w, http.StatusNotFound, "Not found")
		return
	}
	switch strings.ToLower(r.URL.Query().Get("format")) {
	case "", "json":
		write(w, http.StatusOK, doc)
	case "text":
		respond(w, http.StatusOK, "text/plain; charset=utf-8", text(doc))
	default:
		fail(w, http.StatusBadRequest, "Bad request. format is invalid: it is json or text")
	}
}

// supported checks the api-version, and answers if it is not one.
func supported(w http.ResponseWriter, r *http.Request, versions []string) bool {
	if slices.Contains(versions, r.URL.Query().Get("api-version")) {
		return true
	}
	newest := slices.Clone(versions[len(versions)-3:])
	slices.Reverse(newest)
	write(w, http.StatusBadRequest, object{
		"error":           "Bad request. api-version is invalid or was not specified in the request. For more information refer to aka.ms/azureimds",
		"newest-versions": newest,
	})
	return false
}

// cut takes a whole first part off a path.
func cut(path, part string) (rest string, ok bool) {
	rest, ok = strings.CutPrefix(path, part)
	return rest, ok && (rest == "" || rest[0] == '/')
}

func fail(w http.ResponseWriter, status int, sentence string) {
	write(w, status, object{"error": sentence})
}

func write(w http.ResponseWriter, status int, v any) {
	respond(w, status, "application/json; charset=utf-8", encode(v))
}

func respond(w http.ResponseWriter, status int, kind string, body []byte) {
	w.Header().Set("Content-Type", kind)
	w.WriteHeader(status)
	_, _ = w.Write(body) // a guest that hangs up has its answer
}
