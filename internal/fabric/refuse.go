package fabric

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"sync/atomic"
	"time"
)

// RefusedError says that the two ends of a link do not accept each other. It
// stays so until a person does something.
type RefusedError struct {
	// Advice says what.
	Advice string
	Err    error
}

func (e *RefusedError) Error() string { return fmt.Sprintf("%v. %s", e.Err, e.Advice) }

// Unwrap is what TLS says.
func (e *RefusedError) Unwrap() error { return e.Err }

const (
	weAreRefused   = "The control plane does not accept this node's certificate: it has expired, or is of another cloud. Make a new join file where the control plane runs, with 'lazuli server join', and start this node with it"
	theyAreRefused = "What answers there is not the control plane that made this node's join file. Look at the address in it, or make a new one where the control plane runs, with 'lazuli server join'"
)

// explain says what is to be done about err, if it is a refusal.
func explain(err error) error {
	// What the other end says of TLS has no type of its own.
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "remote error" {
		return &RefusedError{weAreRefused, err}
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return &RefusedError{theyAreRefused, err}
	}
	if _, ok := errors.AsType[x509.HostnameError](err); ok {
		return &RefusedError{theyAreRefused, err}
	}
	return err
}

// frankConn remembers why reading from it ended: a control plane says that it
// refuses a node only after the node's handshake is over, and what runs over
// the connection makes "session shutdown" of it.
type frankConn struct {
	net.Conn
	end atomic.Pointer[error]
}

func (c *frankConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if err != nil {
		c.end.CompareAndSwap(nil, &err)
	}
	return n, err
}

// why is err, or the refusal that is behind it.
func (c *frankConn) why(err error) error {
	end := c.end.Load()
	if err == nil || end == nil {
		return err
	}
	if refused, ok := errors.AsType[*RefusedError](explain(*end)); ok {
		return refused
	}
	return err
}

// lingerTime is how long a connection that was refused is still read from.
const lingerTime = time.Second

// linger ends a connection so that the other end hears why: what it still sends
// to one that is closed would have its kernel throw the reason away.
func linger(conn *tls.Conn) {
	tcp, ok := conn.NetConn().(*net.TCPConn)
	if !ok {
		return
	}
	if err := errors.Join(tcp.CloseWrite(), tcp.SetReadDeadline(time.Now().Add(lingerTime))); err != nil {
		return
	}
	io.Copy(io.Discard, tcp) //nolint:errcheck // it has been told
}
