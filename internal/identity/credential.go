package identity

import (
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/google/uuid"
)

// Secret is a secret's hash.
type Secret struct {
	KeyID string `json:"keyId,omitempty"` // GUID; what it is removed by
	Name  string `json:"name,omitempty"`
	Hash  string `json:"hash"`
	// Hint is how the secret begins, for people who have several.
	Hint      string    `json:"hint,omitempty"`
	CreatedAt time.Time `json:"createdAt"`
	// ExpiresAt is its end; zero is never.
	ExpiresAt time.Time `json:"expiresAt,omitzero"`
}

// MaxSecrets bounds the secrets of a principal: a login may have to try all.
const MaxSecrets = 20

// hintLength is as much of a secret as is told, of 43 characters.
const hintLength = 3

// MakeSecret makes a secret, and its hash. It is slow, on purpose.
func MakeSecret(name string, now, expiresAt time.Time) (Secret, string) {
	text := NewSecret()
	return Secret{
		KeyID: uuid.NewString(), Name: name, Hash: HashSecret(text), Hint: text[:hintLength], CreatedAt: now, ExpiresAt: expiresAt,
	}, text
}

// RemoveSecret removes a secret, and says whether there was one.
func (p *Principal) RemoveSecret(keyID string) bool {
	before := len(p.Secrets)
	p.Secrets = slices.DeleteFunc(p.Secrets, func(s Secret) bool { return keyID != "" && strings.EqualFold(s.KeyID, keyID) })
	return len(p.Secrets) < before
}

// SetPassword gives a user a password, whose hash it is given since that takes
// long. All that was handed out to the user before is worth nothing.
func (p *Principal) SetPassword(hash string, now time.Time) {
	p.Secrets = []Secret{{Hash: hash, CreatedAt: now}}
	p.Epoch++
}

// maxUserName is Azure's limit on a user's name.
const maxUserName = 113

// Limits on passwords; those on the length are Azure's.
const (
	minPassword = 8
	maxPassword = 256
	minClasses  = 3
)

// GoodPassword says whether a user may have the password: long enough, of
// three kinds of characters, and without the user's name in it.
func GoodPassword(password, userName string) bool {
	if n := len(password); n < minPassword || n > maxPassword {
		return false
	}
	local, _, _ := strings.Cut(strings.ToLower(userName), "@")
	if len(local) > 2 && strings.Contains(strings.ToLower(password), local) {
		return false
	}
	classes := map[string]bool{}
	for _, r := range password {
		classes[classOf(r)] = true
	}
	return len(classes) >= minClasses
}

func classOf(r rune) string {
	switch {
	case unicode.IsLower(r):
		return "lower"
	case unicode.IsUpper(r):
		return "upper"
	case unicode.IsDigit(r):
		return "digit"
	}
	return "symbol"
}

// Knows says whether secret is one of the principal's. It is slow, on purpose.
func (p *Principal) Knows(secret string) bool {
	_, ok := p.matching(secret, time.Time{})
	return ok
}

// matching is the secret of the principal's that this is, if one is: one that
// is good, or else one that has expired.
func (p *Principal) matching(secret string, now time.Time) (found Secret, ok bool) {
	for _, s := range p.Secrets {
		if !verifySecret(s.Hash, secret) {
			continue
		}
		if found, ok = s, true; !s.expired(now) {
			return found, true
		}
	}
	return found, ok
}

func (s *Secret) expired(now time.Time) bool {
	return !s.ExpiresAt.IsZero() && !now.Before(s.ExpiresAt)
}
