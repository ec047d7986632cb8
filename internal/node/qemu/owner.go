package qemu

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
)

// owners hands out user ids, one to each machine. An id is used again as late
// as possible: disks that a machine had may still belong to it.
type owners struct {
	first, count int
	path         string // of the file that says where to go on after a restart

	saving gate // held by who writes the file
	mu     sync.Mutex
	byVM   map[string]int
	used   map[int]bool
	next   int
	ahead  int // how far the file is ahead of next
}

// lead is how many ids the file is ahead at most: so many are passed over by a
// restart, and so many machines are made for one write.
func (o *owners) lead() int { return o.count / 1024 }

func newOwners(first, count int, path string) (*owners, error) {
	o := &owners{first: first, count: count, path: path, saving: newGate(), byVM: map[string]int{}, used: map[int]bool{}, next: first}
	data, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return o, nil
	}
	if err != nil {
		return nil, err
	}
	if n, err := strconv.Atoi(strings.TrimSpace(string(data))); err == nil && n >= first && n < first+count {
		o.next = n
	}
	return o, nil
}

// keep notes an id that was handed out before.
func (o *owners) keep(uid string, owner int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.byVM[uid], o.used[owner] = owner, true
}

// of is the id that the machine has.
func (o *owners) of(uid string) (owner int, ok bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	owner, ok = o.byVM[uid]
	return owner, ok
}

// take gives the machine, which has none, an id. It is not given again after a
// restart, even if that is all that anyone remembers of it.
func (o *owners) take(ctx context.Context, uid string) (int, error) {
	if err := o.saving.enter(ctx); err != nil {
		return 0, err
	}
	defer o.saving.leave()
	owner, ahead, err := o.choose(uid)
	if err != nil || ahead >= 0 {
		return owner, err
	}
	if err := o.save(); err != nil {
		o.release(uid)
		return 0, err
	}
	return owner, nil
}

// choose takes the next id that is free; ahead is negative if the file must be
// written before the id is used.
func (o *owners) choose(uid string) (owner, ahead int, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for range o.count {
		owner := o.next
		o.next = o.after(1)
		o.ahead--
		if !o.used[owner] {
			o.byVM[uid], o.used[owner] = owner, true
			return owner, o.ahead, nil
		}
	}
	return 0, 0, fmt.Errorf("all %d user ids from %d on are taken by machines", o.count, o.first)
}

// after is the id n after the next, in the circle that they make.
func (o *owners) after(n int) int { return o.first + (o.next+n-o.first)%o.count }

// release gives the machine's id back.
func (o *owners) release(uid string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.used, o.byVM[uid])
	delete(o.byVM, uid)
}

// save writes down where to go on after a restart.
func (o *owners) save() error {
	o.mu.Lock()
	at := o.after(o.lead())
	o.mu.Unlock()
	if err := dir(filepath.Dir(o.path)).write(filepath.Base(o.path), []byte(strconv.Itoa(at)+"\n")); err != nil {
		return err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.ahead = o.lead()
	return nil
}

// Owner is the user that runs the machine.
func (d *Driver) Owner(uid string) (int, error) {
	m, err := d.machine(uid)
	if err != nil {
		return 0, err
	}
	if err := m.founding.enter(context.Background()); err != nil {
		return 0, err
	}
	defer m.founding.leave()
	if owner, ok := d.owners.of(uid); ok {
		return owner, nil
	}
	owner, err := d.owners.take(context.Background(), uid)
	if err != nil {
		return 0, fmt.Errorf("owner of %s: %w", uid, err)
	}
	if err := d.found(m, owner); err != nil {
		d.owners.release(uid)
		return 0, fmt.Errorf("owner of %s: %w", uid, err)
	}
	return owner, nil
}

// found makes the directory of a new machine.
func (d *Driver) found(m *machine, owner int) error {
	if err := os.Mkdir(string(m.dir), 0o700); err != nil && !errors.Is(err, os.ErrExist) {
		return err
	}
	if err := m.dir.save(handle{UID: m.uid, Owner: owner}); err != nil {
		return err
	}
	return syncDir(filepath.Dir(string(m.dir)))
}
