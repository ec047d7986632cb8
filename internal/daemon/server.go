package daemon

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"lazuli/internal/activity"
	"lazuli/internal/api"
	"lazuli/internal/arm"
	"lazuli/internal/compute"
	"lazuli/internal/control"
	"lazuli/internal/fabric"
	"lazuli/internal/identity"
	"lazuli/internal/identity/bootstrap"
	"lazuli/internal/identity/certs"
	"lazuli/internal/network"
	"lazuli/internal/resources"
	"lazuli/internal/rights"
	"lazuli/internal/storage"
	"lazuli/internal/store"
	"lazuli/internal/store/etcd"
	"lazuli/internal/store/memory"
)

// ServerConfig is what a control plane is told.
type ServerConfig struct {
	DataDir string
	// Listen is the address of the API, NodeListen that for nodes.
	Listen, NodeListen string
	// Names are further host names and addresses that the API is reached by.
	Names []string
	// Location is the name of the cloud's location; "" for "local".
	Location string
	// PublicPool are the prefixes of public addresses.
	PublicPool []netip.Prefix
	// Domain is what names in the cloud end in.
	Domain string
	// ProvisionTimeout is how long a guest may take until it reports that it is
	// ready; zero is the control plane's default.
	ProvisionTimeout time.Duration
	// Issuers are OpenID Connect issuers outside of the cloud, with whose tokens
	// service principals may log in that have a federated credential for it.
	Issuers []string
	// IssuerTransport carries the requests for their keys; nil is that of all
	// the world.
	IssuerTransport http.RoundTripper
	// TemplateSources are the addresses below which templates may be linked from.
	TemplateSources []string
	// ActivityTime and ActivityBytes bound the activity log; zero is 90 days
	// and 64 MiB.
	ActivityTime  time.Duration
	ActivityBytes int64
	// Limits are how fast one principal may make requests.
	Limits api.Limits
	// Volatile keeps the state in memory, for trying the API out.
	Volatile bool
	// UnsafeNoFsync is for the test that shows that fsync matters.
	UnsafeNoFsync bool
	// Now is the clock that tokens go by; nil is time.Now.
	Now func() time.Time
	Log *slog.Logger
}

// DefaultDomain ends names in a cloud that is told no other. It is reserved
// for private use.
const DefaultDomain = "lazuli.internal"

// Server is a control plane, ready to run.
type Server struct {
	Cloud    *bootstrap.Cloud
	log      *slog.Logger
	lock     *os.File
	store    store.Store
	rights   *rights.Store // the same, with what may be done
	activity *activity.Log
	who      *identity.Service
	control  *control.Control
	api      *api.Server
	front    net.Listener
	nodes    net.Listener
}

// NewServer opens the state and the listeners of a control plane.
func NewServer(ctx context.Context, c ServerConfig) (_ *Server, err error) {
	s := &Server{log: c.Log}
	defer func() {
		if err != nil {
			s.Close()
		}
	}()
	if err := makeDirs(c.DataDir, dirs{"state": 0o700}); err != nil {
		return nil, err
	}
	if s.lock, err = lock(c.DataDir, serverLock); err != nil {
		return nil, err
	}
	if s.front, err = net.Listen("tcp", c.Listen); err != nil {
		return nil, fmt.Errorf("listen for the API: %w. Choose another address with --listen, or end what uses this one", err)
	}
	if s.nodes, err = net.Listen("tcp", c.NodeListen); err != nil {
		return nil, fmt.Errorf("listen for nodes: %w. Choose another address with --node-listen, or end what uses this one", err)
	}
	if s.store, err = openStore(ctx, c); err != nil {
		return nil, err
	}
	if err := s.openRights(ctx); err != nil {
		return nil, err
	}
	s.Cloud, err = bootstrap.Run(ctx, bootstrap.Config{
		Dir: c.DataDir, Store: s.store, Endpoint: "https://" + endpointOf(s.front.Addr().String()), Names: c.Names, Location: c.Location,
	})
	if err == nil {
		err = s.ensureOwner(ctx)
	}
	if err != nil {
		return nil, err
	}
	return s, s.assemble(ctx, c)
}

func openStore(ctx context.Context, c ServerConfig) (store.Store, error) {
	if c.Volatile {
		return memory.New(memory.Options{}), nil
	}
	st, err := etcd.Open(ctx, etcd.Options{Dir: filepath.Join(c.DataDir, "state"), Logger: c.Log, UnsafeNoFsync: c.UnsafeNoFsync})
	if err != nil {
		return nil, fmt.Errorf("open state: %w", err)
	}
	return st, nil
}

// endpointOf is the address that clients on this machine are told.
func endpointOf(addr string) string {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return addr
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, port)
}

