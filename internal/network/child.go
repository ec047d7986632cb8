package network

import (
	"context"
	"errors"
	"slices"
	"strings"

	"lazuli/internal/arm"
)

// children is the Provider of a type whose resources are stored as a list C
// inside their parent's spec S, like the subnets of a virtual network. B is
// the struct of the body.
type children[B, C, S any] struct {
	parents arm.Collection[S, NoStatus]
	list    func(*S) *[]C
	name    func(*C) string
	// read reads a body, whose name is set already.
	read func(ctx context.Context, c *arm.Call, m *arm.Meta, b *B) (C, error)
	// check says whether the parent may be as it is now.
	check   func(ctx context.Context, c *arm.Call, o, was *arm.Object[S, NoStatus]) error
	view    func(o *arm.Object[S, NoStatus], child *C) B
	setName func(b *B, name string)
}

// Get answers with the child.
func (p *children[B, C, S]) Get(ctx context.Context, c *arm.Call) (arm.Result, error) {
	o, err := p.parents.Get(ctx, c.Reader(), c.ID.Parent())
	if err != nil {
		return arm.Result{}, err
	}
	i := p.index(o, c.ID.Name())
	if i < 0 {
		return arm.Result{}, arm.NotFound(c.ID)
	}
	return arm.Result{Body: p.view(o, &(*p.list(&o.Spec))[i]), ETag: o.ETag()}, nil
}

// List answers with up to limit children of the parent whose names come after
// the token.
func (p *children[B, C, S]) List(ctx context.Context, c *arm.Call, parent arm.ID, after string, limit int) ([]any, string, error) {
	o, err := p.parents.Get(ctx, c.Reader(), parent)
	if err != nil {
		return nil, "", err
	}
	list := slices.Clone(*p.list(&o.Spec))
	slices.SortFunc(list, func(a, b C) int { return strings.Compare(p.key(&a), p.key(&b)) })
	items := []any{}
	for i := range list {
		switch {
		case p.key(&list[i]) <= after:
		case len(items) == limit:
			return items, p.key(&list[i-1]), nil
		default:
			items = append(items, p.view(o, &list[i]))
		}
	}
	return items, "", nil
}

// key is a child's name as names are compared.
func (p *children[B, C, S]) key(child *C) string { return strings.ToLower(p.name(child)) }

// Put makes or changes the child.
func (p *children[B, C, S]) Put(ctx context.Context, c *arm.Call, body []byte) (arm.Result, error) {
	was, err := p.parents.Find(ctx, c.Tx, c.ID.Parent())
	if err != nil {
		return arm.Result{}, err
	}
	if was == nil {
		return arm.Result{}, arm.StatusError(404, "ParentResourceNotFound", "Can not perform requested operation on nested resource. Parent resource '%s' not found.", c.ID.Parent().Name())
	}
	i := p.index(was, c.ID.Name())
	if err := arm.CheckPrecondition(c, p.metaOf(was, i)); err != nil {
		return arm.Result{}, err
	}
	return p.put(ctx, c, was, i, body)
}

// Patch is not there: like Azure's, the types have no PATCH.
func (p *children[B, C, S]) Patch(context.Context, *arm.Call, []byte) (arm.Result, error) {
	return arm.Result{}, errors.ErrUnsupported
}

// Delete removes the child from its parent.
func (p *children[B, C, S]) Delete(ctx context.Context, c *arm.Call) (arm.Result, error) {
	was, i, err := p.find(ctx, c)
	if err != nil {
		return arm.Result{}, err
	}
	o, err := p.parents.Get(ctx, c.Tx, was.ID)
	if err != nil {
		return arm.Result{}, err
	}
	list := p.list(&o.Spec)
	*list = append((*list)[:i], (*list)[i+1:]...)
	if err := c.DropRights(ctx, c.ID); err != nil {
		return arm.Result{}, err
	}
	return arm.Result{}, p.write(ctx, c, o, was)
}

func (p *children[B, C, S]) find(ctx context.Context, c *arm.Call) (*arm.Object[S, NoStatus], int, error) {
	o, err := p.parents.Get(ctx, c.Tx, c.ID.Parent())
	if err != nil {
		return nil, -1, err
	}
	i := p.index(o, c.ID.Name())
	if i < 0 {
		return nil, -1, arm.NotFound(c.ID)
	}
	return o, i, arm.CheckPrecondition(c, &o.Meta)
}

func (p *children[B, C, S]) put(ctx context.Context, c *arm.Call, was *arm.Object[S, NoStatus], i int, body []byte) (arm.Result, error) {
	b := new(B)
	if err := arm.Decode(body, b); err != nil {
		return arm.Result{}, err
	}
	o, err := p.parents.Get(ctx, c.Tx, was.ID) // a copy
	if err != nil {
		return arm.Result{}, err
	}
	list, name := p.list(&o.Spec), c.ID.Name()
	if i >= 0 {
		name = p.name(&(*list)[i])
	}
	p.setName(b, name)
	child, err := p.read(ctx, c, &o.Meta, b)
	if err != nil {
		return arm.Result{}, err
	}
	at := i
	if i < 0 {
		at = len(*list)
		*list = append(*list, child)
	} else {
		(*list)[i] = child
	}
	if err := p.write(ctx, c, o, was); err != nil {
		return arm.Result{}, err
	}
	return arm.Result{Body: p.view(o, &(*list)[at]), ETag: o.ETag(), Created: i < 0}, nil
}

func (p *children[B, C, S]) write(ctx context.Context, c *arm.Call, o, was *arm.Object[S, NoStatus]) error {
	if err := p.check(ctx, c, o, was); err != nil {
		return err
	}
	if err := arm.CheckNewLinks(ctx, c, o); err != nil {
		return err
	}
	o.Generation++
	o.ChangedAt = c.Now
	return p.parents.Put(ctx, c.Tx, o)
}

func (p *children[B, C, S]) index(o *arm.Object[S, NoStatus], name string) int {
	for i := range *p.list(&o.Spec) {
		if strings.EqualFold(p.name(&(*p.list(&o.Spec))[i]), name) {
			return i
		}
	}
	return -1
}

// metaOf is what a precondition is held against: the parent's etag is the
// child's too.
func (p *children[B, C, S]) metaOf(o *arm.Object[S, NoStatus], i int) *arm.Meta {
	if i < 0 {
		return nil
	}
	return &o.Meta
}

func subnetProvider() arm.Provider {
	return &children[subnetBody, Subnet, VNet]{
		parents: VNets,
		list:    func(v *VNet) *[]Subnet { return &v.Subnets },
		name:    func(s *Subnet) string { return s.Name },
		setName: func(b *subnetBody, name string) { b.Name = name },
		read: func(ctx context.Context, c *arm.Call, m *arm.Meta, b *subnetBody) (Subnet, error) {
			return readSubnet(ctx, c, m, "", b)
		},
		check: checkVNet,
		view:  viewSubnet,
	}
}
