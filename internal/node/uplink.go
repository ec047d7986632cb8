package node

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"runtime"
	"time"

	"golang.org/x/sys/unix"

	"lazuli/internal/fabric"
)

// How often the node says what it is and has, looks whether there is a new
// image to tell of, and looks at everything again for what nothing told it of.
const (
	nodeReportEvery = 10 * time.Second
	imagesEvery     = time.Second
	resyncEvery     = time.Minute
	firstRedial     = 20 * time.Millisecond
	lastRedial      = 5 * time.Second
)

// stayLinked keeps a link to the control plane until ctx ends.
func (a *Agent) stayLinked(ctx context.Context, dial func(context.Context) (Link, error)) {
	wait := firstRedial
	var complaint complaint
	for ctx.Err() == nil {
		began := time.Now()
		err := a.linked(ctx, dial)
		if ctx.Err() != nil {
			return
		}
		if time.Since(began) > lastRedial {
			wait = firstRedial
		}
		complaint.log(a.c.Log, err)
		select {
		case <-ctx.Done():
		case <-time.After(wait):
		}
		wait = min(2*wait, lastRedial)
	}
}

// complainEvery is how often the log says the same of a link that does not
// come back: there may be weeks of it.
const complainEvery = 10 * time.Minute

// complaint is what the log was last told of the link.
type complaint struct {
	text string
	at   time.Time
}

func (c *complaint) log(log *slog.Logger, err error) {
	text := err.Error()
	if text == c.text && time.Since(c.at) < complainEvery {
		return
	}
	c.text, c.at = text, time.Now()
	if _, refused := errors.AsType[*fabric.RefusedError](err); refused {
		log.Error("no link to the control plane", "err", err)
		return
	}
	log.Warn("no link to the control plane, will retry", "err", err)
}

// linked works on one link until it breaks.
func (a *Agent) linked(ctx context.Context, dial func(context.Context) (Link, error)) error {
	link, err := dial(ctx)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	done := make(chan error, 1)
	go func() {
		err := a.reporting(ctx, link)
		cancel()
		done <- err
	}()
	err = link.Assignments(ctx, a.take)
	cancel()
	link.Close()
	if rerr := <-done; rerr != nil && !errors.Is(rerr, context.Canceled) {
		return rerr
	}
	return err
}

func (a *Agent) reporting(ctx context.Context, link Link) error {
	if err := a.reportNode(ctx, link); err != nil {
		return err
	}
	a.out.all()
	node, images := time.NewTicker(nodeReportEvery), time.NewTicker(imagesEvery)
	defer node.Stop()
	defer images.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-a.out.wake:
			if r := a.out.take(); r != nil {
				if err := link.Report(ctx, r); err != nil {
					return fmt.Errorf("report: %w", err)
				}
			}
		case <-node.C:
			if err := a.reportNode(ctx, link); err != nil {
				return err
			}
		case <-images.C:
			if reflect.DeepEqual(a.readImages(), a.told) {
				continue
			}
			if err := a.reportNode(ctx, link); err != nil {
				return err
			}
		}
	}
}

func (a *Agent) reportNode(ctx context.Context, link Link) error {
	n, err := a.self()
	if err != nil {
		return err
	}
	if err := link.Report(ctx, &fabric.Report{Node: n}); err != nil {
		return fmt.Errorf("report node: %w", err)
	}
	a.told = n.Images
	return nil
}

// readImages lists the images that can be read. Of the others the log tells once.
func (a *Agent) readImages() []fabric.NodeImage {
	images, err := a.c.Images()
	unread := ""
	if err != nil {
		unread = err.Error()
	}
	if unread != a.unread && err != nil {
		a.c.Log.Error("images that cannot be read are left out", "err", err)
	}
	a.unread = unread
	return images
}

func (a *Agent) self() (*fabric.NodeReport, error) {
	images := a.readImages()
	total, free, err := a.c.Disks.Free()
	if err != nil {
		return nil, fmt.Errorf("see free space: %w", err)
	}
	var si unix.Sysinfo_t
	if err := unix.Sysinfo(&si); err != nil {
		return nil, fmt.Errorf("see memory: %w", err)
	}
	return &fabric.NodeReport{
		Name: a.c.Name, Version: a.c.Version, CPUs: runtime.NumCPU(),
		MemoryMiB: cmp.Or(a.c.MemoryMiB, int(si.Totalram*uint64(si.Unit)>>20)),
		DiskBytes: total, FreeBytes: free, Images: images, StartedAt: a.startedAt,
		Accelerator: a.c.Hypervisor.Accelerator(), QEMU: a.c.Hypervisor.Version(),
	}, nil
}
