package control

import (
	"context"
	"encoding/json"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"lazuli/internal/arm"
	"lazuli/internal/compute"
	"lazuli/internal/reconcile"
	"lazuli/internal/store"
	"lazuli/internal/store/mirror"
)

// Config is what the control plane is made of.
type Config struct {
	Store store.Store
	Log   *slog.Logger
	// Domain is the parent of the names that guests of a network see each
	// other by.
	Domain string
	// Groups makes one step of the deletion of a resource group.
	Groups func(ctx context.Context, id arm.ID) (again time.Duration, err error)
	// Deployments makes one step of a deployment, and
	// Waiting is the deployment that waits for the operation.
	Deployments func(ctx context.Context, id arm.ID) (again time.Duration, err error)
	Waiting     func(operation string) (id arm.ID, ok bool)
	// ProvisionTimeout is how long a guest may take until it is ready, where
	// the machine does not say; zero: 20 minutes.
	ProvisionTimeout time.Duration
	// Now is the clock; nil: time.Now.
	Now func() time.Time
}

// Control runs the reconcilers and serves the nodes.
type Control struct {
	Config
	store  store.Store
	log    *slog.Logger
	mirror *mirror.Mirror
	nodes  nodes
	ctx    context.Context // of Run; only to know that the end is near

	startedAt time.Time

	vms, disks, images, groups, deployments *reconcile.Loop
	byType                                  map[string]*reconcile.Loop

	mu    sync.Mutex
	known map[string]ident  // by key, what somebody reconciles
	keyOf map[string]string // by UID, its key

	// goesAfter has, by the id of a disk, the machine that waits for its end.
	goesAfter sync.Map

	once     sync.Once
	followed chan struct{} // closed when the mirror has read the store
}

// defaultProvisionTimeout is what Azure gives a Linux guest.
const defaultProvisionTimeout = 20 * time.Minute

// groupType is the type that resource groups are stored as.
const groupType = "Microsoft.Resources/resourceGroups"

// deploymentType is the type of deployments.
const deploymentType = "Microsoft.Resources/deployments"

// New makes a control plane. It does nothing until Run.
func New(cfg Config) *Control {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.ProvisionTimeout == 0 {
		cfg.ProvisionTimeout = defaultProvisionTimeout
	}
	c := &Control{
		Config: cfg, store: cfg.Store, log: cfg.Log, mirror: mirror.New("/"), ctx: context.Background(),
		nodes: nodes{m: map[string]*linked{}, lost: map[string]time.Time{}}, startedAt: cfg.Now(),
		known: map[string]ident{}, keyOf: map[string]string{}, followed: make(chan struct{}),
	}
	c.vms = c.loop("vm", c.reconcileVM)
	c.disks = c.loop("disk", c.reconcileDisk)
	c.images = c.loop("image", c.reconcileImage)
	c.groups = c.loop("group", c.reconcileGroup)
	c.byType = map[string]*reconcile.Loop{
		strings.ToLower(compute.VMType): c.vms, strings.ToLower(compute.DiskType): c.disks,
		strings.ToLower(compute.ImageType): c.images, strings.ToLower(groupType): c.groups,
	}
	if cfg.Deployments != nil {
		c.deployments = c.loop("deployment", cfg.Deployments)
		c.byType[strings.ToLower(deploymentType)] = c.deployments
	}
	return c
}

// loop makes a loop over resources, whose keys are their ids.
func (c *Control) loop(name string, f func(context.Context, arm.ID) (time.Duration, error)) *reconcile.Loop {
	return reconcile.New(name, 16, c.log, func(ctx context.Context, key string) (time.Duration, error) {
		id, err := arm.ParseID(key)
		if err != nil {
			return 0, err
		}
		return f(ctx, id)
	})
}

// Run works until ctx ends.
func (c *Control) Run(ctx context.Context) error {
	c.ctx = ctx
	c.startedAt = c.Now() // nodes can link from now on; trying out QEMU comes before
	var wg sync.WaitGroup
	for _, l := range c.byType {
		wg.Go(func() { l.Run(ctx) })
	}
	wg.Go(func() { c.sweep(ctx) })
	err := c.mirror.Follow(ctx, c.store, c.log, c.changed)
	wg.Wait()
	return err
}

// changed has everything look that a change of the state may matter to.
func (c *Control) changed(events []store.Event) {
	matters := false // to what nodes are assigned
	for _, e := range events {
		c.wakeWaiting(e.Key)
		rest, isSpec := strings.CutPrefix(e.Key, "/spec/")
		if !isSpec {
			var isStatus bool
			if rest, isStatus = strings.CutPrefix(e.Key, "/status/"); !isStatus {
				continue
			}
		}
		matters = matters || assigned(rest)
		if isSpec {
			c.index(rest, e)
		}
		if e.Deleted {
			rest = groupKey(rest)
		}
		c.look(rest)
	}
	c.once.Do(func() { close(c.followed) })
	if matters {
		c.replan()
	}
}

// assigned says whether what has the key "<namespace>/<type>/…" is among what
// nodes are assigned.
func assigned(key string) bool {
	return strings.HasPrefix(key, "microsoft.compute/") || strings.HasPrefix(key, "microsoft.network/")
}

