package identity

import (
	"context"
	"strings"
	"time"

	"github.com/google/uuid"

	"lazuli/internal/store"
)

// How long a user stays logged in.
const (
	// sessionTime is how long after a login it has to be repeated.
	sessionTime = 90 * 24 * time.Hour
	// refreshTime is how long a refresh token is good when it is not used.
	refreshTime = 14 * 24 * time.Hour
	// reuseTime is how long after its use a refresh token may be used again:
	// programs that run side by side have one cache, and answers get lost.
	reuseTime = 2 * time.Minute
	// watchTime is how long a used token is known, to tell that it was stolen.
	watchTime = 24 * time.Hour
)

// session is one login of a user with one program, which refresh tokens
// prolong.
type session struct {
	lifetime
	ClientID string `json:"clientId"`
	UserID   string `json:"userId"`
	Epoch    int    `json:"epoch"`
}

// refreshToken is what is kept of one.
type refreshToken struct {
	lifetime
	Session string    `json:"session"` // key
	UsedAt  time.Time `json:"usedAt,omitzero"`
}

func newRefresh(offline bool) string {
	if !offline {
		return ""
	}
	return NewSecret()
}

// beginSession keeps a login for as long as it is refreshed; none without a
// refresh token.
func (s *Service) beginSession(tx store.Tx, clientID string, p *Principal, refresh string) error {
	if refresh == "" {
		return nil
	}
	key := ticketKey(sessionTicket, uuid.NewString())
	err := putTicket(tx, key, session{
		lifetime: lifetime{s.Now().Add(sessionTime)}, ClientID: strings.ToLower(clientID), UserID: p.ObjectID, Epoch: p.Epoch,
	})
	if err != nil {
		return err
	}
	return putTicket(tx, ticketKey(refreshTicket, refresh), refreshToken{lifetime: lifetime{s.Now().Add(refreshTime)}, Session: key})
}

// Refresh prolongs a login: it takes a refresh token and gives another one. A
// token that comes back long after its use is in two hands, so the login ends.
func (s *Service) Refresh(ctx context.Context, a Ask, token string) (*Grant, error) {
	if err := s.admit(&a); err != nil {
		return nil, err
	}
	var p *Principal
	var refused error
	next := NewSecret()
	_, err := s.Store.Update(ctx, func(tx store.Tx) (err error) {
		p, refused, err = s.rotate(ctx, tx, a.ClientID, token, next)
		return err
	})
	if err == nil {
		err = refused
	}
	if err != nil {
		return nil, err
	}
	return s.grant(a, p, next)
}

// rotate replaces a refresh token by the next one. With refused, what it wrote
// is to be kept.
func (s *Service) rotate(ctx context.Context, tx store.Tx, clientID, token, next string) (p *Principal, refused, err error) {
	now, key := s.Now(), ticketKey(refreshTicket, token)
	r, err := findTicket[refreshToken](ctx, tx, key, now)
	if err != nil || r == nil {
		return nil, ErrBadGrant, err
	}
	held, err := findTicket[session](ctx, tx, r.Session, now)
	if err != nil || held == nil {
		return nil, ErrRevoked, err
	}
	if held.ClientID != strings.ToLower(clientID) {
		return nil, ErrBadGrant, nil
	}
	if !r.UsedAt.IsZero() && now.Sub(r.UsedAt) > reuseTime {
		tx.Delete(r.Session)
		return nil, ErrRevoked, nil
	}
	if p, err = s.user(ctx, tx, held.UserID, held.Epoch); err != nil {
		return nil, nil, err
	}
	if r.UsedAt.IsZero() {
		r.UsedAt, r.ExpiresAt = now, now.Add(watchTime)
		if err := putTicket(tx, key, r); err != nil {
			return nil, nil, err
		}
	}
	end := now.Add(refreshTime)
	if end.After(held.ExpiresAt) {
		end = held.ExpiresAt
	}
	return p, nil, putTicket(tx, ticketKey(refreshTicket, next), refreshToken{lifetime: lifetime{end}, Session: r.Session})
}
