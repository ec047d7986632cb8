package compute

import (
	"context"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"lazuli/internal/store"
)

// Secrets are what a guest is told on its first boot and nobody is shown. They
// have a key of their own beside the machine's: the API writes it together with
// the machine, and who writes down that the guest is ready, and so has had them
// for good, removes it in the same transaction.
type Secrets struct {
	AdminPassword string `json:"adminPassword,omitempty"`
	CustomData    string `json:"customData,omitempty"` // base64
}

func secretsKey(uid string) string { return "/secret/" + uid }

// FindSecrets reads what the guest of the machine with the UID is still to be
// told; nothing when it has had it.
func FindSecrets(ctx context.Context, r store.Reader, uid string) (Secrets, error) {
	var s Secrets
	e, err := r.Get(ctx, secretsKey(uid))
	if errors.Is(err, store.ErrNotFound) {
		return s, nil
	}
	if err != nil {
		return s, err
	}
	if err := json.Unmarshal(e.Value, &s); err != nil {
		return s, fmt.Errorf("read %s: %w", e.Key, err)
	}
	return s, nil
}

// DropSecrets forgets what the guest of the machine with the UID was told. It
// is nothing to drop what is gone.
func DropSecrets(tx store.Tx, uid string) { tx.Delete(secretsKey(uid)) }

// keep stores what the guest of the machine with the UID is to be told. In the
// spec there are digests only: they tell whether a later body asks for the same.
func (b *firstBoot) keep(tx store.Tx, uid string) error {
	if b.Secrets == (Secrets{}) {
		return nil
	}
	b.PasswordDigest, b.CustomDataDigest = digestOf(b.AdminPassword), digestOf(b.CustomData)
	raw, err := json.Marshal(b.Secrets)
	if err != nil {
		return err
	}
	tx.Put(secretsKey(uid), raw)
	return nil
}

// Digest is a slow salted hash of a secret: "salt.hash", both in base64. That
// of nothing is "".
type Digest string

const (
	digestRounds = 100_000
	digestBytes  = 32
	saltBytes    = 16
)

func digestOf(secret string) Digest {
	if secret == "" {
		return ""
	}
	salt := make([]byte, saltBytes)
	rand.Read(salt) // never fails, says its documentation
	return Digest(encode(salt) + "." + encode(stretch(secret, salt)))
}

// of says whether d is the digest of secret.
func (d Digest) of(secret string) bool {
	if secret == "" || d == "" {
		return secret == "" && d == ""
	}
	salt, hash, _ := strings.Cut(string(d), ".")
	s, err1 := base64.RawStdEncoding.DecodeString(salt)
	h, err2 := base64.RawStdEncoding.DecodeString(hash)
	return err1 == nil && err2 == nil && subtle.ConstantTimeCompare(h, stretch(secret, s)) == 1
}

func stretch(secret string, salt []byte) []byte {
	b, err := pbkdf2.Key(sha256.New, secret, salt, digestRounds, digestBytes)
	if err != nil {
		panic(err) // only for lengths that are out of range, or in FIPS mode for short salts
	}
	return b
}

func encode(b []byte) string { return base64.RawStdEncoding.EncodeToString(b) }
