package qga

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"time"
)

// What a guest may send.
const (
	// MaxReply bounds one answer. Nothing that is asked for needs half of it.
	MaxReply = 256 << 10
	// maxStale bounds what is skipped until the answers are those to what is
	// asked now: the answers to questions of an earlier connection.
	maxStale = 4 << 20
)

// sentinel is no byte of UTF-8: before a request it has the agent drop what it
// has half read, before an answer it is where ours begins.
const sentinel = 0xff

// Client asks one agent. It is for one goroutine at a time. After an error that
// is no *Error it does not know which answers are on their way: Sync must be
// called next.
type Client struct {
	conn net.Conn
	in   *bufio.Reader
}

// New makes a client of a connection to the agent's port. Sync must be called
// first.
func New(conn net.Conn) *Client {
	return &Client{conn: conn, in: bufio.NewReaderSize(conn, MaxReply)}
}

// Close closes the connection.
func (c *Client) Close() error { return c.conn.Close() }

// Error is what the agent says when it refuses.
type Error struct {
	Class string `json:"class"`
	Desc  string `json:"desc"`
}

// maxDesc bounds what people are shown of a guest's words.
const maxDesc = 200

func (e *Error) Error() string {
	return fmt.Sprintf("the guest's agent refuses: %.*q", maxDesc, e.Desc)
}

// ErrReply says that the agent's answer is none.
var ErrReply = errors.New("the guest's agent answers nonsense")

// Sync finds out that the agent answers, and where its answers to what is asked
// next begin.
func (c *Client) Sync(ctx context.Context) error {
	defer c.bound(ctx)()
	id, err := newID()
	if err != nil {
		return err
	}
	if err := c.send([]byte{sentinel}, "guest-sync-delimited", map[string]int64{"id": id}); err != nil {
		return c.why(ctx, err)
	}
	for skipped := 0; skipped < maxStale; {
		n, err := c.skip()
		skipped += n
		if err != nil {
			return c.why(ctx, err)
		}
		line, err := c.line()
		if err != nil {
			return c.why(ctx, err)
		}
		skipped += len(line)
		var got int64
		if parse(line, &got) == nil && got == id {
			return nil
		}
	}
	return fmt.Errorf("%w: it does not come to an end", ErrReply)
}

// newID makes an id that no earlier question had, as far as anyone can tell.
func newID() (int64, error) {
	var b [4]byte
	if _, err := rand.Read(b[:]); err != nil {
		return 0, err
	}
	return int64(binary.NativeEndian.Uint32(b[:])), nil
}

// skip drops what comes before the sentinel, and it.
func (c *Client) skip() (n int, err error) {
	for {
		part, err := c.in.ReadSlice(sentinel)
		n += len(part)
		if !errors.Is(err, bufio.ErrBufferFull) {
			return n, err
		}
		if n >= maxStale {
			return n, fmt.Errorf("%w: it does not come to an end", ErrReply)
		}
	}
}

// Do asks, and reads the answer into out, unless that is nil.
func (c *Client) Do(ctx context.Context, name string, args, out any) error {
	defer c.bound(ctx)()
	if err := c.send(nil, name, args); err != nil {
		return c.why(ctx, err)
	}
	line, err := c.line()
	if err != nil {
		return c.why(ctx, err)
	}
	return parse(line, out)
}

// bound has reads and writes end with ctx.
func (c *Client) bound(ctx context.Context) (free func() bool) {
	c.conn.SetDeadline(time.Time{}) //nolint:errcheck // what comes next says it
	return context.AfterFunc(ctx, func() {
		c.conn.SetDeadline(time.Unix(1, 0)) //nolint:errcheck // it is closed, then
	})
}

// why prefers the end of ctx to what it led to.
func (c *Client) why(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("ask the guest's agent: %w", ctx.Err())
	}
	return fmt.Errorf("ask the guest's agent: %w", err)
}

type request struct {
	Execute   string `json:"execute"`
	Arguments any    `json:"arguments,omitempty"`
}

func (c *Client) send(before []byte, name string, args any) error {
	b, err := json.Marshal(request{name, args})
	if err != nil {
		return err
	}
	_, err = c.conn.Write(append(append(before, b...), '\n'))
	return err
}

// line reads one answer.
func (c *Client) line() ([]byte, error) {
	b, err := c.in.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		return nil, fmt.Errorf("%w: it is longer than %d bytes", ErrReply, MaxReply)
	}
	return b, err
}

// parse reads an answer: {"return": …} or {"error": {…}}.
func parse(line []byte, out any) error {
	var r struct {
		Return json.RawMessage `json:"return"`
		Error  *Error          `json:"error"`
	}
	if err := json.Unmarshal(bytes.TrimSpace(line), &r); err != nil {
		return fmt.Errorf("%w: %w", ErrReply, err)
	}
	switch {
	case r.Error != nil:
		return r.Error
	case r.Return == nil:
		return fmt.Errorf("%w: there is nothing in it", ErrReply)
	case out == nil:
		return nil
	}
	if err := json.Unmarshal(r.Return, out); err != nil {
		return fmt.Errorf("%w: %w", ErrReply, err)
	}
	return nil
}
