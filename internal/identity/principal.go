package identity

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"lazuli/internal/store"
)

// Principal is a service principal.
type Principal struct {
	ClientID  string    `json:"clientId"` // GUID; what it logs in as
	ObjectID  string    `json:"objectId"` // GUID; what rights are given to
	TenantID  string    `json:"tenantId"`
	Name      string    `json:"name"`
	CreatedAt time.Time `json:"createdAt"`
	// Secrets are hashes; each of the secrets is good.
	Secrets []Secret `json:"secrets"`
}

// Secret is a secret's hash.
type Secret struct {
	Hash      string    `json:"hash"`
	CreatedAt time.Time `json:"createdAt"`
}

const principalPrefix = "/identity/principal/"

func principalKey(clientID string) string { return principalPrefix + strings.ToLower(clientID) }

// FindPrincipal reads a principal; nil without an error when there is none.
func FindPrincipal(ctx context.Context, r store.Reader, clientID string) (*Principal, error) {
	e, err := r.Get(ctx, principalKey(clientID))
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var p Principal
	if err := json.Unmarshal(e.Value, &p); err != nil {
		return nil, fmt.Errorf("read %s: %w", e.Key, err)
	}
	return &p, nil
}

// PutPrincipal writes a principal.
func PutPrincipal(tx store.Tx, p *Principal) error {
	b, err := json.Marshal(p)
	if err != nil {
		return err
	}
	tx.Put(principalKey(p.ClientID), b)
	return nil
}

// DeletePrincipal removes a principal; its tokens are worth nothing from then
// on.
func DeletePrincipal(tx store.Tx, clientID string) { tx.Delete(principalKey(clientID)) }

// Knows says whether secret is one of the principal's. It is slow, on purpose.
func (p *Principal) Knows(secret string) bool {
	_, ok := p.matching(secret)
	return ok
}

func (p *Principal) matching(secret string) (hash string, ok bool) {
	for _, s := range p.Secrets {
		if verifySecret(s.Hash, secret) {
			return s.Hash, true
		}
	}
	return "", false
}
