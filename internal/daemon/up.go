package daemon

import (
	"context"
	"fmt"

	"golang.org/x/sync/errgroup"
)

// Up is a cloud on one machine: a control plane and a node in one process.
// They speak to each other as they would from machine to machine.
func Up(ctx context.Context, sc ServerConfig, nc NodeConfig, ready func(*Server)) error {
	s, err := NewServer(ctx, sc)
	if err != nil {
		return err
	}
	defer s.Close()
	join, err := Issue(s.Cloud, nc.Join.Name, s.NodeAddress())
	if err != nil {
		return err
	}
	nc.Join = *join
	n, err := NewNode(ctx, nc)
	if err != nil {
		return fmt.Errorf("start node: %w", err)
	}
	defer n.Close()
	ready(s)
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return s.Run(ctx) })
	g.Go(func() error { return n.Run(ctx) })
	return g.Wait()
}
