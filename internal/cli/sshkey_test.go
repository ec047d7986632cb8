package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"
)

// testKeys is a keyring in which are the keys named, in the user's directory.
func testKeys(t *testing.T, names ...string) keyring {
	t.Helper()
	k := keyring{home: filepath.Join(t.TempDir(), ".ssh"), own: filepath.Join(t.TempDir(), "ssh")}
	for _, n := range names {
		if _, err := makeKey(filepath.Join(k.home, n)); err != nil {
			t.Fatal(err)
		}
	}
	return k
}

func TestPublicKey(t *testing.T) {
	for name, c := range map[string]struct {
		have []string
		want string // the private key's file, as the keyring has it
	}{
		"all":     {[]string{"id_rsa", "id_ecdsa", "id_ed25519"}, "id_ed25519"},
		"older":   {[]string{"id_rsa", "id_ecdsa"}, "id_ecdsa"},
		"foreign": {[]string{"id_rsa", "work"}, "id_rsa"},
	} {
		k := testKeys(t, c.have...)
		key, made, err := k.public()
		if err != nil || made != "" {
			t.Errorf("%s: made %q, %v", name, made, err)
		}
		if got, want := k.private([]string{"ssh-rsa junk", key + " with a comment"}), filepath.Join(k.home, c.want); got != want {
			t.Errorf("%s: private key %q, want %q", name, got, want)
		}
	}
}

func TestPublicKeyIsMade(t *testing.T) {
	k := testKeys(t)
	key, made, err := k.public()
	if err != nil || made != filepath.Join(k.own, "id_ed25519") {
		t.Fatalf("made %q, %v", made, err)
	}
	info, err := os.Stat(made)
	if err != nil || info.Mode() != 0o600 {
		t.Errorf("the private key has mode %v, %v", info.Mode(), err)
	}
	pem, err := os.ReadFile(made)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.ParsePrivateKey(pem)
	if err != nil {
		t.Fatal(err)
	}
	if !sameKey(key, string(ssh.MarshalAuthorizedKey(signer.PublicKey()))) {
		t.Error("the two halves do not belong together")
	}
	again, made, err := k.public()
	if again != key || made != "" || err != nil {
		t.Errorf("the second time made %q, %v", made, err)
	}
	if got := k.private([]string{key}); got != filepath.Join(k.own, "id_ed25519") {
		t.Errorf("private key %q", got)
	}
}

func TestReadKey(t *testing.T) {
	k := testKeys(t, "id_rsa")
	private := filepath.Join(k.home, "id_rsa")
	key, err := readKey(private + ".pub")
	if err != nil {
		t.Fatal(err)
	}
	if literal, err := readKey(" " + key + "\n"); literal != key || err != nil {
		t.Errorf("literal: %q, %v", literal, err)
	}
	junk := filepath.Join(k.home, "junk")
	if err := os.WriteFile(junk, []byte("junk"), 0o600); err != nil {
		t.Fatal(err)
	}
	for s, want := range map[string]string{private: "is a private key: give", junk: "no ssh public key in", "ssh-rsa nope": "neither"} {
		if _, err := readKey(s); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.20q: %v, want %q in it", s, err, want)
		}
	}
}
