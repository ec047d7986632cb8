package main

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/url"
	"path/filepath"
	"time"

	"lazuli/internal/api"
	"lazuli/internal/arm"
	"lazuli/internal/arm/armtest"
	"lazuli/internal/network"
	"lazuli/internal/resources"
	"lazuli/internal/store"
	engine "lazuli/internal/store/etcd"
)

const (
	inGroup = 50  // resources of each group
	lists   = 100 // of one group, in one turn
	few     = 10_000
	many    = 100_000
)

// list compares a store of 100,000 resources with one of 10,000: what a list of
// one group costs, and each resource in a list of all. Both are in this process,
// and asked without a connection.
func (b *bench) list() {
	small, large := b.filled(few), b.filled(many)
	const nsgs = "/providers/" + network.NSGType
	group := small.group(few / inGroup / 2)
	for what, path := range map[string]string{"one type": group + nsgs, "all types": group + "/resources"} {
		var cost pairs[time.Duration]
		for range b.rounds {
			peer := small.took(func() { small.listMany(path) })
			cost.add(large.took(func() { large.listMany(path) }), peer)
		}
		b.add(fmt.Sprintf("list of a group of %d, %s, among 100,000", inGroup, what), us(median(cost.ours)/lists),
			"among 10,000 "+us(median(cost.peers)/lists), cost.ratio(), "near 1")
	}
	for what, path := range map[string]string{"one type": small.subscription() + nsgs, "all types": small.subscription() + "/resources"} {
		var cost pairs[time.Duration]
		for range min(b.rounds, 3) {
			peer := small.took(func() { small.listAll(path, few) }) / few
			cost.add(large.took(func() { large.listAll(path, many) })/many, peer)
		}
		b.add("each of 100,000 in a list of all, "+what, cost.each(cost.ours), "each of 10,000 "+cost.each(cost.peers), cost.ratio(), "-")
	}
}

// each shows what one of many took.
func (*pairs[T]) each(all []T) string {
	return fmt.Sprintf("%.1f us", float64(median(all))/float64(time.Microsecond))
}

// shelf is a front on a store that is filled.
type shelf struct {
	b      *bench
	server *api.Server
}

const listed = "00000000-0000-0000-0000-000000000001"

func (shelf) subscription() string { return "/subscriptions/" + listed }

func (s shelf) group(i int) string {
	return fmt.Sprintf("%s/resourceGroups/g%05d", s.subscription(), i)
}

// filled is a front on a store with n resources, as many in each group.
func (b *bench) filled(n int) shelf {
	st, err := engine.Open(b.ctx, engine.Options{Dir: filepath.Join(b.t.TempDir(), "state"), UnsafeNoFsync: true, Logger: slog.New(slog.DiscardHandler)})
	b.must(err)
	b.t.Cleanup(func() { st.Close() }) //nolint:errcheck // all that it has goes
	b.must(b.write(st, func(tx store.Tx) error {
		return arm.PutSubscription(tx, &arm.Subscription{ID: listed, Name: "list", TenantID: listed})
	}))
	for i := range n / inGroup {
		b.must(b.write(st, func(tx store.Tx) error { return b.fill(tx, fmt.Sprintf("g%05d", i)) }))
	}
	types := append(resources.Types("local"), network.Types(network.Config{})...)
	server, err := api.New(b.ctx, api.Config{
		Store: st, Types: types, Rights: armtest.Everyone{}, Location: "local",
		Endpoints: resources.Endpoints(resources.Config{Location: "local", Types: types}),
	})
	b.must(err)
	return shelf{b, server}
}

func (b *bench) write(st store.Store, f func(tx store.Tx) error) error {
	_, err := st.Update(b.ctx, f)
	return err
}

// fill writes a group with its resources.
func (b *bench) fill(tx store.Tx, name string) error {
	type raw = arm.Collection[json.RawMessage, json.RawMessage]
	none := json.RawMessage("{}")
	group := &arm.Object[json.RawMessage, json.RawMessage]{Meta: arm.Meta{ID: arm.GroupID(listed, name), Location: "local"}, Spec: none}
	if err := (raw{Type: arm.GroupType}).Put(b.ctx, tx, group); err != nil {
		return err
	}
	for i := range inGroup {
		nsg := &arm.Object[network.NSG, network.NoStatus]{Meta: arm.Meta{
			ID: arm.Group(listed, name).Resource(network.NSGType, fmt.Sprintf("nsg%02d", i)), UID: fmt.Sprintf("%s-%d", name, i), Location: "local",
			Tags: map[string]string{"owner": "bench"},
		}}
		if err := network.NSGs.Put(b.ctx, tx, nsg); err != nil {
			return err
		}
	}
	return nil
}

// took is how long f takes.
func (s shelf) took(f func()) time.Duration {
	from := time.Now()
	f()
	return time.Since(from)
}

// listMany lists what is in one group again and again.
func (s shelf) listMany(path string) {
	for range lists {
		if items, next := s.page(path, ""); items != inGroup || next != "" {
			s.b.t.Fatalf("%s: %d items, then %q", path, items, next)
		}
	}
}

// listAll lists everything, by pages.
func (s shelf) listAll(path string, want int) {
	n := 0
	for token, more := "", true; more; more = token != "" {
		var items int
		items, token = s.page(path, token)
		n += items
	}
	if n != want {
		s.b.t.Fatalf("%s: %d items, want %d", path, n, want)
	}
}

// page asks for one page, and says how many are on it and what comes after it.
func (s shelf) page(path, token string) (items int, next string) {
	q := api.Request{Principal: arm.Principal{TenantID: listed}, Method: "GET", Path: path, APIVersion: "2025-04-01"}
	if token != "" {
		q.Query = map[string]string{"$skiptoken": token}
	}
	r, err := s.server.Do(s.b.ctx, q)
	s.b.must(err)
	var body struct {
		Value    []json.RawMessage `json:"value"`
		NextLink string            `json:"nextLink"`
	}
	s.b.must(json.Unmarshal(r.Body, &body))
	link, err := url.Parse(body.NextLink)
	s.b.must(err)
	return len(body.Value), link.Query().Get("$skiptoken")
}
