package cli

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/crypto/ssh"
)

// keyNames are the keys that ssh itself looks for in ~/.ssh, the best first.
var keyNames = []string{"id_ed25519", "id_ecdsa", "id_rsa"}

// keyring is where keys are looked for, and made when there are none.
type keyring struct {
	home string // the user's ~/.ssh; "" for none
	own  string // our own directory
}

func (c *credentials) keyring() keyring {
	k := keyring{own: filepath.Join(c.dir(), "ssh")}
	if home, err := os.UserHomeDir(); err == nil {
		k.home = filepath.Join(home, ".ssh")
	}
	return k
}

// privateKeys are the files in which a private key may be.
func (k keyring) privateKeys() []string {
	var files []string
	if k.home != "" {
		for _, n := range keyNames {
			files = append(files, filepath.Join(k.home, n))
		}
	}
	return append(files, filepath.Join(k.own, keyNames[0]))
}

// public is the public key to use when none is named. It makes one when there
// is none; made is its file then.
func (k keyring) public() (key, made string, err error) {
	for _, f := range k.privateKeys() {
		b, err := os.ReadFile(f + ".pub")
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return "", "", fmt.Errorf("read ssh key: %w", err)
		}
		key, err := checkKey(f+".pub", string(b))
		return key, "", err
	}
	made = filepath.Join(k.own, keyNames[0])
	key, err = makeKey(made)
	return key, made, err
}

// private is the file with the private key to one of the public keys; "" when
// there is none.
func (k keyring) private(public []string) string {
	for _, f := range k.privateKeys() {
		b, err := os.ReadFile(f + ".pub")
		if err == nil && slices.ContainsFunc(public, func(p string) bool { return sameKey(p, string(b)) }) {
			return f
		}
	}
	return ""
}

// sameKey compares public keys, but for their comments.
func sameKey(a, b string) bool {
	x, _, _, _, errX := ssh.ParseAuthorizedKey([]byte(a))
	y, _, _, _, errY := ssh.ParseAuthorizedKey([]byte(b))
	return errX == nil && errY == nil && string(x.Marshal()) == string(y.Marshal())
}

// readKey is the public key that --ssh-key names: the key itself, or its file.
func readKey(s string) (string, error) {
	if _, _, _, _, err := ssh.ParseAuthorizedKey([]byte(s)); err == nil {
		return strings.TrimSpace(s), nil
	}
	b, err := os.ReadFile(s)
	if err != nil {
		return "", usageError{fmt.Sprintf("--ssh-key %q is neither a public key nor a file with one", s)}
	}
	if strings.HasPrefix(string(b), "-----BEGIN") {
		return "", usageError{fmt.Sprintf("--ssh-key %s is a private key: give %s.pub", s, s)}
	}
	return checkKey(s, string(b))
}

func checkKey(file, key string) (string, error) {
	if _, _, _, _, err := ssh.ParseAuthorizedKey([]byte(key)); err != nil {
		return "", usageError{fmt.Sprintf("there is no ssh public key in %s", file)}
	}
	return strings.TrimSpace(key), nil
}

// makeKey makes a key pair in file and file.pub. The public one appears last,
// so that where it is the private one is too.
func makeKey(file string) (string, error) {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return "", err
	}
	const comment = "lazuli"
	block, err := ssh.MarshalPrivateKey(private, comment)
	if err != nil {
		return "", err
	}
	sshPublic, err := ssh.NewPublicKey(public)
	if err != nil {
		return "", err
	}
	key := strings.TrimSpace(string(ssh.MarshalAuthorizedKey(sshPublic))) + " " + comment
	if err := errors.Join(
		os.MkdirAll(filepath.Dir(file), 0o700),
		os.WriteFile(file, pem.EncodeToMemory(block), 0o600),
		os.WriteFile(file+".pub", []byte(key+"\n"), 0o644),
	); err != nil {
		return "", &advised{fmt.Errorf("make an ssh key: %w", err), "Name a public key of your own with --ssh-key."}
	}
	return key, nil
}
