package daemon

import (
	"sync/atomic"

	"lazuli/internal/fabric"
	"lazuli/internal/node"
)

// late is an agent that is known a moment later than it may be asked.
type late struct{ p atomic.Pointer[node.Agent] }

func (l *late) set(a *node.Agent) { l.p.Store(a) }

// Machine knows nothing until there is an agent; guests ask again.
func (l *late) Machine(uid string) (fabric.Machine, bool) {
	if a := l.p.Load(); a != nil {
		return a.Machine(uid)
	}
	return fabric.Machine{}, false
}

func (l *late) Ready(uid string) {
	if a := l.p.Load(); a != nil {
		a.Ready(uid)
	}
}

func (l *late) ProvisioningFailed(uid string, p fabric.Problem) {
	if a := l.p.Load(); a != nil {
		a.ProvisioningFailed(uid, p)
	}
}

func (l *late) AgentStatus(uid string, s fabric.Agent) {
	if a := l.p.Load(); a != nil {
		a.AgentStatus(uid, s)
	}
}
