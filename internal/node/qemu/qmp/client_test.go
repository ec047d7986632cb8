package qmp

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const greeting = `{"QMP": {"version": {"qemu": {"micro": 22, "minor": 2, "major": 7}}, "capabilities": ["oob"]}}`

// asked is a command as the fake server reads it.
type asked struct {
	Execute   string         `json:"execute"`
	Arguments map[string]any `json:"arguments"`
	ID        uint64         `json:"id"`
}

// server is the other end of a connection, driven line by line by a test.
type server struct {
	t    *testing.T
	conn net.Conn
	r    *bufio.Reader
}

func newServer(t *testing.T) (*server, net.Conn) {
	ours, theirs := net.Pipe()
	t.Cleanup(func() { ours.Close() })
	return &server{t: t, conn: ours, r: bufio.NewReader(ours)}, theirs
}

func (s *server) say(format string, args ...any) {
	fmt.Fprintf(s.conn, format+"\r\n", args...)
}

func (s *server) hear() asked {
	line, err := s.r.ReadBytes('\n')
	if err != nil {
		return asked{}
	}
	var a asked
	if err := json.Unmarshal(line, &a); err != nil {
		s.t.Errorf("client sent %q: %v", line, err)
	}
	return a
}

// open does what every connection begins with, and then runs script.
func open(t *testing.T, script func(*server)) *Client {
	s, conn := newServer(t)
	var wg sync.WaitGroup
	wg.Go(func() {
		s.say(greeting)
		a := s.hear()
		if a.Execute != "qmp_capabilities" {
			t.Errorf("first command = %q", a.Execute)
		}
		s.say(`{"return": {}, "id": %d}`, a.ID)
		script(s)
	})
	c, err := New(t.Context(), conn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close(); wg.Wait() })
	return c
}

func TestAnswersOutOfOrder(t *testing.T) {
	const n = 8
	c := open(t, func(s *server) {
		var all []asked
		for range n {
			all = append(all, s.hear())
		}
		for i := range all {
			a := all[len(all)-1-i]
			s.say(`{"return": {"name": %q}, "id": %d}`, a.Arguments["name"], a.ID)
		}
	})
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			name := fmt.Sprint("caller ", i)
			var out struct{ Name string }
			if err := c.Do(t.Context(), "echo", map[string]string{"name": name}, &out); err != nil {
				t.Error(err)
			}
			if out.Name != name {
				t.Errorf("%s was answered %q", name, out.Name)
			}
		})
	}
	wg.Wait()
}

func TestRefusal(t *testing.T) {
	c := open(t, func(s *server) {
		s.say(`{"error": {"class": "DeviceNotFound", "desc": "Device 'x' not found"}, "id": %d}`, s.hear().ID)
		s.say(`{"return": {}, "id": %d}`, s.hear().ID)
	})
	err := c.Do(t.Context(), "device_del", map[string]string{"id": "x"}, nil)
	var refused *Error
	if !errors.As(err, &refused) || refused.Class != "DeviceNotFound" {
		t.Fatalf("err = %v, want a DeviceNotFound", err)
	}
	if got, want := err.Error(), "qmp: device_del: Device 'x' not found"; got != want {
		t.Errorf("err = %q, want %q", got, want)
	}
	if err := c.Do(t.Context(), "stop", nil, nil); err != nil {
		t.Errorf("the command after a refused one: %v", err)
	}
}

