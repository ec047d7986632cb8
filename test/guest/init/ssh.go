package main

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/subtle"
	"encoding/binary"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"syscall"

	"golang.org/x/crypto/ssh"
	"golang.org/x/sys/unix"
)

const hostKeys = "/etc/ssh/ssh_host_ed25519_key"

// serveSSH begins to serve SSH for the provisioned user.
func (g *guest) serveSSH() error {
	key, err := hostKey()
	if err != nil {
		return err
	}
	conf := &ssh.ServerConfig{PublicKeyCallback: g.checkKey, PasswordCallback: g.checkPassword}
	if g.now().Password == "" {
		conf.PasswordCallback = nil
	}
	conf.AddHostKey(key)
	l, err := net.Listen("tcp", ":22")
	if err != nil {
		return err
	}
	go func() {
		for {
			c, err := l.Accept()
			if err == nil {
				go serveConn(c, conf)
			}
		}
	}()
	return nil
}

// hostKey reads the guest's key, or makes it.
func hostKey() (ssh.Signer, error) {
	b, err := os.ReadFile(hostKeys)
	if errors.Is(err, os.ErrNotExist) {
		_, priv, err := ed25519.GenerateKey(rand.Reader)
		if err != nil {
			return nil, err
		}
		block, err := ssh.MarshalPrivateKey(priv, "")
		if err != nil {
			return nil, err
		}
		if err := writeSynced(hostKeys, pem.EncodeToMemory(block)); err != nil {
			return nil, err
		}
		return ssh.NewSignerFromKey(priv)
	}
	if err != nil {
		return nil, err
	}
	return ssh.ParsePrivateKey(b)
}

func (g *guest) checkKey(c ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
	s := g.now()
	rest, err := os.ReadFile(s.KeysPath)
	if err != nil {
		return nil, err
	}
	for len(rest) > 0 && c.User() == s.User {
		var k ssh.PublicKey
		if k, _, _, rest, err = ssh.ParseAuthorizedKey(rest); err != nil {
			break
		}
		if bytes.Equal(k.Marshal(), key.Marshal()) {
			return nil, nil
		}
	}
	return nil, fmt.Errorf("no such user, or not a key of theirs")
}

func (g *guest) checkPassword(c ssh.ConnMetadata, password []byte) (*ssh.Permissions, error) {
	s := g.now()
	if c.User() == s.User && subtle.ConstantTimeCompare([]byte(digest(string(password))), []byte(s.Password)) == 1 {
		return nil, nil
	}
	return nil, errors.New("no such user, or not their password")
}

func serveConn(c net.Conn, conf *ssh.ServerConfig) {
	defer c.Close()
	conn, channels, requests, err := ssh.NewServerConn(c, conf)
	if err != nil {
		return
	}
	defer conn.Close()
	go ssh.DiscardRequests(requests)
	for nc := range channels {
		if nc.ChannelType() != "session" {
			nc.Reject(ssh.UnknownChannelType, "only sessions") //nolint:errcheck // the client has gone
			continue
		}
		ch, reqs, err := nc.Accept()
		if err == nil {
			go serveSession(conn.User(), ch, reqs)
		}
	}
}

// serveSession runs one command, or a shell, with a terminal when asked to.
func serveSession(user string, ch ssh.Channel, reqs <-chan *ssh.Request) {
	defer ch.Close()
	var term *terminal
	for req := range reqs {
		switch req.Type {
		case "pty-req":
			var err error
			term, err = newTerminal(req.Payload)
			answer(req, err == nil)
		case "window-change":
			term.resize(req.Payload)
		case "exec", "shell":
			cmd := exec.Command("/bin/sh", "-l")
			if req.Type == "exec" {
				var p struct{ Command string }
				if ssh.Unmarshal(req.Payload, &p) != nil {
					answer(req, false)
					continue
				}
				cmd = exec.Command("/bin/sh", "-c", p.Command)
			}
			cmd.Env = []string{"PATH=/bin:/sbin", "HOME=/home/" + user, "USER=" + user, "TERM=linux"}
			cmd.Dir = "/home/" + user
			answer(req, true)
			go func() {
				code := runSession(cmd, ch, term)
				ch.SendRequest("exit-status", false, binary.BigEndian.AppendUint32(nil, code)) //nolint:errcheck // the client has gone
				ch.Close()
			}()
		default:
			answer(req, req.Type == "env")
		}
	}
}

func answer(req *ssh.Request, ok bool) {
	if req.WantReply {
		req.Reply(ok, nil) //nolint:errcheck // the client has gone
	}
}

func runSession(cmd *exec.Cmd, ch ssh.Channel, term *terminal) uint32 {
	if term != nil {
		return term.run(cmd, ch)
	}
	in, err := cmd.StdinPipe()
	if err != nil {
		return 255
	}
	cmd.Stdout, cmd.Stderr = ch, ch.Stderr()
	go func() {
		io.Copy(in, ch) //nolint:errcheck // the command's end closes it
		in.Close()
	}()
	return exitCode(cmd.Run())
}

func exitCode(err error) uint32 {
	var exit *exec.ExitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &exit) && exit.ExitCode() >= 0:
		return uint32(exit.ExitCode())
	default:
		return 255
	}
}

// terminal is a pseudo terminal.
type terminal struct{ master, slave *os.File }

func newTerminal(payload []byte) (*terminal, error) {
	m, err := os.OpenFile("/dev/pts/ptmx", os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	n, err := unix.IoctlGetInt(int(m.Fd()), unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(int(m.Fd()), unix.TIOCSPTLCK, 0)
	}
	if err != nil {
		m.Close()
		return nil, err
	}
	s, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		m.Close()
		return nil, err
	}
	t := &terminal{m, s}
	var p struct {
		Term                       string
		Columns, Rows, Width, High uint32
		Modes                      string
	}
	if ssh.Unmarshal(payload, &p) == nil {
		unix.IoctlSetWinsize(int(m.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Col: uint16(p.Columns), Row: uint16(p.Rows)}) //nolint:errcheck // it stays 0 by 0
	}
	return t, nil
}

func (t *terminal) resize(payload []byte) {
	var p struct{ Columns, Rows, Width, High uint32 }
	if t != nil && ssh.Unmarshal(payload, &p) == nil {
		unix.IoctlSetWinsize(int(t.master.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Col: uint16(p.Columns), Row: uint16(p.Rows)}) //nolint:errcheck // it keeps its size
	}
}

func (t *terminal) run(cmd *exec.Cmd, ch ssh.Channel) uint32 {
	cmd.Stdin, cmd.Stdout, cmd.Stderr = t.slave, t.slave, t.slave
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	err := cmd.Start()
	t.slave.Close()
	defer t.master.Close()
	if err != nil {
		return 255
	}
	go io.Copy(t.master, ch) //nolint:errcheck // ends with the session
	io.Copy(ch, t.master)    //nolint:errcheck // ends when nobody has the terminal open
	return exitCode(cmd.Wait())
}
