package daemon

import (
	"cmp"
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"hash/fnv"
	"log/slog"
	"path/filepath"
	"slices"
	"time"

	"lazuli/internal/fabric"
	"lazuli/internal/identity/certs"
	"lazuli/internal/image"
	"lazuli/internal/node"
	"lazuli/internal/node/disk"
	"lazuli/internal/node/fake"
	"lazuli/internal/node/guest"
	"lazuli/internal/node/guest/ovf"
	"lazuli/internal/node/net/routed"
	"lazuli/internal/node/qemu"
)

// NodeConfig is what a node is told.
type NodeConfig struct {
	DataDir string
	Join    Join
	// Instance tells several clouds on one host apart; "" is "default".
	Instance string
	// Fake runs no machines, but behaves as if, on FakeHost; nil is one whose
	// disks are kept account of below DataDir.
	Fake     bool
	FakeHost *fake.Host
	// FakeMemoryMiB is the memory of a fake host; zero is a terabyte.
	FakeMemoryMiB int
	// Accelerator is "kvm" or "tcg"; "" is found out.
	Accelerator string
	Version     string
	// ShutdownGrace is how long a guest may take to power off when asked to;
	// zero is the agent's default.
	ShutdownGrace time.Duration
	// CacheUnsafe has QEMU not pass flushes on. It exists so that a test of
	// durability can be seen to fail, and for nothing else.
	CacheUnsafe bool
	Log         *slog.Logger
}

// Node is a node's agent with its drivers, ready to run.
type Node struct {
	c      NodeConfig
	agent  *node.Agent
	closes []func() error
}

// ImagesDir is where the images of a node are, below its data directory.
func ImagesDir(dataDir string) string { return filepath.Join(dataDir, "images") }

// NewNode opens the drivers of a node. The first time on a host, and after each
// boot, QEMU is tried out, which takes seconds.
func NewNode(ctx context.Context, c NodeConfig) (_ *Node, err error) {
	n := &Node{c: c}
	defer func() {
		if err != nil {
			n.Close()
		}
	}()
	if err := makeDirs(c.DataDir, dirs{"agent": 0o700, "disks": 0o711, "images": 0o700, "machines": 0o711, "media": 0o711, "networks": 0o700}); err != nil {
		return nil, err
	}
	held, err := lock(c.DataDir, nodeLock)
	if err != nil {
		return nil, err
	}
	n.closes = append(n.closes, held.Close)
	catalogue, err := image.Open(ImagesDir(c.DataDir))
	if err != nil {
		return nil, err
	}
	conf := node.Config{
		Name: c.Join.Name, Version: c.Version, Dir: filepath.Join(c.DataDir, "agent"),
		Images: func() ([]fabric.NodeImage, error) { return platformImages(catalogue) }, Log: c.Log, ShutdownGrace: c.ShutdownGrace,
	}
	n.media(&conf)
	if c.Fake {
		return n, n.assembleFake(conf)
	}
	return n, n.assemble(ctx, conf)
}

// platformImages are the images that users can make machines of by name, as
// opposed to those that users made of their disks.
func platformImages(c *image.Catalogue) ([]fabric.NodeImage, error) {
	all, err := c.List()
	return slices.DeleteFunc(all, func(i fabric.NodeImage) bool { return i.Publisher == "" }), err
}

// media keeps provisioning media below the data directory, where the machines'
// users can pass through and see nothing.
func (n *Node) media(conf *node.Config) {
	dir := filepath.Join(n.c.DataDir, "media")
	path := func(uid string) string { return filepath.Join(dir, uid+".iso") }
	conf.Medium = func(_ context.Context, m fabric.Machine, owner int) (string, error) {
		return path(m.UID), ovf.WriteMedium(path(m.UID), m.Provision, owner)
	}
	conf.DropMedium = func(uid string) error { return ovf.RemoveMedium(path(uid)) }
}

// fakeMemoryMiB is more than anybody asks of a fake host.
const fakeMemoryMiB = 1 << 20

func (n *Node) assembleFake(conf node.Config) (err error) {
	h := n.c.FakeHost
	if h != nil {
		conf.Disks = fake.Disks{Host: h}
	} else {
		h = fake.New()
		if conf.Disks, err = fake.Keep(h, filepath.Join(n.c.DataDir, "fake")); err != nil {
			return err
		}
	}
	conf.Hypervisor, conf.Networks = fake.Hypervisor{Host: h}, fake.Networks{Host: h}
	conf.Images = func() ([]fabric.NodeImage, error) { return fake.Images(), nil }
	conf.MemoryMiB = cmp.Or(n.c.FakeMemoryMiB, fakeMemoryMiB)
	if n.agent, err = node.New(conf); err == nil {
		h.SetGuests(n.agent)
	}
	return err
}

// assemble opens the real drivers. The services of guests ask the agent about
// machines, and the agent needs the networks, whose services they are.
func (n *Node) assemble(ctx context.Context, conf node.Config) error {
	if err := checkPassage(n.c.DataDir); err != nil {
		return err
	}
	first, count := users(n.c.Instance)
	hv, err := qemu.New(ctx, qemu.Config{Root: filepath.Join(n.c.DataDir, "machines"), FirstUser: first, Users: count, Accelerator: n.c.Accelerator, CacheUnsafe: n.c.CacheUnsafe, Log: n.c.Log})
	if err != nil {
		return err
	}
	n.closes = append(n.closes, hv.Close)
	conf.Hypervisor = hv
	if conf.Disks, err = disk.New(disk.Config{Root: filepath.Join(n.c.DataDir, "disks"), Images: ImagesDir(n.c.DataDir)}); err != nil {
		return err
	}
	ask := &late{}
	services := guest.New(guest.Config{Machine: ask.Machine, Report: ask, Logger: n.c.Log})
	n.closes = append(n.closes, func() error { services.Close(); return nil })
	nets, err := routed.New(ctx, routed.Options{Dir: filepath.Join(n.c.DataDir, "networks"), Instance: n.c.Instance, Log: n.c.Log}, services)
	if err != nil {
		return err
	}
	n.closes = append(n.closes, nets.Close)
	conf.Networks = nets
	if n.agent, err = node.New(conf); err != nil {
		return err
	}
	ask.set(n.agent)
	return nil
}

// Run works until ctx ends. Machines run on.
func (n *Node) Run(ctx context.Context) error {
	pair, err := certs.Parse([]byte(n.c.Join.Pair))
	if err != nil {
		return fmt.Errorf("read node's certificate: %w", err)
	}
	block, _ := pem.Decode([]byte(n.c.Join.CA))
	if block == nil {
		return errors.New("the join file has no certificate of the cloud's authority")
	}
	ca, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return fmt.Errorf("read authority's certificate: %w", err)
	}
	tls := certs.NodeConfig(pair, ca)
	err = n.agent.Run(ctx, func(ctx context.Context) (node.Link, error) {
		return fabric.Dial(ctx, n.c.Join.Server, tls, n.agent)
	})
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// Close lets go of everything; machines and networks stay.
func (n *Node) Close() error {
	var errs []error
	for i := len(n.closes) - 1; i >= 0; i-- {
		errs = append(errs, n.closes[i]())
	}
	return errors.Join(errs...)
}

// users is the range of user ids for the machines of a cloud. Clouds on one
// host have ranges of their own: a user that had machines of two would be able
// to reach from one into the other.
func users(instance string) (first, count int) {
	const block = 100_000
	if instance == "" || instance == "default" {
		return 700_000, block
	}
	h := fnv.New32a()
	h.Write([]byte(instance))
	return 1_000_000 + block*int(h.Sum32()%10_000), block
}
