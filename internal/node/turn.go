package node

import "sync"

// turns lets one at a time work on each of many things, while others work on
// others.
type turns struct {
	mu *sync.Mutex
	m  map[string]*turn
}

// turn is kept while somebody has it or waits for it.
type turn struct {
	mu    sync.Mutex
	users int
}

func newTurns() turns { return turns{mu: new(sync.Mutex), m: map[string]*turn{}} }

// take waits for the turn of key, and returns how to give it up.
func (t turns) take(key string) (leave func()) {
	t.mu.Lock()
	k, ok := t.m[key]
	if !ok {
		k = &turn{}
		t.m[key] = k
	}
	k.users++
	t.mu.Unlock()
	k.mu.Lock()
	return func() {
		k.mu.Unlock()
		t.mu.Lock()
		defer t.mu.Unlock()
		if k.users--; k.users == 0 {
			delete(t.m, key)
		}
	}
}
