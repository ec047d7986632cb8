// Package mailbox is a queue between goroutines that must never wait and one
// that reads at its own pace. It knows nothing of what it carries.
package mailbox

import "sync"

// Mailbox keeps values, in order and without bound, until they are taken.
type Mailbox[T any] struct {
	mu    sync.Mutex
	queue []T
	ready chan struct{}
}

// New makes an empty mailbox.
func New[T any]() *Mailbox[T] {
	return &Mailbox[T]{ready: make(chan struct{}, 1)}
}

// Put adds v. It never waits.
func (m *Mailbox[T]) Put(v T) {
	m.mu.Lock()
	m.queue = append(m.queue, v)
	m.mu.Unlock()
	select {
	case m.ready <- struct{}{}:
	default:
	}
}

// Ready delivers when there is something to take, perhaps once more than that.
func (m *Mailbox[T]) Ready() <-chan struct{} { return m.ready }

// Take returns everything that was put so far and not taken.
func (m *Mailbox[T]) Take() []T {
	m.mu.Lock()
	defer m.mu.Unlock()
	all := m.queue
	m.queue = nil
	return all
}
