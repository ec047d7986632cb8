package dhcp

import (
	"errors"
	"fmt"
	"net"
)

// maxErrors is how many reads may go wrong one after another: a device that is
// down or gone makes one error, a broken socket makes nothing else.
const maxErrors = 16

// Serve answers what comes in by conn, the socket of one port, until conn is
// closed. lease says what holds now; allow bounds how often it is answered.
func Serve(conn net.PacketConn, lease func() Lease, allow func() bool) error {
	buf := make([]byte, mtu)
	for broken := 0; ; {
		n, _, err := conn.ReadFrom(buf)
		switch {
		case errors.Is(err, net.ErrClosed):
			return nil
		case err != nil:
			if broken++; broken >= maxErrors {
				return fmt.Errorf("read dhcp: %w", err)
			}
			continue
		}
		broken = 0
		if !allow() {
			continue
		}
		if reply, to := lease().Answer(buf[:n]); reply != nil {
			// A lost answer is asked for again.
			_, _ = conn.WriteTo(reply, to)
		}
	}
}
