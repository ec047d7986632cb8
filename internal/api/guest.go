package api

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"

	"lazuli/internal/arm"
)

// machineType is the type whose resources have a serial port.
const machineType = "Microsoft.Compute/virtualMachines"

// logTime bounds how long the sending of one log takes.
const logTime = 5 * time.Minute

// guestVerbs is what GET of "<machine>/name" does, if anything.
func (s *Server) guestVerbs(typ *arm.Type, name string) (handler, bool) {
	if s.Guests == nil || !strings.EqualFold(typ.Name, machineType) {
		return handler{}, false
	}
	switch strings.ToLower(name) {
	case "seriallog":
		return handler{serve: s.serialLog, upgrade: true, need: need{action: machineType + "/retrieveBootDiagnosticsData/action"}}, true
	case "console":
		return handler{serve: s.console, upgrade: true, need: need{action: "Microsoft.SerialConsole/serialPorts/connect/action"}}, true
	}
	return handler{}, false
}

// serveSigned serves a URL whose signature is good, and is about the resource
// with the UID. Only logs are given out so.
func (s *Server) serveSigned(w http.ResponseWriter, q *request, segments []string, uid string) error {
	last := segments[len(segments)-1]
	t, err := s.routes.find(segments)
	if err != nil {
		return err
	}
	if q.Method != http.MethodGet && q.Method != http.MethodHead || t.typ == nil || !strings.EqualFold(last, "serialLog") {
		return arm.StatusError(http.StatusForbidden, "AuthenticationFailed", "The URL is not for this.")
	}
	o, err := arm.Collection[json.RawMessage, json.RawMessage]{Type: t.typ.Name}.Get(q.Context(), s.Store, t.id)
	if err != nil {
		return err
	}
	if o.UID != uid {
		return arm.StatusError(http.StatusForbidden, "AuthenticationFailed", "The URL is of a machine that is gone. Ask for a new one.")
	}
	q.target = t
	return s.sendLog(w, q, t.id)
}

func (s *Server) serialLog(w http.ResponseWriter, q *request) error {
	id, err := q.machine()
	if err != nil {
		return err
	}
	return s.sendLog(w, q, id)
}

// machine is the target, which exists and is the principal's.
func (q *request) machine() (id arm.ID, err error) {
	err = q.read(func(ctx context.Context, c *arm.Call) error {
		id = c.ID
		_, err := q.target.typ.Provider.Get(ctx, c)
		return err
	})
	return id, err
}

func (s *Server) sendLog(w http.ResponseWriter, q *request, id arm.ID) error {
	ctx, cancel := s.untilClosing(q.Context())
	defer cancel()
	log, err := s.Guests.SerialLog(ctx, id)
	if err != nil {
		return err
	}
	defer log.Close()
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(logTime))
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(http.StatusOK)
	if _, err := io.Copy(w, log); err != nil {
		s.Logger.Warn("serial log cut short", "vm", id.String(), "err", err)
		panic(http.ErrAbortHandler)
	}
	return nil
}

// untilClosing is ctx that also ends when the Server closes.
func (s *Server) untilClosing(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(s.closing, cancel)
	return ctx, func() { stop(); cancel() }
}

// console joins a websocket to the machine's serial port. Every message is
// bytes of the port, in either direction.
func (s *Server) console(w http.ResponseWriter, q *request) error {
	id, err := q.machine()
	if err != nil {
		return err
	}
	if !strings.EqualFold(q.Header.Get("Upgrade"), "websocket") {
		w.Header().Set("Upgrade", "websocket")
		return arm.StatusError(http.StatusUpgradeRequired, "UpgradeRequired", "The console is spoken to by websocket. Use 'lazuli vm console'.")
	}
	s.consoles.Add(1)
	defer s.consoles.Done()
	ctx, cancel := s.untilClosing(q.Context())
	defer cancel()
	port, err := s.Guests.Console(ctx, id)
	if err != nil {
		return err
	}
	defer port.Close()
	control := http.NewResponseController(w)
	_ = control.SetReadDeadline(time.Time{})
	_ = control.SetWriteDeadline(time.Time{})
	ws, err := websocket.Accept(w, q.Request, nil)
	if err != nil {
		return nil // Accept has answered
	}
	defer ws.CloseNow()
	var watch sync.WaitGroup
	watch.Go(func() {
		if err := q.untilForbidden(ctx); err != nil {
			s.Logger.Info("console ended", "vm", id.String(), "principal", q.principal.ObjectID, "err", err)
			ws.Close(websocket.StatusPolicyViolation, err.Code) //nolint:errcheck // it ends all the same
			cancel()
		}
	})
	defer watch.Wait()
	defer cancel()
	if err := join(ctx, port, client{websocket.NetConn(ctx, ws, websocket.MessageBinary), ws}); err != nil {
		s.Logger.Debug("console ended", "vm", id.String(), "err", err)
	}
	return nil
}

// untilForbidden waits until the principal may not do any more what the request
// asks for, or the resource is gone; nil when ctx ends before.
func (q *request) untilForbidden(ctx context.Context) *arm.Error {
	t := time.NewTicker(q.s.ConsoleCheck)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
		}
		if ae, ok := errors.AsType[*arm.Error](q.still()); ok && ae.Status < http.StatusInternalServerError {
			return ae
		}
	}
}

// still is nil if the request would be allowed now.
func (q *request) still() error {
	token, err := q.bearer()
	if err != nil {
		return err
	}
	if err := q.s.Identity.Stands(q.Context(), token); err != nil {
		return err
	}
	_, err = q.machine()
	return err
}

// client is a websocket as a stream. Its end is said to the other side, where
// that of the stream alone would break off a read that waits, and with it the
// connection.
type client struct {
	io.ReadWriter
	ws *websocket.Conn
}

func (c client) Close() error { return c.ws.Close(websocket.StatusNormalClosure, "") }

// join copies between the serial port and the client until one of them ends or
// ctx does, and waits for both directions.
func join(ctx context.Context, port, client io.ReadWriteCloser) error {
	ended := make(chan error, 2)
	pipe := func(to io.Writer, from io.Reader) {
		_, err := io.Copy(to, from)
		ended <- err
	}
	go pipe(port, client)
	go pipe(client, port)
	select {
	case <-ctx.Done(): // which ends the client's direction by itself
		port.Close()
		return errors.Join(<-ended, <-ended)
	case first := <-ended:
		port.Close()
		client.Close()
		return errors.Join(first, <-ended)
	}
}