// assemble puts the parts together.
func (s *Server) assemble(ctx context.Context, c ServerConfig) (err error) {
	if err := s.openIdentity(ctx, c); err != nil {
		return err
	}
	location := s.Cloud.Identity.Location
	domain := cmp.Or(c.Domain, DefaultDomain)
	machines := compute.Config{Locations: []string{location}, Catalogue: control.Images{}}
	networks := network.Config{Locations: []string{location}, PublicPool: c.PublicPool, Domain: domain}
	accounts := storage.Config{Locations: []string{location}, Domain: domain}
	types := slices.Concat(resources.Types(location), network.Types(networks), compute.Types(machines), storage.Types(accounts))
	deployments, err := s.deployments(c, types)
	if err != nil {
		return err
	}
	types = append(types, deployments.Types()...)
	groups := &resources.Groups{Store: s.store, Types: types}
	s.control = control.New(control.Config{Store: s.store, Log: c.Log, Domain: domain, Groups: groups.Reconcile, Deployments: deployments.Reconcile, Waiting: deployments.Waiting, ProvisionTimeout: c.ProvisionTimeout})
	may := rights.Config{Rights: s.rights, Principal: principalKind, Table: types}
	types = append(types, rights.Types(may)...)
	s.activity = activity.New(activity.Config{Store: s.store, Log: c.Log, Keep: c.ActivityTime, MaxBytes: c.ActivityBytes})
	s.api, err = api.New(ctx, api.Config{
		Store: s.store, Types: types, Identity: s.who, Rights: s.rights, Activity: s.activity, Limits: c.Limits, Login: s.login(),
		Endpoints: slices.Concat(resources.Endpoints(resources.Config{Location: location, Types: types}), network.Endpoints(networks), compute.Endpoints(machines), storage.Endpoints(accounts), deployments.Endpoints(), rights.Endpoints(may), activity.Endpoints()),
		Guests:    s.control, Aliases: compute.Aliases(control.Images{}), Location: location, Logger: c.Log,
	})
	deployments.Cloud = inside{s.api, s.api.Do}
	return err
}

// Run serves until ctx ends.
func (s *Server) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return s.control.Run(ctx) })
	g.Go(func() error { return s.who.Run(ctx) })
	g.Go(func() error { return growHeap(ctx) })
	g.Go(func() error { return s.activity.Run(ctx) })
	g.Go(func() error {
		return fabric.Serve(ctx, s.nodes, certs.ControlConfig(s.Cloud.Control, s.Cloud.Authority.Certificate), s.control, s.log)
	})
	g.Go(func() error { return s.api.Serve(ctx, s.front, certs.FrontConfig(s.Cloud.Server)) })
	s.log.Info("the API is served", "endpoint", s.Cloud.Admin.Endpoint)
	err := g.Wait()
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// Close frees what the server holds. It is called when Run has returned.
func (s *Server) Close() error {
	var errs []error
	for _, l := range []net.Listener{s.front, s.nodes} {
		if l != nil {
			if err := l.Close(); !errors.Is(err, net.ErrClosed) {
				errs = append(errs, err)
			}
		}
	}
	if s.store != nil {
		errs = append(errs, s.store.Close())
	}
	if s.lock != nil {
		errs = append(errs, s.lock.Close())
	}
	return errors.Join(errs...)
}

// NodeAddress is where nodes on this machine reach the control plane.
func (s *Server) NodeAddress() string { return endpointOf(s.nodes.Addr().String()) }

// Join is what a node needs to become one of a cloud.
type Join struct {
	Name    string `json:"name"`
	Server  string `json:"server"` // address of the control plane
	CA      string `json:"ca"`     // PEM
	Pair    string `json:"pair"`   // PEM: key and certificate
	Created string `json:"created"`
}

// Issue makes the join of a node with this name.
func Issue(cloud *bootstrap.Cloud, name, server string) (*Join, error) {
	if name == "" || strings.ContainsAny(name, "/ \t\n") || len(name) > 63 {
		return nil, arm.BadRequest("InvalidNodeName", "The node's name %q is not like a host name.", name)
	}
	now := time.Now()
	pair, err := cloud.Authority.IssueNode(fabric.NodeCommonName(name), now)
	if err != nil {
		return nil, fmt.Errorf("issue node's certificate: %w", err)
	}
	pem, err := pair.PEM()
	if err != nil {
		return nil, err
	}
	return &Join{Name: name, Server: server, CA: string(cloud.Authority.CertificatePEM()), Pair: string(pem), Created: now.UTC().Format(time.RFC3339)}, nil
}

// IssueFrom makes a join with the authority in a control plane's data
// directory. The control plane may run meanwhile.
func IssueFrom(dataDir, name, server string) (*Join, error) {
	authority, err := bootstrap.ReadAuthority(dataDir)
	if err != nil {
		return nil, err
	}
	return Issue(&bootstrap.Cloud{Authority: authority}, name, server)
}
