package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"net/url"
)

// line is a connection to the API for one client, which sends a request and
// reads the answer. It is for measuring what the server can do: net/http's own
// client has two goroutines more for each connection, and would take from the
// processors that both share nearly half as much as the server.
type line struct {
	conn *tls.Conn
	in   *bufio.Reader
	host string
	auth string
}

// dial connects to the API.
func (a *client) dial(ctx context.Context) (*line, error) {
	u, err := url.Parse(a.admin.Endpoint)
	if err != nil {
		return nil, err
	}
	transport := a.http.Transport.(*http.Transport)
	raw, err := transport.DialContext(ctx, "tcp", u.Host)
	if err != nil {
		return nil, err
	}
	conf := transport.TLSClientConfig.Clone()
	conf.ServerName, conf.NextProtos = u.Hostname(), []string{"http/1.1"}
	conn := tls.Client(raw, conf)
	return &line{conn, bufio.NewReader(conn), u.Host, "Bearer " + a.token}, nil
}

// ask makes a request and returns the status and the body of the answer.
func (l *line) ask(method, path, body string) (status int, answer []byte, err error) {
	_, err = fmt.Fprintf(l.conn, "%s %s?api-version=2024-07-01 HTTP/1.1\r\nHost: %s\r\nAuthorization: %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
		method, path, l.host, l.auth, len(body), body)
	if err != nil {
		return 0, nil, err
	}
	resp, err := http.ReadResponse(l.in, nil)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	answer, err = io.ReadAll(resp.Body)
	return resp.StatusCode, answer, err
}

func (l *line) Close() error { return l.conn.Close() }
