package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/server/v3/embed"
)

const (
	turn      = time.Second // of one side
	objects   = 20          // that each client writes in turn
	valueSize = 1024

	clientsMax = 64
)

// state sends durable writes and reads to the API, and to etcd alone: a
// transaction that compares, writes as many bytes and reads. Its server is in
// this process and is spoken to over a socket, without TLS.
func (b *bench) state() {
	b.up()
	peer := b.etcd()
	defer peer.Close()
	api := &groups{ctx: b.ctx, client: b.api, lines: make([]*line, clientsMax)}
	defer api.Close()
	for _, clients := range []int{1, clientsMax} {
		var rate pairs[float64]
		for range b.rounds {
			ours := b.hammer(clients, api.put)
			rate.add(ours.rate(), b.hammer(clients, peer.put).rate())
		}
		b.add(fmt.Sprintf("durable PUT of 1 KiB, %d clients", clients), perSecond(rate.ours), "etcd transaction "+perSecond(rate.peers), rate.ratio(), ">= 0.4")
	}
	var p99 pairs[time.Duration]
	for range b.rounds {
		ours := b.hammer(1, api.get)
		p99.add(ours.p99(), b.hammer(1, peer.get).p99())
	}
	b.add("GET, p99", us(median(p99.ours)), "etcd get "+us(median(p99.peers)), p99.ratio(), "<= 3")
}

func perSecond(all []float64) string { return fmt.Sprintf("%.0f/s", median(all)) }

func us(d time.Duration) string { return fmt.Sprintf("%d us", d.Microseconds()) }

// account is what requests took in one turn.
type account struct {
	took []time.Duration
	all  time.Duration
}

func (a *account) rate() float64 { return float64(len(a.took)) / a.all.Seconds() }

func (a *account) p99() time.Duration {
	if len(a.took) == 0 {
		return 0
	}
	return quantile(a.took, 0.99)
}

// hammer has clients call f for a turn.
func (b *bench) hammer(clients int, f func(client, i int) error) *account {
	var (
		mu   sync.Mutex
		wg   sync.WaitGroup
		errs error
		sum  account
	)
	from := time.Now()
	for client := range clients {
		wg.Go(func() {
			var took []time.Duration
			var err error
			for i := 0; time.Since(from) < turn && err == nil; i++ {
				at := time.Now()
				err = f(client, i%objects)
				took = append(took, time.Since(at))
			}
			mu.Lock()
			defer mu.Unlock()
			sum.took = append(sum.took, took...)
			if err != nil {
				errs = err
			}
		})
	}
	wg.Wait()
	sum.all = time.Since(from)
	b.must(errs)
	return &sum
}

// filling makes a group's body as large as a value of etcd.
var filling = strings.Repeat("x", 250)

// groups are the clients of the API; each has a line and groups of its own.
type groups struct {
	ctx    context.Context
	client *client
	lines  []*line
}

func (g *groups) line(client int) (*line, error) {
	if g.lines[client] == nil {
		l, err := g.client.dial(g.ctx)
		if err != nil {
			return nil, err
		}
		g.lines[client] = l
	}
	return g.lines[client], nil
}

func (g *groups) path(client, i int) string {
	return g.client.group(fmt.Sprintf("bench-%d-%d", client, i))
}

func (g *groups) put(client, i int) error {
	return g.ask(client, i, http.MethodPut, fmt.Sprintf(`{"location":%q,"tags":{"a":%q,"b":%q,"c":%q,"n":"%d"}}`,
		g.client.admin.Location, filling, filling, filling, time.Now().UnixNano()))
}

func (g *groups) get(client, i int) error { return g.ask(client, i, http.MethodGet, "") }

func (g *groups) ask(client, i int, method, body string) error {
	l, err := g.line(client)
	if err != nil {
		return err
	}
	status, answer, err := l.ask(method, g.path(client, i), body)
	if err == nil && status >= http.StatusMultipleChoices {
		err = fmt.Errorf("%s: status %d: %s", method, status, answer)
	}
	return err
}

func (g *groups) Close() {
	for _, l := range g.lines {
		if l != nil {
			l.Close() //nolint:errcheck // the cloud goes too
		}
	}
}

// etcd is one member that talks to nobody.
type etcd struct {
	ctx    context.Context
	member *embed.Etcd
	client *clientv3.Client
}

// etcd starts a member beside the cloud's state.
func (b *bench) etcd() *etcd {
	c := embed.NewConfig()
	peer := url.URL{Scheme: "http", Host: "127.0.0.1:2380"} // nothing listens there
	dir := b.t.TempDir()
	socket := url.URL{Scheme: "unix", Path: filepath.Join(dir, "socket")}
	c.Dir = filepath.Join(dir, "etcd")
	c.ListenPeerUrls, c.ListenClientUrls = nil, []url.URL{socket}
	c.AdvertisePeerUrls, c.AdvertiseClientUrls = []url.URL{peer}, []url.URL{socket}
	c.InitialCluster = c.Name + "=" + peer.String()
	c.LogLevel = "fatal"
	member, err := embed.StartEtcd(c)
	b.must(err)
	select {
	case <-member.Server.ReadyNotify():
	case <-b.ctx.Done():
		member.Close()
		b.t.Fatal(b.ctx.Err())
	}
	client, err := clientv3.New(clientv3.Config{Context: b.ctx, Endpoints: []string{socket.String()}})
	if err != nil {
		member.Close()
		b.t.Fatal(err)
	}
	return &etcd{b.ctx, member, client}
}

func (e *etcd) Close() {
	e.client.Close() //nolint:errcheck // all that it has goes
	e.member.Close()
}

var value = strings.Repeat("x", valueSize)

func (e *etcd) put(client, i int) error {
	key := fmt.Sprintf("/bench/%d/%d", client, i)
	_, err := e.client.Txn(e.ctx).If(clientv3.Compare(clientv3.ModRevision(key), ">", -1)).
		Then(clientv3.OpPut(key, value), clientv3.OpGet(key)).Commit()
	return err
}

func (e *etcd) get(client, i int) error {
	_, err := e.client.Get(e.ctx, fmt.Sprintf("/bench/%d/%d", client, i))
	return err
}
