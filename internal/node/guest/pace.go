package guest

import (
	"context"
	"net"

	"golang.org/x/time/rate"
)

// How fast the services of one network read what comes to a socket, whoever it
// is from. The quota of a port says what is answered; this is what it costs the
// host to look at what is not. What comes faster waits in the socket's buffer,
// and what does not fit there is lost, which costs next to nothing.
const (
	queriesReadPerSecond, queriesReadBurst   = 4000, 1000 // DNS, all ports of a network
	leasesReadPerSecond, leasesReadBurst     = 100, 50    // DHCP, of one port
	connectionsPerSecond, connectionsAtFirst = 500, 200
)

// pacedPackets reads no faster than its limit.
type pacedPackets struct {
	net.PacketConn
	limit *rate.Limiter
}

func paced(c net.PacketConn, perSecond, burst int) net.PacketConn {
	return &pacedPackets{c, rate.NewLimiter(rate.Limit(perSecond), burst)}
}

// ReadFrom waits for its turn, which is never long, so that nobody has to wake
// it.
func (p *pacedPackets) ReadFrom(b []byte) (int, net.Addr, error) {
	if err := p.limit.Wait(context.Background()); err != nil {
		return 0, nil, err
	}
	return p.PacketConn.ReadFrom(b)
}