// wakeWaiting has the deployment look that waits for the operation with the key.
func (c *Control) wakeWaiting(key string) {
	operation, ok := strings.CutPrefix(key, arm.OperationPrefix)
	if !ok || c.Waiting == nil {
		return
	}
	if id, ok := c.Waiting(operation); ok {
		c.deployments.Add(id.String())
	}
}

// groupKey is the key of the group of the resource that had the key
// "<namespace>/<type>/<subscription>/<group>/<name>": a group that is being
// deleted waits for what is in it to go.
func groupKey(key string) string {
	parts := strings.Split(key, "/")
	if len(parts) != 5 || parts[3] == "" {
		return key
	}
	return arm.Key(arm.GroupID(parts[2], parts[3]))
}

// add has the reconciler of id's type look at it.
func (c *Control) add(id arm.ID) {
	if l := c.byType[strings.ToLower(id.Type())]; l != nil {
		l.Add(id.String())
	}
}

// replan has every node's assignment made again.
func (c *Control) replan() {
	c.nodes.mu.Lock()
	defer c.nodes.mu.Unlock()
	for _, l := range c.nodes.m {
		l.signal()
	}
}

// ident is what a resource is known by.
type ident struct {
	ID         arm.ID     `json:"id"`
	UID        string     `json:"uid"`
	DeletingAt *time.Time `json:"deletingAt"`
}

// look has the reconciler look at the resource with this key, if there is one.
// Of groups, only those that are being deleted have something to be done.
func (c *Control) look(key string) {
	c.mu.Lock()
	k, ok := c.known[key]
	c.mu.Unlock()
	if ok && (k.DeletingAt != nil || !k.ID.Is(groupType)) {
		c.add(k.ID)
	}
}

// loopOf is the loop of the resources whose keys begin like key.
func (c *Control) loopOf(key string) *reconcile.Loop {
	parts := strings.SplitN(key, "/", 3)
	if len(parts) < 3 {
		return nil
	}
	return c.byType[parts[0]+"/"+parts[1]]
}

// index remembers what the resource with the key is, which e is the spec of.
func (c *Control) index(key string, e store.Event) {
	if c.loopOf(key) == nil {
		return
	}
	var spec struct{ Meta ident }
	if !e.Deleted {
		if err := json.Unmarshal(e.Value, &spec); err != nil {
			c.log.Error("unreadable resource in the store", "key", e.Key, "err", err)
			return
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if was := c.known[key].UID; was != spec.Meta.UID { // deleted, and perhaps made again
		delete(c.keyOf, was)
	}
	if e.Deleted {
		delete(c.known, key)
		return
	}
	c.known[key], c.keyOf[spec.Meta.UID] = spec.Meta, key
}

// heard has the reconcilers look at what a node reported on.
func (c *Control) heard(uids ...string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, uid := range uids {
		if key, ok := c.keyOf[uid]; ok {
			c.add(c.known[key].ID)
		}
	}
}

// lookAtAll has the reconcilers look at everything.
func (c *Control) lookAtAll() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, k := range c.known {
		c.add(k.ID)
	}
}

func (c *Control) reconcileGroup(ctx context.Context, id arm.ID) (time.Duration, error) {
	if c.Groups == nil {
		return 0, nil
	}
	return c.Groups(ctx, id)
}

// finish ends the operation of a resource, in the transaction that writes the
// status it waits for.
func (c *Control) finish(ctx context.Context, tx store.Tx, m *arm.Meta, failure *arm.Error) error {
	return arm.FinishOperation(ctx, tx, m.Operation, failure, nil, c.Now())
}

// How long operations are kept after their end, and how often old ones are
// looked for.
const (
	operationKept = 24 * time.Hour
	sweepEvery    = 10 * time.Minute
)

// sweep removes operations that ended long ago.
func (c *Control) sweep(ctx context.Context) {
	t := time.NewTicker(sweepEvery)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
			if err := c.sweepOnce(ctx); err != nil && ctx.Err() == nil {
				c.log.Warn("old operations not removed, will retry", "err", err)
			}
		}
	}
}

// sweepAtOnce bounds the operations that one transaction removes.
const sweepAtOnce = 500

func (c *Control) sweepOnce(ctx context.Context) error {
	es, err := c.mirror.List(ctx, arm.OperationPrefix)
	if err != nil {
		return err
	}
	es = slices.DeleteFunc(es, func(e store.Entry) bool { return !c.isOld(e) })
	for some := range slices.Chunk(es, sweepAtOnce) {
		_, err := c.store.Update(ctx, func(tx store.Tx) error {
			for _, e := range some {
				tx.Delete(e.Key)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// isOld says whether the operation in e ended long ago. One that cannot be read
// must not keep the others.
func (c *Control) isOld(e store.Entry) bool {
	var op arm.Operation
	if err := json.Unmarshal(e.Value, &op); err != nil {
		c.log.Error("unreadable operation in the store", "key", e.Key, "err", err)
		return false
	}
	return op.EndedAt != nil && c.Now().Sub(*op.EndedAt) >= operationKept
}
