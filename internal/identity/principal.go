package identity

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"lazuli/internal/arm"
	"lazuli/internal/store"
)

// Principal is a user, or an application with the service principal that it
// logs in as.
type Principal struct {
	// Kind is one of arm's; "" is KindServicePrincipal.
	Kind string `json:"kind,omitempty"`
	// ClientID is the GUID that a service principal logs in as.
	ClientID string `json:"clientId,omitempty"`
	// UserName is what a user logs in as: "alice@example.org".
	UserName string `json:"userName,omitempty"`
	// ObjectID is the GUID that rights are given to. An application without
	// one has no service principal, and cannot log in.
	ObjectID string `json:"objectId,omitempty"`
	// ApplicationID is the GUID of a service principal's application object.
	ApplicationID string    `json:"applicationId,omitempty"`
	TenantID      string    `json:"tenantId"`
	Name          string    `json:"name"`
	CreatedAt     time.Time `json:"createdAt"`
	// Admin principals may change the directory.
	Admin bool `json:"admin,omitempty"`
	// Disabled principals cannot log in, and their tokens are worth nothing.
	Disabled bool `json:"disabled,omitempty"`
	// Epoch counts the changes of a user's password. Tokens of before are
	// worth nothing.
	Epoch int `json:"epoch,omitempty"`
	// Secrets are hashes; each of the secrets is good until its end.
	Secrets []Secret `json:"secrets"`
	// Federated are tokens of others that are as good as a secret.
	Federated []FederatedCredential `json:"federated,omitempty"`
}

// FederatedCredential lets the bearer of a token of Issuer, about Subject and
// for one of Audiences, log in as the service principal that has it.
type FederatedCredential struct {
	ID          string   `json:"id"` // GUID
	Name        string   `json:"name"`
	Issuer      string   `json:"issuer"`
	Subject     string   `json:"subject"`
	Audiences   []string `json:"audiences"`
	Description string   `json:"description,omitempty"`
}

// IsUser says whether p is a user.
func (p *Principal) IsUser() bool { return p.Kind == arm.KindUser }

// Principals are kept under what never changes about them; names has the ways
// that lead there.
const (
	principalPrefix = "/identity/principal/"
	namePrefix      = "/identity/name/"
)

// ErrNameTaken says that another principal has the user name or id.
var ErrNameTaken = errors.New("the name is taken")

func principalKey(id string) string { return principalPrefix + strings.ToLower(id) }
func nameKey(name string) string    { return namePrefix + strings.ToLower(name) }

func (p *Principal) key() string {
	if p.IsUser() {
		return principalKey(p.ObjectID)
	}
	return principalKey(p.ClientID)
}

// names are what p is found by beside its key.
func (p *Principal) names() (names []string) {
	all := []string{p.ObjectID, p.ApplicationID}
	if p.IsUser() {
		all = []string{p.UserName}
	}
	for _, n := range all {
		if n != "" {
			names = append(names, nameKey(n))
		}
	}
	return names
}

// FindPrincipal reads the service principal, or the application, with that
// client id; nil without an error when there is none.
func FindPrincipal(ctx context.Context, r store.Reader, clientID string) (*Principal, error) {
	p, err := readPrincipal(ctx, r, principalKey(clientID))
	if p == nil || p.IsUser() {
		return nil, err
	}
	return p, nil
}

// FindUser reads the user of that name; nil without an error when there is
// none.
func FindUser(ctx context.Context, r store.Reader, userName string) (*Principal, error) {
	p, err := followName(ctx, r, userName)
	if p == nil || !p.IsUser() || !strings.EqualFold(p.UserName, userName) {
		return nil, err
	}
	return p, nil
}

// FindObject reads the user, service principal or application whose object has
// that id; nil without an error when there is none.
func FindObject(ctx context.Context, r store.Reader, id string) (*Principal, error) {
	p, err := readPrincipal(ctx, r, principalKey(id))
	if err != nil || p != nil && p.IsUser() {
		return p, err
	}
	p, err = followName(ctx, r, id)
	if p == nil || p.IsUser() {
		return nil, err
	}
	return p, nil
}

// Principals reads all of them, in the order of their keys.
func Principals(ctx context.Context, r store.Reader) ([]*Principal, error) {
	es, err := r.List(ctx, principalPrefix)
	if err != nil {
		return nil, err
	}
	ps := make([]*Principal, 0, len(es))
	for _, e := range es {
		p, err := decodePrincipal(e)
		if err != nil {
			return nil, err
		}
		ps = append(ps, p)
	}
	return ps, nil
}

func followName(ctx context.Context, r store.Reader, name string) (*Principal, error) {
	e, err := r.Get(ctx, nameKey(name))
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return readPrincipal(ctx, r, string(e.Value))
}

func readPrincipal(ctx context.Context, r store.Reader, key string) (*Principal, error) {
	e, err := r.Get(ctx, key)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return decodePrincipal(e)
}

func decodePrincipal(e store.Entry) (*Principal, error) {
	var p Principal
	if err := json.Unmarshal(e.Value, &p); err != nil {
		return nil, fmt.Errorf("read %s: %w", e.Key, err)
	}
	return &p, nil
}

// PutPrincipal writes a principal, or says ErrNameTaken.
func PutPrincipal(ctx context.Context, tx store.Tx, p *Principal) error {
	b, err := json.Marshal(p)
	if err != nil {
		return err
	}
	if err := dropNames(ctx, tx, p.key()); err != nil {
		return err
	}
	for _, n := range p.names() {
		e, err := tx.Get(ctx, n)
		if err == nil && string(e.Value) != p.key() {
			return ErrNameTaken
		}
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		tx.Put(n, []byte(p.key()))
	}
	tx.Put(p.key(), b)
	return nil
}

// DeletePrincipal removes a principal; its tokens are worth nothing from then
// on.
func DeletePrincipal(ctx context.Context, tx store.Tx, p *Principal) error {
	if err := dropNames(ctx, tx, p.key()); err != nil {
		return err
	}
	tx.Delete(p.key())
	return nil
}

// dropNames removes the names of the principal as it is stored.
func dropNames(ctx context.Context, tx store.Tx, key string) error {
	was, err := readPrincipal(ctx, tx, key)
	if was == nil {
		return err
	}
	for _, n := range was.names() {
		tx.Delete(n)
	}
	return nil
}
