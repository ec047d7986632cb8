package fabric

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/hashicorp/yamux"
)

// A link is one TLS connection, made by the node, with streams in both
// directions (yamux), HTTP/1.1 on each. Both ends prove who they are by
// certificates of the cloud's CA: the node's common name is "node:<name>".
//
//	node to control    GET /assignment           a stream of Messages, one a line
//	                   POST /report              a Report
//	control to node    GET /machines/{uid}/log   the serial log
//	                   GET /machines/{uid}/console  (upgrade) the serial port
const (
	pathAssignment = "/assignment"
	pathReport     = "/report"
	consoleUpgrade = "lazuli-console"
	maxReportBytes = 32 << 20
)

// NodeCommonName is the common name in the certificate of the node name.
func NodeCommonName(name string) string { return "node:" + name }

func muxConfig() *yamux.Config {
	c := yamux.DefaultConfig()
	c.KeepAliveInterval = 5 * time.Second
	c.ConnectionWriteTimeout = 10 * time.Second
	c.LogOutput = nil
	c.Logger = log.New(io.Discard, "", 0)
	return c
}

// Host is what a node offers the control plane.
type Host interface {
	SerialLog(uid string) (io.ReadCloser, error)
	Console(ctx context.Context, uid string) (io.ReadWriteCloser, error)
}

// Uplink is the node's end of a link.
type Uplink struct {
	conn   *frankConn
	mux    *yamux.Session
	client *http.Client
	server *http.Server
}

// Dial connects a node to the control plane at address.
func Dial(ctx context.Context, address string, conf *tls.Config, host Host) (*Uplink, error) {
	d := tls.Dialer{Config: conf, NetDialer: &net.Dialer{Timeout: 10 * time.Second}}
	secure, err := d.DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("dial control plane: %w", explain(err))
	}
	conn := &frankConn{Conn: secure}
	mux, err := yamux.Client(conn, muxConfig())
	if err != nil {
		conn.Close()
		return nil, fmt.Errorf("open link: %w", err)
	}
	u := &Uplink{conn: conn, mux: mux, client: muxClient(mux), server: &http.Server{Handler: hostHandler(host), ReadHeaderTimeout: 10 * time.Second}}
	go u.server.Serve(mux) //nolint:errcheck // ends with the link
	return u, nil
}

// Close ends the link.
func (u *Uplink) Close() error {
	u.server.Close()
	return u.mux.Close()
}

// Report sends a report; when it returns nil, the control plane has taken it in.
func (u *Uplink) Report(ctx context.Context, r *Report) error {
	return u.conn.why(postJSON(ctx, u.client, pathReport, r))
}

// Assignments calls f with each message until the link or ctx ends, or f
// returns an error.
func (u *Uplink) Assignments(ctx context.Context, f func(Message) error) error {
	return u.conn.why(u.assignments(ctx, f))
}

func (u *Uplink) assignments(ctx context.Context, f func(Message) error) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://control"+pathAssignment, nil)
	if err != nil {
		return err
	}
	resp, err := u.client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if err := statusError(resp); err != nil {
		return err
	}
	dec := json.NewDecoder(resp.Body)
	for {
		var m Message
		if err := dec.Decode(&m); err != nil {
			return fmt.Errorf("read assignment: %w", err)
		}
		if err := f(m); err != nil {
			return err
		}
	}
}

// Control is what the control plane offers its nodes.
type Control interface {
	// Assignments calls send with the node's assignment, first whole and then
	// as it changes, until ctx ends or send returns an error.
	Assignments(ctx context.Context, node string, send func(Message) error) error
	// Report takes in what a node says.
	Report(ctx context.Context, node string, r *Report) error
	// Linked says that a node has a link, until ctx ends. A newer link takes
	// the place of an older one.
	Linked(ctx context.Context, node string, d *Downlink)
}

// Serve takes the links of nodes until ctx ends. conf must require and verify
// client certificates.
func Serve(ctx context.Context, l net.Listener, conf *tls.Config, c Control, log *slog.Logger) error {
	tl := tls.NewListener(l, conf)
	stop := context.AfterFunc(ctx, func() { tl.Close() })
	defer stop()
	for {
		conn, err := tl.Accept()
		switch {
		case err == nil:
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, net.ErrClosed):
			return fmt.Errorf("accept node: %w", err)
		default: // out of files, for one: that passes
			log.Warn("no node accepted, will retry", "err", err)
			select {
			case <-ctx.Done():
			case <-time.After(acceptPause):
			}
			continue
		}
		go serveLink(ctx, conn.(*tls.Conn), c, log)
	}
}

const acceptPause = 100 * time.Millisecond

func serveLink(ctx context.Context, conn *tls.Conn, c Control, log *slog.Logger) {
	defer conn.Close()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	hs, done := context.WithTimeout(ctx, 10*time.Second)
	err := conn.HandshakeContext(hs)
	done()
	if err != nil {
		log.Warn("node refused", "from", conn.RemoteAddr().String(), "err", err)
		linger(conn)
		return
	}
	node, ok := peerNode(conn)
	if !ok {
		log.Warn("node refused", "from", conn.RemoteAddr().String(), "err", "its certificate is not a node's")
		return
	}
	mux, err := yamux.Server(conn, muxConfig())
	if err != nil {
		return
	}
	defer mux.Close()
	c.Linked(ctx, node, &Downlink{client: muxClient(mux), mux: mux})
	srv := &http.Server{Handler: controlHandler(node, c), ReadHeaderTimeout: 10 * time.Second, BaseContext: func(net.Listener) context.Context { return ctx }}
	stop := context.AfterFunc(ctx, func() { mux.Close() })
	defer stop()
	srv.Serve(mux) //nolint:errcheck // ends with the link
}

