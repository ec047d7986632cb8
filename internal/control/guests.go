package control

import (
	"context"
	"io"

	"lazuli/internal/arm"
	"lazuli/internal/compute"
	"lazuli/internal/fabric"
)

// SerialLog reads the boot log of a machine, from its node.
func (c *Control) SerialLog(ctx context.Context, id arm.ID) (io.ReadCloser, error) {
	v, down, err := c.reach(ctx, id)
	if err != nil {
		return nil, err
	}
	return down.SerialLog(ctx, v.UID)
}

// Console opens the serial port of a machine, on its node.
func (c *Control) Console(ctx context.Context, id arm.ID) (io.ReadWriteCloser, error) {
	v, down, err := c.reach(ctx, id)
	if err != nil {
		return nil, err
	}
	if v.Status.State != fabric.MachineRunning && v.Status.State != fabric.MachinePaused {
		return nil, arm.Conflict("OperationNotAllowed", "VM '%s' does not run, so that it has no console. Start it first.", id.Name())
	}
	return down.Console(ctx, v.UID)
}

// reach finds the link to the node of a machine.
func (c *Control) reach(ctx context.Context, id arm.ID) (*vm, *fabric.Downlink, error) {
	v, err := compute.VMs.Get(ctx, c.store, id)
	if err != nil {
		return nil, nil, err
	}
	if v.Status.Node == "" {
		return nil, nil, arm.Conflict("OperationNotAllowed", "VM '%s' has not been started yet.", id.Name())
	}
	l := c.linked(v.Status.Node)
	if l == nil {
		return nil, nil, arm.StatusError(503, "NodeNotConnected", "The node '%s' of VM '%s' is not connected. Try again when it is back.", v.Status.Node, id.Name())
	}
	return v, l.down, nil
}
