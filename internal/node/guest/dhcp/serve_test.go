package dhcp

import (
	"errors"
	"net"
	"testing"

	"github.com/insomniacslk/dhcp/dhcpv4"
)

// script is a socket that reads what it was given and keeps what is written.
type script struct {
	net.PacketConn
	reads [][]byte // nil is an error
	wrote int
}

var errDown = errors.New("network is down")

func (s *script) ReadFrom(b []byte) (int, net.Addr, error) {
	if len(s.reads) == 0 {
		return 0, nil, net.ErrClosed
	}
	r := s.reads[0]
	s.reads = s.reads[1:]
	if r == nil {
		return 0, nil, errDown
	}
	return copy(b, r), &net.UDPAddr{}, nil
}

func (s *script) WriteTo(b []byte, _ net.Addr) (int, error) {
	s.wrote++
	return len(b), errDown
}

func TestServe(t *testing.T) {
	q := question(t, dhcpv4.MessageTypeDiscover).ToBytes()
	junk := []byte("not DHCP")
	tests := map[string]struct {
		reads [][]byte
		wrote int
		err   error
	}{
		"closed":                      {nil, 0, nil},
		"one answer each":             {[][]byte{q, junk, q}, 2, nil},
		"a device goes down for once": {[][]byte{nil, nil, q}, 1, nil},
		"not more than is allowed":    {[][]byte{q, q, q, q, q, q}, 4, nil},
		"a socket that only fails":    {make([][]byte, maxErrors), 0, errDown},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			conn, budget := &script{reads: tt.reads}, 4
			allow := func() bool { budget--; return budget >= 0 }
			err := Serve(conn, func() Lease { return testLease(t) }, allow)
			if !errors.Is(err, tt.err) || conn.wrote != tt.wrote {
				t.Errorf("err %v, %d answers, want %v, %d", err, conn.wrote, tt.err, tt.wrote)
			}
		})
	}
}
