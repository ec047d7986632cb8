package identity

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"lazuli/internal/store"
)

// Tickets are what a login hands out to be brought back: device codes,
// authorization codes, refresh tokens. They are in the store, so that a restart
// loses none, under hashes, so that whoever reads the store has none.
const ticketPrefix = "/identity/ticket/"

// Kinds of tickets.
const (
	deviceTicket   = "device"
	userCodeTicket = "usercode"
	codeTicket     = "code"
	sessionTicket  = "session"
	refreshTicket  = "refresh"
)

func ticketKey(kind, secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return ticketPrefix + kind + "/" + hex.EncodeToString(sum[:])
}

// lifetime is what all tickets have.
type lifetime struct {
	ExpiresAt time.Time `json:"expiresAt"`
}

func (l lifetime) over(now time.Time) bool { return !now.Before(l.ExpiresAt) }

// findTicket reads a ticket; nil without an error when there is none, or it has
// expired.
func findTicket[T interface{ over(time.Time) bool }](ctx context.Context, r store.Reader, key string, now time.Time) (*T, error) {
	e, err := r.Get(ctx, key)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var t T
	if err := json.Unmarshal(e.Value, &t); err != nil {
		return nil, fmt.Errorf("read %s: %w", e.Key, err)
	}
	if t.over(now) {
		return nil, nil
	}
	return &t, nil
}

func putTicket(tx store.Tx, key string, t any) error {
	b, err := json.Marshal(t)
	if err != nil {
		return err
	}
	tx.Put(key, b)
	return nil
}

// sweepTime is how often expired tickets are removed, sweepBatch how many in
// one transaction.
const (
	sweepTime  = 10 * time.Minute
	sweepBatch = 100
)

// Run removes expired tickets until ctx ends, whose error it returns.
func (s *Service) Run(ctx context.Context) error {
	tick := time.NewTicker(sweepTime)
	defer tick.Stop()
	for {
		// What fails now is done the next time.
		if err := s.Sweep(ctx); err != nil && ctx.Err() == nil && s.Log != nil {
			s.Log.Warn("expired logins were not removed", "err", err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// Sweep removes expired tickets.
func (s *Service) Sweep(ctx context.Context) error {
	es, err := s.Store.List(ctx, ticketPrefix)
	if err != nil {
		return err
	}
	var over []string
	for _, e := range es {
		var l lifetime
		if err := json.Unmarshal(e.Value, &l); err != nil {
			return fmt.Errorf("read %s: %w", e.Key, err)
		}
		if l.over(s.Now()) {
			over = append(over, e.Key)
		}
	}
	for len(over) > 0 {
		batch := over[:min(len(over), sweepBatch)]
		over = over[len(batch):]
		// A ticket is never prolonged, so what has expired may go.
		_, err := s.Store.Update(ctx, func(tx store.Tx) error {
			for _, k := range batch {
				tx.Delete(k)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}
