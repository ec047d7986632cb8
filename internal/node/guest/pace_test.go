package guest

import (
	"net"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"
)

// endless is a socket that has always something more.
type endless struct {
	net.PacketConn
	net.Listener
	reads int
}

func (e *endless) Close() error { return nil }

func (e *endless) ReadFrom([]byte) (int, net.Addr, error) {
	e.reads++
	return 0, nil, nil
}

func (e *endless) Accept() (net.Conn, error) {
	e.reads++
	ours, theirs := net.Pipe()
	theirs.Close()
	return &from{ours}, nil
}

type from struct{ net.Conn }

func (from) RemoteAddr() net.Addr {
	return net.TCPAddrFromAddrPort(netip.MustParseAddrPort("10.0.0.4:1"))
}

// However much comes, a socket is read so often in a second and no more.
func TestPace(t *testing.T) {
	const seconds = 3
	tests := map[string]struct {
		perSecond, burst int
		read             func(*endless) func()
	}{
		"packets": {1000, 10, func(e *endless) func() {
			c := paced(e, 1000, 10)
			return func() { c.ReadFrom(nil) }
		}},
		"connections": {connectionsPerSecond, connectionsAtFirst, func(e *endless) func() {
			l := newListener(e, func(netip.Addr) (func(), bool) { return func() {}, true })
			return func() {
				if c, err := l.Accept(); err == nil {
					c.Close()
				}
			}
		}},
		"connections that are turned away": {connectionsPerSecond, connectionsAtFirst, func(e *endless) func() {
			n := 0
			l := newListener(e, func(netip.Addr) (func(), bool) { n++; return func() {}, n%100 == 0 })
			return func() { l.Accept() }
		}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e := &endless{}
				read, began := tt.read(e), time.Now()
				for time.Since(began) < seconds*time.Second {
					read()
				}
				if most := tt.burst + seconds*tt.perSecond; e.reads > most+200 || e.reads < most-200 {
					t.Errorf("%d were read in %d s, want about %d", e.reads, seconds, most)
				}
			})
		})
	}
}
