package compute

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"strings"

	"golang.org/x/crypto/ssh"

	"lazuli/internal/arm"
)

// PublicKey is a public key of SSH that users keep in the cloud, for machines
// to be made with.
type PublicKey struct {
	// Key is a line of authorized_keys; "" until one is given or generated.
	Key string `json:"key,omitempty"`
}

type publicKeyObject = arm.Object[PublicKey, NoStatus]

type publicKeyBody struct {
	arm.Header
	Properties publicKeyProperties `json:"properties"`
}

type publicKeyProperties struct {
	Key string `json:"publicKey,omitempty"`
}

func publicKeyProvider(cfg Config) arm.Provider {
	return &arm.Tracked[publicKeyBody, PublicKey, NoStatus, *publicKeyBody]{
		Collection: PublicKeys, Locations: cfg.Locations,
		Apply: func(_ context.Context, _ *arm.Call, e *arm.Edit[PublicKey, NoStatus], b *publicKeyBody) error {
			key := b.Properties.Key
			if key == "" {
				return nil
			}
			if !isPublicKey(key) {
				return arm.InvalidParameter("properties.publicKey", notPublicKey)
			}
			e.Spec.Key = key
			return nil
		},
		View: func(_ context.Context, _ *arm.Call, o *publicKeyObject, b *publicKeyBody) error {
			b.Properties.Key = o.Spec.Key
			return nil
		},
		// Machines have the key itself, and not a reference to it.
		Remove: func(context.Context, *arm.Call, *publicKeyObject) (bool, error) { return false, nil },
	}
}

// keyPair is the one place where a private key is ever seen.
type keyPair struct {
	ID         string `json:"id"`
	PublicKey  string `json:"publicKey"`
	PrivateKey string `json:"privateKey"`
}

// generateKeyPair gives the resource a key that nobody has yet, and the caller
// the other half of it, which is kept nowhere.
func generateKeyPair(ctx context.Context, c *arm.Call, body []byte) (arm.Result, error) {
	var b struct {
		EncryptionType string `json:"encryptionType"`
	}
	if len(strings.TrimSpace(string(body))) > 0 {
		if err := arm.Decode(body, &b); err != nil {
			return arm.Result{}, err
		}
	}
	kind, err := arm.Enum("encryptionType", b.EncryptionType, keyRSA, keyEd25519)
	if err != nil {
		return arm.Result{}, err
	}
	o, err := PublicKeys.Get(ctx, c.Tx, c.ID)
	if err != nil {
		return arm.Result{}, err
	}
	if o.Spec.Key != "" {
		return arm.Result{}, arm.Conflict("OperationNotAllowed", "The SSH public key '%s' has a key already, and machines may have been made with it. Generate a pair for another resource.", o.ID.Name())
	}
	pair := keyPair{ID: o.ID.String()}
	if pair.PrivateKey, pair.PublicKey, err = makeKeyPair(kind); err != nil {
		return arm.Result{}, fmt.Errorf("generate key pair: %w", err)
	}
	o.Spec.Key, o.ChangedAt = pair.PublicKey, c.Now
	return arm.Result{Body: pair}, PublicKeys.Put(ctx, c.Tx, o)
}

// The kinds of keys that are generated, and how long one of RSA is.
const (
	keyRSA     = "RSA"
	keyEd25519 = "Ed25519"
	rsaBits    = 3072
)

// generatedBy is the comment of keys, as Azure writes it.
const generatedBy = "generated-by-azure"

// makeKeyPair makes a pair as programs of SSH read it.
func makeKeyPair(kind string) (private, public string, err error) {
	var block *pem.Block
	var pub ssh.PublicKey
	if kind == keyEd25519 {
		block, pub, err = makeEd25519()
	} else {
		block, pub, err = makeRSA()
	}
	if err != nil {
		return "", "", err
	}
	line := strings.TrimSpace(string(ssh.MarshalAuthorizedKey(pub)))
	return string(pem.EncodeToMemory(block)), line + " " + generatedBy, nil
}

func makeRSA() (*pem.Block, ssh.PublicKey, error) {
	key, err := rsa.GenerateKey(rand.Reader, rsaBits)
	if err != nil {
		return nil, nil, err
	}
	pub, err := ssh.NewPublicKey(&key.PublicKey)
	return &pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}, pub, err
}

func makeEd25519() (*pem.Block, ssh.PublicKey, error) {
	public, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	pub, err := ssh.NewPublicKey(public)
	if err != nil {
		return nil, nil, err
	}
	block, err := ssh.MarshalPrivateKey(key, generatedBy)
	return block, pub, err
}
