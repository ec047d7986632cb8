package cloudtest

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"
)

// VM is a machine as 'lazuli vm show -o json' shows it, in part.
type VM struct {
	Name       string `json:"name"`
	ID         string `json:"id"`
	Properties struct {
		VMID              string `json:"vmId"`
		ProvisioningState string `json:"provisioningState"`
	} `json:"properties"`
}

// CreateArgs is the command that makes a machine of the tiny guest.
func (c *Cloud) CreateArgs(name string, flags ...string) []string {
	return append([]string{"vm", "create", name, "--image", "tiny", "--open-port", "7", "--ssh-key", c.key + ".pub"}, flags...)
}

// Guest is a machine that runs the tiny guest.
type Guest struct {
	c    *Cloud
	Name string
	IP   string // public
	// HostKey is what the guest proved to be at the first login.
	HostKey string

	mu    sync.Mutex
	acked map[string]int64 // the highest number heard of each disk
}

// Create makes a machine of the tiny guest, which tells of its records on port
// 7, and waits until it is ready.
func (c *Cloud) Create(name string, flags ...string) *Guest {
	c.T.Helper()
	c.Do(c.CreateArgs(name, flags...)...)
	return c.Guest(name)
}

// Guest finds a machine that exists.
func (c *Cloud) Guest(name string) *Guest {
	c.T.Helper()
	return &Guest{c: c, Name: name, IP: c.PublicIP(name), acked: map[string]int64{}}
}

// PublicIP is the machine's public address.
func (c *Cloud) PublicIP(name string) string {
	c.T.Helper()
	for _, line := range strings.Split(c.Do("vm", "show", name), "\n") {
		if ip, ok := strings.CutPrefix(line, "Public IP:"); ok {
			return strings.TrimSpace(ip)
		}
	}
	c.T.Fatalf("VM %s has no public address", name)
	return ""
}

// signer reads the key by which the test logs in.
func (c *Cloud) signer() (ssh.Signer, error) {
	b, err := os.ReadFile(c.key)
	if err != nil {
		return nil, err
	}
	return ssh.ParsePrivateKey(b)
}

// Try runs a command in the guest over SSH.
func (g *Guest) Try(command string) (string, error) {
	key, err := g.c.signer()
	if err != nil {
		return "", err
	}
	conn, err := g.dial(context.Background(), "22")
	if err != nil {
		return "", err
	}
	conn.SetDeadline(time.Now().Add(40 * time.Second)) //nolint:errcheck // the use of it says it
	cc, chans, reqs, err := ssh.NewClientConn(conn, g.IP, &ssh.ClientConfig{
		User: "azureuser", Auth: []ssh.AuthMethod{ssh.PublicKeys(key)}, HostKeyCallback: g.sameHost,
	})
	if err != nil {
		conn.Close()
		return "", err
	}
	client := ssh.NewClient(cc, chans, reqs)
	defer client.Close()
	s, err := client.NewSession()
	if err != nil {
		return "", err
	}
	defer s.Close()
	out, err := s.CombinedOutput(command)
	if err != nil {
		err = fmt.Errorf("%s: %w: %s", command, err, out)
	}
	return strings.TrimSpace(string(out)), err
}

// dial gives up early: a guest that is not up yet answers nothing, and TCP asks
// again after 1, 3, 7 and 15 seconds, long after it is.
func (g *Guest) dial(ctx context.Context, port string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	return g.c.Host.DialContext(ctx, "tcp", net.JoinHostPort(g.IP, port))
}

// sameHost takes any key the first time, and only that one from then on.
func (g *Guest) sameHost(_ string, _ net.Addr, key ssh.PublicKey) error {
	fp := ssh.FingerprintSHA256(key)
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.HostKey == "" {
		g.HostKey = fp
	}
	if g.HostKey != fp {
		return fmt.Errorf("the guest's host key was %s and is %s", g.HostKey, fp)
	}
	return nil
}

// SSH is Try until the guest answers.
func (g *Guest) SSH(command string) string {
	g.c.T.Helper()
	var out string
	g.c.Eventually("ssh "+g.Name+" "+command, func() (err error) {
		out, err = g.Try(command)
		return err
	})
	return out
}

// Status is what the guest says of itself.
type Status struct {
	Hostname   string            `json:"hostname"`
	VMID       string            `json:"vmId"`
	Boots      int               `json:"boots"`
	Addresses  []string          `json:"addresses"`
	Filesystem map[string]string `json:"fileSystems"`
	Acked      map[string]int64  `json:"acked"`
}

// Status asks the guest.
func (g *Guest) Status() Status {
	g.c.T.Helper()
	var s Status
	if out := g.SSH("status"); json.Unmarshal([]byte(out), &s) != nil {
		g.c.T.Fatalf("the guest's status is no JSON: %s", out)
	}
	return s
}

// Append has the guest append records to files on the disks ("root", "lun0"),
// now and after each boot.
func (g *Guest) Append(disks ...string) {
	g.c.T.Helper()
	g.SSH("append start " + strings.Join(disks, " "))
}

// Listen hears which records the guest has acknowledged, until stop is called.
// It connects again when the guest boots.
func (g *Guest) Listen() (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for ctx.Err() == nil {
			g.hear(ctx)
			select {
			case <-ctx.Done():
			case <-time.After(50 * time.Millisecond):
			}
		}
	}()
	return func() { cancel(); <-done }
}

func (g *Guest) hear(ctx context.Context) {
	conn, err := g.dial(ctx, "7")
	if err != nil {
		return
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	for in := bufio.NewScanner(conn); ; {
		// A guest that was killed does not say goodbye.
		conn.SetReadDeadline(time.Now().Add(3 * time.Second)) //nolint:errcheck // the read says it
		if !in.Scan() {
			return
		}
		var disk string
		var n int64
		if _, err := fmt.Sscanf(in.Text(), "ack %s %d", &disk, &n); err == nil {
			g.mu.Lock()
			g.acked[disk] = max(g.acked[disk], n)
			g.mu.Unlock()
		}
	}
}

// Acked is the highest number that was heard of the disk.
func (g *Guest) Acked(disk string) int64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.acked[disk]
}

// AwaitMore waits until each disk has acknowledged n more records.
func (g *Guest) AwaitMore(n int64, disks ...string) {
	g.c.T.Helper()
	for _, d := range disks {
		from := g.Acked(d)
		g.c.Eventually("more records on "+d, func() error {
			if now := g.Acked(d); now < from+n {
				return fmt.Errorf("%d, want %d", now, from+n)
			}
			return nil
		})
	}
}

// WantAcked checks that every record that was acknowledged on the disk is
// there, and that its file system is in order.
func (g *Guest) WantAcked(disk string) {
	g.c.T.Helper()
	acked := g.Acked(disk)
	out := g.SSH("verify " + disk)
	var last int64
	if _, err := fmt.Sscan(out, &last); err != nil {
		g.c.T.Errorf("%s: verify %s: %s", g.Name, disk, out)
		return
	}
	if last < acked {
		g.c.T.Errorf("%s: disk %s has records up to %d; %d was acknowledged", g.Name, disk, last, acked)
	}
	g.SSH("fsckstate")
}
