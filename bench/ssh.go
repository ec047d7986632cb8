package main

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"net"
	"time"

	"golang.org/x/crypto/ssh"
)

// key is what guests let in.
type key struct {
	signer ssh.Signer
	public string
}

func newKey() (key, error) {
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return key{}, err
	}
	s, err := ssh.NewSignerFromKey(private)
	if err != nil {
		return key{}, err
	}
	return key{s, string(ssh.MarshalAuthorizedKey(s.PublicKey()))}, nil
}

// connectTimeout is short: what is sent to a guest that has no network yet is
// lost, and the kernel would wait a second to send it again.
const connectTimeout = 300 * time.Millisecond

// logIn logs in to a guest once.
func (b *bench) logIn(address string) error {
	ctx, cancel := context.WithTimeout(b.ctx, connectTimeout)
	defer cancel()
	conn, err := b.cloud.Host.DialContext(ctx, "tcp", net.JoinHostPort(address, "22"))
	if err != nil {
		return err
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(30 * time.Second)) //nolint:errcheck // the use of it says it
	c, _, _, err := ssh.NewClientConn(conn, address, &ssh.ClientConfig{
		User: "azureuser", Auth: []ssh.AuthMethod{ssh.PublicKeys(b.key.signer)},
		HostKeyCallback: ssh.InsecureIgnoreHostKey(), // the guest was made a moment ago, on this host
	})
	if err != nil {
		return err
	}
	return c.Close()
}
