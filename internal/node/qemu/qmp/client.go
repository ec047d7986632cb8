// Package qmp speaks QEMU's monitor protocol over a connection that someone
// else dialled. It matches answers to commands by their ids and hands on
// events; it knows no command but qmp_capabilities, and nothing of machines.
//
// One goroutine owns the connection; any number of goroutines may call Do.
package qmp

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"lazuli/internal/node/qemu/mailbox"
)

// ErrClosed is the error of commands that QEMU will not answer any more,
// because it is gone or Close was called.
var ErrClosed = errors.New("monitor is closed")

// maxWaiting bounds what waits to be taken by Events, in bytes. Of a QEMU that a
// guest took over, or makes say the same again and again, no more is believed
// than there is room for.
const maxWaiting = 8 << 20

// eventBytes is what an event takes besides its data.
const eventBytes = 128

var errFlood = errors.New("more events than anyone reads")

// writeTimeout bounds one write. QEMU reads commands at once unless it hangs.
const writeTimeout = 10 * time.Second

// Client is a connection to one QEMU.
type Client struct {
	conn     net.Conn
	commands chan *command
	messages chan message
	events   *mailbox.Mailbox[Event]
	waiting  atomic.Int64 // bytes in events
	quit     chan struct{}
	once     sync.Once
	done     chan struct{} // closed when run has ended; err is set before
	err      error
}

type command struct {
	name  string
	args  json.RawMessage
	reply chan reply
}

type reply struct {
	result json.RawMessage
	err    error
}

// New takes over conn, which Close closes, also when New fails. It returns
// when QEMU accepts commands.
func New(ctx context.Context, conn net.Conn) (*Client, error) {
	r := bufio.NewReaderSize(conn, 16<<10)
	if err := greet(ctx, conn, r); err != nil {
		conn.Close()
		return nil, fmt.Errorf("qmp: greeting: %w", err)
	}
	c := &Client{
		conn:     conn,
		commands: make(chan *command),
		messages: make(chan message),
		events:   mailbox.New[Event](),
		quit:     make(chan struct{}),
		done:     make(chan struct{}),
	}
	go c.run(r)
	if err := c.Do(ctx, "qmp_capabilities", nil, nil); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

func greet(ctx context.Context, conn net.Conn, r *bufio.Reader) error {
	stop := context.AfterFunc(ctx, func() { conn.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	m, err := readMessage(r)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		return err
	}
	if m.Greeting == nil {
		return errors.New("not a greeting")
	}
	return nil
}

// Do runs a command. args is marshalled to its arguments, nil for none; the
// answer is stored in out unless that is nil. QEMU's refusal is an *Error.
// A command whose context ends may still be carried out.
func (c *Client) Do(ctx context.Context, name string, args, out any) error {
	cmd := &command{name: name, reply: make(chan reply, 1)}
	if args != nil {
		var err error
		if cmd.args, err = json.Marshal(args); err != nil {
			return fmt.Errorf("qmp: %s: %w", name, err)
		}
	}
	select {
	case c.commands <- cmd:
	case <-c.done:
		return fmt.Errorf("qmp: %s: %w", name, c.err)
	case <-ctx.Done():
		return fmt.Errorf("qmp: %s: %w", name, ctx.Err())
	}
	var rep reply
	select {
	case rep = <-cmd.reply:
	case <-ctx.Done():
		return fmt.Errorf("qmp: %s: %w", name, ctx.Err())
	}
	if rep.err != nil {
		return fmt.Errorf("qmp: %s: %w", name, rep.err)
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(rep.result, out); err != nil {
		return fmt.Errorf("qmp: %s: decode: %w", name, err)
	}
	return nil
}

// Events takes what QEMU told since the last call. Every event that came
// before the answer to a command is there when Do returns.
func (c *Client) Events() []Event {
	all := c.events.Take()
	for _, e := range all {
		c.waiting.Add(-e.size())
	}
	return all
}

// Ready delivers when there are events to take.
func (c *Client) Ready() <-chan struct{} { return c.events.Ready() }

// Done is closed when the connection has ended. No event comes after it.
func (c *Client) Done() <-chan struct{} { return c.done }

// Close ends the connection and returns when all its goroutines have ended.
func (c *Client) Close() {
	c.once.Do(func() { close(c.quit) })
	<-c.done
}
