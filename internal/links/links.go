// Package links reads templates and parameters that deployments name by their
// address, from places that the cloud's operator allows.
//
// What an address leads to is foreign: it is read within limits, and never
// from this host or its links unless the operator named them. The package
// knows no template.
package links

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"path"
	"slices"
	"strings"
	"syscall"
	"time"
)

// Limits of one link.
const (
	maxBytes     = 4 << 20
	maxTime      = 20 * time.Second
	maxRedirects = 3
)

// Reader reads links.
type Reader struct {
	allowed []*url.URL
	client  *http.Client
}

// New makes a Reader of what lies below the allowed addresses:
// "https://templates.example.org/stable/".
func New(allowed []string) (*Reader, error) {
	r := &Reader{}
	for _, a := range allowed {
		u, err := url.Parse(a)
		if err != nil || !isWeb(u) || u.RawQuery != "" {
			return nil, fmt.Errorf("'%s' is no address that templates can be linked from: it looks like https://host/path/", a)
		}
		r.allowed = append(r.allowed, u)
	}
	r.client = &http.Client{
		Timeout:       maxTime,
		CheckRedirect: r.checkRedirect,
		Transport:     &http.Transport{DialContext: dial, MaxIdleConns: 8, IdleConnTimeout: 10 * time.Second, MaxResponseHeaderBytes: 64 << 10},
	}
	return r, nil
}

func isWeb(u *url.URL) bool {
	return (u.Scheme == "http" || u.Scheme == "https") && u.Hostname() != "" && u.User == nil
}

// Read is what the address leads to.
func (r *Reader) Read(ctx context.Context, address string) ([]byte, error) {
	u, err := url.Parse(address)
	if err != nil || !isWeb(u) {
		return nil, errors.New("it is no http or https address")
	}
	if !r.allows(u) {
		return nil, errors.New("this cloud is not told to read templates from there; its operator can allow it by --template-source")
	}
	q, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, errors.New("it is no http or https address")
	}
	resp, err := r.client.Do(q)
	if err != nil {
		return nil, plain(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the server answered with status %d", resp.StatusCode)
	}
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxBytes+1))
	if err != nil {
		return nil, plain(err)
	}
	if len(text) > maxBytes {
		return nil, fmt.Errorf("it is larger than %d bytes", maxBytes)
	}
	return text, nil
}

// plain is an error without the address, whose query may be a secret.
func plain(err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		if u.Timeout() {
			return errors.New("the server did not answer in time")
		}
		return u.Err
	}
	return err
}

// allows says whether the address is below one that is allowed.
func (r *Reader) allows(u *url.URL) bool {
	return isWeb(u) && slices.ContainsFunc(r.allowed, func(a *url.URL) bool {
		return a.Scheme == u.Scheme && strings.EqualFold(a.Hostname(), u.Hostname()) && port(a) == port(u) && below(a.Path, u.Path)
	})
}

func port(u *url.URL) string {
	if p := u.Port(); p != "" {
		return p
	}
	return map[string]string{"http": "80", "https": "443"}[u.Scheme]
}

// below says whether a path is top or below it, whatever dots are in it.
func below(top, p string) bool {
	if strings.Contains(p, "\\") {
		return false
	}
	top, p = strings.TrimSuffix(path.Clean("/"+top), "/"), path.Clean("/"+p)
	return p == top || strings.HasPrefix(p, top+"/")
}

func (r *Reader) checkRedirect(next *http.Request, via []*http.Request) error {
	if len(via) > maxRedirects {
		return fmt.Errorf("it leads on more than %d times", maxRedirects)
	}
	if !r.allows(next.URL) {
		return errors.New("it leads to a place that this cloud is not told to read templates from")
	}
	return nil
}

// dial connects to a host. A name does not lead to this host or its link:
// whoever owns the name could let it. The operator can allow the address itself.
func dial(ctx context.Context, network, addr string) (net.Conn, error) {
	d := net.Dialer{Timeout: maxTime / 2}
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	if _, err := netip.ParseAddr(host); err != nil && !strings.EqualFold(host, "localhost") {
		d.ControlContext = func(_ context.Context, _, to string, _ syscall.RawConn) error { return checkAddress(to) }
	}
	return d.DialContext(ctx, network, addr)
}

var errHere = errors.New("its name leads to this host or its own link")

func checkAddress(to string) error {
	at, err := netip.ParseAddrPort(to)
	if err != nil {
		return err
	}
	ip := at.Addr().Unmap()
	if ip.IsLoopback() || ip.IsLinkLocalUnicast() || ip.IsUnspecified() || ip.IsMulticast() || ip.IsInterfaceLocalMulticast() {
		return errHere
	}
	own, err := net.InterfaceAddrs()
	if err != nil {
		return err
	}
	for _, a := range own {
		if p, err := netip.ParsePrefix(a.String()); err == nil && p.Addr().Unmap() == ip {
			return errHere
		}
	}
	return nil
}
