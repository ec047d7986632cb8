// Package wireserver is what Azure's agents in a guest talk to at
// 168.63.129.16: the wireserver on port 80, where a guest learns its goal state
// and says that it is ready, and the HostGAPlugin on port 32526, where its
// agent says how it is.
//
// It knows the protocols; it must not know how the one who asks was recognised,
// or what becomes of what is reported. It keeps nothing.
package wireserver

import (
	"errors"
	"io"
	"net/http"
	"net/netip"
	"text/template"
	"time"

	"lazuli/internal/fabric"
	"lazuli/internal/node/guest/quota"
)

// Address is where guests look for the wireserver.
const Address = "168.63.129.16"

// Bounds of what a guest may send, in bytes. Telemetry and logs are read and
// thrown away, never held.
const (
	maxHealth  = 64 << 10
	maxStatus  = 1 << 20
	maxDiscard = 32 << 20
)

// Reporter takes in what guests report. It must not block for long, and is
// called from many goroutines.
type Reporter interface {
	// Ready says that the guest is ready. It comes again and again, also after
	// a NotReady: the first one counts.
	Ready(machineUID string)
	// ProvisioningFailed says that the guest gave up setting itself up.
	ProvisioningFailed(machineUID string, p fabric.Problem)
	// AgentStatus says how the guest's agent is, every few seconds.
	AgentStatus(machineUID string, a fabric.Agent)
}

// Server answers the machines of one network.
type Server struct {
	// Find says whose the address is that a request came from; ok is false if
	// it is nobody's. The zero Machine is one that the node does not know (yet).
	Find   func(netip.Addr) (m fabric.Machine, ok bool)
	Report Reporter
	// Quota is kept for each machine's reports.
	Quota *quota.Quota
}

// Wire is port 80.
func (s Server) Wire() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", s.known(rootDocument))
	mux.HandleFunc("GET /machine", s.known(machineDocument))
	mux.HandleFunc("GET /machine/{path...}", s.known(machineDocument))
	mux.HandleFunc("POST /machine", s.known(s.machineReport))
	mux.HandleFunc("POST /machine/{path...}", s.known(s.machineReport))
	mux.HandleFunc("POST /HealthService", s.known(discard))
	return mux
}

// Plugin is port 32526.
func (s Server) Plugin() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /versions", s.known(func(w http.ResponseWriter, _ *http.Request, _ fabric.Machine) {
		respond(w, http.StatusOK, "application/json", []byte(`["2015-09-01"]`))
	}))
	mux.HandleFunc("GET /health", s.known(discard))
	mux.HandleFunc("PUT /status", s.known(s.putStatus))
	mux.HandleFunc("PUT /status/{blob}", s.known(s.putBlob))
	mux.HandleFunc("PUT /vmAgentLog", s.known(discard))
	// 404 to GET /vmSettings says that goal states come from the wireserver
	// alone; to GET /extensionArtifact, that there are no extensions.
	return mux
}

type handler func(w http.ResponseWriter, r *http.Request, m fabric.Machine)

func (s Server) known(h handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		from, err := netip.ParseAddrPort(r.RemoteAddr)
		m, ok := s.Find(from.Addr().Unmap())
		switch {
		case err != nil || !ok:
			fail(w, http.StatusForbidden, "the source address is not a virtual machine's")
		case m.UID == "":
			// Agents ask again after 404.
			fail(w, http.StatusNotFound, "the virtual machine at this address is not known yet")
		default:
			h(w, r, m)
		}
	}
}

func rootDocument(w http.ResponseWriter, r *http.Request, _ fabric.Machine) {
	if r.URL.Query().Get("comp") != "versions" {
		fail(w, http.StatusNotFound, "no such document")
		return
	}
	respondXML(w, []byte(versions))
}

// machineDocument serves a machine its documents. What the path says beyond
// /machine is not looked at: a machine gets its own, whatever it asks for.
func machineDocument(w http.ResponseWriter, r *http.Request, m fabric.Machine) {
	q := r.URL.Query()
	docs := map[string]*template.Template{
		"goalstate":                       goalState,
		"config/hostingEnvironmentConfig": hostingEnvironment,
		"config/sharedConfig":             sharedConfig,
		"config/extensionsConfig":         extensionsConfig,
	}
	name := q.Get("comp")
	if name == "certificates" {
		certificates(w, r)
		return
	}
	if name == "config" {
		name += "/" + q.Get("type")
	}
	doc, ok := docs[name]
	if !ok {
		fail(w, http.StatusNotFound, "no such document")
		return
	}
	from, _ := netip.ParseAddrPort(r.RemoteAddr) // known parsed it before
	respondXML(w, fill(doc, valuesOf(m, from.Addr().Unmap().String())))
}

