package identity

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"strings"
	"sync"
	"time"

	"golang.org/x/crypto/argon2"
)

// Cost of a hash: what OWASP proposes for Argon2id.
const (
	hashPasses    = 2
	hashMemoryKiB = 19 << 10
	hashLanes     = 1
	hashBytes     = 32
)

// NewSecret makes a secret of 256 random bits. It does not begin like a flag of
// the command lines that it is given to.
func NewSecret() string {
	s := encode(randomBytes(32))
	if s[0] == '-' {
		return "_" + s[1:]
	}
	return s
}

// HashSecret hashes a secret with a salt of its own:
// "$argon2id$v=19$m=…,t=…,p=…$salt$hash".
func HashSecret(secret string) string {
	salt := randomBytes(16)
	sum := argon2.IDKey([]byte(secret), salt, hashPasses, hashMemoryKiB, hashLanes, hashBytes)
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, hashMemoryKiB, hashPasses, hashLanes, encode(salt), encode(sum))
}

func verifySecret(hash, secret string) bool {
	parts := strings.Split(hash, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" {
		return false
	}
	var memory, passes uint32
	var lanes uint8
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &memory, &passes, &lanes); err != nil || passes < 1 || lanes < 1 {
		return false
	}
	salt, err1 := base64.RawURLEncoding.DecodeString(parts[4])
	want, err2 := base64.RawURLEncoding.DecodeString(parts[5])
	if err1 != nil || err2 != nil || len(want) < 16 {
		return false
	}
	got := argon2.IDKey([]byte(secret), salt, passes, memory, lanes, uint32(len(want)))
	return subtle.ConstantTimeCompare(got, want) == 1
}

func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

func randomBytes(n int) []byte {
	b := make([]byte, n)
	rand.Read(b) // never fails, says its documentation
	return b
}

// secretTime is how long a secret that was right is known without its hash.
const secretTime = 10 * time.Minute

// secretCache remembers secrets that were right, as a MAC, so that a client
// that asks for tokens often is not slowed down by the hash.
type secretCache struct {
	key []byte // of this process only
	mu  sync.Mutex
	m   map[string]knownSecret // by the principal's key
}

type knownSecret struct {
	mac, hash string
	until     time.Time
}

func newSecretCache() *secretCache {
	return &secretCache{key: randomBytes(32), m: map[string]knownSecret{}}
}

func (c *secretCache) mac(secret string) string {
	h := hmac.New(sha256.New, c.key)
	h.Write([]byte(secret))
	return string(h.Sum(nil))
}

// has says whether secret was right lately, and its hash is still p's.
func (c *secretCache) has(p *Principal, secret string, now time.Time) bool {
	mac := c.mac(secret)
	c.mu.Lock()
	defer c.mu.Unlock()
	k, ok := c.m[p.key()]
	if !ok || now.After(k.until) || !hmac.Equal([]byte(k.mac), []byte(mac)) {
		return false
	}
	for _, s := range p.Secrets {
		if s.Hash == k.hash {
			return !s.expired(now)
		}
	}
	return false
}

func (c *secretCache) add(p *Principal, secret, hash string, now time.Time) {
	mac := c.mac(secret)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.m[p.key()] = knownSecret{mac, hash, now.Add(secretTime)}
}
