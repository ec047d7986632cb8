package api

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// Limits on connections.
const (
	headerTime  = 10 * time.Second
	idleTime    = 2 * time.Minute
	headerBytes = 64 << 10
	closeTime   = 10 * time.Second
)

// Serve serves TLS on l until ctx ends; then it lets the requests that run
// finish, for a while, and ends what streams.
func (s *Server) Serve(ctx context.Context, l net.Listener, conf *tls.Config) error {
	h := &http.Server{
		Handler:           s,
		TLSConfig:         conf,
		ReadHeaderTimeout: headerTime,
		IdleTimeout:       idleTime,
		MaxHeaderBytes:    headerBytes,
		ErrorLog:          slog.NewLogLogger(s.Logger.Handler(), slog.LevelDebug),
	}
	served := make(chan error, 1)
	go func() { served <- h.ServeTLS(l, "", "") }()
	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	}
	s.close()
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTime)
	defer cancel()
	err := h.Shutdown(end)
	if errors.Is(err, context.DeadlineExceeded) {
		err = h.Close()
	}
	s.consoles.Wait()
	if e := <-served; !errors.Is(e, http.ErrServerClosed) {
		return e
	}
	return err
}
