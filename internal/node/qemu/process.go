package qemu

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"lazuli/internal/node"
	"lazuli/internal/node/qemu/qmp"
)

// quitTimeout is how long a QEMU that was asked to end has for it.
const quitTimeout = 5 * time.Second

// answerTimeout is how long a QEMU has to carry out a command. It opens and
// closes files in some; one that takes longer hangs.
const answerTimeout = 30 * time.Second

// process is a QEMU process that is or was alive, a child of this agent or of
// one before it.
type process struct {
	id    identity
	pidfd *os.File

	// gone is closed when the process has ended; status says how.
	gone   chan struct{}
	status string
	// over is closed when its end was written down and told, and when the
	// driver is closed.
	over chan struct{}

	stopping atomic.Bool // its end was asked for
	halted   atomic.Bool // its guest powered off, which was told
	looks    chan chan struct{}

	mu     sync.Mutex
	client *qmp.Client
}

func newProcess(id identity, pidfd *os.File) *process {
	return &process{
		id: id, pidfd: pidfd,
		gone: make(chan struct{}), over: make(chan struct{}), looks: make(chan chan struct{}),
	}
}

// await returns when the process has ended, or pidfd was closed. It takes no
// thread meanwhile.
func (p *process) await() {
	rc, err := p.pidfd.SyscallConn()
	if err != nil {
		return
	}
	err = rc.Read(func(fd uintptr) bool {
		fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
		n, err := unix.Poll(fds, 0)
		return err == nil && n == 1
	})
	if err != nil {
		return
	}
	p.status = reap(p.id.PID)
	close(p.gone)
}

// reap collects a child. How a process ended that is no child is not known.
func reap(pid int) string {
	var ws unix.WaitStatus
	n, err := unix.Wait4(pid, &ws, unix.WNOHANG, nil)
	switch {
	case err != nil || n != pid:
		return "exit status is not known"
	case ws.Signaled():
		return fmt.Sprintf("signal: %v", ws.Signal())
	default:
		return fmt.Sprintf("exit status %d", ws.ExitStatus())
	}
}

func (p *process) kill() error {
	err := unix.ENOSYS
	rc, cerr := p.pidfd.SyscallConn()
	if cerr != nil {
		return cerr
	}
	cerr = rc.Control(func(fd uintptr) {
		e := unix.PidfdSendSignal(int(fd), unix.SIGKILL, nil, 0)
		if e == nil || errors.Is(e, unix.ESRCH) {
			err = 0
		}
	})
	if cerr != nil {
		return cerr
	}
	if err != 0 {
		return err
	}
	return nil
}

// end makes the process quit, which closes its disks in good order, or else
// kills it. It returns when the process is gone.
func (p *process) end(ctx context.Context) error {
	quit, cancel := context.WithTimeout(ctx, quitTimeout)
	defer cancel()
	if c := p.monitor(); c != nil && c.Do(quit, "quit", nil, nil) == nil {
		select {
		case <-p.gone:
			return nil
		case <-quit.Done():
		}
	}
	if err := p.kill(); err != nil {
		return fmt.Errorf("kill process %d: %w", p.id.PID, err)
	}
	select {
	case <-p.gone:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("process %d was killed and does not go: %w", p.id.PID, ctx.Err())
	}
}

// monitor is nil while QEMU does not answer.
func (p *process) monitor() *qmp.Client {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.client
}

func (p *process) setMonitor(c *qmp.Client) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.client = c
}

// errNoMonitor says that QEMU is alive and does not answer.
var errNoMonitor = errors.New("qemu does not answer on its monitor")

// do runs a monitor command.
func (p *process) do(ctx context.Context, name string, args, out any) error {
	c := p.monitor()
	if c == nil {
		return errNoMonitor
	}
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	return c.Do(ctx, name, args, out)
}

// silent is all that is known of a process that does not answer.
func (p *process) silent(uid string) node.Instance {
	return node.Instance{UID: uid, PID: p.id.PID, StartedAt: p.id.StartedAt, State: node.InstanceSilent}
}

// look returns when every event that QEMU has told is passed on.
func (p *process) look(ctx context.Context) error {
	done := make(chan struct{})
	select {
	case p.looks <- done:
	case <-p.over:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// ended waits a moment for the end of a process whose monitor was lost.
func (p *process) ended(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, redialAfter)
	defer cancel()
	select {
	case <-p.over:
		return true
	case <-ctx.Done():
		return false
	}
}
