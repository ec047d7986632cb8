package etcd

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"time"

	"go.etcd.io/etcd/server/v3/embed"

	"lazuli/internal/store/txn"
)

const memberName = "lazuli"

// readyTimeout is what a member may take to elect itself and apply what is
// left of its log, which takes a fraction of a second.
const readyTimeout = time.Minute

// peerURL names the member to itself. Nothing listens there, and with one
// member nothing calls it.
var peerURL = url.URL{Scheme: "http", Host: "127.0.0.1:2380"}

// config is that of one member that talks to nobody. Its ticks only bound how
// soon it elects itself (half a tick costs as much again when idle); its log in
// memory is short because no other member catches up.
func config(o Options) *embed.Config {
	c := embed.NewConfig()
	c.Name = memberName
	c.Dir = o.Dir
	c.ListenPeerUrls, c.ListenClientUrls = nil, nil
	c.AdvertisePeerUrls, c.AdvertiseClientUrls = []url.URL{peerURL}, nil
	c.InitialCluster = memberName + "=" + peerURL.String()
	c.InitialClusterToken = rand.Text() // gives each first start an id of its own
	c.EnableGRPCGateway = false
	c.TickMs, c.ElectionMs = 50, 250
	c.SnapshotCount, c.SnapshotCatchUpEntries = 2000, 100
	c.MaxSnapFiles, c.MaxWalFiles = 2, 2
	c.QuotaBackendBytes = o.QuotaBytes
	c.BootstrapDefragThresholdMegabytes = 64
	c.MaxTxnOps = txn.MaxOps + batchCommits           // of which each is one around others
	c.MaxRequestBytes = txn.MaxBytes + txn.MaxBytes/4 // the rest is etcd's own words
	c.UnsafeNoFsync = o.UnsafeNoFsync
	c.ZapLoggerBuilder = embed.NewZapLoggerBuilder(newLogger(o.Logger))
	return c
}

// start starts the member and waits until it serves.
func start(ctx context.Context, o Options) (*embed.Etcd, error) {
	member, err := startRecovered(config(o))
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, readyTimeout, errors.New("etcd does not become ready"))
	defer cancel()
	select {
	case <-member.Server.ReadyNotify():
		return member, nil
	case <-member.Server.StopNotify():
		err = errors.New("etcd stopped while starting")
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	member.Close()
	return nil, err
}

// startRecovered turns a fatal into an error: etcd ends the process over
// damage that the caller should hear of. What a failed start leaves running
// stays until the process ends.
func startRecovered(c *embed.Config) (member *embed.Etcd, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("damaged: %v", r)
		}
	}()
	return embed.StartEtcd(c)
}
