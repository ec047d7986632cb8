package guest

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Guests get this long, so that one that says nothing, or little by little,
// holds nothing for long.
const (
	headerTimeout  = 5 * time.Second
	requestTimeout = 20 * time.Second
	idleTimeout    = 30 * time.Second
	maxHeaderBytes = 16 << 10
)

// http serves h on a listener, with each port's share.
func (nw *network) http(h http.Handler) func(context.Context, net.Listener) error {
	return func(ctx context.Context, l net.Listener) error {
		var underway sync.RWMutex // read-locked by each request; locked for good at the end
		srv := &http.Server{
			Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if underway.TryRLock() {
					defer underway.RUnlock()
					nw.limited(w, r, h)
				}
			}),
			ReadHeaderTimeout: headerTimeout,
			ReadTimeout:       requestTimeout,
			WriteTimeout:      requestTimeout,
			IdleTimeout:       idleTimeout,
			MaxHeaderBytes:    maxHeaderBytes,
			ErrorLog:          slog.NewLogLogger(nw.conf.Logger.Handler(), slog.LevelWarn),
		}
		stop := context.AfterFunc(ctx, func() { srv.Close() })
		defer stop()
		err := srv.Serve(l)
		srv.Close()
		underway.Lock()
		if errors.Is(err, http.ErrServerClosed) {
			return nil
		}
		return err
	}
}

// limited hands a request to h, unless its port has asked for too much: agents
// ask again after 429.
func (nw *network) limited(w http.ResponseWriter, r *http.Request, h http.Handler) {
	from, _ := netip.ParseAddrPort(r.RemoteAddr)
	key := nw.view.Load().key(from.Addr().Unmap())
	if nw.requests.Allow(key) {
		if leave, ok := nw.requests.Enter(key); ok {
			defer leave()
			h.ServeHTTP(w, r)
			return
		}
	}
	w.Header().Set("Retry-After", "1")
	w.Header().Set("Connection", "close") // the rest of the request is not read
	http.Error(w, `{"error":"Too many requests"}`, http.StatusTooManyRequests)
}

// listener turns away connections beyond a port's share before anything of them
// is read.
type listener struct {
	net.Listener
	enter func(netip.Addr) (leave func(), ok bool)
	limit *rate.Limiter
}

func newListener(l net.Listener, enter func(netip.Addr) (leave func(), ok bool)) *listener {
	return &listener{l, enter, rate.NewLimiter(connectionsPerSecond, connectionsAtFirst)}
}

// Accept returns the next connection that has a place.
func (l *listener) Accept() (net.Conn, error) {
	for {
		if err := l.limit.Wait(context.Background()); err != nil { // its turn is never far
			return nil, err
		}
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		from, _ := netip.ParseAddrPort(c.RemoteAddr().String())
		if leave, ok := l.enter(from.Addr().Unmap()); ok {
			return &placed{c, leave}, nil
		}
		c.Close()
	}
}

// placed is a connection that holds one of its port's places.
type placed struct {
	net.Conn
	leave func()
}

// Close gives the place back.
func (c *placed) Close() error {
	defer c.leave()
	return c.Conn.Close()
}