func peerNode(conn *tls.Conn) (string, bool) {
	certs := conn.ConnectionState().PeerCertificates
	prefix := NodeCommonName("")
	if len(certs) == 0 || len(certs[0].Subject.CommonName) <= len(prefix) || certs[0].Subject.CommonName[:len(prefix)] != prefix {
		return "", false
	}
	return certs[0].Subject.CommonName[len(prefix):], true
}

func controlHandler(node string, c Control) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+pathAssignment, func(w http.ResponseWriter, r *http.Request) {
		flush := http.NewResponseController(w)
		enc := json.NewEncoder(w)
		c.Assignments(r.Context(), node, func(m Message) error { //nolint:errcheck // the stream's end says it
			if err := enc.Encode(m); err != nil {
				return err
			}
			return flush.Flush()
		})
	})
	mux.HandleFunc("POST "+pathReport, func(w http.ResponseWriter, r *http.Request) {
		var rep Report
		if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxReportBytes)).Decode(&rep); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		if err := c.Report(r.Context(), node, &rep); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	})
	return mux
}

// Downlink is the control plane's end of a link.
type Downlink struct {
	client *http.Client
	mux    *yamux.Session
}

// Close ends the link.
func (d *Downlink) Close() error { return d.mux.Close() }

// SerialLog reads the serial log of a machine.
func (d *Downlink) SerialLog(ctx context.Context, uid string) (io.ReadCloser, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://node/machines/"+uid+"/log", nil)
	if err != nil {
		return nil, err
	}
	resp, err := d.client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("ask node: %w", err)
	}
	if err := statusError(resp); err != nil {
		resp.Body.Close()
		return nil, err
	}
	return resp.Body, nil
}

// Console opens the serial port of a machine.
func (d *Downlink) Console(ctx context.Context, uid string) (io.ReadWriteCloser, error) {
	s, err := d.mux.OpenStream()
	if err != nil {
		return nil, fmt.Errorf("ask node: %w", err)
	}
	stop := context.AfterFunc(ctx, func() { s.Close() })
	defer stop()
	if _, err := fmt.Fprintf(s, "GET /machines/%s/console HTTP/1.1\r\nHost: node\r\nConnection: Upgrade\r\nUpgrade: %s\r\n\r\n", uid, consoleUpgrade); err != nil {
		s.Close()
		return nil, fmt.Errorf("ask node: %w", err)
	}
	br := bufio.NewReader(s)
	resp, err := http.ReadResponse(br, nil)
	if err != nil {
		s.Close()
		return nil, fmt.Errorf("ask node: %w", err)
	}
	if resp.StatusCode != http.StatusSwitchingProtocols {
		defer s.Close()
		return nil, statusError(resp)
	}
	return &bufferedStream{Stream: s, r: br}, nil
}

type bufferedStream struct {
	*yamux.Stream
	r *bufio.Reader
}

func (b *bufferedStream) Read(p []byte) (int, error) { return b.r.Read(p) }

func hostHandler(h Host) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /machines/{uid}/log", func(w http.ResponseWriter, r *http.Request) {
		log, err := h.SerialLog(r.PathValue("uid"))
		if err != nil {
			http.Error(w, err.Error(), http.StatusNotFound)
			return
		}
		defer log.Close()
		io.Copy(w, log) //nolint:errcheck // the reader has gone
	})
	mux.HandleFunc("GET /machines/{uid}/console", func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithCancel(context.WithoutCancel(r.Context()))
		defer cancel()
		port, err := h.Console(ctx, r.PathValue("uid"))
		if err != nil {
			http.Error(w, err.Error(), http.StatusConflict)
			return
		}
		defer port.Close()
		conn, buf, err := http.NewResponseController(w).Hijack()
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		defer conn.Close()
		if _, err := fmt.Fprintf(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: %s\r\n\r\n", consoleUpgrade); err != nil {
			return
		}
		Splice(struct {
			io.Reader
			io.WriteCloser
		}{buf, conn}, port)
	})
	return mux
}

// Splice copies between a and b both ways until either ends, and closes both.
func Splice(a, b io.ReadWriteCloser) {
	done := make(chan struct{}, 2)
	cp := func(dst io.Writer, src io.Reader) {
		io.Copy(dst, src) //nolint:errcheck // either end going is how it ends
		done <- struct{}{}
	}
	go cp(a, b)
	go cp(b, a)
	<-done
	a.Close()
	b.Close()
	<-done
}

func muxClient(mux *yamux.Session) *http.Client {
	return &http.Client{Transport: &http.Transport{
		DialContext:        func(context.Context, string, string) (net.Conn, error) { return mux.OpenStream() },
		DisableCompression: true,
		MaxIdleConns:       4,
	}}
}

func postJSON(ctx context.Context, c *http.Client, path string, v any) error {
	pr, pw := io.Pipe()
	go func() { pw.CloseWithError(json.NewEncoder(pw).Encode(v)) }()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://control"+path, pr)
	if err != nil {
		return err
	}
	resp, err := c.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	return statusError(resp)
}

// statusError makes an error of a reply that is not a success.
func statusError(resp *http.Response) error {
	if resp.StatusCode < 300 {
		return nil
	}
	b, _ := io.ReadAll(io.LimitReader(resp.Body, 4096))
	return fmt.Errorf("%s: %s", resp.Status, string(b))
}