func certificates(w http.ResponseWriter, r *http.Request) {
	cert, err := transportCertificate(r.Header.Get("x-ms-guest-agent-public-x509-cert"))
	if err != nil {
		fail(w, http.StatusBadRequest, err.Error())
		return
	}
	bundle, err := emptyPFX()
	if err == nil {
		bundle, err = seal(bundle, cert)
	}
	if err != nil {
		fail(w, http.StatusBadRequest, "the certificate cannot be encrypted to: "+err.Error())
		return
	}
	respondXML(w, fill(certificateFile, struct {
		Incarnation int
		Data        string
	}{incarnation, mimeBase64(bundle)}))
}

func (s Server) machineReport(w http.ResponseWriter, r *http.Request, m fabric.Machine) {
	switch r.URL.Query().Get("comp") {
	case "health":
		s.health(w, r, m)
	case "telemetrydata", "Telemetry":
		discard(w, r, m)
	case "roleProperties":
		if read(w, r) {
			w.WriteHeader(http.StatusAccepted)
		}
	default:
		fail(w, http.StatusNotFound, "no such report")
	}
}

func (s Server) health(w http.ResponseWriter, r *http.Request, m fabric.Machine) {
	h, err := readHealth(http.MaxBytesReader(w, r.Body, maxHealth))
	if err != nil {
		fail(w, http.StatusBadRequest, err.Error())
		return
	}
	switch {
	case !s.allowed(w, m):
		return
	case h.State == "Ready":
		s.Report.Ready(m.UID)
	case h.SubStatus == "ProvisioningFailed":
		s.Report.ProvisioningFailed(m.UID, fabric.Problem{Code: "ProvisioningFailed", Message: failure(h)})
	}
	w.WriteHeader(http.StatusOK)
}

// allowed turns away a machine that reports too much. Agents try again after 429.
func (s Server) allowed(w http.ResponseWriter, m fabric.Machine) bool {
	if s.Quota.Allow(m.UID) {
		return true
	}
	w.Header().Set("Retry-After", "2")
	fail(w, http.StatusTooManyRequests, "too many reports")
	return false
}

func failure(h health) string {
	if h.Description == "" {
		return "The guest reported that its provisioning failed, and not why."
	}
	return "The guest reported that its provisioning failed: " + h.Description
}

func (s Server) putStatus(w http.ResponseWriter, r *http.Request, m fabric.Machine) {
	s.status(w, r, m, readPutStatus, http.StatusOK)
}

// putBlob is for an agent that writes its blob itself instead of having the
// plugin write it.
func (s Server) putBlob(w http.ResponseWriter, r *http.Request, m fabric.Machine) {
	s.status(w, r, m, readStatus, http.StatusCreated)
}

type statusReader func([]byte, time.Time) (fabric.Agent, error)

func (s Server) status(w http.ResponseWriter, r *http.Request, m fabric.Machine, parse statusReader, done int) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxStatus))
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		fail(w, http.StatusRequestEntityTooLarge, "the status is too large")
		return
	}
	a, perr := parse(body, time.Now())
	if err != nil || perr != nil {
		fail(w, http.StatusBadRequest, errStatus.Error())
		return
	}
	if !s.allowed(w, m) {
		return
	}
	s.Report.AgentStatus(m.UID, a)
	w.WriteHeader(done)
}

// discard takes what nobody reads: telemetry, logs and the agent's account of
// its own health.
func discard(w http.ResponseWriter, r *http.Request, _ fabric.Machine) {
	if read(w, r) {
		w.WriteHeader(http.StatusOK)
	}
}

func read(w http.ResponseWriter, r *http.Request) bool {
	if _, err := io.Copy(io.Discard, http.MaxBytesReader(w, r.Body, maxDiscard)); err != nil {
		fail(w, http.StatusRequestEntityTooLarge, "the body is too large or was cut off")
		return false
	}
	return true
}

func respondXML(w http.ResponseWriter, body []byte) {
	respond(w, http.StatusOK, "text/xml; charset=utf-8", body)
}

func fail(w http.ResponseWriter, status int, sentence string) {
	respond(w, status, "text/plain; charset=utf-8", []byte(sentence+"\n"))
}

func respond(w http.ResponseWriter, status int, kind string, body []byte) {
	w.Header().Set("Content-Type", kind)
	w.WriteHeader(status)
	_, _ = w.Write(body) // a guest that hangs up has its answer
}
