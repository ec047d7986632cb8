package network

import (
	"context"
	"errors"
	"net/netip"
	"strings"

	"lazuli/internal/arm"
	"lazuli/internal/store"
)

// A space of values each of which at most one resource holds:
//
//	/claim/<space>/<value>   the holder's id
//
// A claim is made and released in the transaction that writes its holder.
type space string

const (
	macs            space = "mac"
	publicAddresses space = "public"
	publicNames     space = "name"
)

// addressesOf is the space of the private addresses in a subnet.
func addressesOf(networkUID, subnet string) space {
	return space("private/" + networkUID + "/" + strings.ToLower(subnet))
}

func (s space) key(value string) string { return "/claim/" + string(s) + "/" + value }

// holder is who holds value; the zero ID when nobody does.
func (s space) holder(ctx context.Context, r store.Reader, value string) (arm.ID, error) {
	e, err := r.Get(ctx, s.key(value))
	if errors.Is(err, store.ErrNotFound) {
		return arm.ID{}, nil
	}
	if err != nil {
		return arm.ID{}, err
	}
	return arm.ParseID(string(e.Value))
}

// claim gives value to id. Somebody else who holds it is returned, and then
// nothing changes.
func (s space) claim(ctx context.Context, tx store.Tx, value string, id arm.ID) (arm.ID, error) {
	other, err := s.holder(ctx, tx, value)
	if err != nil || !other.IsZero() && !other.Equal(id) {
		return other, err
	}
	tx.Put(s.key(value), []byte(id.String()))
	return arm.ID{}, nil
}

func (s space) release(tx store.Tx, value string) { tx.Delete(s.key(value)) }

// held are the addresses of the space that somebody holds.
func (s space) held(ctx context.Context, r store.Reader) (map[netip.Addr]bool, error) {
	prefix := s.key("")
	es, err := r.List(ctx, prefix)
	if err != nil {
		return nil, err
	}
	m := make(map[netip.Addr]bool, len(es))
	for _, e := range es {
		a, err := netip.ParseAddr(strings.TrimPrefix(e.Key, prefix))
		if err != nil {
			return nil, err
		}
		m[a] = true
	}
	return m, nil
}
