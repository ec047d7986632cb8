package qemu

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
)

// backlog is how much a console that reads slowly may lag behind, in chunks;
// what does not fit is lost to it. The guest never waits for a reader.
const backlog = 256

// sharedConsole is the serial port of one machine, shared by all who have it
// open: each reads all, and what anyone writes is typed. QEMU serves one
// connection at a time, which lasts from the first reader to the last.
type sharedConsole struct {
	mu      sync.Mutex
	conn    net.Conn
	readers map[*console]bool
}

// console is one end of it.
type console struct {
	shared *sharedConsole
	conn   net.Conn
	chunks chan []byte // closed, under shared.mu, when the connection ends
	rest   []byte
}

// Console opens the serial port. It reads to its end when QEMU ends.
func (d *Driver) Console(ctx context.Context, uid string) (io.ReadWriteCloser, error) {
	if _, err := d.running(uid); err != nil {
		return nil, err
	}
	m, err := d.enter(ctx, uid)
	if err != nil {
		return nil, fmt.Errorf("qemu: %w", err)
	}
	defer m.gate.leave()
	if c := m.console.join(nil); c != nil {
		return c, nil
	}
	conn, err := m.dir.dial(ctx, serialSock)
	if err != nil {
		return nil, fmt.Errorf("qemu: console: %w", err)
	}
	c := m.console.join(conn)
	d.wg.Go(func() {
		ctx, cancel := d.closeContext()
		defer cancel()
		stop := context.AfterFunc(ctx, func() { m.console.lost(conn) })
		defer stop()
		m.console.pump(conn)
	})
	return c, nil
}

// join adds a reader to the connection, or to conn if there is none. It
// returns nil when both are missing.
func (s *sharedConsole) join(conn net.Conn) *console {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conn == nil {
		if conn == nil {
			return nil
		}
		s.conn, s.readers = conn, map[*console]bool{}
	}
	c := &console{shared: s, conn: s.conn, chunks: make(chan []byte, backlog)}
	s.readers[c] = true
	return c
}

// pump hands what the guest writes to all readers until the connection ends.
func (s *sharedConsole) pump(conn net.Conn) {
	buf := make([]byte, 4096)
	for {
		n, err := conn.Read(buf)
		if err != nil {
			s.lost(conn)
			return
		}
		s.spread(append([]byte(nil), buf[:n]...))
	}
}

func (s *sharedConsole) spread(chunk []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.readers {
		select {
		case c.chunks <- chunk:
		default:
		}
	}
}

// lost ends all readers of conn.
func (s *sharedConsole) lost(conn net.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conn != conn {
		return
	}
	conn.Close()
	for c := range s.readers {
		close(c.chunks)
	}
	s.conn, s.readers = nil, nil
}

// end ends all readers.
func (s *sharedConsole) end() {
	s.mu.Lock()
	conn := s.conn
	s.mu.Unlock()
	if conn != nil {
		s.lost(conn)
	}
}

// Read waits for what the guest writes.
func (c *console) Read(p []byte) (int, error) {
	if len(c.rest) == 0 {
		chunk, ok := <-c.chunks
		if !ok {
			return 0, io.EOF
		}
		c.rest = chunk
	}
	n := copy(p, c.rest)
	c.rest = c.rest[n:]
	return n, nil
}

// Write types into the guest.
func (c *console) Write(p []byte) (int, error) {
	n, err := c.conn.Write(p)
	if errors.Is(err, net.ErrClosed) {
		err = io.ErrClosedPipe
	}
	return n, err
}

// Close leaves the console; the last one to leave hangs up.
func (c *console) Close() error {
	s := c.shared
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.readers[c] {
		return nil
	}
	delete(s.readers, c)
	close(c.chunks)
	if len(s.readers) == 0 {
		s.conn, s.readers = nil, nil
		return c.conn.Close()
	}
	return nil
}
