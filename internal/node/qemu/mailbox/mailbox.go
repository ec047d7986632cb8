// Package mailbox is a queue between one goroutine that must never wait and
// one that reads at its own pace. It knows nothing of what it carries.
package mailbox

import "sync"

// Mailbox passes values on, in order and without bound.
type Mailbox[T any] struct {
	in   chan T
	out  chan T
	quit chan struct{}
	once sync.Once
	done sync.WaitGroup
}

// New starts a mailbox. Close ends it.
func New[T any]() *Mailbox[T] {
	m := &Mailbox[T]{in: make(chan T), out: make(chan T), quit: make(chan struct{})}
	m.done.Go(m.run)
	return m
}

// Put adds v. It never waits for the reader. After Close it does nothing.
func (m *Mailbox[T]) Put(v T) {
	select {
	case m.in <- v:
	case <-m.quit:
	}
}

// Out is where values come out. Close closes it.
func (m *Mailbox[T]) Out() <-chan T { return m.out }

// Close drops what nobody has read, and closes Out.
func (m *Mailbox[T]) Close() {
	m.once.Do(func() { close(m.quit) })
	m.done.Wait()
}

func (m *Mailbox[T]) run() {
	defer close(m.out)
	var queue []T
	for {
		var out chan T
		var next T
		if len(queue) > 0 {
			out, next = m.out, queue[0]
		}
		select {
		case v := <-m.in:
			queue = append(queue, v)
		case out <- next:
			queue = queue[1:]
		case <-m.quit:
			return
		}
	}
}
