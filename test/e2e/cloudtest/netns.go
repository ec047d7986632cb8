package cloudtest

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"sync/atomic"
	"testing"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
)

// Host is a network namespace that plays a whole machine's network: a cloud
// runs in it and touches nothing outside.
type Host struct {
	Name string
	ns   netns.NsHandle
}

var hosts atomic.Int64 // made so far

// NewHost makes a namespace with a loopback interface, and takes it away when
// the test ends.
func NewHost(t testing.TB) *Host {
	t.Helper()
	h := &Host{Name: fmt.Sprintf("lze2e-%d-%d", os.Getpid(), hosts.Add(1))}
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
		ns, err := netns.NewNamed(h.Name)
		if err == nil {
			h.ns = ns
			err = loopbackUp()
		}
		done <- err
	}()
	if err := <-done; err != nil {
		t.Fatalf("make network namespace: %v", err)
	}
	t.Cleanup(func() {
		h.ns.Close()
		netns.DeleteNamed(h.Name) //nolint:errcheck // a leak is found by the tests that look for it
	})
	return h
}

func loopbackUp() error {
	lo, err := netlink.LinkByName("lo")
	if err != nil {
		return err
	}
	return netlink.LinkSetUp(lo)
}

// Do runs f on a thread that is in the namespace.
func (h *Host) Do(f func() error) error {
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // never unlocked
		if err := netns.Set(h.ns); err != nil {
			done <- err
			return
		}
		done <- f()
	}()
	return <-done
}

// DialContext connects from the namespace.
func (h *Host) DialContext(ctx context.Context, network, addr string) (conn net.Conn, err error) {
	err = h.Do(func() error {
		var derr error
		conn, derr = (&net.Dialer{}).DialContext(ctx, network, addr)
		return derr
	})
	return conn, err
}

// Command makes a command that will run in the namespace. Its mounts are those
// of the test, unlike with 'ip netns exec': namespaces that it makes are seen.
func (h *Host) Command(ctx context.Context, name string, args ...string) *exec.Cmd {
	return exec.CommandContext(ctx, "nsenter", append([]string{"--net=/run/netns/" + h.Name, name}, args...)...)
}
