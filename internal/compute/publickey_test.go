package compute

import (
	"crypto/ed25519"
	"crypto/rsa"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"
	"golang.org/x/crypto/ssh"

	"lazuli/internal/arm/armtest"
)

var keyID = armtest.ID("Microsoft.Compute/sshPublicKeys/key1")

func keyBody(key string) string {
	return `{"location": "local", "properties": {"publicKey": "` + key + `"}}`
}

func TestPublicKey(t *testing.T) {
	c := newCloud(t)
	res := c.Put(keyID, keyBody(publicKey))
	if !res.Created || res.Operation != nil {
		t.Errorf("result = %+v, want one that is done", res)
	}
	armtest.FitsSDK(t, res.Body, &armcompute.SSHPublicKeyResource{})
	if got := armtest.At(t, c.Get(keyID).Body, "properties.publicKey"); got != strings.ReplaceAll(publicKey, `\n`, "\n") {
		t.Errorf("key = %q", got)
	}
	c.Patch(keyID, `{"tags": {"a": "b"}}`)
	if got := armtest.At(t, c.Get(keyID).Body, "properties.publicKey"); got == nil {
		t.Error("a patch of the tags takes the key away")
	}
	if got := len(c.List(KeyType, keyID.Scope())); got != 1 {
		t.Errorf("listed %d, want 1", got)
	}
	c.Delete(keyID)
	_, err := c.Do(armtest.Request{Method: "GET", ID: keyID})
	armtest.WantError(t, err, "ResourceNotFound")
}

func TestPublicKeysThatAreNone(t *testing.T) {
	tests := map[string]struct{ key, code string }{
		"nothing yet":   {"", ""},
		"nonsense":      {"hello", "InvalidParameter"},
		"not base64":    {"ssh-rsa ????", "InvalidParameter"},
		"another type":  {"ssh-rsa AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl", "InvalidParameter"},
		"two lines":     {strings.ReplaceAll(publicKey, `\n`, "") + `\n` + publicKey, "InvalidParameter"},
		"a private one": {"-----BEGIN OPENSSH PRIVATE KEY-----", "InvalidParameter"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c := newCloud(t)
			_, err := c.Do(armtest.Request{Method: "PUT", ID: keyID, Body: keyBody(tt.key)})
			armtest.WantError(t, err, tt.code)
		})
	}
}

// A pair is good for SSH, and its private half is in the reply only.
func TestGenerateKeyPair(t *testing.T) {
	tests := map[string]struct {
		body, begins string
		of           func(any) bool
	}{
		"RSA when nothing is said": {"", "ssh-rsa ", func(k any) bool { r, ok := k.(*rsa.PrivateKey); return ok && r.N.BitLen() == rsaBits }},
		"RSA":                      {`{"encryptionType": "rsa"}`, "ssh-rsa ", func(k any) bool { _, ok := k.(*rsa.PrivateKey); return ok }},
		"Ed25519":                  {`{"encryptionType": "Ed25519"}`, "ssh-ed25519 ", func(k any) bool { _, ok := k.(*ed25519.PrivateKey); return ok }},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c := newCloud(t)
			c.Put(keyID, `{"location": "local"}`)
			res := c.Post(keyID, "generateKeyPair", tt.body)
			armtest.FitsSDK(t, res.Body, &armcompute.SSHPublicKeyGenerateKeyPairResult{})
			pair := res.Body.(keyPair)
			private, err := ssh.ParseRawPrivateKey([]byte(pair.PrivateKey))
			if err != nil || !tt.of(private) {
				t.Fatalf("the private key is a %T, %v", private, err)
			}
			signer, err := ssh.NewSignerFromKey(private)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.HasPrefix(pair.PublicKey, strings.TrimSpace(string(ssh.MarshalAuthorizedKey(signer.PublicKey())))) || !strings.HasPrefix(pair.PublicKey, tt.begins) {
				t.Errorf("the public key is %s", pair.PublicKey)
			}
			if got := armtest.At(t, c.Get(keyID).Body, "properties.publicKey"); got != pair.PublicKey || !isPublicKey(pair.PublicKey) {
				t.Errorf("the resource's key is %v", got)
			}
			es, err := c.Store.List(t.Context(), "/")
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range es {
				if strings.Contains(string(e.Value), "PRIVATE") {
					t.Errorf("the private key is at %s", e.Key)
				}
			}
			_, err = c.Do(armtest.Request{Method: "POST", ID: keyID, Action: "generateKeyPair"})
			armtest.WantError(t, err, "OperationNotAllowed")
		})
	}
}

func TestGenerateKeyPairRefused(t *testing.T) {
	tests := map[string]struct{ key, body, code string }{
		"a key that is there": {publicKey, "", "OperationNotAllowed"},
		"another kind":        {"", `{"encryptionType": "DSA"}`, "InvalidParameter"},
		"something else":      {"", `{"bits": 512}`, "UnsupportedProperty"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c := newCloud(t)
			c.Put(keyID, keyBody(tt.key))
			_, err := c.Do(armtest.Request{Method: "POST", ID: keyID, Action: "generateKeyPair", Body: tt.body})
			armtest.WantError(t, err, tt.code)
		})
	}
}
