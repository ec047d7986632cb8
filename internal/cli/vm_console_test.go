package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/coder/websocket"
)

func TestUntilEndKey(t *testing.T) {
	for name, c := range map[string]struct {
		in, want string
		err      error
	}{
		"no key":       {"ls\r", "ls\r", nil},
		"key":          {"ls\r\x1drm -rf /\r", "ls\r", errEnded},
		"key first":    {"\x1d", "", errEnded},
		"control keys": {"\x03\x1c\x1e", "\x03\x1c\x1e", nil},
	} {
		for way, r := range map[string]io.Reader{"at once": strings.NewReader(c.in), "by the byte": iotest.OneByteReader(strings.NewReader(c.in))} {
			u := &untilEndKey{r: r}
			got, err := io.ReadAll(u)
			if string(got) != c.want || !errors.Is(err, c.err) {
				t.Errorf("%s, %s: %q, %v; want %q, %v", name, way, got, err, c.want, c.err)
			}
			if _, err := u.Read(make([]byte, 1)); c.err != nil && !errors.Is(err, errEnded) {
				t.Errorf("%s, %s: reading on after the key gave %v", name, way, err)
			}
		}
	}
}

// serveConsole is a machine's serial port to which f is connected.
func serveConsole(t *testing.T, f func(port io.ReadWriter) websocket.StatusCode) *websocket.Conn {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ws, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		code := f(websocket.NetConn(r.Context(), ws, websocket.MessageBinary))
		_ = ws.Close(code, "")
	}))
	t.Cleanup(s.Close)
	ws, _, err := websocket.Dial(t.Context(), s.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ws.CloseNow() })
	return ws
}

func TestConverse(t *testing.T) {
	ws := serveConsole(t, func(port io.ReadWriter) websocket.StatusCode {
		line := make([]byte, len("root\r"))
		if _, err := io.ReadFull(port, line); err != nil {
			return websocket.StatusInternalError
		}
		fmt.Fprintf(port, "welcome %s", line)
		return websocket.StatusNormalClosure
	})
	var out bytes.Buffer
	if err := converse(t.Context(), ws, strings.NewReader("root\r"), &out); err != nil {
		t.Error(err)
	}
	if got := out.String(); got != "welcome root\r" {
		t.Errorf("%q was printed", got)
	}
}

func TestConverseEnds(t *testing.T) {
	untilGone := func(port io.ReadWriter) websocket.StatusCode {
		_, _ = io.Copy(io.Discard, port)
		return websocket.StatusNormalClosure
	}
	interrupted, cancel := context.WithCancel(t.Context())
	cancel()
	for name, c := range map[string]struct {
		ctx   context.Context
		port  func(io.ReadWriter) websocket.StatusCode
		typed io.Reader
		fails bool
	}{
		"end key":     {t.Context(), untilGone, strings.NewReader("ls\x1dmore"), false},
		"interrupted": {interrupted, untilGone, iotest.ErrReader(io.EOF), false},
		"port closed": {t.Context(), func(io.ReadWriter) websocket.StatusCode { return websocket.StatusInternalError }, iotest.ErrReader(io.EOF), true},
	} {
		if err := converse(c.ctx, serveConsole(t, c.port), c.typed, io.Discard); (err != nil) != c.fails {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestDialError(t *testing.T) {
	reply := func(status int, body string) *http.Response {
		return &http.Response{StatusCode: status, Status: http.StatusText(status), Body: io.NopCloser(strings.NewReader(body))}
	}
	for name, c := range map[string]struct {
		resp *http.Response
		want string
		code int
	}{
		"ARM's":    {reply(409, `{"error":{"code":"OperationNotAllowed","message":"It is off."}}`), "It is off. (OperationNotAllowed)", exitConflict},
		"another":  {reply(404, `<html>`), "the cloud answered Not Found", exitNotFound},
		"no reply": {nil, "refused", exitError},
	} {
		f := explain(t.Context(), dialError(c.resp, errors.New("refused")))
		if f.message != c.want || f.code != c.code {
			t.Errorf("%s: %q, %d; want %q, %d", name, f.message, f.code, c.want, c.code)
		}
	}
}