func TestEventsBetweenAnswers(t *testing.T) {
	c := open(t, func(s *server) {
		a := s.hear()
		s.say(`{"event": "STOP", "timestamp": {"seconds": 10, "microseconds": 5}}`)
		s.say(`{"event": "RESET", "data": {"guest": true}, "timestamp": {"seconds": 11, "microseconds": 0}}`)
		s.say(`{"return": {}, "id": %d}`, a.ID)
		s.conn.Close()
	})
	if err := c.Do(t.Context(), "stop", nil, nil); err != nil {
		t.Fatal(err)
	}
	<-c.Done()
	var got []string
	<-c.Ready()
	for _, ev := range c.Events() {
		got = append(got, fmt.Sprint(ev.Name, " ", ev.At.UnixMicro(), " ", string(ev.Data)))
	}
	want := []string{"STOP 10000005 ", `RESET 11000000 {"guest": true}`}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestFloodOfEvents is a QEMU that says more than anyone reads.
func TestFloodOfEvents(t *testing.T) {
	data := `"` + strings.Repeat("x", 1<<20) + `"`
	const n = 2 * maxWaiting >> 20
	c := open(t, func(s *server) {
		a := s.hear()
		for range n {
			s.say(`{"event": "E", "data": %s, "timestamp": {"seconds": 1, "microseconds": 0}}`, data)
		}
		s.say(`{"return": {}, "id": %d}`, a.ID)
	})
	if err := c.Do(t.Context(), "query-status", nil, nil); !errors.Is(err, ErrClosed) || !strings.Contains(err.Error(), errFlood.Error()) {
		t.Errorf("err = %v, want one about the flood", err)
	}
	if got := len(c.Events()); got == 0 || got > maxWaiting>>20 {
		t.Errorf("%d MiB of events wait, want some, and no more than %d", got, maxWaiting>>20)
	}
}

// TestEventsThatAreTakenAreNoFlood is as many events, which are read.
func TestEventsThatAreTakenAreNoFlood(t *testing.T) {
	data := `"` + strings.Repeat("x", 1<<20) + `"`
	const n = 2 * maxWaiting >> 20
	c := open(t, func(s *server) {
		for range n {
			a := s.hear()
			s.say(`{"event": "E", "data": %s, "timestamp": {"seconds": 1, "microseconds": 0}}`, data)
			s.say(`{"return": {}, "id": %d}`, a.ID)
		}
	})
	for i := range n {
		if err := c.Do(t.Context(), "query-status", nil, nil); err != nil {
			t.Fatal(err)
		}
		if got := len(c.Events()); got != 1 {
			t.Errorf("%d events with answer %d, want 1", got, i)
		}
	}
}

func TestContextEndsWait(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	c := open(t, func(s *server) {
		late := s.hear()
		cancel()
		next := s.hear()
		s.say(`{"return": {"from": "late"}, "id": %d}`, late.ID)
		s.say(`{"return": {"from": "next"}, "id": %d}`, next.ID)
	})
	if err := c.Do(ctx, "slow", nil, nil); !errors.Is(err, context.Canceled) {
		t.Fatalf("err = %v, want canceled", err)
	}
	var out struct{ From string }
	if err := c.Do(t.Context(), "next", nil, &out); err != nil || out.From != "next" {
		t.Errorf("the next command got %q, %v", out.From, err)
	}
}

func TestEndOfConnection(t *testing.T) {
	tests := map[string]func(s *server){
		"closed":       func(s *server) { s.hear(); s.conn.Close() },
		"garbage":      func(s *server) { s.hear(); s.say("what?") },
		"half a line":  func(s *server) { s.hear(); fmt.Fprint(s.conn, `{"return"`); s.conn.Close() },
		"endless line": func(s *server) { s.hear(); endless(s.conn) },
	}
	for name, script := range tests {
		t.Run(name, func(t *testing.T) {
			c := open(t, script)
			if err := c.Do(t.Context(), "stop", nil, nil); !errors.Is(err, ErrClosed) {
				t.Errorf("waiting command: %v, want ErrClosed", err)
			}
			<-c.Done()
			if err := c.Do(t.Context(), "cont", nil, nil); !errors.Is(err, ErrClosed) {
				t.Errorf("later command: %v, want ErrClosed", err)
			}
		})
	}
}

func endless(conn net.Conn) {
	chunk := []byte(strings.Repeat("x", 64<<10))
	for {
		if _, err := conn.Write(chunk); err != nil {
			return
		}
	}
}

func TestCloseEndsCommands(t *testing.T) {
	heard := make(chan struct{})
	c := open(t, func(s *server) { s.hear(); close(heard) })
	go func() { <-heard; c.Close() }()
	if err := c.Do(t.Context(), "stop", nil, nil); !errors.Is(err, ErrClosed) {
		t.Errorf("err = %v, want ErrClosed", err)
	}
}

func TestGreeting(t *testing.T) {
	tests := map[string]func(s *server){
		"not a greeting": func(s *server) { s.say(`{"return": {}}`) },
		"not JSON":       func(s *server) { s.say("SSH-2.0") },
		"closed":         func(s *server) { s.conn.Close() },
		"refuses": func(s *server) {
			s.say(greeting)
			s.say(`{"error": {"class": "GenericError", "desc": "no"}, "id": %d}`, s.hear().ID)
		},
	}
	for name, script := range tests {
		t.Run(name, func(t *testing.T) {
			s, conn := newServer(t)
			go script(s)
			if c, err := New(t.Context(), conn); err == nil {
				c.Close()
				t.Error("New succeeded")
			}
		})
	}
	t.Run("none until the deadline", func(t *testing.T) {
		_, conn := newServer(t)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := New(ctx, conn); !errors.Is(err, context.Canceled) {
			t.Errorf("err = %v, want canceled", err)
		}
	})
}
